"""Phases of a chromosome by Beagle: training samples among themselves, all others with these as the reference."""

import logging
import tempfile
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import numpy as np

from syngeno.data import genetic_map, vcf
from syngeno.data.beagle import Beagle
from syngeno.data.store import CHUNK, Sites, Store, write_like

log = logging.getLogger(__name__)

THREADS = 1  # by another number Beagle finds other phases
# Centimorgans beyond which variants might as well be farther apart. Beagle goes along windows that overlap by two, and
# fails where one holds a single variant.
FAR = 1.0
CONTIG = "1"  # stands for any name: Beagle refuses some


def phase(store: Store, split: np.ndarray, cm: np.ndarray, path: str | Path, *, seed: int, memory_mb: int) -> None:
    """Write the store of a chromosome anew with phased calls, one chunk of variants in memory at a time.

    `split`, str (samples,), says whose samples are phased together: those of "train", and each other part with these
    as the reference. So what a generator learns from does not depend on samples that are kept from it. `cm`
    (variants,) are places in centimorgans; `memory_mb` is Java's. Raises RuntimeError where Beagle fails.
    """
    if len(store) < 2:  # the alleles of one variant have no order that could be found
        rng = np.random.default_rng(seed)
        write_like(path, store, store.samples, (rng.permuted(calls, axis=2) for calls in store.iterate()), phased=True)
        return
    others = sorted(set(split.tolist()) - {"train"})
    groups = {name: np.flatnonzero(split == name) for name in ["train", *others]}
    with tempfile.TemporaryDirectory(prefix="syngeno-phasing-") as name:
        folder = Path(name)
        beagle, contig = Beagle(folder, seed, THREADS, memory_mb), np.full(len(store), CONTIG)
        near = np.minimum(np.diff(cm, prepend=cm[0]), FAR).cumsum()
        genetic_map.write_plink(folder / "map", contig, store.position, near)
        more = {}
        for group, rows in groups.items():
            _write(folder / f"{group}.vcf.gz", store, rows)
            if group != "train":
                more["ref"] = _out(folder, "train")
            beagle.run(gt=folder / f"{group}.vcf.gz", out=_out(folder, group, ""), map=folder / "map", **more)
            log.info("phased %d samples (%s)", len(rows), group)
        found = _chunks([(_out(folder, group), rows) for group, rows in groups.items()], store)
        write_like(path, store, store.samples, found, phased=True)


def _out(folder: Path, group: str, end: str = ".vcf.gz") -> Path:
    return folder / f"phased_{group}{end}"


def _write(path: Path, store: Store, rows: np.ndarray) -> None:
    """Some samples, by numbers: Beagle refuses ids that are in the reference, too, and odd ones."""
    names = {"contig": np.full(len(store), CONTIG), "contig_lengths": {CONTIG: 0}, "id": np.full(len(store), ".")}
    sites: Sites = replace(store.sites(), **names)
    vcf.write_vcf(path, sites, [f"S{row}" for row in rows], store.iterate(rows), phased=False)


def _chunks(parts: list[tuple[Path, np.ndarray]], store: Store) -> Iterator[np.ndarray]:
    """Calls of all samples (v, samples, 2), of files that hold those of some rows each."""
    readers = []
    for path, _ in parts:
        vcf.index(path)  # tells htslib the contigs, which Beagle does not declare
        readers.append(vcf.variants(path, vcf.open_vcf(path)[0]))
    for start in range(0, len(store), CHUNK):
        position = store.position[start : start + CHUNK]
        calls = np.empty((len(position), len(store.samples), 2), np.int8)
        for here, expected in zip(calls, position, strict=True):
            for (path, rows), records in zip(parts, readers, strict=True):
                record = next(records, None)
                if record is None or expected != record.POS:
                    raise RuntimeError(f"Beagle left out the variant at {expected} ({path.name})")
                here[rows] = record.genotype.array()[:, :2]
        yield calls
