"""Li and Stephens' copying model (Genetics 2003): its exact likelihood, and mosaics drawn from it.

A sequence is an imperfect mosaic of K template sequences, those of its label among the training samples (or all).
Between two variants d centimorgans apart the copied template is chosen anew, each of the K alike, with probability

    r = 1 - exp(-rho d / K),

and surely at a chromosome's start; a symbol is copied wrongly with probability mu, spread evenly over the others.
Validation samples choose `rho`, switches per centimorgan times K, and `mu`. The probability of a sequence is the sum
over all paths of templates, by the forward recursion (Rabiner, Proc. IEEE 1989, with scaling),

    f_v(k) = e_v(k) [(1 - r_v) f_v-1(k) + r_v / K sum_j f_v-1(j)],    e_v(k) = 1 - mu or mu / (alphabet - 1),

which costs one multiplication and one addition per template and variant because all switches share one probability.
"""

import logging
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from functools import partial

import numpy as np
from scipy import optimize

from syngeno.data import sequences
from syngeno.data.store import Store
from syngeno.models.classical import Classical

log = logging.getLogger(__name__)

MIN_DISTANCE = 1e-6  # centimorgans, about one base pair: a flat stretch of a map does not forbid switches
COARSE = (1e1, 1e2, 1e3, 1e4, 1e5, 1e6)  # where the search may begin; 4 Ne per centimorgan is 400 for Ne = 10,000
RHO_BOUNDS, MU_BOUNDS = (1e-2, 1e7), (1e-6, 0.3)
TUNING_SEQUENCES = 60
TUNING_TRIES = 26  # the coarse ones included
CACHE = 1 << 19  # bytes of forward probabilities that are worked on at a time
HELD = 1 << 28  # bytes of forward probabilities kept between chunks of variants
TABLES = 1 << 26  # bytes of emission tables
SMALL, LARGE = np.float32(1e-10), np.float32(1e10)
FORGETS = 1e-9  # what remains of a template beside a switch this sure is below single precision


class LiStephens(Classical):
    """Mosaics of training haplotypes; `settings`: `pooled`, whether all are templates of a label; chosen: rho, mu."""

    name = "li_stephens"

    def choose(self, seed: int) -> dict:
        """The `rho` and `mu` under which validation samples, at most `TUNING_SEQUENCES` sequences, are most likely.

        By Nelder and Mead's search on their logs, from the best of a few rho, with Watterson's mu.
        """
        per_sample = sequences.per_sample(self.data.store)
        asked = self.validation(seed, max(1, TUNING_SEQUENCES // per_sample))
        bounds = np.log([RHO_BOUNDS, MU_BOUNDS])
        began, tries = time.monotonic(), 0

        def cost(logs: np.ndarray) -> float:
            nonlocal tries
            rho, mu = np.exp(np.clip(logs, *bounds.T)).tolist()
            mean = -self._log_probs(*asked, rho, mu).mean()
            tries += 1
            left = (time.monotonic() - began) / tries * (TUNING_TRIES - tries)
            log.info("rho %.4g, mu %.3g: %.2f nats (try %d, at most %.0f s left)", rho, mu, mean, tries, max(0, left))
            return mean

        corners = [np.log([rho, default_mu(len(self.data.rows) * per_sample)]) for rho in COARSE]
        start = min(corners, key=cost)
        simplex, tolerance = start + np.array([[0, 0], [1, 0], [0, 1]]), {"xatol": 0.1, "fatol": 0.1}
        options = {"initial_simplex": simplex, "maxfev": TUNING_TRIES - len(COARSE), **tolerance}
        best = optimize.minimize(cost, start, method="Nelder-Mead", options=options)
        rho, mu = np.exp(np.clip(best.x, *bounds.T)).tolist()
        return {"rho": float(f"{rho:.4g}"), "mu": float(f"{mu:.4g}")}

    def draw(self, groups: sequences.Groups, rng: np.random.Generator) -> Iterator[np.ndarray]:
        """See `Classical.draw`."""
        store, mu = self.data.store, self.chosen["mu"]
        alphabet = sequences.alphabet(store)
        switch = switch_probability(store, self.data.centimorgans, self.chosen["rho"], groups.sizes)
        copied = copied_templates(groups, switch, rng)
        for symbols in self.chunks():
            drawn = np.empty((len(symbols), len(groups.asked)), dtype=np.int8)
            for site, carried in enumerate(symbols):
                drawn[site] = carried[next(copied)]
                wrong = np.flatnonzero(rng.random(len(groups.asked)) < mu)
                drawn[site, wrong] = (drawn[site, wrong] + rng.integers(1, alphabet, len(wrong))) % alphabet
            yield drawn

    def log_prob(self, rows: np.ndarray, label: np.ndarray, *, seed: int) -> np.ndarray:
        """See `base.Generator`."""
        return self._log_probs(rows, label, **self.chosen)

    def _log_probs(self, rows: np.ndarray, label: np.ndarray, rho: float, mu: float) -> np.ndarray:
        store, groups = self.data.store, self.groups(label)
        switch = switch_probability(store, self.data.centimorgans, rho, groups.sizes)
        total, per_sample = np.empty(len(groups.asked)), sequences.per_sample(store)
        with ThreadPoolExecutor(self.threads) as pool:
            for group in np.unique(groups.asked).tolist():
                templates, asked = groups.source == group, np.flatnonzero(groups.asked == group)
                batch = max(per_sample, HELD // (4 * int(templates.sum())) // per_sample * per_sample)
                for at in (asked[start : start + batch] for start in range(0, len(asked), batch)):
                    samples = self.data.rows[templates[::per_sample]], rows[at[::per_sample] // per_sample]
                    total[at] = _forward(store, *samples, switch[:, group], mu, pool)
        return total


def default_mu(templates: int) -> float:
    """Li and Stephens' mutation probability for K templates: theta / (2 (theta + K)), theta by Watterson."""
    theta = 1 / np.sum(1 / np.arange(1, max(2, templates)))
    return float(theta / (2 * (theta + templates)))


def switch_probability(store: Store, centimorgans: np.ndarray, rho: float, templates: np.ndarray) -> np.ndarray:
    """Probability that the template is chosen anew before each variant, float64 (V, groups), by K = `templates`.

    1 at a chromosome's start, whatever rho. `centimorgans` (V,) are places on the genetic map; ValueError where they
    fall along a chromosome.
    """
    place = np.asarray(centimorgans, dtype=np.float64)
    starts = sequences.starts(store)
    step = np.diff(place, prepend=0.0)
    if place.shape != (len(store),) or not np.isfinite(place).all() or (step[~starts] < 0).any():
        raise ValueError("a place is needed for each variant, finite and not falling along a chromosome")
    switch = -np.expm1(-rho * np.maximum(step, MIN_DISTANCE)[:, None] / templates)
    switch[starts] = 1
    return switch


def copied_templates(groups: sequences.Groups, switch: np.ndarray, rng: np.random.Generator) -> Iterator[np.ndarray]:
    """Which training sequence each asked one copies at a variant, int (asked,), variant by variant.

    One of its group, chosen anew with the probabilities `switch` (V, groups), which must be 1 at the first variant. The
    same array is given each time.
    """
    order = np.argsort(groups.source, kind="stable")  # the templates of a group stand together
    first, count = (np.cumsum(groups.sizes) - groups.sizes)[groups.asked], groups.sizes[groups.asked]
    template = np.zeros(len(groups.asked), dtype=np.int64)
    for before in switch:
        moves = np.flatnonzero(rng.random(len(template)) < before[groups.asked])
        template[moves] = order[first[moves] + (rng.random(len(moves)) * count[moves]).astype(np.int64)]
        yield template


def _forward(
    store: Store, templates: np.ndarray, asked: np.ndarray, switch: np.ndarray, mu: float, pool: ThreadPoolExecutor
) -> np.ndarray:
    """log p of the sequences of asked samples as mosaics of those of template samples (rows of the store)."""
    alphabet, per_sample = sequences.alphabet(store), sequences.per_sample(store)
    K, n = len(templates) * per_sample, len(asked) * per_sample
    size, piece = max(1, CACHE // (4 * K)), max(1, TABLES // (4 * K * alphabet))
    blocks = [_Block(min(size, n - start), K) for start in range(0, n, size)]
    ends = range(size, n, size)
    wrong, first = np.float32(mu / (alphabet - 1) / (1 - mu)), 0
    for carried, wanted in zip(sequences.chunks(store, templates), sequences.chunks(store, asked), strict=True):
        for start in range(0, len(carried), piece):
            part, parts = carried[start : start + piece], np.split(wanted[start : start + piece], ends, axis=1)
            emission = [np.where(part == symbol, np.float32(1), wrong) for symbol in range(alphabet)]
            step = partial(_Block.advance, emission=emission, switch=switch[first : first + len(part)])
            list(pool.map(lambda block, part, step=step: step(block, asked=part), blocks, parts))
            first += len(part)
    return np.concatenate([block.log_probability() for block in blocks]) + len(store) * np.log1p(-mu)


class _Block:
    """Forward probabilities of a few sequences, (n, K) in single precision, scaled; their logs are kept apart.

    The recursion is x <- e * (x + r / (1 - r) / K * sum(x)), of which 1 - r and 1 - mu (of a symbol copied rightly)
    are taken out and put into the log.
    """

    def __init__(self, n: int, K: int) -> None:
        self.x = np.full((n, K), 1 / K, dtype=np.float32)
        self.total = np.ones(n, dtype=np.float32)
        self.log = np.zeros(n)
        self.ones = np.ones(K, dtype=np.float32)

    def advance(self, emission: list[np.ndarray], asked: np.ndarray, switch: np.ndarray) -> None:
        """Go on over variants: `emission` per symbol (v, K), relative to a right copy; `asked` (v, n)."""
        x, K = self.x, self.x.shape[1]
        for site, r in enumerate(switch.tolist()):
            if 1 - r < FORGETS:
                self.log += np.log(self.total)
                x[:] = 1 / K
            else:
                x += (np.float32(r / (1 - r) / K) * self.total)[:, None]
                self.log += np.log1p(-r)
            self._emit([table[site] for table in emission], asked[site])
            np.dot(x, self.ones, out=self.total)
            if self.total.min() < SMALL or self.total.max() > LARGE:
                self._rescale()

    def _emit(self, emission: list[np.ndarray], symbol: np.ndarray) -> None:
        counts = np.bincount(symbol, minlength=len(emission))
        common = int(counts.argmax())
        self.x *= emission[common]
        for other in np.flatnonzero(counts).tolist():
            if other != common:
                self.x[symbol == other] *= emission[other] / emission[common]

    def _rescale(self) -> None:
        self.log += np.log(self.total)
        self.x /= self.total[:, None]
        self.total[:] = 1

    def log_probability(self) -> np.ndarray:
        return self.log + np.log(self.total)
