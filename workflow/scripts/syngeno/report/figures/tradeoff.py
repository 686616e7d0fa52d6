"""The privacy-utility trade-off, one point per generator and seed. The figure to read first."""

from collections.abc import Mapping

import matplotlib as mpl
import matplotlib.pyplot as plt
import numpy as np
import pandas as pd
from matplotlib.figure import Figure
from matplotlib.transforms import Bbox

from syngeno.evaluate import membership
from syngeno.evaluate.metrics import of, ours
from syngeno.report import style

PRIVACY = {
    "privacy_loss": ("privacy loss  (lower: more private)", 0.0),
    "membership_auc": ("membership AUC, best black-box attack  (lower: more private)", 0.5),
}
NO_ATTACK = "No membership attack was run on these generators."
NO_LOSS = "No privacy loss was measured on these generators."
NOTHING = "No recovery rate was measured (it needs labels that can be learnt), so there is no trade-off to draw."

_AROUND = [(0.8, 0.8), (0.8, -0.8), (-0.8, 0.8), (-0.8, -0.8), (0, 1), (0, -1), (1, 0), (-1, 0)]  # off the bars first


def tradeoff(metrics: pd.DataFrame, kinds: Mapping[str, str], markers: Mapping[str, str]) -> Figure:
    """Recovery rate against privacy loss, and against the best black-box membership attack.

    `kinds` is the kind of each generator, `markers` matplotlib's marker of each kind. The envelope is a box, and what
    could not have shown a leak is hollow: a saturated privacy loss, an attack that misses even planted canaries.
    """
    numbers = ours(metrics)
    if of(numbers, "recovery_rate").empty:
        return style.without(NOTHING)
    shapes = {name: markers[kind] for name, kind in kinds.items()}
    rows = of(numbers, "aa_saturated")
    saturated = {(one.generator, one.fraction) for one in rows[rows["value"] > 0].itertuples()}
    blind = {"privacy_loss": saturated, "membership_auc": membership.undetected(metrics)}
    with mpl.rc_context(style.STYLE):
        figure, axes = plt.subplots(1, 2, figsize=(12, 6.2))
        for axis, (metric, (title, ideal)) in zip(axes, PRIVACY.items(), strict=True):
            joined = _joined(numbers, metric)
            if joined.empty:
                style.blank(axis, NO_ATTACK if metric == "membership_auc" else NO_LOSS)
                continue
            axis.axhline(ideal, **style.GUIDE)
            axis.axvline(1, **style.GUIDE)
            axis.set(xlabel="recovery rate  (higher: more useful)", ylabel=title)
            _box(axis, joined)
            _scatter(axis, joined, style.colours(metrics), shapes, blind[metric])
            axis.margins(0.12)
        style.below(figure, _handles({kind: markers[kind] for kind in markers if kind in kinds.values()}))
        # Where a name has room is known only once the axes have their place and their limits.
        figure.draw_without_rendering()
        for axis, metric in zip(axes, PRIVACY, strict=True):
            _annotate(axis, _joined(numbers, metric), style.colours(metrics), style.names(metrics))
    return figure


def _joined(numbers: pd.DataFrame, metric: str) -> pd.DataFrame:
    """Recovery rate (suffix _x) beside the privacy number (suffix _y), a row per generator, fraction and seed."""
    key = ["generator", "fraction", "seed"]
    shown = [*key, "value", "low", "high", "real_low", "real_high"]
    return of(numbers, "recovery_rate")[shown].merge(of(numbers, metric)[shown], on=key)


def _box(axis: plt.Axes, joined: pd.DataFrame) -> None:
    left, right, low, high = joined[["real_low_x", "real_high_x", "real_low_y", "real_high_y"]].mean()
    if np.isfinite([left, right, low, high]).all():
        axis.fill_between([left, right], low, high, **style.BAND)


def _scatter(
    axis: plt.Axes, joined: pd.DataFrame, shades: Mapping, shapes: Mapping[str, str], blind: set[style.Subject]
) -> None:
    for one in joined.itertuples():
        subject = (one.generator, one.fraction)
        across, up = (style.interval(_way(joined.loc[[one.Index]], way)) for way in "xy")
        axis.errorbar(
            one.value_x, one.value_y, xerr=across, yerr=up, color=shades[subject], elinewidth=1,
            marker=shapes[one.generator], markersize=8, markeredgewidth=1.4,
            markerfacecolor="white" if subject in blind else shades[subject], linestyle="",
        )  # fmt: skip


def _way(joined: pd.DataFrame, way: str) -> pd.DataFrame:
    return pd.DataFrame({name: joined[f"{name}_{way}"] for name in ("value", "low", "high")})


def _annotate(
    axis: plt.Axes, joined: pd.DataFrame, shades: Mapping[style.Subject, str], called: Mapping[style.Subject, str]
) -> None:
    """Write each name once, beside its points, where it covers neither a point nor another name."""
    inside = axis.get_window_extent()
    at = axis.transData.transform(joined[["value_x", "value_y"]].to_numpy())
    taken = [Bbox.from_bounds(x - 8, y - 8, 16, 16) for x, y in at]
    for subject, part in joined.groupby(["generator", "fraction"], sort=False):
        x, y = part["value_x"].mean(), part["value_y"].mean()
        note = axis.annotate(
            called[subject], (x, y), xytext=(0, 0), textcoords="offset points", fontsize=9.5,
            color=_darker(shades[subject]),
            bbox={"facecolor": "white", "alpha": 0.75, "linewidth": 0, "pad": 0.5},
        )  # fmt: skip
        note.set_in_layout(False)
        for radius in (9, 16, 24, 34, 46, 60, 80, 100):
            if any(_fits(note, radius * dx, radius * dy, taken, inside) for dx, dy in _AROUND):
                break
        if radius > 16:  # too far to be read as belonging: a line leads back
            axis.annotate(
                "", (x, y), xytext=note.get_position(), textcoords="offset points",
                arrowprops={"arrowstyle": "-", "color": shades[subject], "linewidth": 0.6, "shrinkB": 5},
            ).set_in_layout(False)  # fmt: skip
        taken.append(note.get_window_extent())


def _darker(shade: str) -> tuple[float, float, float]:
    """The same hue, dark enough to be read as text on white."""
    return tuple(0.7 * part for part in mpl.colors.to_rgb(shade))


def _fits(note: plt.Annotation, dx: float, dy: float, taken: list[Bbox], inside: Bbox) -> bool:
    """Move a name (offset in points) and say whether it has room there."""
    note.set_position((dx, dy))
    note.set_horizontalalignment("left" if dx > 0 else "right" if dx < 0 else "center")
    note.set_verticalalignment("bottom" if dy > 0 else "top" if dy < 0 else "center")
    box = note.get_window_extent()
    whole = box.x0 >= inside.x0 and box.x1 <= inside.x1 and box.y0 >= inside.y0 and box.y1 <= inside.y1
    return whole and not any(box.overlaps(other) for other in taken)


def _handles(markers: Mapping[str, str]) -> list[plt.Artist]:
    handles = [
        plt.Line2D([], [], color="0.3", marker=marker, linestyle="", markersize=8, label=kind)
        for kind, marker in markers.items()
    ]
    band = plt.Rectangle((0, 0), 1, 1, label="real against real", color=style.BAND["color"])
    return [*handles, band, style.hollow_handle("hollow: could not have shown a leak")]
