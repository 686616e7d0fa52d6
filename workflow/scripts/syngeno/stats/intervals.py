"""Intervals of shares, means and paired differences, and by how much the scores of one set exceed those of another."""

import numpy as np
from scipy import stats

Z = stats.norm.ppf(0.975)


def wilson(share: float, n: int) -> tuple[float, float]:
    """95 % interval of a share of n samples (Wilson, J Am Stat Assoc 22:209, 1927); a share may count halves."""
    middle = (share + Z**2 / (2 * n)) / (1 + Z**2 / n)
    half = Z / (1 + Z**2 / n) * np.sqrt(share * (1 - share) / n + Z**2 / (4 * n**2))
    # At a share of 0 the lower bound is 0 but for rounding, and would print as 1e-19; at 1 the upper one is below 1.
    return round(float(middle - half), 12), round(float(middle + half), 12)


def placements(scores: np.ndarray, others: np.ndarray) -> np.ndarray:
    """The share of other scores (m,) that lie below each score (n,), ties one half: (n,).

    Their mean is the area under the ROC curve, the probability that a score exceeds another.
    """
    others = np.sort(others)
    return (np.searchsorted(others, scores, "left") + np.searchsorted(others, scores, "right")) / (2 * len(others))


_BOOTSTRAP = 1000


def ratio(ours: np.ndarray, theirs: np.ndarray, seed: int) -> tuple[float, float]:
    """95 % percentile interval of accuracy / accuracy over bootstrapped people; bool (people,), who was told right."""
    ours, theirs = _counts([ours, theirs], seed)
    return _interval(ours[theirs > 0] / theirs[theirs > 0])


def difference(ours: np.ndarray, theirs: np.ndarray, seed: int) -> tuple[float, float]:
    """95 % percentile interval of accuracy - accuracy over bootstrapped people; bool (people,), who was told right."""
    people = len(ours)
    ours, theirs = _counts([ours, theirs], seed)
    return _interval((ours - theirs) / people)


def share(part: np.ndarray, whole: np.ndarray, base: np.ndarray, seed: int) -> tuple[float, float]:
    """95 % percentile interval of (part - base) / (whole - base), accuracies, over bootstrapped people.

    bool (people,), who was told right. Nothing is a share of what is not there: (nan, nan) where whole - base is not
    surely above 0 (its interval reaches 0).
    """
    part, whole, base = _counts([part, whole, base], seed)
    if np.percentile(whole - base, 2.5) <= 0:
        return float("nan"), float("nan")
    there = whole > base
    return _interval((part - base)[there] / (whole - base)[there])


def _interval(draws: np.ndarray) -> tuple[float, float]:
    low, high = np.percentile(draws, [2.5, 97.5])
    return float(low), float(high)


def _counts(right: list[np.ndarray], seed: int) -> list[np.ndarray]:
    """How many each tells right in each draw of people, the same people for all: (draws,) each."""
    n = len(right[0])
    times = np.random.default_rng([seed, 2]).multinomial(n, np.full(n, 1 / n), size=_BOOTSTRAP)
    return [times @ one.astype(float) for one in right]
