"""Utility: does a classifier that learnt from synthetic people know real people's labels?

The same classifier is trained on the training people and on the synthetic ones and tested on the test
people. Each time the whole of it, the principal components included, sees nobody but those it learns from,
as it would for somebody who was handed only the synthetic cohort. (With axes fitted on train for both,
people who are not in train would look more like test people than train itself does, and the comparison
would favour them.) Recovery rate = accuracy learnt from synthetic / accuracy learnt from real people. The
headline (group "all") is logistic regression, named beforehand: choosing the best of several on the test
people would flatter it. What a scan for associated variants finds is in `association`.
"""

import numpy as np
from sklearn.base import ClassifierMixin
from sklearn.ensemble import HistGradientBoostingClassifier, RandomForestClassifier
from sklearn.linear_model import LogisticRegression
from threadpoolctl import threadpool_limits

from syngeno.data.cohort import Cohort, same_variants
from syngeno.evaluate import association
from syngeno.evaluate.metrics import row
from syngeno.stats import intervals
from syngeno.stats.structure import Axes, principal_axes

PEOPLE = ("synthetic", "train", "test")
CLASSIFIERS = ("logistic_regression", "random_forest", "gradient_boosting")
HEADLINE = "logistic_regression"


def measure(
    synthetic: Cohort,
    train: Cohort,
    test: Cohort,
    *,
    seed: int,
    components: int = 50,
    classifiers: tuple[str, ...] = CLASSIFIERS,
    threads: int = 1,
) -> list[dict]:
    """Accuracies and recovery rates, as metric rows, one group per classifier and "all" for the headline.

    Args:
        synthetic, train, test: cohorts over the same variants.
        seed: of the classifiers and the bootstrap.
        components: principal components that the classifiers see (at most people - 1).
        classifiers: of `CLASSIFIERS`.
        threads: that the classifiers may use.

    Returns:
        `accuracy` and `balanced_accuracy` (learnt from synthetic people), `accuracy_real` and
        `balanced_accuracy_real` (learnt from training people), all against test, and `recovery_rate` with a
        paired bootstrap interval over test people; `recall` and `recall_real`, the headline's share of each
        label's test people that was told right; and the rows of `association.measure`. Nothing where train or
        test has one class only.

    Raises:
        ValueError: an unknown classifier, cohorts that differ in their variants, fewer than two people.
    """
    same_variants(synthetic, train, test)
    for name in classifiers:
        if name not in CLASSIFIERS:
            raise ValueError(f"classifier {name!r} is not one of {', '.join(CLASSIFIERS)}")
    if len(train.labels) < 2 or len(test.labels) < 2:
        return []
    test = test.in_canonical_order()
    right: dict[tuple[str, str], np.ndarray] = {}
    for source, people in (("real", train), ("synthetic", synthetic)):
        people = people.in_canonical_order()
        axes, x = features(people, components)
        # One scale for all components: the leading ones are to weigh more, they tell more.
        scale = x.std(0).max() or 1.0
        seen = axes.coordinates(test.dosages) / scale
        for name in classifiers:
            # Boosting starts a thread per core unasked, and on a shared machine they wait for one another.
            with threadpool_limits(threads):
                guess = predict(classifier(name, seed, threads), x / scale, people.label, seen)
            right[source, name] = guess == test.label
    rows = []
    for name in classifiers:
        numbers = _numbers(right["synthetic", name], right["real", name], test.label, seed)
        for group in ("all", name) if name == HEADLINE else (name,):
            rows += [row(group=group, against="test", n=len(test), **number) for number in numbers]
        if name == HEADLINE:
            rows += _recalls("recall", right["synthetic", name], test.label)
            rows += _recalls("recall_real", right["real", name], test.label)
    return rows + association.measure(synthetic, train)


def features(people: Cohort, components: int) -> tuple[Axes, np.ndarray]:
    """Principal axes of people, and where they would lie on them had they not helped to fit them.

    With more variants than people the axes turn towards the people they are fitted on, who then lie farther
    out than anybody new, and a classifier that learns from them misjudges the new ones. Axis k is
    v_k = sum_j z_j x_jk / lambda_k over the people's centred dosages z_j (lambda_k = sum_j x_jk^2), so person
    i's own part in x_ik = z_i v_k is |z_i|^2 x_ik / lambda_k. Without it: x_ik (1 - |z_i|^2 / lambda_k).

    Returns:
        The axes, and float64 (people, k) coordinates.
    """
    axes = principal_axes(people, components)
    x = axes.coordinates(people.dosages)
    length = np.array([((dosages - axes.mean) ** 2).sum() for dosages in people.dosages], dtype=np.float64)
    eigenvalue = (x**2).sum(0)
    own = np.divide(length[:, None], eigenvalue, out=np.ones_like(x), where=eigenvalue > 1e-6 * length.mean())
    return axes, x * (1 - own)


def classifier(name: str, seed: int, threads: int = 1) -> ClassifierMixin:
    """A fresh classifier of that name, set for some thousand people and up to some 30 classes."""
    if name == "logistic_regression":
        return LogisticRegression(C=30, max_iter=2000)
    if name == "random_forest":
        return RandomForestClassifier(300, n_jobs=threads, random_state=seed)
    if name == "gradient_boosting":
        return HistGradientBoostingClassifier(
            max_iter=30, learning_rate=0.2, max_leaf_nodes=8, early_stopping=False, random_state=seed
        )
    raise ValueError(f"classifier {name!r} is not one of {', '.join(CLASSIFIERS)}")


def predict(learner: ClassifierMixin, x: np.ndarray, label: np.ndarray, seen: np.ndarray) -> np.ndarray:
    """Labels that the learner gives to `seen` (m, k) after (n, k) people with their labels, str (m,)."""
    classes = np.unique(label)
    if len(classes) == 1:  # what there is to learn is that everybody is the same
        return np.full(len(seen), classes[0])
    return learner.fit(x, label).predict(seen)


def balanced_accuracy(right: np.ndarray, label: np.ndarray) -> float:
    """Mean over the classes of the share that was told right."""
    return float(np.mean([right[label == one].mean() for one in np.unique(label)]))


def _numbers(synthetic: np.ndarray, real: np.ndarray, label: np.ndarray, seed: int) -> list[dict]:
    """Metrics of one classifier from who was told right, bool (test people,) each."""
    numbers = []
    for suffix, right in (("", synthetic), ("_real", real)):
        low, high = intervals.wilson(right.mean(), len(right))
        numbers.append({"metric": f"accuracy{suffix}", "value": right.mean(), "low": low, "high": high})
        numbers.append({"metric": f"balanced_accuracy{suffix}", "value": balanced_accuracy(right, label)})
    if real.any():
        low, high = intervals.ratio(synthetic, real, seed)
        rate = synthetic.mean() / real.mean()
        numbers.append({"metric": "recovery_rate", "value": rate, "low": low, "high": high})
    return numbers


def _recalls(metric: str, right: np.ndarray, label: np.ndarray) -> list[dict]:
    """Share of each label's test people that was told right, with Wilson's 95 % interval."""
    rows = []
    for one in np.unique(label):
        told = right[label == one]
        low, high = intervals.wilson(told.mean(), len(told))
        rows.append(row(metric, told.mean(), group=str(one), against="test", low=low, high=high, n=len(told)))
    return rows
