"""The real-vs-real envelope: what a suite says when the "synthetic" samples are real.

A number without its envelope says nothing: nearest-neighbour accuracy between two sets of real samples need not be .5,
and an LD correlation need not be 1. The same suite is run on splits of all real samples into a "training", a
"synthetic" and further sets (test, and where a suite asks for one, validation), disjoint by sample. The interval is
where one more such draw would fall with 95 %: mean +- t(.975, R-1) * sd * sqrt(1 + 1/R) over R splits, without what the
metric cannot be. The splits share samples, so the interval is approximate; and the sets are smaller than those that a
generator is judged on (see `n`). Fewer than five splits give no interval: it would be 2.5 times as wide as that of many
splits with three and 8 times with two (1.6 times with five), and everything would lie in it.
Whether intervals hold what they promise is checked by leaving each split out: the interval of the others should cover
its number in 95 % of cases.
"""

import logging
import time
from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING

import numpy as np
import pandas as pd
from scipy.special import stdtrit

from syngeno.evaluate.metrics import NUMBER, possible, row

if TYPE_CHECKING:
    from syngeno.data.cohort import Cohort

FEWEST = 5  # splits that give an interval
COLUMNS = [*NUMBER, "real", "real_low", "real_high", "n", "splits", "coverage"]
ABSENT = ["real_low", "real_high", "coverage"]  # what few splits do not give

log = logging.getLogger(__name__)


def real_vs_real(
    measure: Callable[..., list[dict]], cohort: "Cohort", shares: Mapping[str, float], splits: int, seed: int
) -> pd.DataFrame:
    """Mean and 95 % prediction interval of every number of a suite between sets of real samples.

    `measure` is called as measure(synthetic=, train=, seed=, and each set of `shares`) with parts of `cohort`, all real
    samples; `shares` are as for `parts`. Split i has a seed of its own. Returns a row per (metric, group, against):
    real, real_low, real_high, n (median over the splits), the number of splits that gave the number (no interval where
    they are fewer than `FEWEST`), and coverage: the share of these splits whose number lies in the interval of the
    others (none below three splits).
    """
    cohort = cohort.in_canonical_order()
    rows = []
    began = time.monotonic()
    for i in range(splits):
        sets = parts(cohort.label, shares, np.random.default_rng([seed, i]))
        rows += measure(**{name: cohort.take(chosen) for name, chosen in sets.items()}, seed=seed + i)
        log.info("envelope: split %d of %d, %.0f s", i + 1, splits, time.monotonic() - began)
    summary = [
        dict(zip(NUMBER, number, strict=True)) | _interval(number[0], part)
        for number, part in pd.DataFrame(rows, columns=[*NUMBER, "value", "n"]).groupby(NUMBER, sort=False)
    ]
    return pd.DataFrame(summary, columns=COLUMNS)


def parts(label: np.ndarray, shares: Mapping[str, float], rng: np.random.Generator) -> dict[str, np.ndarray]:
    """Disjoint sets of samples, stratified by label: train, synthetic (of equal size), and those of `shares`.

    `shares` are samples per sample in train, as in the real split (test .2 / .7, say). Of n samples of a label,
    round(n / (2 + sum of shares)) go into each of the first two, at least one wherever there are two samples. The
    others are divided by their shares, up to rounding over all labels. Together the sets hold all samples. Raises
    ValueError for shares that are not above 0.
    """
    if not shares or min(shares.values()) <= 0:
        raise ValueError(f"shares must be above 0, not {dict(shares)}")
    sets: dict[str, list[np.ndarray]] = {name: [] for name in ("train", "synthetic", *shares)}
    # Where each set begins and ends among those in neither of the first two.
    bounds = np.cumsum(list(shares.values())) / sum(shares.values())
    # Rounding is carried from label to label, from a random start: small classes are not always rounded the same way.
    owed = np.zeros(len(bounds))
    owed[:-1] = rng.uniform(-0.5, 0.5)
    for name in np.unique(label):
        rows = rng.permutation(np.flatnonzero(label == name))
        # Only classes of three samples and more can be in three sets.
        most = max((len(rows) - 1) // 2, len(rows) // 2 if len(rows) < 3 else 0)
        size = min(max(1, round(len(rows) / (2 + sum(shares.values())))), most)
        sets["train"].append(rows[:size])
        sets["synthetic"].append(rows[size : 2 * size])
        rest = rows[2 * size :]
        owed += bounds * len(rest)
        ends = np.maximum.accumulate(np.clip(np.rint(owed), 0, len(rest))).astype(int)
        owed -= ends
        for part, start, end in zip(shares, [0, *ends[:-1]], ends, strict=True):
            sets[part].append(rest[start:end])
    return {name: np.sort(np.concatenate(chosen)) for name, chosen in sets.items()}


def coverage(envelope: pd.DataFrame, suite: str) -> list[dict]:
    """How often a left-out split lay in the interval of the others: a metric row of one suite's envelope.

    The mean over the numbers that differ between splits; `n` is how many those are. No row where there are none.
    """
    varying = envelope[(envelope["real_low"] < envelope["real_high"]) & envelope["coverage"].notna()]
    if varying.empty:
        return []
    return [row("envelope_coverage", varying["coverage"].mean(), group=suite, n=len(varying))]


def _interval(metric: str, part: pd.DataFrame) -> dict:
    values, n = part["value"].to_numpy(), round(part["n"].median())
    mean, half = _prediction(values) if len(values) >= FEWEST else (float(values.mean()), np.nan)
    low, high = possible(metric, mean - half, mean + half)
    number = {"real": mean, "real_low": low, "real_high": high}
    return number | {"n": n, "splits": len(values), "coverage": _left_out(values)}


def _prediction(values: np.ndarray) -> tuple[float, float]:
    """Middle and half width of where one more value would fall with 95 %."""
    count = len(values)
    half = stdtrit(count - 1, 0.975) * values.std(ddof=1) * np.sqrt(1 + 1 / count)
    return float(values.mean()), float(half)


def _left_out(values: np.ndarray) -> float:
    """Share of values in the prediction interval of the others; a number that is always the same is covered."""
    if len(values) < 3:
        return np.nan
    rounding = 1e-12 * np.abs(values).max()
    others = (_prediction(np.delete(values, i)) for i in range(len(values)))
    return float(np.mean([abs(x - mean) <= half + rounding for x, (mean, half) in zip(values, others, strict=True)]))
