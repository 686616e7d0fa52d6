"""Association: does a scan of synthetic people find the effects that a scan of real people finds?

The scan of a label is the plainest there is: its alleles against alleles of the rest, variant by variant. The
effect is the log odds ratio of train's minor allele, with 1/2 added to each cell of the 2 x 2 table (Haldane
1956, Anscombe 1956), its standard error that of Woolf (1955), its p value Wald's. No covariates: where labels
are populations, what is found is their differentiation, which is what the synthetic people are to carry.

Where people have a trait beside other labels (a column of case and control, of 2 and 1, or of 1 and 0, among several
label columns), it is scanned as a user would, by linear regression on dosages within the classes that the other columns
make (the effect is that of an allele on the share of cases), as `plink2 --glm` does for a quantitative trait with these
classes as covariates. Principal axes are no covariates here: of a few regions they are what is to be found.
"""

from dataclasses import dataclass

import numpy as np
from scipy import stats

from syngeno.data.cohort import Cohort
from syngeno.data.samples import JOINT, TRAITS
from syngeno.evaluate.metrics import row

GENOME_WIDE = 5e-8
HITS_MIN = 20
TOP_SHARE = 0.01
_VARIANTS = 1000  # widened to float64 at a time


@dataclass(frozen=True)
class Trait:
    """Who counts as a case: those with a `value` in a `part` of their label; the others are controls."""

    part: int
    value: str

    def of(self, label: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        """1 for cases and 0 for controls, float64 (people,), and the rest of their label, str (people,)."""
        parts = [one.split(JOINT) for one in label.tolist()]
        cases = np.array([one[self.part] == self.value for one in parts], dtype=float)
        return cases, np.array([JOINT.join(one[: self.part] + one[self.part + 1 :]) for one in parts], dtype=str)


def trait(labels: list[str]) -> Trait | None:
    """The trait among joined labels: the first of their parts that is coded as one; None where no part is."""
    every = [one.split(JOINT) for one in labels]
    if len({len(one) for one in every}) != 1 or len(every[0]) < 2:
        return None
    for part, values in enumerate(zip(*every, strict=True)):
        found = {value.lower(): value for value in values}
        coding = next((one for one in TRAITS if set(found) == set(one)), None)
        if coding is not None:
            return Trait(part, next(value for code, value in found.items() if coding[code] == "2"))
    return None


def scan(
    dosages: np.ndarray, outcome: np.ndarray, within: np.ndarray, flip: np.ndarray
) -> tuple[np.ndarray, np.ndarray]:
    """Slope of an outcome (people,) on each variant's dosage (people, variants), within classes (people,), and its p.

    `flip` (variants,) as for `effects`. Ordinary least squares with an intercept for each class; where nothing is left
    of a variant or of the outcome within classes, the slope is 0 and p is 1.
    """
    code = np.unique(within, return_inverse=True)[1]
    belongs = np.eye(code.max() + 1)[code]
    basis = belongs / np.sqrt(belongs.sum(0))
    left = outcome - basis @ (basis.T @ outcome)
    free = len(dosages) - basis.shape[1] - 1
    slope, p = np.zeros(len(flip)), np.ones(len(flip))
    if free < 1 or left @ left < 1e-9:
        return slope, p
    for start in range(0, len(flip), _VARIANTS):
        part = slice(start, start + _VARIANTS)
        x = dosages[:, part].astype(np.float64)
        x -= basis @ (basis.T @ x)
        own = np.square(x).sum(0)
        seen = own > 1e-6
        with np.errstate(divide="ignore", invalid="ignore"):
            found = left @ x / own
            t = found * np.sqrt(free * own / (left @ left - found**2 * own).clip(min=1e-30))
        slope[part] = np.where(seen, found, 0)
        p[part] = np.where(seen, 2 * stats.t.sf(np.abs(t), free), 1)
    return np.where(flip, -slope, slope), p


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


def scanned(train: Cohort, *cohorts: Cohort) -> tuple[str, list[tuple[np.ndarray, np.ndarray]]]:
    """What is scanned, in words, and effects and p (variants,) of train and of each further cohort.

    The trait where there is one, else the label of most training people, the first by name of several, against others.
    Nothing where there is one label only.
    """
    if len(train.labels) < 2:
        return "", []
    flip, asked, every = train.frequency > 0.5, trait(train.labels), (train, *cohorts)
    if asked is not None:
        found = [scan(one.dosages, *asked.of(one.label), flip) for one in every]
        return f"cases ({asked.value}) against controls, within the other labels", found
    names, counts = np.unique(train.label, return_counts=True)
    label = str(names[counts.argmax()])
    return f"{label} against the rest", [effects(one, label, flip) for one in every]


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
        that the synthetic people lack has 0 for both: its effects cannot be found in them. n counts hits. The same of
        a trait, where there is one (group "trait").
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
    r, slope, n = np.array(list(found.values())).reshape(-1, 3).T
    groups = {"all": (r.mean(), slope.mean(), n.sum())} if found else {}
    groups |= found if len(train.labels) > 2 else {}
    asked = trait(train.labels)
    if asked is not None:
        real, p = scan(train.dosages, *asked.of(train.label), flip)
        at = hits(p)
        agreement = _agreement(scan(synthetic.dosages, *asked.of(synthetic.label), flip)[0][at], real[at])
        groups |= {"trait": (*agreement, len(at))} if agreement is not None else {}
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
