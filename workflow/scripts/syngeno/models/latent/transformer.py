"""The transformer denoiser: patches of neighbouring blocks attend to each other, to noise level and label."""

from __future__ import annotations

import torch
from torch import Tensor, nn
from torch.nn import functional

from syngeno.models.latent.blockwise import BlockwiseLinear

FEWEST = 8  # tokens; with few blocks the patches are smaller


class Patches(nn.Module):
    """Neighbouring blocks as tokens: (people, blocks, components) -> (people, tokens, width).

    `patch` blocks make a token, fewer where that would leave less than `FEWEST`. The map is each patch's own
    (`blockwise`), or one that all share, with a learned vector of each patch's own added if `positions`.
    """

    def __init__(
        self, blocks: int, components: int, width: int, patch: int, blockwise: bool, positions: bool = False
    ) -> None:
        super().__init__()
        self.patch = max(1, min(patch, blocks // FEWEST))
        self.tokens = -(-blocks // self.patch)
        self.missing = self.tokens * self.patch - blocks
        self.map = BlockwiseLinear(self.tokens if blockwise else 1, self.patch * components, width)
        self.place = nn.Parameter(torch.randn(self.tokens, width) * 0.02) if positions else None

    def forward(self, x: Tensor) -> Tensor:
        """See the class."""
        x = self.map(functional.pad(x, (0, 0, 0, self.missing)).reshape(len(x), self.tokens, -1))
        return x if self.place is None else x + self.place


def encoder(width: int, layers: int, heads: int) -> nn.TransformerEncoder:
    """Layers of attention and of a network four times as wide, each normalised before (Xiong et al., 2020)."""
    layer = nn.TransformerEncoderLayer(
        width, heads, 4 * width, dropout=0.0, activation="gelu", batch_first=True, norm_first=True
    )
    return nn.TransformerEncoder(layer, layers, norm=nn.LayerNorm(width), enable_nested_tensor=False)


class Transformer(nn.Module):
    """(x (people, blocks, components), time, label (people, condition)) -> prediction of x's shape.

    As in the paper, noise level and label are tokens of their own, and the input is added to the output.
    """

    def __init__(
        self,
        blocks: int,
        components: int,
        width: int,
        layers: int,
        heads: int,
        patch: int,
        condition: int,
        blockwise: bool,
        positions: bool,
    ) -> None:
        super().__init__()
        self.enter = Patches(blocks, components, width, patch, blockwise, positions)
        self.time, self.label = nn.Linear(condition, width), nn.Linear(condition, width)
        self.layers = encoder(width, layers, heads)
        per = self.enter.tokens if blockwise else 1
        self.leave = BlockwiseLinear(per, width, self.enter.patch * components)

    def forward(self, x: Tensor, time: Tensor, label: Tensor) -> Tensor:
        """See the class."""
        tokens = torch.cat([self.time(time)[:, None], self.label(label)[:, None], self.enter(x)], dim=1)
        told = self.leave(self.layers(tokens)[:, 2:])
        return x + told.reshape(len(x), -1, x.shape[2])[:, : x.shape[1]]
