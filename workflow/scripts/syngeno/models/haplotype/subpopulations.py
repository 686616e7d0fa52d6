"""Subpopulations: classes of samples within a label, found by what they carry.

A label may hold samples of several origins ("other"). Two haplotypes of a sample share their origin, and so does a
haplotype along its length; a model that draws each piece by the label alone mixes what real samples keep apart, and
makes too many of them heterozygous. The classes are k-means clusters on principal coordinates of the dosages, label by
label, of training samples alone; none is so small that it would reveal a family.
"""

from dataclasses import dataclass

import numpy as np
from sklearn.cluster import KMeans

from syngeno.stats.pca import fit_axes

COMPONENTS = 8
LEAST = 20  # samples of a class, where its label has as many
STARTS = 4


@dataclass(frozen=True)
class Subpopulations:
    """Classes: the `label` of each, str (C,), its `share` of the label's samples, and the class of each sample."""

    label: np.ndarray
    share: np.ndarray
    of_sample: np.ndarray


def divide(dosages: np.ndarray, label: np.ndarray, size: int, seed: int) -> Subpopulations:
    """Divide samples, dosages (samples, variants), into classes of about `size` within their labels (samples,).

    A label of fewer than one and a half times `size` samples is a single class.
    """
    label = np.asarray(label, dtype=str)
    names, code = np.unique(label, return_inverse=True)
    wanted = np.maximum(1, np.rint(np.bincount(code) / size).astype(int))
    coordinates = np.zeros((len(label), 1))
    if (wanted > 1).any():
        coordinates = fit_axes(dosages, COMPONENTS).coordinates(dosages)
    of_sample, owner = np.empty(len(label), np.int64), []
    for number, (name, count) in enumerate(zip(names.tolist(), wanted.tolist(), strict=True)):
        rows = np.flatnonzero(code == number)
        nearest = _k_means(coordinates[rows], count, seed)
        of_sample[rows] = len(owner) + nearest
        owner += [name] * (nearest.max() + 1)
    owner = np.array(owner, dtype=str)
    counts = np.bincount(of_sample)
    total = {name: counts[owner == name].sum() for name in names.tolist()}
    return Subpopulations(owner, counts / np.array([total[name] for name in owner.tolist()]), of_sample)


def _k_means(coordinates: np.ndarray, count: int, seed: int) -> np.ndarray:
    """The class of each sample 0, 1, .. (samples,), none with fewer than `LEAST` unless it is the only one."""
    count = min(count, len(np.unique(coordinates, axis=0)))
    centres = KMeans(count, n_init=STARTS, random_state=seed).fit(coordinates).cluster_centers_
    while True:
        nearest = ((coordinates[:, None] - centres) ** 2).sum(2).argmin(1)
        sizes = np.bincount(nearest, minlength=len(centres))
        if len(centres) == 1 or sizes.min() >= LEAST:
            return nearest
        centres = np.delete(centres, sizes.argmin(), axis=0)
