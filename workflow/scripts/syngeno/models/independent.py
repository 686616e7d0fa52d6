"""Variants without linkage: each allele is drawn by itself, from its frequency within a label or in all.

A haplotype has ALT with probability f. The two alleles of an unphased sample are independent, too, so that its
dosage is 0, 1 or 2 with the Hardy-Weinberg proportions (1 - f)^2, 2 f (1 - f), f^2. No f is 0 or 1, or a single
allele that is new among held-out samples would have probability 0: of n haplotypes, `count` of which have ALT,

    f(all) = (count + a) / (n + 2 a),    f(label) = (count + f(all)) / (n + 1).

a, `PSEUDOCOUNT`, is far below the usual 1/2, which is hardly more likely on held-out samples (2,401.7 nats against
2,402.9 on 10,000 dense variants of chromosome 15) but makes the synthetic cohort vary at variants where no training
sample does (93.9 % of the variants instead of 90.0 %).
"""

from collections.abc import Iterator

import numpy as np

from syngeno.data import sequences
from syngeno.models.classical import Classical

PSEUDOCOUNT = 0.01
PSEUDO_HAPLOTYPES = 1.0


class Independent(Classical):
    """Each variant by itself; `settings`: `pooled`, whether one frequency serves all labels."""

    name = "independent"

    def choose(self, seed: int) -> dict:
        """Nothing."""
        return {}

    def draw(self, groups: sequences.Groups, rng: np.random.Generator) -> Iterator[np.ndarray]:
        """See `Classical.draw`."""
        alphabet = sequences.alphabet(self.data.store)
        for symbols in self.chunks():
            probability = symbol_probabilities(symbols, groups, alphabet)
            yield np.stack([sequences.draw_symbols(rng, at_variant[groups.asked]) for at_variant in probability])

    def log_prob(self, rows: np.ndarray, label: np.ndarray, *, seed: int) -> np.ndarray:
        """See `base.Generator`."""
        groups, alphabet = self.groups(label), sequences.alphabet(self.data.store)
        total = np.zeros(len(groups.asked))
        for symbols, asked in zip(self.chunks(), self.chunks(rows), strict=True):
            logs = np.log(symbol_probabilities(symbols, groups, alphabet))
            for at_variant, carried in zip(logs, asked, strict=True):
                total += at_variant[groups.asked, carried]
        return total


def symbol_probabilities(symbols: np.ndarray, groups: sequences.Groups, alphabet: int) -> np.ndarray:
    """Probabilities float64 (v, groups, alphabet), all above 0, by the training samples' `symbols` (v, sequences)."""
    return given_frequencies(frequencies(symbols, groups, alphabet), alphabet)


def given_frequencies(f: np.ndarray, alphabet: int, d: np.ndarray | float = 0) -> np.ndarray:
    """Probabilities (v, n, alphabet) of symbols by ALT frequencies f (v, n), which may vary by d (v, n)."""
    if alphabet == 2:
        return np.stack([1 - f, f], axis=2)
    return np.stack([(1 - f) ** 2 + d, 2 * (f * (1 - f) - d), f**2 + d], axis=2)


def frequencies(symbols: np.ndarray, groups: sequences.Groups, alphabet: int) -> np.ndarray:
    """ALT allele frequencies (v, groups), shrunk as the module says, float64, above 0 and below 1."""
    alleles = alphabet - 1  # per symbol: one in a haplotype, two in a dosage
    in_group = [groups.source == group for group in range(len(groups.names))]
    counts = np.stack([symbols[:, own].sum(axis=1, dtype=np.int64) for own in in_group], axis=1)
    n = alleles * groups.sizes
    pooled = (counts.sum(axis=1) + PSEUDOCOUNT) / (n.sum() + 2 * PSEUDOCOUNT)
    if len(n) == 1:
        return pooled[:, None]
    return (counts + PSEUDO_HAPLOTYPES * pooled[:, None]) / (n + PSEUDO_HAPLOTYPES)
