"""The audit page: first what each attack can detect here, then what it detected."""

from collections.abc import Mapping

import pandas as pd

from syngeno.evaluate import membership
from syngeno.evaluate.metrics import of
from syngeno.report import html, verdicts

SHOWN = 20  # listed samples of each run

_SHARES = {
    "duplicate_share": "Duplicates",
    "near_duplicate_share": "Near duplicates",
    "high_risk": "At high risk",
    "planted_listed": "Canaries listed by id",
}
_DEGREES = {
    "kinship_max": "Largest kinship, mean",
    "kinship_contrast": "Contrast",
    "kinship_duplicate": "Above .354: duplicate or twin",
    "kinship_first": "Above .177: 1st degree",
    "kinship_second": "Above .0884: 2nd degree",
}
# Of metrics that have a group per column, and a twin of held-out samples, `_real`.
_SEGMENTS = {"shared_segments": "Segments {}, per 1,000 pairs", "longest_segment_cm": "Longest in cM, {}"}


def audit_page(metrics: pd.DataFrame, audited: Mapping[str, pd.DataFrame]) -> str:
    """The audit page, by the metrics table and, by the name of the run, the samples of its audit (`audit.Audit`).

    What these tables say of training samples does not come into the page.
    """
    single = metrics[(metrics["protocol"] == "ours") & (metrics["seed"] != "all")]
    return html.page(
        "audit",
        power=_power_table(metrics),
        some=_some_table(single),
        shadowed=_shadow_table(metrics),
        shares=_with_heldout(single, _SHARES),
        degrees=_with_heldout(single, _DEGREES),
        segments=_segments_table(single),
        listed=[_listed(name, table) for name, table in audited.items()],
        most=SHOWN,
    )


def _power_table(metrics: pd.DataFrame) -> html.Table | None:
    table = membership.power(metrics)
    if table.empty:
        return None
    lines = []
    for row in table.itertuples():
        run = (row.generator, row.fraction, row.seed)
        columns = ("auc", "tpr", "planted", "gain")
        cells = [html.number(*(getattr(row, f"{name}{end}") for end in ("", "_low", "_high"))) for name in columns]
        cells.insert(3, html.Cell("" if pd.isna(row.canaries) else row.canaries, style="words"))
        shade = {membership.DETECTS_WITHOUT: "outside", membership.POWERLESS: "blind"}.get(row.verdict, "")
        cells.append(html.Cell(row.verdict, style=f"words {shade}".strip()))
        lines.append(html.Line(f"{_run(table, run)}: {membership.ATTACK_NAMES[row.attack]}", cells))
    rate = "True-positive rate at 1 % false positives"
    head = ["Generator: attack", "AUC", rate, "The same, with planted canaries", "Canaries", "Paired difference"]
    return html.Table([*head, "Verdict"], lines)


def _some_table(single: pd.DataFrame) -> html.Table | None:
    """A row per label, and for the most isolated samples; a column per run, the areas of its strongest attack."""
    areas = single[(single["metric"] == "membership_auc") & (single["variant"] == "")]
    columns = {}
    for (generator, fraction, seed), part in areas.groupby(["generator", "fraction", "seed"], sort=False):
        strongest, of_all = part[part["group"] == "all"], part[part["against"] == ""]
        of_all = of_all[~of_all["group"].isin(["all", membership.DENOISING])]
        if strongest.empty or of_all.empty:
            continue
        # The row of the strongest attack does not name it, but has its area.
        nearest = (of_all["value"] - strongest["value"].iloc[0]).abs().idxmin()
        attack = of_all.loc[nearest, "group"]
        name = f"{_run(areas, (generator, fraction, seed))}: {membership.ATTACK_NAMES[attack]}"
        columns[name] = part[(part["group"] == attack) & (part["against"] != "")].set_index("against")
    names = pd.concat([part.index.to_series() for part in columns.values()]).unique() if columns else []
    if not len(names):
        return None
    lines = [html.Line(name, [_of_some(part, name) for part in columns.values()]) for name in names]
    return html.Table(["Samples", *columns], lines)


def _of_some(areas: pd.DataFrame, name: str) -> html.Cell:
    if name not in areas.index:
        return html.Cell()
    row = areas.loc[name]
    return html.number(
        row["value"], row["low"], row["high"], note=f"{html.span(row['low'], row['high'])}, n = {row['n']}"
    )


def _shadow_table(metrics: pd.DataFrame) -> html.Table | None:
    """A row per generator and attack: area and rate without and with shadow models, and individuals' risk."""
    found = metrics[metrics["variant"].isin([membership.LIRA, membership.PLAIN])]
    lines = []
    for (generator, fraction), part in found.groupby(["generator", "fraction"], sort=False):
        with_shadows, plain = (part[part["variant"] == variant] for variant in (membership.LIRA, membership.PLAIN))
        for group in ("all", *membership.ATTACK_NAMES):
            own = with_shadows[with_shadows["group"] == group]
            if own.empty:
                continue
            cells = [_single(of(plain, metric, group)) for metric in membership.RATES[:2]]
            cells += [_single(of(own, metric, group)) for metric in membership.RATES]
            cells += [_single(of(own, "individual_risk", group, who)) for who in ("99 %", "largest")]
            attack = membership.ATTACK_NAMES.get(group, "strongest on the synthetic samples")
            lines.append(html.Line(f"{generator}, {fraction} %: {attack}", cells))
    head = ["Generator: attack", "AUC without shadows", "True positives at 1 %", "AUC", "True positives at 1 %"]
    head += ["True positives at .1 %", "Risk of an individual, 99 %", "Largest risk"]
    return html.Table(head, lines) if lines else None


def _single(rows: pd.DataFrame) -> html.Cell:
    return html.number(*rows[["value", "low", "high"]].iloc[0]) if len(rows) else html.Cell()


def _with_heldout(single: pd.DataFrame, titles: Mapping[str, str]) -> html.Table | None:
    """A column per metric that was measured, of all samples, and of held-out ones."""
    columns = {title: ((metric, "all"), (metric, "heldout")) for metric, title in titles.items()}
    return _beside_heldout(single, columns)


def _segments_table(single: pd.DataFrame) -> html.Table | None:
    """A column per length that segments are longer than, and per quantile of the longest."""
    columns = {}
    for metric, title in _SEGMENTS.items():
        for group in single.loc[single["metric"] == metric, "group"].unique():
            columns[title.format(group)] = (metric, group), (f"{metric}_real", group)
    return _beside_heldout(single, columns)


def _beside_heldout(
    single: pd.DataFrame, columns: Mapping[str, tuple[tuple[str, str], tuple[str, str]]]
) -> html.Table | None:
    """A row per run (with canaries and released ones too), held-out samples in brackets.

    By the titles of the columns: the (metric, group) of the synthetic samples and that of the held-out ones.
    """
    numbers = single.set_index(["metric", "group"])
    present = {title: both for title, both in columns.items() if both[0] in numbers.index}
    if not present:
        return None
    asked = numbers.loc[numbers.index.isin([one for both in present.values() for one in both])]
    lines, key = [], ["generator", "fraction", "variant", "seed"]
    for (generator, fraction, variant, seed), part in asked.groupby(key, sort=False):
        name = _run(single, (generator, fraction, seed)) + (f", {variant}" if variant else "")
        lines.append(html.Line(name, [_cell(*(part[part.index == one] for one in both)) for both in present.values()]))
    return html.Table(["Generator", *present], lines)


def _cell(synthetic: pd.DataFrame, heldout: pd.DataFrame) -> html.Cell:
    if synthetic.empty:
        return html.Cell()
    row = synthetic.reset_index().iloc[0]
    note = f"({html.short(heldout['value'].iloc[0], 3)})" if len(heldout) else ""
    mark, style = verdicts.marked(row)
    text = " ".join([note, mark]).strip()
    return html.number(row["value"], row["low"], row["high"], text, style=style)


def _run(table: pd.DataFrame, run: tuple[str, int, str]) -> str:
    """The name of a run, with fraction and seed where there are several."""
    generator, fraction, seed = run
    share = f", {fraction} %" if table["fraction"].nunique() > 1 else ""
    return generator + share + (f", seed {seed}" if table["seed"].nunique() > 1 else "")


def _listed(name: str, audited: pd.DataFrame) -> dict:
    """The first of a run's listed samples, duplicates before near duplicates, and how many there are."""
    duplicates = audited[audited["listed"].isin(["exact", "near"])]
    duplicates = duplicates.sort_values(["listed", "distance"], kind="stable")
    lines = []
    for row in duplicates.head(SHOWN).itertuples():
        cells = [str(row.label), html.short(row.distance), html.short(row.kinship_max, 3), row.listed]
        lines.append(html.Line(str(row.sample), [html.Cell(text) for text in cells]))
    counts = {kind: int((duplicates["listed"] == kind).sum()) for kind in ("exact", "near")}
    table = html.Table(["Synthetic sample", "Label", "Distance", "Kinship", "Listed as"], lines)
    return {"name": name, **counts, "all": len(audited), "table": table}
