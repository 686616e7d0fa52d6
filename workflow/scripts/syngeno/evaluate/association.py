"""Association: does a scan of synthetic samples find the effects that a scan of real samples finds?

The scan of a label is the plainest there is: its alleles against alleles of the rest, variant by variant. The effect is
the log odds ratio of train's minor allele, with 1/2 added to each cell of the 2 x 2 table (Haldane 1956, Anscombe
1956), its standard error that of Woolf (1955), its p value Wald's. No covariates: where labels are populations, what is
found is their differentiation, which is what the synthetic samples are to keep.

Where samples have a trait beside other labels (a column of case and control, of 2 and 1, or of 1 and 0, among several
label columns), it is scanned as a user would, by linear regression on dosages within the classes that the other columns
make (the effect is that of an allele on the share of cases), as `plink2 --glm` does for a quantitative trait with these
classes as covariates. Principal axes are no covariates here: of a few regions they are what is to be found.
"""

from dataclasses import dataclass

import numpy as np
from scipy.special import ndtr, stdtr

from syngeno.data.cohort import Cohort
from syngeno.data.samples import JOINT, TRAITS
from syngeno.evaluate.metrics import row

GENOME_WIDE = 5e-8
HITS_MIN = 20
TOP_SHARE = 0.01
TRAIT = "trait"  # the group of a trait's rows; labels of a cohort with a trait are joined, and never called so
_VARIANTS = 1000  # widened to float64 at a time


@dataclass(frozen=True)
class Trait:
    """What counts as a case: samples with a `value` in a `part` of their label; the others are controls."""

    part: int
    value: str

    def of(self, label: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        """1 for cases and 0 for controls, float64 (samples,), and the rest of their label, str (samples,)."""
        labels = [name.split(JOINT) for name in label.tolist()]
        cases = np.array([parts[self.part] == self.value for parts in labels], dtype=float)
        return cases, np.array([JOINT.join(parts[: self.part] + parts[self.part + 1 :]) for parts in labels], dtype=str)


def trait(labels: list[str]) -> Trait | None:
    """The trait among joined labels: the first of their parts that is coded as one; None where no part is."""
    split = [label.split(JOINT) for label in labels]
    if len({len(parts) for parts in split}) != 1 or len(split[0]) < 2:
        return None
    for part, values in enumerate(zip(*split, strict=True)):
        codes = {value.lower(): value for value in values}
        coding = next((coding for coding in TRAITS if set(codes) == set(coding)), None)
        if coding is not None:
            return Trait(part, next(value for code, value in codes.items() if coding[code] == "2"))
    return None


def scan(
    dosages: np.ndarray, outcome: np.ndarray, within: np.ndarray, flip: np.ndarray
) -> tuple[np.ndarray, np.ndarray]:
    """Slope of an outcome on each variant's dosage within classes, and its p, float64 (variants,) each.

    `dosages` (samples, variants), `outcome` and `within` (samples,), `flip` (variants,) as for `effects`. Ordinary
    least squares with an intercept for each class; the slope is 0 and p is 1 where a variant or the outcome is constant
    within classes.
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
        squares = np.square(x).sum(0)
        varies = squares > 1e-6
        with np.errstate(divide="ignore", invalid="ignore"):
            fitted = left @ x / squares
            t = fitted * np.sqrt(free * squares / (left @ left - fitted**2 * squares).clip(min=1e-30))
        slope[part] = np.where(varies, fitted, 0)
        p[part] = np.where(varies, 2 * stdtr(free, -np.abs(t)), 1)
    return np.where(flip, -slope, slope), p


def effects(cohort: Cohort, label: str, flip: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Log odds ratio and Wald's p of every variant, samples of one label against all others, float64 (variants,) each.

    `flip`, bool (variants,), says where the odds are those of the REF allele instead of the ALT allele. The ratio is 0
    and p is 1 where no sample, or every sample, has the label.
    """
    cases, samples = int((cohort.label == label).sum()), len(cohort)
    if cases in (0, samples):
        return np.zeros(len(flip)), np.ones(len(flip))
    alt = cohort.counts[label]
    counted = ((alt, 2 * cases), (cohort.count - alt, 2 * (samples - cases)))
    (a, b), (c, d) = ((np.where(flip, n - k, k) + 0.5, np.where(flip, k, n - k) + 0.5) for k, n in counted)
    ratio = np.log(a * d / (b * c))
    error = np.sqrt(1 / a + 1 / b + 1 / c + 1 / d)
    return ratio, 2 * ndtr(-np.abs(ratio) / error)


def scanned(train: Cohort, *cohorts: Cohort) -> tuple[str, list[tuple[np.ndarray, np.ndarray]]]:
    """What is scanned, in words, and effects and p (variants,) of train and of each further cohort.

    The trait where there is one, else the label of most training samples, the first by name of several, against others.
    Nothing where there is one label only.
    """
    if len(train.labels) < 2:
        return "", []
    flip, coded, cohorts = train.frequency > 0.5, trait(train.labels), (train, *cohorts)
    if coded is not None:
        scans = [scan(cohort.dosages, *coded.of(cohort.label), flip) for cohort in cohorts]
        return f"cases ({coded.value}) against controls, within the other labels", scans
    names, counts = np.unique(train.label, return_counts=True)
    label = str(names[counts.argmax()])
    return f"{label} against the rest", [effects(cohort, label, flip) for cohort in cohorts]


def hits(p: np.ndarray) -> np.ndarray:
    """Indices of the variants to compare effects at: those of genome-wide significance (p < 5e-8).

    Where they are fewer than 20, the 1 % with the smallest p (at least 20), so that every scan says something.
    """
    significant = np.flatnonzero(p < GENOME_WIDE)
    if len(significant) >= HITS_MIN:
        return significant
    return np.sort(np.argsort(p, kind="stable")[: max(HITS_MIN, int(len(p) * TOP_SHARE))])


@dataclass(frozen=True, eq=False)
class Hits:
    """Variants to compare effects at, and train's effects there, each (hits,), by label and for "trait"."""

    at: dict[str, np.ndarray]
    effects: dict[str, np.ndarray]


def in_train(train: Cohort) -> Hits:
    """The hits of each label against the rest (of two labels, of one), and of a trait where there is one."""
    flip, scans = train.frequency > 0.5, {}
    if len(train.labels) > 1:
        for label in train.labels[-1:] if len(train.labels) == 2 else train.labels:
            scans[label] = effects(train, label, flip)
        coded = trait(train.labels)
        if coded is not None:
            scans[TRAIT] = scan(train.dosages, *coded.of(train.label), flip)
    at = {group: hits(p) for group, (_, p) in scans.items()}
    return Hits(at, {group: scans[group][0][chosen] for group, chosen in at.items()})


def measure(synthetic: Cohort, train: Cohort, real: Hits) -> list[dict]:
    """Agreement of effects at the hits of train (`in_train`), as metric rows against train; n counts hits.

    `association_r` is the correlation of effects and `association_slope` the slope of synthetic on real ones (below 1:
    effects are lost), for each label against the rest (of two labels, for one), as means over labels (group "all"), and
    for a trait where there is one (group "trait"). Hits are chosen in train, whose effects are therefore too large (the
    winner's curse): even real samples have a slope below 1, as the envelope shows. A label that the synthetic samples
    lack has 0 for both: its effects cannot be found in them.
    """
    flip, coded = train.frequency > 0.5, trait(train.labels)
    found = {}
    for group, at in real.at.items():
        if group == TRAIT and coded is not None:
            ours = scan(synthetic.dosages[:, at], *coded.of(synthetic.label), flip[at])[0]
        else:
            ours = effects(synthetic, group, flip)[0][at]
        agreement = _agreement(ours, real.effects[group])
        if agreement is not None:
            found[group] = (*agreement, len(at))
    of_trait = {TRAIT: found.pop(TRAIT)} if coded is not None and TRAIT in found else {}
    r, slope, n = np.array(list(found.values())).reshape(-1, 3).T
    groups = {"all": (r.mean(), slope.mean(), n.sum())} if found else {}
    groups |= (found if len(train.labels) > 2 else {}) | of_trait
    return [
        row(metric, values[place], group=group, against="train", n=values[2])
        for group, values in groups.items()
        for place, metric in enumerate(("association_r", "association_slope"))
    ]


def _agreement(ours: np.ndarray, real: np.ndarray) -> tuple[float, float] | None:
    """Correlation and slope of ours on real; None where the real ones are all the same."""
    x, y = real - real.mean(), ours - ours.mean()
    if not x @ x > 1e-12:
        return None
    length = np.sqrt((x @ x) * (y @ y))
    return (float(x @ y / length) if length > 1e-12 else 0.0), float(x @ y / (x @ x))
