"""Of the officer's page (see `officer`): what the release is good for, and how alike synthetic and real samples are."""

import numpy as np
import pandas as pd

from syngeno.evaluate.risk import HIGH_RISK
from syngeno.report import html, scorecard
from syngeno.report import officer_section as section
from syngeno.report.officer_section import NOT_MEASURED, Section

RECOVERY = ("recovery_rate", "all", "test")
# Of each number: the name of its line, and what was done. Real samples reach no 1 in what is a correlation.
USES = {
    RECOVERY: (
        "Classifier, above guessing",
        "A classifier learns the labels from synthetic individuals: what it gains over a constant guess, divided by "
        "what one gains that learns from real individuals.",
    ),
    ("accuracy_ratio", "all", "test"): (
        "Classifier, all answers",
        "All right answers of the first of these classifiers, divided by those of the second. Near 1 for anything "
        "where most individuals have one label.",
    ),
    ("imputation_ratio", "all", "test"): (
        "Filling in variants",
        "Variants that were not measured in a person are filled in (imputed) from synthetic individuals: how well, "
        "divided by how well real individuals do it.",
    ),
    ("allele_frequency_r", "all", "test"): (
        "Similarity: frequencies",
        "Whether the same variants are common and rare as among real individuals (correlation).",
    ),
    ("ld_r", "all", "train"): (
        "Similarity: linkage",
        "Whether the same variants go together as among real individuals (correlation of linkage disequilibrium).",
    ),
    ("ld_r", "within_labels", "train"): (
        "Similarity: linkage within labels",
        "The same without what labels alone explain.",
    ),
}


def usefulness_section(own: pd.DataFrame) -> Section:
    """What the release is worth beside the real samples: the price in usefulness."""
    said = [
        "What it costs in usefulness to have synthetic individuals in the place of real ones: the same is done with "
        "both. 1 is as good as the real individuals, less is worse. Brackets hold 95 % intervals; the last column says "
        "where the number lies, with 95 %, if other real individuals take the place of the synthetic ones. Similarity "
        "is no measure of privacy. Another use than these may fare worse.",
        *_answers(own),
    ]
    lines = []
    for key, (name, done) in USES.items():
        row = section.first(own, *key)
        cells = [done, *(_unlearnt(own) if row is None and key == RECOVERY else _reached(row))]
        lines.append(html.Line(name, [html.Cell(text) for text in cells]))
    return Section("What the release is good for", said, lines, ["Use", "What was done", "Release", "Real individuals"])


def _answers(own: pd.DataFrame) -> list[str]:
    """The right answers behind the first two numbers, of 100, where all of them were counted."""
    synthetic, real, chance = (
        section.first(own, metric, against="test") for metric in ("accuracy", "accuracy_real", "accuracy_chance")
    )
    if synthetic is None or real is None or chance is None:
        return []
    return [
        "Of 100 held-out individuals a classifier that learns from synthetic ones tells the label of "
        f"{section.share(synthetic)}, one that learns from real ones that of {section.share(real)}, and a constant "
        f"guess that of {section.share(chance)}."
    ]


def _unlearnt(own: pd.DataFrame) -> tuple[str, str]:
    """What to say where there is no recovery rate: real samples do not surely beat chance, or nothing was measured."""
    if section.first(own, "accuracy_chance", against="test") is None:
        return _reached(None)
    return "cannot be told: real individuals do not teach the label either", NOT_MEASURED


def _reached(row: pd.Series | None) -> tuple[str, str]:
    """A number with its interval, and the envelope of real samples."""
    if row is None:
        return NOT_MEASURED, NOT_MEASURED
    interval = "" if np.isfinite(row["low"]) else " (no interval)"
    return section.shown(row) + interval, html.span(row["real_low"], row["real_high"]) or NOT_MEASURED


def similarity_section(own: pd.DataFrame) -> Section:
    """How alike synthetic and real individuals are, which is no measure of privacy."""
    said = ["How alike synthetic and real individuals are says nothing about privacy by itself, neither way."]
    loss, near = section.first(own, "privacy_loss"), section.first(own, "high_risk")
    lines = {}
    if loss is None or scorecard.saturated(own):
        shown = NOT_MEASURED if loss is None else "cannot tell here (saturated)"
    else:
        shown = f"{section.number(loss['value'], loss['low'], loss['high'])}; 0 is ideal, 0.5 is copies of all"
    lines["Adversarial accuracy"] = f"Training individuals beside held-out ones (privacy loss): {shown}."
    if near is None:
        lines["Distances"] = f"{section.capital(NOT_MEASURED)}."
    else:
        lines["Distances"] = (
            f"{section.share(near)} of 100 synthetic individuals lie closer to a training individual than "
            f"{100 * HIGH_RISK:g} of 100 held-out individuals do; 5 are expected where they are no closer."
        )
    lengths = own.loc[own["metric"] == "shared_segments", "group"].unique()
    pairs = [[section.first(own, f"shared_segments{one}", group) for one in ("", "_real")] for group in lengths]
    shared = [
        f"{group}: {section.shown(mine)}, of held-out individuals {section.shown(real)}"
        for group, (mine, real) in zip(lengths, pairs, strict=True)
    ]
    lines["Shared stretches"] = (
        "Stretches of DNA that a synthetic and a training individual share, in 1,000 pairs of chromosomes: "
        f"{'; '.join(shared) or NOT_MEASURED}."
    )
    return Section("Similarity, which is not privacy", said, section.points(lines))
