"""Figures of fidelity: allele counts, linkage, structure, likelihood, and the literature's numbers beside ours."""

import matplotlib as mpl
import matplotlib.pyplot as plt
import numpy as np
import pandas as pd
from matplotlib.figure import Figure, FigureBase

from syngeno.evaluate.metrics import of, ours, present
from syngeno.report import style
from syngeno.stats import diversity
from syngeno.stats.ld import BINS, CM_BINS

DIVERSITY = {
    "polymorphic_share": "Polymorphic share",
    "singleton_share": "Singleton share",
    "polymorphic_ratio": "Polymorphic / train",
    "heterozygosity": "Heterozygosity",
    "inbreeding_f": "Inbreeding F",
    "hwe_outliers": "Out of HWE",
    "haplotype_diversity": "Haplotype diversity",
    "haplotype_diversity_r": "Haplotype diversity, r",
}
STRUCTURE = {
    "fst_difference": "Fst difference",
    "fst_to_train": "Fst to train",
    "wasserstein_pc1_6": "Wasserstein, PC1-6",
    "sinkhorn_pc1_2": "Sinkhorn, PC1-2",
    "distance_within": "Distance within",
    "distance_between": "Distance to test",
    "distance_within_w1": "Within, W1 to test's",
    "distance_between_w1": "Between, W1 to test's",
}
PUBLISHED = {
    "heldout_nats": "Held-out nats",
    "wasserstein_pc1_6": "Wasserstein, PC1-6",
    "sinkhorn_pc1_2": "Sinkhorn, PC1-2",
    "distance_within_w1": "Distances within, W1",
    "distance_between_w1": "Distances between, W1",
}
CEILING = "real train"
FROM_LITERATURE = " (published)"

NO_LINKAGE = "Too few pairs of variants within reach: no linkage to show."
NO_STRUCTURE = "Nothing was measured of how samples and populations differ."
NO_SPECTRUM = "No site-frequency spectrum was measured."
NO_PUBLISHED = "No held-out likelihood was measured, and no numbers on this cohort were published."


def spectrum(metrics: pd.DataFrame) -> Figure:
    """The site-frequency spectrum, as it is and relative to real samples', and diversity in single numbers."""
    numbers, shades = ours(metrics), style.colours(metrics)
    sfs = of(numbers, "sfs", None)
    bins = [name for name in diversity.BINS if name in set(sfs["group"])]
    single = present(numbers, DIVERSITY)
    if not bins and not single:
        return style.without(NO_SPECTRUM)
    with mpl.rc_context(style.STYLE):
        figure = plt.figure(figsize=(12, 3.6 + 2.3 * -(-len(single) // 4)))
        above, below = figure.subfigures(2, 1, height_ratios=[3.6, max(2.3 * -(-len(single) // 4), 0.1)])
        left, right = above.subplots(1, 2)
        if bins:
            style.lines(left, sfs, bins, shades)
            style.lines(right, sfs, bins, shades, relative=True)
            left.set(ylabel="share of variants", title="Site-frequency spectrum", ylim=(0, None))
            right.set(title="The same, relative to real samples")
            for axis in (left, right):
                axis.set_xticks(range(len(bins)), [name.removeprefix("mac ") for name in bins])
                axis.set_xlabel("count of the minor allele")
        else:
            style.blank(left, NO_SPECTRUM)
            right.axis("off")
        _numbers(below, single, shades)
        style.legend(figure, metrics)
    return figure


def ld_decay(metrics: pd.DataFrame) -> Figure:
    """Mean r2 by distance for all samples and within each label, and correlation of three variants at a time."""
    numbers, shades = ours(metrics), style.colours(metrics)
    r2 = of(numbers, "ld_r2", None)
    bins, cm = ([name for name in known if name in set(r2["group"])] for known in (BINS, CM_BINS))
    if not bins:
        return style.without(NO_LINKAGE)
    triples = of(numbers, "three_point_r", None)
    gaps = [name for name in dict.fromkeys(triples["group"]) if name != "all"]
    tops = [("all samples, by base pairs", r2, bins, "mean r²")]
    tops += [("all samples, by the genetic map", r2, cm, "mean r²")] if cm else []
    tops += [("three variants at a time", triples, gaps, "correlation with train")] if gaps else []
    labels = [
        group.removesuffix(f": {bins[0]}") for group in dict.fromkeys(r2["group"]) if group.endswith(f": {bins[0]}")
    ]
    across = min(max(len(labels), 1), 5)
    rows = -(-len(labels) // across)
    with mpl.rc_context(style.STYLE):
        heights = [3.6, 2.1 * rows + 0.3] if rows else [3.6]
        figure = plt.figure(figsize=(max(4.2 * len(tops), 8.5), sum(heights) + 0.6))
        parts = np.atleast_1d(figure.subfigures(len(heights), 1, height_ratios=heights))
        for axis, (title, part, groups, unit) in zip(
            parts[0].subplots(1, len(tops), squeeze=False)[0], tops, strict=True
        ):
            style.lines(axis, part, groups, shades)
            axis.set(title=title, ylabel=unit)
            axis.set_ylim(bottom=min(0, axis.get_ylim()[0]) if unit != "mean r²" else 0)
            axis.tick_params(axis="x", labelrotation=20, labelsize=8)
        if rows:
            _within_labels(parts[1], r2, labels, bins, across, metrics)
        style.legend(figure, metrics)
    return figure


def structure(metrics: pd.DataFrame) -> Figure:
    """Fst between populations, synthetic above and real below the diagonal; distances of samples and of structure."""
    numbers = ours(metrics)
    panels = style.subjects(of(numbers, "fst", None))
    single = present(numbers, STRUCTURE)
    if not panels and not single:
        return style.without(NO_STRUCTURE)
    across = min(4, max(len(panels), 2))
    rows, below = -(-len(panels) // across), 2.3 * -(-len(single) // 4)
    with mpl.rc_context(style.STYLE):
        figure = plt.figure(figsize=(12.5, 3.4 * max(rows, 0.3) + below + 0.6))
        top, bottom = figure.subfigures(2, 1, height_ratios=[3.4 * max(rows, 0.3), max(below, 0.1)])
        if panels:
            _fst(top, panels, across, style.names(metrics))
        else:
            style.blank(top.subplots(), "No Fst between labels was measured: that needs two of them.", 80)
        _numbers(bottom, single, style.colours(metrics))
        style.legend(figure, metrics)
    return figure


def published(metrics: pd.DataFrame) -> Figure:
    """Held-out likelihood, and the literature's numbers (hollow) beside ours; real train's are lines."""
    chosen = (metrics["seed"] != "all") & (metrics["variant"] == "") & (metrics["group"] == "all")
    likelihood = (metrics["metric"] == "heldout_nats") & metrics["protocol"].isin(["ours", "published"])
    numbers = metrics[chosen & (likelihood | (metrics["protocol"] == "published"))]
    measured = [name for name in PUBLISHED if len(of(numbers, name))]
    if not measured:
        return style.without(NO_PUBLISHED)
    shades, titles = style.colours(metrics), style.names(metrics)
    called = [titles.get(one, one[0]) for one in zip(numbers["generator"], numbers["fraction"], strict=True)]
    numbers = numbers.assign(called=called, literature=numbers["generator"].str.endswith(FROM_LITERATURE))
    is_real = numbers["generator"].str.removesuffix(FROM_LITERATURE) == CEILING
    real, others = numbers[is_real], numbers[~is_real]
    order = list(dict.fromkeys([*(name for name in titles.values() if name in called), *others["called"]]))
    with mpl.rc_context(style.STYLE):
        size = (2.4 + 2.3 * len(measured), 1.6 + 0.3 * len(order))
        figure, axes = plt.subplots(1, len(measured), figsize=size, sharey=True, squeeze=False)
        for axis, metric in zip(axes[0], measured, strict=True):
            for one in of(real, metric).itertuples():
                axis.axvline(one.value, color="0.4", linewidth=1, linestyle="--" if one.literature else "-")
            for name, rows in of(others, metric).groupby("called", sort=False):
                one, values, y = rows.iloc[0], list(rows["value"]), order.index(name)
                shade = shades.get((one["generator"], one["fraction"]), "0.35")
                axis.plot(
                    values, [y] * len(rows), marker="o", markersize=6.5, linestyle="", color=shade,
                    markerfacecolor="white" if one["literature"] else shade,
                )  # fmt: skip
                mean = np.mean(values)
                axis.annotate(
                    f"{mean:,.0f}" if mean >= 1000 else f"{mean:.3g}", (max(values), y), xytext=(7, 0),
                    textcoords="offset points", va="center", fontsize=8, color="0.25",
                )  # fmt: skip
            axis.set_xscale("log")
            axis.margins(x=0.1)
            left, right = axis.get_xlim()
            axis.set_xlim(right=right * (right / left) ** 0.3)  # a number has room beside the last point
            axis.set_title(PUBLISHED[metric])
            axis.grid(axis="y", color="0.93")
            _label(axis, *axis.get_xlim())
        axes[0, 0].set_yticks(range(len(order)), order)
        axes[0, 0].set_ylim(len(order) - 0.4, -0.6)
        handles = [plt.Line2D([], [], color="0.35", marker="o", linestyle="", label="this run")]
        handles.append(style.hollow_handle("published"))
        for dashes, source, there in (
            ("-", "this run", ~real["literature"]),
            ("--", "published", real["literature"]),
        ):
            if there.any():
                label = f"real train against real test, {source}"
                handles.append(plt.Line2D([], [], color="0.4", linewidth=1, linestyle=dashes, label=label))
        style.below(figure, handles)
    return figure


def _numbers(figure: FigureBase, metrics: dict[str, pd.DataFrame], shades: dict) -> None:
    """One small panel of points for each of the metrics, by their titles."""
    axes = style.spread(figure, len(metrics), 4) if metrics else []
    for axis, (title, rows) in zip(axes, metrics.items(), strict=True):
        style.points(axis, {"": rows}, shades)
        axis.set_title(title)
        axis.tick_params(axis="x", length=0)


def _label(axis: plt.Axes, left: float, right: float) -> None:
    """Ticks of a logarithmic axis: powers of ten, or round numbers between where there are not two of these."""
    axis.xaxis.set_minor_formatter(mpl.ticker.NullFormatter())
    if np.floor(np.log10(right)) - np.ceil(np.log10(left)) < 1:
        wide = right / left > 5
        axis.xaxis.set_major_locator(mpl.ticker.LogLocator(subs=(1, 2, 5)) if wide else mpl.ticker.MaxNLocator(3))
        axis.xaxis.set_major_formatter(mpl.ticker.ScalarFormatter())


def _within_labels(
    figure: Figure, r2: pd.DataFrame, labels: list[str], bins: list[str], across: int, metrics: pd.DataFrame
) -> None:
    axes = style.spread(figure, len(labels), across, sharex=True, sharey=True)
    for axis, label in zip(axes, labels, strict=True):
        style.lines(axis, r2, [f"{label}: {name}" for name in bins], style.colours(metrics))
        axis.set_title(label)
        axis.set_xticks(range(len(bins)), bins)
        axis.tick_params(axis="x", labelrotation=60, labelsize=7)
    axes[0].set_ylim(bottom=0)  # of all, once all lines are there: a limit that is set is no longer fitted to them
    figure.supylabel("mean r² within the label", fontsize=10)


def _fst(figure: Figure, panels: list, across: int, called: dict) -> None:
    matrices = []
    for subject, part in panels:
        pairs = part.groupby("group", sort=False)[["value", "real"]].mean()
        labels = sorted({label for group in pairs.index for label in group.split(" / ")})
        place = {label: i for i, label in enumerate(labels)}
        matrix = np.full((len(labels), len(labels)), np.nan)
        for group, one in pairs.iterrows():
            i, j = sorted(place[label] for label in group.split(" / "))
            matrix[i, j], matrix[j, i] = one["value"], one["real"]
        matrices.append((called[subject], labels, matrix))
    top = max(np.nanmax(matrix) for _, _, matrix in matrices)
    axes = style.spread(figure, len(panels), across)
    for axis, (name, labels, matrix) in zip(axes, matrices, strict=True):
        image = axis.imshow(matrix, vmin=0, vmax=top, cmap="viridis")
        axis.set_title(name)
        small = {"fontsize": 8 if len(labels) < 9 else 6}
        axis.set_xticks(range(len(labels)), labels, rotation=0 if len(labels) < 5 else 90, **small)
        axis.set_yticks(range(len(labels)), labels, **small)
        axis.tick_params(length=0)
        axis.spines[:].set_visible(False)
        if len(labels) < 6:
            for (i, j), value in np.ndenumerate(matrix):
                if np.isfinite(value):
                    shade = "black" if value > 0.6 * top else "white"
                    axis.text(j, i, f"{value:.3f}", ha="center", va="center", fontsize=8, color=shade)
    figure.colorbar(image, ax=figure.axes, label="Fst: synthetic above,\nreal below the diagonal", shrink=0.7)
