"""The control with short memory: a Markov chain of order k along each chromosome, backed off to shorter contexts.

The next symbol depends on the k symbols before it (fewer at a chromosome's start), at every variant by counts of
its own. Contexts that few training sequences show are shrunk towards the context without its oldest symbol, by
`weight` pseudo-sequences (Jelinek and Mercer's interpolation in its Dirichlet form, MacKay and Peto 1995):

    p_k(a | c_1 .. c_k) = (count(c_1 .. c_k a) + weight p_k-1(a | c_2 .. c_k)) / (count(c_1 .. c_k) + weight)

down to p_0, which is what `independent` draws from; order 0 is that control. The weight is tuned on validation
people.
"""

import logging
from collections.abc import Iterator

import numpy as np

from syngeno.data import sequences
from syngeno.data.store import Store, indices
from syngeno.models import independent

log = logging.getLogger(__name__)

ORDER = 10
WEIGHTS = (0.003, 0.01, 0.03, 0.1, 0.3, 1.0, 3.0, 10.0, 30.0, 100.0, 300.0, 1000.0)
WEIGHT = 1.0
TUNING_PEOPLE = 100
TABLE = 1 << 16  # a table of counts for every context there could be is no larger than this


def tune(
    store: Store,
    people: np.ndarray,
    label: np.ndarray,
    validation: np.ndarray,
    validation_label: np.ndarray,
    *,
    seed: int,
    order: int = ORDER,
    pooled: bool = False,
) -> dict:
    """The `weight` under which validation people are most likely, of `WEIGHTS`: {"weight": float}.

    At most `TUNING_PEOPLE` validation people are asked; other arguments as for `nats`.
    """
    validation = indices(validation, len(store.samples))
    rng = np.random.default_rng([seed, 20])
    chosen = np.sort(rng.permutation(len(validation))[:TUNING_PEOPLE])
    asked = validation[chosen], np.asarray(validation_label)[chosen]
    means = _walk(store, people, label, *asked, order=order, weights=WEIGHTS, pooled=pooled).mean(axis=1)
    best = int(np.argmin(means))
    told = ", ".join(f"{weight:g}: {mean:.1f}" for weight, mean in zip(WEIGHTS, means, strict=True))
    log.info("nats per validation sequence by weight: %s", told)
    return {"weight": WEIGHTS[best]}


def draw(
    store: Store,
    people: np.ndarray,
    label: np.ndarray,
    wanted: np.ndarray,
    *,
    seed: int,
    order: int = ORDER,
    weight: float = WEIGHT,
    pooled: bool = False,
) -> Iterator[np.ndarray]:
    """People drawn symbol by symbol along each chromosome; arguments, chunks and errors as `independent.draw`."""
    groups = sequences.grouped(store, label, wanted, pooled)
    alphabet = sequences.alphabet(store)
    source, asked = (_Context(group, alphabet, order) for group in (groups.source, groups.asked))
    rng = np.random.default_rng([seed, 21])
    fresh = iter(sequences.starts(store).tolist())
    for symbols in sequences.chunks(store, people):
        base = independent.symbol_probabilities(symbols, groups, alphabet)
        drawn = np.empty((len(symbols), len(groups.asked)), dtype=np.int8)
        for site, seen in enumerate(symbols):
            if next(fresh):
                source.forget()
                asked.forget()
            counts = _counts(source, seen, asked)
            drawn[site] = sequences.draw_symbols(rng, _backed_off(counts, base[site][groups.asked], weight))
            source.push(seen)
            asked.push(drawn[site])
        yield sequences.as_calls(store, drawn)


def nats(
    store: Store,
    people: np.ndarray,
    label: np.ndarray,
    heldout: np.ndarray,
    heldout_label: np.ndarray,
    *,
    order: int = ORDER,
    weight: float = WEIGHT,
    pooled: bool = False,
) -> np.ndarray:
    """-log probability of each held-out sequence under what `draw` draws from; see `independent.nats`."""
    return _walk(store, people, label, heldout, heldout_label, order=order, weights=(weight,), pooled=pooled)[0]


def _walk(
    store: Store,
    people: np.ndarray,
    label: np.ndarray,
    heldout: np.ndarray,
    heldout_label: np.ndarray,
    *,
    order: int,
    weights: tuple[float, ...],
    pooled: bool,
) -> np.ndarray:
    """Nats of the held-out sequences under each weight, (weights, sequences), in one pass over the variants."""
    groups = sequences.grouped(store, label, heldout_label, pooled)
    alphabet = sequences.alphabet(store)
    source, asked = (_Context(group, alphabet, order) for group in (groups.source, groups.asked))
    total = np.zeros((len(weights), len(groups.asked)))
    rows, fresh = np.arange(len(groups.asked)), iter(sequences.starts(store).tolist())
    for symbols, truth in zip(sequences.chunks(store, people), sequences.chunks(store, heldout), strict=True):
        base = independent.symbol_probabilities(symbols, groups, alphabet)
        for site, (seen, symbol) in enumerate(zip(symbols, truth, strict=True)):
            if next(fresh):
                source.forget()
                asked.forget()
            counts = _counts(source, seen, asked)
            for number, weight in enumerate(weights):
                total[number] -= np.log(_backed_off(counts, base[site][groups.asked], weight)[rows, symbol])
            source.push(seen)
            asked.push(symbol)
    return total


class _Context:
    """The last symbols of sequences as one number each; `known` of them, up to `order`, since the last `forget`.

    The newest symbol is the lowest digit of the number (base `alphabet`), so that the context of the last j
    symbols is the number modulo alphabet^j.
    """

    def __init__(self, group: np.ndarray, alphabet: int, order: int) -> None:
        if order < 0 or (int(group.max(initial=0)) + 1) * alphabet ** (order + 1) >= 2**62:
            raise ValueError(f"an order of {order} is below 0 or too large to be counted")
        self.group, self.alphabet, self.order = group, alphabet, order
        self.forget()

    def forget(self) -> None:
        self.code, self.known = np.zeros(len(self.group), dtype=np.int64), 0

    def push(self, symbol: np.ndarray) -> None:
        self.code = (self.code * self.alphabet + symbol) % self.alphabet**self.order
        self.known = min(self.known + 1, self.order)

    def last(self, length: int) -> np.ndarray:
        """The contexts of the last `length` symbols, told apart by group."""
        size = self.alphabet**length
        return self.group * size + self.code % size


def _counts(source: _Context, seen: np.ndarray, asked: _Context) -> list[np.ndarray]:
    """How often each symbol was `seen` after each asked sequence's context: (asked, alphabet) for lengths 1, 2, .."""
    counts = []
    for length in range(1, source.known + 1):
        context, wanted = source.last(length), asked.last(length)
        if (source.group.max() + 1) * source.alphabet ** (length + 1) > TABLE:
            context, wanted = _numbered(context, wanted)
        contexts = 1 + max(context.max(), wanted.max(initial=0))
        table = np.bincount(context * source.alphabet + seen, minlength=contexts * source.alphabet)
        counts.append(table.reshape(-1, source.alphabet)[wanted])
    return counts


def _numbered(context: np.ndarray, wanted: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """The same contexts under small numbers; those that were never seen share one of their own."""
    known, small = np.unique(context, return_inverse=True)
    place = np.searchsorted(known, wanted).clip(max=len(known) - 1)
    return small, np.where(known[place] == wanted, place, len(known))


def _backed_off(counts: list[np.ndarray], base: np.ndarray, weight: float) -> np.ndarray:
    """Probabilities (asked, alphabet) of the symbols, from the shortest context to the longest."""
    probability = base
    for count in counts:
        probability = (count + weight * probability) / (count.sum(axis=1, keepdims=True) + weight)
    return probability
