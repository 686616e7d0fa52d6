"""Figures of the paper's experiments: recovery rates, nearest neighbours, augmentation, reconstruction."""

import matplotlib as mpl
import numpy as np
import pandas as pd
from matplotlib.figure import Figure
from matplotlib.lines import Line2D

from syngeno.report.paper_page import shown
from syngeno.report.style import BAND, COLOURS, GUIDE, STYLE, below, grid, interval, without

REAL = "real"


def recovery(numbers: pd.DataFrame) -> Figure:
    """Recovery rate of every generator that was fitted on all training samples, a panel per classifier and space."""
    rates = numbers[(numbers["metric"] == "recovery_rate") & (numbers["fraction"] == 100) & (numbers["seed"] != "all")]
    if rates.empty:
        return without("No generator was trained on all training samples, so there is no recovery rate.")
    generators, groups = list(rates["generator"].unique()), list(rates["group"].unique())
    with mpl.rc_context(STYLE):
        figure, axes = grid(len(groups), 3, 3.4, 0.5 + 0.32 * len(generators), sharex=True, sharey=True)
        for axis, group in zip(axes, groups, strict=True):
            axis.axvline(1, **GUIDE)
            for y, name in enumerate(generators):
                part = rates[(rates["group"] == group) & (rates["generator"] == name)]
                spread = np.linspace(-0.15, 0.15, len(part)) if len(part) > 1 else np.zeros(len(part))
                axis.errorbar(part["value"], y + spread, xerr=interval(part), fmt="o", color=COLOURS[0], markersize=5)
            axis.set(title=group, xlim=(0, None), xlabel="recovery rate")
            axis.set_yticks(range(len(generators)), generators)
        axes[0].invert_yaxis()
    return figure


def aats(numbers: pd.DataFrame) -> Figure:
    """AA_truth and AA_syn among a hundred samples, against test and against train, real samples' as a band."""
    found = numbers[numbers["metric"].isin(["aa_truth", "aa_syn"]) & (numbers["fraction"] == 100)]
    found = found[found["seed"] != "all"]
    if found.empty:
        return without("No generator was trained on all training samples, so no neighbours were counted.")
    generators = list(found["generator"].unique())
    with mpl.rc_context(STYLE):
        figure, axes = grid(2, 2, 4.6, 3.2, sharey=True)
        for axis, against in zip(axes, ("test", "train"), strict=True):
            axis.axhline(0.5, **GUIDE)
            for k, metric in enumerate(("aa_truth", "aa_syn")):
                part = found[(found["metric"] == metric) & (found["against"] == against)]
                # Real samples have two bands here, which differ against train: each has the colour of its points.
                low, high = part[["real_low", "real_high"]].mean()
                at = np.array([-0.4, len(generators) - 0.6])
                if np.isfinite(low):
                    axis.fill_between(at, low, high, **BAND | {"color": COLOURS[k], "alpha": 0.15})
                again = part.groupby("generator").cumcount()  # seeds side by side
                x = part["generator"].map(generators.index) + (k - 0.5) * 0.3 + 0.07 * (again - again.max() / 2)
                axis.errorbar(x, part["value"], yerr=interval(part), fmt="os"[k], color=COLOURS[k], markersize=5)
            axis.set_xticks(range(len(generators)), generators, rotation=30, ha="right")
            axis.set(title=f"against {against}", ylim=(-0.03, 1.03))
        axes[0].set_ylabel("adversarial accuracy")
        handles = [
            Line2D([], [], color=COLOURS[k], marker="os"[k], linestyle="", label=name)
            for k, name in enumerate(("AA truth", "AA syn"))
        ]
        below(figure, [*handles, mpl.patches.Patch(label="band: real samples", color=BAND["color"])])
    return figure


def augmentation(numbers: pd.DataFrame) -> Figure:
    """Accuracy over the share of real samples: they alone, and with synthetic samples, honest or as in the paper."""
    accuracy = shown(numbers[(numbers["metric"] == "accuracy") & (numbers["real_fraction"] > 0)])
    added = accuracy[accuracy["generator"] != REAL]
    if added.empty:
        return without("No generator was trained on fewer samples and named in evaluate.paper.augment.")
    panels = list(dict.fromkeys(zip(added["generator"], added["group"], strict=True)))
    with mpl.rc_context(STYLE):
        figure, axes = grid(len(panels), 3, 3.6, 3.0, sharex=True, sharey=True)
        for axis, (name, group) in zip(axes, panels, strict=True):
            at = accuracy[accuracy["group"] == group]
            own = at[at["generator"] == name]
            lines = {
                "real samples alone": at[at["generator"] == REAL],
                "with synthetic samples, honest": own[own["fraction"] == own["real_fraction"]],
                "with synthetic samples, as in the paper": own[(own["fraction"] == 100) & (own["real_fraction"] < 100)],
            }
            for colour, (label, part) in zip(("0.45", COLOURS[0], COLOURS[1]), lines.items(), strict=True):
                part = part.sort_values("real_fraction")
                x = part["real_fraction"].astype(float)
                axis.errorbar(
                    x, part["value"], yerr=interval(part), color=colour, marker="o", markersize=4, label=label
                )
            axis.set(title=f"{name}, {group}", xscale="log", xlabel="real samples, %")
            shares = sorted(set(at["real_fraction"].astype(int)))
            axis.set_xticks(shares, shares)
            axis.minorticks_off()
        for axis in axes[::3]:
            axis.set_ylabel("accuracy on held-out samples")
        below(figure, axes[0].get_legend_handles_labels()[0])
    return figure


def convergence(numbers: pd.DataFrame) -> Figure:
    """Error of samples reconstructed in one step, over the noise: training samples solid, validation samples dashed."""
    found = numbers[(numbers["metric"] == "reconstruction_error") & (numbers["fraction"] == 100)]
    if found.empty:
        return without("No generator was trained on all training samples, so nothing was reconstructed.")
    found = found[found["seed"] == found["seed"][found["seed"] != "all"].iloc[0]]
    generators = list(found["generator"].unique())
    with mpl.rc_context(STYLE):
        figure, axes = grid(1, 1, 9, 4.2)
        axes[0].axhline(1, **GUIDE)
        for k, name in enumerate(generators):
            for against, style in (("train", "-"), ("validation", "--")):
                part = found[(found["generator"] == name) & (found["against"] == against)]
                level = part["group"].str.removeprefix("noise ").astype(float).sort_values()
                part = part.loc[level.index]
                axes[0].plot(level, part["value"], style, color=COLOURS[k % len(COLOURS)], linewidth=1.4)
        axes[0].set(xlabel="noise level (share of the steps)", ylabel="squared error", yscale="log")
        handles = [Line2D([], [], color=COLOURS[k % len(COLOURS)], label=name) for k, name in enumerate(generators)]
        styles = {"training samples": "-", "validation samples": "--"}
        handles += [Line2D([], [], color="0.3", linestyle=style, label=label) for label, style in styles.items()]
        figure.legend(handles=handles, loc="outside right center")
    return figure
