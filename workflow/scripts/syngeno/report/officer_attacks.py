"""Of the officer's page (see `officer`): which attacks were tried, what they found, and whom they find best."""

import numpy as np
import pandas as pd

from syngeno.evaluate import membership
from syngeno.evaluate.metrics import of
from syngeno.report import html, landing, verdicts
from syngeno.report import officer_section as section
from syngeno.report.officer_section import NOT_MEASURED, Section, Warned
from syngeno.report.verdicts import BAD, FAIR, GOOD, UNKNOWN

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
    "painting_posterior": ("The same, with the probability of each source of a stretch.", OTHERS),
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
            f"Of 100 individuals whose data were used it names {section.hundred(one.tpr, one.tpr_low, one.tpr_high)} "
            f"while wrongly accusing 1 of 100 others. AUC {section.number(one.auc, one.auc_low, one.auc_high)}."
        )
        verdict = FOUND[membership.HINTS] if _better_than_guessing(one) else FOUND.get(one.verdict, "")
        if one.attack == membership.DENOISING:
            verdict = "Never hand out the model."
        cells = [f"{does} {needs}", power, f"{found} {verdict}".strip()]
        lines.append(
            html.Line(section.capital(membership.ATTACK_NAMES[one.attack]), [html.Cell(text) for text in cells])
        )
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
    found = section.some(pairs, "pair was", "pairs were")
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
    mosaics = [f"patchworks of two in pieces of {section.listed(pieces)} cM (genetic length)"] if pieces else []
    return f"Yes: it notices {section.listed([*whole, *mosaics])}."


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
        f"Largest advantage over guessing of {section.some(len(attacks), 'attack')} on the release: {text} "
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
            lines[name] = f"{section.capital(NOT_MEASURED)}."
            warned.missing.append(name[0].lower() + name[1:])
            continue
        row = rows.loc[rows["value"].idxmax()]
        who = row["against"] if rows is by_label else "the 5 % of individuals who are least like anyone else"
        of_several = f", the highest of {rows['against'].nunique()} labels" if rows is by_label else ""
        who_first = who if rows is by_label else section.capital(who)
        lines[name] = (
            f"{who_first} ({row['n']:,} training individuals): AUC {section.shown(row)} (attack: "
            f"{membership.ATTACK_NAMES[row['group']]}){of_several}. {few}"
        ).strip()
        # Of a small label an area is high by chance: that of a larger one may be lower, and sure.
        far = rows[(rows["low"] > membership.FAR) & ~(rows["value"] <= rows["real_high"])]
        if len(far):
            surest = far.loc[far["low"].idxmax()]
            who = surest["against"] if rows is by_label else who
            warned.reasons.append((FAIR, f"{name}: {who}, AUC {section.shown(surest)}."))
    lacking = [name for name in labels if name not in set(by_label["against"])]
    if lacking and len(by_label):
        lines["Labels too small to be judged"] = f"{section.labels(lacking)}."
    if few := landing.few_labels(samples):
        lines["Labels of few held-out individuals"] = (
            f"{section.labels(few)}: fewer than {landing.FEW}. Numbers of these labels say little."
        )
    return Section("Who is at the highest risk", [], section.points(lines))
