"""A person in few numbers: principal coordinates of the person's sequences, and counts of what they carry.

What a model of pieces gets wrong shows in sums over the whole person: where haplotypes lie on the axes of ancestry, how
many sites are heterozygous, how many rare alleles there are. All is fitted on training people, at some thousand
variants spread evenly, and tells nothing of which allele is called the reference.
"""

from dataclasses import dataclass

import numpy as np

from syngeno import sequences
from syngeno.axes import fit_axes
from syngeno.store import Store

SITES = 20_000
RARE = 0.01
CHUNK = 4096  # sequences


@dataclass(frozen=True)
class Sketch:
    """`sites` (S,) that are looked at; `mean` (S,) and `loadings` (S, k) of the axes, `scale` (k,) of the coordinates;
    `minor` (S,) 1 where the symbol counts what is rare, -1 where the other allele is rarer, 0 where none is; `rare`
    (S,) the same at rare sites alone; `centre`, `spread` (4,) of the counts of heterozygous sites, minor alleles, and
    rare ones (their root), and by how many minor alleles a person's haplotypes differ; `copies`, sequences of a person.
    """

    sites: np.ndarray
    mean: np.ndarray
    loadings: np.ndarray
    scale: np.ndarray
    minor: np.ndarray
    rare: np.ndarray
    centre: np.ndarray
    spread: np.ndarray
    copies: int

    def of(self, symbols: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        """Symbols (S, copies * people) at the sites: coordinates (people, copies, k), counts (people, 4); float32."""
        coordinates, counts = self._raw(symbols)
        return coordinates / self.scale, (counts - self.centre) / self.spread

    def _raw(self, symbols: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        n, most = symbols.shape[1], 3 - self.copies
        weights = np.column_stack([self.loadings, self.minor, self.rare]).astype(np.float32)
        base = np.r_[self.mean @ self.loadings, *(most * (one < 0).sum() * -1.0 for one in (self.minor, self.rare))]
        sums = np.empty((n, weights.shape[1]), np.float32)
        for start in range(0, n, CHUNK):
            part = slice(start, start + CHUNK)
            sums[part] = symbols[:, part].T.astype(np.float32) @ weights - base
        sums = sums.reshape(-1, self.copies, weights.shape[1])
        coordinates, minor, rare = sums[..., :-2], sums[..., -2], sums[..., -1]
        heterozygous = (symbols == 1 if self.copies == 1 else symbols[:, ::2] != symbols[:, 1::2]).sum(0)
        imbalance = np.abs(minor[:, 0] - minor[:, -1])
        counts = np.column_stack([heterozygous, minor.sum(1), np.sqrt(rare.sum(1).clip(0)), imbalance])
        return coordinates, counts.astype(np.float32)


def fit(symbols: np.ndarray, sites: np.ndarray, copies: int, components: int, seed: int) -> Sketch:
    """Fit on the symbols int8 (S, copies * people) of training people at these sites (S,)."""
    axes = fit_axes(symbols.T, components, seed)
    frequency = symbols.mean(1) / (3 - copies)
    minor = np.sign(np.round(0.5 - frequency, 9))
    rare = minor * (np.minimum(frequency, 1 - frequency) < RARE)
    one = np.ones(1, np.float32)
    bare = Sketch(sites, axes.mean, axes.loadings, one, minor, rare, 0 * one, one, copies)
    coordinates, counts = bare._raw(symbols)
    scale = coordinates.reshape(-1, coordinates.shape[2]).std(0)
    spread = counts.std(0)
    return Sketch(
        sites,
        axes.mean,
        axes.loadings,
        np.where(scale > 0, scale, 1).astype(np.float32),
        minor.astype(np.float32),
        rare.astype(np.float32),
        counts.mean(0),
        np.where(spread > 0, spread, 1).astype(np.float32),
        copies,
    )


def of_people(sketch: Sketch, store: Store, people: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Coordinates and counts of people (rows of the store), as `Sketch.of`."""
    return sketch.of(sequences.at(store, people, sketch.sites))
