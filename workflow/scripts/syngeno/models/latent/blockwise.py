"""Linear maps along the blocks: each block's own, or one that all share.

The first component of one block means nothing in the next, so a map that blocks share has to treat alike what is not.
"""

from __future__ import annotations

import torch
from torch import Tensor, nn


class BlockwiseLinear(nn.Module):
    """A linear map per block (or, with one, shared): (people, blocks, a) -> (people, blocks, b)."""

    def __init__(self, blocks: int, a: int, b: int) -> None:
        super().__init__()
        self.weight = nn.Parameter(torch.empty(blocks, a, b).uniform_(-(a**-0.5), a**-0.5))
        self.bias = nn.Parameter(torch.zeros(blocks, b))

    def forward(self, x: Tensor) -> Tensor:
        """See the class."""
        if len(self.weight) == 1:
            return x @ self.weight[0] + self.bias
        return torch.baddbmm(self.bias[:, None], x.transpose(0, 1), self.weight).transpose(0, 1)
