"""Fidelity: do synthetic people have the frequencies, LD, heterozygosity and structure of real ones?

Everything that is fitted (minor alleles, expected heterozygosity, principal components, which pairs are in
LD) is fitted on the training people.
"""

import numpy as np
from scipy import stats

from syngeno.data.cohort import Cohort, same_variants
from syngeno.evaluate.metrics import row
from syngeno.stats import diversity, ld, pairwise, structure
from syngeno.stats.diversity import MAF_BINS, hwe_exact

HWE_P = 0.001

# The cohorts that `measure` takes.
PEOPLE = ("synthetic", "train", "test")

_BIN_VARIANTS = 10
# Of larger cohorts, as many people as are enough: what grows with the pairs of people stays affordable.
_SINKHORN_PEOPLE = 2000
_PAIRED_PEOPLE = 5000
_Z = stats.norm.ppf(0.975)


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
        seed: of the samples that stand for cohorts of very many people.
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
        *_equilibrium(synthetic),
        *_linkage(synthetic, train, neighbours, max_distance),
        *_differentiation(synthetic, train),
        *_axes(synthetic, train, test, seed),
        *_distances(synthetic, test, seed),
        *_haplotypes(synthetic, train),
    ]


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
    share = diversity.folded(synthetic, people)
    rows = [
        row("polymorphic_share", 1 - share[0], n=people),
        row("singleton_share", share[1], n=people),
    ]
    rows += [
        row("sfs", share[low : None if high is None else high + 1].sum(), group=name, n=people)
        for name, (low, high) in diversity.BINS.items()
        if low < len(share)
    ]
    # At full size, where the rarest variants are: how many vary, per one that varies in as many of train.
    people = min(len(synthetic), len(train))
    real = diversity.polymorphic(train, people)
    if real > 0:
        ratio = diversity.polymorphic(synthetic, people) / real
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


def _equilibrium(synthetic: Cohort) -> list[dict]:
    """How many variants that vary within a label are out of Hardy-Weinberg equilibrium there."""
    rows, outside, tested = [], 0, 0
    for label in synthetic.labels:
        dosages = synthetic.of(label).dosages
        alt = dosages.sum(0, dtype=np.int64)
        dosages = dosages[:, (alt > 0) & (alt < 2 * len(dosages))]
        tables = np.stack([(dosages == copies).sum(0) for copies in range(3)])
        if not tables.size:
            continue
        found = hwe_exact(*tables) < HWE_P
        rows.append(row("hwe_outliers", found.mean(), group=label, n=len(dosages)))
        outside, tested = outside + found.sum(), tested + len(found)
    return [row("hwe_outliers", outside / tested, n=len(synthetic)), *rows] if tested else []


def _linkage(synthetic: Cohort, train: Cohort, neighbours: int, max_distance: int) -> list[dict]:
    reach = {"neighbours": neighbours, "max_distance": max_distance}
    # Among the few people of one label some variants are correlated by chance, and among all people labels that differ
    # correlate them. Whether there is LD at all shows where labels are taken together, each about its own mean.
    if not ld.linked(train, **reach):
        return []
    by_label = len(train.labels) > 1
    found = {"all": ld.correlation(synthetic, train, **reach)}
    if by_label:
        found["within_labels"] = ld.correlation(synthetic, train, **reach, within_labels=True)
    rows = _decay(synthetic, train, "", reach)
    if by_label:
        for label in train.labels:
            ours, real = synthetic.of(label), train.of(label)
            if min(len(ours), len(real)) > 2:
                found[label] = ld.correlation(ours, real, **reach)
                rows += _decay(ours, real, f"{label}: ", reach)
    return [
        row("ld_r", value, group=group, against="train", n=pairs)
        for group, (value, pairs) in found.items()
        if np.isfinite(value)
    ] + rows


def _decay(synthetic: Cohort, train: Cohort, prefix: str, reach: dict[str, int]) -> list[dict]:
    """r2 by distance between the variants that are common among these training people."""
    common = np.minimum(train.frequency, 1 - train.frequency) >= ld.COMMON_MAF
    # Counted among common variants only, of which there are fewer within the same distance.
    found = ld.decay(synthetic, common, neighbours=2 * reach["neighbours"], max_distance=reach["max_distance"])
    return [row("ld_r2", r2, group=prefix + name, n=pairs) for name, (r2, pairs) in found.items()]


def _differentiation(synthetic: Cohort, train: Cohort) -> list[dict]:
    """Fst between labels, how far it is from that between training people, and from one's own label there."""
    labels = [label for label in train.labels if (synthetic.label == label).any()]
    ours, real = (structure.fst_between_labels(cohort, labels) for cohort in (synthetic, train))
    rows = [
        row("fst", value, group=" / ".join(pair), n=sum((synthetic.label == label).sum() for label in pair))
        for pair, value in ours.items()
        if np.isfinite(value)
    ]
    apart = [abs(value - real[pair]) for pair, value in ours.items() if np.isfinite(value - real[pair])]
    if apart:
        rows.append(row("fst_difference", np.mean(apart), against="train", n=len(apart)))
    own = {label: structure.fst(synthetic.of(label).dosages, train.of(label).dosages) for label in labels}
    own = {label: value for label, value in own.items() if np.isfinite(value)}
    if own:
        rows.append(row("fst_to_train", np.mean(list(own.values())), against="train", n=len(synthetic)))
    return rows + [
        row("fst_to_train", value, group=label, against="train", n=(synthetic.label == label).sum())
        for label, value in own.items()
        if len(train.labels) > 1
    ]


def _axes(synthetic: Cohort, train: Cohort, test: Cohort, seed: int) -> list[dict]:
    if len(train) < 2:
        return []
    axes = structure.principal_axes(train, structure.PCS)
    ours, theirs = axes.coordinates(synthetic.dosages), axes.coordinates(test.dosages)
    distance = structure.wasserstein(ours, theirs)
    n = len(synthetic)
    rows = [
        row("wasserstein_pc1_6", value, group=f"PC{k + 1}", against="test", n=n) for k, value in enumerate(distance)
    ]
    if len(distance) == structure.PCS:
        rows.insert(0, row("wasserstein_pc1_6", distance.sum(), against="test", n=n))
    if len(distance) < 2:
        return rows
    rng = np.random.default_rng([seed, 21])
    ours, theirs = (_sample(one, _SINKHORN_PEOPLE, rng)[:, :2] for one in (ours, theirs))
    return [*rows, row("sinkhorn_pc1_2", structure.sinkhorn(ours, theirs), against="test", n=len(ours))]


def _distances(synthetic: Cohort, test: Cohort, seed: int) -> list[dict]:
    """Distances of all pairs, not just of nearest ones: cohorts too uniform or too spread out show here."""
    rows = _mean_distances(synthetic, test, "all")
    if len(synthetic.labels) > 1:
        for label in synthetic.labels:
            rows += _mean_distances(synthetic.of(label), test.of(label), label)
    rng = np.random.default_rng([seed, 22])
    ours, theirs = (_sample(cohort.dosages, _PAIRED_PEOPLE, rng) for cohort in (synthetic, test))
    real, n = pairwise.within(theirs), len(ours)
    found = {
        "distance_within_w1": pairwise.wasserstein(pairwise.within(ours), real),
        "distance_between_w1": pairwise.wasserstein(pairwise.between(ours, theirs), real),
    }
    return rows + [row(metric, value, against="test", n=n) for metric, value in found.items() if np.isfinite(value)]


def _mean_distances(ours: Cohort, test: Cohort, group: str) -> list[dict]:
    n, rows = len(ours), []
    if n > 1:
        rows.append(row("distance_within", pairwise.mean_within(ours.dosages), group=group, n=n))
    if len(test):
        value = pairwise.mean_between(ours.dosages, test.dosages)
        rows.append(row("distance_between", value, group=group, against="test", n=n))
    return rows


def _sample(rows: np.ndarray, most: int, rng: np.random.Generator) -> np.ndarray:
    """All rows, or as many as are enough."""
    return rows if len(rows) <= most else rows[np.sort(rng.choice(len(rows), most, replace=False))]


def _haplotypes(synthetic: Cohort, train: Cohort) -> list[dict]:
    if synthetic.haplotypes is None or train.haplotypes is None:
        return []
    return [*_three_point(synthetic, train), *_diversity(synthetic, train)]


def _three_point(synthetic: Cohort, train: Cohort) -> list[dict]:
    ours, real = (_single(cohort) for cohort in (synthetic, train))
    varies = (train.frequency > 0) & (train.frequency < 1)
    found = {}
    for gap in diversity.GAPS:
        chosen = diversity.triplets(train.contig, varies, gap)
        found[f"gap {gap}"] = [diversity.three_point(one, chosen) for one in (ours, real)]
    found = {"all": [np.concatenate(values) for values in zip(*found.values(), strict=True)]} | found
    return [
        row("three_point_r", np.corrcoef(x, y)[0, 1], group=group, against="train", n=len(x))
        for group, (x, y) in found.items()
        if _correlates(x, y)
    ]


def _diversity(synthetic: Cohort, train: Cohort) -> list[dict]:
    starts = diversity.windows(train.contig)
    if not len(starts):
        return []
    ours, real = (diversity.diversity(_single(cohort), starts) for cohort in (synthetic, train))
    n = len(synthetic)
    rows = [row("haplotype_diversity", ours.mean(), n=n)]
    if _correlates(ours, real):
        r = np.corrcoef(ours, real)[0, 1]
        rows.append(row("haplotype_diversity_r", r, against="train", n=len(starts)))
    if len(synthetic.labels) > 1:
        for label in synthetic.labels:
            people = synthetic.of(label)
            value = diversity.diversity(_single(people), starts).mean()
            rows.append(row("haplotype_diversity", value, group=label, n=len(people)))
    return rows


def _single(cohort: Cohort) -> np.ndarray:
    """The haplotypes one by one, int8 (2 * people, variants)."""
    return cohort.haplotypes.reshape(2 * len(cohort), -1)


def _correlates(x: np.ndarray, y: np.ndarray) -> bool:
    """Whether a correlation is defined and more than two points stand behind it."""
    return len(x) > 2 and x.std() > 1e-9 and y.std() > 1e-9
