"""The audit page: first what each attack can see here, then what it saw."""

from collections.abc import Mapping
from html import escape

import pandas as pd

from syngeno.evaluate import membership
from syngeno.report import html

SHOWN = 20  # listed people of each run

_POWER = (
    "<p>Each attack guesses who was trained on, once from the generator's people as they are, and once after some of "
    "them were replaced by training people (plants). An attack whose paired difference in true-positive rate at 1 % "
    "false positives has an interval that includes 0 did not even see the plants: it is <em>without power here</em>, "
    "and that it finds nothing says nothing. The last column is the share of plants that the list of copies names by "
    "the id of the right training person.</p>"
)
_COPIES = (
    "<p>A copy has exactly the genotypes of a training person; a near copy is closer to one than a quarter of the "
    "distance that all but one in a hundred held-out people of its label keep. High risk: closer to a training "
    "person than 95 % of the held-out people of its label are, as 5 % of real people are too. In brackets the same "
    "share of held-out people, where it was measured.</p>"
)
_KINSHIP = (
    "<p>The largest kinship (KING-robust) of each person with the training people. The contrast is the probability "
    "that a synthetic person's exceeds a held-out person's: .5 where synthetic people are as strangers are. Shares "
    "above the bounds of the degrees only where there are chromosomes and variants enough for kinship to mean "
    "anything.</p>"
)
_LISTED = (
    "<p>Whose copies they are, and the risk of every synthetic person, is in each run's "
    "<code>audit/people.tsv</code>, which names training people and is not to be handed on; this page does not name "
    "them.</p>"
)

_SHARES = {"duplicate_share": "Copies", "near_duplicate_share": "Near copies", "high_risk": "At high risk"}
_DEGREES = {
    "kinship_max": "Largest kinship, mean",
    "kinship_contrast": "Contrast",
    "kinship_duplicate": "Above .354: same person",
    "kinship_first": "Above .177: 1st degree",
    "kinship_second": "Above .0884: 2nd degree",
}


def audit(metrics: pd.DataFrame, people: Mapping[str, pd.DataFrame]) -> str:
    """The audit page.

    Args:
        metrics: the metrics table.
        people: by the name of the run, the table of the audit: sample, label, distance, kinship_max, listed
            ("exact", "near" or ""). What it says of training people does not come into the page.
    """
    single = metrics[(metrics["protocol"] == "ours") & (metrics["seed"] != "all")]
    body = "<h2>What each attack can see</h2>" + _POWER + _power_table(metrics)
    body += "<h2>Copies, near copies, people at high risk</h2>" + _COPIES + _beside(single, _SHARES)
    body += "<h2>Kinship with training people</h2>" + _KINSHIP + _beside(single, _DEGREES)
    if people:
        body += "<h2>Who is listed</h2>" + _LISTED
        body += "".join(_listed(name, table) for name, table in people.items())
    return html.page("Privacy audit", body)


def _power_table(metrics: pd.DataFrame) -> str:
    table = membership.power(metrics)
    if table.empty:
        return "<p>No membership attack was run.</p>"
    listed = metrics[(metrics["metric"] == "planted_listed") & metrics["variant"].str.startswith(membership.PLANTED)]
    listed = {(one["generator"], one["fraction"], one["seed"]): one for one in listed.to_dict("records")}
    rows = []
    for one in table.itertuples():
        run = (one.generator, one.fraction, one.seed)
        cells = [
            html.number(one.auc, one.auc_low, one.auc_high),
            html.number(one.tpr, one.tpr_low, one.tpr_high),
            html.number(one.planted, one.planted_low, one.planted_high),
            html.number(one.gain, one.gain_low, one.gain_high),
            html.cell(one.verdict, "words" if one.sees else "words blind"),
        ]
        # Once for the run, not for each of its attacks.
        found = listed.pop(run) if run in listed else {"value": float("nan"), "low": 0, "high": 0}
        cells.append(html.number(found["value"], found["low"], found["high"]))
        rows.append(html.line(f"{_run(table, run)}: {membership.ATTACK_NAMES[one.attack]}", cells))
    head = ["Generator: attack", "AUC", "True positives at 1 % false", "The same, with plants", "Paired difference"]
    return html.table([*head, "Verdict", "Plants listed by id"], rows)


def _beside(single: pd.DataFrame, titles: Mapping[str, str]) -> str:
    """A row per run (with plants and released ones too), a column per metric, held-out people in brackets."""
    numbers = single[single["metric"].isin(titles) & single["group"].isin(["all", "heldout"])]
    present = [metric for metric in titles if (numbers["metric"] == metric).any()]
    if not present:
        return "<p>Not measured.</p>"
    rows = []
    for (generator, fraction, variant, seed), part in numbers.groupby(
        ["generator", "fraction", "variant", "seed"], sort=False
    ):
        name = _run(single, (generator, fraction, seed)) + (f", {variant}" if variant else "")
        rows.append(html.line(name, [_with_heldout(part[part["metric"] == metric]) for metric in present]))
    return html.table(["Generator", *(titles[metric] for metric in present)], rows)


def _with_heldout(part: pd.DataFrame) -> str:
    mine, real = (part[part["group"] == group] for group in ("all", "heldout"))
    if mine.empty:
        return "<td></td>"
    one = mine.iloc[0]
    note = f"({html.short(real['value'].iloc[0], 3)})" if len(real) else ""
    mark = html.outside(one["value"], one["real_low"], one["real_high"])
    return html.number(
        one["value"], one["low"], one["high"], " ".join([note, mark]).strip(), kind="outside" if mark else ""
    )


def _run(table: pd.DataFrame, run: tuple[str, int, str]) -> str:
    """The name of a run, with fraction and seed where there are several."""
    generator, fraction, seed = run
    parts = [generator]
    if table["fraction"].nunique() > 1:
        parts.append(f"{fraction} %")
    if table["seed"].nunique() > 1:
        parts.append(f"seed {seed}")
    return ", ".join(parts)


def _listed(name: str, people: pd.DataFrame) -> str:
    """The first of a run's listed people, exact copies before near ones."""
    found = people[people["listed"].isin(["exact", "near"])].sort_values(["listed", "distance"], kind="stable")
    exact, near = ((found["listed"] == kind).sum() for kind in ("exact", "near"))
    heading = f"<h3>{escape(name)}</h3><p>{exact} copies and {near} near copies among {len(people)} people."
    if found.empty:
        return heading + "</p>"
    if len(found) > SHOWN:
        heading += f" The first {SHOWN}:"
    rows = [
        html.line(
            str(one.sample),
            [html.cell(str(one.label)), html.cell(html.short(one.distance)),
             html.cell(html.short(one.kinship_max, 3)), html.cell(one.listed)],
        )
        for one in found.head(SHOWN).itertuples()
    ]  # fmt: skip
    head = ["Synthetic person", "Label", "Distance", "Kinship", "Listed as"]
    return heading + "</p>" + html.table(head, rows)
