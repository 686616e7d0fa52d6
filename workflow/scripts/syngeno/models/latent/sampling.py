"""Draw latents of new people from a trained model."""

from __future__ import annotations

import logging
import time
from typing import Any

import numpy as np
import torch

from syngeno.models.latent import ddpm
from syngeno.models.latent.model import restore
from syngeno.training.device import autocast, generator, pick_device

log = logging.getLogger(__name__)

SAMPLERS = ("ancestral", "ddim")
LOG_EVERY = 15.0  # seconds


def draw(
    model: dict[str, Any],
    label: np.ndarray,
    seed: int,
    *,
    shard: int = 0,
    sampler: str = "ancestral",
    steps: int = 50,
    eta: float = 0.0,
    guidance: float = 0.0,
    variance: str = "posterior",
    batch: int = 256,
    threads: int = 1,
    device: str = "auto",
) -> np.ndarray:
    """One person per label code (people,) -> latents float32 (people, blocks, components).

    `sampler` "ancestral" takes all steps of the model (with `variance`), "ddim" takes `steps` of them (with
    `eta`). The same model, labels, seed, shard and settings give the same latents on the same kind of device.
    """
    label = np.asarray(label, np.int64)
    if sampler not in SAMPLERS:
        raise ValueError(f"sampler {sampler!r}; there are {SAMPLERS}")
    if label.size and (label.min() < 0 or label.max() >= len(model["labels"])):
        raise ValueError(f"label codes reach from {label.min()} to {label.max()}; there are {len(model['labels'])}")
    torch.set_num_threads(threads)
    where = pick_device(device)
    process, network = restore(model, where)
    steered = ddpm.guided(network, network.null_label, guidance)
    latents = np.empty((len(label), *model["mask"].shape), np.float32)
    began = logged = time.monotonic()
    for start in range(0, len(label), batch):
        part = slice(start, start + batch)
        codes = torch.from_numpy(label[part]).to(where)
        rng = generator(where, seed, 3, shard, start)
        x = torch.randn((len(codes), *process.mask.shape), generator=rng, device=where)
        with torch.inference_mode(), autocast(where):
            if sampler == "ancestral":
                x = ddpm.ancestral(process, steered, x, codes, rng, variance=variance)
            else:
                x = ddpm.ddim(process, steered, x, codes, rng, steps=steps, eta=eta)
        latents[part] = x.float().cpu().numpy()
        if time.monotonic() - logged > LOG_EVERY:
            logged, done = time.monotonic(), start + len(codes)
            left = (logged - began) / done * (len(label) - done)
            log.info("%d of %d people drawn; %d s left", done, len(label), left)
    return latents
