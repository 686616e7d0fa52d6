"""What clusters give away of training samples, beside validation samples, as areas under the ROC curve."""

from typing import Any

import numpy as np

from syngeno import streams
from syngeno.data import sequences
from syngeno.models.base import TrainingData
from syngeno.models.haplotype.prior import Prior
from syngeno.stats import matches
from syngeno.stats.intervals import placements
from syngeno.training.device import generator

ASKED = 500  # training samples whose probability is compared with validation samples'


def of_model(fitted: Prior, data: TrainingData, seed: int) -> float:
    """To whoever holds the clusters, who looks at the probability of samples (of at most `ASKED` training samples)."""
    asked = np.sort(streams.rng("haplotype_membership", seed).permutation(len(data.rows))[:ASKED])
    training = fitted.log_probability(data.store, data.rows[asked], data.label[asked])
    validation = fitted.log_probability(data.store, data.validation_rows, data.validation_label)
    return float(placements(training, validation).mean())


def of_mosaics(fitted: Prior, data: TrainingData, seed: int, rule: dict[str, Any] | None) -> float:
    """To whoever holds samples drawn from the clusters, as many of each label as there are training samples.

    The attack is painting, the strongest on this kind (see `matches.painting`); samples are drawn by the `rule` on long
    runs (`shared_by`, `longer_than`), if there is one.
    """
    from syngeno.models.haplotype import sharing

    rng = generator(fitted.device, *streams.entropy("haplotype_painting", seed))
    subpopulation = fitted.draw_subpopulations(data.label, rng)
    drawn, group = fitted.draw(subpopulation, rng), subpopulation.repeat_interleave(fitted.per_sample)
    if rule:
        path = fitted.paths(drawn, group, rng).cpu().numpy()
        drawn, group = np.ascontiguousarray(drawn.cpu().numpy()), group.cpu().numpy()
        sharing.enforce_along(fitted.parts(), drawn, path, group, data, sharing.Rule(**rule), seed=seed)
    rows = np.concatenate([data.rows, data.validation_rows])
    both = sequences.between(data.store, rows, 0, len(data.store)), np.asarray(drawn)
    asked, others = (np.ascontiguousarray(symbols.T) for symbols in both)
    score = matches.painting(asked, others, matches.windows_by_count(data.store.contig, matches.WINDOW))
    score = score.reshape(-1, fitted.per_sample).sum(axis=1)
    return float(placements(score[: len(data.rows)], score[len(data.rows) :]).mean())
