"""The control that has no privacy: training people copied verbatim, which every privacy metric must catch."""

from collections.abc import Iterator

import numpy as np

from syngeno.data.store import Store, indices


def copycat(store: Store, people: np.ndarray, label: np.ndarray, wanted: np.ndarray, seed: int) -> Iterator[np.ndarray]:
    """Training people themselves, phase included.

    `people`, index or mask into the store, are the training people, `label` (people,) their label codes;
    `wanted` (n,) are the label codes to copy. Yields calls int8 (v, n, 2), chunk by chunk in the store's order.
    Raises ValueError for a label that no training person has.
    """
    label, wanted = _labels(store, people, label, wanted)
    source = indices(people, len(store.samples))[copies(label, wanted, seed)]
    yield from store.iterate(source)


def copies(label: np.ndarray, wanted: np.ndarray, seed: int) -> np.ndarray:
    """Whom to copy: for each wanted label code (n,) a person of that label, an index into `label` (people,).

    Without replacement. Where more of a label are wanted than there are, everybody is copied equally often,
    and what is left over is drawn without replacement.
    """
    rng = np.random.default_rng([seed, 2])
    chosen = np.empty(len(wanted), dtype=np.int64)
    for value in np.unique(wanted):
        members, places = np.flatnonzero(label == value), np.flatnonzero(wanted == value)
        rounds = -(-len(places) // len(members))
        order = np.concatenate([rng.permutation(members) for _ in range(rounds)])
        chosen[places] = order[: len(places)]
    return chosen


def _labels(store: Store, people: np.ndarray, label: np.ndarray, wanted: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    label, wanted = np.asarray(label), np.asarray(wanted)
    count = len(indices(people, len(store.samples)))
    if label.shape != (count,) or not count:
        raise ValueError(f"labels of shape {label.shape} for {count} training people")
    unknown = set(wanted.tolist()) - set(label.tolist())
    if unknown:
        raise ValueError(f"no training person has the label {min(unknown)}")
    return label, wanted
