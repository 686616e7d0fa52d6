"""Samples as mosaics of ancestral haplotype clusters: what is expected of a sample when only its label is known.

    p0(sample | label) = sum over components c of the label: share(c) * integral over proportions q: Dirichlet(q | c)
                         * product over the sample's sequences and the chromosomes of p(sequence | clusters, c, q)

With one ancestry, a component is a subpopulation (see subpopulations.py), whose cluster weights all sequences of a
sample follow (see clusters.py). With more, sequences change between ancestries in tracts, by the sample's proportions
and the label's rate (see tracts.py and ancestry.py). Sequences are haplotypes, or dosages where phase is unknown or not
to be looked at.
"""

from __future__ import annotations

import logging
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, NamedTuple, Self

import numpy as np
import torch
from torch import Tensor

from syngeno import streams
from syngeno.data import sequences
from syngeno.data.store import Store
from syngeno.models.haplotype import hmm
from syngeno.models.haplotype.hmm import Clusters
from syngeno.models.haplotype.proportions import Components

if TYPE_CHECKING:  # tracts need numba, which need not be there where there are none
    from syngeno.models.haplotype.ancestry import Sequences
    from syngeno.models.haplotype.tracts import Admixture, Chain

log = logging.getLogger(__name__)

PROPORTIONS = "haplotype_proportions"  # stream of random numbers


class Origins(NamedTuple):
    """Whence samples are: the component of their label (n,), and their proportions of ancestries, float64 (n, A)."""

    component: np.ndarray
    q: np.ndarray

    def some(self, rows: np.ndarray) -> Self:
        """Of some of them, or of each again and again."""
        return type(self)(*(part[rows] for part in self))


@dataclass(frozen=True)
class Prior:
    """The mosaics.

    Attributes:
        chromosomes: the clusters of each chromosome, in order, with weights of each group in each ancestry.
        morgans: between segments of each chromosome.
        components: of labels.
        alphabet: 2: haplotypes, two of a sample; 3: dosages, one sequence of a sample.
    """

    chromosomes: list[Clusters]
    morgans: list[np.ndarray]
    components: Components
    alphabet: int

    linked = True

    @property
    def per_sample(self) -> int:
        """Sequences of a sample."""
        return 2 if self.alphabet == 2 else 1

    @property
    def variants(self) -> int:
        """Variants of all chromosomes."""
        return sum(chromosome.variants for chromosome in self.chromosomes)

    @property
    def lengths(self) -> list[int]:
        """Segments of each chromosome."""
        return [len(chromosome.switch) for chromosome in self.chromosomes]

    @property
    def segments(self) -> int:
        """Segments of all chromosomes."""
        return sum(self.lengths)

    @property
    def chosen(self) -> dict[str, int]:
        """How many clusters and ancestries there are, which validation samples may have chosen."""
        number = self.chromosomes[0].switch.shape[1]
        return {"number_of_clusters": number, "number_of_ancestries": self.components.ancestries}

    def parts(self) -> Iterator[tuple[Clusters, slice, slice]]:
        """Clusters of each chromosome, and where its variants and its segments lie among all."""
        variant = segment = 0
        for chromosome in self.chromosomes:
            ends = variant + chromosome.variants, segment + len(chromosome.switch)
            yield chromosome, slice(variant, ends[0]), slice(segment, ends[1])
            variant, segment = ends

    @property
    def device(self) -> torch.device:
        """Where the clusters lie."""
        return self.chromosomes[0].device

    @property
    def admixed(self) -> bool:
        """Whether there is more than one ancestry."""
        return self.components.ancestries > 1

    def to(self, device: torch.device) -> Prior:
        """The same, with the clusters on another device; tracts of ancestries are for a CPU."""
        if self.admixed:
            return self
        return replace(self, chromosomes=[chromosome.to(device) for chromosome in self.chromosomes])

    def tempered(self, temperature: float) -> Prior:
        """The same, with the clusters of each chromosome tempered (see hmm.py), tracts and proportions as they are."""
        return replace(self, chromosomes=[chromosome.tempered(temperature) for chromosome in self.chromosomes])

    def asked(self, proportions: Mapping[str, Mapping[str, float]]) -> Prior:
        """The same, with samples of some labels of these proportions; see, also for errors, `Components.asked`."""
        return replace(self, components=self.components.asked(proportions))

    def origins(self, label: np.ndarray, rng: torch.Generator) -> Origins:
        """An origin of each label, str (n,), drawn; ValueError for an unknown label."""
        return Origins(*self.components.draw(label, np.random.default_rng(hmm.states(1, rng))))

    def draw(self, origins: Origins, rng: torch.Generator) -> Tensor:
        """Samples of these origins (n,): symbols int8 (variants, per_sample * n)."""
        if self.admixed:
            from syngeno.models.haplotype import tracts

            admixture = self._admixture(origins)
            each = (tracts.walk(chain, admixture, self._states(origins, rng)).symbols for chain in self._chains())
            return torch.cat([torch.from_numpy(symbols) for symbols in each])
        group = self._group(origins)
        return torch.cat([hmm.walk(chromosome, group, rng) for chromosome in self.chromosomes])

    def complete(self, symbols: Tensor, visible: Tensor, origins: Origins, times: int, rng: torch.Generator) -> Tensor:
        """Draw what is hidden of samples given what is visible, `times` for each: int8 (v, times * per_sample * n).

        `symbols` (v, per_sample * n), `visible` bool (segments, per_sample * n), `origins` (n,). The draws of sequence
        i are the columns from times * i on.
        """
        return torch.cat([drawn for drawn, _, _ in self._completed(symbols, visible, origins, times, rng)])

    def paths(self, symbols: Tensor, origins: Origins, rng: torch.Generator) -> tuple[Tensor, Tensor]:
        """What samples (v, per_sample * n) may descend from, drawn: clusters, ancestries (segments, per_sample * n)."""
        visible = torch.ones((self.segments, symbols.shape[1]), dtype=torch.bool, device=self.device)
        each = self._completed(symbols, visible, origins, 1, rng)
        _, path, ancestry = zip(*each, strict=True)
        return torch.cat(path), torch.cat(ancestry)

    def tracts(self, ancestry: np.ndarray) -> np.ndarray:
        """Tracts of sequences by the ancestry of their segments (segments, n); see `local_ancestry.LocalAncestry`."""
        begins, first = np.ones(ancestry.shape, bool), np.empty(len(ancestry), np.int64)
        for chromosome, variants, segments in self.parts():
            own = ancestry[segments]
            begins[segments][1:] = own[1:] != own[:-1]
            first[segments] = variants.start + chromosome.edges[:-1]
        sequence, segment = np.nonzero(begins.T)
        start = first[segment]
        # Each ends before the next one begins; the last of a sequence before variant 0, which is the last of all.
        last = (np.roll(start, -1) - 1) % self.variants
        return np.column_stack([sequence, start, last, ancestry[segment, sequence]])

    def _completed(
        self, symbols: Tensor, visible: Tensor, origins: Origins, times: int, rng: torch.Generator
    ) -> Iterator[tuple[Tensor, Tensor, Tensor]]:
        """Symbols, clusters and ancestries of each chromosome."""
        if self.admixed:
            from syngeno.models.haplotype import tracts

            admixture, chains = self._admixture(origins), self._chains()
            for chain, (_, variants, segments) in zip(chains, self.parts(), strict=True):
                states = self._states(origins, rng)
                given = symbols[variants], visible[segments].numpy(), admixture
                yield tuple(map(torch.from_numpy, tracts.complete(chain, *given, times, states)))
            return
        group = self._group(origins)
        for chromosome, variants, segments in self.parts():
            drawn, path = hmm.complete(chromosome, symbols[variants], visible[segments], group, times, rng)
            yield drawn, path, torch.zeros_like(path, dtype=torch.int8)

    def proportions(self, origins: Origins) -> np.ndarray:
        """Of ancestries, that samples are drawn with: float64 (n, A)."""
        return origins.q

    def weights(self, origins: Origins, ancestry: np.ndarray) -> np.ndarray:
        """Number of the clusters' weights that segments of ancestries (.., per_sample * n) follow: int64, alike."""
        first = self.components.ancestries * self.components.group[origins.component]
        return first.repeat(self.per_sample) + ancestry

    def log_probability(self, store: Store, rows: np.ndarray, label: np.ndarray, *, seed: int) -> np.ndarray:
        """log p0 of samples (rows of the store) given their labels, float64 (n,); ValueError for an unknown label.

        Proportions are integrated out by importance sampling, from the `seed`.
        """
        label = np.asarray(label, dtype=str)
        by_label = [(np.flatnonzero(label == name), self.components.of_label(name)) for name in np.unique(label)]
        if self.admixed:
            from syngeno.models.haplotype import ancestry

            fitted, entropy = ancestry.Ancestries(self._chains(), self.components), streams.entropy(PROPORTIONS, seed)
            return ancestry.log_probability(fitted, sequences_of(store, rows, label), entropy)
        logs = np.full((len(label), len(self.components.label)), -np.inf)
        for asked, codes in by_label:
            logs[np.ix_(asked, codes)] = np.log(self.components.share[codes])
        for number, (chromosome, variants, _) in enumerate(self.parts(), 1):
            symbols = sequences.between(store, rows, variants.start, variants.stop)
            symbols = symbols.reshape(chromosome.variants, -1, self.per_sample)
            for asked, codes in by_label:
                columns = torch.from_numpy(symbols[:, asked].reshape(chromosome.variants, -1)).to(self.device)
                each = hmm.log_probabilities(chromosome, columns, codes.tolist()).cpu().numpy()
                logs[np.ix_(asked, codes)] += each.reshape(len(asked), self.per_sample, len(codes)).sum(1)
            log.info("probabilities along %d of %d chromosomes", number, len(self.chromosomes))
        return np.logaddexp.reduce(logs, axis=1)

    def _chains(self) -> list[Chain]:
        from syngeno.models.haplotype.tracts import Chain

        return [Chain(*each) for each in zip(self.chromosomes, self.morgans, strict=True)]

    def _group(self, origins: Origins) -> Tensor:
        return torch.from_numpy(origins.component.repeat(self.per_sample)).to(self.device)

    def _admixture(self, origins: Origins) -> Admixture:
        of_samples = self.components.admixture(*origins)
        return of_samples.some(np.arange(len(origins.q)).repeat(self.per_sample))

    def _states(self, origins: Origins, rng: torch.Generator) -> np.ndarray:
        return hmm.states(self.per_sample * len(origins.q), rng)


def sequences_of(store: Store, rows: np.ndarray, label: np.ndarray) -> Sequences:
    """Sequences of samples (rows of the store) with labels, str (n,), as ancestry.py asks for them."""
    from syngeno.models.haplotype.ancestry import Sequences

    places = sequences.chromosomes(store)

    def symbols(number: int) -> Tensor:
        return torch.from_numpy(sequences.between(store, rows, places[number].start, places[number].stop))

    return Sequences(symbols, np.asarray(label, dtype=str), sequences.per_sample(store))
