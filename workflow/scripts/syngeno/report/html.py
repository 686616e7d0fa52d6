"""What all pages of the report share: one self-contained HTML page, and the cells of its tables."""

from collections.abc import Iterable
from html import escape
from importlib.metadata import version
from platform import python_version

import pandas as pd

PACKAGES = (
    "snakemake",
    "numpy",
    "scipy",
    "pandas",
    "zarr",
    "torch",
    "scikit-learn",
    "scikit-allel",
    "cyvcf2",
    "pysam",
)

ABOVE, BELOW = "▲", "▼"

_PAGE = """<!doctype html>
<html lang="en"><head><meta charset="utf-8"><title>{title}</title><style>
body {{ font: 14px/1.45 system-ui, sans-serif; margin: 1.5rem; color: #222; }}
p, li {{ max-width: 60rem; }}
div.wide {{ overflow-x: auto; }}
table {{ border-collapse: collapse; margin: .5rem 0 1.5rem; }}
th, td {{ padding: .3rem .7rem; border-bottom: 1px solid #ddd; text-align: right; white-space: nowrap; }}
th {{ vertical-align: bottom; white-space: normal; background: #f6f6f6; }}
td.name, th.name, td.words {{ text-align: left; }}
td.name, th.name {{ position: sticky; left: 0; background: #fff; }}
th.name {{ background: #f6f6f6; }}
tr.real td, tr.real td.name {{ background: #eee; color: #444; }}
td.outside {{ color: #a33b00; font-weight: 600; }}
td.blind {{ color: #777; }}
.low {{ color: #777; font-size: 85%; display: block; font-weight: 400; }}
pre {{ background: #f6f6f6; padding: 1rem; overflow-x: auto; }}
</style></head><body><h1>{title}</h1>
{body}
</body></html>
"""


def page(title: str, body: str) -> str:
    """A whole page; `body` is HTML, the title is text."""
    return _PAGE.format(title=escape(title), body=body)


def table(head: Iterable[str], rows: Iterable[str]) -> str:
    """A table that scrolls sideways where it must: titles of the columns, the names' first, and rows of `line`."""
    first, *others = head
    titles = f'<th class="name">{escape(first)}</th>' + "".join(f"<th>{escape(one)}</th>" for one in others)
    return f'<div class="wide"><table><thead><tr>{titles}</tr></thead><tbody>{"".join(rows)}</tbody></table></div>'


def line(name: str, cells: Iterable[str], kind: str = "") -> str:
    """A row of a table: its name, and cells that are HTML."""
    return f'<tr class="{kind}"><td class="name">{escape(name)}</td>{"".join(cells)}</tr>'


def cell(text: str = "", kind: str = "") -> str:
    """A cell of plain text."""
    return f'<td class="{kind}">{escape(text)}</td>' if kind else f"<td>{escape(text)}</td>"


def number(value: float, low: float, high: float, mark: str = "", note: str = "", kind: str = "") -> str:
    """A cell: the value with its mark, below it the note or the interval; empty where there is no number."""
    if pd.isna(value):
        return "<td></td>"
    small = f'<span class="low">{escape(note)}</span>' if note else span(low, high)
    opening = f'<td class="{kind}">' if kind else "<td>"
    return f"{opening}{short(value)}{mark and ' ' + mark}{small}</td>"


def span(low: float, high: float) -> str:
    """The small line of an interval."""
    return "" if pd.isna(low) else f'<span class="low">{short(low, 3)} to {short(high, 3)}</span>'


def short(value: float, digits: int = 4) -> str:
    """A number with so many significant digits, thousands written out; what rounding left of 0 is 0."""
    if abs(value) < 1e-9:
        return "0"
    return f"{value:.0f}" if abs(value) >= 10**digits else f"{value:.{digits}g}"


def outside(value: float, low: float, high: float) -> str:
    """The mark of a value outside its envelope."""
    return ABOVE if value > high else BELOW if value < low else ""


def versions() -> dict[str, str]:
    """Versions of what made the report."""
    return {"python": python_version(), **{name: _version(name) for name in PACKAGES}}


def _version(package: str) -> str:
    try:
        return version(package)
    except ModuleNotFoundError:
        return "not in this environment"
