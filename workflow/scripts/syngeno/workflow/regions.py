"""Regions of chromosomes, as they are written in a run file: "15:27000000-27100000", or "15" for a whole one.

Read while the Snakefile is parsed, so nothing heavy is imported here.
"""

import re
from typing import NamedTuple

from syngeno.errors import BadInput

WHERE = "run file, release.genomes.regions"
FORM = re.compile(r"([A-Za-z0-9_.*]+)(?::([0-9,]*[0-9])-([0-9,]*[0-9]))?")


class Region(NamedTuple):
    """Bases `start` to `end` of a contig, both counted from 1 and included; `name` is as in the run file."""

    name: str
    contig: str
    start: int
    end: int


def parse(text: str | int) -> tuple[str, int | None, int | None]:
    """Contig, first and last base (None and None: all of it) of a region; commas in numbers are ignored.

    Raises BadInput for what is no region, or one that ends before it begins.
    """
    match = FORM.fullmatch(str(text))
    if match is None:
        raise BadInput(WHERE, f"'{text}' is no region", "write 15:27000000-27100000, or 15 for the whole chromosome")
    contig, start, end = match.groups()
    if start is None:
        return contig, None, None
    start, end = (int(number.replace(",", "")) for number in (start, end))
    if not 1 <= start <= end:
        raise BadInput(WHERE, f"'{text}' holds no base", "count from 1, and give the smaller number first")
    return contig, start, end
