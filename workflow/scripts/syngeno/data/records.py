"""Records, which every source of genotypes yields, and what the sources have in common."""

from collections import Counter
from collections.abc import Iterator
from pathlib import Path
from typing import NamedTuple, Protocol

import numpy as np

from syngeno.errors import BadInput

BASES = frozenset("ACGT")
DAMAGED = "fetch or make the file again"


class Record(NamedTuple):
    """One variant; `position` counts from 1, and `phased` says whether all called heterozygotes are.

    `calls` is int8 (samples, 2), alleles 0/1 and -1 for missing; None when the variant is not a biallelic SNP.
    """

    contig: str
    position: int
    id: str
    ref: str
    alt: str
    calls: np.ndarray | None
    phased: bool


class Source(Protocol):
    """A genotype file: its samples, the contigs that hold records, and the contig lengths it declares."""

    path: Path
    samples: list[str]
    contigs: list[str]
    contig_lengths: dict[str, int]

    def records(self, contig: str) -> Iterator[Record]:
        """The records of a contig by position; "chr1" and "1" are one name, an unknown one has none."""


def normal_contig(name: str) -> str:
    """The name under which contigs of different files are matched: "chr1" is "1", "chrM" is "MT"."""
    short = name[3:] if name[:3].lower() == "chr" and len(name) > 3 else name
    return "MT" if short.upper() == "M" else short


def spellings(contig: str, contigs: list[str]) -> list[str]:
    """A contig among those of a source: by its very name, else by the normal one."""
    return [contig] if contig in contigs else [c for c in contigs if normal_contig(c) == normal_contig(contig)]


def refuse_duplicates(path: Path, samples: list[str], remedy: str) -> None:
    """Raise BadInput when a sample id comes more than once."""
    if len(set(samples)) < len(samples):
        twice = [sample for sample, count in Counter(samples).items() if count > 1]
        raise BadInput(path, f"{len(twice)} sample ids come more than once ({', '.join(twice[:3])})", remedy)
