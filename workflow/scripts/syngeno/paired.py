"""Intervals for two classifiers that were asked about the same people: people are drawn, not classifiers."""

import numpy as np

_BOOTSTRAP = 1000


def ratio(ours: np.ndarray, theirs: np.ndarray, seed: int) -> tuple[float, float]:
    """95 % percentile interval of accuracy / accuracy over bootstrapped people; bool (people,), who was told right."""
    ours, theirs = _counts(ours, theirs, seed)
    low, high = np.percentile(ours[theirs > 0] / theirs[theirs > 0], [2.5, 97.5])
    return float(low), float(high)


def difference(ours: np.ndarray, theirs: np.ndarray, seed: int) -> tuple[float, float]:
    """95 % percentile interval of accuracy - accuracy over bootstrapped people; bool (people,), who was told right."""
    people = len(ours)
    ours, theirs = _counts(ours, theirs, seed)
    low, high = np.percentile((ours - theirs) / people, [2.5, 97.5])
    return float(low), float(high)


def _counts(ours: np.ndarray, theirs: np.ndarray, seed: int) -> tuple[np.ndarray, np.ndarray]:
    """How many are told right in each draw of people, the same people for both: (draws,) each."""
    n = len(ours)
    times = np.random.default_rng([seed, 2]).multinomial(n, np.full(n, 1 / n), size=_BOOTSTRAP)
    return times @ ours.astype(float), times @ theirs.astype(float)
