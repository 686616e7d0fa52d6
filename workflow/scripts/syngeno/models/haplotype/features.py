"""A person in few numbers: principal coordinates of the person's sequences, and counts of what they carry.

What a model of pieces gets wrong shows in sums over the whole person: where haplotypes lie on the axes of ancestry, how
many sites are heterozygous, how many rare alleles there are. All is fitted on training people, at some thousand
variants spread evenly, and tells nothing of which allele is called the reference.
"""

from dataclasses import dataclass, fields

import numpy as np
import torch
from torch import Tensor

from syngeno.data import sequences
from syngeno.data.store import Store
from syngeno.stats.pca import fit_axes

SITES = 20_000
RARE = 0.01
CHUNK = {"cpu": 1 << 12, "cuda": 1 << 14}  # sequences


@dataclass(frozen=True)
class Sketch:
    """`sites` (S,) that are looked at; `mean` (S,) and `loadings` (S, k) of the axes, `scale` (k,) of the coordinates;
    `minor` (S,) 1 where the symbol counts what is rare, -1 where the other allele is rarer, 0 where none is; `rare`
    (S,) the same at rare sites alone; `centre`, `spread` (4,) of the counts of heterozygous sites, minor alleles, and
    rare ones (their root), and by how many minor alleles a person's haplotypes differ; `copies`, sequences of a person.
    """

    sites: Tensor
    mean: Tensor
    loadings: Tensor
    scale: Tensor
    minor: Tensor
    rare: Tensor
    centre: Tensor
    spread: Tensor
    copies: int

    def to(self, device: torch.device) -> "Sketch":
        """The same on another device."""
        return Sketch(*(getattr(self, one.name).to(device) for one in fields(self)[:-1]), self.copies)

    def of(self, symbols: Tensor) -> tuple[Tensor, Tensor]:
        """Symbols (S, copies * people) at the sites: coordinates (people, copies, k), counts (people, 4); float32."""
        coordinates, counts = self._raw(symbols)
        return coordinates / self.scale, (counts - self.centre) / self.spread

    def _raw(self, symbols: Tensor) -> tuple[Tensor, Tensor]:
        n, most = symbols.shape[1], 3 - self.copies
        weights = torch.column_stack([self.loadings, self.minor, self.rare])
        least = [-most * (one < 0).sum() for one in (self.minor, self.rare)]
        base = torch.cat([self.mean @ self.loadings, torch.stack(least)])
        sums = base.new_empty((n, weights.shape[1]))
        size = CHUNK[base.device.type]
        for start in range(0, n, size):
            part = slice(start, start + size)
            sums[part] = (weights.T @ symbols[:, part].float()).T - base
        sums = sums.reshape(-1, self.copies, weights.shape[1])
        coordinates, minor, rare = sums[..., :-2], sums[..., -2], sums[..., -1]
        heterozygous = (symbols == 1 if self.copies == 1 else symbols[:, ::2] != symbols[:, 1::2]).sum(0)
        imbalance = (minor[:, 0] - minor[:, -1]).abs()
        counts = torch.column_stack([heterozygous, minor.sum(1), rare.sum(1).clamp(min=0).sqrt(), imbalance])
        return coordinates, counts.float()


def fit(symbols: np.ndarray, sites: np.ndarray, copies: int, components: int) -> Sketch:
    """Fit on the symbols int8 (S, copies * people) of training people at these sites (S,)."""
    axes = fit_axes(symbols.T, components)
    frequency = symbols.mean(1) / (3 - copies)
    minor = np.sign(np.round(0.5 - frequency, 9)).astype(np.float32)
    rare = minor * (np.minimum(frequency, 1 - frequency) < RARE).astype(np.float32)
    known = [torch.from_numpy(one) for one in (sites, axes.mean, axes.loadings)]
    counted, one = [torch.from_numpy(part) for part in (minor, rare)], torch.ones(1)
    coordinates, counts = Sketch(*known, one, *counted, 0 * one, one, copies)._raw(torch.from_numpy(symbols))
    scale = coordinates.flatten(0, 1).std(0, correction=0)
    spread = counts.std(0, correction=0)
    scale, spread = (torch.where(part > 0, part, 1) for part in (scale, spread))
    return Sketch(*known, scale, *counted, counts.mean(0), spread, copies)


def of_people(sketch: Sketch, store: Store, people: np.ndarray) -> tuple[Tensor, Tensor]:
    """Coordinates and counts of people (rows of the store), as `Sketch.of`."""
    symbols = sequences.at(store, people, sketch.sites.cpu().numpy())
    return sketch.of(torch.from_numpy(symbols).to(sketch.sites.device))
