"""The training loop of every network: an interruption makes no difference to what is learnt.

All randomness of step i comes from (seed, i), and the order of a pass over the training samples from (seed, pass). So
a state is weights, moments and counters, and a training that was killed and resumed equals, bit for bit on CPU, one
that was not. States are saved by the clock and replaced atomically; a state of other data, settings or code (another
fingerprint) is not used. Weights are averaged over time (EMA), and those of the epoch with the best validation loss are
kept.
"""

from __future__ import annotations

import contextlib
import logging
import math
import os
import signal
import threading
import time
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path
from typing import Any, Protocol

import torch
from torch import Tensor
from torch.optim.lr_scheduler import LambdaLR
from torch.optim.swa_utils import AveragedModel

from syngeno import streams
from syngeno.errors import BadInput
from syngeno.logs import NOTICE
from syngeno.training import dp_sgd
from syngeno.training.checkpoint import Checkpoint
from syngeno.training.device import autocast, mixed_seed

log = logging.getLogger(__name__)

STATE = ("secret", "step", "stale", "over_limit", "seconds", "best", "best_loss", "running", "history")
PARTS = ("network", "averaged", "optimizer", "schedule")  # of a state, by their own state_dict
LOG_EVERY = 15.0  # seconds


class Task(Protocol):
    """What is learnt, from how many training `samples` on which `device`, drawing from torch's global generator."""

    samples: int
    device: torch.device

    def build(self) -> torch.nn.Module:
        """The network as it begins, on the device."""

    def compiled(self, network: torch.nn.Module, batch: int) -> torch.nn.Module:
        """The network in its fastest form, which shares the weights."""

    def loss(self, network: torch.nn.Module, rows: Tensor) -> Tensor:
        """The loss on these training samples (batch,), a scalar."""

    def per_sample(self, rows: Tensor) -> tuple[Tensor, ...]:
        """What `sample_loss` needs of these training samples, (batch, ..) each; only with `epsilon`, as is that."""

    def sample_loss(self, network: Callable[..., Tensor], *sample: Tensor) -> Tensor:
        """The loss on one training sample, a scalar, from its part of what `per_sample` gives."""

    def validate(self, network: Callable[..., Tensor]) -> float:
        """The loss on validation samples, nan where there are none."""

    def membership_auc(self, network: Callable[..., Tensor]) -> float:
        """Area under the ROC curve by which the network's own loss distinguishes training from validation samples."""


def learn(
    task: Task, settings: Mapping[str, Any], *, seed: int, checkpoint: Checkpoint
) -> tuple[dict[str, Tensor], list[dict[str, float]]]:
    """Learn a task: the best weights, on CPU, and the history, one row per epoch.

    `settings` are those of the schema's `training`, and `max_membership_auc`:

    - Where the epochs make fewer than `least_steps` steps, an epoch is as many passes over the training samples as it
      takes: small training sets would otherwise be learnt from in too few steps.
    - `max_membership_auc`, where it is not None, ends the training before the network distinguishes training from
      validation samples by a larger area under the ROC curve (BadInput if it does after the first epoch).
    - With `epsilon` and `delta` (see dp_sgd.py) `batch` samples are in a step on average, `gradient_clip` bounds the
      gradient of each, and the history has no training loss.

    Resumes from the saved state if it has the same fingerprint; the final state stays there for the caller to delete.
    SIGTERM, or the end of the time, saves and exits (143). Raises ValueError where the training diverges.

    The history's columns: epoch, step, train_loss, validation_loss (nan without), kept (whether the weights are the
    best so far), learning_rate, seconds, and with `max_membership_auc` membership_auc.
    """
    device = task.device
    with torch.random.fork_rng(devices=[device] if device.type == "cuda" else []), _asked_to_stop() as stop:
        run = Run(settings, task, seed)
        run.restore(checkpoint)
        run.fit(checkpoint, stop)
    weights = run.averaged.module.state_dict() if run.best is None else run.best
    return {name: value.detach().cpu().clone() for name, value in weights.items()}, run.history


class Run:
    """A training that is under way."""

    def __init__(self, settings: Mapping[str, Any], task: Task, seed: int) -> None:
        self.settings, self.task, self.seed, self.samples = settings, task, seed, task.samples
        self.per_pass = math.ceil(self.samples / settings["batch"])
        passes = max(1, math.ceil(settings["least_steps"] / (self.per_pass * settings["epochs"])))
        self.per_epoch = passes * self.per_pass
        self.total = settings["epochs"] * self.per_epoch
        self._seed("training_weights")
        self.network = task.build()
        self.averaged = AveragedModel(self.network, multi_avg_fn=self.average).eval()
        self.averaged.n_averaged += 1  # the initial weights are the first of the average
        self.optimizer = torch.optim.Adam(self.network.parameters(), lr=settings["learning_rate"], fused=True)
        self.schedule = LambdaLR(self.optimizer, self.rate)
        self.secret, self.noise, self.sample_rate = None, 0.0, min(1.0, settings["batch"] / self.samples)
        if settings.get("epsilon") is not None:
            self.secret = dp_sgd.new_secret()
            self.noise = dp_sgd.noise(settings["epsilon"], settings["delta"], self.sample_rate, self.total)
            log.info("noise of %.2f for epsilon %g in %d steps", self.noise, settings["epsilon"], self.total)
        # A compiled function shares the network's weights, whose names in states and models stay plain.
        self.predict = self.network if self.secret is not None else task.compiled(self.network, settings["batch"])
        self.step, self.stale, self.seconds, self.over_limit = 0, 0, 0.0, False
        self.best, self.best_loss = None, math.inf
        self.running = torch.zeros((), dtype=torch.float64, device=task.device)
        self.history: list[dict[str, float]] = []

    def fit(self, checkpoint: Checkpoint, stop: threading.Event) -> None:
        """Take steps until the epochs end, the validation loss falls no more or the membership AUC is too large."""
        began = saved = logged = time.monotonic()
        before, first = self.seconds, self.step
        patience = self.settings["patience"]
        while self.step < self.total and not self.over_limit and not (patience and self.stale >= patience):
            self.learn()
            self.seconds = before + time.monotonic() - began
            if self.step % self.per_epoch == 0:
                self.close_epoch()
                if time.monotonic() - logged > LOG_EVERY:
                    logged = time.monotonic()
                    self.report((logged - began) / (self.step - first) * (self.total - self.step))
            now = time.monotonic()
            over = "asked to stop" if stop.is_set() else "out of time" if now >= checkpoint.until else None
            if over or now - saved >= checkpoint.every:
                self.save(checkpoint)
                saved = time.monotonic()
            if over and self.step < self.total:
                log.log(NOTICE, "%s: state saved at step %d of %d", over, self.step, self.total)
                raise SystemExit(128 + signal.SIGTERM)
        self.save(checkpoint)
        log.info("done after %d of %d epochs", len(self.history), self.settings["epochs"])

    def learn(self) -> None:
        """Take one step."""
        self._seed("training_steps", self.step)
        if self.secret is None:
            self.descend()
        else:
            self.descend_privately()
        self.optimizer.step()
        self.schedule.step()
        self.averaged.update_parameters(self.network)
        self.step += 1

    def descend(self) -> None:
        """Set the gradients by the next training samples in the order of the pass."""
        number, part = divmod(self.step, self.per_pass)
        order = streams.rng("training_order", self.seed, number).permutation(self.samples)
        batch = order[part * self.settings["batch"] : (part + 1) * self.settings["batch"]]
        with autocast(self.task.device):
            value = self.task.loss(self.predict, torch.from_numpy(batch).to(self.task.device))
        self.optimizer.zero_grad(set_to_none=True)
        value.backward()
        torch.nn.utils.clip_grad_norm_(self.network.parameters(), self.settings["gradient_clip"])
        self.running += value.detach().double()

    def descend_privately(self) -> None:
        """Set the gradients, with noise, by training samples chosen by coins, and record nothing of their loss."""
        clip = self.settings["gradient_clip"]
        steps = dp_sgd.PrivateSteps(self.sample_rate, clip, self.noise, self.secret)
        rows = steps.rows(self.samples, self.step).to(self.task.device)
        torch.manual_seed(steps.seed(self.step))
        total = dp_sgd.clipped_sum(self.network, self.task.sample_loss, self.task.per_sample(rows), clip)
        gradient = steps.gradient(total, self.samples, self.step)
        for name, weight in self.network.named_parameters():
            weight.grad = gradient[name]

    def average(self, averaged: list[Tensor], current: list[Tensor], _: Tensor | int) -> None:
        """Move the averaged weights towards the current ones, further while the average is young."""
        keep = min(self.settings["ema"], (1 + self.step) / (10 + self.step))
        for mean, weight in zip(averaged, current, strict=True):
            mean.lerp_(weight, 1 - keep)

    def rate(self, step: int) -> float:
        """The share of the learning rate that a step has: a linear warm-up, then half a cosine down to zero."""
        warmup = min(self.settings["warmup_steps"], self.total // 2)
        if step < warmup:
            return (step + 1) / warmup
        return 0.5 * (1 + math.cos(math.pi * (step - warmup) / max(1, self.total - warmup)))

    def close_epoch(self) -> None:
        """Judge the averaged weights, keep them if they are the best yet, and write the history."""
        validation, limit = self.validate(self.task.validate), self.settings["max_membership_auc"]
        auc = math.nan if limit is None else self.validate(self.task.membership_auc)
        self.over_limit = limit is not None and auc > limit
        kept = validation < self.best_loss and not self.over_limit
        if self.over_limit:
            log.info("training samples are distinguished by an AUC of %.3f: back to the best epoch before", auc)
            if self.best is None:
                fact = f"after one epoch the network distinguishes training from validation samples by {auc:.3f}"
                raise BadInput("max_membership_auc", fact, "allow more, or give a smaller learning_rate")
        finite = all(weight.isfinite().all() for weight in self.averaged.parameters())
        if not (finite and math.isfinite(self.running.item())):
            raise ValueError(f"the training diverged at step {self.step}; give a smaller learning_rate")
        if kept:
            self.best_loss, self.stale = validation, 0
            self.best = {name: value.clone() for name, value in self.averaged.module.state_dict().items()}
        elif not math.isnan(validation):
            self.stale += 1
        row = {
            "epoch": self.step // self.per_epoch,
            "step": self.step,
            "train_loss": math.nan if self.secret is not None else self.running.item() / self.per_epoch,
            "validation_loss": validation,
            "kept": kept,
            "learning_rate": self.schedule.get_last_lr()[0],
            "seconds": round(self.seconds, 3),
        }
        self.history.append(row if limit is None else {**row, "membership_auc": auc})
        self.running.zero_()

    @torch.no_grad()
    def validate(self, judge: Callable[[Callable[..., Tensor]], float]) -> float:
        """What the task makes of the averaged weights, with the same random numbers every time."""
        self._seed("training_validation")
        return judge(self.averaged.module)

    def report(self, left: float) -> None:
        """Log one line of progress; `left` in seconds."""
        row, named = self.history[-1], {"train_loss": "loss", "validation_loss": "validation"}
        losses = ", ".join(f"{name} {row[key]:.4f}" for key, name in named.items() if not math.isnan(row[key]))
        of = row["epoch"], self.settings["epochs"]
        log.info("epoch %d of %d: %s; at most %d min %02d s left", *of, losses, *divmod(int(left), 60))

    def save(self, checkpoint: Checkpoint) -> None:
        """Write the state, atomically."""
        state = {name: getattr(self, name) for name in STATE}
        state |= {name: getattr(self, name).state_dict() for name in PARTS}
        # The owner's only: it may hold a secret, and its weights say much of the training samples.
        save(checkpoint.path, {**self._origin(checkpoint), **state}, 0o600)

    def restore(self, checkpoint: Checkpoint) -> None:
        """Resume from a state of the same fingerprint and kind of device, if there is one."""
        if not checkpoint.path.exists():
            return
        state = load(checkpoint.path, self.task.device)
        if state is None or not self._origin(checkpoint).items() <= state.items():
            log.warning("%s belongs to other data, settings or code, or is broken: starting afresh", checkpoint.path)
            return
        for name in PARTS:
            getattr(self, name).load_state_dict(state[name])
        for name in STATE:
            setattr(self, name, state[name])
        log.log(NOTICE, "resuming at step %d of %d", self.step, self.total)

    def _origin(self, checkpoint: Checkpoint) -> dict[str, str]:
        """What a state must have been saved by; another kind of device draws other numbers."""
        return {"fingerprint": checkpoint.fingerprint, "device": self.task.device.type}

    def _seed(self, stream: str, *more: int) -> None:
        torch.manual_seed(mixed_seed(*streams.entropy(stream, self.seed, *more)))


@contextlib.contextmanager
def _asked_to_stop() -> Iterator[threading.Event]:
    """An event that SIGTERM or SIGINT sets, while inside; without effect outside the main thread."""
    stop = threading.Event()
    if threading.current_thread() is not threading.main_thread():
        yield stop
        return
    former = {number: signal.signal(number, lambda *_: stop.set()) for number in (signal.SIGTERM, signal.SIGINT)}
    try:
        yield stop
    finally:
        for number, handler in former.items():
            signal.signal(number, handler)


def save(path: Path, content: dict[str, Any], mode: int = 0o666) -> None:
    """Write the dict, atomically; who may read the file is what `mode` and the umask allow."""
    path.parent.mkdir(parents=True, exist_ok=True)
    temporary = path.with_name(path.name + ".part")
    with open(temporary, "wb", opener=lambda name, flags: os.open(name, flags, mode)) as file:
        torch.save(content, file)
        file.flush()
        os.fsync(file.fileno())
    os.replace(temporary, path)


def load(path: Path, device: torch.device | str = "cpu") -> dict[str, Any] | None:
    """The dict in the file; None if it is not one of ours."""
    try:
        content = torch.load(path, map_location=device, weights_only=True)
    except Exception as error:  # torch raises whatever its unpickler met
        log.warning("%s cannot be read: %s", path, str(error).splitlines()[0] if str(error) else error)
        return None
    return content if isinstance(content, dict) else None


def load_fitted(path: Path, form: str, trained_on: str) -> dict[str, Any]:
    """A model of this `format`; BadInput if it is missing, foreign or was trained on other data."""
    remedy = "delete it and run the fit stage again"
    if not Path(path).exists():
        raise BadInput(path, "no such file", "run the fit stage first")
    content = load(Path(path))
    if content is None or content.get("format") != form:
        raise BadInput(path, f"holds no '{form}', which is what this version of syngeno reads", remedy)
    if content.get("trained_on") != trained_on:
        raise BadInput(path, "was trained on other data", remedy)
    return content
