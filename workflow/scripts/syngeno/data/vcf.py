"""The synthetic cohort as a VCF, bgzipped and indexed, and back."""

import itertools
import logging
import os
import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import cyvcf2
import numpy as np
import pysam

from syngeno.data.records import INDICES, Record, normal_contig, refuse_duplicates, unreadable
from syngeno.data.store import CHUNK, Sites
from syngeno.errors import BadInput
from syngeno.version import VERSION

log = logging.getLogger(__name__)

HEADER = f"""\
##fileformat=VCFv4.2
##source=syngeno {VERSION}
"""
FIELDS = """\
##INFO=<ID=AC,Number=A,Type=Integer,Description="ALT alleles in called genotypes">
##INFO=<ID=AN,Number=1,Type=Integer,Description="Alleles in called genotypes">
##INFO=<ID=AF,Number=A,Type=Float,Description="ALT allele frequency">
##FORMAT=<ID=GT,Number=1,Type=String,Description="Genotype">
"""
COLUMNS = ("#CHROM", "POS", "ID", "REF", "ALT", "QUAL", "FILTER", "INFO", "FORMAT")
ALLELE = np.frombuffer(b".01", dtype=np.uint8)  # by allele + 1


@dataclass(frozen=True, eq=False)
class Calls:
    """Called genotypes, `alleles` int8 (samples, 2, variants), none missing; `phased`: all heterozygotes are."""

    samples: list[str]
    alleles: np.ndarray
    phased: bool

    @property
    def dosages(self) -> np.ndarray:
        """Numbers of ALT alleles, int8 (samples, variants)."""
        return self.alleles[:, 0] + self.alleles[:, 1]

    def chunks(self) -> Iterator[np.ndarray]:
        """The calls int8 (v, samples, 2), chunk by chunk, for `write_vcf`."""
        for start in range(0, self.alleles.shape[2], CHUNK):
            yield self.alleles[:, :, start : start + CHUNK].transpose(2, 0, 1)


def synthetic_prefix(real: Iterable[str]) -> str:
    """How ids of synthetic samples begin: SYN, or SYN1_, SYN2_, .. where a real sample has such an id."""
    real = list(real)
    prefixes = itertools.chain(["SYN"], (f"SYN{number}_" for number in itertools.count(1)))
    return next(prefix for prefix in prefixes if not any(re.fullmatch(rf"{prefix}\d+", name) for name in real))


def synthetic_ids(n: int, prefix: str = "SYN") -> list[str]:
    """Ids of n synthetic samples: SYN000001, ...; they say nothing of a real sample."""
    return [f"{prefix}{number:06d}" for number in range(1, n + 1)]


def unphased_calls(dosages: np.ndarray) -> Iterator[np.ndarray]:
    """Dosages (samples, V) as calls int8 (v, samples, 2), chunk by chunk, for `write_vcf`."""
    for start in range(0, dosages.shape[1], CHUNK):
        alt = dosages[:, start : start + CHUNK].T
        yield np.stack([alt == 2, alt >= 1], axis=2).astype(np.int8)


def synthetic_line(run: Mapping[str, str], kind: str) -> str:
    """A line of the header that says that samples are synthetic, and of which cohort and generator.

    `run` has the generator's cohort, name, fraction and seed.
    """
    made = f'Cohort="{run["cohort"]}",Generator="{run["generator"]}",Kind="{kind}"'
    drawn = f"Fraction={run['fraction']},Seed={run['seed']}"
    return f'##SYNTHETIC=<ID=syngeno,{made},{drawn},Description="Synthetic samples">\n'


def write_vcf(
    path: str | Path,
    sites: Sites,
    samples: Sequence[str],
    chunks: Iterable[np.ndarray],
    phased: bool,
    about: str = "",
) -> None:
    """Write a bgzipped VCF and its index (see `whole`); both appear whole, or not at all. No FILTER is claimed.

    `chunks` yields calls int8 (v, samples, 2), -1 for missing, that follow the sites from first to last; the smaller
    allele of an unphased genotype comes first, so that their order means nothing. `about` are lines of the header on
    the samples. Same arguments, same bytes.
    """
    path, lengths = Path(path), sites.contig_lengths.items()
    contigs = [f"##contig=<ID={name}{f',length={size}' if size else ''}>\n" for name, size in lengths]
    head = HEADER + about + "".join(contigs) + FIELDS + "\t".join([*COLUMNS, *samples]) + "\n"
    done = 0
    with whole(path) as unfinished:
        with pysam.BGZFile(str(unfinished), "wb") as file:
            file.write(head.encode())
            for calls in chunks:
                if calls.shape[1:] != (len(samples), 2) or done + len(calls) > len(sites):
                    raise ValueError(
                        f"calls of shape {calls.shape} at {done} of {len(sites)} sites, {len(samples)} samples"
                    )
                file.write(_lines(sites, done, calls, phased))
                done += len(calls)
        if done != len(sites):
            raise ValueError(f"calls end after {done} of {len(sites)} sites")
    log.info(f"wrote {len(sites)} variants of {len(samples)} samples to {path}")


@contextmanager
def whole(path: str | Path) -> Iterator[Path]:
    """A hidden path for a bgzipped VCF; it and its index appear when the block ends, or not at all.

    The index is path + .tbi, or path + .csi where a position is beyond what a .tbi can hold (2^29).
    """
    path = Path(path)
    path.parent.mkdir(parents=True, exist_ok=True)
    unfinished = path.with_name(f".{path.name}.part")  # a fixed name: what a killed job leaves is overwritten
    try:
        yield unfinished
        suffix = index(unfinished)
        os.replace(unfinished, path)
        for other in INDICES:
            Path(f"{path}{other}").unlink(missing_ok=True)
        os.replace(f"{unfinished}{suffix}", f"{path}{suffix}")
    finally:
        for left in ("", *INDICES):
            Path(f"{unfinished}{left}").unlink(missing_ok=True)


def index(path: Path) -> str:
    """Index a bgzipped VCF; returns what its index ends in."""
    verbosity = pysam.set_verbosity(0)
    try:
        pysam.tabix_index(str(path), preset="vcf", force=True)
        return ".tbi"
    except OSError:
        pysam.tabix_index(str(path), preset="vcf", force=True, csi=True)
        return ".csi"
    finally:
        pysam.set_verbosity(verbosity)


def _lines(sites: Sites, first: int, calls: np.ndarray, phased: bool) -> bytes:
    if not phased:
        calls = np.sort(calls, axis=2)
    text = np.empty((*calls.shape[:2], 4), dtype=np.uint8)  # a genotype with its tab
    text[..., 0] = ord("\t")
    text[..., 1] = ALLELE[calls[..., 0] + 1]
    text[..., 2] = ord("|" if phased else "/")
    text[..., 3] = ALLELE[calls[..., 1] + 1]
    alt = (calls == 1).sum(axis=(1, 2)).tolist()
    called = (calls >= 0).sum(axis=(1, 2)).tolist()
    parts = []
    for row, (ac, an) in enumerate(zip(alt, called, strict=True)):
        site = first + row
        place = f"{sites.contig[site]}\t{sites.position[site]}\t{sites.id[site] or '.'}"
        info = f"AC={ac};AN={an};AF={f'{ac / an:.6g}' if an else '.'}"
        parts.append(f"{place}\t{sites.ref[site]}\t{sites.alt[site]}\t.\t.\t{info}\tGT".encode())
        parts.append(text[row].tobytes())
        parts.append(b"\n")
    return b"".join(parts)


def open_vcf(path: str | Path) -> tuple[cyvcf2.VCF, list[str]]:
    """Open a VCF or BCF, plain or compressed, and give its samples; `BadInput` where that cannot be."""
    if not Path(path).is_file():
        raise BadInput(path, "no such file", "check the path")
    try:
        vcf = cyvcf2.VCF(str(path))
        samples = [sample.strip() for sample in vcf.samples]
    except Exception as error:  # cyvcf2 raises bare Exceptions
        raise BadInput(path, f"cannot be read as a VCF ({error})", "give a VCF, BCF or PLINK .bed file") from error
    if not samples:
        raise BadInput(path, "has no samples", "give a VCF with one column for each sample")
    refuse_duplicates(path, samples, "rename them with `bcftools reheader --samples`")
    return vcf, samples


def variants(path: str | Path, vcf: cyvcf2.VCF, region: str | None = None) -> Iterator[cyvcf2.Variant]:
    """The records of an opened file (of a region, where it is indexed), which it closes; `BadInput` if damaged."""
    found, last = vcf if region is None else vcf(region), "its header"
    try:
        while True:
            try:
                variant = next(found)
            except StopIteration:
                return
            except Exception as error:
                raise unreadable(path, last, error) from error
            last = f"{variant.CHROM}:{variant.POS}"
            yield variant
    finally:
        vcf.close()


def places(sites: Sites) -> dict[tuple[str, int, str, str], int]:
    """Where each site stands, by (normal contig, position, REF, ALT)."""
    names = {name: normal_contig(name) for name in set(sites.contig.tolist())}
    rows = (sites.contig.tolist(), sites.position.tolist(), sites.ref.tolist(), sites.alt.tolist())
    return {(names[c], *rest): index for index, (c, *rest) in enumerate(zip(*rows, strict=True))}


def called(path: str | Path, record: Record) -> np.ndarray:
    """The calls of a record of a synthetic cohort, int8 (samples, 2); `BadInput` where one is missing."""
    missing = int((record.calls < 0).any(axis=1).sum())
    if missing:
        where = f"{path}, {record.contig}:{record.position}"
        raise BadInput(where, f"{missing} calls are missing", "fill or leave out samples and sites with missing calls")
    return record.calls
