"""Which variants of a contig are kept, and what fills a missing call; decided by training samples alone."""

import heapq
import itertools
import logging
import zlib
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from typing import TYPE_CHECKING

import numpy as np

from syngeno.data.records import normal_contig
from syngeno.data.store import CHUNK, StoreWriter
from syngeno.errors import BadInput
from syngeno.stats.diversity import hwe_exact

if TYPE_CHECKING:
    from syngeno.data.records import Record, Source

log = logging.getLogger(__name__)

# read = all of these up to kept, each record counted once, by the first filter that takes it.
COUNTS = (
    "read", "unplaced", "filter", "not_snp", "multiallelic", "duplicate", "exchanged", "call_rate", "maf", "hwe",
    "kept", "filled_calls",
)  # fmt: skip
REMEDIES = {
    "unplaced": "give the variants their positions (POS is 0)",
    "filter": "set `pass_only: false` to take them, or give variants whose FILTER is PASS",
    "not_snp": "give a file with biallelic SNPs",
    "multiallelic": "split or merge its records before, so that each position holds one SNP",
    "duplicate": "give each file once",
    "exchanged": "give each file once",
    "call_rate": "lower `call_rate`, or give fuller genotypes",
    "maf": "lower `maf`",
    "hwe": "lower `hwe`, or set it to 0",
}


def filter_contig(
    sources: Sequence["Source"],
    contig: str,
    samples: Sequence[str],
    train: np.ndarray,
    label: np.ndarray,
    *,
    seed: int,
    writer: StoreWriter,
    pass_only: bool = False,
    haplotypes: bool = False,
    **thresholds: float | None,
) -> dict[str, int]:
    """Filter one contig of one or more sources into an open store; returns how many records each filter took.

    `samples` are those wanted, in the wanted order, and every source must have them; `train` (bool) and `label` are
    aligned with them. Thresholds, off where None or 0, look at training samples only: `call_rate`, the least share of
    called samples; `maf`, the least minor allele frequency; `hwe`, the least p value of the exact test, within each
    label. A variant at which no training sample is called counts under `call_rate`. `pass_only` leaves out what a
    FILTER marks. With `haplotypes`, calls without phase are refused (BadInput), which names the site.

    The same variant met again, also with REF and ALT exchanged, is taken once, positions with differing alleles are
    dropped. Missing alleles are drawn as `fill` does. The writer must have the contig; its `phased` is set. One chunk
    of variants is held at a time.
    """
    train, label = np.flatnonzero(train), np.asarray(label)
    groups = [np.flatnonzero(label[train] == value) for value in np.unique(label[train])]
    counts = dict.fromkeys(COUNTS, 0)
    phased = True
    snps = biallelic_snps(sources, contig, samples, counts, pass_only)
    while batch := list(itertools.islice(snps, CHUNK)):
        calls = np.stack([record.calls for record, _ in batch]).astype(np.int8)
        frequency, kept = _judge(calls[:, train], groups, counts, **thresholds)
        batch = [pair for pair, keep in zip(batch, kept, strict=True) if keep]
        if not batch:
            continue
        if phased and (loose := next((pair for pair in batch if pair[0].unphased), None)):
            if haplotypes:
                raise not_phased(*loose)
            phased = False
            log.info(f"contig {contig} is taken as unphased, first at {loose[0].position} ({loose[0].unphased})")
        records = [record for record, _ in batch]
        position = np.array([record.position for record in records])
        calls = calls[kept]
        counts["filled_calls"] += fill(calls, frequency[kept], position, contig, seed)
        counts["kept"] += len(records)
        names, ref, alt = np.array([(record.id, record.ref, record.alt) for record in records]).T
        writer.append(position, names, ref, alt, calls, contig=contig)
    writer.phased = phased
    log.info(f"contig {contig}: " + ", ".join(f"{name} {count}" for name, count in counts.items()))
    return counts


def not_phased(record: "Record", path: object) -> BadInput:
    """The error for a record of a file without phase, where a generator draws haplotypes."""
    fact = f"is not phased at {record.contig}:{record.position} ({record.unphased})"
    remedy = (
        "phase it (`phasing: auto` does, with Beagle), or set `space: genotype` for that generator; few such calls can "
        "be set to missing: `bcftools +setGT "
        """IN -Oz -o OUT -- -t q -n . -i 'GT="het" & GT~"/"'`"""
    )
    return BadInput(path, f"{fact}, and a generator of the run draws haplotypes", remedy)


def biallelic_snps(
    sources: Sequence["Source"],
    contig: str,
    samples: Sequence[str],
    counts: dict[str, int],
    pass_only: bool = False,
) -> Iterator[tuple["Record", object]]:
    """The biallelic SNPs of one contig with the calls of the samples, by position, each once, beside its file's path.

    All records are counted under "read" in `counts`, and those left out under what they are left out for. Raises
    BadInput for a source that lacks one of the samples.
    """
    failed = Counter()
    streams = [
        zip(source.records(contig, samples, pass_only=pass_only), itertools.repeat(source.path)) for source in sources
    ]
    records = heapq.merge(*streams, key=lambda pair: pair[0].position)
    for position, here in itertools.groupby(records, key=lambda pair: pair[0].position):
        distinct: dict[tuple[str, str], tuple[Record, object]] = {}
        for pair in here:
            record, _ = pair
            alleles = (record.ref, record.alt)
            counts["read"] += 1
            if position < 1:
                counts["unplaced"] += 1
            elif pass_only and record.filter:
                counts["filter"] += 1
                failed[record.filter] += 1
            elif alleles in distinct:
                counts["duplicate"] += 1
            elif alleles[::-1] in distinct:
                counts["exchanged"] += 1
            else:
                distinct[alleles] = pair
        if not distinct:
            continue
        record, _ = pair = next(iter(distinct.values()))
        if len(distinct) > 1 or "," in record.alt:
            counts["multiallelic"] += len(distinct)
        elif record.calls is None or {record.ref, record.alt} - set("ACGT"):
            counts["not_snp"] += 1
        else:
            yield pair
    if failed:
        named = ", ".join(f"{name} {count}" for name, count in failed.most_common(10))
        log.warning("contig %s: left out by their FILTER (`pass_only: false` takes them): %s", contig, named)


def _judge(
    calls: np.ndarray, groups: list[np.ndarray], counts: dict[str, int], call_rate: float, maf: float, hwe: float
) -> tuple[np.ndarray, np.ndarray]:
    """ALT frequency (v,) and which variants are kept (v,), by training samples; what is dropped is added to counts."""
    # Sums over a last axis of two are slow, so alleles are taken in one row, or one by one.
    row = calls.reshape(len(calls), -1)
    alleles, alt = (row >= 0).sum(axis=1), (row == 1).sum(axis=1)
    with np.errstate(invalid="ignore"):
        frequency, rarer = alt / alleles, np.minimum(alt, alleles - alt) / alleles
    first, second = calls[:, :, 0], calls[:, :, 1]
    called = (first >= 0) & (second >= 0)
    kept = np.ones(len(calls), dtype=bool)

    def drop(name: str, failing: np.ndarray) -> None:
        counts[name] += int((kept & failing).sum())
        kept[failing] = False

    drop("call_rate", alleles == 0)
    if call_rate:
        drop("call_rate", called.mean(axis=1) < call_rate)
    if maf:
        drop("maf", rarer < maf)
    if hwe:
        dosage = np.where(called, first + second, -1)
        for group in groups:
            drop("hwe", hwe_exact(*((dosage[:, group] == g).sum(axis=1) for g in (0, 1, 2))) < hwe)
    return frequency, kept


def fill(calls: np.ndarray, frequency: np.ndarray, position: np.ndarray, contig: str, seed: int) -> int:
    """Fill missing alleles of calls (v, samples, 2), in place, by draws of ALT frequency (v,); how many calls.

    Every sample has a draw of its own at every variant, used only where it is needed, so that one sample's
    missing call does not shift the draws of the others.
    """
    missing = calls < 0
    for site in np.flatnonzero(missing.reshape(len(calls), -1).any(axis=1)):
        rng = np.random.default_rng([seed, zlib.crc32(normal_contig(contig).encode()), int(position[site])])
        drawn = rng.random(calls.shape[1:]) < frequency[site]
        calls[site][missing[site]] = drawn[missing[site]]
    return int((missing[:, :, 0] | missing[:, :, 1]).sum())


def explain_empty(counts: Mapping[str, int]) -> BadInput:
    """The error for a cohort of which no variant is left: names the filter that took most, and what to do."""
    if not counts["read"]:
        return BadInput("filters", "the genotypes hold no variant", "check `genotypes:` and `chromosomes:`")
    worst = max(REMEDIES, key=lambda name: counts.get(name, 0))
    fact = f"no variant is left of {counts['read']}: `{worst}` took {counts.get(worst, 0)}"
    return BadInput("filters", fact, REMEDIES[worst])
