"""The sections of the officer's page that tell what was found (see `officer`), in words for whoever is no expert."""

import re
from collections.abc import Mapping, Sequence
from typing import NamedTuple

import numpy as np
import pandas as pd

from syngeno.evaluate import membership
from syngeno.evaluate.metrics import of
from syngeno.evaluate.risk import HIGH_RISK
from syngeno.report import html, landing, scorecard, verdicts
from syngeno.report.verdicts import BAD, FAIR, GOOD, UNKNOWN

NOT_MEASURED = "not measured"
THRESHOLD = 0.09  # of the European Medicines Agency (policy 0070) and of Health Canada

# Of each attack: what the attacker does, and needs beside the person's genotypes.
RELEASE, OTHERS = "Needs the release.", "Needs the release and genotypes of similar people."
ATTACKS = {
    "distance": ("Looks for the synthetic individual that is most like the person.", RELEASE),
    "distance_ratio": ("Looks whether one synthetic individual is far more like the person than any other.", RELEASE),
    "density_ratio": ("Asks whether the person has closer doubles in the release than among other people.", OTHERS),
    "frequency_ratio": ("Asks whether the person's variants are more common in the release than elsewhere.", OTHERS),
    "run_length": ("Looks for long stretches of DNA that the person shares with a synthetic individual.", OTHERS),
    "windows": ("Looks for close matches in one short piece of the genome after the other.", OTHERS),
    "windows_cm": ("The same, with pieces of equal genetic length.", OTHERS),
    "painting": ("Asks, stretch by stretch, whose DNA the synthetic individuals resemble most.", OTHERS),
    "likelihood": ("Asks whether synthetic individuals piece the person together better than other people.", OTHERS),
    membership.DENOISING: ("Asks the fitted model how well it knows the person.", "Needs the file of the model."),
}
POWER = {
    membership.POWERLESS: "No: it misses even planted individuals. A low number here does not reassure.",
    membership.UNTRIED: "Not tried with planted individuals, so its power is not known.",
}
FOUND = {
    membership.DETECTS_WITHOUT: "This is a leak.",
    membership.HINTS: "Better than guessing, but sure of no one.",
}


CARRIERS = ("1-2 carriers", "3-5 carriers", "6-20 carriers")  # training haplotypes with a variant that is guessed


class Question(NamedTuple):
    """One of the three questions of Giomi et al. (2023): its name, what its metrics begin with, and what it asks.

    `groups` are those of its rows that should be there, `naive` how often a guess without the release is right where
    no row says it.
    """

    name: str
    metric: str
    asks: str
    groups: tuple[str, ...] = ()
    naive: str = NOT_MEASURED


QUESTIONS = (
    Question("Singling out", "singling_out", "can a description be read off the release that fits one person only?"),
    Question("Linkability", "linkability", "does the release tell that two parts of a genome are one person's?"),
    Question(
        "Inference",
        "inference",
        "does the release tell whether a person carries a rare variant?",
        CARRIERS,
        "50, by design",
    ),
)
RUNS = ("median", "99 %", "largest")
FEW_CARRIERS = 5  # training individuals who share a private stretch are fewer


class Section(NamedTuple):
    """A chapter: its title, paragraphs, and lines of cells under column titles; of points, the name and one cell."""

    title: str
    said: list[str]
    lines: Sequence[html.Line] = ()
    head: Sequence[str] = ()


class Warned(NamedTuple):
    """What makes the verdict worse than the private light, or is missing in it."""

    reasons: list[tuple[verdicts.Level, str]]
    missing: list[str]


def advantage(tpr: float, fpr: float = membership.FALSE_POSITIVES) -> float:
    """How much surer than by guessing: (TPR - FPR) / (1 - FPR); 0 is guessing, 1 is certainty."""
    return (tpr - fpr) / (1 - fpr)


def attacks_section(
    run: pd.DataFrame,
    attacks: pd.DataFrame,
    samples: pd.DataFrame,
    relatives: pd.DataFrame,
    looked_for: str,
    warned: Warned,
) -> Section:
    """Which attacks were tried with which power, and what they found; `attacks` are those of `membership.power`."""
    tested = int((samples["split"] == "test").sum())
    said = [
        "Each attacker has a person's genotypes from elsewhere and asks: were this person's data used? The attack is "
        f"tried on training individuals and on {tested:,} held-out individuals, others of the same cohort whose data "
        "were not used. An attack that guesses names 1 of 100 training individuals while wrongly accusing 1 of 100 "
        "others, and has an AUC of 0.5; one that is always right has an AUC of 1 (AUC: how "
        "often a training individual looks more suspicious than another). Brackets hold 95 % intervals.",
        "To see whether an attack could have noticed a leak, real individuals were planted among the synthetic ones, "
        "whole and as patchworks of two, and the attack was repeated.",
        *_relatives(relatives, looked_for),
    ]
    if tested * membership.FALSE_POSITIVES < 1:
        said.append(f"With {tested} held-out individuals, 1 of 100 means that none of them is accused.")
    if attacks.empty:
        warned.missing.append("whether a person's data were used (membership attacks)")
        return Section("Attacks that were tried", [*said, f"Attacks: {NOT_MEASURED}."])
    kinds = {attack: _noticed(run, attack) for attack in attacks["attack"]}
    order = {attack: place for place, attack in enumerate(ATTACKS)}
    lines = []
    for one in sorted(attacks.itertuples(), key=lambda one: order[one.attack]):
        does, needs = ATTACKS[one.attack]
        power = POWER.get(one.verdict) or _noticing(kinds[one.attack], one.gain)
        if one.leaks and not kinds[one.attack]:
            power = "It recognises training individuals even where none is planted."
        if one.attack == membership.DENOISING:
            power = "Cannot be tried: individuals are planted after the fit."
        found = (
            f"Of 100 individuals whose data were used it names {_hundred(one.tpr, one.tpr_low, one.tpr_high)} while "
            f"wrongly accusing 1 of 100 others. AUC {_number(one.auc, one.auc_low, one.auc_high)}."
        )
        verdict = FOUND[membership.HINTS] if _better_than_guessing(one) else FOUND.get(one.verdict, "")
        if one.attack == membership.DENOISING:
            verdict = "Never hand out the model."
        cells = [f"{does} {needs}", power, f"{found} {verdict}".strip()]
        lines.append(html.Line(capital(membership.ATTACK_NAMES[one.attack]), [html.Cell(text) for text in cells]))
    black_box = verdicts.black_box(attacks)
    hints = np.array([_better_than_guessing(one) for one in black_box.itertuples()], dtype=bool)
    for level, chosen, what in ((BAD, black_box["leaks"], "A leak"), (FAIR, hints, "Better than guessing")):
        if names := [membership.ATTACK_NAMES[attack] for attack in black_box.loc[chosen, "attack"]]:
            warned.reasons.append((level, f"{what}, by the attacks below: {', '.join(names)}."))
    head = ["Attack", "What the attacker does and needs", "Could it have noticed a leak?", "What it found"]
    return Section("Attacks that were tried", said, lines, head)


def _better_than_guessing(attack: object) -> bool:
    """Whether an attack that is no leak has an area surely above .5, and above that of any attack on real samples.

    Its verdict says so only where it does not detect canaries either.
    """
    return not attack.leaks and attack.auc_low > 0.5 and not attack.auc_low <= attack.auc_ceiling


def _relatives(relatives: pd.DataFrame, looked_for: str) -> list[str]:
    """What is known of relatives of training individuals among the others."""
    better = "privacy then looks better than it is"
    if looked_for == "nothing":
        return [
            "Relatives could not be looked for. If held-out individuals have relatives among the training individuals, "
            f"{better}."
        ]
    pairs = len(landing.across_split(relatives))
    how = "Relatives (second degree or closer) were looked for"
    if looked_for != "kinship":
        how += f" by {' and '.join(landing.WAYS[way] for way in looked_for.split(' and '))} only"
    if not pairs:
        if looked_for == "genotypes":
            how = "Relatives were looked for by identical genotypes only (one person twice, or identical twins)"
            more = f" If there are parents, children or others of one family, {better}."
        else:
            more = ""
        return [f"{how}; no pair was found of a training individual and one who is not.{more}"]
    found = some(pairs, "pair was", "pairs were")
    return [f"{how}; {found} found of a training individual and one who is not: {better}."]


def _noticed(run: pd.DataFrame, attack: str) -> list[str]:
    """The kinds of planted individuals by which an attack gains."""
    gains = of(run, "membership_tpr_gain", attack)
    return [kind.partition(", ")[2] or "whole" for kind in gains.loc[gains["low"] > 0, "variant"]]


def _noticing(kinds: list[str], gain: float) -> str:
    if not kinds:
        return POWER[membership.UNTRIED] if np.isnan(gain) else "It does not notice planted individuals."
    whole = ["whole individuals"] if "whole" in kinds else []
    pieces = [kind.removeprefix("pieces of ").removesuffix(" cM") for kind in kinds if kind != "whole"]
    mosaics = [f"patchworks of two in pieces of {_listed(pieces)} cM (genetic length)"] if pieces else []
    return f"Yes: it notices {_listed([*whole, *mosaics])}."


def threshold_section(attacks: pd.DataFrame, warned: Warned) -> Section:
    """The largest advantage of these attacks beside `THRESHOLD`."""
    title = "Beside a threshold of regulators"
    attacks = verdicts.black_box(attacks).dropna(subset=["tpr"])
    meaning = (
        "The European Medicines Agency (policy 0070) and Health Canada accept a risk of re-identification of at most "
        f"{THRESHOLD:g} in clinical data that are published. Only sizes are compared: their risk is the probability "
        "that a record is traced to its person; ours is the share of training individuals, beyond guessing, whom "
        "somebody who already has their genotypes names rightly. Who is named may still be wrongly accused. No "
        "authority has said that this number decides on synthetic genomes, and it is an average: some individuals are "
        "at a higher risk."
    )
    if attacks.empty:
        warned.missing.append("the largest advantage over guessing")
        return Section(title, [f"Largest advantage over guessing: {NOT_MEASURED}.", meaning])
    worst = attacks.loc[attacks["tpr"].idxmax()]
    value, low, bound = advantage(worst["tpr"]), advantage(worst["tpr_low"]), advantage(attacks["tpr_high"].max())
    digits = (low, bound)
    text = html.fixed(value, digits)
    highest = "highest upper bound of any attack"
    upper = f"{highest} {html.fixed(bound, digits)}" if np.isfinite(bound) else "without an upper bound"
    if value > THRESHOLD:
        level = BAD if low > THRESHOLD else FAIR
        beside = f"That is above the threshold of {THRESHOLD:g}."
    elif bound <= THRESHOLD:
        level, beside = GOOD, f"That, with its bound, does not exceed the threshold of {THRESHOLD:g}."
        beside += " This does not change the verdict above."
    else:
        level, beside = UNKNOWN, f"The bound does not rule out that it exceeds the threshold of {THRESHOLD:g}."
    if level is not GOOD:
        warned.reasons.append((level, f"The largest advantage over guessing is {text}, {upper}. {beside}"))
    found = (
        f"Largest advantage over guessing of {some(len(attacks), 'attack')} on the release: {text} "
        f"(attack: {membership.ATTACK_NAMES[worst['attack']]}), {upper}. It is (TPR - FPR) / (1 - FPR), with TPR the "
        "share of training individuals who are named and FPR the share of others who are wrongly accused, 1 %; 0 is "
        f"guessing, 1 is certainty. {beside}"
    )
    return Section(title, [found, meaning])


def weakest_section(own: pd.DataFrame, samples: pd.DataFrame, labels: list[str], warned: Warned) -> Section:
    """The label that an attack goes farthest in, the most isolated individuals, and labels that are too small."""
    areas = of(own, "membership_auc", None)
    areas = areas[areas["group"].isin(set(ATTACKS) - {membership.DENOISING})].dropna(subset=["value"])
    by_label = areas[areas["against"].isin(labels)]
    lines = {}
    for name, rows, few in (
        ("Label at the highest risk", by_label, "The highest of several is partly chance."),
        ("Most unusual individuals", areas[areas["against"] == membership.MOST_ISOLATED], ""),
    ):
        if rows.empty:
            lines[name] = f"{capital(NOT_MEASURED)}."
            warned.missing.append(name[0].lower() + name[1:])
            continue
        row = rows.loc[rows["value"].idxmax()]
        who = row["against"] if rows is by_label else "the 5 % of individuals who are least like anyone else"
        of_several = f", the highest of {rows['against'].nunique()} labels" if rows is by_label else ""
        who_first = who if rows is by_label else capital(who)
        lines[name] = (
            f"{who_first} ({row['n']:,} training individuals): AUC {_shown(row)} (attack: "
            f"{membership.ATTACK_NAMES[row['group']]}){of_several}. {few}"
        ).strip()
        # Of a small label an area is high by chance: that of a larger one may be lower, and sure.
        far = rows[(rows["low"] > membership.FAR) & ~(rows["value"] <= rows["real_high"])]
        if len(far):
            surest = far.loc[far["low"].idxmax()]
            who = surest["against"] if rows is by_label else who
            warned.reasons.append((FAIR, f"{name}: {who}, AUC {_shown(surest)}."))
    lacking = [name for name in labels if name not in set(by_label["against"])]
    if lacking and len(by_label):
        lines["Labels too small to be judged"] = f"{_names(lacking)}."
    if few := landing.few_labels(samples):
        lines["Labels of few held-out individuals"] = (
            f"{_names(few)}: fewer than {landing.FEW}. Numbers of these labels say little."
        )
    return Section("Who is at the highest risk", [], points(lines))


def questions_section(own: pd.DataFrame, warned: Warned) -> Section:
    """Singling out, linkability and inference: how often attempts are right, and the risk."""
    lines = [_answer(own, question, group, warned) for question in QUESTIONS for group in _groups(own, question)]
    said = [
        " ".join(f"{question.name}: {question.asks}" for question in QUESTIONS),
        "Attempts with the release are made on training individuals (main) and on held-out individuals (control), and "
        "others without it (naive); the numbers are how many of 100 attempts are right. The risk is what is left above "
        "the control: (main - control) / (1 - control), "
        "after Giomi et al. (2023); 0 is none, 1 is certainty.",
    ]
    head = ["Right of 100 attempts", "Main", "Control", "Naive", "Risk"]
    return Section("Singling out, linkability, inference", said, lines, head)


def _groups(own: pd.DataFrame, question: Question) -> list[str]:
    """The groups of which there are rows, or should be some."""
    rows = own[own["metric"].isin([f"{question.metric}_risk", f"{question.metric}_success"])]
    return list(dict.fromkeys([*question.groups, *rows["group"]])) or ["all"]


def _answer(own: pd.DataFrame, question: Question, group: str, warned: Warned) -> html.Line:
    name = question.name if group == "all" else f"{question.name}, {group}"
    risk = _first(own, f"{question.metric}_risk", group)
    rates = [_first(own, f"{question.metric}_success", group, part) for part in ("train", "test", "naive")]
    cells = [NOT_MEASURED if row is None else _share(row) for row in rates]
    if rates[0] is not None and rates[2] is None:
        cells[2] = question.naive
    if risk is None:
        warned.missing.append(name[0].lower() + name[1:])
        return html.Line(name, [html.Cell(text) for text in [*cells, NOT_MEASURED]])
    main, _, naive = (np.nan if row is None else row["value"] for row in rates)
    said = ""
    # Targets share haplotypes, so the interval is too narrow by itself: real samples reach so far, too.
    if risk["low"] > 0 and not risk["value"] <= risk["real_high"]:
        said = ": the release gives something away"
        warned.reasons.append((FAIR, f"{name}: a risk of {_shown(risk)} above the control."))
    elif main <= naive:
        said = ": no better than without the release, so too weak to tell"
    return html.Line(name, [html.Cell(text) for text in [*cells, _shown(risk) + said]])


def rare_section(own: pd.DataFrame, warned: Warned) -> Section:
    """What points at single individuals: variants of one carrier, private stretches of DNA, copies."""
    lines = {"Variants of one person": _one_carrier(own, warned), "Private stretches": _private_runs(own, warned)}
    for metric, name in (("duplicate_share", "Copies"), ("near_duplicate_share", "Near copies")):
        row = _first(own, metric)
        if row is None:
            warned.missing.append(name.lower())
            lines[name] = f"{capital(NOT_MEASURED)}."
            continue
        lines[name] = f"{round(row['value'] * row['n'])} of {row['n']:,} synthetic individuals."
        heldout = _first(own, metric, "heldout")
        if heldout is not None:
            lines[name] += f" Among {heldout['n']:,} held-out individuals: {round(heldout['value'] * heldout['n'])}."
    return Section("What is one person's alone", [], points(lines))


def _one_carrier(own: pd.DataFrame, warned: Warned) -> str:
    row, heldout = (_first(own, "one_carrier_alleles", against=part) for part in ("train", "test"))
    text = "Variants that one training individual alone carries, and that the release has, too"
    if row is None:
        warned.missing.append("variants of one person")
        return f"{text}: {NOT_MEASURED}."
    count = round(row["value"] * row["n"])
    if not count:
        return f"{text}: none of {row['n']:,}."
    text = f"{text}: {count:,} of {row['n']:,}."
    known = heldout is not None and heldout["n"] > 0
    if known:
        text += (
            f" Of those that one held-out individual alone carries, the release has "
            f"{round(heldout['value'] * heldout['n']):,} of {heldout['n']:,}: so many come again by chance."
        )
    if not known or row["low"] > heldout["high"]:
        warned.reasons.append((BAD, f"The release has {count:,} variants that one training individual alone carries."))
        text += " Whoever knows of a carrier has reason to believe that this person's data were used."
    return text


def _private_runs(own: pd.DataFrame, warned: Warned) -> str:
    text = (
        f"Longest stretch of DNA that a synthetic individual shares with fewer than {FEW_CARRIERS} training "
        "individuals, in cM (a unit of genetic length; the longer, the more it points at these few)"
    )
    found = []
    for group in RUNS:
        mine, real = (_first(own, metric, group) for metric in ("private_run_cm", "private_run_cm_real"))
        if mine is None:
            continue
        found.append(f"{group} {_shown(mine)}" + ("" if real is None else f", of held-out individuals {_shown(real)}"))
        if real is not None and mine["low"] > real["high"]:
            warned.reasons.append((FAIR, f"Private stretches are longer than those of held-out individuals ({group})."))
    if not found:
        warned.missing.append("private stretches")
        found.append(NOT_MEASURED)
    return f"{text}: {'; '.join(found)}."


def similarity_section(own: pd.DataFrame) -> Section:
    """How alike synthetic and real individuals are, which is no measure of privacy."""
    said = ["How alike synthetic and real individuals are says nothing about privacy by itself, neither way."]
    loss, near = _first(own, "privacy_loss"), _first(own, "high_risk")
    lines = {}
    if loss is None or scorecard.saturated(own):
        shown = NOT_MEASURED if loss is None else "cannot tell here (saturated)"
    else:
        shown = f"{_number(loss['value'], loss['low'], loss['high'])}; 0 is ideal, 0.5 is copies of all"
    lines["Adversarial accuracy"] = f"Training individuals beside held-out ones (privacy loss): {shown}."
    if near is None:
        lines["Distances"] = f"{capital(NOT_MEASURED)}."
    else:
        lines["Distances"] = (
            f"{_share(near)} of 100 synthetic individuals lie closer to a training individual than "
            f"{100 * HIGH_RISK:g} of 100 held-out individuals do; 5 are expected where they are no closer."
        )
    lengths = own.loc[own["metric"] == "shared_segments", "group"].unique()
    pairs = [[_first(own, f"shared_segments{one}", group) for one in ("", "_real")] for group in lengths]
    shared = [
        f"{group}: {_shown(mine)}, of held-out individuals {_shown(real)}"
        for group, (mine, real) in zip(lengths, pairs, strict=True)
    ]
    lines["Shared stretches"] = (
        "Stretches of DNA that a synthetic and a training individual share, in 1,000 pairs of chromosomes: "
        f"{'; '.join(shared) or NOT_MEASURED}."
    )
    return Section("Similarity, which is not privacy", said, points(lines))


def _first(own: pd.DataFrame, metric: str, group: str | None = "all", against: str | None = None) -> pd.Series | None:
    rows = of(own, metric, group, against).dropna(subset=["value"])
    return rows.iloc[0] if len(rows) else None


def points(lines: Mapping[str, str]) -> list[html.Line]:
    """Lines of a name and what is said of it."""
    return [html.Line(name, [html.Cell(text)]) for name, text in lines.items()]


def _number(value: float, low: float, high: float) -> str:
    """A number with its interval, in the digits that the interval lets be known."""
    if np.isnan(value):
        return NOT_MEASURED
    text = html.fixed(value, (low, high))
    return text if np.isnan(low) else f"{text} ({html.span(low, high)})"


def _hundred(value: float, low: float, high: float) -> str:
    return _number(100 * value, 100 * low, 100 * high)


def _shown(row: pd.Series) -> str:
    return _number(row["value"], row["low"], row["high"])


def _share(row: pd.Series) -> str:
    return _hundred(row["value"], row["low"], row["high"])


def some(count: int, one: str, several: str = "") -> str:
    """A count with its noun, which has an s where there are several, unless they are called otherwise."""
    return f"{count:,} {one if count == 1 else several or f'{one}s'}"


def _names(names: list[str]) -> str:
    return ", ".join(names) if len(names) <= landing.LISTED else f"{len(names)} labels"


def _listed(names: list[str]) -> str:
    return " and ".join(filter(None, [", ".join(names[:-1]), names[-1]]))


def capital(text: str) -> str:
    """The text as it begins a sentence."""
    return re.sub(r"^\w", lambda letter: letter[0].upper(), text)
