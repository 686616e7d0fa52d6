"""The page "The paper, reproduced": the tables of Kenneweg et al. (2025), ours above theirs, on open data."""

import math
from collections.abc import Iterable, Mapping
from typing import Any

import pandas as pd

from syngeno.evaluate.metrics import of
from syngeno.paper.printed import Denoiser
from syngeno.report import html

HEADLINE = "latents: mlp"  # the paper's best classifier, on the paper's input; named beforehand
REAL = "real"
_PAPER_NAMES = {"cnn": "CNN", "mlp": "MLP", "mlp+cnn": "MLP+CNN", "transformer": "Transformer"}


def page(numbers: pd.DataFrame, published: pd.DataFrame, denoisers: Mapping[str, Denoiser], labels: int) -> str:
    """The chapter's page.

    Args:
        numbers: metrics table of the paper's experiments; where a number has a row over seeds, that is shown.
        published: the paper's figures (`printed.read`); those of ALS beside a cohort of two labels, else those of 1KG.
        denoisers: of each generator.
        labels: how many labels the cohort has.
    """
    numbers = shown(numbers)
    theirs = published[published["data"] == ("ALS" if labels == 2 else "1KG")]
    others = (name for name in numbers["generator"].unique() if name not in {*denoisers, REAL})
    generators = [*denoisers, *others]
    return html.page(
        "paper",
        findings=findings(numbers, denoisers),
        recovery=_recovery(numbers, generators),
        printed_recovery=_printed(theirs),
        neighbours=_neighbours(numbers, theirs, generators),
        augmentation=_augmentation(numbers, theirs, generators),
    )


def shown(numbers: pd.DataFrame) -> pd.DataFrame:
    """One row per number: the mean over seeds where there are several, else the only one."""
    key = ["generator", "fraction", "real_fraction", "group", "metric", "against"]
    last = numbers.assign(single=numbers["seed"] != "all").sort_values("single", kind="stable")
    return last.drop_duplicates(key).drop(columns="single").sort_index()


def findings(numbers: pd.DataFrame, denoisers: Mapping[str, Denoiser]) -> list[str]:
    """What came out, in sentences: the order of the denoisers, the effect of a change, and what is left of the gain.

    `numbers` as `shown` gives them; only `HEADLINE` counts, and only generators that are in `denoisers`.
    """
    rates = of(numbers, "recovery_rate", HEADLINE)
    rates = rates[(rates["fraction"] == 100) & rates["generator"].isin(list(denoisers))].dropna(subset="value")
    rates = rates.sort_values("value", ascending=False, kind="stable")
    kept = (sentence for name in denoisers for sentence in _remains(numbers, name))
    leads = of(numbers, "lead", HEADLINE).set_index(["generator", "against"])
    papers: dict[str, Any] = {}  # the best of each kind that has the paper's form
    for one in rates.itertuples():
        if not denoisers[one.generator].changes:
            papers.setdefault(denoisers[one.generator].kind, one)
    return [*_order(rates, leads, papers), *_changed(rates, leads, denoisers, papers), *kept, *_sizes(denoisers)]


def _order(rates: pd.DataFrame, leads: pd.DataFrame, papers: Mapping[str, Any]) -> list[str]:
    """Which denoiser is best, how surely, and whether the paper's order came out; `rates` with the best first.

    `leads` (index: generator, the other generator) compares them sample by sample.
    """
    if rates.empty:
        return ["No recovery rate of an MLP on the drawn components was measured, so the denoisers have no order."]
    each = ", ".join(f"{one.generator} {100 * one.value:.0f} %" for one in rates.itertuples())
    if len(rates) == 1:
        return [f"Recovery rate of an MLP on the drawn components: {each}."]
    text = f"Recovery rate of an MLP on the drawn components, best first: {each}."
    first, *others = rates["generator"]
    if ahead := {one: leads.loc[(first, one)] for one in others if (first, one) in leads.index}:
        each = ", ".join(f"{_points(lead)} over {one}" for one, lead in ahead.items())
        text += f" Lead of {first} in points of accuracy on the same test samples: {each}."
        unsure = [one for one, lead in ahead.items() if not lead["low"] > 0]
        text += f" That it is ahead of {_joined(unsure)} may be chance." if unsure else ""
    return [text, _verdict({kind: one.value for kind, one in papers.items()})]


def _changed(
    rates: pd.DataFrame, leads: pd.DataFrame, denoisers: Mapping[str, Denoiser], papers: Mapping[str, Any]
) -> list[str]:
    """What a denoiser recovers whose form differs from the paper's of its kind, where that is in the run too."""
    text = []
    for one in rates.itertuples():
        kind, changes, _ = denoisers[one.generator]
        if not changes or (paper := papers.get(kind)) is None:
            continue
        pair = one.generator, paper.generator
        by = f", {_points(leads.loc[pair])} points of accuracy" if pair in leads.index else ""
        text.append(
            f"{_PAPER_NAMES[kind]} with {changes} ({one.generator}): {100 * one.value:.0f} %, as in the paper "
            f"({paper.generator}): {100 * paper.value:.0f} %{by}."
        )
    return text


def _points(lead: pd.Series) -> str:
    return f"{100 * lead['value']:+.0f} ({100 * lead['low']:+.0f} to {100 * lead['high']:+.0f})"


def _sizes(denoisers: Mapping[str, Denoiser]) -> list[str]:
    differ = dict.fromkeys(one.sizes for one in denoisers.values() if one.sizes)
    if not differ:
        return ["Sizes, length of training and sampler are the paper's."]
    named = {sizes: [name for name, one in denoisers.items() if one.sizes == sizes] for sizes in differ}
    each = "; ".join(f"{_joined(names)}: {sizes}" for sizes, names in named.items())
    return [f"Sizes, length of training and sampler that are not the paper's (which stand in brackets): {each}."]


def _verdict(kinds: Mapping[str, float]) -> str:
    """Whether the paper's order holds: MLP+CNN best, CNN and transformer below it and the MLP."""
    if missing := [name for kind, name in _PAPER_NAMES.items() if kind not in kinds]:
        were = "was" if len(missing) == 1 else "were"
        return (
            "The paper's order (MLP+CNN best; CNN and Transformer weak) cannot be checked: "
            f"{_joined(missing)} {were} not judged."
        )
    leaders = [name for kind, name in _PAPER_NAMES.items() if kinds[kind] == max(kinds.values())]
    strong = [
        _PAPER_NAMES[kind] for kind in ("cnn", "transformer") if kinds[kind] >= min(kinds["mlp"], kinds["mlp+cnn"])
    ]
    if leaders == [_PAPER_NAMES["mlp+cnn"]] and not strong:
        return "This is the paper's order: MLP+CNN is best, and CNN and Transformer are below MLP and MLP+CNN."
    if len(leaders) > 1:
        first = f"{_joined(leaders)} are equally good"
    elif leaders == [_PAPER_NAMES["mlp+cnn"]]:
        first = "MLP+CNN is best, as in the paper"
    else:
        first = f"{leaders[0]} is best, not MLP+CNN"
    second = "CNN and Transformer are below the other two, as there"
    if strong:
        second = f"{_joined(strong)} {'is' if len(strong) == 1 else 'are'} not below both MLP and MLP+CNN"
    return f"The paper's order (MLP+CNN best; CNN and Transformer weak) is not what came out: {first}; {second}."


def _remains(numbers: pd.DataFrame, name: str) -> list[str]:
    """What is left of a generator's gain when it is honest; nothing where its samples were not added to real ones."""
    rows = _gains(numbers, name, HEADLINE)
    if not rows:
        return []
    published = [share for share, row in rows.items() if row["paper"] is not None]
    if not published:
        return [f"What {name} adds to few real samples was not measured by the paper's protocol, only its honest gain."]
    sure = [share for share in published if rows[share]["paper"]["low"] > 0]
    if not sure:
        return [f"In the paper's protocol, what {name} adds to few real samples is nowhere surely above 0."]
    if all(rows[share]["honest"] is None for share in sure):
        return [
            f"In the paper's protocol, {name} adds to few real samples; what is left of it when honest is not known, "
            "because no generator of so few samples was judged."
        ]
    text = (
        f"What is left of the gain from {name} in the paper's protocol when the generator was fitted on only the few "
        f"real samples: {', '.join(_share_left(share, rows[share]) for share in sure)}."
    )
    unsure = [str(share) for share in published if share not in sure]
    if unsure:
        text += f" At {_joined(unsure)} % there is no sure gain in the paper's protocol."
    return [text]


def _share_left(share: int, row: Mapping) -> str:
    left = row["left"]
    if left is None:
        return f"not known at {share} %"
    if left["value"] <= 0:
        return f"nothing at {share} %"
    between = f"{100 * left['low']:.0f} to {100 * left['high']:.0f} %"
    return f"{100 * left['value']:.0f} % of it at {share} % ({between})"


def _recovery(numbers: pd.DataFrame, generators: Iterable[str]) -> html.Table | None:
    """Accuracies and recovery rates; None where no classifier was trained on all training samples."""
    full = numbers[numbers["fraction"] == 100]
    accuracy, rate = of(full, "accuracy", None), of(full, "recovery_rate", None)
    real = accuracy[accuracy["generator"] == REAL]
    if real.empty:
        return None
    alone = accuracy[accuracy["real_fraction"] == 0]
    generators = [name for name in generators if name in {*alone["generator"], *rate["generator"]}]
    lines = []
    for group in real["group"]:
        cells = [_cell(real[real["group"] == group])]
        for name in generators:
            cells += [_cell(rows[(rows["generator"] == name) & (rows["group"] == group)]) for rows in (alone, rate)]
        lines.append(html.Line(group, cells))
    titles = [f"{name}{what}" for name in generators for what in ("", ": recovery rate")]
    return html.Table(["Classifier", "Real samples", *titles], lines)


def _printed(theirs: pd.DataFrame) -> html.Table | None:
    """The paper's accuracies, with the recovery rates that follow from them."""
    lines = []
    for classifier in theirs["classifier"][theirs["table"] == "accuracy"].unique():
        figures = {kind: _figure(theirs, "accuracy", kind, classifier=classifier) for kind in (REAL, *_PAPER_NAMES)}
        cells = [_plain(figures[REAL])]
        for kind in _PAPER_NAMES:
            cells += [_plain(figures[kind]), _plain(figures[kind] / figures[REAL], 3)]
        lines.append(html.Line(f"paper: {classifier}", cells, "real"))
    if not lines:
        return None
    titles = [f"{name}{what}" for name in _PAPER_NAMES.values() for what in ("", ": recovery rate")]
    return html.Table([f"The paper ({theirs['data'].iloc[0]})", "Real samples", *titles], lines)


def _neighbours(numbers: pd.DataFrame, theirs: pd.DataFrame, generators: Iterable[str]) -> html.Table | None:
    """Adversarial accuracies; None where no generator was trained on all training samples."""
    rows = numbers[numbers["metric"].isin(["aa_truth", "aa_syn"]) & (numbers["fraction"] == 100)]
    if rows.empty:
        return None
    columns = [(metric, against) for against in ("test", "train") for metric in ("aa_truth", "aa_syn")]
    lines = []
    for name in generators:
        of_name = rows[rows["generator"] == name]
        if len(of_name):
            cells = [_cell(of(of_name, metric, None, against)) for metric, against in columns]
            lines.append(html.Line(name, cells))
    beside = [_first(of(rows, metric, None, against).dropna(subset="real")) for metric, against in columns]
    cells = [html.Cell() if row is None else html.number(*row[["real", "real_low", "real_high"]]) for row in beside]
    lines.append(html.Line("real samples", cells, "real"))
    if theirs["table"].isin(["aa_truth", "aa_syn"]).any():
        for kind, name in _PAPER_NAMES.items():
            cells = [_plain(_figure(theirs, metric, kind, against=against)) for metric, against in columns]
            lines.append(html.Line(f"paper: {name}", cells, "real"))
    return html.Table(["Generator", *(f"{metric} against {against}" for metric, against in columns)], lines)


def _augmentation(numbers: pd.DataFrame, theirs: pd.DataFrame, generators: Iterable[str]) -> html.Table | None:
    """Accuracies and gains by share of real samples; None where no generator's samples were added to few real ones."""
    lines = []
    for name in generators:
        for group in dict.fromkeys([HEADLINE, *of(numbers, "gain", None)["group"]]):
            for share, row in _gains(numbers, name, group).items():
                order = ("real", "honest_accuracy", "honest", "paper_accuracy", "paper")
                cells = [html.Cell(f"{share} %"), *(_cell_of(row[key]) for key in order), _left_or_why_not(row)]
                lines.append(html.Line(f"{name}, {group}", cells))
    if not lines:
        return None
    for share in sorted(theirs["real_percent"][theirs["table"] == "augmentation"].dropna().unique()):
        given = theirs[(theirs["table"] == "augmentation") & (theirs["real_percent"] == share)]
        kind = next((name for name in given["denoiser"] if name != REAL), "")
        alone, more = (_figure(given, "augmentation", name) for name in (REAL, kind))
        cells = [html.Cell(f"{share} %"), _plain(alone), html.Cell(), html.Cell()]
        cells += [_plain(more), _plain(more - alone), html.Cell()]
        lines.append(html.Line(f"paper: {_PAPER_NAMES.get(kind, kind)}, best classifier", cells, "real"))
    titles = ["Generator, classifier", "Real samples", "Real only", "Honest", "Honest gain", "As in the paper"]
    return html.Table([*titles, "Gain as in the paper", "What is left"], lines)


def _left_or_why_not(row: Mapping) -> html.Cell:
    if row["paper"] is None:
        return html.Cell("- not run")
    if not row["paper"]["low"] > 0:
        return html.Cell("- no sure gain")
    return html.Cell("- no honest run") if row["left"] is None else _cell_of(row["left"])


def _gains(numbers: pd.DataFrame, name: str, group: str) -> dict[int, dict]:
    """By share of real samples, fewer than all: rows of the augmentation table, and what is left of the gain.

    `left` is None where the paper's gain is not surely above 0, or there is no honest one.
    """
    mine = numbers[numbers["generator"].isin([name, REAL]) & numbers["value"].notna()]
    gains = of(mine, "gain", group)
    gains = gains[(gains["generator"] == name) & (gains["real_fraction"] < 100)]
    gains = gains[(gains["fraction"] == 100) | (gains["fraction"] == gains["real_fraction"])]
    found = {}
    for share in sorted(set(gains["real_fraction"])):
        at = mine[mine["real_fraction"] == share]
        own, real = at[at["generator"] == name], at[at["generator"] == REAL]
        row = {"real": _first(of(real, "accuracy", group))}
        for kind, fraction in (("honest", share), ("paper", 100)):
            of_kind = own[own["fraction"] == fraction]
            row[kind], row[f"{kind}_accuracy"] = (_first(of(of_kind, what, group)) for what in ("gain", "accuracy"))
        row["left"] = _first(of(own[own["fraction"] == share], "gain_left", group))
        found[int(share)] = row
    return found


def _figure(theirs: pd.DataFrame, table: str, denoiser: str, **more: str | int) -> float:
    """One of the paper's figures, NaN where it prints none; `more` are further columns and their values."""
    chosen = (theirs["table"] == table) & (theirs["denoiser"] == denoiser)
    for column, value in more.items():
        chosen &= (theirs[column] == value).fillna(False)
    values = theirs["value"][chosen]
    return float(values.iloc[0]) if len(values) else math.nan


def _first(rows: pd.DataFrame) -> pd.Series | None:
    return None if rows.empty else rows.iloc[0]


def _cell(rows: pd.DataFrame) -> html.Cell:
    return _cell_of(_first(rows))


def _cell_of(row: pd.Series | None) -> html.Cell:
    return html.Cell() if row is None else html.number(row["value"], row["low"], row["high"])


def _plain(value: float, digits: int = 4) -> html.Cell:
    """A cell of a number without interval, empty where there is none."""
    return html.Cell() if math.isnan(value) else html.Cell(html.short(value, digits))


def _joined(names: list[str]) -> str:
    return " and ".join([", ".join(names[:-1]), names[-1]] if len(names) > 1 else names)
