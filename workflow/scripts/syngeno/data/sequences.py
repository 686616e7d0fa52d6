"""Sequences: what the likelihood-based controls model, one symbol per variant.

Where the store is phased a sequence is a haplotype, of which a person has two, drawn independently from the
person's label (alphabet: the two alleles). Where it is not, a sequence is the person's dosages (alphabet: 0, 1,
2). The sequences of person i of a phased store are 2i and 2i + 1.
"""

import copy
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from syngeno.data.store import CHUNK, Store, indices
from syngeno.errors import BadInput

SPACES = ("haplotype", "genotype")


@dataclass(frozen=True)
class Groups:
    """Which sequences learn from which: `names` of the groups, the group of each sequence that is learnt from
    (`source`) and of each that is asked for (`asked`), as indices into `names`.
    """

    names: list[str]
    source: np.ndarray
    asked: np.ndarray

    @property
    def sizes(self) -> np.ndarray:
        """How many sequences each group learns from, int (groups,)."""
        return np.bincount(self.source, minlength=len(self.names))


def viewed(store: Store, space: str) -> Store:
    """The store as the space sees it: haplotypes, or genotypes whose phase is not looked at.

    Raises BadInput for haplotypes of a store that is not phased, ValueError for another space.
    """
    if space not in SPACES:
        raise ValueError(f"space {space!r}; there are {SPACES}")
    if space == "haplotype" and not store.phased:
        raise BadInput(store.path, "is not phased, and has no haplotypes", "give the generator space: genotype")
    seen = copy.copy(store)
    seen.phased = space == "haplotype"
    return seen


def alphabet(store: Store) -> int:
    """How many symbols there are: 2 alleles, or 3 dosages where the store is unphased."""
    return 2 if store.phased else 3


def per_person(store: Store) -> int:
    """How many sequences a person has."""
    return 2 if store.phased else 1


def grouped(store: Store, label: np.ndarray, asked: np.ndarray, pooled: bool) -> Groups:
    """Groups by label, or a single group of all (`pooled`).

    `label` (people,) of those who are learnt from, `asked` (people,) of those to be drawn or judged. Raises
    ValueError for a label that nobody can be learnt from.
    """
    label, asked, copies = np.asarray(label, dtype=str), np.asarray(asked, dtype=str), per_person(store)
    if not len(label):
        raise ValueError("there is nobody to learn from")
    if pooled:
        zeros = np.zeros(len(label) * copies, int), np.zeros(len(asked) * copies, int)
        return Groups(["all"], *zeros)
    names, source = np.unique(label, return_inverse=True)
    unknown = sorted(set(asked.tolist()) - set(names.tolist()))
    if unknown:
        raise ValueError(f"no training person has the label {unknown[0]}")
    return Groups(names.tolist(), np.repeat(source, copies), np.repeat(np.searchsorted(names, asked), copies))


def chunks(store: Store, people: np.ndarray) -> Iterator[np.ndarray]:
    """Sequences of these people, symbols int8 (v, sequences), chunk by chunk in the store's order.

    Raises BadInput where a call is missing.
    """
    for calls in store.iterate(people):
        yield _symbols(store, calls)


def between(store: Store, people: np.ndarray, first: int, last: int) -> np.ndarray:
    """Sequences of these people at the variants from `first` to `last` (excluded); shape and errors as `chunks`."""
    return _symbols(store, store.calls(first, last)[:, indices(people, len(store.samples))])


def at(store: Store, people: np.ndarray, sites: np.ndarray) -> np.ndarray:
    """Sequences of these people at some variants, sorted indices (s,): int8 (s, sequences); errors as `chunks`."""
    found, first = [], 0
    for symbols in chunks(store, people):
        own = sites[np.searchsorted(sites, first) : np.searchsorted(sites, first + len(symbols))]
        found.append(symbols[own - first])
        first += len(symbols)
    return np.concatenate(found)


def thinned(variants: int, most: int) -> np.ndarray:
    """At most so many variants, evenly spaced: sorted indices."""
    return np.unique(np.linspace(0, variants - 1, min(variants, most)).round().astype(np.int64))


def _symbols(store: Store, calls: np.ndarray) -> np.ndarray:
    if calls.size and calls.min() < 0:
        raise BadInput(store.path, "holds missing calls", "make it with the prepare stage, which fills them")
    return calls.reshape(len(calls), -1) if store.phased else calls.sum(axis=2, dtype=np.int8)


def as_calls(store: Store, symbols: np.ndarray) -> np.ndarray:
    """Symbols (v, sequences) as the calls int8 (v, people, 2) that a VCF is written from."""
    if store.phased:
        return symbols.reshape(len(symbols), -1, 2).astype(np.int8)
    return np.stack([symbols == 2, symbols >= 1], axis=2).astype(np.int8)


def call_chunks(store: Store, symbols: np.ndarray) -> Iterator[np.ndarray]:
    """Symbols (variants, sequences) as calls, chunk by chunk."""
    for begin in range(0, len(symbols), CHUNK):
        yield as_calls(store, symbols[begin : begin + CHUNK])


def gathered(shards: Sequence[str | Path]) -> tuple[np.ndarray, np.ndarray]:
    """Labels (people,) and symbols int8 (variants, sequences) of all shards (.npz), of which one is held at a time."""
    labels = [np.load(path)["label"] for path in shards]
    people, symbols, first = sum(map(len, labels)), None, 0
    for path, label in zip(shards, labels, strict=True):
        part = np.load(path)["symbols"]
        if symbols is None and len(label):
            symbols = np.empty((len(part), people * (part.shape[1] // len(label))), np.int8)
        if len(label):
            symbols[:, first : first + part.shape[1]] = part
            first += part.shape[1]
    return np.concatenate(labels), symbols


def starts(store: Store) -> np.ndarray:
    """Mark the first variant of each chromosome, bool (V,)."""
    return np.r_[True, store.contig[1:] != store.contig[:-1]][: len(store)]


def draw_symbols(rng: np.random.Generator, probability: np.ndarray) -> np.ndarray:
    """One symbol per sequence, int8 (n,), from the probabilities (n, alphabet) of its symbols."""
    above = rng.random(len(probability))[:, None] >= np.cumsum(probability[:, :-1], axis=1)
    return above.sum(axis=1, dtype=np.int8)
