"""Classifiers compared on the same test people: accuracy, recovery rate, and what synthetic people add to real ones."""

from collections.abc import Mapping

import pandas as pd
from statsmodels.stats.proportion import proportion_confint

from syngeno import metrics, paired
from syngeno.metrics import row

PROTOCOL = "paper"
TRUTH = "label"


def of_real(guesses: pd.DataFrame, *, fraction: int, seed: int) -> pd.DataFrame:
    """Accuracy after learning from a share of the real people, as a metrics table of the generator "real".

    `guesses` as `classification.guesses` gives them; `fraction` in percent.
    """
    return _table(_accuracies(guesses), "real", fraction, fraction, seed)


def of_generator(
    synthetic: Mapping[int, pd.DataFrame],
    real: Mapping[int, pd.DataFrame],
    *,
    generator: str,
    fraction: int,
    seed: int,
) -> pd.DataFrame:
    """Metrics of one trained generator, `real_fraction` being the real people added to its own.

    Args:
        synthetic: guesses after learning from its people with so many percent of the real ones (0: none).
        real: guesses after learning from so many percent of the real people alone; has `fraction` and all that
            `synthetic` adds.
        generator, fraction, seed: what was judged.

    Returns:
        accuracy for each addition; recovery_rate (0 added: over the accuracy of real people of `fraction`) and gain
        (others: less the accuracy of the same real people alone), with intervals from bootstrapping the test people,
        the same ones for both classifiers.

    Raises:
        ValueError: tables of guesses about different test people.
    """
    tables = []
    for added, guesses in synthetic.items():
        beside = real[added or fraction]
        if not guesses[TRUTH].equals(beside[TRUTH]):
            raise ValueError(f"guesses of {generator} with {added} % and of real people are of different test people")
        rows = _accuracies(guesses)
        for group in guesses.columns.drop(TRUTH):
            ours, theirs = ((one[group] == one[TRUTH]).to_numpy() for one in (guesses, beside))
            numbers = {"group": group, "against": "test", "n": len(ours)}
            if added:
                low, high = paired.difference(ours, theirs, seed)
                rows.append(row("gain", ours.mean() - theirs.mean(), low=low, high=high, **numbers))
            elif theirs.any():
                low, high = paired.ratio(ours, theirs, seed)
                rows.append(row("recovery_rate", ours.mean() / theirs.mean(), low=low, high=high, **numbers))
        tables.append(_table(rows, generator, fraction, added, seed))
    return pd.concat(tables, ignore_index=True)


def _accuracies(guesses: pd.DataFrame) -> list[dict]:
    rows = []
    for group in guesses.columns.drop(TRUTH):
        right = (guesses[group] == guesses[TRUTH]).to_numpy()
        low, high = proportion_confint(right.sum(), len(right), method="wilson")
        rows.append(row("accuracy", right.mean(), group=group, against="test", low=low, high=high, n=len(right)))
    return rows


def _table(rows: list[dict], generator: str, fraction: int, real_fraction: int, seed: int) -> pd.DataFrame:
    subject = {"generator": generator, "fraction": fraction, "real_fraction": real_fraction, "seed": seed}
    return metrics.table(rows, protocol=PROTOCOL, **subject)
