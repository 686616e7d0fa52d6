"""Utility: does a classifier that is trained on synthetic samples predict real samples' labels?

The same classifier is trained on the training samples and on the synthetic ones and tested on the test samples. Each
time the whole of it, the principal components included, is fitted on these samples alone, as it would be with
nothing but the synthetic cohort. (With axes fitted on train for both, samples that are not in train would look more
like test samples than train itself does, and the comparison would favour them.)

    recovery rate = (accuracy trained on synthetic samples - chance) / (accuracy trained on real samples - chance)

is Cohen's kappa (Educ Psychol Meas 20:37, 1960) of the one over that of the other, but for chance, which is what the
best constant guess gets right: the largest label's share of test samples. Where real samples do not surely beat chance
there is nothing to recover. The plain ratio of accuracies (Kenneweg et al., Bioinformatics 2025) stands beside it. The
headline (group "all") is logistic regression, named beforehand: choosing the best of several on the test samples would
flatter it. Association scans are in `association`.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from syngeno.data.cohort import Cohort, same_variants
from syngeno.evaluate import association
from syngeno.evaluate.metrics import row, share_row
from syngeno.stats import intervals
from syngeno.stats.structure import Axes, principal_axes

if TYPE_CHECKING:
    from sklearn.base import ClassifierMixin

# The real cohorts that `reference` and `measure` take.
COHORTS = ("train", "test")
HEADLINE = "logistic_regression"


@dataclass(frozen=True, eq=False)
class Reference:
    """What depends on real samples alone.

    Attributes:
        right: which test samples each classifier trained on train predicts right, bool (samples,) in canonical order.
        hits_at, hits_effects: of the association scans of train (see `association.Hits`).
    """

    right: dict[str, np.ndarray]
    hits_at: dict[str, np.ndarray]
    hits_effects: dict[str, np.ndarray]


def reference(train: Cohort, test: Cohort, *, seed: int, components: int, classifiers: Sequence[str]) -> Reference:
    """What `measure` needs of real samples, with the same settings; raises as it does."""
    same_variants(train, test)
    if len(train.labels) < 2 or len(test.labels) < 2:
        return Reference({}, {}, {})
    right = _right(train, test.in_canonical_order(), classifiers, components, seed)
    hits = association.in_train(train)
    return Reference(right, hits.at, hits.effects)


def measure(
    synthetic: Cohort,
    train: Cohort,
    test: Cohort,
    *,
    seed: int,
    components: int,
    classifiers: Sequence[str],
    real: Reference | None = None,
) -> list[dict]:
    """Accuracies and recovery rates, as metric rows, one group per classifier and "all" for the headline.

    Args:
        synthetic, train, test: cohorts over the same variants, of at least two samples (else ValueError).
        seed: of the classifiers and the bootstrap.
        components: principal components that the classifiers are given (at most samples - 1).
        classifiers: their names (see `classifier`).
        real: what `reference` gave for train and test; computed here where it is absent.

    There is `accuracy`, `balanced_accuracy` (trained on synthetic samples; `_real`: on training samples), both against
    test, `accuracy_chance`, `accuracy_ratio` and `recovery_rate` with paired bootstrap intervals over test samples, the
    last only where the interval of what training samples add to chance lies above 0; `recall` and `recall_real`, the
    headline's share of each label's test samples that was predicted right; and the rows of `association.measure`.
    Nothing where train or test has one class only.
    """
    same_variants(synthetic, train, test)
    real = real or reference(train, test, seed=seed, components=components, classifiers=classifiers)
    if len(train.labels) < 2 or len(test.labels) < 2:
        return []
    test = test.in_canonical_order()
    right = _right(synthetic, test, classifiers, components, seed)
    rows = []
    for name in classifiers:
        numbers = _numbers(right[name], real.right[name], test.label, name, seed)
        if name == HEADLINE:
            rows += [number | {"group": "all"} for number in numbers]
        rows += numbers
        if name == HEADLINE:
            rows += _recalls("recall", right[name], test.label)
            rows += _recalls("recall_real", real.right[name], test.label)
    return rows + association.measure(synthetic, train, association.Hits(real.hits_at, real.hits_effects), seed)


def _right(
    cohort: Cohort, test: Cohort, classifiers: Sequence[str], components: int, seed: int
) -> dict[str, np.ndarray]:
    """Which test samples the classifiers predict right that are trained on a cohort, bool (samples,), by classifier."""
    from threadpoolctl import threadpool_limits

    cohort = cohort.in_canonical_order()
    axes, x = features(cohort, components)
    # One scale for all components: the leading ones are to weigh more, they say more.
    scale = x.std(0).max() or 1.0
    new = axes.coordinates(test.dosages) / scale
    # Boosting starts a thread per core unasked, and on a shared machine they wait for one another.
    with threadpool_limits(1):
        return {
            name: predict(classifier(name, seed), x / scale, cohort.label, new) == test.label for name in classifiers
        }


def features(cohort: Cohort, components: int) -> tuple[Axes, np.ndarray]:
    """Principal axes of samples, and where they would lie on them had they not helped to fit them.

    With more variants than samples the axes turn towards the samples they are fitted on, which then lie farther
    out than any new one, and a classifier that is trained on them misjudges the new ones. Axis k is
    v_k = sum_j z_j x_jk / lambda_k over the samples' centred dosages z_j (lambda_k = sum_j x_jk^2), so sample
    i's own part in x_ik = z_i v_k is |z_i|^2 x_ik / lambda_k. Without it: x_ik (1 - |z_i|^2 / lambda_k), float64
    (samples, k).
    """
    axes = principal_axes(cohort, components)
    x = axes.coordinates(cohort.dosages)
    length = np.array([((dosages - axes.mean) ** 2).sum() for dosages in cohort.dosages], dtype=np.float64)
    eigenvalue = (x**2).sum(0)
    own = np.divide(length[:, None], eigenvalue, out=np.ones_like(x), where=eigenvalue > 1e-6 * length.mean())
    return axes, x * (1 - own)


def classifier(name: str, seed: int) -> ClassifierMixin:
    """A fresh classifier of that name, set for some thousand samples and up to some 30 classes."""
    from sklearn.ensemble import HistGradientBoostingClassifier, RandomForestClassifier
    from sklearn.linear_model import LogisticRegression

    if name == "logistic_regression":
        return LogisticRegression(C=30, max_iter=2000)
    if name == "random_forest":
        return RandomForestClassifier(300, n_jobs=1, random_state=seed)
    if name == "gradient_boosting":
        return HistGradientBoostingClassifier(
            max_iter=30, learning_rate=0.2, max_leaf_nodes=8, early_stopping=False, random_state=seed
        )
    raise ValueError(f"there is no classifier {name!r}")


def predict(learner: ClassifierMixin, x: np.ndarray, label: np.ndarray, new: np.ndarray) -> np.ndarray:
    """Labels, str (m,), that a classifier predicts for `new` (m, k) after training on (n, k) and their labels."""
    classes = np.unique(label)
    if len(classes) == 1:  # what there is to learn is that all samples are the same
        return np.full(len(new), classes[0])
    return learner.fit(x, label).predict(new)


def balanced_accuracy(right: np.ndarray, label: np.ndarray) -> float:
    """Mean over the classes of the share that was predicted right."""
    return float(np.mean([right[label == name].mean() for name in np.unique(label)]))


def _numbers(synthetic: np.ndarray, real: np.ndarray, label: np.ndarray, name: str, seed: int) -> list[dict]:
    """Rows of one classifier from which test samples were predicted right, bool (samples,) each."""
    rows, what = [], {"group": name, "against": "test", "n": len(label)}
    for suffix, right in (("", synthetic), ("_real", real)):
        rows.append(share_row(f"accuracy{suffix}", right.mean(), len(right), name, "test"))
        rows.append(row(f"balanced_accuracy{suffix}", balanced_accuracy(right, label), **what))
    names, counts = np.unique(label, return_counts=True)
    constant = label == names[counts.argmax()]
    chance = constant.mean()
    rows.append(row("accuracy_chance", chance, **what))
    if real.any():
        low, high = intervals.ratio(synthetic, real, seed)
        rows.append(row("accuracy_ratio", synthetic.mean() / real.mean(), low=low, high=high, **what))
    low, high = intervals.share(synthetic, real, constant, seed)
    if np.isfinite(low):
        recovery = (synthetic.mean() - chance) / (real.mean() - chance)
        rows.append(row("recovery_rate", recovery, low=low, high=high, **what))
    return rows


def _recalls(metric: str, right: np.ndarray, label: np.ndarray) -> list[dict]:
    parts = {str(name): right[label == name] for name in np.unique(label)}
    return [share_row(metric, part.mean(), len(part), name, "test") for name, part in parts.items()]
