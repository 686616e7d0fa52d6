"""The report's chapter on variants of a generator: one figure, one table, each number beside its envelope."""

from collections.abc import Mapping, Sequence

import matplotlib as mpl
import matplotlib.pyplot as plt
import numpy as np
import pandas as pd
from matplotlib.figure import Figure
from matplotlib.ticker import MaxNLocator

from syngeno.evaluate import published
from syngeno.evaluate.membership import DENOISING
from syngeno.evaluate.metrics import of
from syngeno.report import html, style
from syngeno.stats.diversity import MAF_BINS

RARE = next(iter(MAF_BINS))
# Metric, group, against, protocol, and its title.
Column = tuple[str, str, str, str, str]
COLUMNS: tuple[Column, ...] = (
    ("wasserstein_pc1_6", "all", "test", published.PROTOCOL, "Wasserstein PC1-6\n(published protocol)"),
    ("distance_between_w1", "all", "test", published.PROTOCOL, "Distances to test\n(published protocol)"),
    ("heldout_nats", "all", "test", "ours", "Held-out nats\nper sequence"),
    ("heterozygosity", "all", "", "ours", "Heterozygosity"),
    ("ld_r", "all", "train", "ours", "LD r"),
    ("imputation_ratio", "all", "test", "ours", "Imputation r²,\nover a real panel's"),
    ("imputation_ratio", RARE, "test", "ours", f"The same,\n{RARE}"),
    ("recovery_rate", "all", "test", "ours", "Recovery rate"),
    ("aa_truth", "all", "test", "ours", "AA truth,\ntest"),
    ("privacy_loss", "all", "", "ours", "Privacy loss"),
    ("membership_auc", "all", "", "ours", "Membership AUC,\nbest black-box attack"),
    ("membership_auc", DENOISING, "", "ours", "Membership AUC,\nby the model itself"),
)
CEILING = "real train (published)"


def figure(metrics: pd.DataFrame, variants: Mapping[str, Sequence[str]]) -> Figure:
    """A row for each variant, under the title of what is varied; a panel for each metric.

    Points are seeds with 95 % intervals, bands the real-vs-real envelopes; by the published protocol, the line is what
    real training samples give.
    """
    columns, rows = _known(metrics, variants), _rows(variants)
    if not columns:
        return style.without("None of the variants has a number to be compared by.")
    with mpl.rc_context(style.STYLE):
        size = 2.1 + 1.45 * len(columns), 1.3 + 0.27 * len(rows)
        drawn, axes = plt.subplots(1, len(columns), figsize=size, sharey=True, squeeze=False)
        for axis, column in zip(axes.flat, columns, strict=True):
            _panel(axis, metrics, column, rows)
        axes[0, 0].set_yticks(range(len(rows)), [name or title for title, name in rows])
        axes[0, 0].set_ylim(len(rows) - 0.4, -0.6)
        for label, (_, name) in zip(axes[0, 0].get_yticklabels(), rows, strict=True):
            label.set_fontweight("normal" if name else "bold")
    return drawn


def page(metrics: pd.DataFrame, variants: Mapping[str, Sequence[str]]) -> str:
    """The same numbers as a table."""
    columns = _known(metrics, variants)
    lines = [html.Line("real against real", [_real(metrics, column) for column in columns], "real")]
    for title, name in _rows(variants):
        cells = [_cell(metrics, column, name) if name else html.Cell() for column in columns]
        lines.append(html.Line(name or title, cells, "" if name else "real"))
    titles = [title.replace("\n", " ") for *_, title in columns]
    return html.page("ablation", table=html.Table(["", *titles], lines))


def _rows(variants: Mapping[str, Sequence[str]]) -> list[tuple[str, str]]:
    """(title, "") for each of what is varied, (title, generator) for each variant."""
    return [(title, name) for title, names in variants.items() for name in ("", *names)]


def _known(metrics: pd.DataFrame, variants: Mapping[str, Sequence[str]]) -> list[Column]:
    named = {name for names in variants.values() for name in names}
    return [column for column in COLUMNS if named & set(_of(metrics, column)["generator"])]


def _of(metrics: pd.DataFrame, column: Column, name: str | None = None) -> pd.DataFrame:
    """The rows of a column, of one generator or of all: seed by seed, at its largest fraction."""
    *number, protocol, _ = column
    found = of(metrics, *number)
    found = found[(found["protocol"] == protocol) & (found["variant"] == "") & (found["seed"] != "all")]
    if name is None:
        return found
    found = found[found["generator"] == name]
    return found[found["fraction"] == found["fraction"].max()]


def _band(metrics: pd.DataFrame, column: Column) -> tuple[float, float, float]:
    """Low, middle and high of real samples; by the published protocol one value."""
    if column[3] == published.PROTOCOL:
        ceiling = _of(metrics, column)
        ceiling = ceiling.loc[ceiling["generator"] == CEILING, "value"]
        value = ceiling.iloc[0] if len(ceiling) else np.nan
        return value, value, value
    known = _of(metrics, column).dropna(subset=["real"])
    return tuple(known[["real_low", "real", "real_high"]].iloc[0]) if len(known) else (np.nan,) * 3


def _panel(axis: plt.Axes, metrics: pd.DataFrame, column: Column, rows: list[tuple[str, str]]) -> None:
    low, middle, high = _band(metrics, column)
    if np.isfinite(low) and low < high:
        axis.axvspan(low, high, **style.BAND)
    if np.isfinite(middle):
        axis.axvline(middle, **style.GUIDE)
    for at, (_, name) in enumerate(rows):
        if not name:
            continue
        axis.axhline(at, color="0.93", linewidth=0.6, zorder=0.2)
        part = _of(metrics, column, name)
        spread = np.linspace(-0.15, 0.15, len(part)) if len(part) > 1 else np.zeros(len(part))
        axis.errorbar(
            part["value"], at + spread, xerr=style.interval(part), fmt="o", color=style.COLOURS[0], markersize=4,
            elinewidth=1.1,
        )  # fmt: skip
    axis.set_title(column[4], fontsize=8)
    axis.tick_params(axis="both", labelsize=8)
    axis.tick_params(axis="y", length=0)
    axis.xaxis.set_major_locator(MaxNLocator(3))


def _real(metrics: pd.DataFrame, column: Column) -> html.Cell:
    low, middle, high = _band(metrics, column)
    if not np.isfinite(middle):
        return html.Cell()
    return html.number(middle, low, high) if low < high else html.Cell(html.short(middle))


def _cell(metrics: pd.DataFrame, column: Column, name: str) -> html.Cell:
    part = _of(metrics, column, name)
    if part.empty:
        return html.Cell()
    value, low, high = part["value"].mean(), part["low"].iloc[0], part["high"].iloc[0]
    real_low, _, real_high = _band(metrics, column)
    mark = html.outside(value, real_low, real_high) if real_low < real_high else ""
    return html.number(value, low, high, mark)
