"""The model card: a page that goes with a synthetic cohort, of counts and numbers, without a word on any person.

Its form follows Mitchell et al., Model cards for model reporting (FAT* 2019): what it is, what it was made from, how it
did, what the audit found, what it is not good for, how to make it again.
"""

import json
from collections.abc import Mapping
from html import escape

import numpy as np
import pandas as pd
import yaml

from syngeno.evaluate import membership
from syngeno.report import html, scorecard

KINDS = {
    "latent": "A diffusion model of block-wise encoded genotypes, conditional on the label, drew these people.",
    "haplotype": "A masked diffusion model drew these people: mosaics of ancestral haplotypes that were learnt from "
    "many people, chosen by a network that tells real people from mosaics.",
    "genotype": "A masked diffusion model drew these people: mosaics of ancestral genotypes that were learnt from "
    "many people, chosen by a network that tells real people from mosaics.",
    "independent": "A control: every allele was drawn by itself from its frequency, so variants are not linked.",
    "markov": "A control: alleles were drawn along each chromosome from a Markov chain over the preceding variants.",
    "copying": "A control: each sequence is a mosaic of training people's (the model of Li and Stephens, 2003).",
    "factors": "A control: every allele was drawn by itself, from frequencies at a person's place on axes of ancestry.",
    "copycat": "A control: these are verbatim training people. It must never leave the house.",
    "imputed": "Synthetic people with fewer variants were imputed to these by Beagle, from a reference panel of people "
    "who are not in the cohort: they are mosaics of the panel's people, whose privacy was not looked at.",
    "external": "Another tool made these people; here they were judged only. How it was trained is not known here.",
}
GENERAL_LIMITS = (
    "The audit says what these attacks saw with this power. It does not prove that nobody can be recognised.",
    "People have genotypes and a label, nothing else: no phenotypes, no families, no variants but those of the file.",
    "Each further cohort drawn from the same training people tells more about them. Audit them together before more "
    "than one is handed on.",
    "Populations with few training people are modelled worst, and their people are the easiest to recognise.",
)
# Settings that say where files lie: of no use to a reader, and they tell about the machine.
_PLACES = {"genotypes", "labels", "genes", "genetic_map", "data_dir", "cohort", "gpu", "panel"}


def card(
    metrics: pd.DataFrame,
    *,
    cohort: str,
    generator: str,
    fraction: int,
    seed: int,
    settings: dict,
    members: pd.Series,
    people: pd.Series,
    withheld: pd.DataFrame | None = None,
) -> str:
    """The card of one synthetic cohort, an HTML page with neither ids nor paths.

    Args:
        metrics: the metrics table of the cohort.
        cohort, generator, fraction, seed: which synthetic cohort.
        settings: of the generator, `kind` among them.
        members: labels of the people it was trained on.
        people: labels of the synthetic people handed on.
        withheld: who was held back (sample, risk, why), None where nobody was to be.
    """
    own = (metrics["protocol"] == "ours") & (metrics["generator"] == generator) & (metrics["fraction"] == fraction)
    run = metrics[own & (metrics["seed"] == str(seed))]
    variant = scorecard.RELEASED if withheld is not None else ""
    shown = run[run["variant"] == variant]
    kind = settings["kind"]
    chapters = [
        ("What it is", _paragraphs([KINDS.get(settings.get("space", kind), kind)])),
        ("What it was made from", _counts(members, people, fraction, kind)),
        ("Audit", _list(_audit(shown, run, withheld, len(people)))),
        ("Limits of use", _list([*_limits(shown), _guarantee(settings.get("training", {})), *GENERAL_LIMITS])),
        ("Numbers", _numbers(shown)),
        ("How it was made", _made(generator, fraction, seed, settings)),
    ]
    body = "".join(f"<h2>{title}</h2>{text}" for title, text in chapters)
    return html.page(f"Model card: {generator}, synthetic genotypes of {cohort}", body)


def public(settings: object) -> object:
    """Settings without what lies where: keys that name files or the machine go, and so does any text with a slash."""
    if isinstance(settings, Mapping):
        return {key: public(value) for key, value in settings.items() if key not in _PLACES}
    if isinstance(settings, list | tuple):
        return [public(value) for value in settings]
    if isinstance(settings, str) and ("/" in settings or "\\" in settings):
        return "(left out)"
    return settings


def _counts(members: pd.Series, people: pd.Series, fraction: int, kind: str) -> str:
    """People by label, trained on and synthetic."""
    counts = pd.DataFrame({"trained on": members.value_counts(), "synthetic": people.value_counts()})
    counts = counts.fillna(0).astype(int).sort_index()
    counts.loc["all"] = counts.sum()
    note = (
        f"The model saw {fraction} % of the training people of the cohort. Variants were chosen on training people, "
        "settings on validation people; held-out test people judged it, once."
    )
    if kind == "external":
        note = "The other tool is taken to have seen the training people of the cohort, whom the audit looks for."
    rows = [
        html.line(str(label), [html.cell(str(one["trained on"])), html.cell(str(one["synthetic"]))])
        for label, one in counts.iterrows()
    ]
    return f"<p>{note}</p>" + html.table(["Label", "Trained on", "Synthetic people"], rows)


def _audit(shown: pd.DataFrame, run: pd.DataFrame, withheld: pd.DataFrame | None, people: int) -> list[str]:
    """What the audit found, in sentences; `run` holds the plants."""
    told = []
    loss = _one(shown, "privacy_loss")
    if scorecard.saturated(shown):
        told.append(
            "The privacy loss is saturated and says nothing: synthetic people lie too far from (or near to) all."
        )
    elif loss is not None:
        told.append(
            f"Privacy loss {_value(loss)}: training people are {_nearer(loss)} than people never seen {_beside(loss)}."
        )
    told += _attacks(shown, run)
    for metric, what in (("duplicate_share", "copies"), ("near_duplicate_share", "near copies")):
        found = _one(shown, metric)
        if found is not None:
            told.append(f"{round(found['value'] * found['n'])} {what} of training people among {found['n']}.")
    risky = _one(shown, "high_risk")
    if risky is not None:
        told.append(
            f"{100 * risky['value']:.1f} % of the people lie closer to a training person than 95 % of held-out people "
            "do (5 % where synthetic people are as strangers are)."
        )
    kin = _one(shown, "kinship_contrast")
    if kin is not None:
        told.append(f"Probability of being closer kin to training people than a held-out person is: {_value(kin)}.")
    if withheld is not None:
        reasons = ", ".join(f"{count} {why}" for why, count in withheld["why"].value_counts(sort=False).items())
        told.append(f"{len(withheld)} people were withheld{': ' + reasons if reasons else ''}; {people} are handed on.")
    else:
        told.append("Nobody was withheld.")
    return told


def _attacks(shown: pd.DataFrame, run: pd.DataFrame) -> list[str]:
    told = []
    area, rate = (_one(shown, metric) for metric in ("membership_auc", "membership_tpr_at_1pct"))
    if area is not None:
        told.append(f"The best attack by the synthetic people alone has an AUC of {_value(area)}; .5 is guessing.")
    if rate is not None:
        told.append(f"It finds {_value(rate)} of the members at 1 % false positives; .01 is guessing.")
    table = membership.power(run)
    for verdict, words in (
        (membership.SEES, "saw planted training people, so that it would have seen such copies"),
        (membership.KNOWS, "knew members even without plants"),
        (membership.POWERLESS, "is without power here: it did not see even planted training people"),
    ):
        names = [membership.ATTACK_NAMES[one] for one in table.loc[table["verdict"] == verdict, "attack"]]
        told += [f"The attack by {name} {words}." for name in names]
    if table["gain"].isna().all():
        told.append("No attack was tried with planted training people, so nothing is known of their power.")
    return told


def _limits(shown: pd.DataFrame) -> list[str]:
    """What falls outside of the envelope of real people, by chapter of the scorecard."""
    if shown["real_low"].isna().all():
        return ["No envelope of real people was made for this fraction: no number here was compared with one."]
    told = []
    for chapter, keys in scorecard.HEADLINES.items():
        marked = []
        for key, title in keys.items():
            rows = scorecard.headline(shown, key)
            if len(rows) and html.outside(*rows.iloc[0][["value", "real_low", "real_high"]]):
                one = rows.iloc[0]
                bounds = f"{html.short(one['real_low'], 3)} to {html.short(one['real_high'], 3)}"
                marked.append(f"{title} {html.short(one['value'], 3)} (real people {bounds})")
        if marked:
            told.append(f"{chapter}, outside of what real people show among themselves: {'; '.join(marked)}.")
    return told


def _guarantee(training: Mapping) -> str:
    """What is proven of the model's privacy, whatever the attack."""
    if training.get("epsilon") is None:
        return "The model gives no differential-privacy guarantee."
    return (
        f"The network was trained with differential privacy (DP-SGD): epsilon {training['epsilon']:g} at delta "
        f"{training['delta']:g}, at most, for adding or leaving out one encoded person. That holds for a given "
        "encoder, which was fitted to the same people without noise, like the choice of variants, frequencies and "
        "counts of labels: of genotypes, the cohort as a whole promises nothing. Other seeds, fractions and generators "
        "that learnt from these people, and all numbers of the evaluation, add to what is given away."
    )


def _numbers(shown: pd.DataFrame) -> str:
    rows = []
    for key, title in scorecard.TITLES.items():
        found = scorecard.headline(shown, key)
        if len(found):
            one = found.iloc[0]
            mark = html.outside(one["value"], one["real_low"], one["real_high"])
            rows.append(
                html.line(
                    title,
                    [
                        html.number(one["value"], one["low"], one["high"], mark, kind="outside" if mark else ""),
                        html.number(one["real"], one["real_low"], one["real_high"]),
                        html.cell(str(one["n"])),
                    ],
                )
            )
    return html.table(["", "Synthetic", "Real against real", "n"], rows) + (
        "<p>95 % intervals below the numbers; ▲ above and ▼ below the 95 % prediction interval of the same number "
        "between disjoint sets of real people.</p>"
    )


def _made(generator: str, fraction: int, seed: int, settings: dict) -> str:
    plain = public(json.loads(json.dumps({"generator": generator, "fraction": fraction, "seed": seed} | settings)))
    parts = (plain, {"versions": html.versions()})
    return "".join(f"<pre>{escape(yaml.safe_dump(part, sort_keys=False))}</pre>" for part in parts)


def _one(shown: pd.DataFrame, metric: str) -> pd.Series | None:
    rows = scorecard.headline(shown, (metric, None, "all"))
    return rows.iloc[0] if len(rows) else None


def _value(one: pd.Series) -> str:
    text = html.short(one["value"], 3)
    return text if pd.isna(one["low"]) else f"{text} ({html.short(one['low'], 3)} to {html.short(one['high'], 3)})"


def _nearer(loss: pd.Series) -> str:
    low, high = loss["low"], loss["high"]
    if np.isnan(low) or low <= 0 <= high:
        return "not measurably nearer to synthetic people"
    return "nearer to synthetic people" if loss["value"] > 0 else "farther from synthetic people"


def _beside(one: pd.Series) -> str:
    if pd.isna(one["real_low"]):
        return "(no envelope)"
    return f"(real people: {html.short(one['real_low'], 3)} to {html.short(one['real_high'], 3)})"


def _paragraphs(texts: list[str]) -> str:
    return "".join(f"<p>{escape(text)}</p>" for text in texts)


def _list(texts: list[str]) -> str:
    return "<ul>" + "".join(f"<li>{escape(text)}</li>" for text in texts) + "</ul>"
