"""The officer's page: what one release was audited for and what was found, for whoever decides without being an expert.

Sentences and numbers are plain data (`Page`), which is written as HTML and as Markdown. The verdict is that of the
private light (see `verdicts`), or a worse one where what the light does not ask for says so. What was not measured is
said to be so.
"""

from typing import NamedTuple

import pandas as pd

from syngeno.evaluate import membership
from syngeno.report import officer_attacks, officer_disclosure, officer_utility, scorecard, verdicts
from syngeno.report import officer_section as section
from syngeno.report.officer_section import Section, Warned
from syngeno.report.verdicts import BAD, FAIR, GOOD, UNKNOWN

VERDICTS = {
    GOOD: "No leak was found by what was measured.",
    FAIR: "There are signs of a leak.",
    BAD: "A leak was found.",
    UNKNOWN: "Whether this release leaks cannot be told.",
}
# What the verdict supports; the decision is not this page's.
RECOMMENDATIONS = {
    GOOD: "A release can be considered: nothing that was measured speaks against it, as far as the measurements go.",
    FAIR: "No open release: there are signs of a leak, so at most one to named recipients who are bound not to look "
    "for individuals.",
    BAD: "No release as it is: what was measured speaks against it, so have it made in another way and measured again.",
    UNKNOWN: "No release yet: too little could be told to support one, so have the points above settled and measured "
    "again first.",
}
OFFICERS = (
    "This is what the measurements support. The decision is the officer's, who also weighs the legal basis, the "
    "purpose, the recipients and what was not tested."
)
# Findings of the private light, in words that need no glossary.
FINDINGS = {
    "membership_auc": "The strongest attack tells training individuals from others: AUC {value}; 0.5 is guessing, 1 is "
    "always right. The interval is wider than below, as it is the strongest of several.",
    "membership_tpr_at_1pct": "An attack names a share of {value} of the training individuals while wrongly accusing "
    "0.01 of the others; a guess would name 0.01, too.",
    "duplicate_share": "The release holds copies of training individuals: a share of {value}.",
    "near_duplicate_share": "The release holds near copies of training individuals: a share of {value}.",
    "privacy_loss": "Synthetic individuals resemble training individuals more than others (privacy loss {value}).",
}
UNTESTED = (
    "attackers who have many releases of the same individuals: each was judged by itself",
    "attackers who know a person's diseases or other traits, beyond the label",
    "attackers who know more of a person's genome, by the genomes of relatives",
    "attacks that nobody knows yet",
)
SHADOWS = "attackers who fit many models of their own to learn what this one would betray (LiRA, with shadow models)"
DECISIONS = ("release", "release to named recipients", "do not release")
# To fill in by hand: what calls for sentences, and what for a word.
TERMS = ("Legal basis", "Recipients and their obligations", "Conditions")
SIGNED = ("Name", "Role", "Date", "Signature")


class Page(NamedTuple):
    """All that stands on the page, in order."""

    title: str
    made: str
    level: verdicts.Level
    verdict: str
    reasons: list[str]
    recommendation: str
    sections: list[Section]
    decisions: tuple[str, ...] = DECISIONS
    terms: tuple[str, ...] = TERMS
    signed: tuple[str, ...] = SIGNED


class Release(NamedTuple):
    """What is released, in counts and names.

    `training` and `synthetic` are labels of the samples that the generator was fitted on and of those that are
    released, `withheld` the withheld samples (label, why) or None where none were to be; `drawn` has the size of every
    cohort that the run drew from these training samples; `others` are the names of its other real cohorts.
    """

    cohort: str
    generator: str
    fraction: int
    seed: int
    sentence: str
    source: str
    epsilon: float | None
    variants: int
    contigs: list[str]
    checksum: str
    training: pd.Series
    synthetic: pd.Series
    withheld: pd.DataFrame | None
    drawn: list[int]
    others: list[str]


def page(
    metrics: pd.DataFrame,
    release: Release,
    *,
    version: str,
    date: str,
    samples: pd.DataFrame,
    relatives: pd.DataFrame,
    looked_for: str,
) -> Page:
    """The page of one release, without the id of any sample; `samples`, `relatives`, `looked_for` as for the landing
    page."""
    ours = (metrics["protocol"] == "ours") & (metrics["generator"] == release.generator)
    of_generator = metrics[ours & (metrics["fraction"] == release.fraction)]
    run = of_generator[of_generator["seed"] == str(release.seed)]
    if release.withheld is not None:  # what is released is judged, canaries were planted in what was drawn
        run = run[run["variant"] != ""].replace({"variant": {scorecard.RELEASED: ""}})
    own = run[run["variant"] == ""]
    attacks = membership.power(run)
    warned = Warned([], [])
    sections = [
        _released(release),
        officer_attacks.attacks_section(run, attacks, samples, relatives, looked_for, warned),
        officer_attacks.threshold_section(attacks, warned),
        officer_attacks.weakest_section(own, samples, _labels(release), warned),
        officer_disclosure.questions_section(own, warned),
        officer_disclosure.rare_section(own, warned),
        officer_utility.similarity_section(own),
        officer_utility.usefulness_section(own),
        _untested(run, release, bool((of_generator["variant"] == membership.LIRA).any())),
        Section(
            "What this page cannot decide",
            [
                "Genetic data remain personal data until somebody who is entitled to it says otherwise. This page "
                "reports what was measured; it does not say that these data are no longer personal.",
                *_guarantee(release),
            ],
        ),
    ]
    level, reasons = _verdict(run, warned)
    return Page(
        f"For the data-protection officer: synthetic individuals of {release.cohort}",
        f"Written on {date} by syngeno {version}.",
        level,
        VERDICTS[level],
        reasons,
        f"{RECOMMENDATIONS[level]} {OFFICERS}",
        sections,
    )


def _verdict(run: pd.DataFrame, warned: Warned) -> tuple[verdicts.Level, list[str]]:
    """The level of the private light or a worse one, and why."""
    (light,) = (one for one in verdicts.lights(run) if one.title == verdicts.PRIVATE)
    order = [BAD, FAIR, UNKNOWN, GOOD]
    level = min((light.level, *(level for level, _ in warned.reasons)), key=order.index)
    reasons = [FINDINGS[one.metric].format(value=one.value) for one in light.findings if one.level in (BAD, FAIR)]
    reasons += [text for one, text in warned.reasons if one in (BAD, FAIR) or one is level]
    if light.level is UNKNOWN and light.powerless:
        reasons.append("The attacks would not have noticed even planted copies of individuals.")
    if warned.missing:
        reasons.append(f"Not measured, and so not covered by this verdict: {'; '.join(warned.missing)}.")
    if level is GOOD:
        reasons.append("That nothing was found does not prove that there is nothing to find.")
    return level, reasons


def _released(release: Release) -> Section:
    trained, labels = release.training.value_counts().sort_index(), release.synthetic.value_counts()
    counts = ", ".join(f"{name} {labels.get(name, 0)} ({trained.get(name, 0)})" for name in _labels(release))
    total = sum(release.drawn)
    where = f"chromosome{'s' if len(release.contigs) > 1 else ''} {', '.join(release.contigs)}"
    by = "are assumed to have been used by the other tool" if release.source == "files" else "were used"
    others = f" Add what is released of {', '.join(release.others)}, if these hold the same individuals."
    lines = {
        "Individuals": f"{len(release.synthetic):,} synthetic individuals. The data of {len(release.training):,} real "
        f"individuals {by} to make them: the training individuals.",
        "By label": f"Synthetic (and training) individuals: {counts}.",
        "All cohorts": f"This run has {section.some(len(release.drawn), 'synthetic cohort')} of the same training "
        f"individuals, {total:,} synthetic individuals over all cohorts. Each further one that is released reveals "
        "more." + others * bool(release.others),
        "Variants": f"{release.variants:,} positions of the genome, on {where}, and a label; nothing else.",
        "Made by": f"{release.generator}, seed {release.seed}, on {release.fraction} % of the training individuals. "
        f"{release.sentence}",
        "Withheld": _withheld(release),
        "File": f"synthetic.vcf.gz, SHA-256 {release.checksum}.",
    }
    return Section("What is to be released", [], section.points(lines))


def _labels(release: Release) -> list[str]:
    return sorted({*release.training, *release.synthetic})


def _withheld(release: Release) -> str:
    if release.withheld is None:
        return "No individual was withheld."
    drawn = len(release.withheld) + len(release.synthetic)
    text = f"{section.some(len(release.withheld), 'synthetic individual')} of {drawn:,}"
    for column in ("why", "label"):
        parts = release.withheld[column].value_counts().sort_index()
        text += "; " * bool(len(parts)) + ", ".join(f"{name} {count}" for name, count in parts.items())
    return (
        f"{text}. All numbers below are of what is left; real individuals were planted (see below) in what was drawn."
    )


def _untested(run: pd.DataFrame, release: Release, shadowed: bool) -> Section:
    tried = (run["group"] == membership.DENOISING).any()
    model = "attackers who get the file of the model" + (", beyond the one attack above" if tried else "")
    more = [] if shadowed else [SHADOWS]
    if release.source == "imputation":
        more.append("the reference panel, of whose individuals the variants between are made")
    return Section(
        "What was not tested", [f"{section.capital('; '.join([model, *UNTESTED[:-1], *more, UNTESTED[-1]]))}."]
    )


def _guarantee(release: Release) -> list[str]:
    if release.epsilon is None:
        return ["No mathematical guarantee (differential privacy) holds for this release."]
    return [
        f"The network was trained with differential privacy (epsilon {release.epsilon:g}); the model card says what "
        "that does and does not guarantee."
    ]
