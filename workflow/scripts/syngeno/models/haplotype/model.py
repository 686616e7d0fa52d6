"""Masked diffusion over samples: segments hidden until nothing is visible, and brought back block by block.

Forwards, blocks of segments of a sample x_0 are hidden one after the other, in random order; x_t is what is visible at
time t. Backwards, the hidden is drawn given the visible from

    p(x_0 | x_t) ~ p0(x_0 | x_t) exp(weight g(x_0)),

p0 of prior.py, exactly, and g of reranker.py, by sampling and importance resampling: of `candidates` draws
x_0^(i) ~ p0(. | x_t), one is kept with probability exp(weight g(x_0^(i))) / sum_j exp(weight g(x_0^(j))). After step s
of `steps`, a share s / steps of the kept one's blocks is visible to the next step. So a step draws all blocks jointly,
one step is a sampler already, and a sample costs steps * candidates evaluations of the network; the more candidates,
the nearer are the draws to p (Austin et al., NeurIPS 2021; Xu et al., ICLR 2025).
"""

from __future__ import annotations

import logging
from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any, Self

import numpy as np
import torch
from torch import Tensor

from syngeno import progress, streams
from syngeno.data import sequences
from syngeno.data.local_ancestry import LocalAncestry
from syngeno.models.base import Drawn, TrainingData
from syngeno.models.haplotype import features, fitted, reranker
from syngeno.models.haplotype.features import FeatureMap
from syngeno.models.haplotype.prior import Origins, Prior
from syngeno.models.haplotype.unlinked import Unlinked
from syngeno.training import loop
from syngeno.training.device import generator, pick_device

log = logging.getLogger(__name__)

FORMAT = "syngeno haplotype diffusion 2"
UNUSED = {"steps": 1, "candidates": 1, "reranker_weight": 0}  # the sampler without the reranker
BLOCK = 10  # segments that are hidden together
CONTRASTED, VALIDATED = 20, 2  # mosaics for each training sample, to train the reranker with, and to validate it with
NORMALISING = 1000  # mosaics of each label
HELD = {"cpu": 1 << 27, "cuda": 1 << 30}  # bytes of candidates at a time


class HaplotypeDiffusion:
    """See the module and `base.Generator`.

    Attributes:
        prior: mosaics of clusters, or unlinked variants, at the temperature of the sampler.
        network, features: the trained reranker (see `reranker.train`) and its summary features.
        data: what it is fitted on, the cohort as its `space` views it.
        sampler: how samples are drawn, as in the schema; in one step without the reranker, where it is not used.
        trained_on: fingerprint of the data.
        chosen: `number_of_clusters` and `number_of_ancestries`, or the number of `axes`; and the `epoch` of the
            reranker, where validation samples chose it and it is used.
        history: of the reranker, a row per epoch; empty after `load`.
    """

    def __init__(
        self,
        mosaics: Prior | Unlinked,
        network: dict[str, Any],
        summary: FeatureMap,
        data: TrainingData,
        sampler: Mapping[str, Any],
        *,
        threads: int = 1,
        device: torch.device | str = "auto",
    ) -> None:
        self.trained_on, self.chosen, self.history = "", {}, []
        self.prior = mosaics.to(pick_device(device)).tempered(sampler["temperature"])
        self.device = self.prior.device
        self.network, self.features = network, summary.to(self.device)
        self.data, self.store, self.threads = data, data.store, threads
        # A reranker that distinguishes nothing would choose among candidates by chance, and narrow what they are like.
        self.sampler = sampler if network["used"] else {**sampler, **UNUSED}
        if not mosaics.linked:  # where there are no haplotypes there are no long runs of them
            self.sampler = {**self.sampler, "shared_by": None}

    @classmethod
    def fit(
        cls,
        data: TrainingData,
        settings: Mapping[str, Any],
        *,
        seed: int,
        threads: int = 1,
        checkpoint: loop.Checkpoint,
        device: torch.device | str = "auto",
    ) -> Self:
        """Train the reranker against mosaics of the clusters in `data.files`."""
        torch.set_num_threads(threads)
        store, mosaics = sequences.viewed(data.store, settings["space"]), fitted.load(data.files["clusters"])
        mosaics, sites = mosaics.to(pick_device(device)), sequences.thinned(len(store), features.SITES)
        where = mosaics.device
        symbols = sequences.at(store, data.rows, sites)
        summary = features.fit(symbols, sites, mosaics.per_sample, settings["reranker"]["components"]).to(where)
        labels = np.unique(data.label).tolist()
        rng = generator(where, *streams.entropy("haplotype_contrast", seed))

        def real(symbols: np.ndarray, label: np.ndarray) -> reranker.Features:
            code = torch.from_numpy(np.searchsorted(labels, label)).to(where)
            return *summary.of(torch.from_numpy(symbols).to(where)), code

        log.info("drawing mosaics to compare with")
        contrast, held = (
            _features_of_mosaics(mosaics, summary, np.tile(data.label, times), labels, rng)
            for times in (CONTRASTED, VALIDATED)
        )
        validation = real(sequences.at(store, data.validation_rows, sites), data.validation_label)
        network, history = reranker.train(
            real(symbols, data.label),
            contrast,
            labels,
            validation=(validation, held) if len(data.validation_rows) else None,
            settings={**settings["reranker"], "max_membership_auc": settings["max_membership_auc"]},
            seed=seed,
            checkpoint=checkpoint,
        )
        model = cls(
            mosaics, network, summary, replace(data, store=store), settings["sampler"], threads=threads, device=where
        )
        model.trained_on, model.history = data.fingerprint(), history
        model.chosen = mosaics.chosen
        kept = [row["epoch"] for row in history if row["kept"]] if network["used"] else []
        model.chosen |= {"epoch": kept[-1]} if kept else {}
        return model

    def save(self, path: Path) -> None:
        """Write the reranker, its features and what was chosen, atomically; the clusters have a file of their own."""
        summary = vars(self.features.to(torch.device("cpu")))
        content = {"format": FORMAT, "trained_on": self.trained_on, "chosen": self.chosen}
        loop.save(Path(path), content | {"network": self.network, "features": summary})

    @classmethod
    def load(
        cls,
        path: Path,
        data: TrainingData,
        settings: Mapping[str, Any],
        *,
        threads: int = 1,
        device: torch.device | str = "auto",
    ) -> Self:
        """What `save` wrote; BadInput if it is missing, foreign or was trained on other data (clusters included)."""
        torch.set_num_threads(threads)
        content = loop.load_fitted(path, FORMAT, data.fingerprint())
        mosaics, summary = fitted.load(data.files["clusters"]), FeatureMap(**content["features"])
        data = replace(data, store=sequences.viewed(data.store, settings["space"]))
        model = cls(mosaics, content["network"], summary, data, settings["sampler"], threads=threads, device=device)
        model.trained_on, model.chosen = content["trained_on"], content["chosen"]
        return model

    def sample(self, label: np.ndarray, *, seed: int, shard: int = 0, **asked: Any) -> Drawn:
        """See `base.Generator`; what is `asked` for as of `draw`."""
        symbols, found = self.draw(label, seed=seed, shard=shard, **asked)
        return Drawn(sequences.call_chunks(self.store, symbols), self.store.phased, local_ancestry=found)

    def draw(
        self,
        label: np.ndarray,
        *,
        seed: int,
        shard: int = 0,
        local_ancestry: bool = False,
        proportions: Mapping[str, Mapping[str, float]] | None = None,
    ) -> tuple[np.ndarray, LocalAncestry | None]:
        """Symbols int8 (variants, per_sample * n) of a sample of each label, str (n,), and their ancestry if asked for.

        Samples of some labels have just the `proportions` of ancestries that are asked for (see `Components.asked`).
        Ancestry is drawn given the symbols, which are the same without: both together are as if drawn at once.
        """
        label, per_sample = np.asarray(label, dtype=str), self.prior.per_sample
        mosaics, tracts = self.prior.asked(proportions or {}), []
        code = torch.from_numpy(self._codes(label)).to(self.device)
        n, by_rule = per_sample * len(label), self.sampler["shared_by"] is not None
        drawn, segments = np.empty((self.prior.variants, n), np.int8), self.prior.segments if by_rule else 0
        path, weights = (np.empty((segments, n), kind) for kind in (np.int16, np.int32))
        each = self.prior.variants * per_sample * self.sampler["candidates"]
        for part in progress.batches(log, len(label), max(1, HELD[self.device.type] // each), "drawn"):
            rng = generator(self.device, *streams.entropy("haplotype_sampling", seed, shard + 1, part.start))
            symbols, origins = self._denoise(mosaics, label[part], code[part], rng)
            columns = slice(per_sample * part.start, per_sample * part.stop)
            drawn[:, columns] = symbols.cpu().numpy()
            if by_rule or local_ancestry:
                clusters, ancestry = (part.cpu().numpy() for part in mosaics.paths(symbols, origins, rng))
            if by_rule:
                path[:, columns], weights[:, columns] = clusters, mosaics.weights(origins, ancestry)
            if local_ancestry:
                known = mosaics.components.names, mosaics.proportions(origins), mosaics.tracts(ancestry), per_sample
                tracts.append(LocalAncestry(*known))
        if by_rule:  # segments are drawn again from clusters of their ancestry, which so stays as it is
            from syngeno.models.haplotype import sharing  # numba need not be there where the rule is not asked for

            rule = sharing.Rule.of(self.sampler["longer_than"], self.sampler["shared_by"], len(self.data.rows))
            how = {"seed": seed, "shard": shard, "threads": self.threads}
            sharing.enforce_along(self.prior.parts(), drawn, path, weights, self.data, rule, **how)
        return drawn, LocalAncestry.joined(tracts) if local_ancestry else None

    def log_prob(self, rows: np.ndarray, label: np.ndarray, *, seed: int) -> np.ndarray:
        """log p of samples (rows of the store) given their labels: float64 (per_sample * n,), shared out alike.

        A lower bound (see `reranker.log_normaliser`, by mosaics of the `seed`) of what `sample` tends to.
        """
        code, labels, weight = self._codes(label), self.network["labels"], self.sampler["reranker_weight"]
        log_p = self.prior.log_probability(self.store, rows, label, seed=seed)
        summary = self.features.of_samples(self.store, rows)
        score = reranker.scores(self.network, (*summary, torch.from_numpy(code)), self.device).cpu().numpy()
        rng = generator(self.device, *streams.entropy("haplotype_normaliser", seed))
        drawn = _features_of_mosaics(self.prior, self.features, np.repeat(labels, NORMALISING), labels, rng)
        of_drawn = weight * reranker.scores(self.network, drawn, self.device).cpu().numpy()
        log_z = reranker.log_normaliser(of_drawn, drawn[2].cpu().numpy(), len(labels))
        log_p += weight * score - log_z[code]
        return np.repeat(log_p / self.prior.per_sample, self.prior.per_sample)

    def _codes(self, label: np.ndarray) -> np.ndarray:
        label = np.asarray(label, dtype=str)
        if unknown := sorted(set(label.tolist()) - set(self.network["labels"])):
            raise ValueError(f"no training sample has the label {unknown[0]}")
        return np.searchsorted(self.network["labels"], label)

    def _denoise(
        self, mosaics: Prior | Unlinked, label: np.ndarray, code: Tensor, rng: torch.Generator
    ) -> tuple[Tensor, Origins]:
        """Symbols (variants, per_sample * n) of samples, and their origins."""
        per_sample, candidates = mosaics.per_sample, self.sampler["candidates"]
        origins = mosaics.origins(np.repeat(label, candidates), rng)
        symbols = mosaics.draw(origins, rng).reshape(-1, len(label), candidates, per_sample)
        number, choice = torch.arange(len(label), device=self.device), self._choose(symbols, code, rng)
        kept = symbols[:, number, choice]
        origins = origins.some((candidates * number + choice).cpu().numpy())  # visible from the first step on
        rank, units = _order(mosaics, len(label), rng)
        for step in range(1, self.sampler["steps"]):
            visible, before = rank < units * step / self.sampler["steps"], kept.reshape(len(kept), -1)
            symbols = mosaics.complete(before, visible, origins, candidates, rng)
            symbols = symbols.reshape(-1, len(label), per_sample, candidates).transpose(2, 3)
            kept = symbols[:, number, self._choose(symbols, code, rng)]
        return kept.reshape(len(kept), -1), origins

    def _choose(self, symbols: Tensor, code: Tensor, rng: torch.Generator) -> Tensor:
        """Which candidate of each sample is kept (n,), of (variants, n, candidates, per_sample), by exp(weight g)."""
        candidates, sites = symbols.shape[2], self.features.sites
        coordinates, counts = self.features.of(symbols[sites].reshape(len(sites), -1))
        score = reranker.scores(self.network, (coordinates, counts, code.repeat_interleave(candidates)), self.device)
        score = self.sampler["reranker_weight"] * score.reshape(-1, candidates)
        # Gumbel's trick: the largest of log weights, each with noise of its own.
        noise = torch.empty_like(score).exponential_(generator=rng).log_()
        return (score - noise).argmax(1)


def _features_of_mosaics(
    mosaics: Prior | Unlinked, summary: FeatureMap, label: np.ndarray, labels: list[str], rng: torch.Generator
) -> reranker.Features:
    size = max(1, HELD[mosaics.device.type] // (mosaics.variants * mosaics.per_sample))
    parts = []
    for start in range(0, len(label), size):
        symbols = mosaics.draw(mosaics.origins(label[start : start + size], rng), rng)
        parts.append(summary.of(symbols[summary.sites]))
    coordinates, counts = (torch.cat(part) for part in zip(*parts, strict=True))
    return coordinates, counts, torch.from_numpy(np.searchsorted(labels, label)).to(mosaics.device)


def _order(mosaics: Prior | Unlinked, samples: int, rng: torch.Generator) -> tuple[Tensor, int]:
    """When each segment of each sequence is uncovered (segments, per_sample * n), of so many units of a sample."""
    block, blocks = [], 0
    for length in mosaics.lengths:
        block.append(blocks + torch.arange(length, device=mosaics.device) // BLOCK)
        blocks = int(block[-1][-1]) + 1
    units = blocks * mosaics.per_sample
    rank = torch.rand((samples, units), generator=rng, device=mosaics.device).argsort(1)
    rank = rank.reshape(samples, blocks, mosaics.per_sample)
    return rank[:, torch.cat(block)].transpose(0, 1).reshape(-1, samples * mosaics.per_sample), units
