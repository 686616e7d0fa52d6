"""What all figures of the report share: style, colours, points and lines over the envelope; and the training curve.

The figures of each chapter are in the modules of `figures`. Each function takes tables or arrays and gives back a
matplotlib figure. A figure for which there are no numbers says so in one sentence.
"""

import textwrap
import zlib
from collections.abc import Collection, Mapping
from pathlib import Path

import matplotlib as mpl
import matplotlib.pyplot as plt
import numpy as np
import pandas as pd
from matplotlib.figure import Figure, FigureBase

from syngeno.evaluate.metrics import ours

# With this one no two kinds of the catalogue share a colour, nor two generators of the demo.
_SALT = "1191845"

# Okabe & Ito (2008), then Tol's muted: distinct to colour-blind readers, too.
COLOURS = [
    "#0072B2", "#D55E00", "#009E73", "#CC79A7", "#E69F00", "#56B4E9", "#000000",
    "#882255", "#999933", "#332288", "#DDCC77", "#661100",
]  # fmt: skip
BAND = {"color": "0.85", "zorder": 0, "linewidth": 0}
GUIDE = {"color": "0.5", "linewidth": 0.8, "linestyle": ":", "zorder": 0.5}

STYLE = {
    "figure.constrained_layout.use": True,
    "font.size": 10,
    "axes.formatter.useoffset": False,
    "axes.spines.top": False,
    "axes.spines.right": False,
    "axes.titlesize": 10,
    "axes.titlelocation": "left",
    "legend.frameon": False,
    "svg.fonttype": "none",
    "svg.hashsalt": "syngeno",
}

Subject = tuple[str, int]  # a generator, and the percentage of the training samples that it was fitted on


def save(figure: Figure, path: str | Path) -> None:
    """Write a figure; the same figure gives the same file."""
    with mpl.rc_context(STYLE):
        figure.savefig(path, metadata={"Date": None} if str(path).endswith(".svg") else None, dpi=150)
    plt.close(figure)


def subjects(numbers: pd.DataFrame) -> list[tuple[Subject, pd.DataFrame]]:
    """((generator, fraction), rows) of what was judged, in the order of the table."""
    return list(numbers.groupby(["generator", "fraction"], sort=False))


def colours(metrics: pd.DataFrame) -> dict[Subject, str]:
    """One colour for each of `subjects`: of the generator's name, paler the fewer samples it was fitted on.

    A name has its colour in every figure and every run, unless one that sorts before it has the same.
    """
    found = [subject for subject, _ in subjects(ours(metrics))]
    fractions = {name: sorted((share for other, share in found if other == name), reverse=True) for name, _ in found}
    shades = _by_name(sorted(fractions))
    return {(name, share): _paler(shades[name], fractions[name].index(share)) for name, share in found}


def _by_name(generators: list[str]) -> dict[str, str]:
    """A colour for each name: the one that its hash points at, or the next that is free."""
    chosen: dict[str, str] = {}
    for name in generators:
        first = zlib.crc32(f"{_SALT}{name}".encode()) % len(COLOURS)
        ring = COLOURS[first:] + COLOURS[:first]
        chosen[name] = next((colour for colour in ring if colour not in chosen.values()), ring[0])
    return chosen


def _paler(colour: str, steps: int) -> str:
    """The colour with white mixed in, more with every step."""
    kept = 0.6**steps
    return mpl.colors.to_hex([1 - kept * (1 - part) for part in mpl.colors.to_rgb(colour)]).upper()


def names(metrics: pd.DataFrame) -> dict[Subject, str]:
    """What each of `subjects` is called: the fraction too where there are several."""
    several = ours(metrics)["fraction"].nunique() > 1
    return {
        (name, fraction): f"{name}, {fraction} %" if several else name
        for (name, fraction), _ in subjects(ours(metrics))
    }


def blank(axis: plt.Axes, sentence: str, width: int = 44) -> None:
    """Say on an axis why nothing is drawn there."""
    axis.axis("off")
    text = "\n".join(textwrap.wrap(sentence, width))
    axis.text(0.5, 0.5, text, ha="center", va="center", color="0.35", transform=axis.transAxes)


def without(sentence: str) -> Figure:
    """A figure that says why there is none."""
    with mpl.rc_context(STYLE):
        figure, axis = plt.subplots(figsize=(7, 1.8))
        blank(axis, sentence, 80)
    return figure


def grid(panels: int, across: int, width: float, height: float, **more: object) -> tuple[Figure, list[plt.Axes]]:
    """A figure of so many panels, at most `across` in a row, each of so many inches; call it under `STYLE`."""
    columns = min(panels, across)
    figure = plt.figure(figsize=(width * columns, height * -(-panels // columns)))
    axes = spread(figure, panels, columns, **more)
    for axis in axes[-columns:]:  # the last panel of each column, where columns end in different rows
        axis.tick_params(labelbottom=True)
    return figure, axes


def spread(figure: FigureBase, panels: int, across: int, **more: object) -> list[plt.Axes]:
    """So many panels on a figure or a part of one, `across` in a row; places that are left stay blank."""
    axes = figure.subplots(-(-panels // across), across, squeeze=False, **more).flat
    for axis in axes[panels:]:
        axis.axis("off")
    return list(axes[:panels])


def points(
    axis: plt.Axes,
    columns: Mapping[str, pd.DataFrame],
    shades: Mapping[Subject, str],
    hollow: Collection[Subject] = (),
) -> None:
    """One column per title and table: the envelope as a band, each subject's seeds as points with intervals.

    Subjects in `hollow` are drawn so: their number could not have shown a leak.
    """
    for x, numbers in enumerate(columns.values()):
        if numbers.empty:
            continue
        low, middle, high = numbers[["real_low", "real", "real_high"]].mean()
        if np.isfinite(low):
            axis.fill_between([x - 0.42, x + 0.42], low, high, **BAND)
        if np.isfinite(middle):
            axis.plot([x - 0.42, x + 0.42], [middle, middle], color="0.5", linestyle=":", linewidth=1)
        present = subjects(numbers)
        for i, (subject, part) in enumerate(present):
            apart = np.linspace(-0.04, 0.04, len(part)) if len(part) > 1 else np.zeros(1)
            axis.errorbar(
                x + (i + 0.5) / len(present) * 0.7 - 0.35 + apart, part["value"],
                yerr=interval(part), fmt="o", color=shades[subject], markersize=5, elinewidth=1.2,
                markerfacecolor="white" if subject in hollow else shades[subject],
            )  # fmt: skip
    axis.set_xticks(range(len(columns)), columns)
    axis.set_xlim(-0.55, len(columns) - 0.45)


def lines(
    axis: plt.Axes, numbers: pd.DataFrame, groups: list[str], shades: Mapping[Subject, str], relative: bool = False
) -> None:
    """Values over ordered groups, a line per subject and seed, over the band of the envelope.

    With `relative`, everything is divided by the value of real samples in that group.
    """
    numbers = numbers[numbers["group"].isin(groups)]
    # Only generators that were fitted on all training samples have an envelope beside them.
    known = numbers.dropna(subset=["real"])
    real = known.drop_duplicates("group").set_index("group").reindex(groups)
    unit = real["real"].where(real["real"] > 0) if relative else 1.0
    at = range(len(groups))
    axis.fill_between(at, real["real_low"] / unit, real["real_high"] / unit, **BAND)
    axis.plot(at, real["real"] / unit, color="0.5", linestyle=":", linewidth=1)
    for subject, part in subjects(numbers):
        for _, line in part.groupby("seed", sort=False):
            value = line.set_index("group")["value"].reindex(groups) / unit
            axis.plot(at, value, color=shades[subject], marker="o", markersize=3.5, linewidth=1.2)
    axis.set_xticks(at, groups)
    axis.set_xlim(-0.3, len(groups) - 0.7)


def interval(part: pd.DataFrame) -> list[pd.Series]:
    """How far the interval reaches below and above each value, 0 where there is none, for error bars."""
    below, above = part["value"] - part["low"], part["high"] - part["value"]
    return [below.fillna(0).clip(lower=0), above.fillna(0).clip(lower=0)]


def legend(figure: Figure, metrics: pd.DataFrame, *more: plt.Artist) -> None:
    """What the colours and the band mean, below the figure; `more` are further handles."""
    titles = names(metrics)
    handles = [
        plt.Line2D([], [], color=colour, marker="o", linestyle="", label=titles[subject])
        for subject, colour in colours(metrics).items()
    ]
    handles += [plt.Rectangle((0, 0), 1, 1, label="real against real", color=BAND["color"]), *more]
    below(figure, handles)


def below(figure: Figure, handles: list[plt.Artist]) -> None:
    """A legend below the figure, in as few rows as its width allows."""
    inches = sum(0.65 + 0.09 * len(handle.get_label()) for handle in handles)
    rows = -(-inches // (figure.bbox.width / figure.dpi))
    figure.legend(handles=handles, loc="outside lower center", ncols=int(-(-len(handles) // rows)))


def hollow_handle(label: str) -> plt.Line2D:
    """A handle for the legend: what a hollow point means."""
    return plt.Line2D([], [], color="0.3", marker="o", linestyle="", markerfacecolor="white", label=label)


def training(history: pd.DataFrame) -> Figure:
    """Loss on training and validation samples by epoch, and the epoch that was kept."""
    with mpl.rc_context(STYLE):
        figure, axis = plt.subplots(figsize=(7, 3.8))
        axis.plot(history["epoch"], history["train_loss"], color=COLOURS[0], label="training samples")
        axis.plot(history["epoch"], history["validation_loss"], color=COLOURS[1], label="validation samples")
        for epoch in history.loc[history["kept"], "epoch"].tail(1):
            axis.axvline(epoch, color="0.5", linestyle="--", linewidth=1)
        axis.set(xlabel="epoch", ylabel="loss")
        axis.legend()
    return figure
