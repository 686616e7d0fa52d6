"""Networks that predict the noise: an MLP over all blocks, a CNN along them, both, or a transformer.

After Kenneweg et al. (Bioinformatics 2025, btaf209):

- *MLP*: a U-net of dense layers that gets the whole sample at once, with noise level and label added on the way up;
  good while the noise is high (ancestry).
- *CNN*: a 1-D U-net along the blocks, with attention at coarse strides; good while the noise is low (linkage).
- *MLP+CNN*: their mix, by a learned gate that depends on the noise level.
- *Transformer*: patches of neighbouring blocks attend to each other, to noise level and label.

Two things differ from the paper unless switched off. `blockwise`: the CNN's first and last maps are a block's own (as
those of the paper's transformer are a patch's own), because the first component of one block means nothing in the next,
so that a shared map has to treat alike what is not. `chained`: the CNN gets the MLP's answer beside the noisy sample.
`positions` adds a learned vector to each block, for networks that share their maps.
"""

from __future__ import annotations

import itertools
import math
from collections.abc import Mapping
from typing import Any

import torch
from torch import Tensor, nn
from torch.nn import functional

SHORTEST = 4  # blocks at the CNN's coarsest level; a level that would be shorter is left out
FEWEST = 8  # tokens of the transformer; with few blocks the patches are smaller


class BlockwiseLinear(nn.Module):
    """A linear map per block (or, with one, shared): (n, blocks, a) -> (n, blocks, b)."""

    def __init__(self, blocks: int, a: int, b: int) -> None:
        super().__init__()
        self.weight = nn.Parameter(torch.empty(blocks, a, b).uniform_(-(a**-0.5), a**-0.5))
        self.bias = nn.Parameter(torch.zeros(blocks, b))

    def forward(self, x: Tensor) -> Tensor:
        """See the class."""
        if len(self.weight) == 1:
            return x @ self.weight[0] + self.bias
        return torch.baddbmm(self.bias[:, None], x.transpose(0, 1), self.weight).transpose(0, 1)


class MLP(nn.Module):
    """Down through `widths`, up again with a skip at each width; the condition is added on the way up.

    The input is added to the output, as much of it as the noise level asks for: what is far narrower than a sample
    could not say of each entry how much of it is noise.
    """

    def __init__(self, size: int, widths: list[int], condition: int) -> None:
        super().__init__()
        sizes = [size, *widths]
        self.down = nn.ModuleList(nn.Linear(a, b) for a, b in itertools.pairwise(sizes))
        self.bottom = nn.Linear(widths[-1], widths[-1])
        self.conditions = nn.ModuleList(nn.Linear(condition, w) for w in reversed(widths))
        self.norms = nn.ModuleList(nn.LayerNorm(w) for w in reversed(widths))
        self.up = nn.ModuleList(nn.Linear(w, w) for w in reversed(widths))
        self.widen = nn.ModuleList(nn.Linear(b, a) for a, b in reversed([*itertools.pairwise(sizes)]))
        self.keep = nn.Parameter(torch.zeros(condition))

    def forward(self, x: Tensor, condition: Tensor) -> Tensor:
        """(n, size) -> the same."""
        skips, whole = [], x
        for layer in self.down:
            x = functional.silu(layer(x))
            skips.append(x)
        x = self.bottom(x)
        condition = functional.silu(condition)
        for norm, add, layer, widen in zip(self.norms, self.conditions, self.up, self.widen, strict=True):
            x = norm(x + skips.pop()) + add(condition)
            x = widen(functional.silu(layer(functional.silu(x))))
        return x + (condition @ self.keep)[:, None] * whole


def levels(blocks: int, most: int) -> int:
    """How many of `most` levels the blocks carry, each half as long as the one before: at least one."""
    return max(1, min(most, 1 + int(math.log2(max(1, blocks / SHORTEST)))))


class CNN(nn.Module):
    """1-D U-Net along the blocks by the schema's `denoiser`; `guided_by` channels come in beside the components."""

    def __init__(self, blocks: int, components: int, settings: Mapping[str, Any], guided_by: int) -> None:
        super().__init__()
        widths = [settings["cnn_base"] * multiple for multiple in settings["cnn_multipliers"]]
        widths = widths[: levels(blocks, len(widths))]
        heads, condition = settings["cnn_heads"], settings["embedding"]
        self.blocks, self.multiple = blocks, 2 ** (len(widths) - 1)
        per = blocks if settings["blockwise"] else 1
        self.enter = BlockwiseLinear(per, components + guided_by, widths[0])
        self.leave = BlockwiseLinear(per, widths[0], components)
        self.place = nn.Parameter(torch.zeros(blocks, widths[0])) if settings["positions"] else None
        self.down, self.up = nn.ModuleList(), nn.ModuleList()
        for level, width in enumerate(widths):
            attend = heads if 2**level in settings["cnn_attention"] else 0
            deeper = widths[min(level + 1, len(widths) - 1)]
            self.down.append(ResidualBlock(widths[max(level - 1, 0)], width, condition, attend))
            self.up.append(ResidualBlock(width + deeper, width, condition, attend))
        self.halve = nn.ModuleList(nn.Conv1d(w, w, 4, stride=2, padding=1) for w in widths[:-1])
        self.middle = ResidualBlock(widths[-1], widths[-1], condition, heads)
        self.norm = nn.GroupNorm(_groups(widths[0]), widths[0])

    def forward(self, x: Tensor, condition: Tensor) -> Tensor:
        """(n, blocks, components) -> the same."""
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
        """(n, a, blocks) -> (n, b, blocks)."""
        h = self.conv_in(functional.silu(self.norm_in(x)))
        h = h + self.condition(condition)[:, :, None]
        h = self.conv_out(functional.silu(self.norm_out(h)))
        return self.attention(self.skip(x) + h)


class Attention(nn.Module):
    """Self-attention of positions, added to what is there."""

    def __init__(self, width: int, heads: int) -> None:
        super().__init__()
        self.heads = math.gcd(heads, width)
        self.norm = nn.GroupNorm(_groups(width), width)
        self.query_key_value = nn.Conv1d(width, 3 * width, 1)
        self.out = nn.Conv1d(width, width, 1)
        nn.init.zeros_(self.out.weight)

    def forward(self, x: Tensor) -> Tensor:
        """(n, width, blocks) -> the same."""
        samples, width, length = x.shape
        parts = self.query_key_value(self.norm(x)).view(samples, 3, self.heads, width // self.heads, length)
        query, key, value = parts.transpose(3, 4).unbind(1)
        mixed = functional.scaled_dot_product_attention(query, key, value)
        return x + self.out(mixed.transpose(2, 3).reshape(samples, width, length))


def _groups(channels: int) -> int:
    """Groups of the normalisation, four channels or more each: alone, a channel would lose what is added to it."""
    return math.gcd(8, channels // 4, channels) or 1


class Patches(nn.Module):
    """Neighbouring blocks as tokens: (n, blocks, components) -> (n, tokens, width).

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
    """(x (n, blocks, components), time, label (n, condition)) -> prediction of x's shape.

    As in the paper, noise level and label are tokens of their own, and the input is added to the output. Raises
    ValueError where its heads do not divide its width.
    """

    def __init__(self, blocks: int, components: int, settings: Mapping[str, Any]) -> None:
        super().__init__()
        width, heads, condition = settings["transformer_width"], settings["transformer_heads"], settings["embedding"]
        if width % heads:
            raise ValueError(f"transformer_width {width} is no multiple of transformer_heads {heads}")
        patch, blockwise = settings["transformer_patch"], settings["blockwise"]
        self.enter = Patches(blocks, components, width, patch, blockwise, settings["positions"])
        self.time, self.label = nn.Linear(condition, width), nn.Linear(condition, width)
        self.layers = encoder(width, settings["transformer_layers"], heads)
        per = self.enter.tokens if blockwise else 1
        self.leave = BlockwiseLinear(per, width, self.enter.patch * components)

    def forward(self, x: Tensor, time: Tensor, label: Tensor) -> Tensor:
        """See the class."""
        tokens = torch.cat([self.time(time)[:, None], self.label(label)[:, None], self.enter(x)], dim=1)
        predicted = self.leave(self.layers(tokens)[:, 2:])
        return x + predicted.reshape(len(x), -1, x.shape[2])[:, : x.shape[1]]


class TimeEmbedding(nn.Module):
    """Sines and cosines of the step (Vaswani et al., 2017), then two layers."""

    def __init__(self, width: int) -> None:
        super().__init__()
        half = width // 2
        self.register_buffer("rates", torch.exp(-math.log(10_000) * torch.arange(half) / half), persistent=False)
        self.layers = nn.Sequential(nn.Linear(width, width), nn.SiLU(), nn.Linear(width, width))

    def forward(self, t: Tensor) -> Tensor:
        """(n,) -> (n, width)."""
        angle = t[:, None] * self.rates
        return self.layers(torch.cat([angle.sin(), angle.cos()], dim=1))


class Denoiser(nn.Module):
    """(x (n, blocks, components), t (n,), label (n,)) -> prediction of x's shape, by the schema's `denoiser`.

    Labels are 0..labels-1; `labels` itself is the null class, "any label".
    """

    def __init__(self, blocks: int, components: int, labels: int, settings: Mapping[str, Any]) -> None:
        super().__init__()
        width, kind = settings["embedding"], settings["kind"]
        self.null_label = labels
        self.time = TimeEmbedding(width)
        self.label = nn.Embedding(labels + 1, width)
        self.mlp = self.cnn = self.gate = self.transformer = None
        self.chained = settings["chained"] and kind == "mlp+cnn"
        if "mlp" in kind:
            self.mlp = MLP(blocks * components, settings["mlp_widths"], width)
        if "cnn" in kind:
            self.cnn = CNN(blocks, components, settings, guided_by=components if self.chained else 0)
        if kind == "transformer":
            self.transformer = Transformer(blocks, components, settings)
        if self.mlp is not None and self.cnn is not None:
            self.gate = nn.Sequential(nn.Linear(width, width), nn.SiLU(), nn.Linear(width, 1))

    def forward(self, x: Tensor, t: Tensor, label: Tensor) -> Tensor:
        """See the class."""
        time = self.time(t)
        if self.transformer is not None:
            return self.transformer(x, time, self.label(label))
        condition = time + self.label(label)
        whole = None if self.mlp is None else self.mlp(x.flatten(1), condition).view_as(x)
        noisy = torch.cat([x, whole], dim=2) if self.chained else x
        local = None if self.cnn is None else self.cnn(noisy, condition)
        if whole is None or local is None:
            return local if whole is None else whole
        share = torch.sigmoid(self.gate(time))[:, :, None]
        return share * whole + (1 - share) * local
