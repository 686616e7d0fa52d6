"""Founder sequences, learnt from many people, of which everybody's sequences are mosaics.

After fastPHASE (Scheet and Stephens, Am J Hum Genet 2006) and Li and Stephens (Genetics 2003). Along segments of a few
variants a sequence descends from one of K founders, by the hidden Markov chain of hmm.py, with arrivals of its group's
own. A founder is what a member's sequence, its seed, and the sequences that descend from it have in common.

All is fitted by expectation maximisation across folds of people: a sequence does not descend from founders whose seed
is its own person's, and the others know what they learnt from other folds. So a member is nearly as probable to the fit
as a newcomer is to the founders; explained by what it shaped, it would seem far likelier, and leave and err less than
others. (Nearly: what is forgotten depends on everybody, and so do other folds' earlier assignments.) A segment of a
founder is forgotten where fewer sequences than `carriers` descend from it and from founders that begin alike, the seed
included: the haplotype of a segment that is one person's alone is not handed out. (An allele of one person's may be, on
a haplotype that others carry.) A founder's symbols are shrunk towards the frequencies of all by `shrinkage`
pseudo-sequences, which validation people choose.
"""

import logging
import time
from collections.abc import Iterator
from dataclasses import dataclass
from itertools import pairwise

import numpy as np
import torch
from torch import Tensor
from torch.nn import functional

from syngeno.data import sequences
from syngeno.data.store import Store, indices
from syngeno.models.haplotype import hmm
from syngeno.models.haplotype.hmm import Founders

log = logging.getLogger(__name__)

FOUNDERS = 256
SEGMENT = 10  # variants
CARRIERS = 2
SHRINKAGES = (0.01, 0.1, 1.0, 10.0)
SHRINKAGE = 0.1
WORSE = 1.001  # times as many nats as with less shrinkage
TUNING_PEOPLE, TUNING_VARIANTS = 100, 2000
TUNING_ROUNDS, ROUNDS = 3, 5
FOLDS = 5
PSEUDOCOUNT = 0.01  # of a symbol among all sequences
ERROR = 1e-4  # probability of each symbol that founders cannot go below
EVERYBODY, OF_LABEL = 1.0, 20.0  # pseudo-sequences of all among those of a label, of the label among an ancestry's
ARRIVAL_PRIOR = 50.0  # pseudo-arrivals at a segment, divided as its people are among the founders
LEAVE_PRIOR = 0.3  # pseudo-sequences
LEAST_ARRIVAL, LEAST_LEAVE = 1e-4, 1e-5  # of all founders together; keep every sequence possible
LEAVES = 0.03  # share of sequences, before anything is known
ENDS = "amin", "amax"
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
    carriers: int = CARRIERS,
    device: torch.device = CPU,
) -> float:
    """The shrinkage under which validation people are most likely, by their labels.

    At most `TUNING_PEOPLE` validation people are asked, about the first `TUNING_VARIANTS` of each chromosome, the fits
    are short, and the first of `SHRINKAGES` that is clearly worse than one before ends the search. Arguments as `nats`.
    """
    validation = indices(validation, len(store.samples))
    chosen = np.sort(np.random.default_rng([start, 24]).permutation(len(validation))[:TUNING_PEOPLE])
    asked = validation[chosen], np.asarray(validation_label)[chosen]
    settings = {"start": start, "founders": founders, "segment": segment, "carriers": carriers, "device": device}
    best, least = SHRINKAGES[0], np.inf
    for shrinkage in SHRINKAGES:
        short = {"shrinkage": shrinkage, "rounds": TUNING_ROUNDS, "variants": TUNING_VARIANTS}
        mean = nats(store, people, label, *asked, **short, **settings).mean()
        log.info("shrinkage %g: %.1f nats per validation sequence", shrinkage, mean)
        if mean > WORSE * least:
            break
        if mean < least:
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
    carriers: int = CARRIERS,
    shrinkage: float = SHRINKAGE,
    rounds: int = ROUNDS,
    variants: int | None = None,
    device: torch.device = CPU,
) -> np.ndarray:
    """-log probability of each held-out sequence as a mosaic, by its label: float64 (sequences,), in nats.

    `people` and `heldout` are rows of the store, with labels (people,), (heldout,); other settings as `by_chromosome`.
    """
    groups = sequences.grouped(store, label, heldout_label, pooled=False)
    asked, total = torch.from_numpy(groups.asked).to(device), np.zeros(len(groups.asked))
    settings = {"start": start, "founders": founders, "segment": segment, "carriers": carriers, "device": device}
    short = {"shrinkage": shrinkage, "rounds": rounds, "variants": variants}
    for first, last, fitted in by_chromosome(store, people, groups, **short, **settings):
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
    carriers: int = CARRIERS,
    shrinkage: float = SHRINKAGE,
    rounds: int = ROUNDS,
    variants: int | None = None,
    device: torch.device = CPU,
) -> Iterator[tuple[int, int, Founders]]:
    """First and last variant (excluded) of each chromosome, or of its first `variants`, and the founders fitted there.

    `start` is the seed that chooses the sequences as which founders begin; settings as `fit`.
    """
    rng = np.random.default_rng([start, 26])
    copies, n = sequences.per_person(store), len(groups.source)
    # The same sequences begin the founders of every chromosome, and the same people are in a fold.
    seeds = np.sort(rng.permutation(n)[: min(founders, n)])
    person = np.repeat(rng.permutation(n // copies), copies)
    settings = {"segment": segment, "carriers": carriers, "shrinkage": shrinkage, "rounds": rounds}
    for first, last in pairwise([*np.flatnonzero(sequences.starts(store)).tolist(), len(store)]):
        last = last if variants is None else min(last, first + variants)
        symbols = torch.from_numpy(sequences.between(store, people, first, last)).to(device)
        yield first, last, fit(symbols, groups, person, seeds, sequences.alphabet(store), **settings)


def fit(
    symbols: Tensor,
    groups: sequences.Groups,
    person: np.ndarray,
    seeds: np.ndarray,
    alphabet: int,
    *,
    segment: int,
    shrinkage: float,
    rounds: int,
    carriers: int = CARRIERS,
) -> Founders:
    """Fit the founders of one chromosome in so many rounds of expectation and maximisation, where the symbols lie.

    `symbols` int8 (v, sequences); `groups.source` says the group of each, groups of one name being parts of one label;
    `person` (sequences,) numbers people, who are of folds in turn; `seeds` (K,) are the sequences as which the founders
    begin, `carriers` how many sequences descend from a piece that is kept. Progress is logged.
    """
    if segment < 1 or rounds < 1 or not shrinkage > 0:
        raise ValueError(f"segments of {segment} variants, {rounds} rounds, shrinkage {shrinkage}; all are above 0")
    device = symbols.device
    seen = hmm.indicators(symbols, alphabet, segment)
    frequency = (seen.sum(1) + PSEUDOCOUNT) / (seen.shape[1] + alphabet * PSEUDOCOUNT)  # (B, (A - 1) w)
    owner = torch.from_numpy(np.unique(groups.names, return_inverse=True)[1]).to(device)
    known = frequency, shrinkage, alphabet, len(symbols), owner
    source, person, seed = (torch.from_numpy(one).to(device) for one in (groups.source, person, seeds))
    begin = _Seeds.of(seen, seed, source, person, len(groups.names))
    total = _Counts.nothing(begin)
    kept, before, started = torch.ones_like(total.descent[0]), [], time.monotonic()
    for done in range(rounds):
        learnt, total, found, told = total, _Counts.nothing(begin), [], 0.0
        for one in range(FOLDS):
            own = (person % FOLDS == one).nonzero().squeeze(1)
            newcomers = learnt.less(before.pop(0)) if before else learnt
            model = _maximised(newcomers, begin, kept, *known)
            counts, logs = _expected(model, seen[:, own], source[own], person[own], person[seed])
            total.add(counts)
            found.append(counts)
            told += logs
        kept *= begin.carriers(total.descent.sum(0)) > carriers - 0.5  # the whole number nearest to what is expected
        for counts in (total, *found):
            counts.keep(kept)
        before = found
        left = (time.monotonic() - started) / (done + 1) * (rounds - done - 1)
        log.info("round %d of %d: %.1f nats by other folds, %.0f s left", done + 1, rounds, -told / len(person), left)
    return _maximised(total, begin, kept, *known)


@dataclass(frozen=True)
class _Seeds:
    """The sequences as which founders begin: their symbols (B, K, (A - 1) w), 1 at each one's group (G, K), which are
    alike in a segment, by number (B, K), and 1 where all these are of one person, else 0 (B, K).
    """

    symbol: Tensor
    group: Tensor
    alike: Tensor
    alone: Tensor

    @classmethod
    def of(cls, seen: Tensor, seed: Tensor, source: Tensor, person: Tensor, groups: int) -> "_Seeds":
        """`seed` (K,); groups `source` and people `person` (n,) of all sequences `seen` (B, n, (A - 1) w)."""
        symbol = seen[:, seed]
        alike = torch.stack([one.unique(dim=0, return_inverse=True)[1] for one in symbol])
        people = person[seed].expand_as(alike)
        first, last = (
            torch.zeros_like(alike).scatter_reduce(1, alike, people, how, include_self=False) for how in ENDS
        )
        alone = (first == last).float().gather(1, alike)
        return cls(symbol.float(), functional.one_hot(source[seed], groups).T.float(), alike, alone)

    def carriers(self, descended: Tensor) -> Tensor:
        """Sequences that descend from any founder that begins alike (B, K), given those that descend from each.

        A seed descends from other people's that are alike; where there are none, it is not among these, and counts.
        """
        carried = torch.zeros_like(descended).scatter_add_(1, self.alike, descended)
        return carried.gather(1, self.alike) + self.alone


@dataclass(frozen=True)
class _Counts:
    """Expected counts, beside the seeds: of symbols (B, K, (A - 1) w), of sequences that descend from a founder by
    group (G, B, K), and of those of them that arrived there (G, B, K); the others stayed. Changed in place where that
    spares a copy: at thousands of founders these are gigabytes.
    """

    symbol: Tensor
    descent: Tensor
    arrival: Tensor

    @classmethod
    def nothing(cls, seeds: _Seeds) -> "_Counts":
        B, K = seeds.alike.shape
        descent = seeds.symbol.new_zeros((len(seeds.group), B, K))
        return cls(torch.zeros_like(seeds.symbol), descent, descent.clone())

    def less(self, other: "_Counts") -> "_Counts":
        """Without what others counted; no count falls below 0 by rounding."""
        names = self.__dataclass_fields__
        return _Counts(*((getattr(self, name) - getattr(other, name)).clamp_(min=0) for name in names))

    def add(self, other: "_Counts") -> None:
        for name in self.__dataclass_fields__:
            getattr(self, name).add_(getattr(other, name))

    def keep(self, kept: Tensor) -> None:
        """Forget the pieces (B, K) that are not kept."""
        self.symbol.mul_(kept[:, :, None])
        self.descent.mul_(kept)
        self.arrival.mul_(kept)


def _maximised(
    counts: _Counts,
    seeds: _Seeds,
    kept: Tensor,
    frequency: Tensor,
    shrinkage: float,
    alphabet: int,
    variants: int,
    owner: Tensor,
) -> Founders:
    """The founders that go with expected counts; `owner` (G,) is the label that each group is a part of."""
    descended = counts.descent.sum(0)
    B, K = descended.shape
    known = descended + kept
    symbol = torch.addcmul(counts.symbol, seeds.symbol, kept[:, :, None]).add_(shrinkage * frequency[:, None])
    symbol = ERROR + (1 - alphabet * ERROR) * (symbol / (known + shrinkage)[:, :, None]).reshape(B, K, alphabet - 1, -1)
    # Whoever arrives goes where the label's people are, as far as arrivals do not say otherwise.
    share = (known + 1e-6 / K) / (known.sum(1, keepdim=True) + 1e-6)  # alike where nobody is known
    of_groups = torch.addcmul(counts.descent, seeds.group[:, None], kept)
    same = (owner[:, None] == owner).float()
    of_labels = torch.tensordot(same, of_groups, 1)  # of each group's label
    prior = _mixed(of_groups, _mixed(of_labels, share, EVERYBODY), OF_LABEL)
    arrive = _mixed(counts.arrival, prior, ARRIVAL_PRIOR)
    arrive = LEAST_ARRIVAL / K + (1 - LEAST_ARRIVAL) * arrive
    leave = torch.ones_like(descended)
    if B > 1:
        stayed = (descended - counts.arrival.sum(0))[1:].clamp_(min=0)
        gone = (descended[:-1] - stayed).clamp_(min=0)
        rate = (gone.sum(1) + LEAVES) / (descended[:-1].sum(1) + 1)
        expected = torch.where(kept[1:] > 0, rate[:, None], 1.0)  # nobody stays with what is forgotten
        leave[1:] = (gone + LEAVE_PRIOR * expected) / (descended[:-1] + LEAVE_PRIOR)
    return Founders(symbol, leave.clamp_(LEAST_LEAVE, 1), arrive, variants)


def _mixed(counts: Tensor, prior: Tensor, weight: float) -> Tensor:
    """Shares of founders by counts (.., K) and so many pseudo-counts of a prior."""
    return (counts + weight * prior) / (counts.sum(-1, keepdim=True) + weight)


def _expected(model: Founders, seen: Tensor, group: Tensor, person: Tensor, seed: Tensor) -> tuple[_Counts, float]:
    """Expected counts of sequences (B, n, ..) with groups and people (n,), and the sum of their log probabilities.

    Nobody descends from founders that begin as their own sequences; `seed` (K,) are the people of the seeds. Arrivals
    at these are not shared out among others: of many founders it makes no difference.
    """
    B, K = model.leave.shape
    symbol = model.leave.new_zeros((B, K, seen.shape[2]))
    descent, arrival, logs = torch.zeros_like(model.arrive), torch.zeros_like(model.arrive), 0.0
    for own, present, of in hmm.batches(group, B, K):
        part, arrive, leave = seen[:, own].float(), model.arrive[present], model.leave
        theirs = person[own, None] == seed
        theirs &= ~theirs.all(1, keepdim=True)  # unless there are no others
        emission, top = hmm.emissions(model, part, theirs)
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
