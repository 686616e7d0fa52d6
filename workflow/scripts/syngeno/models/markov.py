"""Short memory: a Markov chain of order k along each chromosome, backed off to shorter contexts.

The next symbol depends on the k symbols before it (fewer at a chromosome's start), at every variant by counts of
its own. Contexts that few training sequences show are shrunk towards the context without its oldest symbol, by
`weight` pseudo-sequences (Jelinek and Mercer's interpolation in its Dirichlet form, MacKay and Peto 1995):

    p_k(a | c_1 .. c_k) = (count(c_1 .. c_k a) + weight p_k-1(a | c_2 .. c_k)) / (count(c_1 .. c_k) + weight)

down to p_0, which is that of independent.py; order 0 is that model. Validation samples choose the weight.
"""

import logging
from collections.abc import Iterator

import numpy as np

from syngeno.data import sequences
from syngeno.models import independent
from syngeno.models.classical import Classical

log = logging.getLogger(__name__)

WEIGHTS = (0.003, 0.01, 0.03, 0.1, 0.3, 1.0, 3.0, 10.0, 30.0, 100.0, 300.0, 1000.0)
TUNING_SAMPLES = 100
TABLE = 1 << 16  # a table of counts for every context there could be is no larger than this


class Markov(Classical):
    """Alleles given the few before them; `settings`: `pooled`, and `order`; chosen: `weight`."""

    name = "markov"

    def choose(self, seed: int) -> dict:
        """The weight, of `WEIGHTS`, under which at most `TUNING_SAMPLES` validation samples are most likely."""
        means = self._log_probs(*self.validation(seed, TUNING_SAMPLES), WEIGHTS).mean(axis=1)
        by_weight = ", ".join(f"{weight:g}: {-mean:.1f}" for weight, mean in zip(WEIGHTS, means, strict=True))
        log.info("nats per validation sequence by weight: %s", by_weight)
        return {"weight": WEIGHTS[int(np.argmax(means))]}

    def draw(self, groups: sequences.Groups, rng: np.random.Generator) -> Iterator[np.ndarray]:
        """See `Classical.draw`."""
        alphabet, source, asked = self._contexts(groups)
        starts = iter(sequences.starts(self.data.store).tolist())
        for symbols in self.chunks():
            base = independent.symbol_probabilities(symbols, groups, alphabet)
            drawn = np.empty((len(symbols), len(groups.asked)), dtype=np.int8)
            for site, carried in enumerate(symbols):
                if next(starts):
                    source.forget()
                    asked.forget()
                counts = _counts(source, carried, asked)
                probability = _backed_off(counts, base[site][groups.asked], self.chosen["weight"])
                drawn[site] = sequences.draw_symbols(rng, probability)
                source.push(carried)
                asked.push(drawn[site])
            yield drawn

    def log_prob(self, rows: np.ndarray, label: np.ndarray, *, seed: int) -> np.ndarray:
        """See `base.Generator`."""
        return self._log_probs(rows, label, (self.chosen["weight"],))[0]

    def _log_probs(self, rows: np.ndarray, label: np.ndarray, weights: tuple[float, ...]) -> np.ndarray:
        """log p of sequences under each weight, (weights, sequences), in one pass over the variants."""
        groups = self.groups(label)
        alphabet, source, asked = self._contexts(groups)
        total = np.zeros((len(weights), len(groups.asked)))
        sequence, starts = np.arange(len(groups.asked)), iter(sequences.starts(self.data.store).tolist())
        for symbols, truth in zip(self.chunks(), self.chunks(rows), strict=True):
            base = independent.symbol_probabilities(symbols, groups, alphabet)
            for site, (carried, symbol) in enumerate(zip(symbols, truth, strict=True)):
                if next(starts):
                    source.forget()
                    asked.forget()
                counts = _counts(source, carried, asked)
                for number, weight in enumerate(weights):
                    probability = _backed_off(counts, base[site][groups.asked], weight)
                    total[number] += np.log(probability[sequence, symbol])
                source.push(carried)
                asked.push(symbol)
        return total

    def _contexts(self, groups: sequences.Groups) -> tuple[int, "_Context", "_Context"]:
        alphabet = sequences.alphabet(self.data.store)
        return alphabet, *(_Context(group, alphabet, self.settings["order"]) for group in (groups.source, groups.asked))


class _Context:
    """The last symbols of sequences as one number each; `known` of them, up to `order`, since the last `forget`.

    The newest symbol is the lowest digit, base `alphabet`: the last j symbols are the number modulo alphabet^j.
    """

    def __init__(self, group: np.ndarray, alphabet: int, order: int) -> None:
        self.group, self.alphabet, self.order = group, alphabet, order
        self.forget()

    def forget(self) -> None:
        self.code, self.known = np.zeros(len(self.group), dtype=np.int64), 0

    def push(self, symbol: np.ndarray) -> None:
        self.code = (self.code * self.alphabet + symbol) % self.alphabet**self.order
        self.known = min(self.known + 1, self.order)

    def last(self, length: int) -> np.ndarray:
        size = self.alphabet**length
        return self.group * size + self.code % size


def _counts(source: _Context, carried: np.ndarray, asked: _Context) -> list[np.ndarray]:
    """How often each symbol is `carried` after each asked sequence's context: (asked, alphabet) for lengths 1, 2, .."""
    counts = []
    for length in range(1, source.known + 1):
        context, wanted = source.last(length), asked.last(length)
        if (source.group.max() + 1) * source.alphabet ** (length + 1) > TABLE:
            context, wanted = _numbered(context, wanted)
        contexts = 1 + max(context.max(), wanted.max(initial=0))
        table = np.bincount(context * source.alphabet + carried, minlength=contexts * source.alphabet)
        counts.append(table.reshape(-1, source.alphabet)[wanted])
    return counts


def _numbered(context: np.ndarray, wanted: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """The same contexts under small numbers; those that no training sequence shows share one of their own."""
    known, small = np.unique(context, return_inverse=True)
    place = np.searchsorted(known, wanted).clip(max=len(known) - 1)
    return small, np.where(known[place] == wanted, place, len(known))


def _backed_off(counts: list[np.ndarray], base: np.ndarray, weight: float) -> np.ndarray:
    probability = base
    for count in counts:
        probability = (count + weight * probability) / (count.sum(axis=1, keepdims=True) + weight)
    return probability
