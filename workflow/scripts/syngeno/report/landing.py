"""The landing page of a cohort: what was judged, a card of three lights per generator, and where to read on."""

from collections.abc import Mapping, Sequence
from typing import NamedTuple

import pandas as pd

from syngeno.evaluate import membership
from syngeno.evaluate.metrics import of, ours
from syngeno.models.catalogue import KINDS
from syngeno.report import html, scorecard, verdicts
from syngeno.report.verdicts import BAD, FAIR, FAITHFUL, GOOD, PRIVATE, USEFUL

FEW = 20  # test samples of a label, below which its numbers say little
LISTED = 10  # labels that are named, at most
HINTS = 4  # at most

FEW_LABELS = "Labels with fewer than {few} test samples: {names}. Numbers by label say little of them."
SPLIT = (
    "{pairs} pairs of relatives (second degree or closer) stand on both sides of the split{most}. Held-out samples "
    "then resemble training samples, and privacy looks better than it is."
)
NO_KINSHIP = (
    "Kinship cannot be estimated from so few chromosomes or variants, so relatives were looked for by {by} only. If "
    "some stand on both sides of the split, privacy looks better than it is."
)
NOT_SEARCHED = (
    "Relatives could not be looked for: too few variants are common, and called in all samples. If some stand on both "
    "sides of the split, privacy looks better than it is."
)
WAYS = {"genotypes": "identical genotypes", "pedigree": "the parents in the .fam"}
NO_IMPUTATION = (
    "Imputation was not measured (Beagle is not installed, or unphased samples were left out). How useful the samples "
    "are as a panel is not known."
)
POWERLESS = "No attack on {names} detects even planted canaries: a leak there may be missed."
FRACTION = "The cards are of fits on {fraction} % of the training samples, for which there is no real-vs-real envelope."


class Generator(NamedTuple):
    """A generator as the page shows it: what it is, which cohorts it suits, whether it may be released, and its
    folders, by seed.

    The folders lie beside the page, relative to it, and hold what `files` of a released cohort names.
    """

    name: str
    sentence: str
    suits: str
    released: bool
    fraction: int
    folders: Mapping[str, str]


class Card(NamedTuple):
    """What the page says of one generator."""

    generator: Generator
    lights: list[verdicts.Light]
    model: str

    def level(self, title: str) -> verdicts.Level:
        """The level of the light of this title."""
        return next(light.level for light in self.lights if light.title == title)


def landing_page(
    metrics: pd.DataFrame,
    *,
    cohort: str,
    version: str,
    date: str,
    samples: pd.DataFrame,
    judged: pd.DataFrame,
    about: Mapping,
    relatives: pd.DataFrame,
    looked_for: str,
    generators: Sequence[Generator],
    withheld: bool,
    pictures: Sequence[html.Picture],
) -> str:
    """The page, without the id of any sample.

    `samples` (index: ids) has label and split, and `judged` are those of them that synthetic samples are judged by, as
    the pairs of `relatives` are; `about` is what `describe_cohort` says (`variants`, `phased`, `chromosomes`,
    `phased_by_beagle`, `neighbour_r2`, `linkage`); `looked_for` is how relatives were found (by "kinship", "genotypes",
    "pedigree", or "nothing"); `withheld` says that samples were withheld from release, and that what is released is
    judged.
    """
    shown = _released(metrics) if withheld else metrics
    cards = [_card(shown, one) for one in sorted(generators, key=lambda one: not one.released)]
    missing = about["linkage"] == "linked" and of(metrics, "imputation_r2", None).empty
    return html.page(
        "landing",
        title=f"{cohort}: synthetic genotypes, judged",
        version=version,
        date=date,
        facts=_facts(samples, about),
        warnings=_warnings(shown, judged, relatives, looked_for, cards, missing),
        summary=_summary(cards),
        choice=_choice(cards, about),
        suited=about["linkage"],
        titles=list(verdicts.WORDS),
        cards=cards,
        pictures=pictures,
        by_label=_by_label(shown, judged, cards),
        hints=_hints(judged, relatives, cards, missing, withheld)[:HINTS],
        rules=_rules(),
        files="released/" if withheld else "",
    )


def _released(metrics: pd.DataFrame) -> pd.DataFrame:
    """The numbers of what is released in the place of those of the whole synthetic cohorts, where it was judged."""
    judged = metrics.loc[metrics["variant"] == scorecard.RELEASED, "generator"].unique()
    replaced = metrics["generator"].isin(judged) & (metrics["variant"] == "")
    return metrics[~replaced].replace({"variant": {scorecard.RELEASED: ""}})


def _card(metrics: pd.DataFrame, generator: Generator) -> Card:
    own = metrics[(metrics["generator"] == generator.name) & (metrics["fraction"] == generator.fraction)]
    attacks = membership.power(own)
    model = attacks[attacks["attack"] == membership.DENOISING].sort_values("auc").tail(1)
    sentences = [
        f"An attack on the fitted model itself has an AUC of {html.fixed(one.auc, (one.auc_low, one.auc_high))} "
        "(.5 is guessing): do not release the model."
        for one in model.itertuples()
        if one.auc_low > 0.5
    ]
    return Card(generator, verdicts.lights(own), " ".join(sentences))


def _facts(samples: pd.DataFrame, about: Mapping) -> dict[str, str]:
    parts = samples["split"].value_counts()
    return {
        "Samples": f"{len(samples)}",
        "Labels": f"{samples['label'].nunique()}",
        "Variants": f"{about['variants']}",
        "Phase": _phase(about),
        "Linkage": f"{about['linkage']} variants" if about["linkage"] else "too few variants to tell",
        "Split": f"{parts.get('train', 0)} training, {parts.get('validation', 0)} validation, "
        f"{parts.get('test', 0)} test samples (held out)",
    }


def _phase(about: Mapping) -> str:
    if about["phased_by_beagle"]:
        return f"{about['phased_by_beagle']} of {about['chromosomes']} chromosomes phased by Beagle"
    return "phased" if about["phased"] else "unphased"


def _warnings(
    metrics: pd.DataFrame,
    samples: pd.DataFrame,
    relatives: pd.DataFrame,
    looked_for: str,
    cards: Sequence[Card],
    missing: bool,
) -> list[str]:
    """What changes the meaning of the numbers."""
    found = []
    if looked_for == "nothing":
        found.append(NOT_SEARCHED)
    elif looked_for != "kinship":
        found.append(NO_KINSHIP.format(by=" and ".join(WAYS[way] for way in looked_for.split(" and "))))
    if len(split := across_split(relatives)):
        found.append(SPLIT.format(pairs=len(split), most=_most(split, samples)))
    if few := few_labels(samples):
        names = ", ".join(few) if len(few) <= LISTED else f"{len(few)} of {samples['label'].nunique()}"
        found.append(FEW_LABELS.format(few=FEW, names=names))
    if missing:
        found.append(NO_IMPUTATION)
    undetected = membership.undetected(metrics)
    blind = [card for card in cards if (card.generator.name, card.generator.fraction) in undetected]
    if blind := [card for card in blind if card.level(PRIVATE) is not BAD]:
        found.append(POWERLESS.format(names=_names(blind)))
    fractions = {card.generator.fraction for card in cards} - {100}
    return found + [FRACTION.format(fraction=fraction) for fraction in sorted(fractions)]


def across_split(relatives: pd.DataFrame) -> pd.DataFrame:
    """Pairs of relatives of whom one was trained on and the other was not."""
    return relatives[(relatives["split_a"] == "train") != (relatives["split_b"] == "train")]


def _most(split: pd.DataFrame, samples: pd.DataFrame) -> str:
    """In which label most of these pairs are, by their first samples."""
    labels = samples["label"].reindex(split["sample_a"]).value_counts()
    return f", most of them in {labels.index[0]}" if len(labels) > 1 else ""


def few_labels(samples: pd.DataFrame) -> list[str]:
    """The labels with fewer than `FEW` test samples."""
    tested = samples[samples["split"] == "test"]["label"].value_counts()
    return [label for label in sorted(samples["label"].unique()) if tested.get(label, 0) < FEW]


def _summary(cards: Sequence[Card]) -> str:
    """Which generator to look at first."""
    released = [card for card in cards if card.generator.released]
    useful = [card for card in released if card.level(USEFUL) in (GOOD, FAIR)]
    quiet = [card for card in useful if card.level(PRIVATE) is GOOD]
    if like := [card for card in quiet if card.level(FAITHFUL) is not BAD]:
        return f"Faithful and useful, and no leak was found: {_names(like)}."
    if quiet:
        return f"Useful, and no leak was found, but not faithful: {_names(quiet)}."
    if not useful:
        return "No generator was found useful."
    doubtful = [card for card in useful if card.level(PRIVATE) is not BAD]
    rest = f"Useful, but may leak: {_names(doubtful)}." if doubtful else "Each of the useful ones leaks."
    return f"No generator is both useful and free of signs of a leak. {rest}"


def _choice(cards: Sequence[Card], about: Mapping) -> str:
    """Which generators suit the cohort by what it is like, before anything was measured."""
    if not about["linkage"]:
        return (
            "There are too few variants or samples to tell whether variants are linked, and which generator suits them."
        )
    r2 = html.short(about["neighbour_r2"])
    fact = f"Neighbouring variants are {about['linkage']} here (mean r2 {r2} within labels)"
    suited = [card for card in cards if card.generator.suits == about["linkage"]]
    if suited:
        return f"{fact}, so {_names(suited)} is our choice for this cohort."
    kinds = [name for name, kind in KINDS.items() if kind.suits == about["linkage"]]
    return (
        f"{fact}. Our choice for such cohorts is a generator of kind {' or '.join(kinds)}, of which there is none here."
    )


def _names(cards: Sequence[Card]) -> str:
    return ", ".join(card.generator.name for card in cards)


def _by_label(metrics: pd.DataFrame, samples: pd.DataFrame, cards: Sequence[Card]) -> html.Table | None:
    """The privacy loss of each label, with how many samples stand behind it."""
    own = ours(metrics)
    own = own[own["metric"].isin(["privacy_loss", "aa_saturated"])]
    counts = pd.crosstab(samples["label"], samples["split"]).reindex(columns=["train", "test"], fill_value=0)
    judged = [card.generator for card in cards if card.generator.released]
    if not own["group"].isin(counts.index).any():
        return None
    lines = []
    for label, (trained, tested) in counts.iterrows():
        cells = [_loss(own[(own["generator"] == one.name) & (own["group"] == label)], one.fraction) for one in judged]
        lines.append(html.Line(str(label), [html.Cell(f"{trained}"), html.Cell(f"{tested}"), *cells]))
    return html.Table(["Label", "Training samples", "Test samples", *(one.name for one in judged)], lines)


def _loss(own: pd.DataFrame, fraction: int) -> html.Cell:
    own = own[own["fraction"] == fraction]
    rows = of(own, "privacy_loss", None).dropna(subset=["value"])
    if rows.empty:
        return html.Cell()
    if scorecard.saturated(own, None):
        return html.Cell("saturated", style="blind")
    row = rows.loc[rows["value"].idxmax()]
    interval = row["low"], row["high"]
    mark, colour = verdicts.marked(row)
    text = f"{html.fixed(row['value'], interval)} {mark}".strip()
    span = " to ".join(html.fixed(end, interval) for end in interval) if pd.notna(interval[0]) else ""
    return html.Cell(text, span, colour)


def _hints(
    samples: pd.DataFrame, relatives: pd.DataFrame, cards: Sequence[Card], missing: bool, withheld: bool
) -> list[str]:
    """What to try next, by what was found; the most pressing first."""
    hints = []
    released = [card for card in cards if card.generator.released]
    leaking = [card for card in released if card.level(PRIVATE) in (BAD, FAIR)]
    if len(across_split(relatives)):
        hints.append(
            "Keep relatives on one side of the split: relatives: together, of the cohort, without a column for the "
            "split; or name a column of family ids (family). Families that are too large for that are named in the log "
            "of find_relatives."
        )
    if leaking and not withheld:
        hints.append(
            f"{_names(leaking)}: withhold duplicates and the samples at the highest risk (release: withhold: 5), and "
            "look whether the light changes. It helps where single samples leak, not where the frequencies do."
        )
    if leaking:
        hints.append(
            "Give a generator that leaks more training samples, or let it learn less of each: fewer clusters or "
            "epochs, or differential privacy (training: epsilon) where its kind has that setting."
        )
    if unlike := [card for card in released if _lost_linkage(card)]:
        hints.append(
            f"{_names(unlike)}: linkage is lost. Use these samples for frequencies and structure, not for haplotypes, "
            "imputation or fine mapping."
        )
    if few_labels(samples):
        hints.append("Join labels of few samples, or hold out more (split: test), before you trust numbers by label.")
    findings = [one for card in cards for light in card.lights for one in light.findings]
    if any(one.beside.endswith((verdicts.WIDE, verdicts.FEW)) for one in findings):
        hints.append("Ask for more splits (evaluate: splits), or bring more samples: some envelopes do not tell.")
    if missing:
        hints.append(
            "To have imputation measured, install Beagle, then run once with --forcerun measure_reference; of unphased "
            "samples, evaluate: imputation: phase: true."
        )
    if cards and max(len(card.generator.folders) for card in cards) < 2:
        hints.append("Run with several seeds (seeds: [1, 2, 3]) to see how much fits and draws vary.")
    return hints


def _lost_linkage(card: Card) -> bool:
    faithful = next(light for light in card.lights if light.title == FAITHFUL)
    return any(one.metric == "ld_r" and one.level is BAD for one in faithful.findings)


def _rules() -> html.Table:
    lines = [
        html.Line(rule.words, [html.Cell(text, style="words") for text in (rule.light, way, red)])
        for rule, way, red in verdicts.rules()
    ]
    return html.Table(["Number", "Light", "Better is", "Red"], lines)
