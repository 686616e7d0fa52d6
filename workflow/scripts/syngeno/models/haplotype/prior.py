"""People as mosaics of founders: what a person's sequences look like before anything is known but the label.

    p0(person | label) = sum over ancestries c of the label: share(c) * product over the person's sequences and the
    chromosomes of p(sequence | founders, arrivals of c)

A person has one ancestry (see ancestry.py), from which all of the person's sequences arrive at founders (see
founders.py). Sequences are haplotypes, or dosages where phase is unknown or not to be looked at.
"""

import itertools
import logging
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from zipfile import BadZipFile

import numpy as np
import torch
from torch import Tensor

from syngeno.data import sequences
from syngeno.data.store import Store
from syngeno.errors import BadInput
from syngeno.models.haplotype import clusters, hmm, subpopulations
from syngeno.models.haplotype.hmm import Founders
from syngeno.stats.intervals import placements
from syngeno.training.device import pick_device

log = logging.getLogger(__name__)

SITES = 20_000  # that ancestry is read off
FEWEST = 16  # founders that a search for as many as membership allows begins with
ASKED = 500  # members, to see whether they can be told
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

    @property
    def device(self) -> torch.device:
        """Where the founders lie."""
        return self.chromosomes[0].device

    def to(self, device: torch.device) -> "Mosaics":
        """The same, with the founders on another device."""
        return Mosaics([one.to(device) for one in self.chromosomes], self.label, self.share, self.alphabet)

    def tempered(self, temperature: float) -> "Mosaics":
        """The same, with the founders of each chromosome tempered (see hmm.py)."""
        chromosomes = [one.tempered(temperature) for one in self.chromosomes]
        return Mosaics(chromosomes, self.label, self.share, self.alphabet)

    def ancestries(self, label: np.ndarray, rng: torch.Generator) -> Tensor:
        """An ancestry for each label (n,), drawn by its share: codes (n,). ValueError for an unknown label."""
        label = np.asarray(label, dtype=str)
        drawn = torch.empty(len(label), dtype=torch.long, device=self.device)
        for name in np.unique(label).tolist():
            known = np.flatnonzero(self.label == name)
            if not len(known):
                raise ValueError(f"no training person has the label {name}")
            own = torch.from_numpy(np.flatnonzero(label == name)).to(self.device)
            share = torch.from_numpy(self.share[known]).to(self.device)
            pick = share.multinomial(len(own), replacement=True, generator=rng)
            drawn[own] = torch.from_numpy(known).to(self.device)[pick]
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
    carriers: int,
    ancestry_size: int,
    seed: int,
    membership: float | None = None,
    device: str = "auto",
) -> Mosaics:
    """Learn ancestries and founders from people (rows of the store) with labels (people,).

    `founders_per_chromosome`, `segment` and `carriers` as in founders.py, whose shrinkage validation people choose;
    `ancestry_size` as the size in ancestry.py. The store comes from `sequences.viewed`. With `membership` there are as
    many founders as tell members from validation people by no larger area under the ROC curve, at most as many as are
    asked for: their number is doubled until they do. BadInput if `FEWEST` do.
    """
    if membership is not None and not len(validation):
        raise BadInput("membership", "there are no validation people", "give the split some")
    alphabet, copies = sequences.alphabet(store), sequences.per_person(store)
    classes = subpopulations.divide(_dosages(store, people), label, ancestry_size, seed)
    log.info("%d ancestries within %d labels", len(classes.label), len(np.unique(classes.label)))
    source = np.repeat(classes.of, copies)
    groups = sequences.Groups(classes.label.tolist(), source, source)
    found = None
    for number in [founders_per_chromosome] if membership is None else _doubled(founders_per_chromosome):
        settings = {"founders": number, "segment": segment, "carriers": carriers}
        settings |= {"start": seed, "device": pick_device(device)}
        if len(validation):
            settings["shrinkage"] = clusters.tune(store, people, label, validation, validation_label, **settings)
        # Founders of one chromosome at a time lie on the device: memory does not grow with chromosomes.
        fitted = [one.to(clusters.CPU) for _, _, one in clusters.by_chromosome(store, people, groups, **settings)]
        larger = Mosaics(fitted, classes.label, classes.share, alphabet)
        if membership is not None:
            told = _told(larger.to(settings["device"]), store, (people, label), (validation, validation_label), seed)
            log.info("%d founders tell members from validation people by an area of %.3f", number, told)
            if told > membership and found is None:
                raise BadInput("membership", f"{number} founders tell members by an area of {told:.3f}", "allow more")
            if told > membership:
                break
        found = larger
    return found


def _doubled(most: int) -> list[int]:
    """Numbers from `FEWEST` on, each twice the one before, up to the most."""
    return [*itertools.takewhile(lambda number: number < most, (FEWEST << i for i in itertools.count())), most]


def _told(
    mosaics: Mosaics,
    store: Store,
    members: tuple[np.ndarray, np.ndarray],
    others: tuple[np.ndarray, np.ndarray],
    seed: int,
) -> float:
    """Area under the ROC curve of members' probability against others'; at most `ASKED` members are asked."""
    people, label = members
    some = np.sort(np.random.default_rng([seed, 33]).permutation(len(people))[:ASKED])
    scores = (log_probability(mosaics, store, *one) for one in ((people[some], label[some]), others))
    return float(placements(*scores).mean())


def draw(mosaics: Mosaics, ancestry: Tensor, rng: torch.Generator) -> Tensor:
    """People of these ancestries (n,): symbols int8 (variants, copies * n)."""
    group = ancestry.repeat_interleave(mosaics.copies)
    return torch.cat([hmm.walk(one, group, rng) for one in mosaics.chromosomes])


def complete(
    mosaics: Mosaics, symbols: Tensor, visible: Tensor, ancestry: Tensor, times: int, rng: torch.Generator
) -> Tensor:
    """Draw what is hidden of people given what is visible, `times` for each: int8 (variants, times * copies * n).

    `symbols` (variants, copies * n), `visible` bool (segments, copies * n), `ancestry` (n,). The draws of sequence i
    are the columns from times * i on.
    """
    group = ancestry.repeat_interleave(mosaics.copies)
    return torch.cat(
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
            asked = torch.from_numpy(symbols[:, own].reshape(one.variants, -1)).to(mosaics.device)
            found = hmm.log_probabilities(one, asked, known.tolist()).cpu().numpy()
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
        arrays |= {f"{name}{i}": getattr(one, name).cpu().numpy() for name in ("symbol", "leave", "arrive")}
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
            Founders(*(torch.from_numpy(data[f"{name}{i}"]) for name in ("symbol", "leave", "arrive")), int(variants))
            for i, variants in enumerate(data["variants"])
        ]
        return Mosaics(fitted, data["label"], data["share"], int(data["alphabet"]))
    except (KeyError, ValueError, OSError, EOFError, BadZipFile) as error:
        raise BadInput(path, "holds no founders of this version of syngeno", f"delete it and {remedy}") from error
