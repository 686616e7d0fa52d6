"""Fitting the mosaics of prior.py: with how many clusters and ancestries, and how much of labels' own.

Validation samples choose, as far as there are some: the shrinkage of clusters (see clusters.py) and of labels' weights,
by what is likeliest; the numbers of clusters and of ancestries, by short fits; and the number of clusters again, where
a limit is set on what they may reveal (see limits.py). Where variants are unlinked, they choose between mosaics and the
model of unlinked.py, too.
"""

import logging
from collections.abc import Mapping
from dataclasses import replace
from importlib.util import find_spec
from typing import Any

import numpy as np
import torch

from syngeno import streams
from syngeno.data import sequences
from syngeno.data.store import Store
from syngeno.errors import BadInput
from syngeno.models.base import TrainingData
from syngeno.models.haplotype import clusters, limits, segments, subpopulations, unlinked
from syngeno.models.haplotype.number import FEWEST, doubled, most, suitable
from syngeno.models.haplotype.prior import Prior, sequences_of
from syngeno.models.haplotype.proportions import Components
from syngeno.models.haplotype.unlinked import Unlinked
from syngeno.stats import linkage
from syngeno.stats.pca import fit_axes
from syngeno.training.device import pick_device

log = logging.getLogger(__name__)

SITES = 20_000  # that subpopulations and first proportions are read off
MOST_ANCESTRIES, PATIENCE = 8, 1  # of so many numbers that are no better one more is tried
LEAST_CENTIMORGANS = 50.0  # of all chromosomes, from which on proportions of a sample can be told
EXPECTED = 4  # ancestries, where memory is planned before their number is chosen
CLUSTERS, SWEEPS = 64, 1  # at most, of fits that choose the number of ancestries


def learn(
    data: TrainingData,
    settings: Mapping[str, Any],
    *,
    seed: int,
    threads: int = 1,
    device: torch.device | str = "auto",
) -> Prior | Unlinked:
    """Fit subpopulations and clusters to the training samples, by `space`, `clusters` and the limits.

    Variants that are unlinked are also fitted without clusters, where nothing is asked of these: neither numbers of
    clusters and ancestries, nor limits. What makes validation samples likelier is kept.

    With `max_membership_auc` or `max_attack_auc` the number of clusters is doubled, up to the one asked for, as long as
    neither what they say nor what is drawn from them, by the `rule` on long runs, distinguishes training from
    validation samples by a larger area under the ROC curve. BadInput if `FEWEST` exceed one.
    """
    torch.set_num_threads(threads)
    sizes = settings["clusters"]
    limited = {name: settings[name] for name in ("max_membership_auc", "max_attack_auc") if settings[name] is not None}
    if limited and not len(data.validation_rows):
        raise BadInput(next(iter(limited)), "there are no validation samples", "give the split some")
    data = replace(data, store=sequences.viewed(data.store, settings["space"]))
    where = pick_device(device)
    wanted, nats = _number(data, sizes, seed, where) if sizes["number"] == "auto" else (sizes["number"], None)
    alone = not limited and {sizes["number"], sizes["ancestries"]} == {"auto"} and _unlinked(data)
    if alone and not data.store.phased:  # to look for tracts in genotypes takes minutes, and there are none
        sizes = {**sizes, "ancestries": 1}
    allowed = None
    for number in doubled(wanted) if limited else [wanted]:
        how = _settings(number, sizes, seed, where)
        if len(data.validation_rows):
            how = replace(how, shrinkage=clusters.tune(data, how, nats if number == wanted else None))
        larger = _by_ancestries(data, sizes, how)
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
    return _without_clusters(data, allowed.to(where), seed) if alone else allowed


def _unlinked(data: TrainingData) -> bool:
    """Whether variants are unlinked, and validation samples can say whether clusters are of use all the same."""
    few = len(data.rows) * sequences.per_sample(data.store) <= unlinked.MOST
    if not (few and len(data.validation_rows)):
        return False
    return linkage.linkage(linkage.neighbour_r2(data.store, data.rows, data.label)) == "unlinked"


def _without_clusters(data: TrainingData, mosaics: Prior, seed: int) -> Prior | Unlinked:
    """What makes validation samples likelier, mosaics or variants by themselves."""
    rows, label = _some_validation(data, seed)
    without = Unlinked.fit(data, seed=seed)
    before, after = (each.log_probability(data.store, rows, label, seed=seed) for each in (mosaics, without))
    said = "nats of a validation sample: %.1f with clusters, %.1f on %d axes without"
    log.info(said, -before.mean(), -after.mean(), without.chosen["axes"])
    return without if after.mean() > before.mean() else mosaics


def _some_validation(data: TrainingData, seed: int) -> tuple[np.ndarray, np.ndarray]:
    """Rows and labels of validation samples, at most `clusters.TUNING_SAMPLES`."""
    order = streams.rng("clusters_validation", seed).permutation(len(data.validation_rows))
    some = np.sort(order[: clusters.TUNING_SAMPLES])
    return data.validation_rows[some], data.validation_label[some]


def _settings(number: int, sizes: Mapping[str, Any], seed: int, device: torch.device) -> clusters.Settings:
    return clusters.Settings(number, sizes["segment"], sizes["min_support"], seed, device=device)


def _number(data: TrainingData, sizes: Mapping[str, Any], seed: int, device: torch.device) -> tuple[int, float | None]:
    """How many clusters there are, where that is not asked for, and the nats that `clusters.tune` may start from."""
    haplotypes = len(data.rows) * sequences.per_sample(data.store)
    ancestries = EXPECTED if sizes["ancestries"] == "auto" else sizes["ancestries"]
    cut = (segments.by_map(data.centimorgans[one], sizes["segment"]) for one in sequences.chromosomes(data.store))
    cells = ancestries * len(np.unique(data.label)) * max(len(each.morgans) for each in cut)
    if not len(data.validation_rows):
        return suitable(haplotypes, cells), None
    found, nats = clusters.likeliest_number(data, _settings(FEWEST, sizes, seed, device), most(haplotypes, cells))
    log.info("%d clusters, for %d training samples", found, len(data.rows))
    return found, nats


def _by_ancestries(data: TrainingData, sizes: Mapping[str, Any], how: clusters.Settings) -> Prior:
    dosages, wanted = _dosages(data.store, data.rows), sizes["ancestries"]
    if wanted == "auto":
        wanted = _ancestries(data, dosages, sizes["subpopulation_size"], how)
    if wanted == 1:
        return _of_subpopulations(data, dosages, sizes["subpopulation_size"], how)
    found = _of_ancestries(data, dosages, wanted, how)
    log.info("ancestries: %s", ", ".join(found.components.names))
    return found


def _ancestries(data: TrainingData, dosages: np.ndarray, size: int, how: clusters.Settings) -> int:
    """How many ancestries make validation samples likeliest, by short fits of few clusters: one more at a time.

    One, where variants cover so little of the genome that a sample's proportions cannot be told.
    """
    places = [data.centimorgans[one] for one in sequences.chromosomes(data.store)]
    long = sum(place[-1] - place[0] for place in places) >= LEAST_CENTIMORGANS
    if not (long and len(data.validation_rows) and find_spec("numba")):
        return 1
    how = replace(how, number=min(how.number, CLUSTERS), rounds=clusters.TUNING_ROUNDS)
    rows, label = _some_validation(data, how.seed)

    def judged(fitted: Prior) -> np.ndarray:
        return fitted.to(how.device).log_probability(data.store, rows, label, seed=how.seed)

    best, logs = 1, judged(_of_subpopulations(data, dosages, size, how))
    for number in range(2, min(MOST_ANCESTRIES, *dosages.shape) + 1):
        with_more = judged(_of_ancestries(data, dosages, number, how, sweeps=SWEEPS))
        log.info("%d ancestries: %.1f nats less per validation sample", number, (with_more - logs).mean())
        if clusters.clearly_more(with_more - logs):
            best, logs = number, with_more
        elif number > best + PATIENCE:
            break
    return best


def _of_subpopulations(data: TrainingData, dosages: np.ndarray, size: int, how: clusters.Settings) -> Prior:
    store = data.store
    classes = subpopulations.divide(dosages, data.label, size, how.seed)
    log.info("%d subpopulations within %d labels", len(classes.label), len(np.unique(classes.label)))
    source = np.repeat(classes.of_sample, sequences.per_sample(store))
    groups = sequences.Groups(classes.label.tolist(), source, source)
    # Clusters of one chromosome at a time lie on the device: memory does not grow with chromosomes.
    along = clusters.along(data, sequences.chromosomes(store), groups, how)
    each = [(cut.morgans, [each.to(clusters.CPU) for each in fitted]) for cut, fitted in along]
    morgans, fitted = map(list, zip(*each, strict=True))
    components = Components.of_one_ancestry(classes.label, classes.share)
    alphabet = sequences.alphabet(store)
    each = [Prior(list(chromosomes), morgans, components, alphabet) for chromosomes in zip(*fitted, strict=True)]
    if not len(data.validation_rows):
        return each[0]
    asked = data.store, data.validation_rows, data.validation_label
    logs = [one.to(how.device).log_probability(*asked, seed=how.seed).mean() for one in each]
    log.info("nats of a sample, by shrinkage of weights: %s", ", ".join(f"{-mean:.1f}" for mean in logs))
    return each[int(np.argmax(logs))]


def _of_ancestries(data: TrainingData, dosages: np.ndarray, number: int, how: clusters.Settings, **more: int) -> Prior:
    from syngeno.models.haplotype import ancestry  # numba need not be there where there is one ancestry

    store = data.store
    q = ancestry.simplex(fit_axes(dosages, number - 1).coordinates(dosages))
    places = [data.centimorgans[one] for one in sequences.chromosomes(store)]
    start = clusters.start(store, len(data.rows), how)
    given, alphabet = sequences_of(store, data.rows, data.label), sequences.alphabet(store)
    fitted = ancestry.fit(given, places, q, *start, alphabet, how, **more)
    best = 0
    if len(data.validation_rows):
        best = ancestry.likeliest(fitted, sequences_of(store, data.validation_rows, data.validation_label))
    chains, components = fitted[best]
    return Prior(*map(list, zip(*chains, strict=True)), components, alphabet)


def _dosages(store: Store, rows: np.ndarray) -> np.ndarray:
    symbols = sequences.at(store, rows, sequences.thinned(len(store), SITES))
    return symbols.reshape(len(symbols), -1, sequences.per_sample(store)).sum(2, dtype=np.int8).T
