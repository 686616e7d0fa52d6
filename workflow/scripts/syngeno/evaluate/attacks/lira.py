"""LiRA, membership inference by shadow models (Carlini et al., IEEE S&P 2022), and the risk of each individual.

An attack that knows a score's distribution for *this* individual, in runs that trained on it and in runs that did not,
beats one threshold for all: some individuals score high in any run. Runs at a fraction of the training samples, which
each seed draws anew, are shadow models for each other: each is the target once, and the others its shadows.

Model of a score s of individual i, from which the mean of its run has been taken. Normal, with a level a_i, a scale c_i
and an effect e_i (in units of the scale) of the individual, and variances V of the noise that all have in common:

    outside    mean a_i,               variance c_i^2 V_out
    inside     mean a_i + c_i e_i,     variance c_i^2 V_in,      e_i ~ Normal(D, T^2)

The paper takes mean and variance of each individual from its shadows, and where these are few one variance for all. Of
a handful of shadows the mean difference d_i, inside less outside, is mostly noise and often has the wrong sign. So both
are drawn to those of all individuals (empirical Bayes), the scale as in Smyth (Stat Appl Genet Mol Biol 3:3, 2004), by
u_i, the mean square of its residuals over V, of f_i degrees of freedom:

    k     = (1 + variance of u) / (1 + 2 / f) - 1       how much squared scales differ, beyond chance
    c_i^2 = (2 (1 + k) + k f_i u_i) / (2 (1 + k) + k f_i)
    v_i   = V_out / runs outside + V_in / runs inside
    T^2   = variance of d / c - mean of v,    B_i = T^2 / (T^2 + v_i)
    e_i   = D + B_i (d_i / c_i - D),          with variance (1 - B_i) T^2

The score of a target run is the log ratio of both normal densities, each as wide as noise and what is not known of its
mean together. It is calibrated: scores of all runs stand in one ROC curve.

*Risk of an individual*: the probability that its score in a run with it exceeds that in a run without it; .5 is none.
Over eight or sixteen runs the areas of single individuals range from 0 to 1 by chance, and the largest of them say
nothing. So individuals are told by their effects, and what these are worth is found in other runs. Each of many pairs
of runs is left out in turn: of individuals who are inside of one of the pair and outside of the other, is the score
inside the higher one? The share of yes in groups of `GROUP` individuals with effects alike, made to rise with effects
(isotonic regression; calibration as of Zadrozny & Elkan, KDD 2002), is the risk of an individual with such an effect.
No run counts both for who is at risk and for how much, so chance in few runs makes risks alike, not large. A few
individuals who are fewer than a group are told together with the next ones, and appear safer than they are.
"""

from collections.abc import Sequence
from typing import NamedTuple

import numpy as np
from scipy.special import ndtri

from syngeno import streams
from syngeno.evaluate.membership import FALSE_POSITIVES, RARE_FALSE_POSITIVES

BOOTSTRAP = 1000
RESAMPLED = 200  # times that individuals are resampled for the interval of a risk
SMALLEST = 0.01  # of the larger of both variances: copies have none inside, and rounding would be all there is
GROUP = 10  # individuals with effects alike, whose risk is told together
APART = (1, 2, 3)  # runs that are left out together: each with those that come so many places later

Interval = tuple[float, float, float]  # a value and the ends of its interval


class Rates(NamedTuple):
    """What scores of all runs together find: area under the curve, true positives at 1 % and at .1 % false ones."""

    auc: Interval
    tpr: Interval
    tpr_rare: Interval


class _Fit(NamedTuple):
    """The model of scores (see the module); arrays of individuals are (n,).

    Attributes:
        runs: outside and inside, (2, n).
        mean: of the scores, (2, n); 0 where there is none.
        variance: V, (2,).
        scale: c.
        effect: d / c; D where an individual was never inside, or always.
        middle, spread: D and T^2.
        drawn: B.
    """

    runs: np.ndarray
    mean: np.ndarray
    variance: np.ndarray
    scale: np.ndarray
    effect: np.ndarray
    middle: float
    spread: float
    drawn: np.ndarray


def log_ratios(scores: np.ndarray, inside: np.ndarray) -> np.ndarray:
    """The log likelihood ratio of each score, by the other runs as shadows: float64 (runs, individuals).

    `scores` float (runs, individuals), the higher, the likelier inside; `inside` bool, on whom each run was fitted.
    Raises ValueError for other shapes, fewer than four runs, or where no two individuals were both in and out.
    """
    scores = _centred(scores, inside)
    found = np.empty(scores.shape)
    for target in range(len(scores)):
        shadows = np.arange(len(scores)) != target
        fit = _fit(scores[shadows], inside[shadows])
        shift = fit.scale * (fit.middle + fit.drawn * (fit.effect - fit.middle))
        shifts = np.stack([np.zeros_like(shift), shift])
        noise = fit.variance[:, None] * fit.scale**2
        weight = fit.runs / noise
        level = (weight * (fit.mean - shifts)).sum(axis=0) / weight.sum(axis=0)
        wide = noise + 1 / weight.sum(axis=0)
        wide[1] += (1 - fit.drawn) * fit.spread * fit.scale**2
        log_p = -((scores[target] - level - shifts) ** 2 / wide + np.log(wide)) / 2
        found[target] = log_p[1] - log_p[0]
    return found


class Risks:
    """The risk of each individual (see the module): `of_individuals`, float64 (individuals,)."""

    def __init__(self, scores: np.ndarray, inside: np.ndarray) -> None:
        """Arguments and errors as of `log_ratios`, but for five runs at least."""
        scores = _centred(scores, inside, least=5)
        effect, higher, individual = [], [], []
        for apart in APART:
            for one in range(len(scores)):
                pair = [one, (one + apart) % len(scores)]
                fit = _fit(np.delete(scores, pair, axis=0), np.delete(inside, pair, axis=0))
                for with_it, without in (pair, pair[::-1]):
                    asked = np.flatnonzero(inside[with_it] & ~inside[without])
                    gain = scores[with_it, asked] - scores[without, asked]
                    effect.append(fit.effect[asked])
                    higher.append((np.sign(gain) + 1) / 2)
                    individual.append(asked)
        order = np.argsort(np.concatenate(effect), kind="stable")
        self._effect, self._higher, self._individual = (
            np.concatenate(part)[order] for part in (effect, higher, individual)
        )
        self._own = _fit(scores, inside).effect
        self.of_individuals = self._told(np.ones(len(self._own)))

    def quantiles(self, shares: Sequence[float], seed: int) -> list[Interval]:
        """Quantiles over individuals with 95 % intervals, by resampling individuals."""
        rng, n = streams.rng("lira_risk_bootstrap", seed), len(self._own)
        drawn = np.empty((RESAMPLED, len(shares)))
        for row in drawn:
            weight = rng.multinomial(n, np.full(n, 1 / n))
            row[:] = np.quantile(np.repeat(self._told(weight), weight), shares)
        values = np.quantile(self.of_individuals, shares)
        ends = np.quantile(drawn, [0.025, 0.975], axis=0)
        return [(v, min(v, a), max(v, b)) for v, a, b in np.stack([values, *ends]).T.tolist()]

    def _told(self, weight: np.ndarray) -> np.ndarray:
        """The risk of each by its effect, where individuals count by weights (n,)."""
        from sklearn.isotonic import IsotonicRegression

        points = weight[self._individual]
        before = np.cumsum(points) - points
        group = (before * (max(1, len(weight) // GROUP) / points.sum())).astype(np.int64)
        sizes, *sums = (np.bincount(group, part) for part in (points, points * self._effect, points * self._higher))
        means = [part[sizes > 0] / sizes[sizes > 0] for part in sums]
        return IsotonicRegression(out_of_bounds="clip").fit(*means).predict(self._own)


def _centred(scores: np.ndarray, inside: np.ndarray, least: int = 4) -> np.ndarray:
    if scores.shape != inside.shape or scores.ndim != 2:
        raise ValueError(f"scores {scores.shape} and who is inside {inside.shape} are not both (runs, individuals)")
    if len(scores) < least:
        raise ValueError(f"{len(scores)} runs are too few to be shadows for each other")
    return scores - scores.mean(axis=1, keepdims=True)


def _fit(scores: np.ndarray, inside: np.ndarray) -> _Fit:
    parts = np.stack([~inside, inside])
    runs = parts.sum(axis=1)
    known = (runs > 0).all(axis=0)
    free = np.maximum(runs - 1, 0)
    if known.sum() < 2 or not free.any(axis=1).all():
        raise ValueError("too few individuals were inside of some runs and outside of others")
    mean = (scores * parts).sum(axis=1) / np.maximum(runs, 1)
    squares = (np.square(scores - mean[:, None]) * parts).sum(axis=1)
    variance = squares.sum(axis=1) / free.sum(axis=1)
    variance = np.maximum(variance, max(SMALLEST * variance.max(), np.finfo(float).tiny))

    free = free.sum(axis=0)
    unit = (squares / variance[:, None]).sum(axis=0) / np.maximum(free, 1)
    differ = max(0.0, float((1 + unit[known].var()) / (1 + 2 / free[known].mean()) - 1))
    scale = np.sqrt((2 * (1 + differ) + differ * free * unit) / (2 * (1 + differ) + differ * free))

    effect = (mean[1] - mean[0]) / scale
    error = (variance[:, None] / np.maximum(runs, 1)).sum(axis=0)
    middle = float(effect[known].mean())
    spread = max(0.0, float(effect[known].var(ddof=1) - error[known].mean()))
    drawn = np.where(known, spread / (spread + error), 0)
    return _Fit(runs, mean, variance, scale, np.where(known, effect, middle), middle, spread, drawn)


def rates(scores: np.ndarray, inside: np.ndarray, seed: int, tried: int = 1) -> Rates:
    """What these scores (runs, individuals) find, all runs in one ROC curve.

    Intervals are by resampling runs and individuals at once (the pigeonhole bootstrap; Owen, Ann Appl Stat 1:386,
    2007); that of the area is normal, and one of several that hold together where so many attacks were `tried`.
    """
    curve = _Curve(scores, inside)
    ones = (np.ones(length) for length in scores.shape)
    values = curve.rates(*ones)
    rng = streams.rng("lira_bootstrap", seed)
    drawn = np.array(
        [
            curve.rates(*(rng.multinomial(length, np.full(length, 1 / length)) for length in scores.shape))
            for _ in range(BOOTSTRAP)
        ]
    )
    half = -float(ndtri(0.025 / tried)) * drawn[:, 0].std(ddof=1)
    area = values[0], max(0.0, values[0] - half), min(1.0, values[0] + half)
    low, high = np.quantile(drawn[:, 1:], [0.025, 0.975], axis=0)
    return Rates(area, *((v, min(v, a), max(v, b)) for v, a, b in zip(values[1:], low, high, strict=True)))


class _Curve:
    """A ROC curve of scores (runs, individuals) that counts runs and individuals by weights."""

    def __init__(self, scores: np.ndarray, inside: np.ndarray) -> None:
        run, individual = (np.broadcast_to(one, scores.shape) for one in np.ogrid[tuple(map(slice, scores.shape))])
        outside = np.flatnonzero(~inside.ravel())[np.argsort(scores[~inside], kind="stable")]
        self._at = [(run.ravel()[chosen], individual.ravel()[chosen]) for chosen in (outside, np.flatnonzero(inside))]
        self._below, self._upto = (
            np.searchsorted(scores.ravel()[outside], scores[inside], side) for side in ("left", "right")
        )

    def rates(self, of_runs: np.ndarray, of_individuals: np.ndarray) -> tuple[float, float, float]:
        """Area, and true positives at the rates of false ones, by weights (runs,) and (individuals,)."""
        outside, inside = (of_runs[run] * of_individuals[individual] for run, individual in self._at)
        share = np.r_[0, np.cumsum(outside)] / outside.sum()
        found = [(inside * (share[self._below] + share[self._upto])).sum() / 2]
        for rate in (FALSE_POSITIVES, RARE_FALSE_POSITIVES):
            # The first score outside above which there are no more of them than may be accused.
            place = np.searchsorted(share[1:], 1 - rate - 1e-9)
            found.append(inside[self._below > place].sum())
        area, *shares = (float(one / inside.sum()) for one in found)
        return area, *shares
