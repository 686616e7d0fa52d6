"""The network that predicts the noise: an MLP over everything, a CNN along the blocks, both, or a transformer.

After Kenneweg et al. (Bioinformatics 2025, btaf209). *MLP* (`dense`): U-shaped, with skips, time and label added
in the up path: sees all blocks at once, good while the noise is high (ancestry). *CNN* (`convolution`): a 1-D U-Net
along the blocks, with attention at the coarse strides: good while the noise is low (linkage). *MLP+CNN*: their mix,
by a learned gate that depends on time. *Transformer* (`transformer`): patches of blocks attend to each other. Two
things differ from the paper unless switched off: `blockwise`, the CNN's first and last maps are a block's own (as
those of the paper's transformer are a patch's own), because the first component of one block means nothing in the
next; `chained`, the CNN sees what the MLP said beside the noisy person. `positions` tells a network that shares its
maps where a block lies.
"""

from __future__ import annotations

import math
from typing import Any

import torch
from torch import Tensor, nn

from syngeno.models.latent.convolution import CNN
from syngeno.models.latent.dense import MLP
from syngeno.models.latent.transformer import Transformer

DEFAULTS: dict[str, Any] = {
    "kind": "mlp+cnn",
    "embedding": 128,
    "mlp_widths": [1024, 512, 256],
    "cnn_base": 32,
    "cnn_multipliers": [1, 1, 1, 1, 2, 2, 3, 4],
    "cnn_attention": [32, 64],
    "cnn_heads": 4,
    "transformer_width": 384,
    "transformer_layers": 12,
    "transformer_heads": 6,
    "transformer_patch": 16,
    "positions": False,
    "blockwise": True,
    "chained": True,
}
KINDS = ("mlp", "cnn", "mlp+cnn", "transformer")


def complete(config: dict[str, Any] | None) -> dict[str, Any]:
    """Fill in `DEFAULTS`; ValueError that names an unknown key or a bad value."""
    config = dict(config or {})
    if unknown := sorted(set(config) - set(DEFAULTS)):
        raise ValueError(f"unknown network settings {unknown}; there are {sorted(DEFAULTS)}")
    full = {**DEFAULTS, **config}
    if full["kind"] not in KINDS:
        raise ValueError(f"network kind {full['kind']!r}; there are {KINDS}")
    if full["embedding"] < 4 or full["embedding"] % 2:
        raise ValueError(f"embedding {full['embedding']}; give an even number of 4 or more")
    if not full["mlp_widths"] or not full["cnn_multipliers"]:
        raise ValueError("mlp_widths and cnn_multipliers need at least one entry")
    if full["transformer_width"] % full["transformer_heads"]:
        width, heads = full["transformer_width"], full["transformer_heads"]
        raise ValueError(f"transformer_width {width} is no multiple of transformer_heads {heads}")
    return full


def build(blocks: int, components: int, labels: int, config: dict[str, Any] | None = None) -> Denoiser:
    """A fresh network from a plain dict (see `DEFAULTS`); weights come from torch's global random state."""
    return Denoiser(blocks, components, labels, complete(config))


class Denoiser(nn.Module):
    """(x (people, blocks, components), t (people,), label (people,)) -> prediction of x's shape.

    Labels are 0..labels-1; `labels` itself is the null class, "nobody in particular".
    """

    def __init__(self, blocks: int, components: int, labels: int, config: dict[str, Any]) -> None:
        super().__init__()
        width, kind = config["embedding"], config["kind"]
        self.null_label = labels
        self.time = TimeEmbedding(width)
        self.label = nn.Embedding(labels + 1, width)
        self.mlp = self.cnn = self.gate = self.transformer = None
        self.chained = config["chained"] and kind == "mlp+cnn"
        if "mlp" in kind:
            self.mlp = MLP(blocks * components, config["mlp_widths"], width)
        if "cnn" in kind:
            self.cnn = CNN(
                blocks,
                components,
                [config["cnn_base"] * m for m in config["cnn_multipliers"]],
                config["cnn_attention"],
                config["cnn_heads"],
                width,
                config["blockwise"],
                config["positions"],
                guided_by=components if self.chained else 0,
            )
        if kind == "transformer":
            self.transformer = Transformer(
                blocks,
                components,
                config["transformer_width"],
                config["transformer_layers"],
                config["transformer_heads"],
                config["transformer_patch"],
                width,
                config["blockwise"],
                config["positions"],
            )
        if self.mlp is not None and self.cnn is not None:
            self.gate = nn.Sequential(nn.Linear(width, width), nn.SiLU(), nn.Linear(width, 1))

    def forward(self, x: Tensor, t: Tensor, label: Tensor) -> Tensor:
        """See the class."""
        time = self.time(t)
        if self.transformer is not None:
            return self.transformer(x, time, self.label(label))
        condition = time + self.label(label)
        whole = None if self.mlp is None else self.mlp(x.flatten(1), condition).view_as(x)
        seen = torch.cat([x, whole], dim=2) if self.chained else x
        local = None if self.cnn is None else self.cnn(seen, condition)
        if whole is None or local is None:
            return local if whole is None else whole
        share = torch.sigmoid(self.gate(time))[:, :, None]
        return share * whole + (1 - share) * local


class TimeEmbedding(nn.Module):
    """Sines and cosines of the step (Vaswani et al., 2017), then two layers."""

    def __init__(self, width: int) -> None:
        super().__init__()
        half = width // 2
        self.register_buffer("rates", torch.exp(-math.log(10_000) * torch.arange(half) / half), persistent=False)
        self.layers = nn.Sequential(nn.Linear(width, width), nn.SiLU(), nn.Linear(width, width))

    def forward(self, t: Tensor) -> Tensor:
        """(people,) -> (people, width)."""
        angle = t[:, None] * self.rates
        return self.layers(torch.cat([angle.sin(), angle.cos()], dim=1))
