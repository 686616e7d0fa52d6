"""Pages of the report: plain data in, one self-contained page out (HTML or Markdown), by the templates beside this."""

from __future__ import annotations

import base64
import math
import re
from collections.abc import Iterable, Mapping
from importlib.metadata import version
from pathlib import Path
from platform import python_version
from typing import NamedTuple

import jinja2
import pandas as pd

PACKAGES = ["snakemake", "numpy", "scipy", "pandas", "zarr", "torch", "scikit-learn", "scikit-allel", "cyvcf2", "pysam"]
ABOVE, BELOW = "▲", "▼"

TEMPLATES = Path(__file__).parent / "templates"

_ENVIRONMENT = jinja2.Environment(
    loader=jinja2.FileSystemLoader(TEMPLATES),
    autoescape=True,
    undefined=jinja2.StrictUndefined,
    trim_blocks=True,
    lstrip_blocks=True,
)

_MARKS = re.compile(r"[\\`*<\[]|(?<!\w)_|_(?!\w)")  # which Markdown takes for marks
_MARKDOWN = _ENVIRONMENT.overlay(
    autoescape=False, finalize=lambda value: _MARKS.sub(r"\\\g<0>", value) if isinstance(value, str) else value
)


class Cell(NamedTuple):
    """A cell of a table: its text, a smaller text below it, and the class of its style."""

    text: str = ""
    small: str = ""
    style: str = ""


class Line(NamedTuple):
    """A row of a table: its name, its cells, and the class of its style."""

    name: str
    cells: list[Cell]
    style: str = ""


class Picture(NamedTuple):
    """A figure that is part of the page: its title, the question that it answers, its caption, and the SVG as a URI."""

    title: str
    question: str
    caption: str
    uri: str


class Table(NamedTuple):
    """A table that scrolls sideways where it must: titles of the columns, the names' first, and its rows."""

    head: list[str]
    lines: list[Line]


def page(template: str, **content: object) -> str:
    """The page of a template; whatever text `content` holds is escaped.

    Raises jinja2.TemplateError for a template that does not exist, and for content that it misses.
    """
    return _ENVIRONMENT.get_template(f"{template}.html.j2").render(**content)


def markdown(template: str, **content: object) -> str:
    """The page of a template of Markdown; whatever text `content` holds is escaped. Raises as `page` does."""
    return _MARKDOWN.get_template(f"{template}.md.j2").render(**content)


def number(
    value: float,
    low: float,
    high: float,
    mark: str = "",
    note: str = "",
    style: str = "",
    beside: tuple[float, float] = (math.nan, math.nan),
) -> Cell:
    """A cell: the value with its mark, below it the note or the interval; empty where there is no number.

    The digits are those that the interval lets be known, else the envelope `beside` it (see `fixed`); else 4.
    """
    if pd.isna(value):
        return Cell()
    known = [interval for interval in ((low, high), beside) if pd.notna(interval[0])]
    text = fixed(value, *known) if known else short(value)
    return Cell(f"{text} {mark}".strip(), note or span(low, high), style)


def frame(data: pd.DataFrame) -> Table:
    """A table of data, the first column as the names of the rows; numbers with 4 digits, what is missing empty."""
    rows = ([_plain(value) for value in row] for row in data.itertuples(index=False))
    return Table(list(data.columns), [Line(name, [Cell(cell) for cell in cells]) for name, *cells in rows])


def words(head: list[str], said: Mapping[str, str]) -> Table:
    """A table of names and what is said of each."""
    return Table(head, [Line(name, [Cell(text, style="words")]) for name, text in said.items()])


def settings(nested: Mapping) -> Table:
    """A table of nested settings, a row for each; the keys on the way to it are joined by dots."""
    return words(["Setting", "Value"], dict(_leaves(nested)))


def span(low: float, high: float) -> str:
    """An interval; empty where there is none."""
    return "" if pd.isna(low) else f"{fixed(low, (low, high))} to {fixed(high, (low, high))}"


def short(value: float, digits: int = 4) -> str:
    """A number with so many significant digits, thousands written out; what rounding left of 0 is 0."""
    if abs(value) < 1e-9:
        return "0"
    return f"{value:.0f}" if abs(value) >= 10**digits else f"{value:.{digits}g}"


def fixed(value: float, *intervals: tuple[float, float]) -> str:
    """A number with the digits that its interval (the first that has a width) lets be known: two of the width's.

    Three significant digits where there is no interval, or one below 1e-4; nothing of no number.
    """
    if pd.isna(value) or abs(value) < 1e-9:
        return "" if pd.isna(value) else "0"
    widths = (high - low for low, high in intervals)
    width = next((width for width in widths if 1e-4 <= width < math.inf), None)
    if width is None:
        return short(value, 3)
    places = max(0, 1 - math.floor(math.log10(width)))
    return f"{round(value, places) + 0.0:.{places}f}"  # no minus before a zero


def outside(value: float, low: float, high: float) -> str:
    """The mark of a value outside its envelope, by more than what three digits show."""
    if pd.isna(low) or any(short(value, 3) == short(end, 3) for end in (low, high)):
        return ""
    return ABOVE if value > high else BELOW if value < low else ""


def picture(title: str, caption: str, svg: str) -> Picture:
    """A figure with its caption, written for Snakemake's report: the first line, in bold, is the question."""
    first, _, rest = caption.partition("\n")
    plain = rest.replace("``", "").replace("\n", " ").strip()
    uri = f"data:image/svg+xml;base64,{base64.b64encode(svg.encode()).decode()}"
    return Picture(title, first.strip("* "), plain, uri)


def versions() -> Table:
    """Versions of what made the report."""
    return words(["Package", "Version"], {"python": python_version()} | {name: _version(name) for name in PACKAGES})


def _version(package: str) -> str:
    try:
        return version(package)
    except ModuleNotFoundError:
        return "not in this environment"


def _plain(value: object) -> str:
    if pd.isna(value):
        return ""
    return f"{value:.4g}" if isinstance(value, float) else str(value)


def _leaves(nested: Mapping, above: str = "") -> Iterable[tuple[str, str]]:
    for key, value in nested.items():
        if isinstance(value, Mapping) and value:
            yield from _leaves(value, f"{above}{key}.")
        else:
            several = isinstance(value, list | tuple)
            yield f"{above}{key}", ", ".join(map(_word, value)) if several else _word(value)


def _word(value: object) -> str:
    return "null" if value is None else str(value).lower() if isinstance(value, bool) else str(value)
