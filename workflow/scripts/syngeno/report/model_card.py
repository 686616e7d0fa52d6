"""The model card: a page that goes with a synthetic cohort, of counts and numbers, without a word on any real sample.

Its form follows Mitchell et al., Model cards for model reporting (FAT* 2019): what it is, what it was made from, how it
performed, what the audit found, what it is not good for, how to make it again.
"""

from collections.abc import Mapping

import numpy as np
import pandas as pd

from syngeno.evaluate import membership
from syngeno.evaluate.metrics import of
from syngeno.report import html, scorecard, verdicts

GENERAL_LIMITS = (
    "The audit says what these attacks detected with this power. It does not prove that no one can be recognised.",
    "Samples have genotypes and a label, nothing else: no phenotypes, no families, no variants but those of the file.",
    "Each further cohort drawn from the same training samples reveals more about them. Audit them together before more "
    "than one is released.",
    "Populations with few training samples are modelled worst, and their samples are the easiest to recognise.",
)
# Limits by where a synthetic cohort comes from (see the catalogue of generators).
_LIMITS_OF_SOURCE = {
    "training samples": "These are the training samples themselves. They must never be released.",
    "files": "Another tool made these samples; they were only judged here. How it was trained is not known here.",
    "imputation": "Imputed samples are mosaics of the samples of the reference panel, whose privacy was not examined.",
}
# Settings that say where files lie: of no use to a reader, and they describe the machine.
_PLACES = {"genotypes", "labels", "genes", "genetic_map", "data_dir", "cohort", "gpu", "panel"}


def model_card_page(
    metrics: pd.DataFrame,
    *,
    cohort: str,
    generator: str,
    fraction: int,
    seed: int,
    sentence: str,
    source: str,
    suits: str,
    linkage: str,
    settings: Mapping,
    training: pd.Series,
    synthetic: pd.Series,
    withheld: pd.DataFrame | None = None,
) -> str:
    """The card of one synthetic cohort, an HTML page with neither ids nor paths.

    `sentence`, `source` and `suits` are those of the generator's kind in the catalogue, `linkage` is the cohort's,
    `settings` the generator's and what
    validation samples chose, `training` and `synthetic` the labels of the samples that it was fitted on and of those
    that are released, `withheld` the withheld samples (sample, label, risk, why), None where none were to be.
    """
    ours = (metrics["protocol"] == "ours") & (metrics["generator"] == generator) & (metrics["fraction"] == fraction)
    run = metrics[ours & (metrics["seed"] == str(seed))]
    shown = run[run["variant"] == (scorecard.RELEASED if withheld is not None else "")]
    made = {"generator": generator, "fraction": fraction, "seed": seed, **settings}
    return html.page(
        "model_card",
        title=f"Model card: {generator}, synthetic genotypes of {cohort}",
        sentence=sentence,
        choice=_choice(suits, linkage),
        source=source,
        fraction=fraction,
        counts=_counts(training, synthetic),
        audit=_audit(shown, run, withheld, len(synthetic)),
        limits=[*_limits(shown), *_limits_of_kind(source, settings), *GENERAL_LIMITS],
        numbers=_numbers(shown),
        settings=html.settings(public(made)),
        versions=html.versions(),
    )


def _choice(suits: str, linkage: str) -> str:
    if not (suits and linkage):
        return ""
    if suits == linkage:
        return f"It is our choice for cohorts of {linkage} variants, as this one."
    return f"It is our choice for cohorts of {suits} variants; those of this cohort are {linkage}."


def public(settings: object) -> object:
    """Settings without what lies where: keys that name files or the machine go, and so does any text with a slash."""
    if isinstance(settings, Mapping):
        return {key: public(value) for key, value in settings.items() if key not in _PLACES}
    if isinstance(settings, list | tuple):
        return [public(value) for value in settings]
    if isinstance(settings, str) and ("/" in settings or "\\" in settings):
        return "(left out)"
    return settings


def _counts(training: pd.Series, synthetic: pd.Series) -> html.Table:
    counts = pd.DataFrame({"Trained on": training.value_counts(), "Synthetic samples": synthetic.value_counts()})
    counts = counts.fillna(0).astype(int).sort_index()
    counts.loc["all"] = counts.sum()
    return html.frame(counts.rename_axis("Label").reset_index())


def _audit(shown: pd.DataFrame, run: pd.DataFrame, withheld: pd.DataFrame | None, released: int) -> list[str]:
    """What the audit found, in sentences; `run` holds the planted canaries."""
    sentences = []
    loss = _first(shown, "privacy_loss")
    if scorecard.saturated(shown):
        sentences.append(
            "The privacy loss is saturated and says nothing: synthetic samples lie too far from (or near to) all."
        )
    elif loss is not None:
        sentences.append(
            f"Privacy loss {_value(loss)}: training samples are {_nearer(loss)} than held-out samples {_beside(loss)}."
        )
    sentences += _attacks(shown, run)
    for metric, what in (("duplicate_share", "duplicates"), ("near_duplicate_share", "near duplicates")):
        share = _first(shown, metric)
        if share is not None:
            sentences.append(f"{round(share['value'] * share['n'])} {what} of training samples among {share['n']}.")
    risky = _first(shown, "high_risk")
    if risky is not None:
        sentences.append(
            f"{100 * risky['value']:.1f} % of the samples lie closer to a training sample than 95 % of held-out "
            "samples do (5 % where synthetic samples are no closer than held-out ones)."
        )
    kin = _first(shown, "kinship_contrast")
    if kin is not None:
        sentences.append(
            f"Probability of being closer kin to training samples than a held-out sample is: {_value(kin)}."
        )
    if withheld is None:
        return [*sentences, "No sample was withheld."]
    reasons = ", ".join(f"{count} {why}" for why, count in withheld["why"].value_counts(sort=False).items())
    reasons = f": {reasons}" if reasons else ""
    return [*sentences, f"{len(withheld)} samples were withheld{reasons}; {released} are released."]


def _attacks(shown: pd.DataFrame, run: pd.DataFrame) -> list[str]:
    sentences = []
    area, rate = (_first(shown, metric) for metric in ("membership_auc", "membership_tpr_at_1pct"))
    if area is not None:
        sentences.append(
            f"The strongest attack on the synthetic samples alone has an AUC of {_value(area)}; .5 is guessing."
        )
    if rate is not None:
        sentences.append(
            f"The largest true-positive rate of any attack at 1 % false positives is {_value(rate)}; .01 is guessing."
        )
    table = membership.power(run)
    for verdict, words in (
        (membership.DETECTS, "Planted canaries, training samples or pieces of them, were detected by"),
        (membership.DETECTS_WITHOUT, "A leak, as it detected training samples even without canaries, is"),
        (membership.HINTS, "Training samples were distinguished from others, though none surely, by"),
        (membership.POWERLESS, "Without power here, as it did not detect even planted canaries, is"),
    ):
        attacks = [membership.ATTACK_NAMES[attack] for attack in table.loc[table["verdict"] == verdict, "attack"]]
        if attacks:
            sentences.append(f"{words} the attack by {', by '.join(attacks)}.")
    if table["gain"].isna().all():
        sentences.append("No attack was tried with planted canaries, so nothing is known of their power.")
    return sentences


def _limits(shown: pd.DataFrame) -> list[str]:
    """What is worse than the envelope of real samples, by chapter of the scorecard."""
    if shown["real_low"].isna().all():
        return ["No envelope of real samples was made for this fraction: no number here was compared with one."]
    limits = []
    for chapter, keys in scorecard.HEADLINES.items():
        marked = []
        for key, title in keys.items():
            row = _first(shown, *key)
            if row is not None and verdicts.marked(row)[1]:
                bounds = html.span(row["real_low"], row["real_high"])
                marked.append(f"{title} {html.short(row['value'], 3)} (real samples {bounds})")
        if marked:
            limits.append(f"{chapter}, worse than real samples among themselves: {'; '.join(marked)}.")
    return limits


def _limits_of_kind(source: str, settings: Mapping) -> list[str]:
    """What follows from where the samples come from, and what is proven of the model's privacy, whatever the attack."""
    limits = [_LIMITS_OF_SOURCE[source]] if source in _LIMITS_OF_SOURCE else []
    training = settings.get("training", {})
    if training.get("epsilon") is None:
        return [*limits, "The model gives no differential-privacy guarantee."]
    return [
        *limits,
        f"The network was trained with differential privacy (DP-SGD): epsilon {training['epsilon']:g} at delta "
        f"{training['delta']:g}, at most, for adding or leaving out one encoded sample. That holds for a given "
        "encoder, which was fitted to the same samples without noise, like the choice of variants, frequencies and "
        "counts of labels: of genotypes, the cohort as a whole guarantees nothing. Other seeds, fractions and "
        "generators fitted on these samples, and all numbers of the evaluation, add to what is revealed.",
    ]


def _numbers(shown: pd.DataFrame) -> html.Table:
    lines = []
    for key, title in scorecard.TITLES.items():
        row = _first(shown, *key)
        if row is not None:
            mark, style = verdicts.marked(row)
            envelope = row["real_low"], row["real_high"]
            value = html.number(*row[["value", "low", "high"]], mark, style=style, beside=envelope)
            real = html.number(*row[["real", "real_low", "real_high"]])
            lines.append(html.Line(title, [value, real, html.Cell(str(row["n"]))]))
    return html.Table(["", "Synthetic", "Real against real", "n"], lines)


def _first(shown: pd.DataFrame, metric: str, group: str = "all", against: str | None = None) -> pd.Series | None:
    rows = of(shown, metric, group, against)
    return rows.iloc[0] if len(rows) else None


def _value(row: pd.Series) -> str:
    text = html.short(row["value"], 3)
    return text if pd.isna(row["low"]) else f"{text} ({html.span(row['low'], row['high'])})"


def _nearer(loss: pd.Series) -> str:
    low, high = loss["low"], loss["high"]
    if np.isnan(low) or low <= 0 <= high:
        return "not measurably nearer to synthetic samples"
    return "nearer to synthetic samples" if loss["value"] > 0 else "farther from synthetic samples"


def _beside(row: pd.Series) -> str:
    bounds = html.span(row["real_low"], row["real_high"])
    return f"(real samples: {bounds})" if bounds else "(no envelope)"
