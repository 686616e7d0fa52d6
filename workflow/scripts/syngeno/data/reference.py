"""Reference genomes: a FASTA, plain or bgzipped, is compared with the genotypes; and FASTA files are written."""

import logging
import os
from collections.abc import Iterable, Sequence
from pathlib import Path
from types import TracebackType
from typing import BinaryIO

import cyvcf2
import numpy as np
import pysam

from syngeno import streams
from syngeno.data.records import spellings
from syngeno.data.store import Sites
from syngeno.errors import BadInput
from syngeno.workflow import regions
from syngeno.workflow.regions import Region

logger = logging.getLogger(__name__)

WIDTH = 60  # bases on a line
PIECE = WIDTH * 2**16  # bases that are written at once
SAME_BUILD = "give the FASTA of the build that the genotypes have"


def index(path: str | Path, folder: str | Path) -> None:
    """Write the index of a FASTA as fasta.fai (and fasta.gzi of a bgzipped one) into a folder; raises BadInput."""
    folder = Path(folder)
    folder.mkdir(parents=True, exist_ok=True)
    fai, gzi = (str(folder / f"fasta.{kind}") for kind in ("fai", "gzi"))
    try:
        pysam.faidx(str(path), "--fai-idx", fai, "--gzi-idx", gzi)
    except pysam.SamtoolsError as error:
        fact = " ".join(str(error).split())
        raise BadInput(path, f"cannot be read as a FASTA ({fact})", "give it plain, or compressed by bgzip") from error


class Reference:
    """A FASTA, opened by the index that `index` wrote into a folder. Contigs match with and without "chr"."""

    def __init__(self, path: str | Path, folder: str | Path) -> None:
        self.path = Path(path)
        fai, gzi = (Path(folder) / f"fasta.{kind}" for kind in ("fai", "gzi"))
        self._file = pysam.FastaFile(
            str(path), filepath_index=str(fai), filepath_index_compressed=str(gzi) if gzi.exists() else None
        )

    def __enter__(self) -> "Reference":
        """The reference itself."""
        return self

    def __exit__(self, *error: object) -> None:
        """Close the file."""
        self._file.close()

    def length(self, contig: str) -> int:
        """The bases of a contig."""
        return self._file.get_reference_length(self._name(contig))

    def bases(self, contig: str, start: int, end: int) -> np.ndarray:
        """The letters `start` to `end` (from 1, both included) as bytes, uint8, in the case that they have."""
        return np.frombuffer(self._file.fetch(self._name(contig), start - 1, end).encode(), np.uint8)

    def _name(self, contig: str) -> str:
        names = spellings(contig, self._file.references)
        if not names:
            first = ", ".join(self._file.references[:3])
            raise BadInput(self.path, f"has no chromosome {contig} (it begins with {first})", SAME_BUILD)
        return names[0]


def check_sites(reference: Reference, sites: Sites) -> None:
    """Raise BadInput where a chromosome is not in the FASTA, or a site's REF allele is not its base, in either case."""
    for contig in dict.fromkeys(sites.contig.tolist()):
        rows = np.flatnonzero(sites.contig == contig)
        position, length = sites.position[rows], reference.length(contig)
        if position.max() > length:
            fact = f"chromosome {contig} ends at {length}, before the variant at {position.max()}: the build differs"
            raise BadInput(reference.path, fact, SAME_BUILD)
        found = upper(reference.bases(contig, 1, length)[position - 1])
        wrong = np.flatnonzero(found != letters(sites.ref[rows]))
        if len(wrong):
            first = wrong[0]
            where, ref = f"{contig}:{position[first]}", sites.ref[rows[first]]
            differ = f"{len(wrong)} of {len(rows)} sites of the chromosome differ"
            fact = f"has {chr(found[first])} at {where}, where REF is {ref} ({differ}): the build differs"
            raise BadInput(reference.path, fact, f"{SAME_BUILD}, and genotypes whose REF is the reference's base")


def place(asked: Sequence[str | int] | None, contigs: Sequence[str], reference: Reference) -> list[Region]:
    """The regions that are asked for, by the cohort's names; without any, all of the cohort's contigs.

    Raises BadInput for a region that is malformed, comes twice, or is not on the cohort's chromosomes.
    """
    placed: list[Region] = []
    for text in contigs if asked is None else asked:
        name, start, end = regions.parse(text)
        known = spellings(name, contigs)
        if not known:
            fact = f"'{text}': the cohort has no variants on this chromosome (it has some on {', '.join(contigs)})"
            raise BadInput(regions.WHERE, fact, "leave the region out")
        length = reference.length(known[0])
        if end is not None and end > length:
            fact = f"'{text}' goes beyond the end of the chromosome, {length} in {reference.path}"
            raise BadInput(regions.WHERE, fact, "give an end within it")
        written = known[0] if start is None else f"{known[0]}:{start}-{end}"
        if written in [region.name for region in placed]:
            raise BadInput(regions.WHERE, f"'{text}' comes twice", "give it once")
        placed.append(Region(written, known[0], start or 1, end or length))
    return placed


def letters(alleles: Iterable[str]) -> np.ndarray:
    """Alleles of one base each as bytes, uint8."""
    return np.frombuffer("".join(alleles).encode(), np.uint8)


def upper(bases: np.ndarray) -> np.ndarray:
    """The letters (bytes, uint8) as capitals: FASTA has masked bases in lower case."""
    return np.where((bases >= ord("a")) & (bases <= ord("z")), bases - 32, bases)


def write_record(file: BinaryIO | pysam.BGZFile, name: str, bases: np.ndarray) -> None:
    """Write one sequence (bytes, uint8) as FASTA."""
    file.write(f">{name}\n".encode())
    for start in range(0, len(bases), PIECE):
        piece = bases[start : start + PIECE]
        whole = len(piece) // WIDTH * WIDTH
        lines = np.full((whole // WIDTH, WIDTH + 1), ord("\n"), np.uint8)
        lines[:, :WIDTH] = piece[:whole].reshape(-1, WIDTH)
        rest = piece[whole:].tobytes()
        file.write(lines.tobytes() + (rest + b"\n" if rest else b""))


class FastaWriter:
    """A bgzipped FASTA with its indices (.fai, .gzi); all three appear whole when the block ends, or none does."""

    def __init__(self, path: str | Path) -> None:
        self.path = Path(path)
        self._unfinished = self.path.with_name(f".{self.path.name}.part")

    def __enter__(self) -> "FastaWriter":
        """Open a hidden file beside the target."""
        self._file = pysam.BGZFile(str(self._unfinished), "wb")
        return self

    def add(self, name: str, bases: np.ndarray) -> None:
        """Write one sequence, bytes as uint8."""
        write_record(self._file, name, bases)

    def __exit__(self, kind: type[BaseException] | None, error: object, trace: TracebackType | None) -> None:
        """Write the indices and give the files their names, or remove them."""
        self._file.close()
        parts = {ending: Path(f"{self._unfinished}{ending}") for ending in ("", ".fai", ".gzi")}
        try:
            if kind is None:
                pysam.faidx(str(self._unfinished))
                for ending, part in parts.items():
                    os.replace(part, f"{self.path}{ending}")
        finally:
            for part in parts.values():
                part.unlink(missing_ok=True)


def simulate(path: str | Path, vcfs: Sequence[str | Path], seed: int) -> None:
    """Write a FASTA of random bases, with the REF allele at every variant of VCFs that hold one contig each."""
    with FastaWriter(path) as fasta:
        for number, vcf in enumerate(vcfs, start=1):
            file = cyvcf2.VCF(str(vcf))
            (contig,), (length,) = file.seqnames, file.seqlens
            drawn = streams.rng("reference_bases", seed, number).integers(0, 4, length)
            bases = np.frombuffer(b"ACGT", np.uint8)[drawn]
            sites = [(variant.POS, variant.REF) for variant in file]
            if sites:
                position, ref = zip(*sites, strict=True)
                bases[np.array(position) - 1] = letters(ref)
            fasta.add(contig, bases)
            logger.info("contig %s: %d bases, %d of them at variants", contig, length, len(sites))
