"""The synthetic cohort as a VCF, bgzipped and indexed, and back."""

import logging
import os
from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import cyvcf2
import numpy as np
import pysam

from syngeno.data.records import normal_contig
from syngeno.data.store import CHUNK, Sites
from syngeno.errors import BadInput

log = logging.getLogger(__name__)

HEADER = """\
##fileformat=VCFv4.2
##FILTER=<ID=PASS,Description="All filters passed">
##source=syngeno
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


def synthetic_ids(n: int) -> list[str]:
    """Ids of n synthetic samples: SYN000001, ...; they say nothing of a real sample."""
    return [f"SYN{number:06d}" for number in range(1, n + 1)]


def unphased_calls(dosages: np.ndarray) -> Iterator[np.ndarray]:
    """Dosages (samples, V) as calls int8 (v, samples, 2), chunk by chunk, for `write_vcf`."""
    for start in range(0, dosages.shape[1], CHUNK):
        alt = dosages[:, start : start + CHUNK].T
        yield np.stack([alt == 2, alt >= 1], axis=2).astype(np.int8)


def write_vcf(
    path: str | Path, sites: Sites, samples: Sequence[str], chunks: Iterable[np.ndarray], phased: bool
) -> None:
    """Write a bgzipped VCF and its tabix index (path + .tbi); both appear whole, or not at all.

    `chunks` yields calls int8 (v, samples, 2), -1 for missing, that follow the sites from first to last; the smaller
    allele of an unphased genotype comes first, so that their order means nothing. Same arguments, same bytes.
    """
    path, lengths = Path(path), sites.contig_lengths.items()
    contigs = [f"##contig=<ID={name}{f',length={size}' if size else ''}>\n" for name, size in lengths]
    head = HEADER + "".join(contigs) + FIELDS + "\t".join([*COLUMNS, *samples]) + "\n"
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
    """A hidden path for a bgzipped VCF; it and its index (path + .tbi) appear when the block ends, or not at all."""
    path = Path(path)
    path.parent.mkdir(parents=True, exist_ok=True)
    unfinished = path.with_name(f".{path.name}.part")  # a fixed name: what a killed job leaves is overwritten
    try:
        yield unfinished
        pysam.tabix_index(str(unfinished), preset="vcf", force=True)
        os.replace(unfinished, path)
        os.replace(f"{unfinished}.tbi", f"{path}.tbi")
    finally:
        unfinished.unlink(missing_ok=True)
        Path(f"{unfinished}.tbi").unlink(missing_ok=True)


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
        parts.append(f"{place}\t{sites.ref[site]}\t{sites.alt[site]}\t.\tPASS\t{info}\tGT".encode())
        parts.append(text[row].tobytes())
        parts.append(b"\n")
    return b"".join(parts)


def open_vcf(path: str | Path) -> tuple[cyvcf2.VCF, list[str]]:
    """Open a VCF or BCF, plain or compressed, and give its samples; `BadInput` where that cannot be."""
    if not Path(path).is_file():
        raise BadInput(path, "no such file", "check the path")
    try:
        vcf = cyvcf2.VCF(str(path))
    except Exception as error:  # cyvcf2 raises bare Exceptions
        raise BadInput(path, f"cannot be read as a VCF ({error})", "give a VCF or BCF") from error
    samples = list(vcf.samples)
    if not samples or len(set(samples)) < len(samples):
        raise BadInput(path, "has no samples, or some twice", "give a VCF with one column for each sample")
    return vcf, samples


def records(path: str | Path, vcf: cyvcf2.VCF, region: str | None = None) -> Iterator[cyvcf2.Variant]:
    """The records of an opened file (of a region, where it is indexed), which it closes; `BadInput` if damaged."""
    found = vcf if region is None else vcf(region)
    try:
        while True:
            try:
                variant = next(found)
            except StopIteration:
                return
            except Exception as error:
                raise BadInput(path, f"is damaged ({error})", "make the file again") from error
            yield variant
    finally:
        vcf.close()


def places(sites: Sites) -> dict[tuple[str, int, str, str], int]:
    """Where each site stands, by (normal contig, position, REF, ALT)."""
    names = {name: normal_contig(name) for name in set(sites.contig.tolist())}
    rows = (sites.contig.tolist(), sites.position.tolist(), sites.ref.tolist(), sites.alt.tolist())
    return {(names[c], *rest): index for index, (c, *rest) in enumerate(zip(*rows, strict=True))}


def variant_key(variant: cyvcf2.Variant) -> tuple[str, int, str, str]:
    """What `places` looks a record up by; several ALT alleles are joined by commas."""
    return normal_contig(variant.CHROM), variant.POS, variant.REF, ",".join(variant.ALT)


def diploid(path: str | Path, variant: cyvcf2.Variant) -> tuple[np.ndarray, bool]:
    """Alleles int8 (samples, 2) of a biallelic record, and whether all its heterozygotes are phased.

    Raises `BadInput` for calls that are missing, not diploid, or of an allele that is not there.
    """
    where = f"{path}, {variant.CHROM}:{variant.POS}"
    genotype = variant.genotype if "GT" in variant.FORMAT else None
    calls = None if genotype is None else genotype.array()
    if calls is None or calls.shape[1] != 3 or (calls[:, :2] == -2).any():
        raise BadInput(where, "calls are absent or not diploid", "give two alleles (GT) for every sample")
    alleles = calls[:, :2]
    missing = int((alleles < 0).any(axis=1).sum())
    if missing:
        raise BadInput(where, f"{missing} calls are missing", "fill or leave out samples and sites with missing calls")
    if alleles.max() > 1:
        raise BadInput(where, "a call names an allele that is not there", "make the file again")
    loose = (calls[:, 2] == 0) & (alleles[:, 0] != alleles[:, 1])
    return alleles.astype(np.int8), not loose.any()
