"""What classical generators share: they are the training genotypes, and what validation samples chose for them.

Nothing is learnt before it is needed, so a fitted model is a handful of numbers beside the data that it was fitted on.
"""

from __future__ import annotations

import json
import os
from abc import ABC, abstractmethod
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any, ClassVar, Self

import numpy as np

from syngeno import streams
from syngeno.data import sequences
from syngeno.errors import BadInput
from syngeno.models.base import Drawn, TrainingData

if TYPE_CHECKING:
    from syngeno.training.checkpoint import Checkpoint


class Classical(ABC):
    """A classical generator, see `base.Generator`.

    Attributes:
        name: of the streams of random numbers, `{name}_validation` and `{name}_sampling`; a kind's own, or shared.
        data, settings, chosen, threads: training and validation samples, complete settings, what validation samples
            chose, and threads that `log_prob` may use.
        history: empty, nothing is trained step by step.
    """

    name: ClassVar[str] = "classical"

    def __init__(
        self, data: TrainingData, settings: Mapping[str, Any], chosen: Mapping[str, Any], *, threads: int = 1
    ) -> None:
        self.data, self.settings, self.chosen, self.threads = data, settings, dict(chosen), threads
        self.history: list[dict[str, float]] = []

    @classmethod
    def fit(
        cls,
        data: TrainingData,
        settings: Mapping[str, Any],
        *,
        seed: int,
        threads: int = 1,
        checkpoint: Checkpoint | None = None,
    ) -> Self:
        """Let validation samples choose."""
        model = cls(data, settings, {}, threads=threads)
        model.chosen = model.choose(seed)
        return model

    def save(self, path: Path) -> None:
        """Write what was chosen, and the fingerprint of the data that it was chosen on, as JSON."""
        content = {"fitted_on": self.data.fingerprint(), "chosen": self.chosen}
        temporary = Path(path).with_name(f"{Path(path).name}.part")
        temporary.write_text(json.dumps(content, indent=2) + "\n")
        os.replace(temporary, path)

    @classmethod
    def load(cls, path: Path, data: TrainingData, settings: Mapping[str, Any], *, threads: int = 1) -> Self:
        """What `save` wrote; BadInput for a file that is missing, foreign or was fitted on other data."""
        if not Path(path).is_file():
            raise BadInput(path, "no such file", "run the fit stage first")
        try:
            content = json.loads(Path(path).read_text())
            fitted_on, chosen = content["fitted_on"], content["chosen"]
        except (ValueError, KeyError, TypeError) as error:
            raise BadInput(path, "holds no fitted model", "delete it and run the fit stage again") from error
        if fitted_on != data.fingerprint():
            raise BadInput(path, "was fitted on other data", "delete it and run the fit stage again")
        return cls(data, settings, chosen, threads=threads)

    def sample(self, label: np.ndarray, *, seed: int, shard: int = 0) -> Drawn:
        """See `base.Generator`."""
        rng = streams.rng(f"{self.name}_sampling", seed, shard)
        drawn, store = self.draw(self.groups(label), rng), self.data.store
        return Drawn((sequences.as_calls(store, symbols) for symbols in drawn), store.phased)

    @abstractmethod
    def choose(self, seed: int) -> dict[str, Any]:
        """What validation samples choose, numbers that JSON can hold."""

    @abstractmethod
    def draw(self, groups: sequences.Groups, rng: np.random.Generator) -> Iterator[np.ndarray]:
        """Symbols of the asked sequences, int8 (v, sequences), chunk by chunk in the store's order."""

    def groups(self, label: np.ndarray) -> sequences.Groups:
        """Which training sequences those of samples of these labels (n,) are modelled by."""
        return sequences.grouped(self.data.store, self.data.label, label, self.settings.get("pooled", False))

    def chunks(self, rows: np.ndarray | None = None) -> Iterator[np.ndarray]:
        """Sequences of samples, the training samples if none are given, chunk by chunk (see `sequences.chunks`)."""
        return sequences.chunks(self.data.store, self.data.rows if rows is None else rows)

    def validation(self, seed: int, most: int) -> tuple[np.ndarray, np.ndarray]:
        """Rows and labels of at most so many validation samples, drawn by the seed."""
        rng = streams.rng(f"{self.name}_validation", seed)
        chosen = np.sort(rng.permutation(len(self.data.validation_rows))[:most])
        return self.data.validation_rows[chosen], self.data.validation_label[chosen]
