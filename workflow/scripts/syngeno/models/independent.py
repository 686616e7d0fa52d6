"""The control without linkage: every allele is drawn by itself, from the frequency within its label or of all.

The two alleles of a dosage are independent too, so that an unphased person is in Hardy-Weinberg proportions. No
frequency is 0 or 1, or a single allele that is new among the held-out would have probability 0: a label's
frequency is shrunk towards the pooled one by one pseudo-haplotype, and the pooled one of n haplotypes is
(count + a) / (n + 2 a). `PSEUDOCOUNT`, a, is far below the usual 1/2, which is hardly more likely on held-out
people (2,401.7 nats against 2,402.9 on 10,000 dense variants of chromosome 15) but makes the synthetic cohort vary
at variants where nobody it learnt from does (93.9 % of the variants instead of 90.0 %).
"""

from collections.abc import Iterator

import numpy as np

from syngeno.data import sequences
from syngeno.data.store import Store

PSEUDOCOUNT = 0.01
PSEUDO_HAPLOTYPES = 1.0


def tune(
    store: Store,
    people: np.ndarray,
    label: np.ndarray,
    validation: np.ndarray,
    validation_label: np.ndarray,
    *,
    seed: int,
    pooled: bool = False,
) -> dict:
    """Nothing is chosen on validation people here: always {}. The arguments are those of the other controls."""
    sequences.grouped(store, label, validation_label, pooled)
    return {}


def draw(
    store: Store, people: np.ndarray, label: np.ndarray, wanted: np.ndarray, *, seed: int, pooled: bool = False
) -> Iterator[np.ndarray]:
    """People whose alleles are drawn one by one by the frequency within their label (or of all, `pooled`).

    `people`, index or mask into the store, are the training people, `label` (people,) their labels; `wanted` (n,)
    are the labels to draw. Yields calls int8 (v, n, 2), chunk by chunk in the store's order. Raises ValueError for
    a label that no training person has.
    """
    groups = sequences.grouped(store, label, wanted, pooled)
    rng = np.random.default_rng([seed, 1])
    for symbols in sequences.chunks(store, people):
        probability = symbol_probabilities(symbols, groups, sequences.alphabet(store))
        drawn = [sequences.draw_symbols(rng, one[groups.asked]) for one in probability]
        yield sequences.as_calls(store, np.stack(drawn))


def nats(
    store: Store,
    people: np.ndarray,
    label: np.ndarray,
    heldout: np.ndarray,
    heldout_label: np.ndarray,
    *,
    pooled: bool = False,
) -> np.ndarray:
    """-log probability of each held-out sequence under what `draw` draws from, float64 (sequences,), in nats.

    `heldout` and `heldout_label` as `people` and `label`; one sequence per haplotype, or per person where the store
    is unphased.
    """
    groups = sequences.grouped(store, label, heldout_label, pooled)
    total = np.zeros(len(groups.asked))
    for symbols, asked in zip(sequences.chunks(store, people), sequences.chunks(store, heldout), strict=True):
        logs = np.log(symbol_probabilities(symbols, groups, sequences.alphabet(store)))
        for one, seen in zip(logs, asked, strict=True):
            total -= one[groups.asked, seen]
    return total


def symbol_probabilities(symbols: np.ndarray, groups: sequences.Groups, alphabet: int) -> np.ndarray:
    """Probability of each symbol at each variant in each group, float64 (v, groups, alphabet), all above 0.

    `symbols` int8 (v, sequences) are what is learnt from.
    """
    frequency = frequencies(symbols, groups, alphabet)
    if alphabet == 2:
        return np.stack([1 - frequency, frequency], axis=2)
    return np.stack([(1 - frequency) ** 2, 2 * frequency * (1 - frequency), frequency**2], axis=2)


def frequencies(symbols: np.ndarray, groups: sequences.Groups, alphabet: int) -> np.ndarray:
    """ALT allele frequencies (v, groups), shrunk as the module says, float64, above 0 and below 1."""
    alleles = alphabet - 1  # per symbol: one in a haplotype, two in a dosage
    members = [groups.source == group for group in range(len(groups.names))]
    counts = np.stack([symbols[:, member].sum(axis=1, dtype=np.int64) for member in members], axis=1)
    n = alleles * groups.sizes
    everybody = (counts.sum(axis=1) + PSEUDOCOUNT) / (n.sum() + 2 * PSEUDOCOUNT)
    if len(n) == 1:
        return everybody[:, None]
    return (counts + PSEUDO_HAPLOTYPES * everybody[:, None]) / (n + PSEUDO_HAPLOTYPES)
