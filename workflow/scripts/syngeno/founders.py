"""Founder sequences, learnt from many people, of which everybody's sequences are mosaics.

After fastPHASE (Scheet and Stephens, Am J Hum Genet 2006). Along segments of a few variants a sequence descends from
one of K founders, by the hidden Markov chain of hmm.py, with arrivals of its group's own.

All is fitted by expectation maximisation, with one difference: a sequence is explained by what the founders learnt
from people of other folds only, so that leaving is nearer to as probable as it is for newcomers; fitted without folds,
founders are likelier on members and less likely on others. (Nearer, not near: whom a founder stands for was shaped by
everybody in the rounds before, and newcomers are less likely than people of another fold.) A piece of a founder that
fewer sequences than `carriers` descend from, or those of one fold nearly alone, is forgotten: no person's own haplotype
is handed out. A founder's symbols are shrunk towards the frequencies of all by `shrinkage` pseudo-sequences, which
validation people choose.
"""

import logging
import time
from collections.abc import Iterator
from dataclasses import dataclass
from itertools import pairwise

import numpy as np
import torch
from torch import Tensor

from syngeno import hmm, sequences
from syngeno.hmm import Founders
from syngeno.store import Store, indices

log = logging.getLogger(__name__)

FOUNDERS = 256
SEGMENT = 10  # variants
CARRIERS = 2
SHRINKAGES = (0.01, 0.1, 1.0, 10.0)
SHRINKAGE = 0.1
TUNING_PEOPLE = 100
TUNING_ROUNDS, ROUNDS = 4, 8
FOLDS = 5
LARGEST_FOLD = 0.75  # of the sequences that descend from a founder in a segment; what is learnt from more is forgotten
PSEUDOCOUNT = 0.01  # of a symbol among all sequences
ERROR = 1e-4  # probability of each symbol that founders cannot go below
EVERYBODY, OF_LABEL = 1.0, 20.0  # pseudo-sequences of all among those of a label, of the label among an ancestry's
ARRIVAL_PRIOR = 50.0  # pseudo-arrivals at a segment, divided as its people are among the founders
LEAVE_PRIOR = 0.3  # pseudo-sequences
LEAST_ARRIVAL, LEAST_LEAVE = 1e-4, 1e-5  # of all founders together; keep every sequence possible
STAYS = 0.97  # before anything is known
CPU = torch.device("cpu")


def tune(
    store: Store,
    people: np.ndarray,
    label: np.ndarray,
    validation: np.ndarray,
    validation_label: np.ndarray,
    *,
    start: int,
    founders: int = FOUNDERS,
    segment: int = SEGMENT,
    carriers: float = CARRIERS,
    device: torch.device = CPU,
) -> float:
    """The shrinkage under which validation people are most likely, by their labels.

    At most `TUNING_PEOPLE` validation people are asked, the fits are short, and the first of `SHRINKAGES` that is worse
    than the one before ends the search. Arguments as for `nats`.
    """
    validation = indices(validation, len(store.samples))
    chosen = np.sort(np.random.default_rng([start, 24]).permutation(len(validation))[:TUNING_PEOPLE])
    asked = validation[chosen], np.asarray(validation_label)[chosen]
    settings = {"start": start, "founders": founders, "segment": segment, "carriers": carriers, "device": device}
    best, least = SHRINKAGES[0], np.inf
    for shrinkage in SHRINKAGES:
        mean = nats(store, people, label, *asked, shrinkage=shrinkage, rounds=TUNING_ROUNDS, **settings).mean()
        log.info("shrinkage %g: %.1f nats per validation sequence", shrinkage, mean)
        if mean > least:
            break
        best, least = shrinkage, mean
    return best


def nats(
    store: Store,
    people: np.ndarray,
    label: np.ndarray,
    heldout: np.ndarray,
    heldout_label: np.ndarray,
    *,
    start: int,
    founders: int = FOUNDERS,
    segment: int = SEGMENT,
    carriers: float = CARRIERS,
    shrinkage: float = SHRINKAGE,
    rounds: int = ROUNDS,
    device: torch.device = CPU,
) -> np.ndarray:
    """-log probability of each held-out sequence as a mosaic, by its label: float64 (sequences,), in nats.

    `people` and `heldout` are rows of the store, with labels (people,), (heldout,); other settings as `by_chromosome`.
    """
    groups = sequences.grouped(store, label, heldout_label, pooled=False)
    asked, total = torch.from_numpy(groups.asked).to(device), np.zeros(len(groups.asked))
    settings = {"start": start, "founders": founders, "segment": segment, "carriers": carriers, "rounds": rounds}
    for first, last, fitted in by_chromosome(store, people, groups, shrinkage=shrinkage, device=device, **settings):
        symbols = torch.from_numpy(sequences.between(store, heldout, first, last)).to(device)
        total -= hmm.log_probability(fitted, symbols, asked).cpu().numpy()
    return total


def by_chromosome(
    store: Store,
    people: np.ndarray,
    groups: sequences.Groups,
    *,
    start: int,
    founders: int = FOUNDERS,
    segment: int = SEGMENT,
    carriers: float = CARRIERS,
    shrinkage: float = SHRINKAGE,
    rounds: int = ROUNDS,
    device: torch.device = CPU,
) -> Iterator[tuple[int, int, Founders]]:
    """First and last variant (excluded) of each chromosome, and the founders fitted on it.

    `start` is the seed that chooses the sequences as which founders begin; settings as `fit`.
    """
    rng = np.random.default_rng([start, 26])
    copies, n = sequences.per_person(store), len(groups.source)
    # The same sequences begin the founders of every chromosome, and the same people are in a fold.
    seeds = np.sort(rng.permutation(n)[: min(founders, n)])
    fold = np.repeat(rng.permutation(n // copies) % FOLDS, copies)
    settings = {"segment": segment, "carriers": carriers, "shrinkage": shrinkage, "rounds": rounds}
    for first, last in pairwise([*np.flatnonzero(sequences.starts(store)).tolist(), len(store)]):
        symbols = torch.from_numpy(sequences.between(store, people, first, last)).to(device)
        yield first, last, fit(symbols, groups, fold, seeds, sequences.alphabet(store), **settings)


def fit(
    symbols: Tensor,
    groups: sequences.Groups,
    fold: np.ndarray,
    seeds: np.ndarray,
    alphabet: int,
    *,
    segment: int,
    shrinkage: float,
    rounds: int,
    carriers: float = CARRIERS,
) -> Founders:
    """Fit the founders of one chromosome in so many rounds of expectation and maximisation, where the symbols lie.

    `symbols` int8 (v, sequences); `groups.source` says the group of each, groups of one name being parts of one label;
    `fold` (sequences,) says the fold of each, the same for all of a person; `seeds` (K,) are the sequences as which the
    founders begin, `carriers` how many sequences descend from a piece of a founder that is kept. Progress is logged.
    """
    if segment < 1 or rounds < 1 or not shrinkage > 0:
        raise ValueError(f"segments of {segment} variants, {rounds} rounds, shrinkage {shrinkage}; all are above 0")
    device = symbols.device
    seen = hmm.indicators(symbols, alphabet, segment)
    frequency = (seen.sum(1) + PSEUDOCOUNT) / (seen.shape[1] + alphabet * PSEUDOCOUNT)  # (B, (A - 1) w)
    owner = torch.from_numpy(np.unique(groups.names, return_inverse=True)[1]).to(device)
    known = frequency, shrinkage, alphabet, len(symbols), owner
    source = torch.from_numpy(groups.source).to(device)
    counts, begun = _Counts.of_seeds(seen, seeds, fold, len(groups.names)), time.monotonic()
    total = counts.added()  # founders begin as single sequences, shared by nobody yet
    for done in range(rounds):
        learnt, next_counts, told = _maximised(total, *known), [], 0.0
        for one in range(FOLDS):
            own = torch.from_numpy(np.flatnonzero(fold == one)).to(device)
            others = total.less(counts.of_fold(one)) if len(own) else total
            model = _maximised(others, *known, arrive=learnt.arrive)
            found, logs = _expected(model, seen[:, own], source[own])
            next_counts.append(found)
            told += logs
        del counts, others
        counts = _Counts.stacked(next_counts).shared(carriers)
        total = counts.added()
        left = (time.monotonic() - begun) / (done + 1) * (rounds - done - 1)
        log.info("round %d of %d: %.1f nats by other folds, %.0f s left", done + 1, rounds, -told / len(fold), left)
    return _maximised(total, *known)


@dataclass(frozen=True)
class _Counts:
    """Expected counts, a fold each (or none): of symbols (.., B, K, (A - 1) w), of sequences that descend from a
    founder by group (.., G, B, K), and of those of them that arrived there (.., G, B, K); the others stayed.
    """

    symbol: Tensor
    descent: Tensor
    arrival: Tensor

    @classmethod
    def of_seeds(cls, seen: Tensor, seeds: np.ndarray, fold: np.ndarray, groups: int) -> "_Counts":
        """What the founders know at the beginning: a sequence each, of no group in particular."""
        B, K = len(seen), len(seeds)
        symbol = seen.new_zeros((FOLDS, B, K, seen.shape[2]), dtype=torch.float32)
        descent = symbol.new_zeros((FOLDS, groups, B, K))
        for k, (sequence, one) in enumerate(zip(seeds.tolist(), fold[seeds].tolist(), strict=True)):
            symbol[one, :, k] = seen[:, sequence].float()
            descent[one, :, :, k] = 1 / groups
        arrival = descent * (1 - STAYS)
        arrival[:, :, 0] = descent[:, :, 0]
        return cls(symbol, descent, arrival)

    @classmethod
    def stacked(cls, folds: list["_Counts"]) -> "_Counts":
        return cls(*(torch.stack([getattr(one, name) for one in folds]) for name in cls.__dataclass_fields__))

    def shared(self, carriers: float) -> "_Counts":
        """Without founders, segment by segment, that one fold knows almost alone or that have few carriers."""
        support = self.descent.sum(1)  # (folds, B, K)
        total = support.sum(0)
        kept = ((support.amax(0) <= LARGEST_FOLD * total) & (total >= carriers)).float()
        # In place: at thousands of founders these are gigabytes.
        return _Counts(self.symbol.mul_(kept[..., None]), self.descent.mul_(kept), self.arrival.mul_(kept))

    def added(self) -> "_Counts":
        return _Counts(*(getattr(self, name).sum(0) for name in self.__dataclass_fields__))

    def of_fold(self, one: int) -> "_Counts":
        return _Counts(*(getattr(self, name)[one] for name in self.__dataclass_fields__))

    def less(self, other: "_Counts") -> "_Counts":
        """Without what others counted; no count falls below 0 by rounding."""
        names = self.__dataclass_fields__
        return _Counts(*((getattr(self, name) - getattr(other, name)).clamp_(min=0) for name in names))


def _maximised(
    counts: _Counts,
    frequency: Tensor,
    shrinkage: float,
    alphabet: int,
    variants: int,
    owner: Tensor,
    arrive: Tensor | None = None,
) -> Founders:
    """The founders that go with expected counts of one fold or of all; `arrive` as given, or from the counts.

    `owner` (G,) is the label that each group is a part of.
    """
    descent = counts.descent.sum(0)
    B, K = descent.shape
    symbol = (counts.symbol + shrinkage * frequency[:, None]) / (descent[:, :, None] + shrinkage)
    symbol = ERROR + (1 - alphabet * ERROR) * symbol.reshape(B, K, alphabet - 1, -1)
    if arrive is None:
        # Whoever arrives goes where the label's people are, as far as arrivals do not say otherwise.
        share = (descent + 1e-6 / K) / (descent.sum(1, keepdim=True) + 1e-6)  # alike where nobody is known
        same = (owner[:, None] == owner).float()
        of_labels = torch.tensordot(same, counts.descent, 1)  # of each group's label
        prior = _mixed(counts.descent, _mixed(of_labels, share, EVERYBODY), OF_LABEL)
        arrive = _mixed(counts.arrival, prior, ARRIVAL_PRIOR)
        arrive = LEAST_ARRIVAL / K + (1 - LEAST_ARRIVAL) * arrive
    leave = torch.ones_like(descent)
    if B > 1:
        came, stayed = descent[1:], (descent - counts.arrival.sum(0))[1:].clamp_(min=0)
        gone = (descent[:-1] - stayed).clamp_(min=0)
        rate = (gone.sum(1) + 0.5) / (descent[:-1].sum(1) + 1)
        # Nobody stays with a founder of whom nothing is known from here on.
        expected = 1 - (1 - rate[:, None]) * came / (came + 1)
        leave[1:] = (gone + LEAVE_PRIOR * expected) / (descent[:-1] + LEAVE_PRIOR)
    return Founders(symbol, leave.clamp_(LEAST_LEAVE, 1), arrive, variants)


def _mixed(counts: Tensor, prior: Tensor, weight: float) -> Tensor:
    """Shares of founders by counts (.., K) and so many pseudo-counts of a prior."""
    return (counts + weight * prior) / (counts.sum(-1, keepdim=True) + weight)


def _expected(model: Founders, seen: Tensor, group: Tensor) -> tuple[_Counts, float]:
    """Expected counts of sequences (B, n, ..) with groups (n,), and the sum of their log probabilities."""
    B, K = model.leave.shape
    symbol = model.leave.new_zeros((B, K, seen.shape[2]))
    descent, arrival, logs = torch.zeros_like(model.arrive), torch.zeros_like(model.arrive), 0.0
    for own, present, of in hmm.batches(group, B * K):
        part, arrive, leave = seen[:, own].float(), model.arrive[present], model.leave
        emission, top = hmm.emissions(model, part)
        forward, scale = hmm.forwards(emission, leave, arrive, of)
        logs += hmm.log_sums(top, scale).sum().item()
        onward, after = hmm.backwards(emission, leave, arrive, of, scale)
        left = forward[:-1] @ leave[1:, :, None]  # (B - 1, n, 1)
        arrived = ((of * left).transpose(1, 2) @ onward[1:]).transpose(0, 1) * arrive[:, 1:]
        share = after.mul_(forward)
        symbol.baddbmm_(share.transpose(1, 2), part)
        descended = (of.T @ share).transpose(0, 1)
        descent.index_add_(0, present, descended)
        arrival.index_add_(0, present, torch.cat([descended[:, :1], arrived], 1))
    return _Counts(symbol, descent, arrival), logs
