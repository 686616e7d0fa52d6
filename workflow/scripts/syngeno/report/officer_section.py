"""What the sections of the officer's page (see `officer`) are made of: paragraphs, lines, and numbers in words."""

import re
from collections.abc import Mapping, Sequence
from typing import NamedTuple

import numpy as np
import pandas as pd

from syngeno.evaluate.metrics import of
from syngeno.report import html, landing, verdicts

NOT_MEASURED = "not measured"


class Section(NamedTuple):
    """A chapter: its title, paragraphs, and lines of cells under column titles; of points, the name and one cell."""

    title: str
    said: list[str]
    lines: Sequence[html.Line] = ()
    head: Sequence[str] = ()


class Warned(NamedTuple):
    """What makes the verdict worse than the private light, or is missing in it."""

    reasons: list[tuple[verdicts.Level, str]]
    missing: list[str]


def first(own: pd.DataFrame, metric: str, group: str | None = "all", against: str | None = None) -> pd.Series | None:
    """The first row of a number that was measured, or None."""
    rows = of(own, metric, group, against).dropna(subset=["value"])
    return rows.iloc[0] if len(rows) else None


def points(lines: Mapping[str, str]) -> list[html.Line]:
    """Lines of a name and what is said of it."""
    return [html.Line(name, [html.Cell(text)]) for name, text in lines.items()]


def number(value: float, low: float, high: float) -> str:
    """A number with its interval, in the digits that the interval lets be known."""
    if np.isnan(value):
        return NOT_MEASURED
    text = html.fixed(value, (low, high))
    return text if np.isnan(low) else f"{text} ({html.span(low, high)})"


def hundred(value: float, low: float, high: float) -> str:
    """A share with its interval, as so many of 100."""
    return number(100 * value, 100 * low, 100 * high)


def shown(row: pd.Series) -> str:
    """The number of a metric row with its interval."""
    return number(row["value"], row["low"], row["high"])


def share(row: pd.Series) -> str:
    """The share of a metric row with its interval, as so many of 100."""
    return hundred(row["value"], row["low"], row["high"])


def some(count: int, one: str, several: str = "") -> str:
    """A count with its noun, which has an s where there are several, unless they are called otherwise."""
    return f"{count:,} {one if count == 1 else several or f'{one}s'}"


def labels(names: list[str]) -> str:
    """Labels, or how many they are where they are too many to be named."""
    return ", ".join(names) if len(names) <= landing.LISTED else f"{len(names)} labels"


def listed(names: list[str]) -> str:
    """Names, the last behind an "and"."""
    return " and ".join(filter(None, [", ".join(names[:-1]), names[-1]]))


def capital(text: str) -> str:
    """The text as it begins a sentence."""
    return re.sub(r"^\w", lambda letter: letter[0].upper(), text)
