"""Records, which every source of genotypes yields, and what the sources have in common."""

import re
from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple, Protocol

import numpy as np

from syngeno.errors import BadInput

if TYPE_CHECKING:
    import pandas as pd

BASES = frozenset("ACGT")
CALLED = "give a file of called genotypes"
DAMAGED = "fetch or make the file again"
ANY_ALLELE = {"<NON_REF>", "<*>"}  # any other allele, in a gVCF
INDICES = (".tbi", ".csi")
NO_BLOCK = (".", "-2147483648")  # a missing PS, as text and as a number of BCF
CODES = {"23": "X", "24": "Y", "25": "XY", "26": "MT"}  # PLINK's, of human chromosomes
SEX = {"X": "X", "Y": "Y", "XY": "XY", "PAR1": "XY", "PAR2": "XY", "M": "MT", "MT": "MT"}  # chromosomes by any case


class NotDiploid(BadInput):
    """A call that has not two alleles."""


class Record(NamedTuple):
    """One variant; `position` counts from 1.

    `calls` is int8 (samples, 2), alleles 0/1 and -1 for missing; None when the variant is no SNP of two alleles, or is
    left out by its `filter`. `unphased` names a sample whose heterozygous call has no phase along the whole contig
    (else "").
    """

    contig: str
    position: int
    id: str
    ref: str
    alt: str
    calls: np.ndarray | None
    unphased: str = ""
    filter: str = ""


class Source(Protocol):
    """A genotype file: its samples, the contigs that hold records, how many (None: unknown), and their lengths.

    `families` is the pedigree of a .fam; None where there is none.
    """

    path: Path
    samples: list[str]
    contigs: list[str]
    contig_lengths: dict[str, int]
    counts: dict[str, int | None]
    families: "pd.DataFrame | None"

    def records(
        self, contig: str, samples: Sequence[str] | None = None, *, pass_only: bool = False
    ) -> Iterator[Record]:
        """The records of a contig by position, with the calls of these samples, in this order (None: of all).

        "chr1" and "1" are one name, see `spellings`; an unknown one has no records. With `pass_only`, a record whose
        FILTER is neither PASS nor "." has no calls. Raises BadInput.
        """

    def spread(
        self, contig: str, samples: Sequence[str] | None, spacing: int, *, pass_only: bool = False
    ) -> Iterator[Iterator[Record]]:
        """Some records of each window of `spacing` base pairs, the first to be read first; phase is not judged."""

    def has(self, contig: str, position: int) -> bool:
        """Whether a record starts at this position."""


def columns(path: Path, known: list[str], wanted: Sequence[str] | None) -> np.ndarray:
    """Where the `wanted` samples stand among those `known`, int (n,); BadInput for one that is not there."""
    if wanted is None:
        return np.arange(len(known))
    place = {sample: index for index, sample in enumerate(known)}
    absent = [sample for sample in wanted if sample not in place]
    if absent:
        raise BadInput(path, f"lacks {len(absent)} of the samples ({absent[0]})", "give files of the same samples")
    return np.array([place[sample] for sample in wanted])


def normal_contig(name: str) -> str:
    """The name under which contigs of different files are matched: "chr1" is "1", "chrM" is "MT"."""
    short = name[3:] if name[:3].lower() == "chr" and len(name) > 3 else name
    return SEX.get(short.upper(), short)


def normal_contigs(names: Iterable[str]) -> dict[str, str]:
    """The contigs of a cohort, or of a file, by name, each with its normal one.

    PLINK's 23, 24, 25 and 26 are X, Y, XY and MT, unless there is a contig of a higher number: then they are not human.
    """
    normal = {name: normal_contig(name) for name in names}
    if any(name.isdecimal() and int(name) > max(map(int, CODES)) for name in normal.values()):
        return normal
    return {name: CODES.get(short, short) for name, short in normal.items()}


def spellings(contig: str, contigs: Sequence[str]) -> list[str]:
    """A contig among those of a file: by its very name, else without "chr", else by PLINK's number (23 is X)."""
    if contig in contigs:
        return [contig]
    same = [name for name in contigs if normal_contig(name) == normal_contig(contig)]
    normal = normal_contigs([contig, *contigs])
    return same or [name for name in contigs if normal[name] == normal[contig]]


def index_beside(path: str | Path) -> Path | None:
    """The .tbi or .csi that lies beside a VCF/BCF, if there is one."""
    return next((index for end in INDICES if (index := Path(f"{path}{end}")).is_file()), None)


def refuse_duplicates(path: Path, samples: list[str], remedy: str) -> None:
    """Raise BadInput when a sample id comes more than once."""
    if len(set(samples)) < len(samples):
        twice = [sample for sample, count in Counter(samples).items() if count > 1]
        raise BadInput(path, f"{len(twice)} sample ids come more than once ({', '.join(twice[:3])})", remedy)


class PhaseSets:
    """The blocks (PS) within which the heterozygous calls of each of n samples are phased, record by record."""

    def __init__(self, n: int) -> None:
        self._met, self._block = np.zeros(n, dtype=bool), np.full(n, "", dtype=object)

    def beyond(self, variant, order: np.ndarray, heterozygous: np.ndarray) -> np.ndarray:
        """Which heterozygous calls lie in another block than the first that the sample had, bool (n,)."""
        block = np.full(len(order), "", dtype=object)
        if "PS" in variant.FORMAT:
            block[:] = np.asarray(variant.format("PS")).astype(str).ravel()[order]
            block[np.isin(block.astype(str), NO_BLOCK)] = ""
        new = heterozygous & ~self._met
        self._block[new] = block[new]
        self._met |= new
        return heterozygous & (block != self._block)


def alleles(variant) -> tuple[str, str]:
    """REF and ALT of a record as cyvcf2 gives it, in capitals; several ALT are joined by commas, none is ".".

    The allele of a gVCF that stands for any other is no ALT.
    """
    alt = ",".join(alt.upper() for alt in variant.ALT if alt not in ANY_ALLELE)
    return variant.REF.upper(), alt or "."


def take(
    path: object,
    variant,
    ids: Sequence[str],
    order: np.ndarray,
    blocks: PhaseSets | None = None,
    *,
    pass_only: bool = False,
    bare: bool = False,
) -> Record:
    """A record as cyvcf2 gives it, with the calls of the samples `ids`, in the columns `order` of the file.

    `bare` gives the calls of records without an ALT allele, too. Raises BadInput for calls of these samples that are
    not diploid, and for alleles that the record does not have.
    """
    where = f"{variant.CHROM}:{variant.POS}"
    ref, alt = alleles(variant)
    failed = variant.FILTER or ""
    fields = variant.CHROM, variant.POS, variant.ID or ".", ref, alt
    snp = ref in BASES and (alt in BASES or (bare and alt == "."))
    if not snp or (pass_only and failed):
        return Record(*fields, None, filter=failed)
    if "GT" not in variant.FORMAT:
        raise BadInput(path, f"no genotypes (GT) at {where}", CALLED)
    genotypes = variant.genotype.array()[order]  # alleles (-1 missing, -2 past a short call), and phase last
    calls = _diploid(path, genotypes, ids, where)
    if calls.max(initial=0) > 1:
        calls[(calls > 1) & (calls <= len(variant.ALT))] = -1  # an allele that has no name
        if calls.max() > 1:
            raise BadInput(path, f"a call at {where} names an allele that its record does not have", DAMAGED)
    loose = genotypes[:, -1] == 0
    if blocks is not None or loose.any():
        first, second = calls.T
        heterozygous = (first != second) & (first >= 0) & (second >= 0)
        loose &= heterozygous
        if blocks is not None:
            loose |= blocks.beyond(variant, order, heterozygous)
    unphased = ids[loose.argmax()] if loose.any() else ""
    if unphased and genotypes[loose.argmax(), -1]:
        unphased += ", in another phase set (PS) than before"
    return Record(*fields, calls, unphased, failed)


def _diploid(path: object, genotypes: np.ndarray, ids: Sequence[str], where: str) -> np.ndarray:
    """Calls, int8 (samples, 2): a lone "." is what many callers write for a missing diploid call."""
    calls = np.full((len(ids), 2), -1, np.int8)
    width = min(genotypes.shape[1] - 1, 2)
    calls[:, :width] = genotypes[:, :width]
    if genotypes.shape[1] == 3 and calls.min(initial=0) > -2:
        return calls
    alleles = (genotypes[:, :-1] > -2).sum(axis=1)
    wrong = (alleles > 2) | ((alleles == 1) & (genotypes[:, 0] >= 0))
    if wrong.any():
        first = int(wrong.argmax())
        few = f"{ids[first]} has {alleles[first]} allele{'' if alleles[first] == 1 else 's'}"
        fact = f"{int(wrong.sum())} of {len(ids)} samples have no diploid call at {where} ({few})"
        remedy = "leave them or this chromosome out, or make the calls diploid: `bcftools +fixploidy IN -Oz -o OUT`"
        raise NotDiploid(path, fact, remedy)
    return np.maximum(calls, -1)


def unreadable(path: object, last: str, error: Exception) -> BadInput:
    """The error for a VCF or BCF of which no more can be read after the place `last`."""
    import pysam

    with pysam.BGZFile(str(path)) as file:  # reads plain files, too
        version = re.match(rb"##fileformat=VCFv4\.(\d+)", file.readline())
    if version and int(version[1]) >= 4:
        remedy = "take them off: `gunzip -c IN | sed 's#\\t[|/]#\\t#g' | bcftools view -Oz -o OUT`"
        fact = f"cannot be read after {last}, perhaps for leading phase marks (|0|1, new in VCF 4.4)"
        return BadInput(path, fact, remedy)
    return BadInput(path, f"cannot be read after {last} ({error})", DAMAGED)
