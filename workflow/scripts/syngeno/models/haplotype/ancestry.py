"""Latent ancestries, fitted to training samples along with the clusters (see tracts.py for the chain of both).

Sweeps over chromosomes: the clusters of each are fitted by tracts (see clusters.py) given samples' proportions and
their labels' rates of ancestry switches; both are then renewed by the tracts of all chromosomes. As there, a sample is
explained by what other folds of samples make: clusters that one's own tract boundaries shaped would hide them.

The start decides where no label is of a single ancestry: proportions are barycentric coordinates in a simplex of
extreme samples on principal coordinates. In the first sweep they stay as they are.
"""

import logging
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field, replace

import numpy as np
import torch
from torch import Tensor

from syngeno.models.haplotype import clusters, hmm, proportions, tracts
from syngeno.models.haplotype.hmm import Clusters
from syngeno.models.haplotype.maximisation import Counts
from syngeno.models.haplotype.proportions import Proportions
from syngeno.models.haplotype.tracts import Chain

log = logging.getLogger(__name__)

SWEEPS = 3
SWITCHES, PER_MORGAN = 2.0, 10.0  # pseudo-switches, at this rate
PROPOSED = 8  # draws of a sample's proportions, to integrate over them
APPROACHES = 2  # rounds in which the place of these draws is found
MOSTLY, ALONE = 0.9, 0.97  # mean proportion from which on a label may be, and without validation is, of one ancestry


@dataclass(frozen=True)
class Ancestries:
    """What is fitted.

    Attributes:
        chains: of each chromosome, with the weights of each ancestry.
        proportions: of samples, by label.
        rate: ancestry switches per Morgan of each label.
    """

    chains: list[Chain]
    proportions: Proportions
    rate: dict[str, float]

    def rates(self, label: np.ndarray) -> np.ndarray:
        """The rate of each label, str (n,)."""
        return np.array([self.rate[name] for name in np.asarray(label, dtype=str).tolist()])


@dataclass(frozen=True)
class Sequences:
    """Sequences of samples with labels, str (n,), those of a sample side by side.

    Attributes:
        symbols: of a chromosome, by its number: int8 (v, per_sample n).
        label, per_sample: the labels, and how many sequences a sample has.
        threads: among which they are divided.
    """

    symbols: Callable[[int], Tensor]
    label: np.ndarray
    per_sample: int = 2
    threads: int = 1

    def some(self, rows: np.ndarray) -> "Sequences":
        """Those of some of the samples."""
        columns = (self.per_sample * rows[:, None] + np.arange(self.per_sample)).ravel()
        return replace(self, symbols=lambda number: self.symbols(number)[:, columns], label=self.label[rows])

    def repeated(self, values: np.ndarray) -> np.ndarray:
        """Values of samples (n, ..) for each of their sequences."""
        return values.repeat(self.per_sample, axis=0)

    def summed(self, values: np.ndarray) -> np.ndarray:
        """Values of sequences (per_sample n, ..) added up by samples."""
        return values.reshape(len(self.label), self.per_sample, *values.shape[1:]).sum(1)


@dataclass(frozen=True)
class TractCounts(Counts):
    """As counts.Counts, and (B, K) who `left` a cluster, their tract going on: a tract's end says nothing of it."""

    left: Tensor

    @classmethod
    def zeros(cls, seeds: "clusters.Seeds", groups: int) -> "TractCounts":
        """Before anything is counted."""
        symbol, occupancy, entry = vars(Counts.zeros(seeds, groups)).values()
        return cls(symbol, occupancy, entry, torch.zeros_like(seeds.alone))

    def keep(self, kept: Tensor) -> None:
        """Only where clusters are kept, 1 or 0 (B, K), in place."""
        super().keep(kept)
        self.left.mul_(kept)

    def leaving(self) -> tuple[Tensor, Tensor]:
        """Sequences that leave a cluster before each segment but the first, and those that could: (B - 1, K)."""
        left = self.left[1:]
        return left, left + self.stayed()


@dataclass(frozen=True)
class OfTracts:
    """Sequences descend from clusters by tracts of ancestries; see `clusters.Descent`.

    Attributes:
        q, rate: proportions (n, A) and ancestry switches per Morgan (n,) of all sequences; the latter are renewed.
        label_of: the label of each, as a number (n,), all of which have one rate.
        morgans: between segments (B,).
        ancestry: of each segment of the sequences, as probabilities (n, B, A), renewed.
        tracts, events: of each sequence, renewed: (n, A) and (n,), see tracts.Counts.
    """

    q: np.ndarray
    rate: np.ndarray
    label_of: np.ndarray
    morgans: np.ndarray
    threads: int
    ancestry: np.ndarray
    tracts: np.ndarray
    events: np.ndarray
    counts: type[Counts] = field(default=TractCounts)

    @classmethod
    def of(cls, q: np.ndarray, rate: np.ndarray, label_of: np.ndarray, morgans: np.ndarray, threads: int) -> "OfTracts":
        """Before anything is counted."""
        ancestry = np.repeat(q[:, None].astype(np.float32), len(morgans), axis=1)
        return cls(q, rate, label_of, morgans, threads, ancestry, np.zeros(q.shape), np.zeros(len(q)))

    @property
    def label(self) -> Tensor:
        """See `clusters.Descent`."""
        return torch.arange(self.q.shape[1])

    def of_seeds(self, seeds: Tensor) -> Tensor:
        """See `clusters.Descent`."""
        return torch.from_numpy(self.ancestry[seeds.numpy()]).permute(2, 1, 0)

    def expected(self, fitted: Clusters, carried: Tensor, own: Tensor, barred: Tensor) -> tuple[Counts, float]:
        """See `clusters.Descent`."""
        rows, chain = own.numpy(), Chain(fitted, self.morgans)
        found = tracts.expected(chain, carried, self.q[rows], self.rate[rows], barred=barred, threads=self.threads)
        self.ancestry[rows], self.tracts[rows], self.events[rows] = found.ancestry, found.tracts, found.events
        return TractCounts(found.symbol, found.occupancy, found.entry, found.left), float(found.logs.sum())

    def renew(self) -> None:
        """The rates by the chromosome's own switches, beside some as they were, for the next round."""
        for number in range(self.label_of.max() + 1):
            own = self.label_of == number
            if (before := self.rate[own][0]) > 0:
                self.rate[own] = switch_rate(self.events[own].sum(), own.sum() * self.morgans.sum(), before)


def switch_rate(switches: float, morgans: float, before: float = PER_MORGAN) -> float:
    """Ancestry switches per Morgan, by how many there are along so many Morgans, shrunk a little."""
    return float((switches + SWITCHES) / (morgans + SWITCHES / before))


def simplex(coordinates: np.ndarray) -> np.ndarray:
    """Proportions float64 (n, A) of samples at these principal coordinates (n, A - 1).

    Corners are the sample farthest from the mean, and again and again the one farthest from the hull of those found;
    coordinates below 0 are cut off.
    """
    n, dimensions = coordinates.shape
    corners = [int(((coordinates - coordinates.mean(0)) ** 2).sum(1).argmax())]
    for _ in range(dimensions):
        beyond = coordinates - coordinates[corners[0]]
        if len(corners) > 1:
            basis = np.linalg.qr((coordinates[corners[1:]] - coordinates[corners[0]]).T)[0]
            beyond = beyond - beyond @ basis @ basis.T
        corners.append(int((beyond**2).sum(1).argmax()))
    affine = np.vstack([coordinates[corners].T, np.ones(len(corners))])
    q = np.linalg.lstsq(affine, np.vstack([coordinates.T, np.ones(n)]), rcond=None)[0].T
    q = np.maximum(q, 0)
    return q / q.sum(1, keepdims=True)


def fit(
    given: Sequences,
    cm: Sequence[np.ndarray],
    q: np.ndarray,
    sample: np.ndarray,
    seeds: np.ndarray,
    alphabet: int,
    settings: clusters.Settings,
    *,
    validation: Sequences | None = None,
    sweeps: int = SWEEPS,
) -> Ancestries:
    """Ancestries and clusters by training samples; `validation` samples say which labels are of one ancestry alone.

    `cm` are the places of each chromosome's variants in centimorgans, `q` (n, A) the first proportions; `sample`,
    `seeds` and `alphabet` as for clusters.fit.
    """
    between = [tracts.morgans(places, settings.segment) for places in cm]
    length = sum(part.sum() for part in between) * given.per_sample
    names, label_of = np.unique(given.label, return_inverse=True)
    rate, alone, of_seeds = dict.fromkeys(names.tolist(), PER_MORGAN), {}, []
    for sweep in range(sweeps):
        chains, found, events = [], np.zeros_like(q), np.zeros(len(q))
        rates = np.array(list(rate.values()))[label_of]
        for number, morgans in enumerate(between):
            each = (given.repeated(values) for values in (q, rates, label_of))
            descent = OfTracts.of(*each, morgans, given.threads)
            if sweep:
                descent.ancestry[seeds] = of_seeds[number]
            symbols = given.symbols(number)
            chains.append(Chain(clusters.fit_by(descent, symbols, sample, seeds, alphabet, settings), morgans))
            of_seeds[number : number + 1] = [descent.ancestry[seeds]]
            found += given.summed(descent.tracts)
            events += given.summed(descent.events)
        for number, name in enumerate(names.tolist()):
            own = label_of == number
            rate[name] = 0.0 if name in alone else switch_rate(events[own].sum(), own.sum() * length)
        fitted = Ancestries(chains, proportions.fit(found, given.label).certain(alone), rate)
        if sweep == 0:  # where a label's ancestry is certain, others have it purer from then on
            fitted, alone = settled(fitted, validation)
            rate = fitted.rate
        q = fitted.proportions.given(found, given.label)
        log.info("sweep %d of %d: ancestry switches per Morgan %s", sweep + 1, sweeps, rate)
    return fitted


def settled(
    fitted: Ancestries, validation: Sequences | None, seed: Sequence[int] = (0,)
) -> tuple[Ancestries, dict[str, np.ndarray]]:
    """Labels nearly of one ancestry become of it alone, unless validation samples are clearly likelier as it is.

    Returns the ancestry of these labels, as an indicator (A,), too.
    """
    known = fitted.proportions
    names = np.unique(known.label)
    each = dict(zip(names.tolist(), known.mean(names), strict=True))
    least = ALONE if validation is None else MOSTLY
    alone = {name: np.eye(len(mean))[mean.argmax()] for name, mean in each.items() if mean.max() >= least}
    if alone and validation is not None:
        own = np.flatnonzero(np.isin(validation.label, list(alone)))
        asked = validation.some(own)
        gain = log_probability(_of_one(fitted, alone), asked, seed) - log_probability(fitted, asked, seed)
        alone = {name: one for name, one in alone.items() if not _clearly_less(gain[asked.label == name])}
    log.info("of one ancestry alone: %s", ", ".join(alone) or "none")
    return _of_one(fitted, alone), alone


def _of_one(fitted: Ancestries, alone: dict[str, np.ndarray]) -> Ancestries:
    rate = fitted.rate | dict.fromkeys(alone, 0.0)
    return replace(fitted, proportions=fitted.proportions.certain(alone), rate=rate)


def _clearly_less(gain: np.ndarray) -> bool:
    return len(gain) > 1 and gain.mean() + gain.std(ddof=1) / np.sqrt(len(gain)) < 0


def log_probability(fitted: Ancestries, given: Sequences, seed: Sequence[int], *, draws: int = PROPOSED) -> np.ndarray:
    """Log probability of samples by their labels, float64 (n,), with proportions integrated out by importance sampling.

    Unbiased as a probability, so on average a little too low as a logarithm.
    """
    q, rate = fitted.proportions.mean(given.label), fitted.rates(given.label)
    for _ in range(APPROACHES):
        found = expected_tracts(fitted, given, q)
        q = fitted.proportions.given(found, given.label)
    proposal = proportions.Proposal.of(fitted.proportions, found, given.label, draws, seed)
    asked, rates, logs = given.repeated(proposal.q), given.repeated(rate), proposal.log_ratio.copy()
    for number, chain in enumerate(fitted.chains):
        each = tracts.log_probabilities(chain, given.symbols(number), asked, rates, threads=given.threads)
        logs += given.summed(each)
    return np.logaddexp.reduce(logs, axis=1) - np.log(draws)


def expected_tracts(fitted: Ancestries, given: Sequences, q: np.ndarray) -> np.ndarray:
    """Tracts of each ancestry that are expected of samples with proportions (n, A): float64 (n, A)."""
    q, rates, total = given.repeated(q), given.repeated(fitted.rates(given.label)), np.zeros(q.shape)
    for number, chain in enumerate(fitted.chains):
        _, _, others, width = chain.clusters.symbol.shape
        carried = hmm.indicators(given.symbols(number), others + 1, width)
        total += given.summed(tracts.expected(chain, carried, q, rates, threads=given.threads).tracts)
    return total
