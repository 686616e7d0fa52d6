"""Figures of privacy: nearest neighbours, membership attacks and their power, duplicates and relatives."""

import matplotlib as mpl
import matplotlib.pyplot as plt
import numpy as np
import pandas as pd
from matplotlib.figure import Figure

from syngeno.evaluate import membership as evaluate_membership
from syngeno.evaluate.metrics import of, ours, present
from syngeno.report import style

SHARES = {"duplicate_share": "duplicates", "near_duplicate_share": "near\nduplicates", "high_risk": "risk\nabove .95"}
DEGREES = {"kinship_duplicate": "duplicate\n> .354", "kinship_first": "1st degree\n> .177",
           "kinship_second": "2nd degree\n> .0884"}  # fmt: skip

STRONGEST = "all"  # the group of the strongest attack's rows
# The panels of membership attacks, and where guessing stands.
_PANELS = {
    "Area under the curve": 0.5,
    "True positives at 1 % false positives": evaluate_membership.FALSE_POSITIVES,
    "The same with canaries": evaluate_membership.FALSE_POSITIVES,
}
# The mark of a rate with canaries by the attack's verdict, "o" for any other; a leak has a red edge.
_MARKS = {evaluate_membership.POWERLESS: "X", evaluate_membership.DETECTS_WITHOUT: "D"}
_LEAK = "#c00000"

NO_ATTACKS = "No membership attack was run on these generators."
NO_CANARIES = "No generator was judged with planted canaries, so nothing is known of the attacks' power."
NO_DUPLICATES = "No duplicates were looked for among these samples."
NO_KINSHIP = (
    "Kinship means nothing on so few chromosomes or variants; only the contrast with held-out samples is shown."
)


def aats(metrics: pd.DataFrame) -> Figure:
    """Nearest-neighbour adversarial accuracy and privacy loss, in genotype and in encoder space."""
    terms = {
        "real, against\ntrain": ("aa_truth", "train"),
        "real, against\ntest": ("aa_truth", "test"),
        "synthetic": ("aa_syn", "train"),
    }
    numbers, shades = ours(metrics), style.colours(metrics)
    with mpl.rc_context(style.STYLE):
        figure, axes = plt.subplots(2, 2, figsize=(10, 7), width_ratios=[3, 1.6], squeeze=False)
        groups = {"all": "genotypes", "encoder_space": "encoded samples"}
        for (left, right), (group, space) in zip(axes, groups.items(), strict=True):
            columns = {title: of(numbers, metric, group, against) for title, (metric, against) in terms.items()}
            style.points(left, columns, shades)
            left.axhline(0.5, **style.GUIDE)
            left.set(ylim=(-0.03, 1.03), ylabel="adversarial accuracy", title=f"Distances between {space}")
            saturated = of(numbers, "aa_saturated", group)
            blind = [subject for subject, part in style.subjects(saturated) if (part["value"] > 0).any()]
            style.points(right, {"test - train": of(numbers, "privacy_loss", group)}, shades, blind)
            right.axhline(0, **style.GUIDE)
            right.set(ylabel="privacy loss", title="Privacy loss (0 is ideal)")
        style.legend(figure, metrics, style.hollow_handle("saturated"))
    return figure


def membership(metrics: pd.DataFrame) -> Figure:
    """The accuracy of each attack on each generator, and whether it detects planted canaries: a row per attack."""
    numbers, shades = ours(metrics), style.colours(metrics)
    numbers = numbers[numbers["against"] == ""]  # of all samples
    areas, rates = (of(numbers, metric, None) for metric in ("membership_auc", "membership_tpr_at_1pct"))
    found = set(areas["group"])
    attacks = [name for name in (STRONGEST, *evaluate_membership.ATTACK_NAMES) if name in found]
    if not attacks:
        return style.without(NO_ATTACKS)
    table = evaluate_membership.power(metrics)
    tried = table[table["gain"].notna()]
    places = _places(areas)
    with mpl.rc_context(style.STYLE):
        height = len(attacks) * (0.18 + 0.045 * len(places))
        figure, axes = plt.subplots(1, 3, figsize=(11, 1.4 + height), sharey=True)
        for y, attack in enumerate(attacks):
            _attacked(axes[0], y, of(areas, "membership_auc", attack), places, shades)
            _attacked(axes[1], y, of(rates, "membership_tpr_at_1pct", attack), places, shades)
            _power(axes[2], y, tried[tried["attack"] == attack], places, shades)
        drawn = axes[:2] if tried.empty else axes
        for axis, (title, guess) in zip(drawn, _PANELS.items(), strict=False):
            axis.set_title(title)
            axis.axvline(guess, **style.GUIDE)
            for y in range(1, len(attacks)):
                axis.axhline(y - 0.5, color="0.9", linewidth=0.8, zorder=0)
        for axis in drawn[1:]:
            axis.set(**_rate())
        axes[0].set_yticks(range(len(attacks)), [_name(name) for name in attacks])
        axes[0].set_ylim(len(attacks) - 0.5, -0.5)
        handles = []
        if tried.empty:
            style.blank(axes[2], NO_CANARIES, 34)
        else:
            handles = [
                style.hollow_handle("without canaries"),
                _handle("o", "with canaries"),
                _handle("X", "with canaries, without power here"),
                _handle("D", "leak: found without canaries", markeredgecolor=_LEAK),
            ]
        style.legend(figure, metrics, *handles)
    return figure


def relatives(metrics: pd.DataFrame) -> Figure:
    """Duplicates, near duplicates, samples at high risk, and kinship with training samples beside held-out samples'."""
    numbers, shades = ours(metrics), style.colours(metrics)
    if of(numbers, "duplicate_share").empty:
        return style.without(NO_DUPLICATES)
    with mpl.rc_context(style.STYLE):
        figure, axes = plt.subplots(1, 3, figsize=(12.5, 4.2), width_ratios=[3, 2, 3])
        style.points(axes[0], present(numbers, SHARES), shades)
        axes[0].set(ylabel="share of synthetic samples", title="Duplicates of training samples", ylim=(-0.03, 1.03))
        style.points(axes[1], {"against held-out samples": of(numbers, "kinship_contrast")}, shades)
        axes[1].axhline(0.5, **style.GUIDE)
        axes[1].set(ylim=(-0.03, 1.03), title="P(more kin to train than held-out)")
        degrees = [name for name in DEGREES if len(of(numbers, name))]
        if degrees:
            style.points(axes[2], present(numbers, DEGREES), shades)
            for x, name in enumerate(degrees):
                heldout = of(numbers, name, "heldout")["value"].mean()
                axes[2].plot([x - 0.42, x + 0.42], [heldout, heldout], color="black", linewidth=1.2, linestyle="--")
            axes[2].set(ylabel="share of samples", title="Largest kinship with a training sample", ylim=(-0.03, 1.03))
        else:
            style.blank(axes[2], NO_KINSHIP, 34)
        dashes = plt.Line2D([], [], color="black", linestyle="--", linewidth=1.2, label="held-out samples")
        style.legend(figure, metrics, *([dashes] if degrees else []))
    return figure


def _name(attack: str) -> str:
    return "strongest attack" if attack == STRONGEST else evaluate_membership.ATTACK_NAMES[attack]


def _places(numbers: pd.DataFrame) -> dict[tuple[str, int, str], float]:
    """Where each run stands within a row: seeds of a generator beside each other."""
    runs = [(*subject, seed) for subject, part in style.subjects(numbers) for seed in part["seed"].unique().tolist()]
    reach = min(0.38, 0.13 * (len(runs) - 1))
    return dict(zip(runs, np.linspace(-reach, reach, len(runs)), strict=True))


def _handle(marker: str, label: str, **more: str) -> plt.Line2D:
    return plt.Line2D([], [], color="0.3", marker=marker, linestyle="", label=label, **more)


def _attacked(axis: plt.Axes, y: int, numbers: pd.DataFrame, places: dict, shades: dict) -> None:
    """A row: the envelope as a band, each run as a point with its interval, at its place."""
    if numbers.empty:
        return
    low, high = numbers[["real_low", "real_high"]].mean()
    if np.isfinite(low):
        axis.fill_between([low, high], y - 0.45, y + 0.45, **style.BAND)
    for run, part in numbers.groupby(["generator", "fraction", "seed"], sort=False):
        at = y + places[run]
        axis.errorbar(
            part["value"], [at], xerr=np.array(style.interval(part)), fmt="o", color=shades[run[:2]], markersize=3.5,
            elinewidth=1,
        )  # fmt: skip


def _power(axis: plt.Axes, y: int, tried: pd.DataFrame, places: dict, shades: dict) -> None:
    """A row: the rate without canaries (hollow) and with them, a line between; without power a cross, a leak in red."""
    for one in tried.itertuples():
        run = one.generator, one.fraction, one.seed
        at, shade, marker = y + places[run], shades[run[:2]], _MARKS.get(one.verdict, "o")
        ends = [one.tpr, one.tpr + one.gain]
        bounds = pd.DataFrame({"value": [one.gain], "low": [one.gain_low], "high": [one.gain_high]})
        axis.plot(ends, [at, at], color=shade, linewidth=2, solid_capstyle="butt")
        axis.errorbar(ends[1], at, xerr=np.array(style.interval(bounds)), color=shade, elinewidth=0.8, capsize=1.5)
        axis.plot(ends[0], at, marker="o", color=shade, markerfacecolor="white", markersize=3.5)
        edge = _LEAK if one.leaks else shade
        axis.plot(ends[1], at, marker=marker, color=shade, markeredgecolor=edge, markersize=3.5)


def _rate() -> dict:
    """Settings of an axis for true-positive rates: logarithmic above 1 %, linear below, so that 0 has a place."""
    ticks = [0, 0.01, 0.1, 1]
    return {
        "xscale": mpl.scale.SymmetricalLogScale(None, linthresh=evaluate_membership.FALSE_POSITIVES, linscale=0.6),
        "xlim": (-0.003, 1.3),
        "xticks": ticks,
        "xticklabels": [f"{tick:g}" for tick in ticks],
    }
