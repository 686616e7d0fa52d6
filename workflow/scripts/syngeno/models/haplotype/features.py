"""Summary features of a sample: principal coordinates of its sequences, and counts of what they carry.

What a model of segments gets wrong shows in sums over the whole sample: where haplotypes lie on the axes of ancestry,
how many sites are heterozygous, how many rare alleles there are. All is fitted on training samples, at some thousand
variants spread evenly, and does not depend on which allele is called the reference.
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
class FeatureMap:
    """From symbols to features.

    Attributes:
        sites: (S,), the variants that are looked at.
        mean, loadings, scale: (S,), (S, k), (k,), of the axes and coordinates.
        minor: (S,), 1 where the symbol counts what is rare, -1 where the other allele is rarer, 0 where none is.
        rare: (S,), the same at rare sites alone.
        centre, spread: (4,), of the counts of heterozygous sites, minor and (their root) rare alleles, and imbalance.
        per_sample: sequences of a sample.
    """

    sites: Tensor
    mean: Tensor
    loadings: Tensor
    scale: Tensor
    minor: Tensor
    rare: Tensor
    centre: Tensor
    spread: Tensor
    per_sample: int

    def to(self, device: torch.device) -> "FeatureMap":
        """The same on another device."""
        return FeatureMap(*(getattr(self, field.name).to(device) for field in fields(self)[:-1]), self.per_sample)

    def of(self, symbols: Tensor) -> tuple[Tensor, Tensor]:
        """Symbols (S, sequences) at the sites: coordinates (samples, per_sample, k), counts (samples, 4); float32."""
        coordinates, counts = self._raw(symbols)
        return coordinates / self.scale, (counts - self.centre) / self.spread

    def of_samples(self, store: Store, rows: np.ndarray) -> tuple[Tensor, Tensor]:
        """Coordinates and counts of samples (rows of the store), as `of`."""
        symbols = sequences.at(store, rows, self.sites.cpu().numpy())
        return self.of(torch.from_numpy(symbols).to(self.sites.device))

    def _raw(self, symbols: Tensor) -> tuple[Tensor, Tensor]:
        n, most = symbols.shape[1], 3 - self.per_sample
        weights = torch.column_stack([self.loadings, self.minor, self.rare])
        least = [-most * (sign < 0).sum() for sign in (self.minor, self.rare)]
        base = torch.cat([self.mean @ self.loadings, torch.stack(least)])
        sums = base.new_empty((n, weights.shape[1]))
        size = CHUNK[base.device.type]
        for start in range(0, n, size):
            part = slice(start, start + size)
            sums[part] = (weights.T @ symbols[:, part].float()).T - base
        sums = sums.reshape(-1, self.per_sample, weights.shape[1])
        coordinates, minor, rare = sums[..., :-2], sums[..., -2], sums[..., -1]
        heterozygous = (symbols == 1 if self.per_sample == 1 else symbols[:, ::2] != symbols[:, 1::2]).sum(0)
        imbalance = (minor[:, 0] - minor[:, -1]).abs()
        counts = torch.column_stack([heterozygous, minor.sum(1), rare.sum(1).clamp(min=0).sqrt(), imbalance])
        return coordinates, counts.float()


def fit(symbols: np.ndarray, sites: np.ndarray, per_sample: int, components: int) -> FeatureMap:
    """Fit on the symbols int8 (S, sequences) of training samples at these sites (S,)."""
    axes = fit_axes(symbols.T, components)
    frequency = symbols.mean(1) / (3 - per_sample)
    minor = np.sign(np.round(0.5 - frequency, 9)).astype(np.float32)
    rare = minor * (np.minimum(frequency, 1 - frequency) < RARE).astype(np.float32)
    projection = [torch.from_numpy(array) for array in (sites, axes.mean, axes.loadings)]
    signs, unit = [torch.from_numpy(array) for array in (minor, rare)], torch.ones(1)
    unscaled = FeatureMap(*projection, unit, *signs, 0 * unit, unit, per_sample)
    coordinates, counts = unscaled._raw(torch.from_numpy(symbols))
    scale = coordinates.flatten(0, 1).std(0, correction=0)
    spread = counts.std(0, correction=0)
    scale, spread = (torch.where(part > 0, part, 1) for part in (scale, spread))
    return FeatureMap(*projection, scale, *signs, counts.mean(0), spread, per_sample)
