"""Figures of privacy: nearest neighbours, membership attacks and their power, duplicates and relatives."""

import matplotlib as mpl
import matplotlib.pyplot as plt
import numpy as np
import pandas as pd
from matplotlib.figure import Figure

from syngeno.evaluate import membership as evaluate_membership
from syngeno.evaluate.metrics import of, present
from syngeno.report import style

SHARES = {"duplicate_share": "duplicates", "near_duplicate_share": "near\nduplicates", "high_risk": "risk\nabove .95"}
DEGREES = {"kinship_duplicate": "duplicate\n> .354", "kinship_first": "1st degree\n> .177",
           "kinship_second": "2nd degree\n> .0884"}  # fmt: skip

_SHADES = {evaluate_membership.POWERLESS: "0.65", evaluate_membership.DETECTS_WITHOUT: "#c00000"}

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
    numbers, shades = style.ours(metrics), style.colours(metrics)
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
    """The accuracy of each attack on each generator, and whether it detects planted canaries."""
    numbers, shades = style.ours(metrics), style.colours(metrics)
    found = set(of(numbers, "membership_auc", None)["group"])
    attacks = [name for name in evaluate_membership.ATTACK_NAMES if name in found]
    if not attacks:
        return style.without(NO_ATTACKS)
    table = evaluate_membership.power(metrics)
    tried = table[table["gain"].notna()]
    tried_attacks = [name for name in attacks if name in set(tried["attack"])]
    rows = max(2, tried.groupby(["generator", "fraction", "seed"]).ngroups)
    with mpl.rc_context(style.STYLE):
        figure = plt.figure(figsize=(11, 4 + 0.34 * rows + 0.7))
        above, below = figure.subfigures(2, 1, height_ratios=[4, 0.34 * rows + 0.7])
        left, right = above.subplots(1, 2)
        for axis, metric, guide in (
            (left, "membership_auc", 0.5),
            (right, "membership_tpr_at_1pct", evaluate_membership.FALSE_POSITIVES),
        ):
            titles = {name: evaluate_membership.ATTACK_NAMES[name].replace(" ", "\n") for name in attacks}
            style.points(axis, {title: of(numbers, metric, name) for name, title in titles.items()}, shades)
            axis.axhline(guide, **style.GUIDE)
        left.set_title("Area under the curve")
        right.set(title="True-positive rate at 1 % false positives", **_rate("y"))
        style.legend(above, metrics)
        if tried.empty:
            style.blank(below.subplots(), NO_CANARIES, 80)
        else:
            _power(below, tried, tried_attacks, metrics)
    return figure


def relatives(metrics: pd.DataFrame) -> Figure:
    """Duplicates, near duplicates, samples at high risk, and kinship with training samples beside held-out samples'."""
    numbers, shades = style.ours(metrics), style.colours(metrics)
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


def _power(figure: Figure, tried: pd.DataFrame, attacks: list[str], metrics: pd.DataFrame) -> None:
    """True-positive rate without canaries (hollow) and with them (full); red is a leak, grey is without power."""
    shades, called = style.colours(metrics), style.names(metrics)
    runs = [
        ((*subject, seed), part)
        for subject, of_subject in style.subjects(tried)
        for seed, part in of_subject.groupby("seed", sort=False)
    ]
    several = tried["seed"].nunique() > 1
    axes = figure.subplots(1, len(attacks), sharex=True, sharey=True, squeeze=False)[0]
    for axis, attack in zip(axes, attacks, strict=True):
        for y, ((generator, fraction, _), part) in enumerate(runs):
            for one in part[part["attack"] == attack].itertuples():
                shade = _SHADES.get(one.verdict, shades[generator, fraction])
                ends = [one.tpr, one.tpr + one.gain]
                bounds = pd.DataFrame({"value": [one.gain], "low": [one.gain_low], "high": [one.gain_high]})
                axis.plot(ends, [y, y], color=shade, linewidth=2.5, solid_capstyle="butt")
                axis.errorbar(ends[1], y, xerr=np.array(style.interval(bounds)), color=shade, elinewidth=1, capsize=2.5)
                axis.plot(ends[0], y, marker="o", color=shade, markerfacecolor="white", markersize=6)
                axis.plot(ends[1], y, marker="o", color=shade, markersize=6)
        axis.axvline(evaluate_membership.FALSE_POSITIVES, **style.GUIDE)
        axis.set(title=evaluate_membership.ATTACK_NAMES[attack], **_rate("x"))
    axes[0].set_yticks(
        range(len(runs)),
        [called[name, fraction] + (f", seed {seed}" if several else "") for (name, fraction, seed), _ in runs],
    )
    axes[0].set_ylim(len(runs) - 0.4, -0.6)
    figure.supxlabel(
        "true-positive rate at 1 % false positives: ○ without planted canaries, ● with them "
        "(bar: interval of the difference; grey: without power here; red: leak)",
        fontsize=9,
    )


def _rate(way: str) -> dict:
    """Settings of an axis for true-positive rates: logarithmic above 1 %, linear below, so that 0 has a place."""
    ticks = [0, 0.01, 0.1, 1]
    return {
        f"{way}scale": mpl.scale.SymmetricalLogScale(None, linthresh=evaluate_membership.FALSE_POSITIVES, linscale=0.6),
        f"{way}lim": (-0.003, 1.3),
        f"{way}ticks": ticks,
        f"{way}ticklabels": [f"{tick:g}" for tick in ticks],
    }
