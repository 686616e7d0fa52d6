"""What clusters give away of training samples, beside validation samples, as areas under the ROC curve."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np
import torch

from syngeno import streams
from syngeno.data import sequences
from syngeno.models.base import TrainingData
from syngeno.stats.intervals import placements
from syngeno.training.device import generator

if TYPE_CHECKING:
    from syngeno.models.haplotype.prior import Prior

ASKED = 500  # training samples whose probability is compared with validation samples'


def of_model(fitted: Prior, data: TrainingData, seed: int) -> float:
    """To whoever holds the clusters, who looks at the probability of samples (of at most `ASKED` training samples)."""
    asked = np.sort(streams.rng("haplotype_membership", seed).permutation(len(data.rows))[:ASKED])
    training = fitted.log_probability(data.store, data.rows[asked], data.label[asked], seed=seed)
    validation = fitted.log_probability(data.store, data.validation_rows, data.validation_label, seed=seed)
    return float(placements(training, validation).mean())


def of_mosaics(fitted: Prior, data: TrainingData, seed: int, rule: dict[str, Any] | None) -> float:
    """To whoever holds samples drawn from the clusters, as many of each label as there are training samples.

    The attack is posterior painting, the strongest on this kind (see `copying.painted`); samples are drawn by the
    `rule` on long runs (`shared_by`, `longer_than`), if there is one.
    """
    from syngeno.models.haplotype import sharing  # numba need not be there where this limit is not asked for
    from syngeno.stats import copying

    rng = generator(fitted.device, *streams.entropy("haplotype_painting", seed))
    origins = fitted.origins(data.label, rng)
    drawn = fitted.draw(origins, rng)
    if rule:
        path, ancestry = (part.cpu().numpy() for part in fitted.paths(drawn, origins, rng))
        drawn, weights = np.ascontiguousarray(drawn.cpu().numpy()), fitted.weights(origins, ancestry)
        asked = sharing.Rule.of(**rule, individuals=len(data.rows))
        sharing.enforce_along(fitted.parts(), drawn, path, weights, data, asked, seed=seed)
    rows, label = np.r_[data.rows, data.validation_rows], np.r_[data.label, data.validation_label]
    both = (sequences.between(data.store, rows, 0, len(data.store)), label), (np.asarray(drawn), data.label)
    score = np.zeros(len(rows))
    for name in np.unique(data.label):
        panel, asked = (symbols.T.reshape(len(of), -1, symbols.shape[0])[of == name] for symbols, of in both)
        asked, panel = (part.reshape(-1, part.shape[2]) for part in (asked, panel))
        shares = copying.painted(asked, panel, data.store.contig, data.centimorgans, threads=torch.get_num_threads())
        score[label == name] = shares.reshape(-1, fitted.per_sample).sum(axis=1)
    return float(placements(score[: len(data.rows)], score[len(data.rows) :]).mean())
