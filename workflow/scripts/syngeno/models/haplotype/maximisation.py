"""Ancestral haplotype clusters by expected counts of the sequences that descend from them; see clusters.py."""

import math
from dataclasses import dataclass
from typing import NamedTuple, Self

import numpy as np
import torch
from torch import Tensor

from syngeno.models.haplotype.hmm import Clusters

ERROR = 1e-4  # probability of each symbol that clusters cannot go below
WEIGHT_PRIOR = 50.0  # pseudo-switches into a segment, divided as its sequences are among the clusters
SWITCH_PRIOR = 0.3  # pseudo-sequences
LEAST_WEIGHT, LEAST_SWITCH = 1e-4, 1e-5  # of all clusters together; keep every sequence possible
LEAST_SWITCHES, PER_CENTIMORGAN = 0.03, 1.0  # of a sequence before a segment, at least, and along the map, at first
ENDS = "amin", "amax"


@dataclass(frozen=True)
class Seeds:
    """The sequences that clusters begin as.

    Attributes:
        symbol: (B, K, (A - 1) w), indicators of their symbols.
        alike: (B, K), numbers of which are alike in a segment.
        alone: (B, K), 1 where all that are alike are of one sample, else 0.
    """

    symbol: Tensor
    alike: Tensor
    alone: Tensor

    @classmethod
    def of(cls, carried: Tensor, seeds: Tensor, sample: Tensor) -> Self:
        """`seeds` (K,); samples `sample` (n,) of all sequences `carried` (B, n, (A - 1) w)."""
        symbol = carried[:, seeds]
        alike = torch.stack([segment.unique(dim=0, return_inverse=True)[1] for segment in symbol])
        samples = sample[seeds].expand_as(alike)
        first, last = (
            torch.zeros_like(alike).scatter_reduce(1, alike, samples, how, include_self=False) for how in ENDS
        )
        alone = (first == last).float().gather(1, alike)
        return cls(symbol.float(), alike, alone)

    def support(self, occupancy: Tensor) -> Tensor:
        """Sequences that descend from any cluster that begins alike (B, K), given those that descend from each.

        A seed descends from other samples' that are alike; where there are none, it is not among these, and counts.
        """
        alike = torch.zeros_like(occupancy).scatter_add_(1, self.alike, occupancy)
        return alike.gather(1, self.alike) + self.alone


@dataclass(frozen=True)
class Counts:
    """Expected counts, beside the seeds; changed in place where that spares a copy of what may be gigabytes.

    Attributes:
        symbol: (B, K, (A - 1) w), of symbols.
        occupancy: (G, B, K), of sequences of a group that descend from a cluster.
        entry: (G, B, K), of those among them that entered it at this segment; the others stayed in it.
    """

    symbol: Tensor
    occupancy: Tensor
    entry: Tensor

    @classmethod
    def zeros(cls, seeds: Seeds, groups: int) -> Self:
        """Before anything is counted, of so many groups."""
        B, K = seeds.alike.shape
        occupancy = seeds.symbol.new_zeros((groups, B, K))
        return cls(torch.zeros_like(seeds.symbol), occupancy, occupancy.clone())

    def less(self, other: Self) -> Self:
        """Those that are not among others."""
        names = self.__dataclass_fields__
        return type(self)(*((getattr(self, name) - getattr(other, name)).clamp_(min=0) for name in names))

    def add(self, other: Self) -> None:
        """Add others, in place."""
        for name in self.__dataclass_fields__:
            getattr(self, name).add_(getattr(other, name))

    def keep(self, kept: Tensor) -> None:
        """Only where clusters are kept, 1 or 0 (B, K), in place."""
        self.symbol.mul_(kept[:, :, None])
        self.occupancy.mul_(kept)
        self.entry.mul_(kept)

    def stayed(self) -> Tensor:
        """Sequences that stay in a cluster at each segment but the first: (B - 1, K)."""
        return (self.occupancy.sum(0) - self.entry.sum(0))[1:].clamp_(min=0)

    def leaving(self) -> tuple[Tensor, Tensor]:
        """Sequences that leave a cluster before each segment but the first, and those that could: (B - 1, K)."""
        before = self.occupancy.sum(0)[:-1]
        return (before - self.stayed()).clamp_(min=0), before


class Rest(NamedTuple):
    """What does not change from round to round.

    Attributes:
        frequency: (B, (A - 1) w), of symbols among all sequences.
        shrinkage: pseudo-sequences of all in each cluster.
        alphabet: number of symbols.
        edges: of segments (B + 1,).
        switches: share of sequences that switch before each segment, before anything is known (B,).
        label: the label that each group is a part of (G,).
        whole: whether a label's weights go by its switches, too, or by where its sequences are alone.
    """

    frequency: Tensor
    shrinkage: float
    alphabet: int
    edges: np.ndarray
    switches: Tensor
    label: Tensor
    whole: bool


class Shrinkage(NamedTuple):
    """Pseudo-sequences of all among those of a label, and of the label among those of a group that is a part of it."""

    of_all: float
    of_label: float


def maximised(
    counts: Counts, seeds: Seeds, of_seeds: Tensor, kept: Tensor, rest: Rest, shrinkage: Shrinkage
) -> Clusters:
    """The clusters that go with expected counts; `of_seeds` (G, 1 or B, K) are shares of groups in each seed."""
    occupancy = counts.occupancy.sum(0)
    B, K = occupancy.shape
    size = occupancy + kept
    symbol = torch.addcmul(counts.symbol, seeds.symbol, kept[:, :, None])
    symbol = symbol.add_(rest.shrinkage * rest.frequency[:, None]) / (size + rest.shrinkage)[:, :, None]
    symbol = ERROR + (1 - rest.alphabet * ERROR) * symbol.reshape(B, K, rest.alphabet - 1, -1)
    # Entries go where the label's sequences are, as far as their counts do not say otherwise.
    share = (size + 1e-6 / K) / (size.sum(1, keepdim=True) + 1e-6)  # alike where nothing is kept
    of_groups = torch.addcmul(counts.occupancy, of_seeds, kept)
    same = (rest.label[:, None] == rest.label).float()
    weight = mixed(torch.tensordot(same, of_groups, 1), share, shrinkage.of_all)  # of each group's label
    if rest.whole:
        weight = mixed(torch.tensordot(same, counts.entry, 1), weight, WEIGHT_PRIOR)
    if math.isfinite(shrinkage.of_label):
        weight = mixed(counts.entry, mixed(of_groups, weight, shrinkage.of_label), WEIGHT_PRIOR)
    weight = LEAST_WEIGHT / K + (1 - LEAST_WEIGHT) * weight
    switch = torch.ones_like(occupancy)
    if B > 1:
        left, before = counts.leaving()
        rate = (left.sum(1) + rest.switches[1:]) / (before.sum(1) + 1)
        expected = torch.where(kept[1:] > 0, rate[:, None], 1.0)  # no sequence stays with what is forgotten
        switch[1:] = (left + SWITCH_PRIOR * expected) / (before + SWITCH_PRIOR)
    return Clusters(symbol, switch.clamp_(LEAST_SWITCH, 1), weight, rest.edges)


def switching(morgans: np.ndarray) -> np.ndarray:
    """Share of sequences that switch so far on, before anything is known.

    Were it far too small where variants are thin, sequences would stay in clusters that they differ from, and blur
    them, which no later round makes good.
    """
    return np.maximum(-np.expm1(-100 * PER_CENTIMORGAN * morgans), LEAST_SWITCHES)


def mixed(counts: Tensor, prior: Tensor, pseudocount: float) -> Tensor:
    """Shares of clusters by counts (.., K) and so many pseudo-counts of a prior."""
    return (counts + pseudocount * prior) / (counts.sum(-1, keepdim=True) + pseudocount)
