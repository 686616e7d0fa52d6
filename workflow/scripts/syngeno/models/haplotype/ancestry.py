"""Latent ancestries, fitted to training samples along with the clusters (see tracts.py for the chain of both).

Sweeps over chromosomes: the clusters of each are fitted by tracts (see clusters.py) given samples' proportions and
their labels' rates of ancestry switches; both are then renewed by the tracts of all chromosomes, for which fewer
clusters do than in the last sweep. As there, a sample is explained by what other folds of samples make: clusters that
one's own tract boundaries shaped would hide them. An ancestry has the same cluster weights in all labels, from which at
last each label may have some of its own.

The start decides where no label is of a single ancestry: proportions are barycentric coordinates in a simplex of
extreme samples on principal coordinates. In the first sweep they stay as they are.
"""

import logging
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from typing import NamedTuple

import numpy as np
import torch
from torch import Tensor

from syngeno.models.haplotype import clusters, proportions, segments, tracts
from syngeno.models.haplotype.hmm import Clusters
from syngeno.models.haplotype.maximisation import Counts, Seeds, Shrinkage
from syngeno.models.haplotype.proportions import Admixture, Components
from syngeno.models.haplotype.tracts import Chain

log = logging.getLogger(__name__)

SWEEPS = 3
LEARNING = 256  # clusters at most, before the last sweep
# Of an ancestry in all labels and in one; the first is that of all rounds. Labels keep some of their own however little
# likelier that makes validation samples: what few variants cause, all others outvote.
OF_LABELS = tuple(Shrinkage(1.0, each) for each in (300.0, 100.0, 20.0))
PER_MORGAN, RATES = 10.0, (4.0, 200.0)  # ancestry switches: at first, and within these bounds
DISTANCES = np.linspace(0.005, 0.1, 20)  # Morgans, at which ancestry is compared
PLACES = 500  # of a chromosome
PROPOSED = 8  # draws of a sample's proportions, to integrate over them
APPROACHES = 2  # rounds in which the place of these draws is found


class Ancestries(NamedTuple):
    """What is fitted: chains of each chromosome, with weights of groups in each ancestry, and components."""

    chains: list[Chain]
    components: Components


@dataclass(frozen=True)
class Sequences:
    """Sequences of samples with labels, str (n,), those of a sample side by side.

    Attributes:
        symbols: of a chromosome, by its number: int8 (v, per_sample n).
        label, per_sample: the labels, and how many sequences a sample has.
    """

    symbols: Callable[[int], Tensor]
    label: np.ndarray
    per_sample: int = 2

    def repeated(self, values: np.ndarray) -> np.ndarray:
        """Values of samples (n, ..) for each of their sequences."""
        return values.repeat(self.per_sample, axis=0)

    def summed(self, values: np.ndarray) -> np.ndarray:
        """Values of sequences (per_sample n, ..) added up by samples."""
        return values.reshape(len(self.label), self.per_sample, *values.shape[1:]).sum(1)


@dataclass(frozen=True)
class TractCounts(Counts):
    """As maximisation.Counts, and (B, K) who `left` a cluster, but for tracts that end, which say nothing of it."""

    left: Tensor

    @classmethod
    def zeros(cls, seeds: Seeds, groups: int) -> "TractCounts":
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
        admixture: of all sequences, by groups 0, 1, ..
        morgans: between segments (B,).
        ancestry: of each segment of the sequences, as probabilities (n, B, A), renewed.
        tracts: of each sequence in each ancestry, renewed: (n, A).
    """

    admixture: Admixture
    morgans: np.ndarray
    ancestry: np.ndarray
    tracts: np.ndarray
    whole, shrinkages, counts = True, OF_LABELS, TractCounts

    @classmethod
    def of(cls, admixture: Admixture, morgans: np.ndarray) -> "OfTracts":
        """Before anything is counted."""
        q = admixture.q
        ancestry = np.repeat(q[:, None].astype(np.float32), len(morgans), axis=1)
        return cls(admixture, morgans, ancestry, np.zeros(q.shape))

    @property
    def groups(self) -> int:
        """How many there are."""
        return int(self.admixture.group.max()) + 1

    @property
    def label(self) -> Tensor:
        """See `clusters.Descent`: a group's ancestry is a part of the ancestry."""
        return torch.arange(self.admixture.q.shape[1]).repeat(self.groups)

    def of_seeds(self, seeds: Tensor) -> Tensor:
        """See `clusters.Descent`."""
        rows = seeds.numpy()
        shares = np.zeros((self.groups, len(rows), *self.ancestry.shape[1:]), np.float32)
        shares[self.admixture.group[rows], np.arange(len(rows))] = self.ancestry[rows]
        return torch.from_numpy(shares).permute(0, 3, 2, 1).flatten(0, 1)

    def expected(self, fitted: Clusters, fold: clusters.Fold) -> tuple[Counts, float]:
        """See `clusters.Descent`."""
        rows, chain = fold.own.numpy(), Chain(fitted, self.morgans)
        found = tracts.expected(chain, fold.patterns, self.admixture.some(rows), fold.barred.numpy())
        self.ancestry[rows], self.tracts[rows] = found.ancestry, found.tracts
        return TractCounts(found.symbol, found.occupancy, found.entry, found.left), float(found.logs.sum())


@dataclass(frozen=True)
class Decay:
    """How alike ancestry is along chromosomes, by label and by distance, of which the rate of switches is read off.

    The covariance of posterior ancestries at a distance of d Morgans falls as exp(-rate d), as far as d goes beyond
    what the clusters blur. Counting switches would take for tracts what only fills in where clusters lack a haplotype.

    Attributes:
        covariance: sums over pairs of segments (labels, distances).
        pairs: how many there are, alike.
    """

    covariance: np.ndarray
    pairs: np.ndarray

    @classmethod
    def zeros(cls, labels: int) -> "Decay":
        """Before anything is added."""
        return cls(*np.zeros((2, labels, len(DISTANCES) - 1)))

    def add(self, ancestry: np.ndarray, q: np.ndarray, label: np.ndarray, morgans: np.ndarray) -> None:
        """What sequences with these proportions (n, A) and labels, as numbers (n,), have on a chromosome (n, B, A)."""
        place = morgans.cumsum()
        some = np.unique(np.linspace(0, len(place) - 1, PLACES).round().astype(int))
        place, apart = place[some], ancestry[:, some] - q[:, None]
        bin_ = np.digitize(np.abs(place[:, None] - place), DISTANCES) - 1
        within = (bin_ >= 0) & (bin_ < len(DISTANCES) - 1)
        for number in range(len(self.pairs)):
            own = apart[label == number].transpose(1, 0, 2).reshape(len(some), -1)
            self.covariance[number] += np.bincount(bin_[within], (own @ own.T)[within], len(DISTANCES) - 1)
            self.pairs[number] += np.bincount(bin_[within], minlength=len(DISTANCES) - 1) * (label == number).sum()

    def rates(self, before: np.ndarray) -> np.ndarray:
        """Ancestry switches per Morgan of each label; as `before` where distances are too short to say."""
        found = before.copy()
        middle = (DISTANCES[1:] + DISTANCES[:-1]) / 2
        for number, (covariance, pairs) in enumerate(zip(self.covariance, self.pairs, strict=True)):
            seen = (pairs > 0) & (covariance > 0)
            if seen.sum() >= 3:
                mean = covariance[seen] / pairs[seen]
                # By least squares of the covariance itself, whose logarithm is noise where there is hardly any.
                slope = np.polyfit(middle[seen], np.log(mean), 1, w=mean * np.sqrt(pairs[seen]))[0]
                found[number] = np.clip(-slope, *RATES)
        return found


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
    sweeps: int = SWEEPS,
) -> list[Ancestries]:
    """Ancestries and clusters by training samples, with cluster weights of labels by each of `OF_LABELS`.

    `cm` are the places of each chromosome's variants in centimorgans, `q` (n, A) the first proportions; `sample`,
    `seeds` and `alphabet` as for clusters.fit.
    """
    cut = [segments.by_map(places, settings.segment) for places in cm]
    names, group = np.unique(given.label, return_inverse=True)
    rate, of_seeds = np.full(len(names), PER_MORGAN), []
    for sweep in range(sweeps):
        last = sweep == sweeps - 1
        begin = seeds if last else seeds[:: -(-len(seeds) // LEARNING)]
        fitted, found, decay = [], np.zeros_like(q), Decay.zeros(len(names))
        for number, (_, morgans) in enumerate(cut):
            admixture = Admixture(*map(given.repeated, (q, rate[group] * (q.max(1) < 1), group)))
            descent = OfTracts.of(admixture, morgans)
            if sweep:
                descent.ancestry[seeds] = of_seeds[number]
            symbols = given.symbols(number)
            each = clusters.fit_by(descent, symbols, cut[number], sample, begin, alphabet, settings)
            if last:
                fitted.append([Chain(one, morgans) for one in each])
            of_seeds[number : number + 1] = [descent.ancestry[seeds]]
            found += given.summed(descent.tracts)
            decay.add(descent.ancestry, given.repeated(q), given.repeated(group), morgans)
        rate = decay.rates(rate)
        components = proportions.fit(found, given.label)
        components = replace(components, rate=rate[components.group])
        q = components.settled().given(found, given.label, components)
        said = ", ".join(f"{name} {each:.1f}" for name, each in zip(names, rate, strict=True))
        log.info("sweep %d of %d: ancestry switches per Morgan: %s", sweep + 1, sweeps, said)
    return [Ancestries(list(chains), components.settled()) for chains in zip(*fitted, strict=True)]


def likeliest(fitted: Sequence[Ancestries], given: Sequences) -> int:
    """Which of some, with the same components, makes samples likeliest, at proportions that the first expects."""
    q = _proportions(fitted[0], given)[1][:, None]
    logs = [_log_probabilities(each, given, each.components.admixed(given.label)[:, None], q).sum() for each in fitted]
    said = ", ".join(f"{-total / len(given.label):.1f}" for total in logs)
    log.info("nats of a sample, by shrinkage of weights: %s", said)
    return int(np.argmax(logs))


def log_probability(fitted: Ancestries, given: Sequences, seed: Sequence[int], *, draws: int = PROPOSED) -> np.ndarray:
    """Log probability of samples by their labels, float64 (n,), with proportions integrated out by importance sampling.

    Unbiased as a probability, so on average a little too low as a logarithm.
    """
    found, _ = _proportions(fitted, given)
    q, component, logs = proportions.Proposal.of(fitted.components, found, given.label, draws, seed)
    return np.logaddexp.reduce(logs + _log_probabilities(fitted, given, component, q), axis=1)


def _proportions(fitted: Ancestries, given: Sequences) -> tuple[np.ndarray, np.ndarray]:
    """Expected tracts of samples in each ancestry, and their expected proportions: float64 (n, A)."""
    q = fitted.components.mean(given.label)
    for _ in range(APPROACHES):
        found = expected_tracts(fitted, given, q)
        q = fitted.components.given(found, given.label)
    return found, q


def _log_probabilities(fitted: Ancestries, given: Sequences, component: np.ndarray, q: np.ndarray) -> np.ndarray:
    """Log probabilities (n, M) of samples as of M components (n, M) with proportions (n, M, A)."""
    logs, asked = np.zeros(component.shape), Admixture(*map(given.repeated, fitted.components.admixture(component, q)))
    for number, chain in enumerate(fitted.chains):
        patterns = tracts.patterns(chain, given.symbols(number))
        logs += given.summed(tracts.log_probabilities(chain, patterns, asked))
    return logs


def expected_tracts(fitted: Ancestries, given: Sequences, q: np.ndarray) -> np.ndarray:
    """Tracts of each ancestry that are expected of samples with proportions (n, A): float64 (n, A)."""
    chains, components = fitted
    asked = Admixture(*map(given.repeated, components.admixture(components.admixed(given.label), q)))
    total = np.zeros(q.shape)
    for number, chain in enumerate(chains):
        patterns = tracts.patterns(chain, given.symbols(number))
        total += given.summed(tracts.expected(chain, patterns, asked).tracts)
    return total
