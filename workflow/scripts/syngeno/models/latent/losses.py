"""How well a denoiser denoises single samples, and how well it gives them back from each noise level.

*Losses* are for membership inference: a diffusion model denoises the samples better that it was trained on. After
Matsumoto et al. (IEEE S&P Workshops 2023) and Carlini et al. (USENIX Security 2023): a sample's loss at fixed noise
levels, with the model as it samples (averaged weights, the sample's label). All samples get the same noise, so that
they differ by nothing but the model's memory of them. The loss is relative to the size of what is to be predicted.
Components are fitted on training samples, and those of others come out smaller by that alone (a fifth less variance on
an unlinked cohort): their absolute error would be smaller, too, and would speak of the encoder, in the wrong direction,
not of the denoiser.

*Errors* show at which noise levels a denoiser is good. Kenneweg et al. (2025) watch them: the MLP gives back the rough
structure (strong noise), the CNN the fine one (weak noise).
"""

from __future__ import annotations

import logging
from collections.abc import Mapping
from typing import Any

import numpy as np
import torch

from syngeno import progress, streams
from syngeno.models.latent import ddpm
from syngeno.models.latent.denoising import checked, restore
from syngeno.training.device import autocast, generator, pick_device

log = logging.getLogger(__name__)

# Shares of the way from data to noise.
LEVELS = (0.1, 0.3, 0.5, 0.7, 0.9)
RECONSTRUCTION_LEVELS = (0.02, 0.05, 0.1, 0.2, 0.3, 0.4, 0.5, 0.6, 0.7, 0.8, 0.9, 0.98)
DRAWS, RECONSTRUCTION_DRAWS = 8, 2  # noises at each level
CPU = torch.device("cpu")  # where noise is drawn, to be the same on every device
BATCH = 256


def losses(
    model: Mapping[str, Any], latents: np.ndarray, label: np.ndarray, seed: int, *, device: str = "auto"
) -> np.ndarray:
    """Loss of each sample (n, blocks, components) with its label code (n,): float64 (n,).

    The masked squared error of v = sqrt(abar) eps - sqrt(1 - abar) x_0, whatever the network predicts, over the square
    of v, averaged over noise levels and noises: 0 is perfect, 1 is what a prediction of 0 gives. Raises ValueError for
    shapes and label codes that do not fit the model.
    """
    x, codes = checked(latents, label, model["mask"], model["labels"])
    where = pick_device(device)
    process, network = restore(model, where)
    rng = generator(CPU, *streams.entropy("latent_score_noise", seed))
    noise = torch.randn((len(LEVELS), DRAWS, *process.mask.shape), generator=rng).to(where)
    total = np.zeros(len(x))
    for part in progress.batches(log, len(x), BATCH, "scored"):
        x0, label = x[part].to(where), codes[part].to(where)
        with torch.inference_mode(), autocast(where):
            for level, at_level in zip(LEVELS, noise, strict=True):
                for eps in at_level:
                    error = ddpm.errors(process, network, x0, process.step(level), label, eps)
                    total[part] += error.double().cpu().numpy()
    return total / (len(LEVELS) * DRAWS)


def errors(
    model: Mapping[str, Any], latents: np.ndarray, label: np.ndarray, seed: int, *, device: str = "auto"
) -> np.ndarray:
    """Error at each of `RECONSTRUCTION_LEVELS` for samples (n, blocks, components): float64 (levels,).

    Mean squared error of the predicted x_0, clipped to the range of the training samples as in sampling, over samples,
    existing entries and noises. Entries of the samples that the encoder was fitted on have variance 1, so 0 is perfect
    and 1 is what their mean gives for them. Held-out samples lie nearer to that mean. ValueError as by `losses`.
    """
    x, codes = checked(latents, label, model["mask"], model["labels"])
    where = pick_device(device)
    process, network = restore(model, where)
    squared = np.zeros(len(RECONSTRUCTION_LEVELS))
    rng = generator(CPU, *streams.entropy("latent_reconstruction_noise", seed))
    for x0, part in zip(x.split(BATCH), codes.split(BATCH), strict=True):
        x0, part = x0.to(where), part.to(where)
        for k, level in enumerate(RECONSTRUCTION_LEVELS):
            t = process.step(level)
            times = torch.full((len(x0),), t, dtype=torch.long, device=where)
            for _ in range(RECONSTRUCTION_DRAWS):
                eps = torch.randn(x0.shape, generator=rng).to(where)
                with torch.inference_mode(), autocast(where):
                    predicted, _ = process.denoised(network, process.noised(x0, times, eps), t, part)
                squared[k] += float(((predicted - x0) * process.mask).square().sum(dtype=torch.float64))
    return squared / (RECONSTRUCTION_DRAWS * len(x) * float(process.mask.sum()))
