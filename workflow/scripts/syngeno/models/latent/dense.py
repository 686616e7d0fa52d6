"""The MLP denoiser: a U-net of dense layers that sees the whole person at once."""

from __future__ import annotations

import itertools

import torch
from torch import Tensor, nn
from torch.nn import functional


class MLP(nn.Module):
    """Down through `widths`, up again with a skip at each width; the condition is added on the way up.

    The input is added to the output, as in the paper, but as much of it as the noise level asks for: what is far
    narrower than a person could not say of each entry how much of it is noise.
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
        """(people, size) -> the same."""
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
