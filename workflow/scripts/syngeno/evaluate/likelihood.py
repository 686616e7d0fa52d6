"""How probable a model finds held-out people, as rows of the metrics table."""

import numpy as np

from syngeno.evaluate import metrics

_Z = 1.959964


def rows(nats: np.ndarray, label: np.ndarray, against: str = "test") -> list[dict]:
    """Rows `heldout_nats`: mean over sequences with its normal 95 % interval, of all and by label.

    `nats` (sequences,), `label` (people,) in the same order; a person's sequences stand side by side. A person's two
    haplotypes share their ancestry, so the interval is that of the mean over people (n).
    """
    label = np.asarray(label, dtype=str)
    if not len(label) or not len(nats) or len(nats) % len(label):
        raise ValueError(f"{len(nats)} likelihoods for {len(label)} people")
    of_people = nats.reshape(len(label), -1).mean(1)
    parts = {"all": np.ones(len(label), dtype=bool)} | {name: label == name for name in np.unique(label).tolist()}
    return [_row(of_people[part], group, against) for group, part in parts.items()]


def _row(nats: np.ndarray, group: str, against: str) -> dict:
    mean, n = nats.mean(), len(nats)
    half = _Z * nats.std(ddof=1) / np.sqrt(n) if n > 1 else np.nan
    return metrics.row("heldout_nats", mean, n=n, group=group, against=against, low=mean - half, high=mean + half)
