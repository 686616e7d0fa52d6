"""What a generator is: fitted on training samples alone, it draws samples of the labels that it is asked for."""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from importlib import import_module
from pathlib import Path
from typing import TYPE_CHECKING, Any, Protocol, Self

import numpy as np

from syngeno.data import genetic_map
from syngeno.data.local_ancestry import LocalAncestry
from syngeno.data.samples import read_samples
from syngeno.data.store import Store

if TYPE_CHECKING:
    from syngeno.training.checkpoint import Checkpoint


@dataclass(frozen=True, eq=False)
class TrainingData:
    """What a generator is fitted on.

    Attributes:
        store: the prepared cohort, of which a fit reads training and validation samples only.
        rows, label: the training samples: their rows of the store, int (n,), and labels, str (n,).
        validation_rows, validation_label: the same of validation samples, which choose settings and epochs.
        centimorgans: places of the store's variants on the genetic map, float64 (variants,), 1 cM/Mb without one.
        files: by name, what the kind `needs` (see catalogue.py) beside the genotypes.
    """

    store: Store
    rows: np.ndarray
    label: np.ndarray
    validation_rows: np.ndarray
    validation_label: np.ndarray
    centimorgans: np.ndarray
    files: Mapping[str, Path] = field(default_factory=dict)

    @classmethod
    def of(cls, store: Store, source: Mapping[str, str], needs: Iterable[str] = ()) -> Self:
        """By a rule's input: tables of all `samples` and of the `training` ones, `genetic_map` or none, and `needs`."""
        samples, training = read_samples(source["samples"]), read_samples(source["training"])
        known = training, samples[samples["split"] == "validation"]
        sets = [part for table in known for part in (store.rows(table.index), table["label"].to_numpy(str))]
        places = genetic_map.places(store.contig, store.position, source.get("genetic_map"))
        return cls(store, *sets, places, {name: Path(source[name]) for name in needs})

    def fingerprint(self) -> str:
        """Hash of all that a model is fitted on: which samples and variants, and the files beside them."""
        digest = hashlib.sha256(self.store.fingerprint().encode())
        for part in (self.rows, self.validation_rows):
            digest.update(np.asarray(part, dtype=np.int64).tobytes())
        for part in (self.label, self.validation_label):
            digest.update("\n".join(part.tolist()).encode())
        for name in sorted(self.files):
            digest.update(self.files[name].read_bytes())
        return digest.hexdigest()


@dataclass(frozen=True, eq=False)
class Drawn:
    """Samples as they were drawn.

    `calls` are int8 (v, n, 2), chunk by chunk of `store.CHUNK` variants; `latents`, float32 (n, blocks, components), of
    samples that were drawn in the encoder's space; `local_ancestry` where it is asked for and the kind has `admixture`.
    """

    calls: Iterator[np.ndarray]
    phased: bool
    latents: np.ndarray | None = None
    local_ancestry: LocalAncestry | None = None


class Generator(Protocol):
    """A generator, as the rules fit, draw from, score and attack it.

    Attributes:
        chosen: what validation samples chose, for the model card; after `fit`.
        history: a row per epoch, empty where nothing is trained step by step; after `fit`.
    """

    chosen: dict[str, Any]
    history: list[dict[str, float]]

    @classmethod
    def fit(
        cls, data: TrainingData, settings: Mapping[str, Any], *, seed: int, threads: int, checkpoint: Checkpoint
    ) -> Self:
        """Fit on the training samples, going on from `checkpoint`; `settings` are complete, by the schema."""

    def save(self, path: Path) -> None:
        """Write all that `load` needs beside the data, as one file, whole or not at all."""

    @classmethod
    def load(cls, path: Path, data: TrainingData, settings: Mapping[str, Any], *, threads: int) -> Self:
        """What `save` wrote, to be sampled by `settings`; BadInput for a file that is foreign or of other data."""

    def sample(self, label: np.ndarray, *, seed: int, shard: int) -> Drawn:
        """A sample of each label, str (n,); shards count from 0 and draw from streams of their own.

        Where the kind has `admixture`, it also takes whether `local_ancestry` is asked for, and `proportions` (see
        `haplotype.proportions.Components.asked`). Raises ValueError for a label that no training sample has.
        """

    def log_prob(self, rows: np.ndarray, label: np.ndarray, *, seed: int) -> np.ndarray:
        """log p(sequence | label) of samples (rows of the store), in nats, float64, where the kind has `likelihood`.

        One number per haplotype, those of a sample side by side, or one per sample where phase is not known.
        """

    def member_score(self, rows: np.ndarray, label: np.ndarray, *, seed: int) -> np.ndarray:
        """Scores of samples (rows of the store), float64 (n,): the higher, the likelier they were trained on.

        Where the kind has `whitebox` and no likelihood, which is the score where there is one.
        """


def generator_class(model: str) -> type[Generator]:
    """The class of a kind's `model` (see catalogue.py)."""
    module, _, name = model.partition(":")
    return getattr(import_module(f"syngeno.models.{module}"), name)
