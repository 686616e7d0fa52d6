"""Samples of unlinked variants: each variant by itself, given where a sequence lies on axes of ancestry.

What prior.py is where variants are linked:

    p0(sample | label) = product over the sample's sequences of  integral over places z: N(z | label)
                         * product over the variants of p(symbol | z).

Clusters of haplotypes have nothing to hold on to where there is no linkage, and this is likelier. The model is that of
ancestry_factors.py, which fits it. Given its place, what is hidden of a sequence does not depend on what is visible.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Self

import numpy as np
import torch
from torch import Tensor

from syngeno import streams
from syngeno.data import sequences
from syngeno.data.store import CHUNK, Store
from syngeno.models import independent
from syngeno.models.ancestry_factors import AncestryFactors, Clouds, Variants, log_p
from syngeno.models.base import TrainingData
from syngeno.models.haplotype import hmm
from syngeno.models.haplotype.prior import Origins
from syngeno.models.haplotype.proportions import Components

SETTINGS = {"shrinkage": 1.0, "residual": 0.0}  # of ancestry_factors
MOST = 10_000  # training sequences, whose products with each other are held


@dataclass(frozen=True)
class Unlinked:
    """The model. It has what `prior.Prior` has, but the `q` of an origin are the places of a sample's sequences.

    Attributes:
        components: of labels, one each, of one ancestry.
        clouds: where their sequences lie, in the order of components.
        frequencies: of all variants, by places.
        lengths: variants of each chromosome; each is a segment.
        alphabet: 2: haplotypes, two of a sample; 3: dosages, one sequence of a sample.
        temperature: see `tempered`.
    """

    components: Components
    clouds: Clouds
    frequencies: Variants
    lengths: list[int]
    alphabet: int
    temperature: float = 1.0

    linked = False
    device = torch.device("cpu")

    @classmethod
    def fit(cls, data: TrainingData, *, seed: int) -> Self:
        """The axes, as many as validation samples ask for, and what labels and variants are on them."""
        model = AncestryFactors.fit(data, SETTINGS, seed=seed)
        clouds, frequencies = model.fitted()
        label = np.unique(data.label)
        components = Components.of_one_ancestry(label, np.ones(len(label)))
        lengths = [one.stop - one.start for one in sequences.chromosomes(data.store)]
        return cls(components, clouds, frequencies, lengths, sequences.alphabet(data.store))

    @property
    def per_sample(self) -> int:
        """Sequences of a sample."""
        return 2 if self.alphabet == 2 else 1

    @property
    def variants(self) -> int:
        """Variants of all chromosomes."""
        return sum(self.lengths)

    @property
    def chosen(self) -> dict[str, int]:
        """What validation samples chose."""
        return {"axes": self.clouds.mean.shape[1]}

    def to(self, device: torch.device) -> Self:
        """The same; all of it is for a CPU."""
        return self

    def tempered(self, temperature: float) -> Self:
        """The same, with each symbol by p ** (1 / temperature), and places by their density to this power, alike."""
        clouds = Clouds(self.clouds.mean, self.clouds.root * np.sqrt(temperature))
        return replace(self, clouds=clouds, temperature=temperature)

    def asked(self, proportions: Mapping[str, Mapping[str, float]]) -> Self:
        """The same; BadInput where proportions of ancestries are asked for, of which there is one."""
        return replace(self, components=self.components.asked(proportions))

    def origins(self, label: np.ndarray, rng: torch.Generator) -> Origins:
        """An origin of each label, str (n,), drawn; ValueError for an unknown label."""
        random = np.random.default_rng(hmm.states(1, rng))
        component, _ = self.components.draw(label, random)
        place = self.clouds.drawn(component.repeat(self.per_sample), random)
        return Origins(component, place.reshape(len(component), -1))

    def draw(self, origins: Origins, rng: torch.Generator) -> Tensor:
        """Samples of these origins (n,): symbols int8 (variants, per_sample * n)."""
        return self._drawn(*self._placed(origins), rng)

    def complete(self, symbols: Tensor, visible: Tensor, origins: Origins, times: int, rng: torch.Generator) -> Tensor:
        """Draw what is hidden; see `prior.Prior.complete`."""
        drawn = self._drawn(*(each.repeat(times, axis=0) for each in self._placed(origins)), rng)
        visible, symbols = (part.repeat_interleave(times, dim=1) for part in (visible, symbols))
        return torch.where(visible, symbols, drawn)

    def paths(self, symbols: Tensor, origins: Origins, rng: torch.Generator) -> tuple[Tensor, Tensor]:
        """No cluster and one ancestry, along each chromosome: zeros (chromosomes, per_sample * n), twice."""
        zeros = torch.zeros((len(self.lengths), symbols.shape[1]), dtype=torch.int8)
        return zeros, zeros

    def tracts(self, ancestry: np.ndarray) -> np.ndarray:
        """Tracts of sequences, whole chromosomes; see `prior.Prior.tracts`."""
        sequence, chromosome = np.indices(ancestry.T.shape).reshape(2, -1)
        last = np.cumsum(self.lengths)[chromosome] - 1
        first = last + 1 - np.array(self.lengths)[chromosome]
        return np.column_stack([sequence, first, last, ancestry[chromosome, sequence]])

    def proportions(self, origins: Origins) -> np.ndarray:
        """Of the one ancestry: float64 (n, 1)."""
        return np.ones((len(origins.component), 1))

    def log_probability(self, store: Store, rows: np.ndarray, label: np.ndarray, *, seed: int) -> np.ndarray:
        """log p0 of samples (rows of the store) given their labels, float64 (n,); ValueError for an unknown label.

        Places are integrated out by importance sampling, from the `seed`.
        """
        component = np.array([self.components.of_label(name)[0] for name in np.asarray(label, dtype=str).tolist()], int)
        parts, first = [], 0
        for symbols in sequences.chunks(store, rows):
            parts.append((self.frequencies.between(first, first + len(symbols)), symbols))
            first += len(symbols)
        rng = streams.rng("unlinked_likelihood", seed)
        logs = log_p(self.clouds, self.alphabet, component.repeat(self.per_sample), parts, rng)
        return logs.reshape(len(component), self.per_sample).sum(1)

    def _placed(self, origins: Origins) -> tuple[np.ndarray, np.ndarray]:
        """Places of sequences (per_sample * n, k), and their labels' codes."""
        code = origins.component.repeat(self.per_sample)
        return origins.q.reshape(len(code), -1), code

    def _drawn(self, place: np.ndarray, code: np.ndarray, rng: torch.Generator) -> Tensor:
        """Symbols (variants, n) of sequences at places (n, k), with labels' codes (n,)."""
        random = np.random.default_rng(hmm.states(1, rng))
        drawn = np.empty((self.variants, len(code)), np.int8)
        for first in range(0, len(drawn), CHUNK):
            part = drawn[first : first + CHUNK]
            f, d = self.frequencies.between(first, first + CHUNK).given(place, code)
            p = independent.given_frequencies(f, self.alphabet, d)
            if self.temperature != 1:
                p **= 1 / self.temperature
                p /= p.sum(2, keepdims=True)
            part[:] = sequences.draw_symbols(random, p.reshape(-1, self.alphabet)).reshape(part.shape)
        return torch.from_numpy(drawn)
