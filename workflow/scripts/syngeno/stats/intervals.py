"""By how much the scores of one kind of people exceed those of another."""

import numpy as np


def placements(scores: np.ndarray, others: np.ndarray) -> np.ndarray:
    """The share of other scores (m,) that lie below each score (n,), ties one half: (n,).

    Their mean is the area under the ROC curve, the probability that a score exceeds another.
    """
    others = np.sort(others)
    return (np.searchsorted(others, scores, "left") + np.searchsorted(others, scores, "right")) / (2 * len(others))
