"""Write kept tables into the pages: what stands between `<!-- table: NAME -->` and `<!-- /table -->` is data/NAME.tsv.

    python docs/results/render.py                                       # write the tables into README.md and docs/
    python docs/results/render.py METRICS.tsv NAME "machine; command"   # keep what pages show of a run's metrics.tsv

Two kinds of tables are kept (data/README.md): cells as they are shown, and the rows of a run's metrics table. A cell
such as {genomewide|privacy loss|factors} is the cell of another kept table, by its name, row and column.
"""

import re
import sys
from collections.abc import Iterator
from io import StringIO
from pathlib import Path

import pandas as pd

from syngeno.evaluate import metrics
from syngeno.report import html, scorecard
from syngeno.version import VERSION

ROOT = Path(__file__).parents[2]
DATA = ROOT / "docs/results/data"
TABLE = re.compile(r"(<!-- table: ([\w-]+) -->\n).*?(<!-- /table -->)", re.DOTALL)
REFERENCE = re.compile(r"\{([^{}|]+)\|([^{}|]+)\|([^{}|]+)\}")


def pages() -> list[Path]:
    """The pages that may show kept tables."""
    return [ROOT / "README.md", *sorted((ROOT / "docs").rglob("*.md"))]


def rendered(page: str) -> str:
    """The text of a page with its tables as the kept ones are."""
    return TABLE.sub(lambda found: f"{found[1]}\n{markdown(kept(found[2]))}\n\n{found[3]}", page)


def markdown(rows: list[list[str]]) -> str:
    """A table of cells, the head first, in Markdown."""
    lines = ["| " + " | ".join(row) + " |" for row in rows]
    return "\n".join([lines[0], "|" + "---|" * len(rows[0]), *lines[1:]])


def kept(name: str) -> list[list[str]]:
    """The cells of a kept table, the head first; ValueError where a row has more or fewer cells than the head."""
    lines = [line for line in (DATA / f"{name}.tsv").read_text().splitlines() if not line.startswith("#")]
    rows = [line.split("\t") for line in lines]
    if rows[0] == metrics.COLUMNS:
        return _of_metrics("\n".join(lines))
    if wrong := [row[0] for row in rows if len(row) != len(rows[0])]:
        raise ValueError(f"{name}.tsv: row '{wrong[0]}' has other columns than the head")
    return [[resolved(cell) for cell in row] for row in rows]


def resolved(text: str) -> str:
    """A cell with those of other tables in their places; ValueError for one that is not there."""
    return REFERENCE.sub(lambda found: _cell(*found.groups()), text)


def _cell(name: str, row: str, column: str) -> str:
    head, *rows = kept(name)
    try:
        return next(cells for cells in rows if cells[0] == row)[head.index(column)]
    except (StopIteration, ValueError):
        raise ValueError(f"{name}.tsv has no cell '{row}', '{column}'") from None


def _of_metrics(text: str) -> list[list[str]]:
    """A metrics table with a row per number and a column per generator, after the envelope."""
    missing = dict.fromkeys(metrics.COLUMNS[-7:], "")
    table = pd.read_csv(StringIO(text), sep="\t", keep_default_na=False, na_values=missing)
    names = (table["generator"] + ", " + table["variant"]).str.removesuffix(", ")
    rows = [["", "real", *dict.fromkeys(names)]]
    for number, part in table.groupby(metrics.NUMBER, sort=False):
        first = part.iloc[0]
        real = _interval(first["real_low"], first["real_high"])
        values = {name: _text(row) for name, (_, row) in zip(names[part.index], part.iterrows(), strict=True)}
        rows.append([_title(*number), real, *(values.get(name, "") for name in rows[0][2:])])
    return rows


def _title(metric: str, group: str, against: str) -> str:
    found = scorecard.TITLES.get((metric, group, against)) or scorecard.TITLES.get((metric, group, None))
    return found or f"`{metric}`, {group}"


def _text(row: pd.Series) -> str:
    value = html.fixed(row["value"], (row["low"], row["high"]), (row["real_low"], row["real_high"]))
    return f"{_short(value)} {_interval(row['low'], row['high'])}".strip()


def _interval(low: float, high: float) -> str:
    return "" if pd.isna(low) else f"[{_short(html.fixed(low, (low, high)))}, {_short(html.fixed(high, (low, high)))}]"


def _short(number: str) -> str:
    """As the pages write numbers: .72 for 0.72."""
    return re.sub(r"^(-?)0\.", r"\1.", number)


def trimmed(table: pd.DataFrame) -> pd.DataFrame:
    """The rows of a metrics table that the scorecard shows: one seed, or the mean over several; no canaries."""
    shown = table[(table["protocol"] == "ours") & (table["fraction"] == 100)]
    shown = shown[shown["variant"].isin(["", scorecard.RELEASED])]
    over = (shown["seed"] == "all").groupby([shown["generator"], shown["variant"]]).transform("any")
    shown = shown[~over | (shown["seed"] == "all")]
    wanted = [
        ((shown["metric"] == metric) & (shown["group"] == group) & (against is None or shown["against"] == against))
        for metric, group, against in scorecard.TITLES
    ]
    return pd.concat([shown[rows] for rows in wanted], ignore_index=True)


def keep(path: str, name: str, said: str) -> None:
    """Write the rows of a run's metrics table that pages show as a kept table; `said`: machine and command."""
    metrics.write(trimmed(metrics.read(path)), DATA / f"{name}.tsv")
    text = (DATA / f"{name}.tsv").read_text()
    (DATA / f"{name}.tsv").write_text(f"# version: {VERSION}\n# run: {said}\n# from: metrics.tsv of the run\n{text}")


def out_of_date() -> Iterator[Path]:
    """The pages whose tables are not the kept ones."""
    return (page for page in pages() if rendered(page.read_text()) != page.read_text())


if __name__ == "__main__":
    if len(sys.argv) > 1:
        keep(*sys.argv[1:])
    for page in list(out_of_date()):
        page.write_text(rendered(page.read_text()))
