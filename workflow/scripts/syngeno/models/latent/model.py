"""Train a denoiser of latents, by the loop of all learners (see loop.py).

Draw latents of new people from a trained model.
"""

from __future__ import annotations

import json
import logging
import math
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import torch
from torch import Tensor

from syngeno.errors import BadInput
from syngeno.models.latent import ddpm, networks
from syngeno.models.latent.ddpm import PREDICTIONS, Diffusion, cosine_alpha_bar, errors, loss
from syngeno.stats.intervals import placements
from syngeno.training import loop
from syngeno.training.device import autocast, generator, pick_device

log = logging.getLogger(__name__)

FORMAT = "syngeno diffusion 1"
# The paper's own are prediction epsilon, learning_rate 2e-4 and network {cnn_base: 64, blockwise: false, chained:
# false}. With predicted noise, the error of x_0 at high noise is the network's divided by sqrt(abar), next to
# nothing there: it needs far more steps before samples are of any use.
DEFAULTS: dict[str, Any] = {
    "steps": 500,
    "prediction": "v",
    "label_dropout": 0.1,
    **loop.DEFAULTS,
    "epsilon": None,
    "delta": 1e-5,
    "network": {},
}
VALIDATION_DRAWS = 4  # noise levels per validation person
VALIDATION_BATCH = 256
NOISES = 4  # draws of noise that the gradient of one person alone is averaged over
EXTREME = 5.0  # standard deviations that no drawn component exceeds where nobody's own extremes may be told
TOLD_MEMBERS = 500
TOLD_LEVELS, TOLD_DRAWS = (0.1, 0.3, 0.5), 2  # shares of the steps, and noises at each, that members are told by


def complete(config: dict[str, Any] | None) -> dict[str, Any]:
    """Fill in `DEFAULTS` here and in `network`; ValueError that names an unknown key or a bad value."""
    config = json.loads(json.dumps(config or {}))  # plain: neither tuples nor a workflow's own kinds of dict
    if unknown := sorted(set(config) - set(DEFAULTS)):
        raise ValueError(f"unknown training settings {unknown}; there are {sorted(DEFAULTS)}")
    full = {**DEFAULTS, **config}
    full["network"] = networks.complete(full["network"])
    if full["prediction"] not in PREDICTIONS:
        raise ValueError(f"prediction {full['prediction']!r}; there are {PREDICTIONS}")
    loop.check(full)
    if not full["steps"] > 0:
        raise ValueError(f"steps {full['steps']!r}; give a number above 0")
    if full["epsilon"] is not None and not (full["epsilon"] > 0 and 0 < full["delta"] < 1):
        raise ValueError(f"epsilon {full['epsilon']!r}, delta {full['delta']!r}; give above 0, and from 0 to 1")
    if full["epsilon"] is not None and full["membership"] is not None:
        raise ValueError("epsilon and membership: the latter looks at members without noise; give one of them")
    if not 0 <= full["label_dropout"] < 1:
        raise ValueError(f"label_dropout {full['label_dropout']!r}; give a number from 0 to below 1")
    return full


def train(
    latents: np.ndarray,
    label: np.ndarray,
    mask: np.ndarray,
    labels: list[str],
    *,
    validation: tuple[np.ndarray, np.ndarray] | None,
    config: dict[str, Any] | None,
    seed: int,
    saving: loop.Saving,
    threads: int = 1,
    device: str = "auto",
) -> tuple[dict[str, Any], list[dict[str, float]]]:
    """Train on `latents` (people, blocks, components) with label codes (people,) into `labels`.

    `validation` is (latents, label codes) or None (no early stopping, last weights kept). `config` as `DEFAULTS`; the
    rest, and the history that comes back beside the model, as `loop.learn`.

    The model is a plain dict of settings and tensors for `save_model` and `sampling.draw`.
    """
    settings = complete(config)
    x, codes = _checked(latents, label, mask, labels)
    if settings["membership"] is not None and (validation is None or not len(validation[0])):
        raise BadInput("membership", "there are no validation people", "give the split some")
    if settings["epsilon"] is not None and settings["delta"] * len(x) >= 1:
        raise BadInput("delta", f"{settings['delta']:g} is no less than 1 over {len(x)} people", "give a smaller one")
    held = None if validation is None or not len(validation[0]) else _checked(*validation, mask, labels)
    torch.set_num_threads(threads)
    device = pick_device(device)
    x, codes = x.to(device), codes.to(device)  # all of it: encoded cohorts are small, and no step waits for data
    present = torch.from_numpy(np.asarray(mask, np.float32)).to(device)
    low, high = x.amin(0), x.amax(0)
    if settings["epsilon"] is not None:
        low, high = torch.full_like(low, -EXTREME), torch.full_like(high, EXTREME)
    diffusion = Diffusion(cosine_alpha_bar(settings["steps"]).to(device), present, settings["prediction"], low, high)
    task = _Denoising(settings, diffusion, (x, codes), held, len(labels))
    weights, history = loop.learn(task, settings, seed=seed, saving=saving)
    model = {
        "format": FORMAT,
        "config": settings,
        "labels": [str(name) for name in labels],  # not numpy's strings: torch refuses to load those
        "mask": torch.from_numpy(np.asarray(mask, bool)),
        "low": diffusion.low.cpu(),
        "high": diffusion.high.cpu(),
        "weights": weights,
    }
    return model, history


def save_model(path: Path, model: dict[str, Any]) -> None:
    """Write the model, atomically."""
    loop.save(Path(path), model)


def load_model(path: Path, trained_on: str | None = None) -> dict[str, Any]:
    """Read what `save_model` wrote; BadInput if missing, foreign or (when given) trained on other latents."""
    remedy = "delete it and run the train stage again"
    if not Path(path).exists():
        raise BadInput(path, "no such file", "run the train stage first")
    model = loop.load(Path(path))
    if model is None or model.get("format") != FORMAT:
        raise BadInput(path, "not a diffusion model of this version of syngeno", remedy)
    if trained_on is not None and model.get("trained_on") != trained_on:
        raise BadInput(path, "the model was trained on other people, variants or settings", remedy)
    return model


def restore(model: dict[str, Any], device: torch.device) -> tuple[Diffusion, networks.Denoiser]:
    """Model dict -> what the samplers need, on `device`, the network ready for use."""
    blocks, components = model["mask"].shape
    with torch.random.fork_rng(devices=[]):  # the initial weights are thrown away
        network = networks.build(blocks, components, len(model["labels"]), model["config"]["network"])
    network.load_state_dict(model["weights"])
    diffusion = Diffusion(
        cosine_alpha_bar(model["config"]["steps"]).to(device),
        model["mask"].float().to(device),
        model["config"]["prediction"],
        model["low"].to(device),
        model["high"].to(device),
    )
    return diffusion, network.to(device).eval()


class _Denoising:
    """The task: predict what noise was added to latents, or v, at every noise level."""

    def __init__(
        self,
        settings: dict[str, Any],
        diffusion: Diffusion,
        members: tuple[Tensor, Tensor],
        held: tuple[Tensor, Tensor] | None,
        labels: int,
    ) -> None:
        self.settings, self.diffusion, self.held, self.labels = settings, diffusion, held, labels
        self.x, self.codes = members
        self.people, self.device, self.nobody = len(self.x), self.x.device, labels  # the code of no label

    def build(self) -> networks.Denoiser:
        return networks.build(*self.x.shape[1:], self.labels, self.settings["network"]).to(self.device)

    def compiled(self, network: torch.nn.Module, batch: int) -> torch.nn.Module:
        return _compiled(network, self.x[:batch], self.codes[:batch]) if self.device.type == "cuda" else network

    def loss(self, network: torch.nn.Module, rows: Tensor) -> Tensor:
        x0, label = self.x[rows], self.codes[rows]
        t = _levels(len(x0), self.diffusion.steps, x0.device)
        eps = torch.randn_like(x0)
        hidden = torch.rand(len(x0), device=x0.device) < self.settings["label_dropout"]
        label = torch.where(hidden, self.nobody, label)
        return loss(self.diffusion, network, x0, t, label, eps)

    def apart(self, rows: Tensor) -> tuple[Tensor, ...]:
        x0, n = self.x[rows], len(rows)
        t = torch.randint(1, self.diffusion.steps + 1, (n, NOISES), device=self.device)
        hidden = torch.rand((n, NOISES), device=self.device) < self.settings["label_dropout"]
        label = torch.where(hidden, self.nobody, self.codes[rows][:, None])
        return x0, t, label, torch.randn((n, NOISES, *x0.shape[1:]), device=self.device)

    def loss_of_one(self, network: Callable[..., Tensor], *one: Tensor) -> Tensor:
        x0, t, label, eps = one
        return loss(self.diffusion, network, x0.expand_as(eps), t, label, eps)

    def validate(self, network: Callable[..., Tensor]) -> float:
        if self.held is None:
            return math.nan
        x, codes = self.held
        total = 0.0
        for _ in range(VALIDATION_DRAWS):
            levels = _levels(len(x), self.diffusion.steps, self.device)
            for start in range(0, len(x), VALIDATION_BATCH):
                part = slice(start, start + VALIDATION_BATCH)
                x0, label = x[part].to(self.device), codes[part].to(self.device)
                with autocast(self.device):
                    eps = torch.randn_like(x0)
                    total += loss(self.diffusion, network, x0, levels[part], label, eps).item() * len(x0)
        return total / (VALIDATION_DRAWS * len(x))

    def told(self, network: Callable[..., Tensor]) -> float:
        """As in denoising.py, at fewer noises; at most `TOLD_MEMBERS` members, the same ones always."""
        x, codes = self.held
        some = torch.randperm(self.people, device=self.device)[:TOLD_MEMBERS]
        x, codes = torch.cat([self.x[some], x.to(self.device)]), torch.cat([self.codes[some], codes.to(self.device)])
        total = torch.zeros(len(x), device=self.device)
        for level in TOLD_LEVELS:
            t = max(1, round(level * self.diffusion.steps))
            for _ in range(TOLD_DRAWS):
                eps = torch.randn_like(x[0])
                for part in torch.arange(len(x), device=self.device).split(VALIDATION_BATCH):
                    with autocast(self.device):
                        total[part] += errors(self.diffusion, network, x[part], t, codes[part], eps)
        member, other = -total.cpu().numpy()[: len(some)], -total.cpu().numpy()[len(some) :]
        return float(placements(member, other).mean())


def _compiled(network: torch.nn.Module, x: Tensor, codes: Tensor) -> torch.nn.Module:
    """The network compiled for people like these; where that fails, the network as it is."""
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


def _checked(latents: np.ndarray, label: np.ndarray, mask: np.ndarray, labels: list[str]) -> tuple[Tensor, Tensor]:
    latents, label, mask = np.asarray(latents, np.float32), np.asarray(label, np.int64), np.asarray(mask)
    if latents.ndim != 3 or latents.shape[1:] != mask.shape or len(label) != len(latents) or not len(latents):
        raise ValueError(f"latents {latents.shape}, labels {label.shape} and mask {mask.shape} do not fit together")
    if not np.isfinite(latents).all():
        raise ValueError("latents hold values that are not finite")
    if not mask.any():
        raise ValueError("the mask leaves nothing to learn: every site is monomorphic")
    if label.min() < 0 or label.max() >= len(labels):
        raise ValueError(f"label codes reach from {label.min()} to {label.max()}; there are {len(labels)} labels")
    return torch.from_numpy(latents), torch.from_numpy(label)


def _levels(people: int, steps: int, device: torch.device) -> Tensor:
    """Noise levels 1..steps, one per person, spread evenly over the batch (Kingma et al., 2021)."""
    order = torch.randperm(people, device=device)
    uniform = (order + torch.rand((), device=device)) / people
    return 1 + (uniform * steps).long().clamp(0, steps - 1)


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
