"""The training loop: what learns, learns here, and stopping and going on makes no difference.

All randomness of step i comes from (seed, i) and the order of a pass over the people from (seed, pass), so a state is
weights, moments and counters, and a run that was killed and resumed equals, bit for bit on CPU, one that was
not. States are saved by the clock and replaced atomically; a state of other data, settings or code (another
fingerprint) is left unused. Weights are averaged over time (EMA), and those of the epoch with the best
validation loss are kept.
"""

from __future__ import annotations

import contextlib
import logging
import math
import os
import signal
import threading
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Protocol

import numpy as np
import torch
from torch import Tensor

from syngeno.errors import BadInput
from syngeno.training import dp_sgd
from syngeno.training.device import autocast, mixed_seed

log = logging.getLogger(__name__)

DEFAULTS: dict[str, Any] = {
    "epochs": 100,
    "least_steps": 0,
    "batch": 32,
    "learning_rate": 1e-3,
    "warmup_steps": 100,
    "gradient_clip": 1.0,
    "ema": 0.999,
    "patience": 20,
    "membership": None,
}
STATE = ("secret", "step", "stale", "told", "seconds", "best", "best_loss", "running", "history", "ema")
LOG_EVERY = 15.0  # seconds


@dataclass(frozen=True)
class Saving:
    """The state that a stopped training goes on from: its file, the fingerprint of what it belongs to, the seconds from
    one to the next, and when (`time.monotonic`) to save and leave, before a batch job's time is over.
    """

    path: Path
    fingerprint: str
    every: float = 120.0
    until: float = math.inf


class Task(Protocol):
    """What is learnt, and from whom. Random numbers come from torch's global generator, which the loop seeds."""

    people: int
    device: torch.device

    def build(self) -> torch.nn.Module:
        """The network as it begins, on the device."""

    def compiled(self, network: torch.nn.Module, batch: int) -> torch.nn.Module:
        """The network in the form in which its steps are fastest; it shares the weights."""

    def loss(self, network: torch.nn.Module, rows: Tensor) -> Tensor:
        """The loss on these people (batch,), a scalar."""

    def apart(self, rows: Tensor) -> tuple[Tensor, ...]:
        """What the loss of each of these people alone needs, (batch, ..) each, drawn for each alike and apart.

        Needed by what may be learnt with `epsilon`, like `loss_of_one`.
        """

    def loss_of_one(self, network: Callable[..., Tensor], *one: Tensor) -> Tensor:
        """The loss on one person, a scalar, of what `apart` gives."""

    def validate(self, network: Callable[..., Tensor]) -> float:
        """The loss on validation people, nan where there are none."""

    def told(self, network: Callable[..., Tensor]) -> float:
        """How well members are told from validation people by what the network makes of them (area under the curve)."""


def check(settings: dict[str, Any]) -> None:
    """Raise ValueError that names a bad value of the loop's settings."""
    for key in ("epochs", "batch", "learning_rate", "gradient_clip"):
        if not settings[key] > 0:
            raise ValueError(f"{key} {settings[key]!r}; give a number above 0")
    if not 0 <= settings["ema"] < 1:
        raise ValueError(f"ema {settings['ema']!r}; give a number from 0 to below 1")
    if settings["membership"] is not None and not 0.5 <= settings["membership"] <= 1:
        raise ValueError(f"membership {settings['membership']!r}; give a number from .5 to 1, or none")


def learn(
    task: Task,
    settings: dict[str, Any],
    *,
    seed: int,
    saving: Saving,
) -> tuple[dict[str, Tensor], list[dict[str, float]]]:
    """Learn a task with settings as in `DEFAULTS`: the best weights on CPU, and the history, one row per epoch.

    `patience` is the number of epochs without a better validation loss that ends the training (0: never). Where
    the epochs make fewer than `least_steps` steps, an epoch is so many passes over the people that they make as many:
    few people would otherwise be learnt from less. `membership`, where it is given, ends the training before members
    are told from validation people by a larger area under the ROC curve (BadInput if the first epoch does).

    With `epsilon` and `delta` no person changes by much what is learnt (see private.py): `batch` people are in a step
    on average, `gradient_clip` is the length of each one's gradient, and the history has no loss on members.

    Goes on from the saved state if that was left by a run with the same fingerprint; the final state stays there for
    the caller to delete. SIGTERM, or the end of the time, saves and exits (143).

    The history's columns: epoch, step, train_loss, validation_loss (nan without), kept (whether the weights are the
    best so far), learning_rate, seconds, and with `membership` told (that area).
    """
    device = task.device
    with torch.random.fork_rng(devices=[device] if device.type == "cuda" else []), _sigterm() as stop:
        run = Run(settings, task, seed)
        run.restore(saving)
        run.fit(saving, stop)
    weights = run.ema if run.best is None else run.best
    return {name: value.detach().cpu().clone() for name, value in weights.items()}, run.history


class Run:
    """A training that is under way: all that a state has to hold, and how to take a step."""

    def __init__(self, settings: dict[str, Any], task: Task, seed: int) -> None:
        self.settings, self.task, self.seed, self.people = settings, task, seed, task.people
        torch.manual_seed(mixed_seed(seed, 0))
        self.network = task.build()
        self.optimizer = torch.optim.Adam(self.network.parameters(), lr=settings["learning_rate"], fused=True)
        self.ema = {name: value.detach().clone() for name, value in self.network.state_dict().items()}
        self.per_pass = math.ceil(self.people / settings["batch"])
        passes = max(1, math.ceil(settings["least_steps"] / (self.per_pass * settings["epochs"])))
        self.per_epoch = passes * self.per_pass
        self.total = settings["epochs"] * self.per_epoch
        self.secret, self.noise, self.share = None, 0.0, min(1.0, settings["batch"] / self.people)
        if settings.get("epsilon") is not None:
            self.secret = dp_sgd.new_secret()
            self.noise = dp_sgd.noise(settings["epsilon"], settings["delta"], self.share, self.total)
            log.info("noise of %.2f for epsilon %g in %d steps", self.noise, settings["epsilon"], self.total)
        # A compiled function shares the network's weights, whose names in states and models stay plain.
        self.predict = self.network if self.secret is not None else task.compiled(self.network, settings["batch"])
        self.step, self.stale, self.seconds, self.told = 0, 0, 0.0, False
        self.best, self.best_loss = None, math.inf
        self.running = torch.zeros((), dtype=torch.float64, device=task.device)
        self.history: list[dict[str, float]] = []

    def fit(self, saving: Saving, stop: threading.Event) -> None:
        """Steps until the epochs are over, the validation loss has stopped to fall, or members can be told."""
        began = saved = logged = time.monotonic()
        before, first = self.seconds, self.step
        patience = self.settings["patience"]
        while self.step < self.total and not self.told and not (patience and self.stale >= patience):
            self.learn()
            self.seconds = before + time.monotonic() - began
            if self.step % self.per_epoch == 0:
                self.close_epoch()
                if time.monotonic() - logged > LOG_EVERY:
                    logged = time.monotonic()
                    self.report((logged - began) / (self.step - first) * (self.total - self.step))
            now = time.monotonic()
            over = "asked to stop" if stop.is_set() else "out of time" if now >= saving.until else None
            if over or now - saved >= saving.every:
                self.save(saving)
                saved = time.monotonic()
            if over and self.step < self.total:
                log.warning("%s: state saved at step %d of %d", over, self.step, self.total)
                raise SystemExit(128 + signal.SIGTERM)
        self.save(saving)
        log.info("done after %d of %d epochs", len(self.history), self.settings["epochs"])

    def learn(self) -> None:
        """One step; its randomness comes from the seed, or the secret, and the number of the step alone."""
        torch.manual_seed(mixed_seed(self.seed, 1, self.step))
        for group in self.optimizer.param_groups:
            group["lr"] = self.learning_rate()
        if self.secret is None:
            self.descend()
        else:
            self.descend_privately()
        self.optimizer.step()
        keep = min(self.settings["ema"], (1 + self.step) / (10 + self.step))  # young averages forget faster
        with torch.no_grad():
            for name, weight in self.network.state_dict().items():
                self.ema[name].lerp_(weight, 1 - keep)
        self.step += 1

    def descend(self) -> None:
        """Set the gradients by the next people in the order of the pass."""
        settings, size = self.settings, self.settings["batch"]
        one_pass, part = divmod(self.step, self.per_pass)
        order = np.random.default_rng([self.seed, one_pass]).permutation(self.people)[part * size : (part + 1) * size]
        people = torch.from_numpy(order).to(self.task.device)
        with autocast(self.task.device):
            value = self.task.loss(self.predict, people)
        self.optimizer.zero_grad(set_to_none=True)
        value.backward()
        torch.nn.utils.clip_grad_norm_(self.network.parameters(), settings["gradient_clip"])
        self.running += value.detach().double()

    def descend_privately(self) -> None:
        """Set the gradients by people who are chosen by coins, with noise, and say nothing of their loss."""
        clip = self.settings["gradient_clip"]
        step = dp_sgd.Privately(self.share, clip, self.noise, self.secret)
        rows = step.chosen(self.people, self.step).to(self.task.device)
        torch.manual_seed(step.seed(self.step))
        total = dp_sgd.shortened_sum(self.network, self.task.loss_of_one, self.task.apart(rows), clip)
        gradient = step.gradient(total, self.people, self.step)
        for name, weight in self.network.named_parameters():
            weight.grad = gradient[name]

    def learning_rate(self) -> float:
        """Linear warm-up, then half a cosine down to zero."""
        warmup = min(self.settings["warmup_steps"], self.total // 2)
        if self.step < warmup:
            return self.settings["learning_rate"] * (self.step + 1) / warmup
        done = (self.step - warmup) / max(1, self.total - warmup)
        return self.settings["learning_rate"] * 0.5 * (1 + math.cos(math.pi * done))

    def close_epoch(self) -> None:
        """Judge the averaged weights, keep them if they are the best yet, write the history."""
        validation, limit = self.validate(self.task.validate), self.settings["membership"]
        told = math.nan if limit is None else self.validate(self.task.told)
        self.told = limit is not None and told > limit
        kept = validation < self.best_loss and not self.told
        if self.told:
            log.info("members are told by an area of %.3f: back to the best epoch before", told)
            if self.best is None:
                fact = f"after one epoch members are told from validation people by an area of {told:.3f}"
                raise BadInput("membership", fact, "allow more, or give a smaller learning_rate")
        if not (math.isfinite(self.running.item()) and all(one.isfinite().all() for one in self.ema.values())):
            raise ValueError(f"the training diverged at step {self.step}; give a smaller learning_rate")
        if kept:
            self.best_loss, self.stale = validation, 0
            self.best = {name: value.clone() for name, value in self.ema.items()}
        elif not math.isnan(validation):
            self.stale += 1
        row = {
            "epoch": self.step // self.per_epoch,
            "step": self.step,
            "train_loss": math.nan if self.secret is not None else self.running.item() / self.per_epoch,
            "validation_loss": validation,
            "kept": kept,
            "learning_rate": self.learning_rate(),
            "seconds": round(self.seconds, 3),
        }
        self.history.append(row if limit is None else {**row, "told": told})
        self.running.zero_()

    @torch.no_grad()
    def validate(self, judge: Callable[[Callable[..., Tensor]], float]) -> float:
        """What the task makes of the averaged weights, with the same random numbers every time."""

        def network(*inputs: Tensor) -> Tensor:
            return torch.func.functional_call(self.network.eval(), self.ema, inputs)

        torch.manual_seed(mixed_seed(self.seed, 2))
        value = judge(network)
        self.network.train()
        return value

    def report(self, left: float) -> None:
        """One line of progress; `left` in seconds."""
        row = self.history[-1]
        losses = ", ".join(
            f"{words} {row[key]:.4f}"
            for key, words in (("train_loss", "loss"), ("validation_loss", "validation"))
            if not math.isnan(row[key])
        )
        of = row["epoch"], self.settings["epochs"]
        log.info("epoch %d of %d: %s; at most %d min %02d s left", *of, losses, *divmod(int(left), 60))

    def save(self, saving: Saving) -> None:
        """Write the state, atomically."""
        state = {name: getattr(self, name) for name in STATE}
        state |= {"network": self.network.state_dict(), "optimizer": self.optimizer.state_dict()}
        # The owner's only: it may hold a secret, and its weights know their people.
        save(saving.path, {"fingerprint": saving.fingerprint, **state}, 0o600)

    def restore(self, saving: Saving) -> None:
        """Go on from a state of the same fingerprint, if there is one."""
        if not saving.path.exists():
            return
        state = load(saving.path, self.task.device)
        if state is None or state.get("fingerprint") != saving.fingerprint:
            log.warning("%s belongs to other data, settings or code, or is broken: starting afresh", saving.path)
            return
        self.network.load_state_dict(state["network"])
        self.optimizer.load_state_dict(state["optimizer"])
        for name in STATE:
            setattr(self, name, state[name])
        log.info("going on from step %d of %d", self.step, self.total)


@contextlib.contextmanager
def _sigterm() -> Iterator[threading.Event]:
    """An event that SIGTERM sets, while inside; without effect outside the main thread."""
    stop = threading.Event()
    if threading.current_thread() is not threading.main_thread():
        yield stop
        return
    former = signal.signal(signal.SIGTERM, lambda *_: stop.set())
    try:
        yield stop
    finally:
        signal.signal(signal.SIGTERM, former)


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
