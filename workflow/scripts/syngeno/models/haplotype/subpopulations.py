"""Ancestries: classes of people within a label, found by what they carry.

A label may hold people of several origins ("other"). Two haplotypes of a person share their origin, and so does a
haplotype along its length; a model that draws each piece by the label alone mixes what real people keep apart, and
makes too many of them heterozygous. The classes are k-means clusters on principal coordinates of the dosages, label by
label, of training people alone; none is so small that it would tell of a family.
"""

from dataclasses import dataclass

import numpy as np
from sklearn.cluster import KMeans

from syngeno.stats.pca import fit_axes

COMPONENTS = 8
LEAST = 20  # people of a class, where its label has as many
STARTS = 4


@dataclass(frozen=True)
class Ancestries:
    """Classes: `label` of each, str (C,), its `share` of the label's people (C,), and the class `of` each person."""

    label: np.ndarray
    share: np.ndarray
    of: np.ndarray


def divide(dosages: np.ndarray, label: np.ndarray, size: int, seed: int) -> Ancestries:
    """Divide people into classes of about `size`, within their labels.

    `dosages` (people, variants), `label` (people,). A label of fewer than one and a half times `size` people is a
    class of its own; one for whose people coordinates say nothing is, too. Raises ValueError for a `size` below 1.
    """
    if size < 1:
        raise ValueError(f"classes of {size} people; give 1 or more")
    label = np.asarray(label, dtype=str)
    names, code = np.unique(label, return_inverse=True)
    wanted = np.maximum(1, np.rint(np.bincount(code) / size).astype(int))
    where = np.zeros((len(label), 1))
    if (wanted > 1).any():
        where = fit_axes(dosages, COMPONENTS).coordinates(dosages)
    of, owner = np.empty(len(label), np.int64), []
    for one, (name, count) in enumerate(zip(names.tolist(), wanted.tolist(), strict=True)):
        own = np.flatnonzero(code == one)
        found = _clusters(where[own], count, seed)
        of[own] = len(owner) + found
        owner += [name] * (found.max() + 1)
    owner = np.array(owner, dtype=str)
    counts = np.bincount(of)
    total = {name: counts[owner == name].sum() for name in names.tolist()}
    return Ancestries(owner, counts / np.array([total[name] for name in owner.tolist()]), of)


def _clusters(where: np.ndarray, count: int, seed: int) -> np.ndarray:
    """The cluster of each person 0, 1, .. (people,), none with fewer than `LEAST` unless it is the only one."""
    count = min(count, len(np.unique(where, axis=0)))
    centres = KMeans(count, n_init=STARTS, random_state=seed).fit(where).cluster_centers_
    while True:
        nearest = ((where[:, None] - centres) ** 2).sum(2).argmin(1)
        sizes = np.bincount(nearest, minlength=len(centres))
        if len(centres) == 1 or sizes.min() >= LEAST:
            return nearest
        centres = np.delete(centres, sizes.argmin(), axis=0)
