"""Sequences: what generators with a likelihood model, one symbol per variant.

Where the store is phased a sequence is a haplotype, of which a sample has two (alphabet: the two alleles). Where it is
not, a sequence is the dosages of a sample (alphabet: 0, 1, 2). The sequences of sample i of a phased store are 2i and
2i + 1.
"""

import copy
from collections.abc import Iterator
from dataclasses import dataclass
from itertools import pairwise

import numpy as np

from syngeno.data.dosages import alt_counts
from syngeno.data.store import CHUNK, Store
from syngeno.errors import BadInput


@dataclass(frozen=True)
class Groups:
    """Which training sequences (`source`) model which of those to draw or judge (`asked`): indices into `names`."""

    names: list[str]
    source: np.ndarray
    asked: np.ndarray

    @property
    def sizes(self) -> np.ndarray:
        """How many training sequences each group has, int (groups,)."""
        return np.bincount(self.source, minlength=len(self.names))


def viewed(store: Store, space: str) -> Store:
    """The store by `haplotype`, BadInput where it is not phased, or by `genotype`, whose phase is not looked at.

    `auto` is `haplotype` where the store is phased.
    """
    if space == "haplotype" and not store.phased:
        fact = "is not phased (the logs of filter_variants say where), and has no haplotypes"
        raise BadInput(store.path, fact, "give the generator space: genotype, or the cohort phasing: always")
    view = copy.copy(store)
    view.phased = store.phased if space == "auto" else space == "haplotype"
    return view


def alphabet(store: Store) -> int:
    """How many symbols there are: 2 alleles, or 3 dosages where the store is unphased."""
    return 2 if store.phased else 3


def per_sample(store: Store) -> int:
    """How many sequences a sample has."""
    return 2 if store.phased else 1


def grouped(store: Store, label: np.ndarray, asked: np.ndarray, pooled: bool) -> Groups:
    """Groups by label, or a single group of all (`pooled`).

    `label` (n,) of the training samples, `asked` (m,) of those to be drawn or judged. Raises ValueError for a label
    that no training sample has.
    """
    label, asked, each = np.asarray(label, dtype=str), np.asarray(asked, dtype=str), per_sample(store)
    if pooled:
        return Groups(["all"], np.zeros(len(label) * each, int), np.zeros(len(asked) * each, int))
    names, source = np.unique(label, return_inverse=True)
    unknown = sorted(set(asked.tolist()) - set(names.tolist()))
    if unknown:
        raise ValueError(f"no training sample has the label {unknown[0]}")
    return Groups(names.tolist(), np.repeat(source, each), np.repeat(np.searchsorted(names, asked), each))


def chunks(store: Store, rows: np.ndarray) -> Iterator[np.ndarray]:
    """Symbols int8 (v, sequences) of samples (rows of the store), chunk by chunk; BadInput where a call is missing."""
    return (_symbols(store, calls) for calls in store.iterate(rows))


def between(store: Store, rows: np.ndarray, first: int, last: int) -> np.ndarray:
    """Sequences of samples at the variants from `first` to `last` (excluded); shape and errors as `chunks`."""
    return _symbols(store, store.calls(first, last)[:, rows])


def at(store: Store, rows: np.ndarray, sites: np.ndarray) -> np.ndarray:
    """Sequences of samples at some variants, sorted indices (s,): int8 (s, sequences); errors as `chunks`."""
    parts, first = [], 0
    for symbols in chunks(store, rows):
        own = sites[np.searchsorted(sites, first) : np.searchsorted(sites, first + len(symbols))]
        parts.append(symbols[own - first])
        first += len(symbols)
    return np.concatenate(parts)


def thinned(variants: int, most: int) -> np.ndarray:
    """At most so many variants, evenly spaced: sorted indices."""
    return np.unique(np.linspace(0, variants - 1, min(variants, most)).round().astype(np.int64))


def _symbols(store: Store, calls: np.ndarray) -> np.ndarray:
    calls = store.called(calls)
    return calls.reshape(len(calls), -1) if store.phased else alt_counts(calls)


def as_calls(store: Store, symbols: np.ndarray) -> np.ndarray:
    """Symbols (v, sequences) as calls int8 (v, samples, 2)."""
    if store.phased:
        return symbols.reshape(len(symbols), -1, 2).astype(np.int8)
    return np.stack([symbols == 2, symbols >= 1], axis=2).astype(np.int8)


def call_chunks(store: Store, symbols: np.ndarray) -> Iterator[np.ndarray]:
    """Symbols (variants, sequences) as calls, chunk by chunk."""
    for begin in range(0, len(symbols), CHUNK):
        yield as_calls(store, symbols[begin : begin + CHUNK])


def starts(store: Store) -> np.ndarray:
    """Mark the first variant of each chromosome, bool (V,)."""
    return np.r_[True, store.contig[1:] != store.contig[:-1]][: len(store)]


def chromosomes(store: Store) -> list[slice]:
    """Where the variants of each chromosome lie."""
    return [slice(*ends) for ends in pairwise([*np.flatnonzero(starts(store)).tolist(), len(store)])]


def stretches(store: Store, variants: int, each: int) -> list[slice]:
    """Places of `each` variants, so many in all, evenly along the store; all of it, if it has no more.

    A stretch that the end of a chromosome lies in is two.
    """
    chosen = np.arange(len(store))
    if variants < len(store):
        number = variants // each
        middle = (np.arange(number) + 0.5) * len(store) / number
        chosen = ((middle - each / 2).astype(int)[:, None] + np.arange(each)).ravel()
    begins = np.flatnonzero((np.diff(chosen, prepend=-2) > 1) | starts(store)[chosen])
    return [slice(int(part[0]), int(part[-1]) + 1) for part in np.split(chosen, begins[1:])]


def draw_symbols(rng: np.random.Generator, probability: np.ndarray) -> np.ndarray:
    """One symbol per sequence, int8 (n,), from the probabilities (n, alphabet) of its symbols."""
    above = rng.random(len(probability))[:, None] >= np.cumsum(probability[:, :-1], axis=1)
    return above.sum(axis=1, dtype=np.int8)
