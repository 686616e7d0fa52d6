"""Figures of utility: classifiers, association, imputation."""

import matplotlib as mpl
import matplotlib.pyplot as plt
import numpy as np
import pandas as pd
from matplotlib.figure import Figure

from syngeno.evaluate.metrics import of, ours, present
from syngeno.report.style import GUIDE, STYLE, blank, colours, legend, lines, names, points, subjects

NO_RECOVERY = "There is no recovery rate: that needs labels that real samples can tell apart."
NO_RECALL = "No recall by label was measured: that needs two labels."
NO_ASSOCIATION = "No association scan was made: that needs two labels."
NO_IMPUTATION = "Nothing was imputed: Beagle is not installed, the cohort has no linkage left, or it was not asked for."


def utility(metrics: pd.DataFrame) -> Figure:
    """Recovery rate by classifier, recall by label, effects of an association scan, imputation by allele frequency."""
    with mpl.rc_context(STYLE):
        figure, axes = plt.subplots(2, 2, figsize=(12, 8.4), width_ratios=[1.15, 1])
        _recovery(axes[0, 0], metrics)
        _recall(figure, axes[0, 1], metrics)
        _association(axes[1, 0], metrics)
        drawn = _imputation(axes[1, 1], metrics)
        panel = plt.Line2D([], [], color="black", linestyle="--", label="training samples as the panel")
        legend(figure, metrics, *([panel] if drawn else []))
    return figure


def _recovery(axis: plt.Axes, metrics: pd.DataFrame) -> None:
    numbers = of(ours(metrics), "recovery_rate", None)
    classifiers = [name for name in dict.fromkeys(numbers["group"]) if name != "all"]
    if not classifiers:
        return blank(axis, NO_RECOVERY)
    rates = {name.replace("_", "\n"): of(numbers, "recovery_rate", name) for name in classifiers}
    points(axis, rates, colours(metrics))
    axis.axhline(1, **GUIDE)
    axis.set(ylabel="recovery rate", title="Accuracy above chance, synthetic / real samples")


def _recall(figure: Figure, axis: plt.Axes, metrics: pd.DataFrame) -> None:
    """Recall of each label after training on synthetic samples, less that after training on real samples."""
    numbers, called = ours(metrics), names(metrics)
    labels = list(dict.fromkeys(of(numbers, "recall", None)["group"]))
    if not labels:
        return blank(axis, NO_RECALL)
    rows = []
    for subject, part in subjects(of(numbers, "recall", None)):
        mine = numbers[(numbers["generator"] == subject[0]) & (numbers["fraction"] == subject[1])]
        real = of(mine, "recall_real", None).groupby("group")["value"].mean()
        rows.append((called[subject], (part.groupby("group")["value"].mean() - real).reindex(labels)))
    image = axis.imshow(np.array([row for _, row in rows]), cmap="RdBu", vmin=-0.5, vmax=0.5, aspect="auto")
    axis.set_yticks(range(len(rows)), [name for name, _ in rows])
    axis.set_xticks(range(len(labels)), labels, rotation=0 if len(labels) < 7 else 60, fontsize=9)
    axis.set_title("Recall by label, less that after training on real samples")
    figure.colorbar(image, ax=axis, extend="both", shrink=0.85)


def _association(axis: plt.Axes, metrics: pd.DataFrame) -> None:
    numbers = ours(metrics)
    terms = {"association_r": "correlation\nof effects", "association_slope": "slope\nof effects"}
    columns = present(numbers, terms)
    if not columns:
        return blank(axis, NO_ASSOCIATION)
    points(axis, columns, colours(metrics))
    axis.axhline(1, **GUIDE)
    axis.set(title="Association scan of the labels, synthetic against training samples")


def _imputation(axis: plt.Axes, metrics: pd.DataFrame) -> bool:
    """Imputation r2 by allele frequency; says whether there was anything to draw."""
    numbers = ours(metrics)
    mine, real = of(numbers, "imputation_r2", None), of(numbers, "imputation_r2_real", None)
    bins = [name for name in dict.fromkeys(mine["group"]) if name != "all"]
    if not bins:
        blank(axis, NO_IMPUTATION)
        return False
    lines(axis, mine, bins, colours(metrics))
    axis.plot(
        range(len(bins)), real.groupby("group")["value"].mean().reindex(bins), color="black", linestyle="--",
        linewidth=1.4, zorder=3,
    )  # fmt: skip
    axis.set_xticks(range(len(bins)), [name.removeprefix("maf ") for name in bins])
    axis.set(xlabel="minor-allele frequency", ylabel="imputation r²", title="Imputing held-out samples", ylim=(0, 1))
    return True
