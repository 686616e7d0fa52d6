"""Verdicts on a generator by simple rules: one light each for faithful, useful and private.

A number is held against its real-vs-real envelope, on the side where it would be worse: better than real samples is
never a fault. Green lies within the envelope or on its good side, amber is worse than the envelope, red is worse than
the rule's limit as well. The worst number decides, and of several seeds the worst.
"""

from collections.abc import Iterator
from typing import NamedTuple

import numpy as np
import pandas as pd

from syngeno.evaluate import membership
from syngeno.evaluate.metrics import HIGH_IS_GOOD, LOW_IS_GOOD, of
from syngeno.report import html


class Level(NamedTuple):
    """How a light shines: the class of its style, and the symbol that tells it without colour."""

    style: str
    symbol: str


GOOD, FAIR, BAD, UNKNOWN = Level("good", "✓"), Level("fair", "!"), Level("bad", "✗"), Level("unknown", "?")

FAITHFUL, USEFUL, PRIVATE = "Faithful", "Useful", "Private"
WORDS = {
    FAITHFUL: {GOOD: "yes", FAIR: "in part", BAD: "no", UNKNOWN: "cannot tell"},
    USEFUL: {GOOD: "yes", FAIR: "in part", BAD: "no", UNKNOWN: "cannot tell"},
    PRIVATE: {GOOD: "no leak found", FAIR: "may leak", BAD: "leaks", UNKNOWN: "cannot tell"},
}


class Rule(NamedTuple):
    """A number that a light asks for, and when it is red: past `limit`, or past so many `times` the envelope's end.

    Where neither is given, a rate is red if the attack `recognises` training samples (see `membership.power`).
    """

    light: str
    metric: str
    group: str
    against: str
    words: str
    limit: float | None = None
    times: float | None = None


RULES = (
    Rule(FAITHFUL, "allele_frequency_r", "all", "test", "Correlation of allele frequencies", limit=0.95),
    Rule(FAITHFUL, "ld_r", "all", "train", "Correlation of LD", limit=0.8),
    Rule(FAITHFUL, "ld_r", "within_labels", "train", "Correlation of LD within labels", limit=0.8),
    Rule(FAITHFUL, "wasserstein_pc1_6", "all", "test", "Wasserstein distance on PC1-6", times=2),
    Rule(FAITHFUL, "fst_difference", "all", "train", "Difference of Fst between labels", times=2),
    Rule(USEFUL, "recovery_rate", "all", "test", "Recovery rate of classifiers", limit=0.8),
    Rule(USEFUL, "association_lambda_ratio", "trait", "train", "Inflation of the trait's association scan", limit=1.5),
    Rule(PRIVATE, "membership_auc", "all", "", "AUC of the strongest attack", limit=membership.FAR),
    Rule(PRIVATE, "membership_tpr_at_1pct", "all", "", "Training samples found at 1 % false positives"),
    Rule(PRIVATE, "duplicate_share", "all", "train", "Duplicates of training samples", times=1),
    Rule(PRIVATE, "near_duplicate_share", "all", "train", "Near duplicates", times=1),
    Rule(PRIVATE, "privacy_loss", "all", "", "Privacy loss", limit=0.25),
)
WIDE = ", too wide to tell"
NOT_MEASURED = ("not measured", "")
UNLEARNT = "the label cannot be learnt"
FEW = "too few splits for an envelope"
ATTACKS = {"membership_auc", "membership_tpr_at_1pct"}


class Finding(NamedTuple):
    """What one rule found: its level and words, the number with its interval, and the envelope or what to say of it."""

    level: Level
    words: str
    value: str
    beside: str
    metric: str


class Light(NamedTuple):
    """A verdict: what is judged, its level and word, and the findings behind it, the worst first.

    `powerless` says of the private light that attacks were tried, and that none would have noticed planted copies.
    """

    title: str
    level: Level
    word: str
    findings: list[Finding]
    powerless: bool


def marked(row: pd.Series) -> tuple[str, str]:
    """The mark of a number outside its envelope, and the class of its style: red only where it is worse, not better."""
    mark = html.outside(row["value"], row["real_low"], row["real_high"])
    good = html.ABOVE if row["metric"] in HIGH_IS_GOOD else html.BELOW if row["metric"] in LOW_IS_GOOD else ""
    return mark, "outside" if mark and mark != good else ""


def lights(metrics: pd.DataFrame) -> list[Light]:
    """The three lights of one generator at one fraction, by its rows of the metrics table, planted canaries too."""
    own = metrics[(metrics["protocol"] == "ours") & (metrics["variant"] == "") & (metrics["seed"] != "all")]
    attacks = black_box(membership.power(metrics))
    blind = bool(membership.undetected(metrics))
    # Only few cohorts have a trait, and only generators that learnt it have its scan.
    asked = [rule for rule in RULES if rule.group != "trait" or len(of(own, rule.metric, rule.group))]
    found = {
        title: sorted((_finding(rule, own, attacks) for rule in asked if rule.light == title), key=_severity)
        for title in WORDS
    }
    return [_light(title, findings, blind) for title, findings in found.items()]


def black_box(attacks: pd.DataFrame) -> pd.DataFrame:
    """The attacks that have the synthetic samples only, as the reader of a release does."""
    return attacks[attacks["attack"] != membership.DENOISING]


def rules() -> Iterator[tuple[Rule, str, str]]:
    """Each rule with what it asks for in words: which way is good, and when it is red."""
    for rule in RULES:
        way, past = ("more", "below") if rule.metric in HIGH_IS_GOOD else ("less", "above")
        if rule.limit is not None:
            red = f"{past} {rule.limit:g}"
        elif rule.times is not None:
            red = f"{past} {rule.times:g} times the envelope's end" if rule.times != 1 else f"{past} the envelope"
        else:
            red = "its interval lies above 1 %, and it is above what any attack finds among real samples"
        yield rule, way, red


def _light(title: str, findings: list[Finding], blind: bool) -> Light:
    levels = [one.level for one in findings]
    worst = next((level for level in (BAD, FAIR) if level in levels), None)
    attacked = not any(one.metric in ATTACKS and one.level is UNKNOWN for one in findings)
    unlearnt = any(one.value == UNLEARNT for one in findings)
    if worst is None:
        silent = unlearnt or (title == PRIVATE and (blind or not attacked))
        worst = UNKNOWN if silent or GOOD not in levels else GOOD
    word = WORDS[title][worst]
    powerless = title == PRIVATE and attacked and blind
    if worst is UNKNOWN and powerless:
        word += ": the attacks are without power here"
    if worst is UNKNOWN and unlearnt:
        word += f": {UNLEARNT}"
    return Light(title, worst, word, findings, powerless)


def _severity(finding: Finding) -> int:
    return [BAD, FAIR, GOOD, UNKNOWN].index(finding.level)


def _finding(rule: Rule, own: pd.DataFrame, attacks: pd.DataFrame) -> Finding:
    if rule.limit is None and rule.times is None:
        return _rate(rule, attacks)
    rows = of(own, rule.metric, rule.group, rule.against).dropna(subset=["value"])
    if rule.metric == "privacy_loss":
        saturated = of(own, "aa_saturated")
        seeds = saturated.loc[saturated["value"] > 0, "seed"]
        rows = rows[~rows["seed"].isin(seeds)]
        if rows.empty and len(seeds):
            return Finding(UNKNOWN, rule.words, "saturated", "says nothing here", rule.metric)
    if rows.empty:
        value, beside = _unlearnt(own) if rule.metric == "recovery_rate" else NOT_MEASURED
        return Finding(UNKNOWN, rule.words, value, beside, rule.metric)
    row = rows.loc[rows["value"].idxmin() if rule.metric in HIGH_IS_GOOD else rows["value"].idxmax()]
    level, (value, beside) = _level(rule, row), _texts(row)
    wide = WIDE if level is UNKNOWN and np.isfinite(row["real_high"]) else ""
    return Finding(level, rule.words, value, beside + wide, rule.metric)


def _unlearnt(own: pd.DataFrame) -> tuple[str, str]:
    """What to say where there is no recovery rate: real samples do not beat chance, or nothing was measured."""
    real, chance = (of(own, f"accuracy_{what}", against="test")["value"].mean() for what in ("real", "chance"))
    if np.isnan(chance):
        return NOT_MEASURED
    return UNLEARNT, f"accuracy of real samples {html.short(real, 3)}, of a constant guess {html.short(chance, 3)}"


def _level(rule: Rule, row: pd.Series) -> Level:
    """Red past limit and envelope, amber past the envelope, green else; unknown where the envelope does not tell.

    That is, where there is none, or one so wide that it holds what is past the limit.
    """
    low, high = row["real_low"], row["real_high"]
    sign, end = (-1, low) if rule.metric in HIGH_IS_GOOD else (1, high)
    past = sign * row["value"] > sign * (rule.limit if rule.limit is not None else rule.times * end)
    _, worse = marked(row)
    if past and (worse or np.isnan(end)):
        return BAD
    doubtful = past and sign * row["value"] > sign * row["real"]
    return FAIR if worse else UNKNOWN if np.isnan(end) or doubtful else GOOD


def _rate(rule: Rule, attacks: pd.DataFrame) -> Finding:
    """The attack that finds most training samples, or one that recognises them where another finds more by chance."""
    attacks = attacks.dropna(subset=["tpr"])
    if attacks.empty:
        return Finding(UNKNOWN, rule.words, *NOT_MEASURED, rule.metric)
    row = attacks.sort_values(["recognises", "tpr"]).iloc[-1]
    level = BAD if row["recognises"] else FAIR if row["tpr"] > row["ceiling"] else GOOD
    if level is GOOD and np.isnan(row["ceiling"]):
        level = UNKNOWN
    values = {"value": row["tpr"], "low": row["tpr_low"], "high": row["tpr_high"]}
    shown = pd.Series(values | {"real": np.nan, "real_low": np.nan, "real_high": row["ceiling"]})
    return Finding(level, f"{rule.words} ({membership.ATTACK_NAMES[row['attack']]})", *_texts(shown), rule.metric)


def _texts(row: pd.Series) -> tuple[str, str]:
    """The number with its interval, and the envelope, with the digits that the interval (or the envelope) allows."""
    own, real = (row["low"], row["high"]), (row["real_low"], row["real_high"])
    value, low, high = (html.fixed(one, own, real) for one in (row["value"], *own))
    real_low, real_high = (html.fixed(one, real, own) for one in real)
    if low != high:
        value += f" ({low} to {high})"
    if np.isnan(real[1]):
        return value, FEW if np.isfinite(row["real"]) else "no envelope"
    if np.isnan(real[0]):
        return value, f"real samples: at most {real_high}"
    return value, f"real samples: {real_low}" + (f" to {real_high}" if real_low != real_high else "")
