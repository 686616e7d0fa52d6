"""PLINK 1 filesets (.bed, .bim, .fam), read contig by contig as records."""

from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from functools import cached_property
from pathlib import Path

import numpy as np
import pandas as pd
from bed_reader import open_bed

from syngeno.data.records import BASES, DAMAGED, Record, columns, refuse_duplicates, spellings
from syngeno.errors import BadInput

BED_MAGIC = b"\x6c\x1b"
CHUNK_BYTES = 32 << 20  # of a .bed, decoded


@dataclass
class PlinkSource:
    """A PLINK 1 fileset; the .bim's first allele (A1) is ALT, the second (A2) is REF; calls are unphased."""

    path: Path
    samples: list[str]
    contigs: list[str]
    contig_lengths: dict[str, int]
    sites: pd.DataFrame = field(repr=False)
    families: pd.DataFrame = field(repr=False)  # of the .fam, as text: family, sample, father, mother, ..

    @property
    def counts(self) -> dict[str, int | None]:
        """See Source."""
        return self.sites["contig"].value_counts().to_dict()

    def records(
        self, contig: str, samples: Sequence[str] | None = None, *, pass_only: bool = False
    ) -> Iterator[Record]:
        """See Source; there is no FILTER."""
        order = columns(self.path, self.samples, samples)
        step = max(CHUNK_BYTES // (2 * len(self.samples)), 1)
        for name in spellings(contig, self.contigs):
            yield from self._rows(np.flatnonzero(self.sites["contig"].to_numpy() == name), order, step)

    def spread(
        self, contig: str, samples: Sequence[str] | None, spacing: int, *, pass_only: bool = False
    ) -> Iterator[Iterator[Record]]:
        """See Source."""
        order = columns(self.path, self.samples, samples)
        for name in spellings(contig, self.contigs):
            rows = np.flatnonzero(self.sites["contig"].to_numpy() == name)
            _, first = np.unique(self.sites["position"].to_numpy()[rows] // spacing, return_index=True)
            for window in np.split(rows, first[1:]):
                yield self._rows(window, order, 1)

    def has(self, contig: str, position: int) -> bool:
        """See Source."""
        return any((name, position) in self._positions for name in spellings(contig, self.contigs))

    @cached_property
    def _positions(self) -> set[tuple[str, int]]:
        return set(zip(self.sites["contig"].tolist(), self.sites["position"].tolist(), strict=True))

    def _rows(self, rows: np.ndarray, order: np.ndarray, step: int) -> Iterator[Record]:
        """The records of these rows of the .bim, `step` of them read at a time."""
        table = np.array([[0, 0], [0, 1], [1, 1], [-1, -1]], np.int8)
        with open_bed(self.path, iid_count=len(self.samples), sid_count=len(self.sites), num_threads=1) as bed:
            for start in range(0, len(rows), step):
                piece = rows[start : start + step]
                dosages = bed.read(np.s_[:, piece], dtype="int8").T[:, order]  # -127 is missing
                for site, dosage in zip(self.sites.iloc[piece].itertuples(index=False), dosages, strict=True):
                    fields = site.contig, site.position, site.id, site.ref, site.alt
                    if site.ref not in BASES or site.alt not in BASES | {"."}:
                        yield Record(*fields, None)
                        continue
                    heterozygous = np.flatnonzero(dosage == 1)
                    unphased = self.samples[order[heterozygous[0]]] if len(heterozygous) else ""
                    yield Record(*fields, table[np.where(dosage < 0, 3, dosage)], unphased)


def open_plink(path: Path) -> PlinkSource:
    """Open a .bed and check it against its .bim and .fam; raises BadInput."""
    bim, fam = path.with_suffix(".bim"), path.with_suffix(".fam")
    with path.open("rb") as file:
        magic = file.read(3)
    if magic[:2] != BED_MAGIC:
        raise BadInput(path, "is not a PLINK 1 .bed file (by its first bytes)", "use `plink2 --make-bed`")
    if magic[2:] != b"\1":
        raise BadInput(path, "is sample-major, an outdated order", "rewrite it with `plink --make-bed`")
    for beside in (bim, fam):
        if not beside.is_file():
            raise BadInput(beside, f"no such file (part of {path.name})", "put .bed, .bim and .fam into one folder")
    families = _read_columns(fam, ["family", "sample", "father", "mother", "sex", "phenotype"])
    sites = _read_columns(bim, ["contig", "id", "morgan", "position", "alt", "ref"])
    samples, size = families["sample"].tolist(), path.stat().st_size
    expected = 3 + len(sites) * -(-len(samples) // 4)
    if size != expected:
        fact = f"is {size} bytes long where {len(samples)} samples x {len(sites)} variants take {expected}"
        raise BadInput(path, fact, "it breaks off, or .bim or .fam belong to another file: " + DAMAGED)
    refuse_duplicates(fam, samples, "make the second column unique (`plink2 --update-ids`)")
    return PlinkSource(path, samples, *_plink_sites(bim, sites), families)


def _read_columns(path: Path, columns: list[str]) -> pd.DataFrame:
    try:
        table = pd.read_csv(path, sep=r"\s+", header=None, dtype=str, keep_default_na=False)
    except ValueError as error:  # pandas' errors of parsing and of text encoding too
        fact = f"cannot be read ({' '.join(str(error).split())})"
        raise BadInput(path, fact, "make it with `plink2 --make-bed`") from error
    if table.shape[1] != len(columns) or (table == "").any(axis=None):
        fact = f"does not hold {len(columns)} columns in every line"
        raise BadInput(path, fact, "make it with `plink2 --make-bed`")
    return table.set_axis(columns, axis=1)


def _plink_sites(bim: Path, sites: pd.DataFrame) -> tuple[list[str], dict[str, int], pd.DataFrame]:
    """Check and convert the .bim."""
    remedy = "sort it with `plink2 --make-pgen --sort-vars`, then `plink2 --make-bed`"
    try:
        position = sites["position"].astype(np.int64)
    except ValueError as error:
        raise BadInput(bim, f"has a position that is no number ({error})", "mend the fourth column") from error
    contig = sites["contig"].to_numpy(str)
    starts = np.flatnonzero(np.r_[True, contig[1:] != contig[:-1]])
    runs = contig[starts].tolist()
    again = [name for name, count in Counter(runs).items() if count > 1]
    if again:
        raise BadInput(bim, f"is not sorted: contig {again[0]} comes again after another", remedy)
    back = (np.diff(position) < 0) & (contig[1:] == contig[:-1])
    if back.any():
        row = int(back.argmax())
        fact = f"is not sorted: {contig[row]}:{position[row + 1]} follows {contig[row]}:{position[row]}"
        raise BadInput(bim, fact, remedy)
    alleles = {column: sites[column].str.upper().replace("0", ".") for column in ("ref", "alt")}
    _refuse_codes(bim, alleles["ref"], alleles["alt"])
    return runs, {}, sites.assign(position=position, **alleles)


def _refuse_codes(bim: Path, ref: pd.Series, alt: pd.Series) -> None:
    """Raise BadInput where alleles are coded as numbers or as A and B, at every variant."""
    codes = sorted({*ref, *alt} & set("1234B"))
    if codes and not (ref.isin(BASES) & alt.isin(BASES)).any():
        remedy = (
            "name them: `plink2 --bfile IN --update-alleles TABLE --make-bed --out OUT`, where TABLE has a line for "
            "each variant, such as `rs123 1 2 A G` (id, alleles, bases)"
        )
        raise BadInput(bim, f"codes alleles as {' and '.join(codes)}, not as bases (A, C, G, T)", remedy)
