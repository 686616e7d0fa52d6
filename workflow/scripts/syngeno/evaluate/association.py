"""Association: does a scan of synthetic samples find the effects that a scan of real samples finds?

The scan of a label is the plainest there is: its alleles against alleles of the rest, variant by variant. The effect is
the log odds ratio of train's minor allele, with 1/2 added to each cell of the 2 x 2 table (Haldane 1956, Anscombe
1956), its standard error that of Woolf (1955), its p value Wald's. No covariates: where labels are populations, what is
found is their differentiation, which is what the synthetic samples are to keep.

Where samples have a trait beside other labels (a column of case and control, of 2 and 1, or of 1 and 0, among several
label columns), it is scanned as a user would, by linear regression on dosages within the classes that the other columns
make (the effect is that of an allele on the share of cases), as `plink2 --glm` does for a quantitative trait with these
classes as covariates. Principal axes are no covariates here: of a few regions they are what is to be found.

Effects that agree say nothing of p values: synthetic samples that are all alike, or whose effects are overdone, give
ones that are too small. So the whole scans are compared as well, by their inflation and by their false hits. Both
depend on the number of samples, so they are of as many synthetic as training samples of each label.
"""

from collections.abc import Iterable
from dataclasses import dataclass

import numpy as np
from scipy.special import ndtr, ndtri, stdtr

from syngeno import streams
from syngeno.data.cohort import Cohort
from syngeno.data.samples import JOINT, TRAITS
from syngeno.evaluate.metrics import row
from syngeno.stats.ld import COMMON_MAF

GENOME_WIDE = 5e-8
REACH = 500_000  # bp around a real hit in which a synthetic one is not false
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


def inflation(p: np.ndarray) -> float:
    """Genomic inflation factor of a scan with these p (variants,): the median chi-squared over that of no association.

    lambda_GC of Devlin & Roeder (Biometrics 55:997, 1999), by chi-squared with one degree of freedom.
    """
    return float((ndtri(max(np.median(p), 1e-300) / 2) / ndtri(0.25)) ** 2)


def false_hits(p: np.ndarray, real: np.ndarray, contig: np.ndarray, position: np.ndarray) -> int:
    """How many variants are of genome-wide significance by p, and neither they nor any within 500 kb by real p.

    All (variants,); `contig` and `position` as in a cohort.
    """
    false = 0
    for name in np.unique(contig):
        here = contig == name
        ours, known = (np.sort(position[here & (one < GENOME_WIDE)]) for one in (p, real))
        near = np.searchsorted(known, ours + REACH, "right") - np.searchsorted(known, ours - REACH, "left")
        false += int((near == 0).sum())
    return false


def as_many(cohort: Cohort, other: Cohort, seed: int) -> Cohort:
    """At most as many samples of each label as another cohort has, at random where there are more."""
    rng, chosen = streams.rng("association_samples", seed), []
    for label in cohort.labels:
        here, most = np.flatnonzero(cohort.label == label), int((other.label == label).sum())
        chosen.append(here if len(here) <= most else np.sort(rng.choice(here, most, replace=False)))
    rows = np.concatenate(chosen)
    return cohort if len(rows) == len(cohort) else cohort.take(np.sort(rows))


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
    flip, coded, groups = train.frequency > 0.5, trait(train.labels), []
    if len(train.labels) > 1:
        groups = train.labels[-1:] if len(train.labels) == 2 else train.labels
        groups += [TRAIT] if coded is not None else []
    scans = {group: _scan(train, group, coded, flip) for group in groups}
    at = {group: hits(p) for group, (_, p) in scans.items()}
    return Hits(at, {group: scans[group][0][chosen] for group, chosen in at.items()})


def _scan(cohort: Cohort, group: str, coded: Trait | None, flip: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Effects and p of the trait, or of a label against the rest."""
    if group == TRAIT and coded is not None:
        return scan(cohort.dosages, *coded.of(cohort.label), flip)
    return effects(cohort, group, flip)


def calibration(synthetic: Cohort, train: Cohort, groups: Iterable[str], seed: int) -> list[dict]:
    """Whether p values of synthetic samples can be trusted, as metric rows against train; groups as in `measure`.

    Both are scanned with as many samples of each label, the smaller number. `association_lambda` and
    `association_lambda_real` are their inflation over variants that are common in train, `association_lambda_ratio` the
    one over the other (1 is ideal), `association_false_hits` counts what only synthetic samples find (see
    `false_hits`). Group "all" has the means over labels, of false hits their sum. Labels that synthetic samples lack
    are left out.
    """
    ours, theirs = (as_many(*two, seed) for two in ((synthetic, train), (train, synthetic)))
    flip, coded = train.frequency > 0.5, trait(train.labels)
    common = np.minimum(train.frequency, 1 - train.frequency) >= COMMON_MAF
    found = {}
    for group in groups if common.any() and len(theirs) else ():
        p, real = (_scan(cohort, group, coded, flip)[1] for cohort in (ours, theirs))
        factors = inflation(p[common]), inflation(real[common])
        if factors[1] > 0:
            false = false_hits(p, real, train.contig, train.position)
            found[group] = (*factors, factors[0] / factors[1], false)
    of_trait = {TRAIT: found.pop(TRAIT)} if coded is not None and TRAIT in found else {}
    numbers = np.array(list(found.values()))
    over = {"all": (*numbers[:, :3].mean(0), numbers[:, 3].sum())} if found else {}
    variants = dict.fromkeys(("lambda", "lambda_real", "lambda_ratio"), common.sum()) | {"false_hits": len(common)}
    return [
        row(f"association_{name}", value, group=group, against="train", n=n)
        for group, values in (over | (found if len(train.labels) > 2 else {}) | of_trait).items()
        for (name, n), value in zip(variants.items(), values, strict=True)
    ]


def measure(synthetic: Cohort, train: Cohort, real: Hits, seed: int) -> list[dict]:
    """Agreement of effects at the hits of train (`in_train`), as metric rows against train; n counts hits.

    `association_r` is the correlation of effects and `association_slope` the slope of synthetic on real ones (below 1:
    effects are lost), for each label against the rest (of two labels, for one), as means over labels (group "all"), and
    for a trait where there is one (group "trait"). Hits are chosen in train, whose effects are therefore too large (the
    winner's curse): even real samples have a slope below 1, as the envelope shows. A label that the synthetic samples
    lack has 0 for both: its effects cannot be found in them. The rows of `calibration` come with them.
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
    rows = [
        row(metric, values[place], group=group, against="train", n=values[2])
        for group, values in groups.items()
        for place, metric in enumerate(("association_r", "association_slope"))
    ]
    return rows + calibration(synthetic, train, real.at, seed)


def _agreement(ours: np.ndarray, real: np.ndarray) -> tuple[float, float] | None:
    """Correlation and slope of ours on real; None where the real ones are all the same."""
    x, y = real - real.mean(), ours - ours.mean()
    if not x @ x > 1e-12:
        return None
    length = np.sqrt((x @ x) * (y @ y))
    return (float(x @ y / length) if length > 1e-12 else 0.0), float(x @ y / (x @ x))
