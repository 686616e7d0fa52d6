"""People as mosaics of founders: what a person's sequences look like before anything is known but the label.

    p0(person | label) = sum over ancestries c of the label: share(c) * product over the person's sequences and the
    chromosomes of p(sequence | founders, arrivals of c)

A person has one ancestry (see ancestry.py), from which all of the person's sequences arrive at founders (see
founders.py). Sequences are haplotypes, or dosages where phase is unknown or not to be looked at.
"""

import logging
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from zipfile import BadZipFile

import numpy as np

from syngeno import ancestry, founders, hmm, sequences
from syngeno.errors import BadInput
from syngeno.hmm import Founders
from syngeno.store import Store

log = logging.getLogger(__name__)

SITES = 20_000  # that ancestry is read off
FORMAT = "syngeno mosaics 1"


@dataclass(frozen=True)
class Mosaics:
    """Founders of each chromosome, in order, their arrivals by ancestry; `label`, `share` (C,) of the ancestries.

    `alphabet` 2: haplotypes, two of a person; 3: dosages, one sequence of a person.
    """

    chromosomes: list[Founders]
    label: np.ndarray
    share: np.ndarray
    alphabet: int

    @property
    def copies(self) -> int:
        """Sequences of a person."""
        return 2 if self.alphabet == 2 else 1

    @property
    def variants(self) -> int:
        """Variants of all chromosomes."""
        return sum(one.variants for one in self.chromosomes)

    @property
    def segments(self) -> int:
        """Segments of all chromosomes."""
        return sum(len(one.leave) for one in self.chromosomes)

    def parts(self) -> Iterator[tuple[Founders, slice, slice]]:
        """Founders of each chromosome, and where its variants and its segments lie among all."""
        variant = segment = 0
        for one in self.chromosomes:
            yield one, slice(variant, variant + one.variants), slice(segment, segment + len(one.leave))
            variant, segment = variant + one.variants, segment + len(one.leave)

    def ancestries(self, label: np.ndarray, rng: np.random.Generator) -> np.ndarray:
        """An ancestry for each label (n,), drawn by its share: codes (n,). ValueError for an unknown label."""
        label = np.asarray(label, dtype=str)
        drawn = np.empty(len(label), np.int64)
        for name in np.unique(label).tolist():
            known = np.flatnonzero(self.label == name)
            if not len(known):
                raise ValueError(f"no training person has the label {name}")
            own = np.flatnonzero(label == name)
            share = self.share[known] / self.share[known].sum()
            drawn[own] = rng.choice(known, len(own), p=share)
        return drawn


def learn(
    store: Store,
    people: np.ndarray,
    label: np.ndarray,
    validation: np.ndarray,
    validation_label: np.ndarray,
    *,
    founders_per_chromosome: int,
    segment: int,
    ancestry_size: int,
    seed: int,
) -> Mosaics:
    """Learn ancestries and founders from people (rows of the store) with labels (people,).

    `founders_per_chromosome` and `segment` as in founders.py, whose shrinkage validation people choose;
    `ancestry_size` as the size in ancestry.py. The store comes from `sequences.viewed`.
    """
    alphabet, copies = sequences.alphabet(store), sequences.per_person(store)
    classes = ancestry.divide(_dosages(store, people), label, ancestry_size, seed)
    log.info("%d ancestries within %d labels", len(classes.label), len(np.unique(classes.label)))
    sizes = {"founders": founders_per_chromosome, "segment": segment}
    asked = validation, validation_label
    settings = {}
    if len(validation):
        settings = founders.tune(store, people, label, *asked, seed=seed, **sizes)
        del settings["start"]
    source = np.repeat(classes.of, copies)
    groups = sequences.Groups(classes.label.tolist(), source, source)
    fitted = [one for _, _, one in founders.by_chromosome(store, people, groups, start=seed, **sizes, **settings)]
    return Mosaics(fitted, classes.label, classes.share, alphabet)


def draw(mosaics: Mosaics, ancestry: np.ndarray, rng: np.random.Generator) -> np.ndarray:
    """People of these ancestries (n,): symbols int8 (variants, copies * n)."""
    group = np.repeat(ancestry, mosaics.copies)
    return np.concatenate([hmm.walk(one, group, rng) for one in mosaics.chromosomes])


def complete(
    mosaics: Mosaics,
    symbols: np.ndarray,
    visible: np.ndarray,
    ancestry: np.ndarray,
    times: int,
    rng: np.random.Generator,
) -> np.ndarray:
    """Draw what is hidden of people given what is visible, `times` for each: int8 (variants, times * copies * n).

    `symbols` (variants, copies * n), `visible` bool (segments, copies * n), `ancestry` (n,). The draws of sequence i
    are the columns from times * i on.
    """
    group = np.repeat(ancestry, mosaics.copies)
    return np.concatenate(
        [
            hmm.complete(one, symbols[variants], visible[segments], group, times, rng)
            for one, variants, segments in mosaics.parts()
        ]
    )


def log_probability(mosaics: Mosaics, store: Store, people: np.ndarray, label: np.ndarray) -> np.ndarray:
    """log p0 of people (rows of the store) given their labels (people,), float64 (people,)."""
    label, copies = np.asarray(label, dtype=str), mosaics.copies
    logs = np.full((len(label), len(mosaics.label)), -np.inf)
    parts = [(np.flatnonzero(label == name), np.flatnonzero(mosaics.label == name)) for name in np.unique(label)]
    for own, known in parts:
        if not len(known):
            raise ValueError(f"no training person has the label {label[own[0]]}")
        logs[np.ix_(own, known)] = np.log(mosaics.share[known])
    for number, (one, variants, _) in enumerate(mosaics.parts(), 1):
        symbols = sequences.between(store, people, variants.start, variants.stop).reshape(one.variants, -1, copies)
        for own, known in parts:
            found = hmm.log_probabilities(one, symbols[:, own].reshape(one.variants, -1), known.tolist())
            logs[np.ix_(own, known)] += found.reshape(len(own), copies, len(known)).sum(1)
        log.info("%d of %d chromosomes asked", number, len(mosaics.chromosomes))
    return np.logaddexp.reduce(logs, axis=1)


def _dosages(store: Store, people: np.ndarray) -> np.ndarray:
    """Dosages of people at some variants, int8 (people, s)."""
    seen = sequences.at(store, people, sequences.thinned(len(store), SITES))
    return seen.reshape(len(seen), -1, sequences.per_person(store)).sum(2, dtype=np.int8).T


def save(path: str | Path, mosaics: Mosaics) -> None:
    """Write as .npz."""
    arrays = {"format": FORMAT, "label": mosaics.label, "share": mosaics.share, "alphabet": mosaics.alphabet}
    arrays["variants"] = np.array([one.variants for one in mosaics.chromosomes])
    for i, one in enumerate(mosaics.chromosomes):
        arrays |= {f"{name}{i}": getattr(one, name) for name in ("symbol", "leave", "arrive")}
    with open(path, "wb") as file:
        np.savez_compressed(file, **arrays)


def load(path: str | Path) -> Mosaics:
    """Read what `save` wrote; BadInput if missing or foreign."""
    remedy = "run the train stage again"
    if not Path(path).is_file():
        raise BadInput(path, "no such file", remedy)
    try:
        data = np.load(path)
        if str(data["format"]) != FORMAT:
            raise KeyError("format")
        fitted = [
            Founders(*(data[f"{name}{i}"] for name in ("symbol", "leave", "arrive")), int(variants))
            for i, variants in enumerate(data["variants"])
        ]
        return Mosaics(fitted, data["label"], data["share"], int(data["alphabet"]))
    except (KeyError, ValueError, OSError, EOFError, BadZipFile) as error:
        raise BadInput(path, "holds no founders of this version of syngeno", f"delete it and {remedy}") from error
