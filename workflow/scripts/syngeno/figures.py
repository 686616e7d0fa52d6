"""The report's figures: each takes tables or arrays and gives back a matplotlib figure."""

from collections.abc import Mapping
from pathlib import Path

import matplotlib as mpl
import matplotlib.pyplot as plt
import numpy as np
import pandas as pd
from matplotlib.figure import Figure

from syngeno.ld import BINS

# Okabe & Ito (2008): told apart by colour-blind readers too.
COLOURS = ["#0072B2", "#D55E00", "#009E73", "#CC79A7", "#E69F00", "#56B4E9", "#000000"]
BAND = {"color": "0.85", "zorder": 0, "linewidth": 0}

STYLE = {
    "figure.constrained_layout.use": True,
    "font.size": 10,
    "axes.spines.top": False,
    "axes.spines.right": False,
    "axes.titlesize": 10,
    "axes.titlelocation": "left",
    "legend.frameon": False,
    "svg.fonttype": "none",
    "svg.hashsalt": "syngeno",
}


def save(figure: Figure, path: str | Path) -> None:
    """Write a figure; the same figure gives the same file."""
    with mpl.rc_context(STYLE):
        figure.savefig(path, metadata={"Date": None} if str(path).endswith(".svg") else None, dpi=150)
    plt.close(figure)


def aats(metrics: pd.DataFrame) -> Figure:
    """Nearest-neighbour adversarial accuracy and privacy loss, in genotype and in encoder space."""
    terms = [("aa_truth", "train"), ("aa_truth", "test"), ("aa_syn", "train")]
    names = ["real, against\ntrain", "real, against\ntest", "synthetic"]
    colours = _colours(metrics)
    with mpl.rc_context(STYLE):
        figure, axes = plt.subplots(2, 2, figsize=(9.5, 6.5), width_ratios=[3, 1.6], squeeze=False)
        for (left, right), (group, space) in zip(
            axes, [("all", "genotypes"), ("encoder_space", "encoded people")], strict=True
        ):
            numbers = metrics[metrics["group"] == group]
            _points(left, [numbers[_is(numbers, metric, against)] for metric, against in terms], names, colours)
            left.axhline(0.5, color="0.5", linewidth=0.8, linestyle=":")
            left.set(ylim=(-0.03, 1.03), ylabel="adversarial accuracy", title=f"Distances between {space}")
            blind = numbers[_is(numbers, "aa_saturated", "") & (numbers["value"] > 0)]
            _points(right, [numbers[_is(numbers, "privacy_loss", "")]], ["test - train"], colours, blind)
            right.axhline(0, color="0.5", linewidth=0.8, linestyle=":")
            right.set(ylabel="privacy loss", title="Privacy loss (0 is ideal)")
        _legend(figure, metrics)
    return figure


def recovery(metrics: pd.DataFrame) -> Figure:
    """Recovery rate by classifier."""
    numbers = metrics[(metrics["metric"] == "recovery_rate") & (metrics["group"] != "all")]
    classifiers = list(dict.fromkeys(numbers["group"]))
    with mpl.rc_context(STYLE):
        figure, axis = plt.subplots(figsize=(8, 4))
        _points(
            axis,
            [numbers[numbers["group"] == name] for name in classifiers],
            [name.replace("_", "\n") for name in classifiers],
            _colours(metrics),
        )
        axis.axhline(1, color="0.5", linewidth=0.8, linestyle=":")
        axis.set(
            ylabel="recovery rate",
            title="Trained on synthetic / trained on real, tested on held-out real people",
        )
        _legend(figure, metrics)
    return figure


def ld_decay(metrics: pd.DataFrame) -> Figure:
    """Mean r2 by distance, one line per generator, over the band of real people."""
    numbers = metrics[(metrics["metric"] == "ld_r2") & (metrics["seed"] != "all")]
    bins = [name for name in BINS if name in set(numbers["group"])]
    with mpl.rc_context(STYLE):
        figure, axis = plt.subplots(figsize=(8, 4))
        place = {name: i for i, name in enumerate(bins)}
        colours = _colours(metrics)
        for subject, part in _subjects(numbers):
            for _, line in part.groupby("seed", sort=False):
                line = line.set_index("group").reindex(bins)
                axis.plot(range(len(bins)), line["value"], color=colours[subject], marker="o", markersize=4)
        real = numbers.drop_duplicates("group").set_index("group").reindex(bins)
        axis.fill_between([place[name] for name in bins], real["real_low"], real["real_high"], **BAND)
        axis.plot(range(len(bins)), real["real"], color="0.5", linestyle=":", linewidth=1)
        axis.set_xticks(range(len(bins)), bins)
        axis.set(xlabel="distance", ylabel="mean r²", title="Decay of linkage disequilibrium, common variants")
        axis.set_ylim(bottom=0)
        if not bins:
            axis.text(0.5, 0.5, "too few pairs of variants within reach: no linkage to show", ha="center")
        _legend(figure, metrics)
    return figure


def pca(panels: Mapping[str, np.ndarray], labels: Mapping[str, np.ndarray], train: np.ndarray) -> Figure:
    """PC1 and PC2: `panels` name -> coordinates (people, k), `labels` name -> (people,); `train` in grey behind."""
    classes = sorted({one for label in labels.values() for one in label.tolist()})
    colours = dict(zip(classes, mpl.colormaps["turbo"](np.linspace(0.03, 0.95, len(classes))), strict=True))
    with mpl.rc_context(STYLE):
        figure, axes = plt.subplots(
            1, len(panels), figsize=(3.6 * len(panels) + 1.4, 3.9), sharex=True, sharey=True, squeeze=False
        )
        for axis, (name, coordinates) in zip(axes[0], panels.items(), strict=True):
            axis.scatter(*train[:, :2].T, s=3, color="0.85", rasterized=True)
            order = np.random.default_rng(0).permutation(len(coordinates))
            shade = np.array([colours[one] for one in labels[name][order].tolist()])
            axis.scatter(*coordinates[order, :2].T, s=5, c=shade, rasterized=True)
            axis.set(title=f"{name} (n = {len(coordinates)})", xlabel="PC1")
        axes[0, 0].set_ylabel("PC2")
        handles = [plt.Line2D([], [], marker="o", linestyle="", color=colours[one], label=one) for one in classes]
        handles.append(plt.Line2D([], [], marker="o", linestyle="", color="0.85", label="training people"))
        figure.legend(handles=handles, loc="outside right center", ncols=1 + len(classes) // 16, fontsize=8)
    return figure


def allele_frequencies(panels: Mapping[str, np.ndarray], train: np.ndarray) -> Figure:
    """Allele frequencies (variants,) of each panel's people against those of the training people."""
    with mpl.rc_context(STYLE):
        figure, axes = plt.subplots(1, len(panels), figsize=(3.3 * len(panels), 3.6), sharey=True, squeeze=False)
        for axis, (name, frequency) in zip(axes[0], panels.items(), strict=True):
            axis.plot([0, 1], [0, 1], color="0.6", linewidth=0.8)
            axis.scatter(train, frequency, s=3, alpha=0.3, color=COLOURS[0], linewidths=0, rasterized=True)
            axis.set(title=name, xlabel="training people", aspect="equal")
        axes[0, 0].set_ylabel("allele frequency")
    return figure


def ld_blocks(panels: Mapping[str, np.ndarray], train: np.ndarray, where: str) -> Figure:
    """r2 matrices (k, k) of one region: training people below the diagonal, the panel's people above it."""
    with mpl.rc_context(STYLE):
        figure, axes = plt.subplots(1, len(panels), figsize=(3.5 * len(panels) + 0.8, 3.7), squeeze=False)
        for axis, (name, r2) in zip(axes[0], panels.items(), strict=True):
            image = axis.imshow(np.tril(train, -1) + np.triu(r2), vmin=0, vmax=1, cmap="magma_r")
            axis.set(title=name, xticks=[], yticks=[])
        axes[0, 0].set_xlabel(where, fontsize=8)
        figure.colorbar(image, ax=axes[0], label="r²", shrink=0.8)
    return figure


def training(history: pd.DataFrame) -> Figure:
    """Loss on training and validation people by epoch, and the epoch that was kept."""
    with mpl.rc_context(STYLE):
        figure, axis = plt.subplots(figsize=(7, 3.8))
        axis.plot(history["epoch"], history["train_loss"], color=COLOURS[0], label="members")
        axis.plot(history["epoch"], history["validation_loss"], color=COLOURS[1], label="validation people")
        axis.axvline(
            history.loc[history["validation_loss"].idxmin(), "epoch"],
            color="0.5",
            linestyle="--",
            linewidth=1,
        )
        axis.set(xlabel="epoch", ylabel="loss (mean squared error)")
        axis.legend()
    return figure


def _is(numbers: pd.DataFrame, metric: str, against: str) -> pd.Series:
    return (numbers["metric"] == metric) & (numbers["against"] == against)


def _subjects(metrics: pd.DataFrame) -> list[tuple[tuple[str, int], pd.DataFrame]]:
    """((generator, fraction), rows) of what was judged."""
    return list(metrics.groupby(["generator", "fraction"], sort=False))


def _colours(metrics: pd.DataFrame) -> dict[tuple[str, int], str]:
    """One colour for each of `_subjects`, taken from the whole table so that all panels agree."""
    return {subject: COLOURS[i % len(COLOURS)] for i, (subject, _) in enumerate(_subjects(metrics))}


def _points(
    axis: plt.Axes,
    columns: list[pd.DataFrame],
    names: list[str],
    colours: Mapping[tuple[str, int], str],
    blind: pd.DataFrame | None = None,
) -> None:
    """One column per table: the envelope as a band, each subject's seeds as points with intervals.

    Subjects with a row in `blind` are drawn hollow: their number could not have shown anything.
    """
    hollow = set() if blind is None else {(one.generator, one.fraction) for one in blind.itertuples()}
    for x, numbers in enumerate(columns):
        numbers = numbers[numbers["seed"] != "all"]
        if numbers.empty:
            continue
        low, middle, high = numbers[["real_low", "real", "real_high"]].mean()
        if np.isfinite(low):
            axis.fill_between([x - 0.42, x + 0.42], low, high, **BAND)
            axis.plot([x - 0.42, x + 0.42], [middle, middle], color="0.5", linestyle=":", linewidth=1)
        subjects = _subjects(numbers)
        for i, (subject, part) in enumerate(subjects):
            colour = colours[subject]
            spread = np.linspace(-0.04, 0.04, len(part)) if len(part) > 1 else np.zeros(1)
            at = x + (i + 0.5) / len(subjects) * 0.7 - 0.35 + spread
            filled = subject not in hollow
            below, above = part["value"] - part["low"], part["high"] - part["value"]
            axis.errorbar(
                at, part["value"], yerr=[below.fillna(0).clip(lower=0), above.fillna(0).clip(lower=0)],
                fmt="o", color=colour, markersize=5, elinewidth=1.2,
                markerfacecolor=colour if filled else "white",
            )  # fmt: skip
    axis.set_xticks(range(len(names)), names)
    axis.set_xlim(-0.55, len(names) - 0.45)


def _legend(figure: Figure, metrics: pd.DataFrame) -> None:
    """What the colours and the band mean."""
    several = metrics["fraction"].nunique() > 1
    handles = [
        plt.Line2D([], [], color=colour, marker="o", linestyle="", label=f"{name}, {fraction} %" if several else name)
        for (name, fraction), colour in _colours(metrics).items()
    ]
    handles.append(plt.Rectangle((0, 0), 1, 1, label="real against real", color=BAND["color"]))
    figure.legend(handles=handles, loc="outside lower center", ncols=len(handles))
