"""Two generators that bound all others: independent alleles (no LD) and verbatim copies (no privacy)."""

from collections.abc import Iterator

import numpy as np

from syngeno.store import Store, indices


def independent(
    store: Store, people: np.ndarray, label: np.ndarray, wanted: np.ndarray, seed: int, pooled: bool = False
) -> Iterator[np.ndarray]:
    """People whose alleles are drawn one by one by the frequency within their label (or of all, `pooled`).

    `people`, index or mask into the store, are the training people, `label` (people,) their label codes;
    `wanted` (n,) are the label codes to draw. Yields calls int8 (v, n, 2), chunk by chunk in the store's
    order.
    """
    label, wanted = _labels(store, people, label, wanted)
    values, codes = np.unique(wanted, return_inverse=True)
    members = [np.arange(len(label))] if pooled else [np.flatnonzero(label == value) for value in values]
    codes = np.zeros_like(codes) if pooled else codes
    rng = np.random.default_rng([seed, 1])
    for calls in store.iterate(people):
        frequency = np.stack([calls[:, group].mean(axis=(1, 2)) for group in members], axis=1)
        yield (rng.random((len(calls), len(wanted), 2)) < frequency[:, codes, None]).astype(np.int8)


def copycat(store: Store, people: np.ndarray, label: np.ndarray, wanted: np.ndarray, seed: int) -> Iterator[np.ndarray]:
    """Training people themselves, phase included; arguments and chunks as for `independent`."""
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
