"""The real-vs-real envelope: what a battery says when the "synthetic" people are real.

A number without its envelope says nothing: nearest-neighbour accuracy between two sets of real people need
not be .5, and an LD correlation need not be 1. The very same battery is run on splits of all real people into
a "training", a "synthetic" and a "test" set, disjoint by person. The interval is where one more such draw
would fall with 95 %: mean +- t(.975, R-1) * sd * sqrt(1 + 1/R) over R splits. The splits share people, so the
interval is approximate; and the sets are smaller than those that a generator is judged on (`n` tells).
"""

import logging
import time
from collections.abc import Callable

import numpy as np
import pandas as pd
from scipy import stats

from syngeno.cohort import Cohort
from syngeno.metrics import NUMBER

COLUMNS = [*NUMBER, "real", "real_low", "real_high", "n", "splits"]

log = logging.getLogger(__name__)


def real_vs_real(
    measure: Callable[..., list[dict]], cohort: Cohort, share_test: float, splits: int, seed: int
) -> pd.DataFrame:
    """Mean and 95 % prediction interval of every number of a battery between sets of real people.

    Args:
        measure: called as measure(synthetic=, train=, test=, seed=), gives metric rows.
        cohort: all real people (train, validation and test).
        share_test: people in test per person in train, as in the real split (.2 / .7, say).
        splits: how many splits; two or more for an interval.
        seed: of the splits; split i is handed a seed of its own.

    Returns:
        A row per (metric, group, against): real, real_low, real_high, n (median over the splits of the rows'
        n) and the number of splits that gave the number. Without an interval where that is one.
    """
    if splits < 1:
        raise ValueError(f"splits must be at least 1, not {splits}")
    people = cohort.in_canonical_order()
    rows = []
    began = time.monotonic()
    for i in range(splits):
        train, synthetic, test = parts(people.label, share_test, np.random.default_rng([seed, i]))
        rows += measure(
            synthetic=people.take(synthetic), train=people.take(train), test=people.take(test), seed=seed + i
        )
        log.info("envelope: split %d of %d, %.0f s", i + 1, splits, time.monotonic() - began)
    summary = [
        dict(zip(NUMBER, number, strict=True)) | _interval(part)
        for number, part in pd.DataFrame(rows, columns=[*NUMBER, "value", "n"]).groupby(NUMBER, sort=False)
    ]
    return pd.DataFrame(summary, columns=COLUMNS)


def parts(label: np.ndarray, share_test: float, rng: np.random.Generator) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Three disjoint sets of people, stratified by label: the first two of equal size, then the test set.

    Of n people of a label, round(n / (2 + share_test)) go into each of the first two, at least one wherever
    there are two people. Together the sets hold everybody.
    """
    if share_test <= 0:
        raise ValueError(f"share_test must be above 0, not {share_test}")
    train, synthetic, test = [], [], []
    for one in np.unique(label):
        people = rng.permutation(np.flatnonzero(label == one))
        # Only classes of three people and more can be in all three sets.
        most = max((len(people) - 1) // 2, len(people) // 2 if len(people) < 3 else 0)
        size = min(max(1, round(len(people) / (2 + share_test))), most)
        train.append(people[:size])
        synthetic.append(people[size : 2 * size])
        test.append(people[2 * size :])
    return tuple(np.sort(np.concatenate(part)) for part in (train, synthetic, test))


def _interval(part: pd.DataFrame) -> dict:
    """Mean and prediction interval of one number over the splits."""
    values = part["value"].to_numpy()
    mean, half = values.mean(), np.nan
    if len(values) > 1:
        half = stats.t.ppf(0.975, len(values) - 1) * values.std(ddof=1) * np.sqrt(1 + 1 / len(values))
    return {
        "real": mean,
        "real_low": mean - half,
        "real_high": mean + half,
        "n": round(part["n"].median()),
        "splits": len(values),
    }
