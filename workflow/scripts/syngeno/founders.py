"""The control of few ancestors: mosaics of founder haplotypes that are learnt from many people, not copied from one.

After fastPHASE (Scheet and Stephens, Am J Hum Genet 2006). Along segments of a few variants a sequence descends from
one of K founders, by the hidden Markov chain of hmm.py, with arrivals of its label's own, or of all.

All is fitted by expectation maximisation, with one difference: a sequence is explained by what the founders learnt
from people of other folds only, so that leaving is as probable as it is for newcomers; fitted without folds, founders
are likelier on members and less likely on others. What comes from one fold nearly alone is forgotten, segment by
segment: no person's own haplotype is handed out. A founder's symbols are shrunk towards the frequencies of all by
`shrinkage` pseudo-sequences, which validation people choose.
"""

import logging
import time
from collections.abc import Iterator
from dataclasses import dataclass
from itertools import pairwise

import numpy as np

from syngeno import hmm, sequences
from syngeno.hmm import Founders
from syngeno.store import Store, indices

log = logging.getLogger(__name__)

FOUNDERS = 256
SEGMENT = 10  # variants
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


def tune(
    store: Store,
    people: np.ndarray,
    label: np.ndarray,
    validation: np.ndarray,
    validation_label: np.ndarray,
    *,
    seed: int,
    founders: int = FOUNDERS,
    segment: int = SEGMENT,
    pooled: bool = False,
) -> dict:
    """The `shrinkage` under which validation people are most likely: {"shrinkage": float, "start": seed}.

    At most `TUNING_PEOPLE` validation people are asked, the fits are short, and the first of `SHRINKAGES` that is worse
    than the one before ends the search. `start` is the seed that chooses the
    first founders. Other arguments as for `nats`.
    """
    validation = indices(validation, len(store.samples))
    rng = np.random.default_rng([seed, 24])
    chosen = np.sort(rng.permutation(len(validation))[:TUNING_PEOPLE])
    asked = validation[chosen], np.asarray(validation_label)[chosen]
    settings = {"start": seed, "founders": founders, "segment": segment, "pooled": pooled, "rounds": TUNING_ROUNDS}
    best, least = SHRINKAGES[0], np.inf
    for shrinkage in SHRINKAGES:
        mean = nats(store, people, label, *asked, shrinkage=shrinkage, **settings).mean()
        log.info("shrinkage %g: %.1f nats per validation sequence", shrinkage, mean)
        if mean > least:
            break
        best, least = shrinkage, mean
    return {"shrinkage": best, "start": seed}


def draw(
    store: Store,
    people: np.ndarray,
    label: np.ndarray,
    wanted: np.ndarray,
    *,
    seed: int,
    start: int,
    founders: int = FOUNDERS,
    segment: int = SEGMENT,
    shrinkage: float = SHRINKAGE,
    pooled: bool = False,
) -> Iterator[np.ndarray]:
    """Mosaics of learnt founders; arguments, chunks and errors as `independent.draw`, settings as `tune`."""
    groups = sequences.grouped(store, label, wanted, pooled)
    rng = np.random.default_rng([seed, 25])
    settings = {"founders": founders, "segment": segment, "shrinkage": shrinkage, "start": start}
    for _, _, fitted in by_chromosome(store, people, groups, **settings):
        yield from sequences.call_chunks(store, hmm.walk(fitted, groups.asked, rng))


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
    shrinkage: float = SHRINKAGE,
    pooled: bool = False,
    rounds: int = ROUNDS,
) -> np.ndarray:
    """-log probability of each held-out sequence under what `draw` draws from, float64 (sequences,), in nats.

    Settings as `tune`, the rest as for `independent.nats`.
    """
    groups = sequences.grouped(store, label, heldout_label, pooled)
    total = np.zeros(len(groups.asked))
    settings = {"founders": founders, "segment": segment, "shrinkage": shrinkage, "start": start}
    for first, last, fitted in by_chromosome(store, people, groups, rounds=rounds, **settings):
        symbols = sequences.between(store, heldout, first, last)
        total -= hmm.log_probability(fitted, symbols, groups.asked)
    return total


def by_chromosome(
    store: Store,
    people: np.ndarray,
    groups: sequences.Groups,
    *,
    start: int,
    founders: int = FOUNDERS,
    segment: int = SEGMENT,
    shrinkage: float = SHRINKAGE,
    rounds: int = ROUNDS,
) -> Iterator[tuple[int, int, Founders]]:
    """First and last variant (excluded) of each chromosome, and the founders fitted on it; settings as `nats`."""
    rng = np.random.default_rng([start, 26])
    copies, n = sequences.per_person(store), len(groups.source)
    # The same sequences begin the founders of every chromosome, and the same people are in a fold.
    seeds = np.sort(rng.permutation(n)[: min(founders, n)])
    fold = np.repeat(rng.permutation(n // copies) % FOLDS, copies)
    for first, last in pairwise([*np.flatnonzero(sequences.starts(store)).tolist(), len(store)]):
        symbols = sequences.between(store, people, first, last)
        settings = {"segment": segment, "shrinkage": shrinkage, "rounds": rounds}
        yield first, last, fit(symbols, groups, fold, seeds, sequences.alphabet(store), **settings)


def fit(
    symbols: np.ndarray,
    groups: sequences.Groups,
    fold: np.ndarray,
    seeds: np.ndarray,
    alphabet: int,
    *,
    segment: int,
    shrinkage: float,
    rounds: int,
) -> Founders:
    """Fit the founders of one chromosome in so many rounds of expectation and maximisation.

    `symbols` int8 (v, sequences); `groups.source` says the group of each, groups of one name being parts of one label;
    `fold` (sequences,) says the fold of each, the same for all of a person; `seeds` (K,) are the sequences as which the
    founders begin. Progress is logged.
    """
    if segment < 1 or rounds < 1 or not shrinkage > 0:
        raise ValueError(f"segments of {segment} variants, {rounds} rounds, shrinkage {shrinkage}; all are above 0")
    seen = hmm.indicators(symbols, alphabet, segment)
    frequency = (seen.sum(1) + PSEUDOCOUNT) / (seen.shape[1] + alphabet * PSEUDOCOUNT)  # (B, (A - 1) w)
    known = frequency, shrinkage, alphabet, len(symbols), np.unique(groups.names, return_inverse=True)[1]
    counts, begun = _Counts.of_seeds(seen, seeds, fold, len(groups.names)), time.monotonic()
    total = counts.added()  # founders begin as single sequences, shared by nobody yet
    for done in range(rounds):
        learnt, next_counts, told = _maximised(total, *known), [], 0.0
        for one in range(FOLDS):
            own = np.flatnonzero(fold == one)
            others = total.less(counts.of_fold(one)) if len(own) else total
            model = _maximised(others, *known, arrive=learnt.arrive)
            found, logs = _expected(model, seen[:, own], groups.source[own])
            next_counts.append(found)
            told += logs
        counts = _Counts.stacked(next_counts).shared()
        total = counts.added()
        left = (time.monotonic() - begun) / (done + 1) * (rounds - done - 1)
        log.info("round %d of %d: %.1f nats as of newcomers, %.0f s left", done + 1, rounds, -told / len(fold), left)
    return _maximised(total, *known)


@dataclass(frozen=True)
class _Counts:
    """Expected counts, a fold each (or none): of symbols (.., B, K, (A - 1) w), of sequences that descend from a
    founder by label (.., G, B, K), of those that stayed there since the segment before (.., B, K), and of arrivals
    by label (.., G, B, K).
    """

    symbol: np.ndarray
    descent: np.ndarray
    stay: np.ndarray
    arrival: np.ndarray

    @classmethod
    def of_seeds(cls, seen: np.ndarray, seeds: np.ndarray, fold: np.ndarray, groups: int) -> "_Counts":
        """What the founders know at the beginning: a sequence each, of no label in particular."""
        B, K = len(seen), len(seeds)
        symbol = np.zeros((FOLDS, B, K, seen.shape[2]), np.float32)
        descent, stay = (np.zeros((FOLDS, *shape, K), np.float32) for shape in ((groups, B), (B,)))
        for k, (sequence, one) in enumerate(zip(seeds, fold[seeds], strict=True)):
            symbol[one, :, k] = seen[:, sequence]
            descent[one, :, :, k] = 1 / groups
            stay[one, 1:, k] = STAYS
        return cls(symbol, descent, stay, np.zeros_like(descent))

    @classmethod
    def stacked(cls, folds: list["_Counts"]) -> "_Counts":
        return cls(*(np.stack([getattr(one, name) for one in folds]) for name in cls.__dataclass_fields__))

    def shared(self) -> "_Counts":
        """Without founders, segment by segment, that one fold knows almost alone."""
        support = self.descent.sum(1)  # (folds, B, K)
        kept = (support.max(0) <= LARGEST_FOLD * support.sum(0)).astype(np.float32)
        through = kept.copy()
        through[1:] *= kept[:-1]
        return _Counts(self.symbol * kept[..., None], self.descent * kept, self.stay * through, self.arrival * kept)

    def added(self) -> "_Counts":
        return _Counts(*(getattr(self, name).sum(0) for name in self.__dataclass_fields__))

    def of_fold(self, one: int) -> "_Counts":
        return _Counts(*(getattr(self, name)[one] for name in self.__dataclass_fields__))

    def less(self, other: "_Counts") -> "_Counts":
        """Without what others counted; no count falls below 0 by rounding."""
        names = self.__dataclass_fields__
        return _Counts(*(np.maximum(getattr(self, name) - getattr(other, name), 0) for name in names))


def _maximised(
    counts: _Counts,
    frequency: np.ndarray,
    shrinkage: float,
    alphabet: int,
    variants: int,
    owner: np.ndarray,
    arrive: np.ndarray | None = None,
) -> Founders:
    """The founders that go with expected counts of one fold or of all; `arrive` as given, or from the counts.

    `owner` (G,) is the label that each group is a part of.
    """
    B, K = counts.stay.shape
    descent = counts.descent.sum(0)
    support = descent[:, :, None]
    symbol = (counts.symbol + shrinkage * frequency[:, None]) / (support + shrinkage)
    symbol = ERROR + (1 - alphabet * ERROR) * symbol.reshape(B, K, alphabet - 1, -1)
    if arrive is None:
        # Whoever arrives goes where the label's people are, as far as arrivals do not say otherwise.
        share = (descent + 1e-6 / K) / (descent.sum(1, keepdims=True) + 1e-6)  # alike where nobody is known
        of_labels = np.zeros((owner.max() + 1, B, K), np.float32)
        np.add.at(of_labels, owner, counts.descent)
        prior = _mixed(counts.descent, _mixed(of_labels, share, EVERYBODY)[owner], OF_LABEL)
        arrive = _mixed(counts.arrival, prior, ARRIVAL_PRIOR)
        arrive = LEAST_ARRIVAL / K + (1 - LEAST_ARRIVAL) * arrive
    leave = np.ones((B, K), np.float32)
    if B > 1:
        came, gone = descent[1:], np.maximum(descent[:-1] - counts.stay[1:], 0)
        rate = (gone.sum(1) + 0.5) / (descent[:-1].sum(1) + 1)
        # Nobody stays with a founder of whom nothing is known from here on.
        expected = 1 - (1 - rate[:, None]) * came / (came + 1)
        leave[1:] = (gone + LEAVE_PRIOR * expected) / (descent[:-1] + LEAVE_PRIOR)
    return Founders(
        symbol.astype(np.float32), leave.clip(LEAST_LEAVE, 1).astype(np.float32), arrive.astype(np.float32), variants
    )


def _mixed(counts: np.ndarray, prior: np.ndarray, weight: float) -> np.ndarray:
    """Shares of founders by counts (.., K) and so many pseudo-counts of a prior."""
    return (counts + weight * prior) / (counts.sum(-1, keepdims=True) + weight)


def _expected(model: Founders, seen: np.ndarray, group: np.ndarray) -> tuple[_Counts, float]:
    """Expected counts of sequences (B, n, ..) with groups (n,), and the sum of their log probabilities."""
    B, K = model.leave.shape
    symbol = np.zeros((B, K, seen.shape[2]), np.float32)
    descent, stay = np.zeros_like(model.arrive), np.zeros((B, K), np.float32)
    arrival, logs = np.zeros_like(model.arrive), 0.0

    for own in hmm.batches(group, B * K):
        label, part = int(group[own[0]]), seen[:, own].astype(np.float32)
        emission, top = hmm.emissions(model, part)
        arrive = model.arrive[label]
        forward, scale = hmm.filtered(emission, model.leave, arrive)
        logs += hmm.log_sums(top, scale).sum()
        backward = np.ones(emission.shape[1:], np.float32)
        for b in reversed(range(B)):
            share = forward[b] * backward
            share /= share.sum(1, keepdims=True)
            descent[label, b] += share.sum(0)
            symbol[b] += share.T @ part[b]
            if b == 0:
                arrival[label, 0] += share.sum(0)
                break
            onward = emission[b] * backward
            onward /= scale[b][:, None]
            stay[b] += np.einsum("nk,nk->k", forward[b - 1], onward) * (1 - model.leave[b])
            arrival[label, b] += (forward[b - 1] @ model.leave[b]) @ onward * arrive[b]
            backward = onward * (1 - model.leave[b]) + (onward @ arrive[b])[:, None] * model.leave[b]
    return _Counts(symbol, descent, stay, arrival), logs
