"""scikit-learn's classifiers beside the paper's: the same people, and validation people choose among settings."""

import logging
from collections.abc import Callable

import numpy as np
from sklearn.base import ClassifierMixin
from sklearn.ensemble import RandomForestClassifier
from sklearn.linear_model import LogisticRegression
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import FunctionTransformer

log = logging.getLogger(__name__)

_CHOICES: dict[str, dict[float, Callable[[float, int, int], ClassifierMixin]]] = {
    # The penalty's inverse strength, for scaled entries, of which there are more than people.
    "logistic_regression": dict.fromkeys(
        (1e-4, 1e-3, 1e-2, 1e-1), lambda strength, *_: LogisticRegression(C=strength, max_iter=500)
    ),
    # People in a leaf.
    "random_forest": dict.fromkeys(
        (1, 4),
        lambda leaf, seed, threads: RandomForestClassifier(
            300, min_samples_leaf=leaf, n_jobs=threads, random_state=seed
        ),
    ),
}
KINDS = tuple(_CHOICES)


def learn(
    kind: str,
    x: np.ndarray,
    codes: np.ndarray,
    *,
    validation: tuple[np.ndarray, np.ndarray],
    seed: int,
    threads: int = 1,
) -> ClassifierMixin:
    """The classifier of `KINDS` that learnt label codes (people,) best from x (people, blocks, channels).

    Of all settings that with the best accuracy on `validation` (x, codes) is kept, among equals that with the lower
    loss. Raises ValueError for an unknown kind.
    """
    if kind not in _CHOICES:
        raise ValueError(f"classifier {kind!r}; there are {KINDS}")
    held, held_codes = validation
    best, best_setting, best_score = None, 0.0, (-1.0, 0.0)
    for setting, made in _CHOICES[kind].items():
        learner = make_pipeline(FunctionTransformer(_flat), made(setting, seed, threads)).fit(x, codes)
        score = _score(learner, held, held_codes)
        if score > best_score:
            best, best_setting, best_score = learner, setting, score
    log.info("%s: %g is best, %.3f right of validation people", kind, best_setting, best_score[0])
    return best


def _flat(x: np.ndarray) -> np.ndarray:
    return x.reshape(len(x), -1)


def _score(learner: ClassifierMixin, x: np.ndarray, codes: np.ndarray) -> tuple[float, float]:
    """Accuracy, and mean log-probability of the truth (of a label that was never seen: next to none)."""
    chances = learner.predict_proba(x)
    at = np.searchsorted(learner.classes_, codes).clip(max=len(learner.classes_) - 1)
    known = learner.classes_[at] == codes
    truth = np.where(known, chances[np.arange(len(codes)), at], 0)
    accuracy = (learner.classes_[chances.argmax(1)] == codes).mean()
    return float(accuracy), float(np.log(truth.clip(1e-12)).mean())
