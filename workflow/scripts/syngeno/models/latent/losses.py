"""Membership inference by a diffusion model's own loss: it denoises the people better whom it was trained on.

After Matsumoto et al. (IEEE S&P Workshops 2023) and Carlini et al. (USENIX Security 2023): a person's loss at fixed
noise levels, with the model as it samples (averaged weights, the person's label). Everybody meets the same noise, so
that people differ by what the model knows of them alone.

The loss is taken relative to the size of what is to be predicted. Components are fitted on members, and others'
components come out smaller by that alone (a fifth less variance on an unlinked cohort): an absolute error would be
smaller for them, too, and would tell of the encoder, in the wrong direction, not of the denoiser.

How well a diffusion model gives back a person from each noise level, in one step.

Kenneweg et al. (2025) watch this error to see what a denoiser is good at: the MLP gives back the rough structure
(strong noise), the CNN the fine one (weak noise).
"""

from __future__ import annotations

import logging
import time
from typing import Any

import numpy as np
import torch

from syngeno.models.latent import ddpm
from syngeno.models.latent.model import restore
from syngeno.training.device import autocast, mixed_seed, pick_device

log = logging.getLogger(__name__)

LEVELS = (0.1, 0.3, 0.5, 0.7, 0.9)  # of the way from data to noise
DRAWS = 8
BATCH = 256
LOG_EVERY = 15.0  # seconds


def losses(
    model: dict[str, Any],
    latents: np.ndarray,
    label: np.ndarray,
    seed: int,
    *,
    levels: tuple[float, ...] = LEVELS,
    draws: int = DRAWS,
    threads: int = 1,
    device: str = "auto",
) -> np.ndarray:
    """Loss of each person (people, blocks, components) with a label code (people,): float64 (people,).

    The masked squared error of v = sqrt(abar) eps - sqrt(1 - abar) x_0, whatever the network predicts, over the square
    of v, averaged over noise levels (shares of the model's steps, above 0 to 1) and over `draws` noises at each: 0
    is perfect, 1 is what knowing nothing gives. Raises ValueError for other levels, shapes or label codes.
    """
    latents, label = np.asarray(latents, np.float32), np.asarray(label, np.int64)
    if latents.shape[1:] != tuple(model["mask"].shape) or label.shape != (len(latents),):
        raise ValueError(f"latents {latents.shape} and labels {label.shape} do not fit the model")
    if label.size and (label.min() < 0 or label.max() >= len(model["labels"])):
        raise ValueError(f"label codes reach from {label.min()} to {label.max()}; there are {len(model['labels'])}")
    if draws < 1 or not levels or min(levels) <= 0 or max(levels) > 1:
        raise ValueError(f"{draws} draws at levels {levels}; give 1 or more, at levels above 0 and at most 1")
    torch.set_num_threads(threads)
    where = pick_device(device)
    process, network = restore(model, where)
    generator = torch.Generator("cpu").manual_seed(mixed_seed(seed, 5))  # the same noise on every device
    noise = torch.randn((len(levels), draws, *process.mask.shape), generator=generator).to(where)
    times = [max(1, round(level * process.steps)) for level in levels]
    total = np.zeros(len(latents))
    began = logged = time.monotonic()
    for start in range(0, len(latents), BATCH):
        part = slice(start, start + BATCH)
        x0, codes = torch.from_numpy(latents[part]).to(where), torch.from_numpy(label[part]).to(where)
        with torch.inference_mode(), autocast(where):
            for t, at_level in zip(times, noise, strict=True):
                for eps in at_level:
                    total[part] += ddpm.errors(process, network, x0, t, codes, eps).double().cpu().numpy()
        if time.monotonic() - logged > LOG_EVERY:
            logged, done = time.monotonic(), start + len(x0)
            log.info("%d of %d people; %.0f s left", done, len(label), (logged - began) / done * (len(label) - done))
    return total / (len(levels) * draws)


RECONSTRUCTION_LEVELS = (0.02, 0.05, 0.1, 0.2, 0.3, 0.4, 0.5, 0.6, 0.7, 0.8, 0.9, 0.98)  # of the way from data to noise


def errors(
    model: dict[str, Any],
    latents: np.ndarray,
    label: np.ndarray,
    seed: int,
    *,
    levels: tuple[float, ...] = RECONSTRUCTION_LEVELS,
    draws: int = 2,
    threads: int = 1,
    device: str = "auto",
) -> np.ndarray:
    """Error at each noise level (shares of the model's steps) for people (n, blocks, components): float64 (levels,).

    Mean squared error of the predicted x_0, clipped to the range of the training people as in sampling, over people,
    existing entries and `draws` noises. Entries of the people whom the encoder was fitted on have variance 1, so 0 is
    perfect and 1 is what the mean of everybody gives for them. Held-out people lie nearer to that mean. Raises
    ValueError for shapes that do not fit the model and levels beyond its steps.
    """
    latents, label = np.asarray(latents, np.float32), np.asarray(label, np.int64)
    if latents.shape[1:] != tuple(model["mask"].shape) or label.shape != (len(latents),):
        raise ValueError(f"latents {latents.shape} and labels {label.shape} do not fit the model")
    if not levels or min(levels) <= 0 or max(levels) > 1:
        raise ValueError(f"noise levels {levels}; give shares above 0 and at most 1")
    torch.set_num_threads(threads)
    where = pick_device(device)
    process, network = restore(model, where)
    wrong = np.zeros(len(levels))
    generator = torch.Generator("cpu").manual_seed(mixed_seed(seed, 8))  # the same noise on every device
    for start in range(0, len(latents), BATCH):
        part = slice(start, start + BATCH)
        x0, codes = torch.from_numpy(latents[part]).to(where), torch.from_numpy(label[part]).to(where)
        for k, level in enumerate(levels):
            t = max(1, round(level * process.steps))
            times = torch.full((len(x0),), t, dtype=torch.long, device=where)
            for _ in range(draws):
                eps = torch.randn(x0.shape, generator=generator).to(where)
                with torch.inference_mode(), autocast(where):
                    found, _ = process.denoised(network, process.noised(x0, times, eps), t, codes)
                wrong[k] += float(((found - x0) * process.mask).square().sum(dtype=torch.float64))
    return wrong / (draws * len(latents) * float(process.mask.sum()))
