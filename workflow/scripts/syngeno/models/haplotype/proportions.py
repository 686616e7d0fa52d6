"""Ancestry proportions of samples: mixtures of Dirichlet distributions, by label.

The tracts n[i, a] of sample i in ancestry a (see tracts.py) are drawn by its proportions q[i], and these by a Dirichlet
distribution, of which a label has one or a few, each with a share of its samples:

    p(n_i) = sum over c of the label: share[c] Gamma(|alpha_c|) / Gamma(|alpha_c| + |n_i|)
                                      prod over a: Gamma(alpha[c, a] + n[i, a]) / Gamma(alpha[c, a]).

It is fitted by the fixed point of Minka (Estimating a Dirichlet distribution, 2000), so the noise of a finite number of
tracts is not taken for variation among samples. What is kept is of labels; nobody's own proportions are.
"""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from scipy.special import digamma, gammaln

MOST, FEWEST = 3, 25  # components of a label, and samples of each
ROUNDS = 500
BOUND = 0.1  # share of proposals by the label alone: a weight is 10 at most
LEAST, LARGEST = 1e-3, 1e4  # of alpha, of an ancestry and in all
SAME = 1e6  # the sum of alpha where all samples have the same proportions
NONE = 1e-12  # stands for an alpha of 0, where an ancestry does not occur


@dataclass(frozen=True)
class Proportions:
    """Components: the `label` of each, str (C,), its `share` of the label's samples, and its `alpha` (C, A)."""

    label: np.ndarray
    share: np.ndarray
    alpha: np.ndarray

    def of_label(self, name: str) -> tuple[np.ndarray, np.ndarray]:
        """Shares and alphas of a label's components; ValueError for an unknown label."""
        own = self.label == name
        if not own.any():
            raise ValueError(f"no training sample has the label {name}")
        return self.share[own], self.alpha[own]

    def draw(self, label: np.ndarray, rng: np.random.Generator) -> np.ndarray:
        """Proportions for each label, str (n,): float64 (n, A). ValueError for an unknown label."""
        label = np.asarray(label, dtype=str)
        drawn = np.empty((len(label), self.alpha.shape[1]))
        for name in np.unique(label).tolist():
            (share, alpha), rows = self.of_label(name), np.flatnonzero(label == name)
            drawn[rows] = dirichlet(alpha[rng.choice(len(share), size=len(rows), p=share)], rng)
        return drawn

    def mean(self, label: np.ndarray) -> np.ndarray:
        """Mean proportions of each label, str (n,): float64 (n, A)."""
        parts = (self.of_label(name) for name in np.asarray(label, dtype=str).tolist())
        return np.array([share @ (alpha / alpha.sum(1, keepdims=True)) for share, alpha in parts])

    def certain(self, alone: dict[str, np.ndarray]) -> "Proportions":
        """The same, but some labels, by name, have a single component, of this alpha (A,)."""
        own = ~np.isin(self.label, list(alone))
        label = np.array([*self.label[own].tolist(), *alone], dtype=str)
        alpha = np.concatenate([self.alpha[own], *(each[None] for each in alone.values())])
        return Proportions(label, np.r_[self.share[own], np.ones(len(alone))], alpha)

    def given(self, tracts: np.ndarray, label: np.ndarray) -> np.ndarray:
        """Expected proportions of samples of labels, by their tracts (n, A): float64 (n, A)."""
        found = np.empty(tracts.shape)
        for name in np.unique(label).tolist():
            (share, alpha), rows = self.of_label(name), np.flatnonzero(label == name)
            posterior = alpha + tracts[rows, None]
            posterior /= posterior.sum(2, keepdims=True)
            found[rows] = (_responsibility(tracts[rows], share, alpha)[0][:, :, None] * posterior).sum(1)
        return found


@dataclass(frozen=True)
class Proposal:
    """Draws of a sample's proportions near those that its tracts speak for, to integrate over them by importance."""

    q: np.ndarray  # (n, M, A)
    log_ratio: np.ndarray  # (n, M), of their density to that by which they were drawn

    @classmethod
    def of(
        cls, known: Proportions, tracts: np.ndarray, label: np.ndarray, times: int, seed: Sequence[int]
    ) -> "Proposal":
        """Of samples with labels, str (n,), by their tracts (n, A), `times` for each."""
        n, A = tracts.shape
        q, log_ratio = np.empty((n, times, A)), np.empty((n, times))
        rng = np.random.default_rng(seed)
        for i, name in enumerate(np.asarray(label, dtype=str).tolist()):
            share, alpha = known.of_label(name)
            posterior = _responsibility(tracts[i : i + 1], share, alpha)[0][0]
            proposed = np.r_[(1 - BOUND) * posterior, BOUND * share], np.concatenate([alpha + tracts[i], alpha])
            q[i] = dirichlet(proposed[1][rng.choice(2 * len(share), size=times, p=proposed[0])], rng)
            log_ratio[i] = _log_density(q[i], share, alpha) - _log_density(q[i], *proposed)
        return cls(q, log_ratio)


def fit(tracts: np.ndarray, label: np.ndarray) -> Proportions:
    """Components of each label, as many as the Bayesian information criterion asks for.

    `tracts` (n, A) of samples with labels, str (n,); they need not be whole numbers.
    """
    label = np.asarray(label, dtype=str)
    names = np.unique(label).tolist()
    parts = [mixture(tracts[label == name]) for name in names]
    owner = np.repeat(names, [len(share) for share, _ in parts])
    return Proportions(owner, *(np.concatenate(part) for part in zip(*parts, strict=True)))


def same(tracts: np.ndarray) -> np.ndarray:
    """The alpha (A,) of samples that all have the same proportions, by their tracts (n, A)."""
    return SAME * tracts.sum(0) / tracts.sum()


def mixture(tracts: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Shares (C,) and alphas (C, A) of the components of samples with these tracts (n, A)."""
    n, A = tracts.shape
    best, least = None, np.inf
    for count in range(1, max(1, min(MOST, n // FEWEST)) + 1):
        share, alpha, log_p = _maximised(tracts, _apart(tracts, count))
        if count > 1 and (n * share).min() < FEWEST:
            break
        criterion = -2 * log_p + (count * (A + 1) - 1) * np.log(n)
        if criterion < least:
            best, least = (share, alpha), criterion
    return best


def dirichlet(alpha: np.ndarray, rng: np.random.Generator) -> np.ndarray:
    """A draw by each alpha (n, A): float64 (n, A)."""
    gamma = rng.standard_gamma(alpha)
    gamma[np.arange(len(alpha)), alpha.argmax(1)] += 1e-300  # where all are too small for floating point
    return gamma / gamma.sum(1, keepdims=True)


def _maximised(tracts: np.ndarray, member: np.ndarray) -> tuple[np.ndarray, np.ndarray, float]:
    """Shares, alphas and the log probability of all tracts, by EM from a first division of samples (n, C)."""
    mean = (tracts + LEAST) / (tracts + LEAST).sum(1, keepdims=True)
    alpha = np.maximum(member.T @ mean / member.sum(0)[:, None] * tracts.shape[1], LEAST)
    total, before = tracts.sum(1)[:, None], -np.inf
    for _ in range(ROUNDS):
        share = member.mean(0)
        for c in range(len(share)):
            part = member[:, c, None]
            above = (part * (digamma(tracts + alpha[c]) - digamma(alpha[c]))).sum(0)
            below = (part * (digamma(total + alpha[c].sum()) - digamma(alpha[c].sum()))).sum()
            alpha[c] = np.maximum(alpha[c] * above / below, LEAST)
            alpha[c] *= min(1, LARGEST / alpha[c].sum())
        member, log_p = _responsibility(tracts, share, alpha)
        if log_p - before < 1e-4:
            break
        before = log_p
    return share, alpha, log_p


def _apart(tracts: np.ndarray, count: int) -> np.ndarray:
    """A first division of samples, float64 (n, C), in equal parts along the axis on which proportions vary most."""
    q = (tracts + LEAST) / (tracts + LEAST).sum(1, keepdims=True)
    axis = np.linalg.svd(q - q.mean(0), full_matrices=False)[2][0]
    rank = ((q - q.mean(0)) @ axis).argsort(kind="stable").argsort(kind="stable")
    return np.eye(count)[rank * count // len(q)]


def _responsibility(tracts: np.ndarray, share: np.ndarray, alpha: np.ndarray) -> tuple[np.ndarray, float]:
    """Posterior shares of components (n, C) of samples with tracts (n, A), and the log probability of all."""
    alpha = np.maximum(alpha, NONE)
    total = alpha.sum(1)
    logs = np.log(share) + gammaln(total) - gammaln(total + tracts.sum(1)[:, None])
    logs += (gammaln(tracts[:, None] + alpha) - gammaln(alpha)).sum(2)
    each = np.logaddexp.reduce(logs, axis=1, keepdims=True)
    return np.exp(logs - each), float(each.sum())


def _log_density(q: np.ndarray, share: np.ndarray, alpha: np.ndarray) -> np.ndarray:
    """Log density (M,) of proportions (M, A) under a mixture; of an ancestry that does not occur, a constant."""
    alpha = np.maximum(alpha, NONE)
    logs = gammaln(alpha.sum(1)) - gammaln(alpha).sum(1)
    logs = logs + ((alpha - 1) * np.log(np.maximum(q[:, None], 1e-300))).sum(2)
    return np.logaddexp.reduce(np.log(share) + logs, axis=1)
