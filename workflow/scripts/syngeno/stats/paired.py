"""Intervals for classifiers that were asked about the same people: people are drawn, not classifiers."""

import numpy as np

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
