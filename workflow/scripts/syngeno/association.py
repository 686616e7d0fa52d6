"""Association: does a scan of synthetic people find the effects that a scan of real people finds?

The scan is the plainest there is: alleles of one label against alleles of the rest, variant by variant. The
effect is the log odds ratio of train's minor allele, with 1/2 added to each cell of the 2 x 2 table (Haldane
1956, Anscombe 1956), its standard error that of Woolf (1955), its p value Wald's. No covariates: where labels
are populations, what is found is their differentiation, which is what the synthetic people are to carry.
"""

import numpy as np
from scipy import stats

from syngeno.cohort import Cohort
from syngeno.metrics import row

GENOME_WIDE = 5e-8
HITS_MIN = 20
TOP_SHARE = 0.01


def effects(cohort: Cohort, label: str, flip: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Log odds ratio and Wald's p of every variant, people of one label against all others.

    Args:
        cohort: the people.
        label: whose people are the cases.
        flip: bool (variants,), where the odds are those of the REF allele instead of the ALT allele.

    Returns:
        Two float64 (variants,): log odds ratios (0 and p of 1 where nobody, or everybody, has the label).
    """
    cases = cohort.label == label
    a, c = (_copies(cohort.dosages[part], flip) + 0.5 for part in (cases, ~cases))
    if cases.all() or not cases.any():
        return np.zeros(len(flip)), np.ones(len(flip))
    b, d = 2 * cases.sum() + 1 - a, 2 * (~cases).sum() + 1 - c
    ratio = np.log(a * d / (b * c))
    error = np.sqrt(1 / a + 1 / b + 1 / c + 1 / d)
    return ratio, 2 * stats.norm.sf(np.abs(ratio) / error)


def hits(p: np.ndarray) -> np.ndarray:
    """Indices of the variants to compare effects at.

    Those of genome-wide significance (p < 5e-8); where they are fewer than 20, the 1 % with the smallest p
    (at least 20, at most all), so that a scan without power still has something to say.
    """
    significant = np.flatnonzero(p < GENOME_WIDE)
    if len(significant) >= HITS_MIN:
        return significant
    return np.sort(np.argsort(p, kind="stable")[: max(HITS_MIN, int(len(p) * TOP_SHARE))])


def measure(synthetic: Cohort, train: Cohort) -> list[dict]:
    """Agreement of effects at train's hits, as metric rows against train.

    Returns:
        `association_r`, the correlation of effects, and `association_slope`, the slope of synthetic on real
        ones (below 1: effects are lost), for each label against the rest, and their means over labels (group
        "all"; with two labels there is one scan only). Hits are chosen in train, whose effects are therefore
        too large (the winner's curse): even real people have a slope below 1, as the envelope tells. A label
        that the synthetic people lack has 0 for both: its effects cannot be found in them. n counts hits.
    """
    if len(train.labels) < 2:
        return []
    flip = train.frequency > 0.5
    found = {}
    for label in train.labels[-1:] if len(train.labels) == 2 else train.labels:
        real, p = effects(train, label, flip)
        at = hits(p)
        ours = effects(synthetic, label, flip)[0]
        agreement = _agreement(ours[at], real[at])
        if agreement is not None:
            found[label] = (*agreement, len(at))
    if not found:
        return []
    r, slope, n = np.array(list(found.values())).T
    groups = {"all": (r.mean(), slope.mean(), n.sum())} | (found if len(train.labels) > 2 else {})
    return [
        row(metric, values[place], group=group, against="train", n=values[2])
        for group, values in groups.items()
        for place, metric in enumerate(("association_r", "association_slope"))
    ]


def _copies(dosages: np.ndarray, flip: np.ndarray) -> np.ndarray:
    """Copies of the counted allele, float64 (variants,)."""
    copies = dosages.sum(0, dtype=np.int64)
    return np.where(flip, 2 * len(dosages) - copies, copies).astype(np.float64)


def _agreement(ours: np.ndarray, real: np.ndarray) -> tuple[float, float] | None:
    """Correlation and slope of ours on real; None where the real ones are all the same."""
    x, y = real - real.mean(), ours - ours.mean()
    if not x @ x > 1e-12:
        return None
    length = np.sqrt((x @ x) * (y @ y))
    return (float(x @ y / length) if length > 1e-12 else 0.0), float(x @ y / (x @ x))
