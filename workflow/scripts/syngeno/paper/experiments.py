"""Classifiers compared on the same test samples: accuracy, recovery rate, and what synthetic samples add to real ones.

Whatever a classifier was trained on, the same validation samples chose its epoch, and the same test samples were
guessed once (see classifiers.py).
"""

from __future__ import annotations

import itertools
from collections.abc import Mapping

import numpy as np
import pandas as pd

from syngeno.evaluate import metrics
from syngeno.evaluate.metrics import row, share_row
from syngeno.stats import intervals

TRUTH = "label"  # the column of true labels
PROTOCOL = "paper"
CHANCE = "most frequent label"


def of_real(guesses: pd.DataFrame, *, fraction: int, seed: int) -> pd.DataFrame:
    """Accuracies after training on a share of the real samples, as a metrics table of the generator "real".

    `guesses` as `classifiers.guesses` gives them; `fraction` in percent. The group `CHANCE` always guesses the test
    samples' most frequent label, without any training.
    """
    most = guesses.assign(**{CHANCE: guesses[TRUTH].mode()[0]})
    return _table(_accuracies(most), "real", fraction, fraction, seed)


def of_generator(
    synthetic: Mapping[int, pd.DataFrame],
    real: Mapping[int, pd.DataFrame],
    *,
    generator: str,
    fraction: int,
    seed: int,
    paper: pd.DataFrame | None = None,
) -> pd.DataFrame:
    """Metrics of one trained generator, `real_fraction` being the share of real samples added to its own.

    Args:
        synthetic: guesses after training on its samples with so many percent of the real ones (0: none).
        real: guesses after training on so many percent of the real samples alone: `fraction`, and all that are added.
        generator, fraction, seed: what was judged.
        paper: guesses after training on `fraction` percent of the real samples and on samples of the same generator,
            fitted on all of them.

    There is accuracy and balanced_accuracy for each addition; recovery_rate (0 added: over the accuracy of real samples
    of `fraction`) and gain (others: less the accuracy of the same real samples alone); with `paper`, gain_left (gain
    over that of `paper`, where this is surely above 0). Intervals are from bootstrapping the test samples, the same
    ones for all classifiers; guesses about different test samples raise ValueError.
    """
    tables = []
    for added, guesses in synthetic.items():
        beside = real[added or fraction]
        if not all(one[TRUTH].equals(guesses[TRUTH]) for one in (beside, guesses if paper is None else paper)):
            raise ValueError(f"guesses of {generator} with {added} % and of others are of different test samples")
        rows = _accuracies(guesses)
        for group in guesses.columns.drop(TRUTH):
            ours, theirs = _right(guesses, group), _right(beside, group)
            numbers = {"group": group, "against": "test", "n": len(ours)}
            if added:
                low, high = intervals.difference(ours, theirs, seed)
                rows.append(row("gain", ours.mean() - theirs.mean(), low=low, high=high, **numbers))
            elif theirs.any():
                low, high = intervals.ratio(ours, theirs, seed)
                rows.append(row("recovery_rate", ours.mean() / theirs.mean(), low=low, high=high, **numbers))
            if paper is None or added != fraction:
                continue
            whole = _right(paper, group)
            low, high = intervals.share(ours, whole, theirs, seed)
            if pd.notna(low):
                left = (ours.mean() - theirs.mean()) / (whole.mean() - theirs.mean())
                rows.append(row("gain_left", left, low=low, high=high, **numbers))
        tables.append(_table(rows, generator, fraction, added, seed))
    return pd.concat(tables, ignore_index=True)


def between(synthetic: Mapping[str, pd.DataFrame], *, seed: int) -> pd.DataFrame:
    """The `lead` of each generator that was fitted on all training samples over each other, `against`, as metrics.

    `synthetic`: by generator, guesses after training on its samples alone. A lead is accuracy less that of the other;
    its interval is from bootstrapping the test samples, the same ones for both. Raises ValueError when two tables are
    about different test samples.
    """
    tables = []
    for (one, ours), (other, theirs) in itertools.permutations(synthetic.items(), 2):
        if not ours[TRUTH].equals(theirs[TRUTH]):
            raise ValueError(f"guesses of {one} and {other} are of different test samples")
        rows = []
        for group in ours.columns.drop(TRUTH):
            right = _right(ours, group), _right(theirs, group)
            low, high = intervals.difference(*right, seed)
            lead = right[0].mean() - right[1].mean()
            rows.append(row("lead", lead, group=group, against=other, low=low, high=high, n=len(ours)))
        tables.append(_table(rows, one, 100, 0, seed))
    return pd.concat(tables, ignore_index=True) if tables else _table([], "", 100, 0, seed)


def _right(guesses: pd.DataFrame, group: str) -> np.ndarray:
    return (guesses[group] == guesses[TRUTH]).to_numpy()


def _accuracies(guesses: pd.DataFrame) -> list[dict]:
    rows = []
    for group in guesses.columns.drop(TRUTH):
        right = _right(guesses, group)
        of_label = pd.Series(right).groupby(guesses[TRUTH].to_numpy()).mean()
        rows.append(share_row("accuracy", right.mean(), len(right), group, "test"))
        rows.append(row("balanced_accuracy", of_label.mean(), group=group, against="test", n=len(right)))
    return rows


def _table(rows: list[dict], generator: str, fraction: int, real_fraction: int, seed: int) -> pd.DataFrame:
    subject = {"generator": generator, "fraction": fraction, "real_fraction": real_fraction, "seed": seed}
    return metrics.table(rows, protocol=PROTOCOL, **subject)
