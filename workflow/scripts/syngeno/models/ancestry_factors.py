"""The control that knows ancestry: every variant by itself, given where a sequence lies on a few axes.

    z ~ N(mean(label), cov(label))                           where a sequence lies on k axes
    f = centre + scale (loadings @ z + own residual(label))  its frequencies of the ALT allele
    p = 1 - f, f                                             of the alleles of a haplotype
    p = (1 - f)^2 + d, 2 (f (1 - f) - d), f^2 + d            of the dosages of a person

centre are the frequencies of all people, scale = sqrt(centre (1 - centre)): the individual allele frequencies of Hao,
Song & Storey (Bioinformatics 2016), with loadings that are learnt by factor_analysis.py. They are shrunk, so that a
label's frequencies are drawn to those of its relatives as far as its own people leave them unsure. Where phase is
known each haplotype has a place of its own, so that ancestries within a label mix.
d = (1 - own) scale^2 (z @ unsure @ z), the variance of f over the loadings' posterior: Hardy-Weinberg proportions at
the mean of f alone, which varies less than the truth, have too many heterozygotes.

Two dials trade utility for privacy. `shrinkage`, 1 or more, multiplies the noise that the loadings are shrunk by: more
tells less of the training people. `own`, 0 to 1, adds so much of the residual, a label's raw frequencies less those at
its mean place: with 1 they are reproduced, as by `independent`.

Factor analysis of standardised genotypes: where sequences lie on a few axes, and what the axes are.

    seen = loadings place + noise                   (variants, sequences)
    place ~ N(mean(label), cov(label)), loadings ~ N(0, 1), noise ~ N(0, noise)

Probabilistic PCA (Tipping & Bishop, J R Stat Soc B 1999) with a prior of places for each label, learnt by variational
Bayes (Bishop, Variational principal components, ICANN 1999), which shrinks the loadings towards 0 as far as the noise
leaves them unsure. Mean loadings are sums over sequences, seen @ weights, so that a round needs of the genotypes no
more than their inner products seen.T @ seen.
"""

import logging
from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
from scipy import linalg

from syngeno.data import sequences
from syngeno.data.store import Store, indices
from syngeno.models import independent

log = logging.getLogger(__name__)

AXES = (1, 2, 4, 8, 16, 32)
TUNING_PEOPLE = 100
LEAST_FREQUENCY = 0.005  # a linear frequency may leave [0, 1]; where alleles are rare, half of the rarer one's
MOST_MISSING = 0.5  # share of the heterozygotes that d may take
NEWTON = 4  # steps to the likeliest place of a sequence
TRIES, PRIOR = 64, 1 / 8  # places, a share of them from the label's cloud, the others around the likeliest


@dataclass(frozen=True, eq=False)
class Factors:
    """What is learnt.

    Attributes:
        weights: (sequences, k); the posterior mean of the loadings is seen @ weights, (variants, k).
        unsure: (k, k), the posterior covariance of the loadings, the same at every variant.
        mean, root: (labels, k) and (labels, k, k); root @ root.T is the covariance of a label's places.
    """

    weights: np.ndarray
    unsure: np.ndarray
    mean: np.ndarray
    root: np.ndarray


def tune(
    store: Store,
    people: np.ndarray,
    label: np.ndarray,
    validation: np.ndarray,
    validation_label: np.ndarray,
    *,
    seed: int,
    shrinkage: float = 1.0,
    own: float = 0.0,
) -> dict:
    """The number of axes, of `AXES`: {"axes": int}.

    The fewest under which validation people, at most `TUNING_PEOPLE`, are as likely as under the best but for one
    standard error of the difference, person by person (after Breiman et al. 1984): further axes tell of training people
    alone. Other arguments as for `nats`.
    """
    validation = indices(validation, len(store.samples))
    chosen = np.sort(np.random.default_rng([seed, 40]).permutation(len(validation))[:TUNING_PEOPLE])
    groups = sequences.grouped(store, label, np.asarray(validation_label)[chosen], pooled=False)
    gram, found = _gram(store, people), []
    for axes in [axes for axes in AXES if axes <= min(len(gram), len(store))]:
        factors = fit(gram, groups.source, len(store), axes=axes, shrinkage=shrinkage)
        model = _Model(factors, groups, sequences.alphabet(store), own)
        found.append(
            _nats(model, store, people, validation[chosen]).reshape(-1, sequences.per_person(store)).mean(axis=1)
        )
    worse = np.stack(found) - min(found, key=np.mean)
    near = worse.mean(axis=1) <= worse.std(axis=1) / np.sqrt(len(chosen))
    means = {axes: round(float(one.mean()), 1) for axes, one in zip(AXES, found, strict=False)}
    log.info("nats per validation sequence by number of axes: %s", means)
    return {"axes": AXES[int(np.argmax(near))]}


def draw(
    store: Store,
    people: np.ndarray,
    label: np.ndarray,
    wanted: np.ndarray,
    *,
    seed: int,
    axes: int,
    shrinkage: float = 1.0,
    own: float = 0.0,
) -> Iterator[np.ndarray]:
    """People drawn variant by variant, given their places; arguments, chunks and errors as `independent.draw`."""
    groups = sequences.grouped(store, label, wanted, pooled=False)
    factors = fit(_gram(store, people), groups.source, len(store), axes=axes, shrinkage=shrinkage)
    model = _Model(factors, groups, sequences.alphabet(store), own)
    rng = np.random.default_rng([seed, 45])
    normal = rng.standard_normal((len(groups.asked), axes))
    place = factors.mean[groups.asked] + np.einsum("nij,nj->ni", factors.root[groups.asked], normal)
    for symbols in sequences.chunks(store, people):
        probability = _probabilities(*model.at(symbols).frequencies(place, groups.asked), model.alphabet)
        yield sequences.as_calls(store, np.stack([sequences.draw_symbols(rng, one) for one in probability]))


def nats(
    store: Store,
    people: np.ndarray,
    label: np.ndarray,
    heldout: np.ndarray,
    heldout_label: np.ndarray,
    *,
    axes: int,
    shrinkage: float = 1.0,
    own: float = 0.0,
) -> np.ndarray:
    """As `independent.nats`; estimated, without bias for the probability, so that nats are a little too many."""
    groups = sequences.grouped(store, label, heldout_label, pooled=False)
    factors = fit(_gram(store, people), groups.source, len(store), axes=axes, shrinkage=shrinkage)
    return _nats(_Model(factors, groups, sequences.alphabet(store), own), store, people, heldout)


@dataclass(frozen=True, eq=False)
class _Variants:
    """Some variants: centre and scale (v,), loadings (v, k), their covariance `unsure` (k, k), residual (v, labels)."""

    centre: np.ndarray
    scale: np.ndarray
    loadings: np.ndarray
    unsure: np.ndarray
    residual: np.ndarray

    def frequencies(self, place: np.ndarray, code: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        """f and d of sequences at places (n, k) with labels' codes (n,): (v, n) each."""
        least = np.minimum(LEAST_FREQUENCY, np.minimum(self.centre, 1 - self.centre) / 2)[:, None]
        f = self.centre[:, None] + self.scale[:, None] * (self.loadings @ place.T + self.residual[:, code])
        f = np.clip(f, least, 1 - least)
        d = np.square(self.scale)[:, None] * np.einsum("ni,ij,nj->n", place, self.unsure, place)
        return f, np.minimum(d, MOST_MISSING * f * (1 - f))


@dataclass(frozen=True, eq=False)
class _Model:
    """The factors of groups of people; what it says of variants is made, chunk by chunk, from these people again."""

    factors: Factors
    groups: sequences.Groups
    alphabet: int
    own: float

    def __post_init__(self) -> None:
        if not 0 <= self.own <= 1:
            raise ValueError(f"own {self.own} is no share; give 0 to 1")

    def at(self, symbols: np.ndarray) -> _Variants:
        """The variants at which people have these symbols (v, sequences)."""
        centre, scale, seen = _standardised(symbols, self.alphabet)
        loadings, source = seen @ self.factors.weights, self.groups.source
        raw = np.stack([seen[:, source == one].mean(axis=1) for one in range(len(self.groups.names))], axis=1)
        residual = self.own * (raw - loadings @ self.factors.mean.T)
        return _Variants(centre, scale, loadings, (1 - self.own) * self.factors.unsure, residual)


def _standardised(symbols: np.ndarray, alphabet: int) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """centre and scale (v,), and the symbols (v, sequences), as frequencies, in these units."""
    alleles, a = alphabet - 1, independent.PSEUDOCOUNT
    centre = (symbols.sum(axis=1, dtype=np.int64) + a) / (alleles * symbols.shape[1] + 2 * a)
    scale = np.sqrt(centre * (1 - centre))
    return centre, scale, (symbols / alleles - centre[:, None]) / scale[:, None]


def _gram(store: Store, people: np.ndarray) -> np.ndarray:
    """Inner products of people's standardised genotypes over all variants, (sequences, sequences)."""
    seen = (_standardised(symbols, sequences.alphabet(store))[2] for symbols in sequences.chunks(store, people))
    return sum(one.T @ one for one in seen)


def _probabilities(f: np.ndarray, d: np.ndarray, alphabet: int) -> np.ndarray:
    """Probability of each symbol, (v, n, alphabet)."""
    if alphabet == 2:
        return np.stack([1 - f, f], axis=2)
    return np.stack([(1 - f) ** 2 + d, 2 * (f * (1 - f) - d), f**2 + d], axis=2)


def _nats(model: _Model, store: Store, people: np.ndarray, heldout: np.ndarray) -> np.ndarray:
    learnt, asked = (sequences.chunks(store, one) for one in (people, heldout))
    parts = [(model.at(symbols), x) for symbols, x in zip(learnt, asked, strict=True)]
    rng, codes = np.random.default_rng(46), model.groups.asked
    return np.array([-_log_p(model, codes[i], [(one, x[:, i]) for one, x in parts], rng) for i in range(len(codes))])


def _log_p(model: _Model, code: int, parts: list[tuple], rng: np.random.Generator) -> float:
    """log probability of a sequence, symbols (v,) in parts beside their `_Variants`, by importance sampling of z."""
    mean, root, alleles = model.factors.mean[code], model.factors.root[code], model.alphabet - 1
    e = np.zeros(len(mean))  # the place is mean + root @ e, e ~ N(0, 1)
    for _ in range(NEWTON):
        slope, precision = -e, np.eye(len(e))
        for variants, symbols in parts:
            f = variants.frequencies((mean + root @ e)[None], [code])[0][:, 0]
            steep, weight = variants.scale[:, None] * (variants.loadings @ root), 1 / (f * (1 - f))
            slope = slope + steep.T @ ((symbols - alleles * f) * weight)
            precision = precision + alleles * (steep.T * weight) @ steep
        e = e + np.linalg.solve(precision, slope)
    wide = np.linalg.cholesky(np.linalg.inv(precision))
    # Some are tried from the label's cloud, for tails that the curvature does not tell of (Hesterberg 1995).
    tried = rng.standard_normal((TRIES, len(e)))
    tried[int(PRIOR * TRIES) :] = e + tried[int(PRIOR * TRIES) :] @ wide.T
    near = -np.square(np.linalg.solve(wide, (tried - e).T)).sum(axis=0) / 2 - np.log(np.diag(wide)).sum()
    logs = -np.square(tried).sum(axis=1) / 2
    logs -= np.logaddexp(np.log(PRIOR) + logs, np.log(1 - PRIOR) + near)
    for variants, symbols in parts:
        f, d = variants.frequencies(mean + tried @ root.T, np.full(TRIES, code))
        logs += np.log(_probabilities(f, d, model.alphabet)[np.arange(len(f)), :, symbols]).sum(axis=0)
    return float(np.logaddexp.reduce(logs) - np.log(TRIES))


ROUNDS = 60
PSEUDO_SEQUENCES = 5.0  # of all labels' covariance in that of each


def fit(gram: np.ndarray, code: np.ndarray, variants: int, *, axes: int, shrinkage: float = 1.0) -> Factors:
    """Factors of `axes` axes, at most as many as sequences, after `ROUNDS` rounds from principal coordinates.

    `gram` (sequences, sequences) is seen.T @ seen over so many variants, `code` (sequences,) the labels' codes from 0.
    In the end the loadings are shrunk by `shrinkage` times the noise. Raises ValueError for one below 1.
    """
    if not shrinkage >= 1:
        raise ValueError(f"a shrinkage of {shrinkage}; give 1 or more")
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
        told = gram @ weights
        loaded = weights.T @ told + variants * unsure
        mean, cov = _clouds(place, spread, code)
        inverse = np.linalg.inv(cov)
        spread = np.linalg.inv(inverse + loaded / noise)
        toward = np.einsum("lij,lj->li", inverse, mean)[code] + told / noise
        place = np.einsum("nij,nj->ni", spread[code], toward)
        square = place.T @ place + np.tensordot(sizes, spread, 1)
        noise = (np.trace(gram) - 2 * (told * place).sum() + (loaded * square).sum()) / (n * variants)
    unsure = np.linalg.inv(square / (shrinkage * noise) + eye)
    mean, cov = _clouds(place, spread, code)
    return Factors(place @ unsure / (shrinkage * noise), unsure, mean, np.linalg.cholesky(cov))


def _clouds(place: np.ndarray, spread: np.ndarray, code: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Mean (labels, k) and covariance (labels, k, k) of the labels' places, themselves unsure by `spread`."""
    sizes = np.bincount(code)[:, None, None]
    members = [place[code == one] for one in range(len(sizes))]
    mean = np.stack([one.mean(axis=0) for one in members])
    scatter = np.stack([len(one) * np.cov(one.T, bias=True).reshape(spread.shape[1:]) for one in members])
    scatter += sizes * spread
    everybody = scatter.sum(axis=0) / len(place)
    cov = (scatter + PSEUDO_SEQUENCES * everybody) / (sizes + PSEUDO_SEQUENCES)
    return mean, cov + 1e-10 * np.eye(place.shape[1])
