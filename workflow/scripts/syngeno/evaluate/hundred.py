"""Nearest neighbours as Kenneweg et al. (2025) count them: among a hundred people, by angle, in the encoder's space.

With so few people a share moves by .05 from draw to draw, so many draws are made where the paper made one; and a
synthetic person who is a real one counts as such, where the published search skipped pairs nearer than .001 and could
not see a copy. The angle between two people is as good as the distance between their latents at unit length.
"""

import numpy as np
import pandas as pd

from syngeno.evaluate import metrics
from syngeno.evaluate.adversarial_accuracy import yale

PROTOCOL = "paper"


def measure(
    synthetic: np.ndarray,
    train: np.ndarray,
    test: np.ndarray,
    validation: np.ndarray,
    *,
    people: int = 100,
    repeats: int = 20,
    seed: int,
    generator: str,
    fraction: int,
) -> pd.DataFrame:
    """aa_truth and aa_syn of latents (n, blocks, components) against train and test, as a metrics table.

    Each value is the mean over `repeats` draws of `people` people of each kind (as many as the smallest set has, where
    that is fewer; `n` says), low and high are their 2.5 and 97.5 percentiles: how far one draw may be off. Beside it,
    as the envelope, the same of as many real people: test people in the place of the synthetic ones against train,
    validation people against test. `generator`,
    `fraction` and `seed` say whose people they are. Raises ValueError for a set of fewer than two people.
    """
    pairs = {"train": (synthetic, train, test), "test": (synthetic, test, validation)}
    numbers = []
    for against, (ours, real, held) in pairs.items():
        count = min(people, len(ours), len(real), len(held))
        draws = (_draws(one, real, count, repeats, seed) for one in (ours, held))
        for metric, one, beside in zip(("aa_truth", "aa_syn"), *draws, strict=True):
            low, high = np.percentile(one, [2.5, 97.5])
            row = metrics.row(
                metric,
                one.mean(),
                group=f"{people} people",
                against=against,
                low=low,
                high=high,
                n=count,
            )
            real_low, real_high = np.percentile(beside, [2.5, 97.5])
            numbers.append(row | {"real": beside.mean(), "real_low": real_low, "real_high": real_high})
    return metrics.table(numbers, generator=generator, fraction=fraction, seed=seed, protocol=PROTOCOL)


def _draws(synthetic: np.ndarray, real: np.ndarray, count: int, repeats: int, seed: int) -> np.ndarray:
    """aa_truth and aa_syn of each draw, float64 (2, repeats)."""
    if count < 2:
        raise ValueError("nearest neighbours need at least two people of each kind")
    synthetic, real = _directions(synthetic), _directions(real)
    rng = np.random.default_rng([seed, 6])
    return np.array(
        [
            yale(*(one[rng.choice(len(one), count, replace=False)] for one in (synthetic, real)), "euclidean")
            for _ in range(repeats)
        ]
    ).T


def _directions(latents: np.ndarray) -> np.ndarray:
    """Latents at unit length, (n, blocks x components)."""
    flat = latents.reshape(len(latents), -1).astype(np.float64)
    return flat / np.linalg.norm(flat, axis=1, keepdims=True)
