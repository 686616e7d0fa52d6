"""Masked diffusion over people: pieces hidden until nothing is seen, and brought back piece by piece.

Forwards, blocks of a person's sequences are hidden one after the other, in random order. Backwards, the hidden is drawn
given the visible from

    p(x_0 | x_t) ~ p0(x_0 | x_t) exp(g(x_0)),

p0 of mosaics.py, exactly, and g of energy.py, by choosing one of `candidates` draws in proportion to exp(g); of the
chosen one, another share of the blocks stays. So a step draws all blocks jointly, one step is a sampler already, and a
person costs steps * candidates evaluations of the network (Austin et al., NeurIPS 2021; Xu et al., ICLR 2025).
"""

import logging
import time
from collections.abc import Callable
from functools import partial
from typing import Any

import numpy as np
import torch
from torch import Tensor

from syngeno.data import sequences
from syngeno.data.store import Store
from syngeno.models.haplotype import features, prior, reranker
from syngeno.models.haplotype.features import Sketch
from syngeno.models.haplotype.prior import Mosaics
from syngeno.training import loop
from syngeno.training.device import generator, pick_device

log = logging.getLogger(__name__)

BLOCK = 10  # segments that are hidden together
DRAWN, DRAWN_HELD = 20, 2  # mosaics for each member, to tell members from, and to judge by
NORMALISING = 1000  # mosaics of each label
HELD = {"cpu": 1 << 27, "cuda": 1 << 30}  # bytes of candidates at a time
LOG_EVERY = 15.0  # seconds


def train(
    learnt: Mosaics,
    store: Store,
    people: np.ndarray,
    label: np.ndarray,
    validation: np.ndarray,
    validation_label: np.ndarray,
    *,
    components: int,
    config: dict[str, Any] | None,
    seed: int,
    saving: loop.Saving,
    threads: int = 1,
    device: str = "auto",
) -> tuple[dict[str, Any], Sketch, list[dict[str, float]]]:
    """The energy that tells these people from mosaics of what was learnt from them, its sketch, and its history.

    The store comes from `sequences.viewed`; `components` of the sketch; settings and the rest as for `energy.train`.
    """
    label, validation_label = np.asarray(label, dtype=str), np.asarray(validation_label, dtype=str)
    where = pick_device(device)
    learnt, sites = learnt.to(where), sequences.thinned(len(store), features.SITES)
    symbols = sequences.at(store, people, sites)
    fitted = features.fit(symbols, sites, learnt.copies, components).to(where)
    names = np.unique(label).tolist()
    rng = generator(where, seed, 31)

    def of_real(symbols: np.ndarray, label: np.ndarray) -> reranker.Sketches:
        code = torch.from_numpy(np.searchsorted(names, label)).to(where)
        return *fitted.of(torch.from_numpy(symbols).to(where)), code

    log.info("drawing mosaics to compare with")
    drawn, held = (_sketches(learnt, fitted, np.tile(label, times), names, rng) for times in (DRAWN, DRAWN_HELD))
    others = sequences.at(store, validation, sites), validation_label
    model, history = reranker.train(
        of_real(symbols, label),
        drawn,
        names,
        validation=(of_real(*others), held) if len(validation_label) else None,
        config=config,
        seed=seed,
        saving=saving,
        threads=threads,
        device="cpu",  # so small a network that a GPU would mostly wait for the next step
    )
    return model, fitted, history


def nats(
    learnt: Mosaics,
    model: dict[str, Any],
    fitted: Sketch,
    store: Store,
    people: np.ndarray,
    label: np.ndarray,
    *,
    seed: int,
    guidance: float = 1.0,
    temperature: float = 1.0,
    device: str = "auto",
) -> np.ndarray:
    """-log p of people (rows of the store) given their labels: float64 (copies * people,), a person's shared out alike.

    An upper bound, see `energy.log_normaliser`, of what `draw` tends to with many candidates; it rests on mosaics that
    are drawn by `seed`.
    """
    label, where, names = np.asarray(label, dtype=str), pick_device(device), model["labels"]
    code = _codes(model, label)
    learnt, fitted = learnt.to(where).tempered(temperature), fitted.to(where)
    logs = prior.log_probability(learnt, store, people, label)
    seen = features.of_people(fitted, store, people)
    score = reranker.scores(model, (*seen, torch.from_numpy(code)), where).cpu().numpy()
    drawn = _sketches(learnt, fitted, np.repeat(names, NORMALISING), names, generator(where, seed, 32))
    against = guidance * reranker.scores(model, drawn, where).cpu().numpy()
    against = reranker.log_normaliser(against, drawn[2].cpu().numpy(), len(names))
    logs += guidance * score - against[code]
    return np.repeat(-logs / learnt.copies, learnt.copies)


def draw(
    learnt: Mosaics,
    model: dict[str, Any],
    fitted: Sketch,
    label: np.ndarray,
    *,
    seed: int,
    shard: int = 0,
    steps: int = 1,
    candidates: int = 64,
    guidance: float = 1.0,
    temperature: float = 1.0,
    device: str = "auto",
) -> np.ndarray:
    """One person per label, str (people,): symbols int8 (variants, copies * people).

    `guidance` multiplies g: 0 draws plain mosaics, whatever the candidates; `temperature` is theirs (see hmm.py).
    Raises ValueError for other settings or an unknown label.
    """
    if steps < 1 or candidates < 1:
        raise ValueError(f"{steps} steps of {candidates} candidates; give 1 or more of each")
    label, copies, where = np.asarray(label, dtype=str), learnt.copies, pick_device(device)
    learnt, fitted = learnt.to(where).tempered(temperature), fitted.to(where)
    code = torch.from_numpy(_codes(model, label)).to(where)
    drawn = np.empty((learnt.variants, copies * len(label)), np.int8)
    size = max(1, HELD[where.type] // (learnt.variants * copies * candidates))
    began = logged = time.monotonic()
    for start in range(0, len(label), size):
        part = slice(start, min(start + size, len(label)))
        rng = generator(where, seed, 30, shard, start)
        choose = partial(_choose, model, fitted, guidance, candidates, code[part], rng)
        found = _people(learnt, label[part], choose, steps, candidates, rng)
        drawn[:, copies * part.start : copies * part.stop] = found.cpu().numpy()
        if time.monotonic() - logged > LOG_EVERY:
            logged = time.monotonic()
            left = (logged - began) / part.stop * (len(label) - part.stop)
            log.info("%d of %d people drawn; %.0f s left", part.stop, len(label), left)
    return drawn


def _people(
    learnt: Mosaics,
    label: np.ndarray,
    choose: Callable[[Tensor], Tensor],
    steps: int,
    candidates: int,
    rng: torch.Generator,
) -> Tensor:
    """Symbols int8 (variants, copies * people); `choose` says which candidate of each person is kept."""
    copies, everybody = learnt.copies, torch.arange(len(label), device=learnt.device)
    ancestry = learnt.ancestries(np.repeat(label, candidates), rng)
    symbols = prior.draw(learnt, ancestry, rng).reshape(-1, len(label), candidates, copies)
    kept = choose(symbols)
    people = symbols[:, everybody, kept]
    ancestry = ancestry.reshape(-1, candidates)[everybody, kept]  # seen from the first step on
    rank, units = _order(learnt, len(label), rng)
    for step in range(1, steps):
        visible, before = rank < units * step / steps, people.reshape(len(people), -1)
        symbols = prior.complete(learnt, before, visible, ancestry, candidates, rng)
        symbols = symbols.reshape(-1, len(label), copies, candidates).transpose(2, 3)
        people = symbols[:, everybody, choose(symbols)]
    return people.reshape(len(people), -1)


def _choose(
    model: dict[str, Any],
    fitted: Sketch,
    guidance: float,
    candidates: int,
    code: Tensor,
    rng: torch.Generator,
    symbols: Tensor,
) -> Tensor:
    """One of the candidates (variants, people, candidates, copies) of each person, in proportion to exp(g)."""
    coordinates, counts = fitted.of(symbols[fitted.sites].reshape(len(fitted.sites), -1))
    score = reranker.scores(model, (coordinates, counts, code.repeat_interleave(candidates)), code.device)
    score = guidance * score.reshape(-1, candidates)
    # Gumbel's trick: the largest of log weights, each with noise of its own.
    noise = torch.empty_like(score).exponential_(generator=rng).log_()
    return (score - noise).argmax(1)


def _sketches(
    learnt: Mosaics, fitted: Sketch, label: np.ndarray, names: list[str], rng: torch.Generator
) -> reranker.Sketches:
    """Sketches of mosaics of these labels (n,), with the codes of the labels."""
    size = max(1, HELD[learnt.device.type] // (learnt.variants * learnt.copies))
    parts = []
    for start in range(0, len(label), size):
        symbols = prior.draw(learnt, learnt.ancestries(label[start : start + size], rng), rng)
        parts.append(fitted.of(symbols[fitted.sites]))
    coordinates, counts = (torch.cat(one) for one in zip(*parts, strict=True))
    return coordinates, counts, torch.from_numpy(np.searchsorted(names, label)).to(learnt.device)


def _codes(model: dict[str, Any], label: np.ndarray) -> np.ndarray:
    """Codes of labels (n,) in the model; ValueError for an unknown one."""
    if unknown := sorted(set(label.tolist()) - set(model["labels"])):
        raise ValueError(f"no training person has the label {unknown[0]}")
    return np.searchsorted(model["labels"], label)


def _order(learnt: Mosaics, people: int, rng: torch.Generator) -> tuple[Tensor, int]:
    """When each segment of each sequence is seen (segments, copies * people), of so many units of a person."""
    block, blocks = [], 0
    for one, _, _ in learnt.parts():
        block.append(blocks + torch.arange(len(one.leave), device=learnt.device) // BLOCK)
        blocks = int(block[-1][-1]) + 1
    units = blocks * learnt.copies
    rank = torch.rand((people, units), generator=rng, device=learnt.device).argsort(1)
    rank = rank.reshape(people, blocks, learnt.copies)
    return rank[:, torch.cat(block)].transpose(0, 1).reshape(-1, people * learnt.copies), units
