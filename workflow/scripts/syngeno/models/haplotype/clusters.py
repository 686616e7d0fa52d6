"""Ancestral haplotype clusters, fitted to training sequences, of which all sequences are mosaics.

After fastPHASE (Scheet and Stephens, Am J Hum Genet 2006) and Li and Stephens (Genetics 2003). Along segments of a few
variants a sequence descends from one of K clusters, by the hidden Markov chain of hmm.py, with cluster weights of its
group's own. A cluster is what a training sequence, its seed, and the sequences that descend from it have in common.

All is fitted by expectation maximisation across folds of samples: a sequence does not descend from clusters whose seed
is its own sample's, and the other clusters are those that other folds make. So a training sample is nearly as probable
to the fit as a new one is to the clusters; explained by what it shaped, it would seem far likelier, and switch and err
less than others. (Nearly: what is forgotten depends on all, and so do other folds' earlier assignments.) A segment of a
cluster is forgotten where its support, the number of sequences that descend from it and from clusters that begin alike,
the seed included, is below `min_support`: the haplotype of a segment that one sample alone carries is not released. (An
allele that one sample alone carries may be, on a haplotype that others carry.) A cluster's symbols are shrunk towards
the frequencies of all by `shrinkage` pseudo-sequences, which validation samples choose.
"""

import logging
import time
from collections.abc import Iterator
from dataclasses import dataclass, replace
from functools import cached_property
from itertools import pairwise
from typing import TYPE_CHECKING

import numpy as np
import torch
from torch import Tensor
from torch.nn import functional

from syngeno import streams
from syngeno.data import sequences
from syngeno.data.store import Store
from syngeno.models.base import TrainingData
from syngeno.models.haplotype import hmm
from syngeno.models.haplotype.hmm import Clusters

if TYPE_CHECKING:
    from syngeno.models.haplotype import loops

log = logging.getLogger(__name__)

SHRINKAGES = (0.01, 0.1, 1.0, 10.0)
SHRINKAGE = 0.1
WORSE = 1.001  # times as many nats as with less shrinkage
TUNING_SAMPLES, TUNING_VARIANTS = 100, 2000
TUNING_ROUNDS, ROUNDS = 3, 5
FOLDS = 5
PSEUDOCOUNT = 0.01  # of a symbol among all sequences
ERROR = 1e-4  # probability of each symbol that clusters cannot go below
OF_ALL, OF_LABEL = 1.0, 20.0  # pseudo-sequences of all among a label's, of the label among a subpopulation's
WEIGHT_PRIOR = 50.0  # pseudo-switches into a segment, divided as its sequences are among the clusters
SWITCH_PRIOR = 0.3  # pseudo-sequences
LEAST_WEIGHT, LEAST_SWITCH = 1e-4, 1e-5  # of all clusters together; keep every sequence possible
SWITCHES = 0.03  # share of sequences, before anything is known
ENDS = "amin", "amax"
CPU = torch.device("cpu")


@dataclass(frozen=True)
class Settings:
    """How clusters are fitted.

    Attributes:
        number, segment, min_support: as in the schema; at most as many clusters as there are sequences.
        seed: draws the sequences that clusters begin as, and the folds.
        shrinkage: pseudo-sequences of all in each cluster.
        rounds: of expectation and maximisation.
        variants: so many of each chromosome, the first, or None for all.
        device: where one chromosome at a time is fitted.
    """

    number: int
    segment: int
    min_support: int
    seed: int
    shrinkage: float = SHRINKAGE
    rounds: int = ROUNDS
    variants: int | None = None
    device: torch.device = CPU


def tune(data: TrainingData, settings: Settings) -> float:
    """The shrinkage under which validation samples, at most `TUNING_SAMPLES`, are most likely, by short fits.

    The first of `SHRINKAGES` that is clearly worse than one before ends the search.
    """
    order = streams.rng("clusters_validation", settings.seed).permutation(len(data.validation_rows))
    chosen = np.sort(order[:TUNING_SAMPLES])
    asked = data.validation_rows[chosen], data.validation_label[chosen]
    short = replace(settings, rounds=TUNING_ROUNDS, variants=TUNING_VARIANTS)
    best, least = SHRINKAGES[0], np.inf
    for shrinkage in SHRINKAGES:
        mean = nats(data, *asked, replace(short, shrinkage=shrinkage)).mean()
        log.info("shrinkage %g: %.1f nats per validation sequence", shrinkage, mean)
        if mean > WORSE * least:
            break
        if mean < least:
            best, least = shrinkage, mean
    return best


def nats(data: TrainingData, rows: np.ndarray, label: np.ndarray, settings: Settings) -> np.ndarray:
    """-log probability of sequences of samples (`rows` of the store) as mosaics of their labels: (sequences,), nats."""
    groups = sequences.grouped(data.store, data.label, label, pooled=False)
    asked, total = torch.from_numpy(groups.asked).to(settings.device), np.zeros(len(groups.asked))
    for first, last, fitted in by_chromosome(data.store, data.rows, groups, settings):
        symbols = torch.from_numpy(sequences.between(data.store, rows, first, last)).to(settings.device)
        total -= hmm.log_probability(fitted, symbols, asked).cpu().numpy()
    return total


def by_chromosome(
    store: Store, rows: np.ndarray, groups: sequences.Groups, settings: Settings
) -> Iterator[tuple[int, int, Clusters]]:
    """First and last variant (excluded) of each chromosome, and the clusters fitted to training samples (`rows`)."""
    rng = streams.rng("clusters_seeds", settings.seed)
    per_sample, n, alphabet = sequences.per_sample(store), len(groups.source), sequences.alphabet(store)
    # The same sequences are the seeds of every chromosome's clusters, and the same samples are in a fold.
    seeds = np.sort(rng.permutation(n)[: min(settings.number, n)])
    sample = np.repeat(rng.permutation(n // per_sample), per_sample)
    for first, last in pairwise([*np.flatnonzero(sequences.starts(store)).tolist(), len(store)]):
        last = last if settings.variants is None else min(last, first + settings.variants)
        symbols = torch.from_numpy(sequences.between(store, rows, first, last)).to(settings.device)
        yield first, last, fit(symbols, groups, sample, seeds, alphabet, settings)


def fit(
    symbols: Tensor, groups: sequences.Groups, sample: np.ndarray, seeds: np.ndarray, alphabet: int, settings: Settings
) -> Clusters:
    """Fit the clusters of one chromosome, where the symbols lie; progress is logged.

    `symbols` int8 (v, sequences); `groups.source` is the group of each, groups of one name being parts of one label;
    `sample` (sequences,) numbers samples, which are in folds in turn; `seeds` (K,) are the sequences that the clusters
    begin as.
    """
    device, rounds = symbols.device, settings.rounds
    carried = hmm.indicators(symbols, alphabet, settings.segment)
    frequency = (carried.sum(1) + PSEUDOCOUNT) / (carried.shape[1] + alphabet * PSEUDOCOUNT)  # (B, (A - 1) w)
    label = torch.from_numpy(np.unique(groups.names, return_inverse=True)[1]).to(device)
    fixed = frequency, settings.shrinkage, alphabet, len(symbols), label
    source, sample, seeds = (torch.from_numpy(array).to(device) for array in (groups.source, sample, seeds))
    begin = _Seeds.of(carried, seeds, source, sample, len(groups.names))
    total = _Counts.zeros(begin)
    kept, before, started = torch.ones_like(total.occupancy[0]), [], time.monotonic()
    folds = [
        _Sequences(carried[:, own], source[own], sample[own], sample[seeds])
        for own in ((sample % FOLDS == fold).nonzero().squeeze(1) for fold in range(FOLDS))
    ]
    for done in range(rounds):
        last_total, total, by_fold, log_sum = total, _Counts.zeros(begin), [], 0.0
        for fold in folds:
            of_others = last_total.less(before.pop(0)) if before else last_total
            clusters = _maximised(of_others, begin, kept, *fixed)
            counts, logs = _expected(clusters, fold)
            total.add(counts)
            by_fold.append(counts)
            log_sum += logs
        # The whole number nearest to the expected support is compared.
        kept *= begin.support(total.occupancy.sum(0)) > settings.min_support - 0.5
        for counts in (total, *by_fold):
            counts.keep(kept)
        before = by_fold
        left = (time.monotonic() - started) / (done + 1) * (rounds - done - 1)
        mean = -log_sum / len(sample)
        log.info("round %d of %d: %.1f nats by other folds, %.0f s left", done + 1, rounds, mean, left)
    return _maximised(total, begin, kept, *fixed)


@dataclass(frozen=True)
class _Seeds:
    """The sequences that clusters begin as.

    Attributes:
        symbol: (B, K, (A - 1) w), indicators of their symbols.
        group: (G, K), 1 at each one's group.
        alike: (B, K), numbers of which are alike in a segment.
        alone: (B, K), 1 where all that are alike are of one sample, else 0.
    """

    symbol: Tensor
    group: Tensor
    alike: Tensor
    alone: Tensor

    @classmethod
    def of(cls, carried: Tensor, seeds: Tensor, source: Tensor, sample: Tensor, groups: int) -> "_Seeds":
        """`seeds` (K,); groups `source` and samples `sample` (n,) of all sequences `carried` (B, n, (A - 1) w)."""
        symbol = carried[:, seeds]
        alike = torch.stack([segment.unique(dim=0, return_inverse=True)[1] for segment in symbol])
        samples = sample[seeds].expand_as(alike)
        first, last = (
            torch.zeros_like(alike).scatter_reduce(1, alike, samples, how, include_self=False) for how in ENDS
        )
        alone = (first == last).float().gather(1, alike)
        return cls(symbol.float(), functional.one_hot(source[seeds], groups).T.float(), alike, alone)

    def support(self, occupancy: Tensor) -> Tensor:
        """Sequences that descend from any cluster that begins alike (B, K), given those that descend from each.

        A seed descends from other samples' that are alike; where there are none, it is not among these, and counts.
        """
        alike = torch.zeros_like(occupancy).scatter_add_(1, self.alike, occupancy)
        return alike.gather(1, self.alike) + self.alone


@dataclass(frozen=True)
class _Counts:
    """Expected counts, beside the seeds; changed in place where that spares a copy of what may be gigabytes.

    Attributes:
        symbol: (B, K, (A - 1) w), of symbols.
        occupancy: (G, B, K), of sequences of a group that descend from a cluster.
        entry: (G, B, K), of those among them that entered it at this segment; the others stayed in it.
    """

    symbol: Tensor
    occupancy: Tensor
    entry: Tensor

    @classmethod
    def zeros(cls, seeds: _Seeds) -> "_Counts":
        B, K = seeds.alike.shape
        occupancy = seeds.symbol.new_zeros((len(seeds.group), B, K))
        return cls(torch.zeros_like(seeds.symbol), occupancy, occupancy.clone())

    def less(self, other: "_Counts") -> "_Counts":
        names = self.__dataclass_fields__
        return _Counts(*((getattr(self, name) - getattr(other, name)).clamp_(min=0) for name in names))

    def add(self, other: "_Counts") -> None:
        for name in self.__dataclass_fields__:
            getattr(self, name).add_(getattr(other, name))

    def keep(self, kept: Tensor) -> None:
        self.symbol.mul_(kept[:, :, None])
        self.occupancy.mul_(kept)
        self.entry.mul_(kept)


def _maximised(
    counts: _Counts,
    seeds: _Seeds,
    kept: Tensor,
    frequency: Tensor,
    shrinkage: float,
    alphabet: int,
    variants: int,
    label: Tensor,
) -> Clusters:
    """The clusters that go with expected counts; `label` (G,) is the label that each group is a part of."""
    occupancy = counts.occupancy.sum(0)
    B, K = occupancy.shape
    size = occupancy + kept
    symbol = torch.addcmul(counts.symbol, seeds.symbol, kept[:, :, None]).add_(shrinkage * frequency[:, None])
    symbol = ERROR + (1 - alphabet * ERROR) * (symbol / (size + shrinkage)[:, :, None]).reshape(B, K, alphabet - 1, -1)
    # Entries go where the label's sequences are, as far as their counts do not say otherwise.
    share = (size + 1e-6 / K) / (size.sum(1, keepdim=True) + 1e-6)  # alike where nothing is kept
    of_groups = torch.addcmul(counts.occupancy, seeds.group[:, None], kept)
    same = (label[:, None] == label).float()
    of_labels = torch.tensordot(same, of_groups, 1)  # of each group's label
    prior = _mixed(of_groups, _mixed(of_labels, share, OF_ALL), OF_LABEL)
    weight = _mixed(counts.entry, prior, WEIGHT_PRIOR)
    weight = LEAST_WEIGHT / K + (1 - LEAST_WEIGHT) * weight
    switch = torch.ones_like(occupancy)
    if B > 1:
        stayed = (occupancy - counts.entry.sum(0))[1:].clamp_(min=0)
        left = (occupancy[:-1] - stayed).clamp_(min=0)
        rate = (left.sum(1) + SWITCHES) / (occupancy[:-1].sum(1) + 1)
        expected = torch.where(kept[1:] > 0, rate[:, None], 1.0)  # no sequence stays with what is forgotten
        switch[1:] = (left + SWITCH_PRIOR * expected) / (occupancy[:-1] + SWITCH_PRIOR)
    return Clusters(symbol, switch.clamp_(LEAST_SWITCH, 1), weight, variants)


def _mixed(counts: Tensor, prior: Tensor, pseudocount: float) -> Tensor:
    """Shares of clusters by counts (.., K) and so many pseudo-counts of a prior."""
    return (counts + pseudocount * prior) / (counts.sum(-1, keepdim=True) + pseudocount)


@dataclass(frozen=True)
class _Sequences:
    """Some sequences: indicators (B, n, (A - 1) w), groups and samples (n,), beside the samples of all seeds (K,).

    No sequence descends from clusters whose seed is its own sample's. Entries into these are not shared out among
    others: of many clusters it makes no difference.
    """

    carried: Tensor
    group: Tensor
    sample: Tensor
    seed_sample: Tensor

    @cached_property
    def patterns(self) -> "loops.Patterns":
        """What is looked up in tables, on a CPU."""
        from syngeno.models.haplotype import loops

        return loops.Patterns.of(self.carried.numpy())

    def barred(self, some: slice | Tensor = slice(None)) -> Tensor:
        """Clusters that nothing of some of them descends from, bool (some, K); where these are all, none."""
        found = self.sample[some, None] == self.seed_sample
        found &= ~found.all(1, keepdim=True)
        return found


def _expected(clusters: Clusters, given: _Sequences) -> tuple[_Counts, float]:
    """Expected counts of sequences, and the sum of their log probabilities."""
    B, K = clusters.switch.shape
    if hmm.compiled(clusters.device):
        from syngeno.models.haplotype import loops

        which = given.patterns, given.group.numpy(), given.barred().numpy()
        symbol, *counts, logs = loops.expected(clusters, *which)
        return _Counts(torch.from_numpy(symbol).transpose(1, 2).contiguous(), *map(torch.from_numpy, counts)), logs
    symbol = clusters.switch.new_zeros((B, K, given.carried.shape[2]))
    occupancy, entry, logs = torch.zeros_like(clusters.weight), torch.zeros_like(clusters.weight), 0.0
    for own, present, of_group in hmm.batches(given.group, B, K):
        part, weight, switch = given.carried[:, own].float(), clusters.weight[present], clusters.switch
        emission, top = hmm.emissions(clusters, part, given.barred(own))
        forward, scale = hmm.forwards(emission, switch, weight, of_group)
        logs += hmm.log_sums(top, scale).sum().item()
        onward, after = hmm.backwards(emission, switch, weight, of_group, scale)
        switched = forward[:-1] @ switch[1:, :, None]  # (B - 1, n, 1)
        entered = ((of_group * switched).transpose(1, 2) @ onward[1:]).transpose(0, 1) * weight[:, 1:]
        posterior = after.mul_(forward)
        symbol.baddbmm_(posterior.transpose(1, 2), part)
        occupied = (of_group.T @ posterior).transpose(0, 1)
        occupancy.index_add_(0, present, occupied)
        entry.index_add_(0, present, torch.cat([occupied[:, :1], entered], 1))
    return _Counts(symbol, occupancy, entry), logs
