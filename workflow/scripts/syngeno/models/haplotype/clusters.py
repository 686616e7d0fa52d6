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
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, replace
from functools import cached_property
from typing import TYPE_CHECKING, Protocol, Self

import numpy as np
import torch
from torch import Tensor
from torch.nn import functional

from syngeno import streams
from syngeno.data import sequences
from syngeno.data.store import Store
from syngeno.models.base import TrainingData
from syngeno.models.haplotype import hmm, segments
from syngeno.models.haplotype.hmm import Clusters
from syngeno.models.haplotype.maximisation import Counts, Rest, Seeds, Shrinkage, maximised, switching
from syngeno.models.haplotype.number import FEWEST, doubled
from syngeno.models.haplotype.segments import Segments

if TYPE_CHECKING:
    from syngeno.models.haplotype import loops

log = logging.getLogger(__name__)

SHRINKAGES = (0.01, 0.1, 1.0, 10.0)
SHRINKAGE = 0.1
WORSE = 1.001  # times as many nats as with less shrinkage
TUNING_SAMPLES, TUNING_VARIANTS, STRETCH = 100, 2000, 250
TUNING_ROUNDS, ROUNDS = 3, 5
FOLDS = 5
# Of subpopulations; the first is that of all rounds.
OF_SUBPOPULATIONS = (Shrinkage(1.0, 20.0), Shrinkage(20.0, 20.0), Shrinkage(100.0, 20.0))
PSEUDOCOUNT = 0.01  # of a symbol among all sequences
CPU = torch.device("cpu")


@dataclass(frozen=True)
class Settings:
    """How clusters are fitted.

    Attributes:
        number, segment, min_support: as in the schema; at most as many clusters as there are sequences.
        seed: draws the sequences that clusters begin as, and the folds.
        shrinkage: pseudo-sequences of all in each cluster.
        rounds: of expectation and maximisation.
        device: where one chromosome at a time is fitted.
    """

    number: int
    segment: int
    min_support: int
    seed: int
    shrinkage: float = SHRINKAGE
    rounds: int = ROUNDS
    device: torch.device = CPU


def tune(data: TrainingData, settings: Settings, first: float | None = None) -> float:
    """The shrinkage under which validation samples, at most `TUNING_SAMPLES`, are most likely, by short fits.

    The first of `SHRINKAGES` that is clearly worse than one before ends the search. `first` are the nats by the very
    first, where they are known (see `likeliest_number`).
    """
    best, least = SHRINKAGES[0], np.inf
    for shrinkage in SHRINKAGES:
        known = shrinkage == SHRINKAGES[0] and first is not None
        mean = first if known else float(_shortly(data, replace(settings, shrinkage=shrinkage)).mean())
        log.info("shrinkage %g: %.1f nats per validation sequence", shrinkage, mean)
        if mean > WORSE * least:
            break
        if mean < least:
            best, least = shrinkage, mean
    return best


def likeliest_number(data: TrainingData, settings: Settings, most: int) -> tuple[int, float]:
    """How many clusters, up to `most`, make validation samples clearly likelier than fewer, each time twice as many.

    And the nats of these, by short fits, per validation sequence. Two numbers in a row that do not, by more than a
    standard error, end the search. The shrinkage is the least: the more clusters, the fewer sequences descend from
    each, and the more any other would blur it.
    """
    settings = replace(settings, shrinkage=SHRINKAGES[0])
    best, least = FEWEST, None
    for number in doubled(most):
        if number > 4 * best:
            break
        each = _shortly(data, replace(settings, number=number))
        log.info("%d clusters: %.1f nats per validation sequence", number, each.mean())
        if least is None or clearly_more(least - each, sequences.per_sample(data.store)):
            best, least = number, each
    return best, float(least.mean())


def clearly_more(gain: np.ndarray, per_sample: int = 1) -> bool:
    """Whether gains of sequences, those of a sample side by side, are above 0 by more than a standard error."""
    gain = gain.reshape(-1, per_sample).sum(1)
    error = gain.std(ddof=1) / np.sqrt(len(gain)) if len(gain) > 1 else np.inf
    return bool(gain.mean() > error)


def _shortly(data: TrainingData, settings: Settings) -> np.ndarray:
    """Nats of validation sequences, of at most `TUNING_SAMPLES`, by short fits of `TUNING_VARIANTS` in stretches."""
    order = streams.rng("clusters_validation", settings.seed).permutation(len(data.validation_rows))
    chosen = np.sort(order[:TUNING_SAMPLES])
    places = sequences.stretches(data.store, TUNING_VARIANTS, STRETCH)
    short = replace(settings, rounds=TUNING_ROUNDS)
    return nats(data, places, data.validation_rows[chosen], data.validation_label[chosen], short)


def nats(
    data: TrainingData, places: list[slice], rows: np.ndarray, label: np.ndarray, settings: Settings
) -> np.ndarray:
    """-log probability of sequences of samples (`rows` of the store) as mosaics of their labels, at some places.

    In nats (sequences,), as if nothing were known from one place to the next.
    """
    groups = sequences.grouped(data.store, data.label, label, pooled=False)
    asked, total = torch.from_numpy(groups.asked).to(settings.device), np.zeros(len(groups.asked))
    for place, (_, found) in zip(places, along(data, places, groups, settings), strict=True):
        symbols = torch.from_numpy(sequences.between(data.store, rows, place.start, place.stop)).to(settings.device)
        total -= hmm.log_probability(next(found), symbols, asked).cpu().numpy()
    return total


def along(
    data: TrainingData, places: Iterable[slice], groups: sequences.Groups, settings: Settings
) -> Iterator[tuple[Segments, Iterator[Clusters]]]:
    """The segments of each place of the store, and the clusters fitted to the training samples there (see `fit`)."""
    store = data.store
    sample, seeds = start(store, len(data.rows), settings)
    for place in places:
        symbols = torch.from_numpy(sequences.between(store, data.rows, place.start, place.stop)).to(settings.device)
        cut = segments.by_map(data.centimorgans[place], settings.segment)
        yield cut, fit(symbols, cut, groups, sample, seeds, sequences.alphabet(store), settings)


def start(store: Store, samples: int, settings: Settings) -> tuple[np.ndarray, np.ndarray]:
    """The sample of each sequence, as a number that says its fold, and the sequences that clusters begin as (K,).

    The same sequences are the seeds of every chromosome's clusters, and the same samples are in a fold.
    """
    rng, per_sample = streams.rng("clusters_seeds", settings.seed), sequences.per_sample(store)
    n = samples * per_sample
    seeds = np.sort(rng.permutation(n)[: min(settings.number, n)])
    return np.repeat(rng.permutation(samples), per_sample), seeds


def fit(
    symbols: Tensor,
    cut: Segments,
    groups: sequences.Groups,
    sample: np.ndarray,
    seeds: np.ndarray,
    alphabet: int,
    settings: Settings,
) -> Iterator[Clusters]:
    """Fit the clusters of one chromosome, where the symbols lie, with weights by each of `OF_SUBPOPULATIONS`, in turn.

    `symbols` int8 (v, sequences), `cut` into segments; `groups.source` is the group of each sequence, groups
    of one name being parts of one label; `sample` (sequences,) numbers samples, which are in folds in turn; `seeds`
    (K,) are the sequences that the clusters begin as.
    """
    label = torch.from_numpy(np.unique(groups.names, return_inverse=True)[1]).to(symbols.device)
    descent = OfGroups(torch.from_numpy(groups.source).to(symbols.device), label)
    return fit_by(descent, symbols, cut, sample, seeds, alphabet, settings)


@dataclass(frozen=True)
class Fold:
    """Some sequences: indicators `carried` (B, n, (A - 1) w), their numbers `own` (n,), and `barred` bool (n, K).

    No sequence descends from clusters that are barred to it. Entries into these are not shared out among others: of
    many clusters it makes no difference.
    """

    carried: Tensor
    own: Tensor
    barred: Tensor

    @classmethod
    def of(cls, carried: Tensor, own: Tensor, sample: Tensor, seeds: Tensor) -> Self:
        """`own` of all sequences, of which `sample` (all,) are the samples, and `seeds` (K,) those of the clusters."""
        barred = sample[own, None] == sample[seeds]
        barred &= ~barred.all(1, keepdim=True)  # unless there are no others
        return cls(carried[:, own], own, barred)

    @cached_property
    def patterns(self) -> "loops.Patterns":
        """What is looked up in tables, on a CPU."""
        from syngeno.models.haplotype import loops

        return loops.Patterns.of(self.carried.numpy())


class Descent(Protocol):
    """How sequences descend from clusters, by groups or by tracts of ancestries.

    Attributes:
        label: what each group is a part of (G,).
        whole, shrinkages: see maximisation.py; the first of these is that of all rounds.
        counts: what is counted.
    """

    label: Tensor
    whole: bool
    shrinkages: tuple[Shrinkage, ...]
    counts: type[Counts]

    def of_seeds(self, seeds: Tensor) -> Tensor:
        """The group that each seed (K,) is of, as shares: (G, 1 or B, K)."""

    def expected(self, clusters: Clusters, fold: "Fold") -> tuple[Counts, float]:
        """Expected counts of some sequences, and the sum of their log probabilities."""


def fit_by(
    descent: Descent,
    symbols: Tensor,
    cut: Segments,
    sample: np.ndarray,
    seeds: np.ndarray,
    alphabet: int,
    settings: Settings,
) -> Iterator[Clusters]:
    """As `fit`, for any way of descent, with weights of groups by each of its `shrinkages`, made as they are taken."""
    device, rounds = symbols.device, settings.rounds
    carried = hmm.indicators(symbols, alphabet, cut.edges)
    frequency = (carried.sum(1) + PSEUDOCOUNT) / (carried.shape[1] + alphabet * PSEUDOCOUNT)  # (B, (A - 1) w)
    switches = torch.from_numpy(switching(cut.morgans)).float().to(device)
    rest = Rest(frequency, settings.shrinkage, alphabet, cut.edges, switches, descent.label, descent.whole)
    sample, seeds = (torch.from_numpy(array).to(device) for array in (sample, seeds))
    begin = Seeds.of(carried, seeds, sample)
    total = descent.counts.zeros(begin, len(descent.label))
    kept, before, started = begin.symbol.new_ones(begin.alike.shape), [], time.monotonic()
    numbers = ((sample % FOLDS == fold).nonzero().squeeze(1) for fold in range(FOLDS))
    folds = [Fold.of(carried, own, sample, seeds) for own in numbers]
    for done in range(rounds):
        last_total, total, by_fold, log_sum = total, descent.counts.zeros(begin, len(descent.label)), [], 0.0
        of_seeds = descent.of_seeds(seeds)
        for fold in folds:
            of_others = last_total.less(before.pop(0)) if before else last_total
            clusters = maximised(of_others, begin, of_seeds, kept, rest, descent.shrinkages[0])
            counts, logs = descent.expected(clusters, fold)
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
    of_seeds = descent.of_seeds(seeds)
    return (maximised(total, begin, of_seeds, kept, rest, each) for each in descent.shrinkages)


@dataclass(frozen=True)
class OfGroups:
    """Sequences descend from clusters by the weights of their group, `source` (sequences,); see `Descent`."""

    source: Tensor
    label: Tensor
    whole, shrinkages, counts = False, OF_SUBPOPULATIONS, Counts

    def of_seeds(self, seeds: Tensor) -> Tensor:
        """See `Descent`."""
        return functional.one_hot(self.source[seeds], len(self.label)).T.float()[:, None]

    def expected(self, clusters: Clusters, fold: Fold) -> tuple[Counts, float]:
        """See `Descent`."""
        B, K = clusters.switch.shape
        carried, group = fold.carried, self.source[fold.own]
        if hmm.compiled(clusters.device):
            from syngeno.models.haplotype import loops

            symbol, *counts, logs = loops.expected(clusters, fold.patterns, group.numpy(), fold.barred.numpy())
            return Counts(torch.from_numpy(symbol).transpose(1, 2).contiguous(), *map(torch.from_numpy, counts)), logs
        symbol = clusters.switch.new_zeros((B, K, carried.shape[2]))
        occupancy, entry, logs = torch.zeros_like(clusters.weight), torch.zeros_like(clusters.weight), 0.0
        for part, present, of_group in hmm.batches(group, B, K):
            seen, weight, switch = carried[:, part].float(), clusters.weight[present], clusters.switch
            emission, top = hmm.emissions(clusters, seen, fold.barred[part])
            forward, scale = hmm.forwards(emission, switch, weight, of_group)
            logs += hmm.log_sums(top, scale).sum().item()
            onward, after = hmm.backwards(emission, switch, weight, of_group, scale)
            switched = forward[:-1] @ switch[1:, :, None]  # (B - 1, n, 1)
            entered = ((of_group * switched).transpose(1, 2) @ onward[1:]).transpose(0, 1) * weight[:, 1:]
            posterior = after.mul_(forward)
            symbol.baddbmm_(posterior.transpose(1, 2), seen)
            occupied = (of_group.T @ posterior).transpose(0, 1)
            occupancy.index_add_(0, present, occupied)
            entry.index_add_(0, present, torch.cat([occupied[:, :1], entered], 1))
        return Counts(symbol, occupancy, entry), logs
