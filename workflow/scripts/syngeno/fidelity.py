"""Fidelity: do synthetic people have the frequencies, LD, heterozygosity and structure of real ones?

Everything that is fitted (minor alleles, expected heterozygosity, principal components, which pairs are in
LD) is fitted on the training people.
"""

from dataclasses import dataclass

import numpy as np
from scipy import stats
from sklearn.decomposition import PCA

from syngeno import ld
from syngeno.cohort import Cohort, same_variants
from syngeno.metrics import row

MAF_BINS = {
    "maf 0-0.005": (0, 0.005),
    "maf 0.005-0.01": (0.005, 0.01),
    "maf 0.01-0.05": (0.01, 0.05),
    "maf 0.05-0.5": (0.05, 0.5001),
}
PCS = 6

_BIN_VARIANTS = 10
_Z = stats.norm.ppf(0.975)


@dataclass(frozen=True, eq=False)
class Axes:
    """Principal axes of people: dosages less `mean` (variants,), times `loadings` (variants, k)."""

    mean: np.ndarray
    loadings: np.ndarray

    def coordinates(self, dosages: np.ndarray) -> np.ndarray:
        """Where people lie on the axes, float64 (people, k)."""
        projected = dosages.astype(np.float32) @ self.loadings - self.mean @ self.loadings
        return projected.astype(np.float64)


def principal_axes(people: Cohort, components: int, seed: int) -> Axes:
    """The first principal axes of centred, unscaled dosages (randomised SVD), at most people - 1 of them.

    Raises ValueError with fewer than two people.
    """
    k = min(components, len(people) - 1, people.dosages.shape[1])
    if k < 1:
        raise ValueError("principal axes need at least two people and one variant")
    pca = PCA(k, svd_solver="randomized", n_oversamples=20, random_state=seed)
    pca.fit(people.dosages.astype(np.float32))
    return Axes(pca.mean_.astype(np.float32), pca.components_.T.astype(np.float32))


def coordinates(train: Cohort, *others: Cohort, components: int = PCS, seed: int = 0) -> list[np.ndarray]:
    """Where train and other cohorts lie on train's axes, each float64 (people, k); for the figure."""
    axes = principal_axes(train.in_canonical_order(), components, seed)
    return [axes.coordinates(cohort.dosages) for cohort in (train, *others)]


def measure(
    synthetic: Cohort,
    train: Cohort,
    test: Cohort,
    *,
    seed: int,
    neighbours: int = ld.NEIGHBOURS,
    max_distance: int = ld.MAX_DISTANCE,
    rarefied_people: int = 200,
) -> list[dict]:
    """All fidelity numbers of a synthetic cohort, as metric rows.

    Args:
        synthetic, train, test: cohorts over the same variants.
        seed: of the randomised SVD.
        neighbours, max_distance: which pairs of variants LD looks at (see `ld`).
        rarefied_people: size to which people are thinned (in expectation) before variants are counted, so
            that cohorts of different size can be compared.

    Raises:
        ValueError: the cohorts differ in their variants, or one is empty.
    """
    same_variants(synthetic, train, test)
    synthetic, train, test = (cohort.in_canonical_order() for cohort in (synthetic, train, test))
    return [
        *_frequencies(synthetic, train, test),
        *_spectrum(synthetic, train, rarefied_people),
        *_heterozygosity(synthetic, train),
        *_linkage(synthetic, train, neighbours, max_distance),
        *_structure(synthetic, train, test, seed),
    ]


def rarefied(cohort: Cohort, people: int) -> tuple[float, float]:
    """Expected shares of variants that are polymorphic, and seen exactly once, among fewer people.

    The expectation is over all draws of 2 * people alleles without replacement (hypergeometric; the
    rarefaction of Hurlbert 1971), so nothing is drawn. Shares are of all variants; "once" counts the minor
    allele.
    """
    alleles, drawn = 2 * len(cohort), 2 * min(people, len(cohort))
    count = cohort.dosages.sum(0, dtype=np.int64)
    copies, variants = np.unique(count, return_counts=True)
    draw = stats.hypergeom(alleles, copies, drawn)
    polymorphic = 1 - draw.pmf(0) - draw.pmf(drawn)
    single = draw.pmf(1) + (draw.pmf(drawn - 1) if drawn > 2 else 0)
    return float(polymorphic @ variants / len(count)), float(single @ variants / len(count))


def inbreeding(dosages: np.ndarray, reference: Cohort) -> np.ndarray:
    """Inbreeding coefficient F of each person, float64 (people,).

    F = 1 - observed / expected number of heterozygous sites; expected from the allele frequencies of
    `reference` with Nei's (1978) correction for its size, over sites that vary there. nan where none does.
    """
    p, alleles = reference.frequency, 2 * len(reference)
    varies = (p > 0) & (p < 1)
    expected = (2 * p * (1 - p))[varies].sum() * alleles / (alleles - 1)
    if expected == 0:
        return np.full(len(dosages), np.nan)
    return 1 - (dosages[:, varies] == 1).sum(1) / expected


def _frequencies(synthetic: Cohort, train: Cohort, test: Cohort) -> list[dict]:
    # Frequencies of train's minor allele: those of the ALT allele lie near 0 and near 1 within one bin, which
    # is a correlation by itself.
    flip = train.frequency > 0.5
    ours, maf = (np.where(flip, 1 - f, f) for f in (synthetic.frequency, train.frequency))
    rows = []
    for against, other in (("train", train), ("test", test)):
        theirs = np.where(flip, 1 - other.frequency, other.frequency)
        rows += _agreement(ours, theirs, "all", against)
        for name, (low, high) in MAF_BINS.items():
            inside = (maf >= low) & (maf < high)
            if inside.sum() >= _BIN_VARIANTS:
                rows += _agreement(ours[inside], theirs[inside], name, against)
    for label in train.labels:
        if (synthetic.label == label).any():
            rows += _agreement(synthetic.of(label).frequency, train.of(label).frequency, label, "train")
    return rows


def _agreement(ours: np.ndarray, theirs: np.ndarray, group: str, against: str) -> list[dict]:
    n = len(ours)
    rmse = np.sqrt(np.mean((ours - theirs) ** 2))
    rows = [row("allele_frequency_rmse", rmse, group=group, against=against, n=n)]
    if n > 1 and ours.std() > 1e-9 and theirs.std() > 1e-9:
        r = np.corrcoef(ours, theirs)[0, 1]
        rows.append(row("allele_frequency_r", r, group=group, against=against, n=n))
    return rows


def _spectrum(synthetic: Cohort, train: Cohort, people: int) -> list[dict]:
    people = min(people, len(synthetic))
    polymorphic, single = rarefied(synthetic, people)
    rows = [
        row("polymorphic_share", polymorphic, n=people),
        row("singleton_share", single, n=people),
    ]
    # At full size, where the rarest variants are: how many vary, per one that varies in as many of train.
    people = min(len(synthetic), len(train))
    real = rarefied(train, people)[0]
    if real > 0:
        ratio = rarefied(synthetic, people)[0] / real
        rows.append(row("polymorphic_ratio", ratio, against="train", n=people))
    return rows


def _heterozygosity(synthetic: Cohort, train: Cohort) -> list[dict]:
    share = (synthetic.dosages == 1).mean(1)
    rows = _mean("heterozygosity", share, "all") + _mean("inbreeding_f", inbreeding(synthetic.dosages, train), "all")
    for label in train.labels:
        ours = synthetic.label == label
        if ours.any():
            rows += _mean("heterozygosity", share[ours], label)
            rows += _mean("inbreeding_f", inbreeding(synthetic.dosages[ours], train.of(label)), label)
    return rows


def _mean(metric: str, values: np.ndarray, group: str) -> list[dict]:
    """Mean over people with its normal 95 % interval; nothing where it is not defined."""
    if not np.isfinite(values).all():
        return []
    half = _Z * values.std(ddof=1) / np.sqrt(len(values)) if len(values) > 1 else np.nan
    mean = values.mean()
    return [row(metric, mean, group=group, low=mean - half, high=mean + half, n=len(values))]


def _linkage(synthetic: Cohort, train: Cohort, neighbours: int, max_distance: int) -> list[dict]:
    pairs_of = [("all", synthetic, train)]
    for label in train.labels if len(train.labels) > 1 else []:
        ours, real = synthetic.of(label), train.of(label)
        if min(len(ours), len(real)) > 2:
            pairs_of.append((label, ours, real))
    if len(pairs_of) > 1:
        pairs_of.insert(1, ("within_labels", synthetic, train))
    rows = []
    for group, ours, real in pairs_of:
        value, pairs = ld.correlation(
            ours,
            real,
            neighbours=neighbours,
            max_distance=max_distance,
            within_labels=group == "within_labels",
        )
        if np.isfinite(value):
            rows.append(row("ld_r", value, group=group, against="train", n=pairs))
    maf = np.minimum(train.frequency, 1 - train.frequency)
    for name, (r2, pairs) in ld.decay(synthetic, maf >= ld.COMMON_MAF, max_distance=max_distance).items():
        rows.append(row("ld_r2", r2, group=name, n=pairs))
    return rows


def _structure(synthetic: Cohort, train: Cohort, test: Cohort, seed: int) -> list[dict]:
    if len(train) < 2:
        return []
    axes = principal_axes(train, PCS, seed)
    ours, theirs = axes.coordinates(synthetic.dosages), axes.coordinates(test.dosages)
    distance = [stats.wasserstein_distance(ours[:, k], theirs[:, k]) for k in range(ours.shape[1])]
    n = len(synthetic)
    rows = [
        row("wasserstein_pc1_6", value, group=f"PC{k + 1}", against="test", n=n) for k, value in enumerate(distance)
    ]
    if len(distance) == PCS:
        rows.insert(0, row("wasserstein_pc1_6", sum(distance), against="test", n=n))
    return rows
