"""Imputation: how well do synthetic people serve as the reference panel that fills in held-out people?

Held-out people are typed at some common variants only, as a genotyping array would, and Beagle 5 (Browning,
Zhou & Browning, Am J Hum Genet 2018) fills in the rest from a reference panel: once of synthetic people, once
of training people, the same targets, settings and seed. r2 of a variant is the squared correlation, over the
held-out people, of the imputed dosage with the true one; the ratio of the two panels' mean r2 is what a user
of the synthetic panel keeps. Beagle phases an unphased panel first, and then the real one too is phased
anew: the panels are compared by what they hold, not by how they were phased. Such panels are both thinned to
at most `UNPHASED` people, so their r2 does not compare with that of a phased panel; their ratio does.
"""

import hashlib
import logging
import time

import numpy as np
from scipy import stats

from syngeno.data import beagle
from syngeno.data.cohort import Cohort, same_variants
from syngeno.evaluate.metrics import row
from syngeno.stats import ld
from syngeno.stats.diversity import MAF_BINS

PEOPLE = ("synthetic", "train", "test")
OBSERVED = 0.1
OBSERVED_MAF = 0.05
TARGETS = 500
# Phasing takes time with the square of the people; Beagle sat for hours over 1,800 unphased synthetic people.
UNPHASED = 500

_CONTIG_OBSERVED = 10  # a contig with fewer typed variants gives Beagle nothing to go by
_BIN_VARIANTS = 10
_BOOTSTRAP = 200
_BLOCK = 1000
_Z = stats.norm.ppf(0.975)

log = logging.getLogger(__name__)


def measure(
    synthetic: Cohort,
    train: Cohort,
    test: Cohort,
    *,
    seed: int,
    observed: float = OBSERVED,
    targets: int = TARGETS,
    threads: int = 1,
    memory_mb: int = 4000,
) -> list[dict]:
    """Imputation r2 with the synthetic and with the real panel, and their ratio, as metric rows.

    Args:
        synthetic, train, test: cohorts over the same variants; panels without `haplotypes` are phased.
        seed: of the typed variants, of Beagle, and of the bootstrap.
        observed: share of the variants with MAF of at least 5 % in train that the held-out people are typed at.
        targets: at most this many held-out people.
        threads, memory_mb: of Beagle.

    Returns:
        `imputation_r2`, `imputation_r2_real` and `imputation_ratio` against test, over the masked variants
        that vary among the targets (n), and by MAF in train; an imputed dosage that is constant has r2 0. The
        intervals are normal, by a bootstrap over held-out people, the same for both panels. The larger
        panel is thinned to the size of the smaller, so that their sizes are not what is judged. Nothing (and a logged
        line) where Beagle is missing, or where there is no LD to impute from.

    Raises:
        ValueError: cohorts that differ in their variants; a share that is none. RuntimeError: Beagle fails.
    """
    same_variants(synthetic, train, test)
    if not 0 < observed < 1:
        raise ValueError(f"observed must be between 0 and 1, not {observed}")
    if not beagle.available():
        log.warning("no Beagle here: imputation is not measured (install `beagle`, then --forcerun impute_heldout)")
        return []
    if not ld.linked(train):
        log.info("no LD in this cohort: imputation is not measured")
        return []
    synthetic, train, test = (_ordered(cohort) for cohort in (synthetic, train, test))
    # A stream of its own for what the synthetic people are asked: the real panel's number does not depend on them.
    rng = np.random.default_rng([seed, 41])
    test = thinned(test, targets, rng)
    kept, typed = typed_variants(train, observed, rng)
    if not typed.any():
        log.info("too few common variants to type held-out people at: imputation is not measured")
        return []
    synthetic, train, test = (cohort.at(kept) for cohort in (synthetic, train, test))
    frequency = train.at(~typed).frequency
    phased = synthetic.haplotypes is not None and train.haplotypes is not None
    few = min(len(synthetic), len(train), *([] if phased else [UNPHASED]))
    synthetic = thinned(synthetic, few, np.random.default_rng([seed, 43]))
    train = thinned(train, few, np.random.default_rng([seed, 44]))
    truth = test.dosages[:, ~typed]
    imputed = []
    for name, panel in (("synthetic", synthetic), ("real", train)):
        began = time.monotonic()
        dosages = beagle.impute(panel, phased, test, typed, seed=seed, threads=threads, memory_mb=memory_mb)
        imputed.append(dosages[:, ~typed])
        log.info("imputed %d people from %d %s ones, %.0f s", len(test), len(panel), name, time.monotonic() - began)
    both = {"imputation_r2": imputed[0], "imputation_r2_real": imputed[1]}
    return rows_of(truth, both, frequency, seed, ratio="imputation_ratio")


def measure_panel(
    panel: Cohort,
    test: Cohort,
    typed: np.ndarray,
    frequency: np.ndarray,
    *,
    seed: int,
    threads: int = 1,
    memory_mb: int = 4000,
) -> list[dict]:
    """How well the panel fills in held-out real people: `panel_r2` by minor-allele frequency, as metric rows.

    Of `test` (at most `TARGETS` of them) Beagle sees unphased genotypes at the `typed` variants, bool
    (variants,); r2 and intervals are those of `measure`. `frequency` (variants,) is that of training people.
    """
    test = thinned(test, TARGETS, np.random.default_rng([seed, 45]))
    given = {"seed": seed, "threads": threads, "memory_mb": memory_mb}
    dosages = beagle.impute(panel, True, test, typed, **given)[:, ~typed]
    return rows_of(test.dosages[:, ~typed], {"panel_r2": dosages}, frequency[~typed], seed)


def thinned(cohort: Cohort, people: int, rng: np.random.Generator) -> Cohort:
    """At most so many people, drawn without replacement."""
    if len(cohort) <= people:
        return cohort
    return cohort.take(np.sort(rng.choice(len(cohort), people, replace=False)))


def typed_variants(train: Cohort, share: float, rng: np.random.Generator) -> tuple[np.ndarray, np.ndarray]:
    """Which variants take part, and which of those the held-out people are typed at.

    Of several variants at one position the first takes part; contigs where fewer than 10 would be typed do
    not. Typed is a `share` of the variants with MAF of at least 5 % in train, contig by contig.

    Returns:
        bool (variants,), and bool (those that take part,).
    """
    maf = np.minimum(train.frequency, 1 - train.frequency)
    kept, typed = np.zeros(len(maf), dtype=bool), np.zeros(len(maf), dtype=bool)
    for contig in dict.fromkeys(train.contig.tolist()):
        here = np.flatnonzero(train.contig == contig)
        here = here[np.unique(train.position[here], return_index=True)[1]]
        common = here[maf[here] >= OBSERVED_MAF]
        wanted = round(share * len(common))
        if wanted >= _CONTIG_OBSERVED:
            kept[here] = True
            typed[rng.choice(common, wanted, replace=False)] = True
    return kept, typed[kept]


def r2(truth: np.ndarray, imputed: np.ndarray, times: np.ndarray) -> np.ndarray:
    """Squared correlations of true and imputed dosages, over people who count several times.

    Args:
        truth, imputed: (people, variants).
        times: (draws, people), how often each person counts in each draw; ones for each person once.

    Returns:
        float64 (draws, variants): 0 where the imputed dosage is constant, nan where the true one is.
    """
    x, y, w = truth.astype(np.float64), imputed.astype(np.float64), times / times.sum(1, keepdims=True)
    mx, my = w @ x, w @ y
    xx, yy, xy = w @ x**2 - mx**2, w @ y**2 - my**2, w @ (x * y) - mx * my
    with np.errstate(divide="ignore", invalid="ignore"):
        return np.where(xx < 1e-9, np.nan, np.where(yy < 1e-9, 0, xy**2 / (xx * yy)))


def _ordered(cohort: Cohort) -> Cohort:
    """The same people, ordered by what they carry, their phase included: Beagle's draws follow their order."""
    if cohort.haplotypes is None:
        return cohort.in_canonical_order()
    digests = [hashlib.blake2b(np.ascontiguousarray(pair).tobytes()).digest() for pair in cohort.haplotypes]
    return cohort.take(np.array(sorted(range(len(cohort)), key=digests.__getitem__)))


def rows_of(
    truth: np.ndarray, imputed: dict[str, np.ndarray], frequency: np.ndarray, seed: int, ratio: str | None = None
) -> list[dict]:
    """Mean r2 over all variants and by MAF bin, as metric rows named as what was `imputed` is.

    `truth` and each of `imputed` are (people, variants), `frequency` (variants,). `ratio` names that of the first to
    the second.
    """
    people = len(truth)
    # The first of the draws is every person once.
    drawn = np.random.default_rng([seed, 42]).multinomial(people, np.full(people, 1 / people), size=_BOOTSTRAP)
    times = np.concatenate([np.ones((1, people)), drawn])
    varies = truth.max(0) != truth.min(0)
    maf = np.minimum(frequency, 1 - frequency)
    rows = []
    for group, (low, high) in {"all": (0, 1), **MAF_BINS}.items():
        inside = np.flatnonzero(varies & (maf >= low) & (maf < high))
        if len(inside) < _BIN_VARIANTS:
            continue
        means = {metric: _mean_r2(truth, dosages, inside, times) for metric, dosages in imputed.items()}
        if ratio is not None:
            ours, theirs = means.values()
            means |= {ratio: ours / theirs} if theirs.min() > 0 else {}
        rows += [_row(metric, values, group, len(inside)) for metric, values in means.items()]
    return rows


def _mean_r2(truth: np.ndarray, imputed: np.ndarray, variants: np.ndarray, times: np.ndarray) -> np.ndarray:
    """Mean r2 over some variants, float64 (draws,); those that do not vary in a draw do not count in it."""
    total, counted = np.zeros(len(times)), np.zeros(len(times))
    for start in range(0, len(variants), _BLOCK):
        at = variants[start : start + _BLOCK]
        values = r2(truth[:, at], imputed[:, at], times)
        total += np.nansum(values, axis=1)
        counted += np.isfinite(values).sum(1)
    return total / np.maximum(counted, 1)


def _row(metric: str, values: np.ndarray, group: str, n: int) -> dict:
    """The first value with a normal 95 % interval by the spread of the others.

    Not their percentiles: r2 over fewer distinct people is larger, so those lie around a shifted mean.
    """
    half = _Z * values[1:].std(ddof=1)
    return row(metric, values[0], group=group, against="test", low=values[0] - half, high=values[0] + half, n=n)
