"""Variants given ancestry: each by itself, given where a sequence lies on a few axes.

    z ~ N(mean(label), cov(label))                        where a sequence lies on k axes
    f = centre + scale (loadings @ z + w residual(label)) its frequencies of the ALT allele
    p = 1 - f, f                                          of the alleles of a haplotype
    p = (1 - f)^2 + d, 2 (f (1 - f) - d), f^2 + d         of the dosages of a sample

centre are the frequencies in all training samples, scale = sqrt(centre (1 - centre)): the individual allele
frequencies of Hao, Song & Storey (Bioinformatics 2016). d = (1 - w) scale^2 (z @ unsure @ z) is the variance of f over
the loadings' posterior: Hardy-Weinberg proportions at the mean of f alone, which varies less than the truth, have too
many heterozygotes. Where phase is known each haplotype has a place of its own, so that ancestries within a label mix.

Places and loadings come from a factor analysis of standardised genotypes, x = (genotype - centre) / scale,

    x = loadings @ z + noise    (variants, sequences),    loadings ~ N(0, 1), noise ~ N(0, noise variance):

probabilistic PCA (Tipping & Bishop, J R Stat Soc B 1999) with a prior of places for each label, fitted by variational
Bayes (Bishop, Variational principal components, ICANN 1999). It shrinks the loadings towards 0 as far as the noise
leaves them unsure, so that a label's frequencies are drawn to those of its relatives as far as its own samples leave
them unsure. Mean loadings are sums over sequences, x @ weights, so that a round needs of the genotypes no more than
their inner products x.T @ x.

Two settings trade utility for privacy. `shrinkage`, 1 or more, multiplies the noise that the loadings are shrunk by:
more says less of the training samples. `residual`, w above, 0 to 1, adds so much of the residual, a label's raw
frequencies less those at its mean place: with 1 they are reproduced, as by independent.py.
"""

import logging
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import NamedTuple, Self

import numpy as np
from scipy import linalg

from syngeno import streams
from syngeno.data import sequences
from syngeno.models import independent
from syngeno.models.classical import Classical

log = logging.getLogger(__name__)

AXES = (1, 2, 4, 8, 16, 32)
TUNING_SAMPLES = 100
ROUNDS = 60
PSEUDO_SEQUENCES = 5.0  # of all labels' covariance in that of each
LEAST_FREQUENCY = 0.005  # a linear frequency may leave [0, 1]; where alleles are rare, half of the rarer one's
MOST_MISSING = 0.5  # share of the heterozygotes that d may take
NEWTON = 4  # steps to the likeliest place of a sequence
TRIES, PRIOR = 64, 1 / 8  # places, a share of them from the label's cloud, the others around the likeliest


class AncestryFactors(Classical):
    """Each variant given ancestry; `settings`: `shrinkage` and `residual`; chosen: `axes`, how many there are.

    `log_prob` is estimated, without bias for the probability, so that it is a little too small.
    """

    name = "ancestry_factors"

    def choose(self, seed: int) -> dict:
        """The fewest of `AXES` under which at most `TUNING_SAMPLES` validation samples are as likely as under the best.

        Up to one standard error of the difference (Breiman et al. 1984): further axes fit training samples alone.
        """
        rows, label = self.validation(seed, TUNING_SAMPLES)
        per_sample, by_axes = sequences.per_sample(self.data.store), {}
        for axes in [axes for axes in AXES if axes <= min(len(self._gram), len(self.data.store))]:
            logs = self._log_probs(self._factors(axes), rows, label, seed)
            by_axes[axes] = -logs.reshape(-1, per_sample).mean(axis=1)
        worse = np.stack(list(by_axes.values())) - min(by_axes.values(), key=np.mean)
        near = worse.mean(axis=1) <= worse.std(axis=1) / np.sqrt(len(rows))
        means = {axes: round(float(nats.mean()), 1) for axes, nats in by_axes.items()}
        log.info("nats per validation sequence by number of axes: %s", means)
        return {"axes": AXES[int(np.argmax(near))]}

    def draw(self, groups: sequences.Groups, rng: np.random.Generator) -> Iterator[np.ndarray]:
        """See `Classical.draw`."""
        factors = self._factors(self.chosen["axes"])
        frequencies = self._frequencies(factors, groups)
        place = factors.clouds.drawn(groups.asked, rng)
        for symbols in self.chunks():
            f, d = frequencies.at(symbols).given(place, groups.asked)
            probability = independent.given_frequencies(f, frequencies.alphabet, d)
            yield np.stack([sequences.draw_symbols(rng, at_variant) for at_variant in probability])

    def log_prob(self, rows: np.ndarray, label: np.ndarray, *, seed: int) -> np.ndarray:
        """See `base.Generator`."""
        return self._log_probs(self._factors(self.chosen["axes"]), rows, label, seed)

    def fitted(self) -> tuple["Clouds", "Variants"]:
        """Labels' places, in the order of their names, and all variants."""
        factors, groups = self._factors(self.chosen["axes"]), self.groups(self.data.label[:0])
        frequencies = self._frequencies(factors, groups)
        return factors.clouds, Variants.joined([frequencies.at(symbols) for symbols in self.chunks()])

    def _log_probs(self, factors: "Factors", rows: np.ndarray, label: np.ndarray, seed: int) -> np.ndarray:
        groups = self.groups(label)
        frequencies, codes = self._frequencies(factors, groups), groups.asked
        parts = [
            (frequencies.at(symbols), asked) for symbols, asked in zip(self.chunks(), self.chunks(rows), strict=True)
        ]
        rng = streams.rng("ancestry_factors_likelihood", seed)
        return log_p(factors.clouds, frequencies.alphabet, codes, parts, rng)

    def _frequencies(self, factors: "Factors", groups: sequences.Groups) -> "_Frequencies":
        return _Frequencies(factors, groups, sequences.alphabet(self.data.store), self.settings["residual"])

    def _factors(self, axes: int) -> "Factors":
        """The factors of the training sequences, whose codes of labels do not depend on the samples asked for."""
        code = self.groups(self.data.label[:0]).source
        return fit_factors(self._gram, code, len(self.data.store), axes=axes, shrinkage=self.settings["shrinkage"])

    @cached_property
    def _gram(self) -> np.ndarray:
        alphabet = sequences.alphabet(self.data.store)
        standardised = (_standardised(symbols, alphabet)[2] for symbols in self.chunks())
        return sum(part.T @ part for part in standardised)


class Clouds(NamedTuple):
    """Where labels' sequences lie: their `mean` (labels, k), and a `root` of their covariance (labels, k, k)."""

    mean: np.ndarray
    root: np.ndarray

    def drawn(self, code: np.ndarray, rng: np.random.Generator) -> np.ndarray:
        """A place for each of these labels' codes (n,): (n, k)."""
        normal = rng.standard_normal((len(code), self.mean.shape[1]))
        return self.mean[code] + np.einsum("nij,nj->ni", self.root[code], normal)


@dataclass(frozen=True, eq=False)
class Factors:
    """What is fitted.

    Attributes:
        weights: (sequences, k); the posterior mean of the loadings is x @ weights, (variants, k).
        unsure: (k, k), the posterior covariance of the loadings, the same at every variant.
        clouds: of the labels.
    """

    weights: np.ndarray
    unsure: np.ndarray
    clouds: Clouds


def fit_factors(gram: np.ndarray, code: np.ndarray, variants: int, *, axes: int, shrinkage: float) -> Factors:
    """Factors of `axes` axes, at most as many as sequences, after `ROUNDS` rounds from principal coordinates.

    `gram` (sequences, sequences) is x.T @ x over so many variants, `code` (sequences,) the labels' codes from 0.
    """
    n, eye, sizes = len(gram), np.eye(axes), np.bincount(code)
    value, vector = linalg.eigh(gram, subset_by_index=[n - axes, n - 1])
    place = vector * np.sqrt(np.maximum(value, 0) / variants)
    spread = np.tile(1e-4 * eye, (len(sizes), 1, 1))  # how unsure a label's places are
    # Half of what is within a label on principal axes is taken for a sequence's own noise.
    place = (place + _clouds(place, spread, code)[0][code]) / 2
    noise = np.trace(gram) / (n * variants)
    square = place.T @ place + np.tensordot(sizes, spread, 1)
    for _ in range(ROUNDS):
        unsure = np.linalg.inv(square / noise + eye)
        weights = place @ unsure / noise
        projected = gram @ weights
        loaded = weights.T @ projected + variants * unsure
        mean, cov = _clouds(place, spread, code)
        inverse = np.linalg.inv(cov)
        spread = np.linalg.inv(inverse + loaded / noise)
        toward = np.einsum("lij,lj->li", inverse, mean)[code] + projected / noise
        place = np.einsum("nij,nj->ni", spread[code], toward)
        square = place.T @ place + np.tensordot(sizes, spread, 1)
        noise = (np.trace(gram) - 2 * (projected * place).sum() + (loaded * square).sum()) / (n * variants)
    unsure = np.linalg.inv(square / (shrinkage * noise) + eye)
    mean, cov = _clouds(place, spread, code)
    return Factors(place @ unsure / (shrinkage * noise), unsure, Clouds(mean, np.linalg.cholesky(cov)))


def _clouds(place: np.ndarray, spread: np.ndarray, code: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Mean (labels, k) and covariance (labels, k, k) of the labels' places, themselves unsure by `spread`."""
    sizes = np.bincount(code)[:, None, None]
    by_label = [place[code == label] for label in range(len(sizes))]
    mean = np.stack([own.mean(axis=0) for own in by_label])
    scatter = np.stack([len(own) * np.cov(own.T, bias=True).reshape(spread.shape[1:]) for own in by_label])
    scatter += sizes * spread
    pooled = scatter.sum(axis=0) / len(place)
    cov = (scatter + PSEUDO_SEQUENCES * pooled) / (sizes + PSEUDO_SEQUENCES)
    return mean, cov + 1e-10 * np.eye(place.shape[1])


def _standardised(symbols: np.ndarray, alphabet: int) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """centre and scale (v,), and the symbols (v, sequences), as frequencies, in these units."""
    alleles, a = alphabet - 1, independent.PSEUDOCOUNT
    centre = (symbols.sum(axis=1, dtype=np.int64) + a) / (alleles * symbols.shape[1] + 2 * a)
    scale = np.sqrt(centre * (1 - centre))
    return centre, scale, (symbols / alleles - centre[:, None]) / scale[:, None]


@dataclass(frozen=True, eq=False)
class Variants:
    """Some variants: centre and scale (v,), loadings (v, k), their covariance `unsure` (k, k), residual (v, labels)."""

    centre: np.ndarray
    scale: np.ndarray
    loadings: np.ndarray
    unsure: np.ndarray
    residual: np.ndarray

    @classmethod
    def joined(cls, parts: Sequence[Self]) -> Self:
        """All of them."""
        centre, scale, loadings, residual = (
            np.concatenate([getattr(part, name) for part in parts])
            for name in ("centre", "scale", "loadings", "residual")
        )
        return cls(centre, scale, loadings, parts[0].unsure, residual)

    def between(self, first: int, last: int) -> Self:
        """Those from `first` to `last` (excluded)."""
        part = slice(first, last)
        return type(self)(self.centre[part], self.scale[part], self.loadings[part], self.unsure, self.residual[part])

    def given(self, place: np.ndarray, code: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        """f and d of sequences at places (n, k) with labels' codes (n,): (v, n) each."""
        least = np.minimum(LEAST_FREQUENCY, np.minimum(self.centre, 1 - self.centre) / 2)[:, None]
        f = self.centre[:, None] + self.scale[:, None] * (self.loadings @ place.T + self.residual[:, code])
        f = np.clip(f, least, 1 - least)
        d = np.square(self.scale)[:, None] * np.einsum("ni,ij,nj->n", place, self.unsure, place)
        return f, np.minimum(d, MOST_MISSING * f * (1 - f))


@dataclass(frozen=True, eq=False)
class _Frequencies:
    """The factors of groups of samples; what they say of variants is computed chunk by chunk, from their symbols."""

    factors: Factors
    groups: sequences.Groups
    alphabet: int
    residual: float

    def at(self, symbols: np.ndarray) -> Variants:
        """The variants at which the training samples have these symbols (v, sequences)."""
        centre, scale, x = _standardised(symbols, self.alphabet)
        loadings, source = x @ self.factors.weights, self.groups.source
        raw = np.stack([x[:, source == label].mean(axis=1) for label in range(len(self.groups.names))], axis=1)
        residual = self.residual * (raw - loadings @ self.factors.clouds.mean.T)
        return Variants(centre, scale, loadings, (1 - self.residual) * self.factors.unsure, residual)


def log_p(
    clouds: Clouds, alphabet: int, codes: np.ndarray, parts: list[tuple[Variants, np.ndarray]], rng: np.random.Generator
) -> np.ndarray:
    """Log probability, float64 (n,), of sequences with labels' codes (n,), by importance sampling of their places.

    `parts` are some variants after the other, each beside the symbols (v, n).
    """
    return np.array(
        [
            _log_p(clouds, alphabet, code, [(variants, symbols[:, i]) for variants, symbols in parts], rng)
            for i, code in enumerate(codes)
        ]
    )


def _log_p(
    clouds: Clouds, alphabet: int, code: int, parts: list[tuple[Variants, np.ndarray]], rng: np.random.Generator
) -> float:
    """Of a sequence, its symbols (v,) in parts beside their variants."""
    mean, root, alleles = clouds.mean[code], clouds.root[code], alphabet - 1
    e = np.zeros(len(mean))  # the place is mean + root @ e, e ~ N(0, 1)
    for _ in range(NEWTON):
        slope, precision = -e, np.eye(len(e))
        for variants, symbols in parts:
            f = variants.given((mean + root @ e)[None], [code])[0][:, 0]
            steep, weight = variants.scale[:, None] * (variants.loadings @ root), 1 / (f * (1 - f))
            slope = slope + steep.T @ ((symbols - alleles * f) * weight)
            precision = precision + alleles * (steep.T * weight) @ steep
        e = e + np.linalg.solve(precision, slope)
    wide = np.linalg.cholesky(np.linalg.inv(precision))
    # Some are tried from the label's cloud, for tails that the curvature does not show (Hesterberg 1995).
    tried = rng.standard_normal((TRIES, len(e)))
    tried[int(PRIOR * TRIES) :] = e + tried[int(PRIOR * TRIES) :] @ wide.T
    near = -np.square(np.linalg.solve(wide, (tried - e).T)).sum(axis=0) / 2 - np.log(np.diag(wide)).sum()
    logs = -np.square(tried).sum(axis=1) / 2
    logs -= np.logaddexp(np.log(PRIOR) + logs, np.log(1 - PRIOR) + near)
    for variants, symbols in parts:
        f, d = variants.given(mean + tried @ root.T, np.full(TRIES, code))
        p = independent.given_frequencies(f, alphabet, d)
        logs += np.log(p[np.arange(len(f)), :, symbols]).sum(axis=0)
    return float(np.logaddexp.reduce(logs) - np.log(TRIES))
