"""Training haplotypes, recombined: what copying with crossovers alone does, as RESHAPE shares reference panels.

A haplotype of g generations hence is made of pieces of today's haplotypes. Crossovers are a Poisson process along the
genetic map, without interference (Haldane 1919), one per Morgan and generation, so that between two variants d
centimorgans apart there is at least one with probability

    r = 1 - exp(-g d / 100),

and pieces are 100 / g centimorgans long in the mean. A piece is copied without error from one of the K sequences of the
label, each of them alike; chromosomes are inherited apart. This is the copying model of li_stephens.py with mu = 0 and
rho / K = g / 100, which nothing chooses.

RESHAPE (Cavinato et al., Nature Computational Science 2024) exchanges pieces within a panel, and so keeps every allele
count; here each piece is drawn by itself, and the number of haplotypes is free. A single haplotype is the same in law.

There is no likelihood: a held-out haplotype that is no mosaic of training haplotypes has probability 0.
"""

import logging
from collections.abc import Iterator

import numpy as np

from syngeno.data import sequences
from syngeno.models import li_stephens
from syngeno.models.classical import Classical

log = logging.getLogger(__name__)


class Recombined(Classical):
    """Pieces of training haplotypes; `settings`: `generations`, and `pooled`, whether all are templates of a label."""

    name = "recombined"

    def choose(self, seed: int) -> dict:
        """Nothing."""
        return {}

    def draw(self, groups: sequences.Groups, rng: np.random.Generator) -> Iterator[np.ndarray]:
        """See `Classical.draw`."""
        per_centimorgan, alike = self.settings["generations"] / 100, np.ones(len(groups.names))
        switch = li_stephens.switch_probability(self.data.store, self.data.centimorgans, per_centimorgan, alike)
        log.info("a sequence is made of %.1f pieces in the mean", switch[:, 0].sum())
        copied = li_stephens.copied_templates(groups, switch, rng)
        for symbols in self.chunks():
            yield np.stack([carried[next(copied)] for carried in symbols])
