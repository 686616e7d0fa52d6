"""Samples as mosaics of ancestral haplotype clusters: what is expected of a sample when only its label is known.

    p0(sample | label) = sum over subpopulations c of the label: share(c) * product over the sample's sequences and the
    chromosomes of p(sequence | clusters, weights of c)

A sample is of one subpopulation (see subpopulations.py), whose cluster weights all of its sequences follow (see
clusters.py). Sequences are haplotypes, or dosages where phase is unknown or not to be looked at.
"""

import itertools
import logging
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any
from zipfile import BadZipFile

import numpy as np
import torch
from torch import Tensor

from syngeno.data import sequences
from syngeno.data.store import Store
from syngeno.errors import BadInput
from syngeno.models.base import TrainingData
from syngeno.models.haplotype import clusters, hmm, limits, subpopulations
from syngeno.models.haplotype.hmm import Clusters
from syngeno.models.haplotype.number import FEWEST, suitable
from syngeno.training.device import pick_device

log = logging.getLogger(__name__)

SITES = 20_000  # that subpopulations are read off
FORMAT = "syngeno haplotype clusters 1"
ARRAYS = ("symbol", "switch", "weight")


@dataclass(frozen=True)
class Prior:
    """The mosaics.

    Attributes:
        chromosomes: the clusters of each chromosome, in order, with weights of each subpopulation.
        label, share: the label that each subpopulation is a part of, str (C,), and its share of the label's samples.
        alphabet: 2: haplotypes, two of a sample; 3: dosages, one sequence of a sample.
    """

    chromosomes: list[Clusters]
    label: np.ndarray
    share: np.ndarray
    alphabet: int

    @property
    def per_sample(self) -> int:
        """Sequences of a sample."""
        return 2 if self.alphabet == 2 else 1

    @property
    def variants(self) -> int:
        """Variants of all chromosomes."""
        return sum(chromosome.variants for chromosome in self.chromosomes)

    @property
    def segments(self) -> int:
        """Segments of all chromosomes."""
        return sum(len(chromosome.switch) for chromosome in self.chromosomes)

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

    def to(self, device: torch.device) -> "Prior":
        """The same, with the clusters on another device."""
        return replace(self, chromosomes=[chromosome.to(device) for chromosome in self.chromosomes])

    def tempered(self, temperature: float) -> "Prior":
        """The same, with the clusters of each chromosome tempered (see hmm.py)."""
        return replace(self, chromosomes=[chromosome.tempered(temperature) for chromosome in self.chromosomes])

    def draw_subpopulations(self, label: np.ndarray, rng: torch.Generator) -> Tensor:
        """A subpopulation for each label (n,), drawn by its share: codes (n,). ValueError for an unknown label."""
        label = np.asarray(label, dtype=str)
        drawn = torch.empty(len(label), dtype=torch.long, device=self.device)
        for name in np.unique(label).tolist():
            codes = self._of_label(name)
            wanted = torch.from_numpy(np.flatnonzero(label == name)).to(self.device)
            share = torch.from_numpy(self.share[codes]).to(self.device)
            pick = share.multinomial(len(wanted), replacement=True, generator=rng)
            drawn[wanted] = torch.from_numpy(codes).to(self.device)[pick]
        return drawn

    def draw(self, subpopulation: Tensor, rng: torch.Generator) -> Tensor:
        """Samples of these subpopulations (n,): symbols int8 (variants, per_sample * n)."""
        group = subpopulation.repeat_interleave(self.per_sample)
        return torch.cat([hmm.walk(chromosome, group, rng) for chromosome in self.chromosomes])

    def complete(
        self, symbols: Tensor, visible: Tensor, subpopulation: Tensor, times: int, rng: torch.Generator
    ) -> Tensor:
        """Draw what is hidden of samples given what is visible, `times` for each: int8 (v, times * per_sample * n).

        `symbols` (v, per_sample * n), `visible` bool (segments, per_sample * n), `subpopulation` (n,). The draws of
        sequence i are the columns from times * i on.
        """
        group = subpopulation.repeat_interleave(self.per_sample)
        each = (
            hmm.complete(chromosome, symbols[variants], visible[segments], group, times, rng)[0]
            for chromosome, variants, segments in self.parts()
        )
        return torch.cat(list(each))

    def paths(self, symbols: Tensor, group: Tensor, rng: torch.Generator) -> Tensor:
        """Clusters that sequences (v, n) of these groups may descend from, drawn: int16 (segments, n)."""
        visible = torch.ones((self.segments, len(group)), dtype=torch.bool, device=self.device)
        each = (
            hmm.complete(chromosome, symbols[variants], visible[segments], group, 1, rng)[1]
            for chromosome, variants, segments in self.parts()
        )
        return torch.cat(list(each))

    def log_probability(self, store: Store, rows: np.ndarray, label: np.ndarray) -> np.ndarray:
        """log p0 of samples (rows of the store) given their labels, float64 (n,); ValueError for an unknown label."""
        label = np.asarray(label, dtype=str)
        logs = np.full((len(label), len(self.label)), -np.inf)
        by_label = [(np.flatnonzero(label == name), self._of_label(name)) for name in np.unique(label).tolist()]
        for asked, codes in by_label:
            logs[np.ix_(asked, codes)] = np.log(self.share[codes])
        for number, (chromosome, variants, _) in enumerate(self.parts(), 1):
            symbols = sequences.between(store, rows, variants.start, variants.stop)
            symbols = symbols.reshape(chromosome.variants, -1, self.per_sample)
            for asked, codes in by_label:
                columns = torch.from_numpy(symbols[:, asked].reshape(chromosome.variants, -1)).to(self.device)
                each = hmm.log_probabilities(chromosome, columns, codes.tolist()).cpu().numpy()
                logs[np.ix_(asked, codes)] += each.reshape(len(asked), self.per_sample, len(codes)).sum(1)
            log.info("probabilities along %d of %d chromosomes", number, len(self.chromosomes))
        return np.logaddexp.reduce(logs, axis=1)

    def _of_label(self, name: str) -> np.ndarray:
        codes = np.flatnonzero(self.label == name)
        if not len(codes):
            raise ValueError(f"no training sample has the label {name}")
        return codes


def learn(
    data: TrainingData,
    settings: Mapping[str, Any],
    *,
    seed: int,
    threads: int = 1,
    device: torch.device | str = "auto",
) -> Prior:
    """Fit subpopulations and clusters to the training samples, by `space`, `clusters` and the limits.

    Validation samples choose the shrinkage (see clusters.py). With `max_membership_auc` or `max_attack_auc` the number
    of clusters is doubled, up to the one asked for, as long as neither what they say nor what is drawn from them, by
    the `rule` on long runs, distinguishes training from validation samples by a larger area under the ROC curve (see
    limits.py). BadInput if `FEWEST` exceed one.
    """
    torch.set_num_threads(threads)
    sizes, where = settings["clusters"], pick_device(device)
    limited = {name: settings[name] for name in ("max_membership_auc", "max_attack_auc") if settings[name] is not None}
    if limited and not len(data.validation_rows):
        raise BadInput(next(iter(limited)), "there are no validation samples", "give the split some")
    store = sequences.viewed(data.store, settings["space"])
    data = replace(data, store=store)
    classes = subpopulations.divide(_dosages(store, data.rows), data.label, sizes["subpopulation_size"], seed)
    log.info("%d subpopulations within %d labels", len(classes.label), len(np.unique(classes.label)))
    source = np.repeat(classes.of_sample, sequences.per_sample(store))
    groups = sequences.Groups(classes.label.tolist(), source, source)
    most = suitable(2 * len(data.rows)) if sizes["number"] == "auto" else sizes["number"]
    log.info("%d clusters at most, for %d training samples", most, len(data.rows))
    allowed = None
    for number in _doubled(most) if limited else [most]:
        how = clusters.Settings(number, sizes["segment"], sizes["min_support"], seed, device=where)
        if len(data.validation_rows):
            how = replace(how, shrinkage=clusters.tune(data, how))
        # Clusters of one chromosome at a time lie on the device: memory does not grow with chromosomes.
        by_chromosome = clusters.by_chromosome(store, data.rows, groups, how)
        chromosomes = [fitted.to(clusters.CPU) for _, _, fitted in by_chromosome]
        larger = Prior(chromosomes, classes.label, classes.share, sequences.alphabet(store))
        for name, limit in limited.items():
            if name == "max_membership_auc":
                fact, auc = f"{number} clusters distinguish", limits.of_model(larger.to(where), data, seed)
            else:
                fact = f"samples drawn from {number} clusters distinguish"
                auc = limits.of_mosaics(larger.to(where), data, seed, settings["rule"])
            fact += f" training from validation samples by an area of {auc:.3f}"
            log.info("%s", fact)
            if auc > limit:
                if allowed is None:
                    raise BadInput(name, fact, "allow more")
                return allowed
        allowed = larger
    return allowed


def _doubled(most: int) -> list[int]:
    return [*itertools.takewhile(lambda number: number < most, (FEWEST << i for i in itertools.count())), most]


def _dosages(store: Store, rows: np.ndarray) -> np.ndarray:
    symbols = sequences.at(store, rows, sequences.thinned(len(store), SITES))
    return symbols.reshape(len(symbols), -1, sequences.per_sample(store)).sum(2, dtype=np.int8).T


def save(path: str | Path, fitted: Prior) -> None:
    """Write as .npz."""
    arrays = {"format": FORMAT, "label": fitted.label, "share": fitted.share, "alphabet": fitted.alphabet}
    arrays["variants"] = np.array([chromosome.variants for chromosome in fitted.chromosomes])
    for i, chromosome in enumerate(fitted.chromosomes):
        arrays |= {f"{name}{i}": getattr(chromosome, name).cpu().numpy() for name in ARRAYS}
    with open(path, "wb") as file:
        np.savez_compressed(file, **arrays)


def load(path: str | Path) -> Prior:
    """Read what `save` wrote; BadInput if missing or foreign."""
    remedy = "run the fit stage again"
    if not Path(path).is_file():
        raise BadInput(path, "no such file", remedy)
    try:
        content = np.load(path)
        if str(content["format"]) != FORMAT:
            raise KeyError("format")
        chromosomes = [
            Clusters(*(torch.from_numpy(content[f"{name}{i}"]) for name in ARRAYS), int(variants))
            for i, variants in enumerate(content["variants"])
        ]
        return Prior(chromosomes, content["label"], content["share"], int(content["alphabet"]))
    except (KeyError, ValueError, OSError, EOFError, BadZipFile) as error:
        raise BadInput(path, "holds no clusters of this version of syngeno", f"delete it and {remedy}") from error
