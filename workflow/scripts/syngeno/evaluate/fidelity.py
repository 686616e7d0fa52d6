"""Fidelity: do synthetic samples have the frequencies, LD, heterozygosity and structure of real ones?

Everything that is fitted (minor alleles, expected heterozygosity, principal components, which pairs are in LD) is
fitted on the training samples.
"""

from dataclasses import dataclass

import numpy as np

from syngeno import streams
from syngeno.data.cohort import Cohort, same_variants
from syngeno.evaluate.metrics import mean_row, row
from syngeno.stats import diversity, ld, pairwise, structure
from syngeno.stats.diversity import MAF_BINS, hwe_exact

HWE_P = 0.001

# The real cohorts that `reference` and `measure` take.
COHORTS = ("train", "test")

_BIN_VARIANTS = 10
# Of larger cohorts, as many samples as are enough: what grows with the pairs of samples stays affordable.
_SINKHORN_SAMPLES = 2000
_PAIRED_SAMPLES = 5000


@dataclass(frozen=True, eq=False)
class Reference:
    """What depends on real samples alone.

    Attributes:
        linked_place, linked_r: pairs of variants in LD in train by group (see `ld.Linked`).
        axes_mean, axes_loadings, on_axes: principal axes of train, and where test lies on them, (samples, axes).
        within_test: how many pairs of test samples lie at each distance.
        three_point, diversity: three-point correlations by gap and haplotype diversity in windows, of train; empty
            where it is not phased.
    """

    linked_place: dict[str, np.ndarray]
    linked_r: dict[str, np.ndarray]
    axes_mean: np.ndarray
    axes_loadings: np.ndarray
    on_axes: np.ndarray
    within_test: np.ndarray
    three_point: dict[str, np.ndarray]
    diversity: np.ndarray


def reference(train: Cohort, test: Cohort, *, seed: int, neighbours: int, max_distance: int, **_: object) -> Reference:
    """What `measure` needs of real samples, with the same settings; raises as it does."""
    same_variants(train, test)
    train, test = train.in_canonical_order(), test.in_canonical_order()
    linked = ld.in_ld(train, neighbours=neighbours, max_distance=max_distance)
    variants = train.dosages.shape[1]
    axes = structure.Axes(np.zeros(variants, np.float32), np.zeros((variants, 0), np.float32))
    if len(train) > 1:
        axes = structure.principal_axes(train, structure.PCS)
    paired = _sample(test.dosages, _PAIRED_SAMPLES, streams.rng("distances_subsample", seed, 1))
    phased = train.haplotypes is not None
    return Reference(
        linked_place={group: one.place for group, one in linked.items()},
        linked_r={group: one.r for group, one in linked.items()},
        axes_mean=axes.mean,
        axes_loadings=axes.loadings,
        on_axes=axes.coordinates(test.dosages),
        within_test=pairwise.within(paired),
        three_point=_three_point(train, train) if phased else {},
        diversity=diversity.diversity(_in_windows(train)) if phased else np.empty(0),
    )


def measure(
    synthetic: Cohort,
    train: Cohort,
    test: Cohort,
    *,
    seed: int,
    neighbours: int,
    max_distance: int,
    rarefied_samples: int,
    real: Reference | None = None,
) -> list[dict]:
    """All fidelity numbers of a synthetic cohort, as metric rows.

    Args:
        synthetic, train, test: cohorts over the same variants (else ValueError).
        seed: of the subsamples that stand for cohorts of very many samples.
        neighbours, max_distance: which pairs of variants LD looks at (see `ld`).
        rarefied_samples: size to which cohorts are thinned (in expectation) before variants are counted.
        real: what `reference` gave for train and test; computed here where it is absent.
    """
    same_variants(synthetic, train, test)
    synthetic, train, test = (cohort.in_canonical_order() for cohort in (synthetic, train, test))
    reach = {"neighbours": neighbours, "max_distance": max_distance}
    real = real or reference(train, test, seed=seed, **reach)
    return [
        *_frequencies(synthetic, train, test),
        *_spectrum(synthetic, train, rarefied_samples),
        *_heterozygosity(synthetic, train),
        *_equilibrium(synthetic),
        *_linkage(synthetic, train, real, reach),
        *_differentiation(synthetic, train),
        *_axes(synthetic, real, seed),
        *_distances(synthetic, test, real.within_test, seed),
        *_haplotypes(synthetic, train, real),
    ]


def inbreeding(heterozygous: np.ndarray, frequency: np.ndarray, samples: int) -> np.ndarray:
    """Inbreeding coefficient F of each sample, float64 (samples,), from bool (samples, variants).

    F = 1 - observed / expected number of heterozygous sites; expected from the frequencies (variants,) among so many
    samples, with Nei's (1978) correction for their number, over sites that vary there. nan where none does.
    """
    varies, alleles = (frequency > 0) & (frequency < 1), 2 * samples
    expected = (2 * frequency * (1 - frequency))[varies].sum() * alleles / (alleles - 1)
    if expected == 0:
        return np.full(len(heterozygous), np.nan)
    return 1 - np.count_nonzero(heterozygous & varies, axis=1) / expected


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
            rows += _agreement(synthetic.frequency_of(label), train.frequency_of(label), label, "train")
    return rows


def _agreement(ours: np.ndarray, theirs: np.ndarray, group: str, against: str) -> list[dict]:
    n = len(ours)
    rmse = np.sqrt(np.mean((ours - theirs) ** 2))
    rows = [row("allele_frequency_rmse", rmse, group=group, against=against, n=n)]
    if n > 1 and ours.std() > 1e-9 and theirs.std() > 1e-9:
        r = np.corrcoef(ours, theirs)[0, 1]
        rows.append(row("allele_frequency_r", r, group=group, against=against, n=n))
    return rows


def _spectrum(synthetic: Cohort, train: Cohort, samples: int) -> list[dict]:
    samples = min(samples, len(synthetic))
    share = diversity.folded(synthetic, samples)
    rows = [row("polymorphic_share", 1 - share[0], n=samples), row("singleton_share", share[1], n=samples)]
    rows += [
        row("sfs", share[low : None if high is None else high + 1].sum(), group=name, n=samples)
        for name, (low, high) in diversity.BINS.items()
        if low < len(share)
    ]
    # At full size, where the rarest variants are: how many vary, per one that varies in as many of train.
    samples = min(len(synthetic), len(train))
    real = diversity.polymorphic(train, samples)
    if real > 0:
        ratio = diversity.polymorphic(synthetic, samples) / real
        rows.append(row("polymorphic_ratio", ratio, against="train", n=samples))
    return rows


def _heterozygosity(synthetic: Cohort, train: Cohort) -> list[dict]:
    heterozygous = synthetic.dosages == 1
    share = heterozygous.mean(1)
    inbred = inbreeding(heterozygous, train.frequency, len(train))
    rows = _mean("heterozygosity", share, "all") + _mean("inbreeding_f", inbred, "all")
    for label in train.labels:
        ours = synthetic.label == label
        if ours.any():
            inbred = inbreeding(heterozygous[ours], train.frequency_of(label), (train.label == label).sum())
            rows += _mean("heterozygosity", share[ours], label) + _mean("inbreeding_f", inbred, label)
    return rows


def _mean(metric: str, values: np.ndarray, group: str) -> list[dict]:
    return [mean_row(metric, values, group)] if np.isfinite(values).all() else []


def _equilibrium(synthetic: Cohort) -> list[dict]:
    """How many variants that vary within a label are out of Hardy-Weinberg equilibrium there."""
    rows, outside, tested = [], 0, 0
    for label in synthetic.labels:
        dosages, alt = synthetic.dosages[synthetic.label == label], synthetic.counts[label]
        n = len(dosages)
        varies = (alt > 0) & (alt < 2 * n)
        if not varies.any():
            continue
        alt, one = alt[varies], np.count_nonzero(dosages == 1, axis=0)[varies]
        two = (alt - one) // 2
        unlikely = hwe_exact(n - one - two, one, two) < HWE_P
        rows.append(row("hwe_outliers", unlikely.mean(), group=label, n=n))
        outside, tested = outside + unlikely.sum(), tested + len(unlikely)
    return [row("hwe_outliers", outside / tested, n=len(synthetic)), *rows] if tested else []


def _linkage(synthetic: Cohort, train: Cohort, real: Reference, reach: dict[str, int]) -> list[dict]:
    linked = {group: ld.Linked(place, real.linked_r[group]) for group, place in real.linked_place.items()}
    # Among the few samples of one label some variants are correlated by chance, and among all samples labels that
    # differ correlate them. Whether there is LD at all shows where labels are taken together, each about its own mean.
    if not ld.any_ld(linked):
        return []
    found = ld.correlations(synthetic, linked, **reach)
    rows = _decay(synthetic, train.frequency, "", reach)
    if len(train.labels) > 1:
        for label in train.labels:
            if label in found:
                rows += _decay(synthetic.of(label), train.frequency_of(label), f"{label}: ", reach)
    return [
        row("ld_r", value, group=group, against="train", n=pairs)
        for group, (value, pairs) in found.items()
        if np.isfinite(value)
    ] + rows


def _decay(synthetic: Cohort, frequency: np.ndarray, prefix: str, reach: dict[str, int]) -> list[dict]:
    """r2 by distance between the variants that are common by these frequencies of training samples."""
    common = np.minimum(frequency, 1 - frequency) >= ld.COMMON_MAF
    # Counted among common variants only, of which there are fewer within the same distance.
    found = ld.decay(synthetic, common, neighbours=2 * reach["neighbours"], max_distance=reach["max_distance"])
    return [row("ld_r2", r2, group=prefix + name, n=pairs) for name, (r2, pairs) in found.items()]


def _differentiation(synthetic: Cohort, train: Cohort) -> list[dict]:
    """Fst between labels, how far it is from that between training samples, and Fst to the same label there."""
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
    to_train = {}
    for label in labels:
        pair = ((cohort.counts[label], int((cohort.label == label).sum())) for cohort in (synthetic, train))
        if np.isfinite(value := structure.fst_of_counts(*pair)):
            to_train[label] = value
    if to_train:
        rows.append(row("fst_to_train", np.mean(list(to_train.values())), against="train", n=len(synthetic)))
    return rows + [
        row("fst_to_train", value, group=label, against="train", n=(synthetic.label == label).sum())
        for label, value in to_train.items()
        if len(train.labels) > 1
    ]


def _axes(synthetic: Cohort, real: Reference, seed: int) -> list[dict]:
    axes = structure.Axes(real.axes_mean, real.axes_loadings)
    ours, theirs = axes.coordinates(synthetic.dosages), real.on_axes
    rows = wasserstein_rows(ours, theirs)
    if len(rows) < 2:
        return rows
    ours, theirs = (
        _sample(one, _SINKHORN_SAMPLES, streams.rng("sinkhorn_subsample", seed, part))[:, :2]
        for part, one in enumerate((ours, theirs))
    )
    return [*rows, row("sinkhorn_pc1_2", structure.sinkhorn(ours, theirs), against="test", n=len(ours))]


def wasserstein_rows(ours: np.ndarray, test: np.ndarray) -> list[dict]:
    """Rows `wasserstein_pc1_6` of each axis and, of all six, of their sum, from coordinates (samples, axes)."""
    distance = structure.wasserstein(ours, test)
    found = {"all": distance.sum()} if len(distance) == structure.PCS else {}
    found |= {f"PC{k + 1}": value for k, value in enumerate(distance)}
    return [row("wasserstein_pc1_6", value, group=group, against="test", n=len(ours)) for group, value in found.items()]


def _distances(synthetic: Cohort, test: Cohort, within_test: np.ndarray, seed: int) -> list[dict]:
    """Distances of all pairs, not just of nearest ones: cohorts too uniform or too spread out show here."""
    rows = _mean_distances(synthetic.dosages, test.dosages, "all")
    if len(synthetic.labels) > 1:
        for label in synthetic.labels:
            rows += _mean_distances(*(one.dosages[one.label == label] for one in (synthetic, test)), label)
    ours, theirs = (
        _sample(cohort.dosages, _PAIRED_SAMPLES, streams.rng("distances_subsample", seed, part))
        for part, cohort in enumerate((synthetic, test))
    )
    return rows + distance_rows(ours, theirs, within_test)


def distance_rows(ours: np.ndarray, test: np.ndarray, within_test: np.ndarray) -> list[dict]:
    """How the distributions of distances within ours, and between ours and test, differ from that within test."""
    found = {
        "distance_within_w1": pairwise.wasserstein(pairwise.within(ours), within_test),
        "distance_between_w1": pairwise.wasserstein(pairwise.between(ours, test), within_test),
    }
    return [row(name, value, against="test", n=len(ours)) for name, value in found.items() if np.isfinite(value)]


def _mean_distances(ours: np.ndarray, test: np.ndarray, group: str) -> list[dict]:
    n, rows = len(ours), []
    if n > 1:
        rows.append(row("distance_within", pairwise.mean_within(ours), group=group, n=n))
    if len(test):
        value = pairwise.mean_between(ours, test)
        rows.append(row("distance_between", value, group=group, against="test", n=n))
    return rows


def _sample(rows: np.ndarray, most: int, rng: np.random.Generator) -> np.ndarray:
    return rows if len(rows) <= most else rows[np.sort(rng.choice(len(rows), most, replace=False))]


def _haplotypes(synthetic: Cohort, train: Cohort, real: Reference) -> list[dict]:
    if synthetic.haplotypes is None or train.haplotypes is None:
        return []
    found = {group: (ours, real.three_point[group]) for group, ours in _three_point(synthetic, train).items()}
    return [
        row("three_point_r", np.corrcoef(ours, theirs)[0, 1], group=group, against="train", n=len(ours))
        for group, (ours, theirs) in found.items()
        if _correlates(ours, theirs)
    ] + _diversity(synthetic, real.diversity)


def _three_point(cohort: Cohort, train: Cohort) -> dict[str, np.ndarray]:
    """Three-point correlations of triplets that vary in train, float64 (triplets,): of all, and by gap."""
    varies = (train.frequency > 0) & (train.frequency < 1)
    chosen = [diversity.triplets(train.contig, varies, gap) for gap in diversity.GAPS]
    every = diversity.three_point(_single(cohort), np.concatenate(chosen))
    parts = np.split(every, np.cumsum([len(of_gap) for of_gap in chosen])[:-1])
    return {"all": every} | {f"gap {gap}": part for gap, part in zip(diversity.GAPS, parts, strict=True)}


def _diversity(synthetic: Cohort, real: np.ndarray) -> list[dict]:
    if not len(real):
        return []
    alleles = _in_windows(synthetic)
    ours, n = diversity.diversity(alleles), len(synthetic)
    rows = [row("haplotype_diversity", ours.mean(), n=n)]
    if _correlates(ours, real):
        r = np.corrcoef(ours, real)[0, 1]
        rows.append(row("haplotype_diversity_r", r, against="train", n=len(real)))
    if len(synthetic.labels) > 1:
        for label in synthetic.labels:
            of_label = np.repeat(synthetic.label == label, 2)
            value = diversity.diversity(alleles[:, of_label]).mean()
            rows.append(row("haplotype_diversity", value, group=label, n=of_label.sum() // 2))
    return rows


def _in_windows(cohort: Cohort) -> np.ndarray:
    return diversity.in_windows(_single(cohort), diversity.windows(cohort.contig))


def _single(cohort: Cohort) -> np.ndarray:
    """The haplotypes one by one, int8 (2 * samples, variants)."""
    return cohort.haplotypes.reshape(2 * len(cohort), -1)


def _correlates(x: np.ndarray, y: np.ndarray) -> bool:
    """Whether a correlation is defined and more than two points stand behind it."""
    return len(x) > 2 and x.std() > 1e-9 and y.std() > 1e-9
