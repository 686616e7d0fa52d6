"""Diffusion of genotypes that are encoded gene by gene, as a generator (Kenneweg et al., Bioinformatics 2025)."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any, Self

import numpy as np
import torch

from syngeno import streams
from syngeno.data import vcf
from syngeno.models.base import Drawn, TrainingData
from syngeno.models.latent import denoising, encoder, losses
from syngeno.training import loop


class LatentDiffusion:
    """A denoiser of latents, its `model` (see denoising.py); see `base.Generator`.

    `data.files` holds `encoder` (encoder.py's .npz) and `latents`, an .npz of what `fit` learns from: `train`,
    `validation` (n, blocks, components), their label codes `train_label`, `validation_label` (n,) into `labels`, and
    `mask` (blocks, components).
    """

    def __init__(
        self,
        model: dict[str, Any],
        data: TrainingData,
        settings: Mapping[str, Any],
        history: list[dict[str, float]] | None = None,
    ) -> None:
        self.model, self.data, self.sampler = model, data, settings["sampler"]
        self.encoder = encoder.load(data.files["encoder"], data.store.fingerprint())
        self.history = history or []
        kept = [row for row in self.history if row["kept"]]
        self.chosen = {"epoch": kept[-1]["epoch"], "validation_loss": kept[-1]["validation_loss"]} if kept else {}

    @classmethod
    def fit(
        cls, data: TrainingData, settings: Mapping[str, Any], *, seed: int, threads: int, checkpoint: loop.Checkpoint
    ) -> Self:
        """Train the denoiser on the training samples' latents."""
        torch.set_num_threads(threads)
        with np.load(data.files["latents"]) as latents:
            model, history = denoising.train(
                latents["train"],
                latents["train_label"],
                latents["mask"],
                latents["labels"].tolist(),
                validation=(latents["validation"], latents["validation_label"]),
                settings={part: settings[part] for part in ("denoiser", "diffusion", "training", "max_membership_auc")},
                seed=seed,
                checkpoint=checkpoint,
            )
        return cls(model, data, settings, history)

    def save(self, path: Path) -> None:
        """Write the denoiser and the fingerprint of the data; the encoder stays in its own file."""
        loop.save(Path(path), {**self.model, "trained_on": self.data.fingerprint()})

    @classmethod
    def load(cls, path: Path, data: TrainingData, settings: Mapping[str, Any], *, threads: int) -> Self:
        """What `save` wrote; BadInput for a file that is foreign or was fitted on other data."""
        torch.set_num_threads(threads)
        return cls(loop.load_fitted(path, denoising.FORMAT, data.fingerprint()), data, settings)

    def sample(self, label: np.ndarray, *, seed: int, shard: int) -> Drawn:
        """See `base.Generator`."""
        if unknown := set(label.tolist()) - set(self.data.label.tolist()):
            raise ValueError(f"no training sample has the label '{min(unknown)}'")
        latents = denoising.sample(self.model, self._codes(label), self.sampler, seed=seed, shard=shard)
        dosages = encoder.decode(self.encoder, latents, streams.rng("latent_decoding", seed, shard))
        return Drawn(vcf.unphased_calls(dosages), phased=False, latents=latents)

    def member_score(self, rows: np.ndarray, label: np.ndarray, *, seed: int) -> np.ndarray:
        """Minus the denoising loss of samples (rows of the store), float64 (n,); see losses.py."""
        latents = encoder.encode(self.encoder, self.data.store.dosage_columns(rows))
        return -losses.losses(self.model, latents, self._codes(label), seed)

    def _codes(self, label: np.ndarray) -> np.ndarray:
        if unknown := set(label.tolist()) - set(self.model["labels"]):
            raise ValueError(f"the cohort has no label '{min(unknown)}'")
        return np.searchsorted(self.model["labels"], label)
