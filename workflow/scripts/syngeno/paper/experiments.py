"""The paper's classifiers and scikit-learn's on real and synthetic people, in the encoder's space and on genotypes.

Whoever learns, the same validation people choose the epoch and the same test people are asked once. The guesses are
kept person by person, so that classifiers can be compared on the same people (see `comparison`).
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
import pandas as pd

from syngeno.data.store import Store
from syngeno.models.latent import encoder
from syngeno.paper import classical, classifiers

SPACES = ("latents", "genotypes")
TRUTH = "label"  # the column of true labels


@dataclass(frozen=True)
class People:
    """The same people twice: `latents` (people, blocks, components), `dosages` (people, variants); `label` (n,)."""

    latents: np.ndarray
    dosages: np.ndarray
    label: np.ndarray

    def with_others(self, others: People) -> People:
        """Both together."""
        return People(
            np.concatenate([self.latents, others.latents]),
            np.concatenate([self.dosages, others.dosages]),
            np.concatenate([self.label, others.label]),
        )


def real_people(store: Store, fitted: encoder.Encoder, table: pd.DataFrame) -> People:
    """The people of a table (indexed by sample, with a column label), encoded."""
    dosages = store.dosages(store.rows(table.index))
    return People(encoder.encode(fitted, dosages), dosages, table["label"].to_numpy(str))


def guesses(
    learners: People,
    validation: People,
    test: People,
    *,
    seed: int,
    kinds: list[str],
    threads: int = 1,
    **settings: Any,
) -> pd.DataFrame:
    """What each classifier says of the test people after learning from `learners`.

    Args:
        learners, validation, test: see `People`; validation people choose the epoch, or the setting.
        seed: of first weights and order.
        kinds: of `classifiers.KINDS` and `classical.KINDS`.
        threads: that a classifier may use.
        settings: of `classifiers.learn`, for its kinds.

    Returns:
        One row per test person in their order: "label", and a column "space: kind" of guessed labels for each of
        `SPACES` and kinds.
    """
    labels = np.unique(np.concatenate([learners.label, validation.label]))
    codes = np.searchsorted(labels, learners.label)
    found = {TRUTH: test.label}
    for space in SPACES:
        seen, held, asked = (_entries(people, space) for people in (learners, validation, test))
        if space == "genotypes":
            scale = classifiers.Scale.of(seen)
            seen, held, asked = map(scale, (seen, held, asked))
        given = {"validation": (held, np.searchsorted(labels, validation.label)), "seed": seed, "threads": threads}
        for kind in kinds:
            if kind in classical.KINDS:
                learner = classical.learn(kind, seen, codes, **given)
            else:
                learner = classifiers.learn(kind, seen, codes, classes=len(labels), settings=settings, **given)
            found[f"{space}: {kind}"] = labels[learner.predict(asked)]
    return pd.DataFrame(found)


def _entries(people: People, space: str) -> np.ndarray:
    return people.latents if space == "latents" else classifiers.by_window(people.dosages)
