"""Segments of a chromosome, along which a sequence stays in one cluster: as short as one variant where they are thin.

A segment is what recombination hardly parts: it has so many variants and spans so many centimorgans at most, and ends
where the map is widest. Cut by a number of variants alone it would be megabases where variants are thin, along which
there is no haplotype that a cluster could have. Segments (B,) are given by their edges, int64 (B + 1,): the first
variant of each, and the end; their symbols are held with as many places as the largest has, filled up with zeros.
"""

from typing import NamedTuple

import numpy as np
import torch
from torch import Tensor

SPAN = 0.02  # centimorgans
DIGITS = 9  # of centimorgans, beyond which gaps are alike


class Segments(NamedTuple):
    """`edges` int64 (B + 1,), and `morgans` float64 (B,) from the middle of each to that of the one before, 0 first."""

    edges: np.ndarray
    morgans: np.ndarray


def by_map(cm: np.ndarray, most: int, span: float = SPAN) -> Segments:
    """Segments of variants at these places (v,), in centimorgans, of `most` variants and the `span` at most.

    As many variants as may be are looked at, and the segment ends in the later half of them, at the widest gap.
    """
    edges, first = [0], 0
    while first < len(cm):
        last = min(first + most, int(np.searchsorted(cm, cm[first] + span, side="right")))
        if last < len(cm):
            least = first + (last - first + 1) // 2
            gaps = np.round(cm[least : last + 1] - cm[least - 1 : last], DIGITS)
            last -= int(gaps[::-1].argmax())  # the last of those as wide
        edges.append(last)
        first = last
    edges = np.array(edges)
    middle = (cm[edges[:-1]] + cm[edges[1:] - 1]) / 2
    return Segments(edges, np.maximum(np.diff(middle, prepend=middle[0]), 0) / 100)


def held(edges: np.ndarray, device: torch.device) -> Tensor:
    """Which of the places (B, w) that are held of each segment hold a variant, bool."""
    sizes = torch.from_numpy(np.diff(edges)).to(device)
    return torch.arange(int(sizes.max()), device=device) < sizes[:, None]


def cut(symbols: Tensor, edges: np.ndarray) -> Tensor:
    """Symbols (v, n) segment by segment (B, w, n), filled up with zeros."""
    places = held(edges, symbols.device)
    found = symbols.new_zeros((*places.shape, symbols.shape[1]))
    found[places] = symbols
    return found


def joined(symbols: Tensor, edges: np.ndarray) -> Tensor:
    """What `cut` cut (B, w, n), in one piece again (v, n)."""
    return symbols[held(edges, symbols.device)]
