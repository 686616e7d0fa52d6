"""Train a denoiser of latents, by the loop of all networks (loop.py), and draw latents from it.

The paper's own settings (Kenneweg et al., Bioinformatics 2025) are prediction epsilon, learning_rate 2e-4 and denoiser
{cnn_base: 64, blockwise: false, chained: false}. With predicted noise, the error of x_0 at high noise is the network's
divided by sqrt(abar), next to nothing there: it needs far more steps before samples are of any use.
"""

from __future__ import annotations

import json
import logging
import math
from collections.abc import Callable, Mapping
from typing import Any

import numpy as np
import torch
from torch import Tensor

from syngeno import progress, streams
from syngeno.errors import BadInput
from syngeno.models.latent import ddpm, networks
from syngeno.models.latent.ddpm import Diffusion, cosine_alpha_bar
from syngeno.stats.intervals import placements
from syngeno.training import loop
from syngeno.training.device import autocast, generator, pick_device

log = logging.getLogger(__name__)

FORMAT = "syngeno latent diffusion 1"
VALIDATION_DRAWS = 4  # noise levels per validation sample
VALIDATION_BATCH = 256
NOISES = 4  # draws of noise that the gradient of one sample alone is averaged over
EXTREME = 5.0  # standard deviations that bound drawn components where the training samples' own range is private
AUC_SAMPLES = 500  # training samples that the membership AUC is computed from
AUC_LEVELS, AUC_DRAWS = (0.1, 0.3, 0.5), 2  # shares of the steps, and noises at each, that it is computed at
DRAW_BATCH = 256


def train(
    latents: np.ndarray,
    label: np.ndarray,
    mask: np.ndarray,
    labels: list[str],
    *,
    validation: tuple[np.ndarray, np.ndarray] | None,
    settings: Mapping[str, Any],
    seed: int,
    checkpoint: loop.Checkpoint,
    device: str = "auto",
) -> tuple[dict[str, Any], list[dict[str, float]]]:
    """Train on `latents` (n, blocks, components) with label codes (n,) into `labels`: a plain dict, and the history.

    `mask` (blocks, components) is False where a block has fewer components. `validation` is (latents, label codes) or
    None (no early stopping, the last weights are kept). See `loop.learn` for `settings["training"]` and the history.
    Raises ValueError for arrays that do not fit together and BadInput for settings that do not fit the data.
    """
    settings = json.loads(json.dumps(dict(settings)))  # plain types: torch refuses to load others
    training, limit = settings["training"], settings["max_membership_auc"]
    private = training["epsilon"] is not None
    x, codes = checked(latents, label, mask, labels)
    held_out = None if validation is None or not len(validation[0]) else checked(*validation, mask, labels)
    if private and limit is not None:
        fact = "epsilon and max_membership_auc exclude each other: the latter reads training samples without noise"
        raise BadInput("max_membership_auc", fact, "give one of them")
    if private and training["delta"] * len(x) >= 1:
        fact = f"{training['delta']:g} is no less than 1 over {len(x)} training samples"
        raise BadInput("delta", fact, "give a smaller one")
    if limit is not None and held_out is None:
        raise BadInput("max_membership_auc", "there are no validation samples", "give the split some")
    where = pick_device(device)
    x, codes = x.to(where), codes.to(where)  # all of it: encoded cohorts are small, and no step waits for data
    low, high = x.amin(0), x.amax(0)
    if private:
        low, high = torch.full_like(low, -EXTREME), torch.full_like(high, EXTREME)
    model = {
        "format": FORMAT,
        "settings": {part: settings[part] for part in ("denoiser", "diffusion")},
        "labels": [str(name) for name in labels],  # not numpy's strings: torch refuses to load those
        "mask": torch.from_numpy(np.asarray(mask, bool)),
        "low": low.cpu(),
        "high": high.cpu(),
    }
    task = _Denoising(settings, _diffusion(model, where), (x, codes), held_out, len(labels))
    weights, history = loop.learn(task, {**training, "max_membership_auc": limit}, seed=seed, checkpoint=checkpoint)
    return {**model, "weights": weights}, history


def sample(
    model: Mapping[str, Any],
    label: np.ndarray,
    sampler: Mapping[str, Any],
    *,
    seed: int,
    shard: int = 0,
    device: str = "auto",
) -> np.ndarray:
    """Draw a sample of each label code (n,) by the schema's `sampler`: latents float32 (n, blocks, components).

    Raises ValueError for codes that are no labels, and for more steps than the model has.
    """
    label = _label_codes(model["labels"], label)
    where = pick_device(device)
    process, network = restore(model, where)
    steered = ddpm.guided(network, network.null_label, sampler["guidance"])
    latents = np.empty((len(label), *model["mask"].shape), np.float32)
    for part in progress.batches(log, len(label), DRAW_BATCH, "drawn"):
        codes = torch.from_numpy(label[part]).to(where)
        rng = generator(where, *streams.entropy("latent_sampling", seed, shard, part.start))
        x = torch.randn((len(codes), *process.mask.shape), generator=rng, device=where)
        with torch.inference_mode(), autocast(where):
            if sampler["sampler"] == "ancestral":
                x = ddpm.ancestral(process, steered, x, codes, rng, variance=sampler["variance"])
            else:
                x = ddpm.ddim(process, steered, x, codes, rng, steps=sampler["steps"], eta=sampler["eta"])
        latents[part] = x.float().cpu().numpy()
    return latents


def restore(model: Mapping[str, Any], device: torch.device) -> tuple[Diffusion, networks.Denoiser]:
    """The diffusion and the network of a model, on `device`, ready for use."""
    with torch.random.fork_rng(devices=[]):  # the initial weights are thrown away
        network = networks.Denoiser(*model["mask"].shape, len(model["labels"]), model["settings"]["denoiser"])
    network.load_state_dict(model["weights"])
    return _diffusion(model, device), network.to(device).eval()


class _Denoising:
    def __init__(
        self,
        settings: Mapping[str, Any],
        diffusion: Diffusion,
        training: tuple[Tensor, Tensor],
        validation: tuple[Tensor, Tensor] | None,
        labels: int,
    ) -> None:
        self.denoiser, self.label_dropout = settings["denoiser"], settings["diffusion"]["label_dropout"]
        self.diffusion, self.validation, self.labels = diffusion, validation, labels
        self.x, self.codes = training
        self.samples, self.device = len(self.x), self.x.device

    def build(self) -> networks.Denoiser:
        return networks.Denoiser(*self.x.shape[1:], self.labels, self.denoiser).to(self.device)

    def compiled(self, network: torch.nn.Module, batch: int) -> torch.nn.Module:
        return _compiled(network, self.x[:batch], self.codes[:batch]) if self.device.type == "cuda" else network

    def loss(self, network: torch.nn.Module, rows: Tensor) -> Tensor:
        x0 = self.x[rows]
        t = _spread_steps(len(x0), self.diffusion.steps, self.device)
        eps = torch.randn_like(x0)
        return ddpm.loss(self.diffusion, network, x0, t, self._hidden(self.codes[rows]), eps)

    def per_sample(self, rows: Tensor) -> tuple[Tensor, ...]:
        x0, n = self.x[rows], len(rows)
        t = torch.randint(1, self.diffusion.steps + 1, (n, NOISES), device=self.device)
        label = self._hidden(self.codes[rows][:, None].expand(n, NOISES))
        return x0, t, label, torch.randn((n, NOISES, *x0.shape[1:]), device=self.device)

    def sample_loss(self, network: Callable[..., Tensor], *sample: Tensor) -> Tensor:
        x0, t, label, eps = sample
        return ddpm.loss(self.diffusion, network, x0.expand_as(eps), t, label, eps)

    def validate(self, network: Callable[..., Tensor]) -> float:
        if self.validation is None:
            return math.nan
        x, codes = self.validation
        total = 0.0
        for _ in range(VALIDATION_DRAWS):
            t = _spread_steps(len(x), self.diffusion.steps, self.device)
            for start in range(0, len(x), VALIDATION_BATCH):
                part = slice(start, start + VALIDATION_BATCH)
                x0, label = x[part].to(self.device), codes[part].to(self.device)
                with autocast(self.device):
                    eps = torch.randn_like(x0)
                    total += ddpm.loss(self.diffusion, network, x0, t[part], label, eps).item() * len(x0)
        return total / (VALIDATION_DRAWS * len(x))

    def membership_auc(self, network: Callable[..., Tensor]) -> float:
        """As losses.py scores samples, at fewer noises; `AUC_SAMPLES` training samples at most, always the same."""
        chosen = torch.randperm(self.samples, device=self.device)[:AUC_SAMPLES]
        x, codes = (
            torch.cat([own[chosen], held_out.to(self.device)])
            for own, held_out in zip((self.x, self.codes), self.validation, strict=True)
        )
        total = torch.zeros(len(x), device=self.device)
        for level in AUC_LEVELS:
            t = self.diffusion.step(level)
            for _ in range(AUC_DRAWS):
                eps = torch.randn_like(x[0])
                for part in torch.arange(len(x), device=self.device).split(VALIDATION_BATCH):
                    with autocast(self.device):
                        total[part] += ddpm.errors(self.diffusion, network, x[part], t, codes[part], eps)
        training, validation = np.split(-total.cpu().numpy(), [len(chosen)])
        return float(placements(training, validation).mean())

    def _hidden(self, label: Tensor) -> Tensor:
        return torch.where(torch.rand(label.shape, device=self.device) < self.label_dropout, self.labels, label)


def _compiled(network: torch.nn.Module, x: Tensor, codes: Tensor) -> torch.nn.Module:
    """The network compiled for samples like these; where that fails, the network as it is."""
    compiled = torch.compile(network, dynamic=False)
    try:
        with autocast(x.device):
            compiled(x, torch.ones(len(x), dtype=torch.long, device=x.device), codes).sum().backward()
    except Exception as error:  # a compiler has many ways to be missing
        log.warning("not compiled, which is slower: %s", (str(error) or type(error).__name__).splitlines()[0])
        return network
    network.zero_grad(set_to_none=True)
    log.info("compiled")
    return compiled


def _diffusion(model: Mapping[str, Any], device: torch.device) -> Diffusion:
    settings = model["settings"]["diffusion"]
    mask, low, high = (model[part].to(device) for part in ("mask", "low", "high"))
    return Diffusion(cosine_alpha_bar(settings["steps"]).to(device), mask.float(), settings["prediction"], low, high)


def checked(latents: np.ndarray, label: np.ndarray, mask: np.ndarray, labels: list[str]) -> tuple[Tensor, Tensor]:
    """Latents float32 and label codes int64, once they fit the mask and the labels; ValueError if not."""
    latents, label, mask = np.asarray(latents, np.float32), np.asarray(label, np.int64), np.asarray(mask)
    if latents.ndim != 3 or latents.shape[1:] != mask.shape or len(label) != len(latents) or not len(latents):
        raise ValueError(f"latents {latents.shape}, labels {label.shape} and mask {mask.shape} do not fit together")
    if not np.isfinite(latents).all():
        raise ValueError("latents hold values that are not finite")
    if not mask.any():
        raise ValueError("the mask leaves nothing to learn: every site is monomorphic")
    return torch.from_numpy(latents), torch.from_numpy(_label_codes(labels, label))


def _label_codes(labels: list[str], label: np.ndarray) -> np.ndarray:
    label = np.asarray(label, np.int64)
    if label.size and (label.min() < 0 or label.max() >= len(labels)):
        raise ValueError(f"label codes reach from {label.min()} to {label.max()}; there are {len(labels)} labels")
    return label


def _spread_steps(samples: int, steps: int, device: torch.device) -> Tensor:
    """Steps 1..`steps`, one per sample, spread evenly over the batch (Kingma et al., 2021)."""
    order = torch.randperm(samples, device=device)
    uniform = (order + torch.rand((), device=device)) / samples
    return 1 + (uniform * steps).long().clamp(0, steps - 1)
