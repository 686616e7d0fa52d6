"""Ancestry proportions of samples: mixtures of Dirichlet distributions, by label.

The tracts n[i, a] of sample i in ancestry a (see tracts.py) are drawn by its proportions q[i], and these by a Dirichlet
distribution, of which a label has one or a few, each with a share of its samples:

    p(n_i) = sum over c of the label: share[c] Gamma(|alpha_c|) / Gamma(|alpha_c| + |n_i|)
                                      prod over a: Gamma(alpha[c, a] + n[i, a]) / Gamma(alpha[c, a]).

It is fitted by the fixed point of Minka (Estimating a Dirichlet distribution, 2000), so the noise of a finite number of
tracts is not taken for variation among samples. What is kept is of labels; nobody's own proportions are.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import NamedTuple, Self

import numpy as np
from scipy.special import digamma, gammaln

from syngeno.data import samples
from syngeno.errors import BadInput

MOST, FEWEST = 3, 25  # components of a label, and samples of each
ROUNDS = 500
ALONE = 0.95  # mean proportion from which on a component is of one ancestry
ALONG = 8  # of so many proposals one is by the component alone, lest a weight be large
LEAST, LARGEST = 1e-3, 1e4  # of alpha, of an ancestry and in all
NONE = 1e-12  # stands for an alpha of 0, where an ancestry does not occur


class Admixture(NamedTuple):
    """Of sequences: proportions `q` (n, A), ancestry switches per Morgan `rate` (n,), and the `group` of each (n,)."""

    q: np.ndarray
    rate: np.ndarray
    group: np.ndarray

    def some(self, rows: np.ndarray | slice) -> Self:
        """Of some of them, or of each again and again."""
        return type(self)(*(part[rows] for part in self))


@dataclass(frozen=True)
class Components:
    """What labels are mixtures of.

    Attributes (C components, A ancestries):
        label: the label that each is a part of, str (C,).
        share: of the label's samples (C,).
        alpha: of its Dirichlet distribution (C, A).
        rate: ancestry switches per Morgan (C,), of a label alike, but 0 of components of one ancestry.
        group: whose cluster weights its samples follow, int (C,).
        exact: of labels whose samples have just these proportions, (A,), rather than a draw of them.
    """

    label: np.ndarray
    share: np.ndarray
    alpha: np.ndarray
    rate: np.ndarray
    group: np.ndarray
    exact: Mapping[str, np.ndarray] = field(default_factory=dict)

    @classmethod
    def of_one_ancestry(cls, label: np.ndarray, share: np.ndarray) -> Self:
        """Each with weights of its own."""
        C = len(label)
        return cls(label, share, np.ones((C, 1)), np.zeros(C), np.arange(C))

    @property
    def ancestries(self) -> int:
        """How many there are."""
        return self.alpha.shape[1]

    @property
    def names(self) -> np.ndarray:
        """Of ancestries, str (A,): the labels that are of this one alone, joined by +, else ancestry1, ancestry2, .."""
        held = {name: (self.alpha[self.of_label(name)] > 0).any(0) for name in np.unique(self.label).tolist()}
        alone = {name: int(each.argmax()) for name, each in held.items() if each.sum() == 1}
        named = ("+".join(name for name in alone if alone[name] == a) for a in range(self.ancestries))
        return np.array([name or f"ancestry{a}" for a, name in enumerate(named, 1)])

    def asked(self, proportions: Mapping[str, Mapping[str, float]]) -> Self:
        """The same, but samples of some labels have just these proportions, which sum to 1, by ancestries' names.

        Those of several ancestries change between them at the rate of their label. BadInput for an unknown label or
        ancestry, where there is one ancestry, and for a mixture in a label that has no such rate.
        """
        names, rate, exact, key = self.names.tolist(), self.rate.copy(), {}, "sample.proportions"
        samples.refuse_unknown(proportions, self.label.tolist(), key)
        if proportions and len(names) == 1:
            remedy = "set `clusters: {ancestries: 2}`, or more, for the generator, or leave proportions out"
            raise BadInput(key, f"the model has one ancestry ({names[0]})", remedy)
        for label, shares in proportions.items():
            label, shares = str(label), {str(name): share for name, share in shares.items()}
            if unknown := sorted(set(shares) - set(names)):
                raise BadInput(f"{key}.{label}", f"the model has no ancestry '{unknown[0]}'", f"use {', '.join(names)}")
            q, own = np.array([shares.get(name, 0.0) for name in names]), self.of_label(label)
            mixed = (q > 0).sum() > 1
            rate[own] = self.rate[own].max() if mixed else 0  # components of one ancestry lack the rate of their label
            if mixed and not rate[own].any():
                admixed = ", ".join(np.unique(self.label[self.rate > 0]).tolist()) or "there is none"
                fact = "samples of this label are of one ancestry, and nothing says how long tracts of several would be"
                raise BadInput(f"{key}.{label}", fact, f"give it one ancestry, or take an admixed label ({admixed})")
            exact[label] = q / q.sum()
        return replace(self, rate=rate, exact=exact)

    def of_label(self, name: str) -> np.ndarray:
        """Numbers of a label's components; ValueError for an unknown label."""
        numbers = np.flatnonzero(self.label == name)
        if not len(numbers):
            raise ValueError(f"no training sample has the label {name}")
        return numbers

    def draw(self, label: np.ndarray, rng: np.random.Generator) -> tuple[np.ndarray, np.ndarray]:
        """Components (n,) of each label, str (n,), and proportions (n, A). ValueError for an unknown label."""
        label = np.asarray(label, dtype=str)
        component = np.empty(len(label), np.int64)
        for name in np.unique(label).tolist():
            numbers, rows = self.of_label(name), np.flatnonzero(label == name)
            share = self.share[numbers] / self.share[numbers].sum()
            component[rows] = rng.choice(numbers, size=len(rows), p=share)
        q = dirichlet(self.alpha[component], rng)
        for name, own in self.exact.items():
            q[label == name] = own
        return component, q

    def admixture(self, component: np.ndarray, q: np.ndarray) -> Admixture:
        """That of samples, by their components (n,) and proportions (n, A)."""
        return Admixture(q, self.rate[component], self.group[component])

    def mean(self, label: np.ndarray) -> np.ndarray:
        """Mean proportions of each label, str (n,): float64 (n, A)."""
        each = self.alpha / self.alpha.sum(1, keepdims=True)
        owned = (self.of_label(name) for name in np.asarray(label, dtype=str).tolist())
        return np.array([self.share[numbers] @ each[numbers] for numbers in owned])

    def admixed(self, label: np.ndarray) -> np.ndarray:
        """The component of each label, str (n,), that has the label's rate, which those of one ancestry lack."""
        names, code = np.unique(np.asarray(label, dtype=str), return_inverse=True)
        numbers = [self.of_label(name) for name in names.tolist()]
        return np.array([own[self.rate[own].argmax()] for own in numbers], dtype=np.int64)[code]

    def settled(self) -> Self:
        """The same, but components nearly of one ancestry are of it alone, and switch to no other."""
        mean = self.alpha / self.alpha.sum(1, keepdims=True)
        alone = mean.max(1) >= ALONE
        alpha = np.where(alone[:, None], np.eye(self.ancestries)[mean.argmax(1)], self.alpha)
        return replace(self, alpha=alpha, rate=np.where(alone, 0, self.rate))

    def given(self, tracts: np.ndarray, label: np.ndarray, like: Self | None = None) -> np.ndarray:
        """Expected proportions of samples of labels, by their tracts (n, A): float64 (n, A).

        Samples are in components as they would be of the components `like` these.
        """
        found = np.empty(tracts.shape)
        for name in np.unique(label).tolist():
            numbers, rows = self.of_label(name), np.flatnonzero(label == name)
            share, alpha = self.share[numbers], self.alpha[numbers]
            posterior = alpha + tracts[rows, None] * (alpha > 0)
            posterior /= posterior.sum(2, keepdims=True)
            of_components = _responsibility(tracts[rows], share, (like or self).alpha[numbers])[0]
            found[rows] = (of_components[:, :, None] * posterior).sum(1)
        return found


class Proposal(NamedTuple):
    """Proportions of samples to integrate over, near those that their tracts speak for, by importance.

    Attributes:
        q: (n, M, A).
        component: whose each is (M,) of its sample's label, as a number of all: (n, M).
        log_ratio: of their density to that by which they were drawn, -inf for what only fills up (n, M).
    """

    q: np.ndarray
    component: np.ndarray
    log_ratio: np.ndarray

    @classmethod
    def of(cls, known: Components, tracts: np.ndarray, label: np.ndarray, times: int, seed: Sequence[int]) -> Self:
        """Of samples with labels, str (n,), by their tracts (n, A).

        `times` for a label's components of several ancestries, which differ in nothing but proportions, and one for
        each that is of one ancestry.
        """
        n, A = tracts.shape
        rng, alone = np.random.default_rng(seed), (known.alpha > 0).sum(1) == 1
        numbers = [known.of_label(name) for name in np.asarray(label, dtype=str).tolist()]
        most = max(alone[own].sum() + times * (not alone[own].all()) for own in numbers)
        q, component = np.zeros((n, most, A)), np.zeros((n, most), np.int64)
        log_ratio = np.full((n, most), -np.inf)
        near = np.arange(times) >= max(1, times // ALONG)
        for i, own in enumerate(numbers):
            pure, mixed = own[alone[own]], own[~alone[own]]
            first = len(pure)
            q[i, :, 0], component[i], component[i, :first] = 1, own[0], pure
            q[i, :first], log_ratio[i, :first] = known.alpha[pure] > 0, np.log(known.share[pure])
            if not len(mixed):
                continue
            share, alpha = known.share[mixed], known.alpha[mixed]
            posterior = alpha + tracts[i] * (alpha > 0)
            of_near = np.maximum(_responsibility(tracts[i, None], share, alpha)[0][0], NONE)
            shares = np.stack([share / share.sum(), of_near / of_near.sum()])
            chosen = np.array([rng.choice(len(mixed), p=shares[by]) for by in near.astype(int)])
            at = slice(first, first + times)
            q[i, at] = dirichlet(np.stack([alpha, posterior])[near.astype(int), chosen], rng)
            proposed = (np.array([[1 - near.mean()], [near.mean()]]) * shares).ravel()
            density = _log_density(q[i, at], share, alpha)
            density -= _log_density(q[i, at], proposed, np.concatenate([alpha, posterior]))
            log_ratio[i, at], component[i, at] = density - np.log(times), mixed[0]
        return cls(q, component, log_ratio)


def fit(tracts: np.ndarray, label: np.ndarray) -> Components:
    """Components of each label, as many as the Bayesian information criterion asks for; no switches as yet.

    `tracts` (n, A) of samples with labels, str (n,); they need not be whole numbers. A label is a group.
    """
    names, group = np.unique(np.asarray(label, dtype=str), return_inverse=True)
    parts = [mixture(tracts[group == number]) for number in range(len(names))]
    owner = np.repeat(np.arange(len(names)), [len(share) for share, _ in parts])
    share, alpha = (np.concatenate(part) for part in zip(*parts, strict=True))
    return Components(names[owner], share, alpha, np.zeros(len(owner)), owner)


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
