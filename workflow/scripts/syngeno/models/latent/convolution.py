"""The CNN denoiser: a 1-D U-net along the blocks, with attention at coarse strides."""

from __future__ import annotations

import math

import torch
from torch import Tensor, nn
from torch.nn import functional

from syngeno.models.latent.blockwise import BlockwiseLinear

SHORTEST = 4  # blocks at the coarsest level; a level that would be shorter is left out


def levels(blocks: int, most: int) -> int:
    """How many of `most` levels the blocks carry, each half as long as the one before: at least one."""
    return max(1, min(most, 1 + int(math.log2(max(1, blocks / SHORTEST)))))


class CNN(nn.Module):
    """1-D U-Net along the blocks; `widths` has one entry per stride 1, 2, 4, ..., as many as the blocks carry.

    `attention` are strides; `blockwise` gives each block a first and a last map of its own; `positions` adds a learned
    vector of each block's own after the first map; `guided_by` further channels come in beside the components.
    """

    def __init__(
        self,
        blocks: int,
        components: int,
        widths: list[int],
        attention: list[int],
        heads: int,
        condition: int,
        blockwise: bool,
        positions: bool = False,
        guided_by: int = 0,
    ) -> None:
        super().__init__()
        widths = widths[: levels(blocks, len(widths))]
        self.blocks, self.multiple = blocks, 2 ** (len(widths) - 1)
        per = blocks if blockwise else 1
        self.enter = BlockwiseLinear(per, components + guided_by, widths[0])
        self.leave = BlockwiseLinear(per, widths[0], components)
        self.place = nn.Parameter(torch.zeros(blocks, widths[0])) if positions else None
        self.down, self.up = nn.ModuleList(), nn.ModuleList()
        for level, width in enumerate(widths):
            attend = heads if 2**level in attention else 0
            deeper = widths[min(level + 1, len(widths) - 1)]
            self.down.append(ResidualBlock(widths[max(level - 1, 0)], width, condition, attend))
            self.up.append(ResidualBlock(width + deeper, width, condition, attend))
        self.halve = nn.ModuleList(nn.Conv1d(w, w, 4, stride=2, padding=1) for w in widths[:-1])
        self.middle = ResidualBlock(widths[-1], widths[-1], condition, heads)
        self.norm = nn.GroupNorm(_groups(widths[0]), widths[0])

    def forward(self, x: Tensor, condition: Tensor) -> Tensor:
        """(people, blocks, components) -> the same."""
        condition = functional.silu(condition)
        h = self.enter(x)
        h = (h if self.place is None else h + self.place).transpose(1, 2)
        h = functional.pad(h, (0, -self.blocks % self.multiple))
        skips = []
        for level, block in enumerate(self.down):
            h = block(self.halve[level - 1](h) if level else h, condition)
            skips.append(h)
        h = self.middle(h, condition)
        for level in reversed(range(len(self.up))):
            h = self.up[level](torch.cat([h, skips.pop()], dim=1), condition)
            h = h.repeat_interleave(2, dim=2) if level else h
        h = functional.silu(self.norm(h))[:, :, : self.blocks]
        return self.leave(h.transpose(1, 2))


class ResidualBlock(nn.Module):
    """Two convolutions three blocks wide, the condition added between, then attention if `heads`."""

    def __init__(self, a: int, b: int, condition: int, heads: int) -> None:
        super().__init__()
        self.norm_in, self.conv_in = nn.GroupNorm(_groups(a), a), nn.Conv1d(a, b, 3, padding=1)
        self.condition = nn.Linear(condition, b)
        self.norm_out, self.conv_out = nn.GroupNorm(_groups(b), b), nn.Conv1d(b, b, 3, padding=1)
        self.skip = nn.Conv1d(a, b, 1) if a != b else nn.Identity()
        self.attention = Attention(b, heads) if heads else nn.Identity()
        nn.init.zeros_(self.conv_out.weight)

    def forward(self, x: Tensor, condition: Tensor) -> Tensor:
        """(people, a, blocks) -> (people, b, blocks)."""
        h = self.conv_in(functional.silu(self.norm_in(x)))
        h = h + self.condition(condition)[:, :, None]
        h = self.conv_out(functional.silu(self.norm_out(h)))
        return self.attention(self.skip(x) + h)


class Attention(nn.Module):
    """Every position looks at every other (self-attention), added to what is there."""

    def __init__(self, width: int, heads: int) -> None:
        super().__init__()
        self.heads = math.gcd(heads, width)
        self.norm = nn.GroupNorm(_groups(width), width)
        self.query_key_value = nn.Conv1d(width, 3 * width, 1)
        self.out = nn.Conv1d(width, width, 1)
        nn.init.zeros_(self.out.weight)

    def forward(self, x: Tensor) -> Tensor:
        """(people, width, blocks) -> the same."""
        people, width, length = x.shape
        parts = self.query_key_value(self.norm(x)).view(people, 3, self.heads, width // self.heads, length)
        query, key, value = parts.transpose(3, 4).unbind(1)
        mixed = functional.scaled_dot_product_attention(query, key, value)
        return x + self.out(mixed.transpose(2, 3).reshape(people, width, length))


def _groups(channels: int) -> int:
    """Groups of the normalisation, four channels or more each: alone, a channel would lose what is added to it."""
    return math.gcd(8, channels // 4, channels) or 1
