"""Blocks of consecutive variants: genes, and windows where there is no gene. The encoder works on blocks."""

import gzip
import logging
from pathlib import Path
from typing import NamedTuple

import numpy as np
import pandas as pd

from syngeno.data.records import spellings
from syngeno.errors import BadInput

log = logging.getLogger(__name__)

NOT_INTERVALS = ("#", "track", "browser")  # lines of a BED file that hold no interval


class Blocks(NamedTuple):
    """`block` int32 (V,), rising from 0 without gaps; `names`, one per block: gene or contig:first-last."""

    block: np.ndarray
    names: list[str]


def read_genes(path: str | Path) -> pd.DataFrame:
    """Genes of a BED file, plain or gzipped: contig, start (0-based), end (excluded), name; in file order.

    A gene without a name (three columns only) is called contig:start-end. Raises `BadInput` with the line's number.
    """
    if not Path(path).is_file():
        raise BadInput(path, "no such file", "correct `genes:`, or leave it out to work in windows")
    rows = []
    try:
        with open(path, "rb") as file:
            zipped = file.read(2) == b"\x1f\x8b"
        with gzip.open(path, "rt") if zipped else open(path) as lines:
            for number, line in enumerate(lines, start=1):
                if line.strip() and not line.startswith(NOT_INTERVALS):
                    rows.append(_interval(path, number, line))
    except (OSError, EOFError, UnicodeDecodeError) as error:
        raise BadInput(path, f"cannot be read ({error})", "give a BED file, plain or gzipped") from error
    if not rows:
        raise BadInput(path, "holds no interval", "give a BED file (contig, 0-based start, end, name), or no `genes:`")
    return pd.DataFrame(rows, columns=["contig", "start", "end", "name"])


def _interval(path: str | Path, number: int, line: str) -> tuple[str, int, int, str]:
    fields = line.rstrip("\r\n").split("\t") if "\t" in line else line.split()
    where = f"{path}, line {number}"
    if len(fields) < 3:
        raise BadInput(where, f"has {len(fields)} columns", "BED needs contig, 0-based start and end, tab-separated")
    try:
        start, end = int(fields[1]), int(fields[2])
    except ValueError:
        raise BadInput(where, f"start {fields[1]!r} or end {fields[2]!r} is no integer", "correct the line") from None
    if start < 0 or end <= start:
        raise BadInput(where, f"the interval {start}-{end} is empty or negative", "correct the line")
    name = fields[3] if len(fields) > 3 and fields[3] else f"{fields[0]}:{start}-{end}"
    return fields[0], start, end, name


def covering(position: np.ndarray, start: np.ndarray, end: np.ndarray) -> np.ndarray:
    """Index of the interval that covers each position and starts first; -1 where none does.

    Positions are 1-based, intervals 0-based and half-open (BED): they cover start < position <= end. `start` must be
    sorted. Taking the first start keeps every interval's positions together.
    """
    if not len(start):
        return np.full(len(position), -1)
    # The first interval that lifts the running maximum of ends to the position is the first to reach it.
    first = np.searchsorted(np.maximum.accumulate(end), position, side="left")
    found = np.minimum(first, len(start) - 1)
    return np.where((first < len(start)) & (start[found] < position), found, -1)


def assign(contig: np.ndarray, position: np.ndarray, genes: pd.DataFrame | None, window: int) -> Blocks:
    """Give each variant to a block: the gene that covers it (the first to start, if several), else a window.

    Runs of variants outside genes are cut into as few, equally long windows as hold at most `window` variants each. No
    block straddles contigs; gene contigs match with and without "chr". Arguments are (V,), sorted within contigs, else
    `ValueError`, as where a contig comes in pieces.
    """
    contig, position = np.asarray(contig), np.asarray(position, dtype=np.int64)
    block = np.empty(len(position), dtype=np.int32)
    names: list[str] = []
    in_genes = 0
    for name, first, last in contig_runs(contig):
        here = position[first:last]
        if (np.diff(here) < 0).any():
            raise ValueError(f"positions of contig {name} are not sorted")
        starts, ends, gene_names = _genes_of(genes, name)
        gene = covering(here, starts, ends)
        in_genes += int((gene >= 0).sum())
        cuts = np.flatnonzero(np.diff(gene)) + 1
        for piece in np.split(np.arange(last - first), cuts):
            owner = gene[piece[0]]
            for part in [piece] if owner >= 0 else np.array_split(piece, -(-len(piece) // window)):
                block[first + part] = len(names)
                names.append(gene_names[owner] if owner >= 0 else f"{name}:{here[part[0]]}-{here[part[-1]]}")
    log.info("%d variants in %d blocks, %d variants in genes", len(block), len(names), in_genes)
    return Blocks(block, names)


def contig_runs(contig: np.ndarray) -> list[tuple[str, int, int]]:
    """(name, first, last excluded) of each contig, in order; `ValueError` if a contig comes in pieces."""
    if not len(contig):
        return []
    starts = np.concatenate([[0], np.flatnonzero(contig[1:] != contig[:-1]) + 1])
    names = [str(contig[start]) for start in starts]
    if len(set(names)) < len(names):
        raise ValueError("the variants of a contig do not lie together")
    return list(zip(names, starts.tolist(), [*starts[1:].tolist(), len(contig)], strict=True))


def _genes_of(genes: pd.DataFrame | None, contig: str) -> tuple[np.ndarray, np.ndarray, list[str]]:
    """Starts, ends and names of one contig's genes, by start; of those that start together, longest first."""
    if genes is None:
        return np.empty(0, np.int64), np.empty(0, np.int64), []
    here = genes[genes["contig"].isin(spellings(contig, genes["contig"].unique().tolist()))]
    here = here.sort_values(["start", "end", "name"], ascending=[True, False, True])
    return here["start"].to_numpy(np.int64), here["end"].to_numpy(np.int64), here["name"].tolist()
