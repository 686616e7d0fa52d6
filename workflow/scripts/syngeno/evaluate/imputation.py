"""Imputation: how well do synthetic samples serve as the reference panel that fills in held-out samples?

Held-out samples are typed at some common variants only, as by a genotyping array, and Beagle 5 (Browning, Zhou &
Browning, Am J Hum Genet 2018) fills in the rest from a reference panel: once of synthetic samples, once of training
samples, the same targets, settings and seed. r2 of a variant is the squared correlation, over the held-out samples, of
the imputed dosage with the true one; the ratio of the two panels' mean r2 is what a user of the synthetic panel keeps.
Beagle phases an unphased panel first, and then the real one too is phased anew: the panels are compared by what they
hold, not by how they were phased. Such panels are both thinned to at most `UNPHASED` samples, so their r2 does not
compare with that of a phased panel; their ratio does.
"""

import hashlib
import logging
import time
from dataclasses import dataclass, replace

import numpy as np

from syngeno import streams
from syngeno.data import beagle
from syngeno.data.cohort import Cohort, same_variants
from syngeno.evaluate.metrics import row
from syngeno.stats import ld
from syngeno.stats.diversity import MAF_BINS
from syngeno.stats.intervals import Z

# The real cohorts that `reference` and `measure` take.
COHORTS = ("train", "test")
OBSERVED_MAF = 0.05  # of the variants that may be typed
TARGETS = 500  # held-out samples at most
# Phasing takes time with the square of the samples; Beagle sat for hours over 1,800 unphased synthetic samples.
UNPHASED = 500

_CONTIG_OBSERVED = 10  # a contig with fewer typed variants gives Beagle nothing to go by
_BIN_VARIANTS = 10
_BOOTSTRAP = 200
_BLOCK = 1000

log = logging.getLogger(__name__)


@dataclass(frozen=True, eq=False)
class Reference:
    """What depends on real samples alone.

    Attributes:
        kept, typed: bool (variants,), which variants take part, and at which of all the held-out samples are typed;
            none where imputation cannot be measured.
        panel: how many training samples were the real panel, and whether they were phased, int64 (2,).
        r2: what `r2_by_maf` gave with the real panel.
    """

    kept: np.ndarray
    typed: np.ndarray
    panel: np.ndarray
    r2: dict[str, np.ndarray]


def reference(train: Cohort, test: Cohort, *, observed: float, phase: bool, seed: int, **java: int) -> Reference:
    """What `measure` needs of real samples, with the same settings, and raises as it does.

    The real panel is all training samples, or `UNPHASED` of them where they are not phased. Nothing is measured (and a
    line is logged) where Beagle is missing, where there is no LD to impute from, or where the training samples are
    unphased and `phase` does not allow for phasing.
    """
    same_variants(train, test)
    none = np.zeros(train.dosages.shape[1], dtype=bool)
    nothing = Reference(none, none, np.zeros(2, dtype=np.int64), {})
    if not beagle.available():
        log.warning("no Beagle here: imputation is not measured (install `beagle`, then --forcerun measure_reference)")
        return nothing
    if train.haplotypes is None and not phase:
        log.info("the cohort is unphased: imputation is not measured (`phase: true` of `evaluate: imputation` does it)")
        return nothing
    if not ld.any_ld(ld.in_ld(train)):
        log.info("no LD in this cohort: imputation is not measured")
        return nothing
    train, test, rng = _ordered(train), _ordered(test), streams.rng("imputation_typed_variants", seed)
    test = thinned(test, TARGETS, rng)
    kept, typed = typed_variants(train, observed, rng)
    if not typed.any():
        log.info("too few common variants to type held-out samples at: imputation is not measured")
        return nothing
    phased = train.haplotypes is not None
    size = len(train) if phased else min(len(train), UNPHASED)
    real = Reference(kept, typed, np.array([size, phased]), {})
    return replace(real, r2=_imputed_r2("real", train, train, test, real, seed, java))


def measure(
    synthetic: Cohort,
    train: Cohort,
    test: Cohort,
    *,
    observed: float,
    phase: bool,
    seed: int,
    real: Reference | None = None,
    **java: int,
) -> list[dict]:
    """Imputation r2 with the synthetic and with the real panel, and their ratio, as metric rows.

    Args:
        synthetic, train, test: cohorts over the same variants (else ValueError).
        phase: unphased panels are phased first; without it, nothing is measured of them.
        observed: share of the variants with MAF of at least 5 % in train that the held-out samples are typed at.
        seed: of the typed variants, of Beagle, and of the bootstrap.
        real: what `reference` gave for train and test; computed here where it is absent.
        java: `threads` and `memory_mb` of Beagle, which raises RuntimeError where it fails.

    Returns:
        `imputation_r2`, `imputation_r2_real` and `imputation_ratio` against test, over the masked variants that vary
        among the targets (n), and by MAF in train; an imputed dosage that is constant has r2 0. The intervals are
        normal, by a bootstrap over held-out samples, the same for both panels. The larger panel is thinned to the size
        of the smaller, so that their sizes are not what is judged. Nothing where `reference` gives nothing.
    """
    same_variants(synthetic, train, test)
    real = real or reference(train, test, observed=observed, phase=phase, seed=seed, **java)
    if not real.typed.any():
        return []
    synthetic, train, test = (_ordered(cohort) for cohort in (synthetic, train, test))
    test = thinned(test, TARGETS, streams.rng("imputation_typed_variants", seed))
    phased = synthetic.haplotypes is not None and train.haplotypes is not None
    if not (phased or phase):
        log.info("an unphased panel: imputation is not measured (`phase: true` of `evaluate: imputation` does it)")
        return []
    size = min(len(synthetic), len(train), *([] if phased else [UNPHASED]))
    if real.panel.tolist() != [size, phased]:
        log.info("the real panel is imputed from anew: %d samples, phased: %s", size, phased)
        real = replace(real, panel=np.array([size, phased]))
        real = replace(real, r2=_imputed_r2("real", train, train, test, real, seed, java))
    # All training samples given back, as by the copycat, are the real panel.
    same = size == len(train) and (
        np.array_equal(synthetic.haplotypes, train.haplotypes)
        if phased
        else np.array_equal(synthetic.dosages, train.dosages)
    )
    ours = real.r2 if same else _imputed_r2("synthetic", synthetic, train, test, real, seed, java)
    variants = _by_maf(*_masked(train, test, real))
    means = {"imputation_r2": ours, "imputation_r2_real": real.r2}
    means["imputation_ratio"] = {group: ours[group] / theirs for group, theirs in real.r2.items() if theirs.min() > 0}
    return [
        _row(metric, by_group[group], group, len(inside))
        for group, inside in variants.items()
        for metric, by_group in means.items()
        if group in by_group
    ]


def _imputed_r2(
    name: str, source: Cohort, train: Cohort, test: Cohort, real: Reference, seed: int, java: dict[str, int]
) -> dict[str, np.ndarray]:
    """Mean r2 of the masked variants, by MAF in train, of test samples imputed from as large a panel as real's."""
    began, at, typed = time.monotonic(), real.kept, real.typed[real.kept]
    size, phased = real.panel.tolist()
    panel = thinned(source, size, streams.rng(f"imputation_{name}_panel", seed))
    dosages = beagle.impute(panel.at(at), bool(phased), test.at(at), typed, seed=seed, **java)
    log.info("imputed %d samples from %d %s ones, %.0f s", len(test), len(panel), name, time.monotonic() - began)
    return r2_by_maf(*_masked(train, test, real), dosages[:, ~typed], seed)


def _masked(train: Cohort, test: Cohort, real: Reference) -> tuple[np.ndarray, np.ndarray]:
    """True dosages (samples, masked variants) of test, and train's frequencies there."""
    masked = real.kept & ~real.typed
    return test.dosages[:, masked], train.frequency[masked]


def measure_panel(
    panel: Cohort, test: Cohort, typed: np.ndarray, frequency: np.ndarray, *, seed: int, **java: int
) -> list[dict]:
    """How well the panel fills in held-out real samples: `panel_r2` by minor-allele frequency, as metric rows.

    Of `test` (at most `TARGETS` of them) Beagle reads unphased genotypes at the `typed` variants, bool (variants,);
    r2 and intervals are those of `measure`. `frequency` (variants,) is that of training samples.
    """
    test = thinned(test, TARGETS, streams.rng("imputed_panel_targets", seed))
    dosages = beagle.impute(panel, True, test, typed, seed=seed, **java)[:, ~typed]
    truth, frequency = test.dosages[:, ~typed], frequency[~typed]
    means = r2_by_maf(truth, frequency, dosages, seed)
    return [_row("panel_r2", means[group], group, len(inside)) for group, inside in _by_maf(truth, frequency).items()]


def thinned(cohort: Cohort, samples: int, rng: np.random.Generator) -> Cohort:
    """At most so many samples, drawn without replacement."""
    if len(cohort) <= samples:
        return cohort
    return cohort.take(np.sort(rng.choice(len(cohort), samples, replace=False)))


def typed_variants(train: Cohort, share: float, rng: np.random.Generator) -> tuple[np.ndarray, np.ndarray]:
    """Which variants take part, and at which the held-out samples are typed, bool (variants,) each.

    Of several variants at one position the first takes part; contigs where fewer than 10 would be typed do not. Typed
    is a `share` of the variants with MAF of at least 5 % in train, contig by contig.
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
    return kept, typed


def r2(truth: np.ndarray, imputed: np.ndarray, times: np.ndarray) -> np.ndarray:
    """Squared correlations of true and imputed dosages (samples, variants), float64 (draws, variants).

    `times` (draws, samples) says how often each sample counts in each draw. 0 where the imputed dosage is constant, nan
    where the true one is.
    """
    x, y, w = truth.astype(np.float64), imputed.astype(np.float64), times / times.sum(1, keepdims=True)
    mx, my = w @ x, w @ y
    xx, yy, xy = w @ x**2 - mx**2, w @ y**2 - my**2, w @ (x * y) - mx * my
    with np.errstate(divide="ignore", invalid="ignore"):
        return np.where(xx < 1e-9, np.nan, np.where(yy < 1e-9, 0, xy**2 / (xx * yy)))


def _ordered(cohort: Cohort) -> Cohort:
    """The same samples, ordered by their genotypes, phase included: Beagle's draws follow their order."""
    if cohort.haplotypes is None:
        return cohort.in_canonical_order()
    digests = [hashlib.blake2b(np.ascontiguousarray(pair).tobytes()).digest() for pair in cohort.haplotypes]
    return cohort.take(np.array(sorted(range(len(cohort)), key=digests.__getitem__)))


def r2_by_maf(truth: np.ndarray, frequency: np.ndarray, imputed: np.ndarray, seed: int) -> dict[str, np.ndarray]:
    """Mean r2 over all variants and by MAF bin, float64 (draws,): of all samples, and of bootstrapped ones.

    `truth` and `imputed` are (samples, variants), `frequency` (variants,).
    """
    samples = len(truth)
    rng = streams.rng("imputation_bootstrap", seed)
    times = rng.multinomial(samples, np.full(samples, 1 / samples), size=_BOOTSTRAP)
    times = np.concatenate([np.ones((1, samples)), times])
    return {group: _mean_r2(truth, imputed, inside, times) for group, inside in _by_maf(truth, frequency).items()}


def _by_maf(truth: np.ndarray, frequency: np.ndarray) -> dict[str, np.ndarray]:
    """Indices of the variants that vary in truth, of all and by MAF bin, where they are enough."""
    varies, maf = truth.max(0) != truth.min(0), np.minimum(frequency, 1 - frequency)
    groups = {
        group: np.flatnonzero(varies & (maf >= low) & (maf < high))
        for group, (low, high) in {"all": (0, 1), **MAF_BINS}.items()
    }
    return {group: inside for group, inside in groups.items() if len(inside) >= _BIN_VARIANTS}


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

    Not their percentiles: r2 over fewer distinct samples is larger, so those lie around a shifted mean.
    """
    half = Z * values[1:].std(ddof=1)
    return row(metric, values[0], group=group, against="test", low=values[0] - half, high=values[0] + half, n=n)
