"""Membership inference: do the synthetic samples reveal which samples were in the training set?

Four attacks use nothing but the synthetic cohort and a reference, real samples of the same kind that were never trained
on. Each gives a sample a score, higher for a likelier training sample:

- *distance*: minus the L1 distance to the nearest synthetic sample;
- *distance ratio*: how much nearer the nearest synthetic sample is than the second nearest (log ratio). It is blind
  to what all synthetic samples share with training, and sharp for single samples that were copied;
- *density ratio* (DOMIAS; van Breugel et al., AISTATS 2023): the log ratio of the density of synthetic to that of
  reference samples at the sample. Both are estimated by the nearest neighbour, for which log density is, up to a
  constant, minus log distance times the dimension. A half is added to distances, so that 0 has a logarithm;
- *frequency ratio* (Sankararaman et al., Nature Genetics 41:965, 2009): the same ratio as if variants were
  independent, the sum over variants of the log ratio of allele probabilities in synthetic and reference samples.

Training samples are scored beside samples that were not trained on: the area under the ROC curve with DeLong's interval
(DeLong et al., Biometrics 44:837, 1988), and the share of training samples found when at most 1 % of the others are
accused (Carlini et al., IEEE S&P 2022), which shows an attack that is sure of a few.

*Power*: each attack is run again after some synthetic samples were replaced by training samples (planted canaries). It
has power where the difference in true-positive rate at 1 % false positives, paired over the same samples, has an
interval above 0. An attack on the trained model itself cannot detect canaries: they are planted after the training.
"""

from typing import TYPE_CHECKING

import numpy as np
import pandas as pd

from syngeno import streams
from syngeno.stats.intervals import Z, placements

if TYPE_CHECKING:
    from syngeno.data.cohort import Cohort

DENOISING = "denoising_loss"  # an attack on the model itself: its own scores of samples
# Every attack by its group in the metrics table, and its name in words, in the order of figures and tables.
ATTACK_NAMES = {
    "distance": "distance",
    "distance_ratio": "distance ratio",
    "density_ratio": "density ratio",
    "frequency_ratio": "frequency ratio",
    DENOISING: "denoising loss",
}
FALSE_POSITIVES = 0.01
# On the unlinked 1000 Genomes cohort the attack is strongest with 5 to 10 (area .99 on frequencies per population).
PSEUDO_ALLELES = 10
BOOTSTRAP = 2000

_SAMPLES = 512  # rows widened to float64 at a time
_RESAMPLED = 2**20  # scores of resamples that are held at a time


def distance_ratio(to_synthetic: np.ndarray) -> np.ndarray:
    """Scores (samples,) from L1 distances to the two nearest synthetic samples, (samples, 2) ascending."""
    nearest, second = (to_synthetic + 0.5).T
    return np.log(second) - np.log(nearest)


def density_ratio(to_synthetic: np.ndarray, to_reference: np.ndarray) -> np.ndarray:
    """Scores from L1 distances to the nearest synthetic and the nearest reference sample, (samples,) each."""
    return np.log(to_reference + 0.5) - np.log(to_synthetic + 0.5)


def frequency_ratio(cohort: "Cohort", synthetic: "Cohort", reference: "Cohort") -> np.ndarray:
    """Scores of a cohort: the log likelihood ratio of synthetic to reference allele frequencies, (samples,).

    Frequencies are those within the sample's label, drawn to those over all labels by `PSEUDO_ALLELES`: a label of a
    few reference samples says little by itself, and ancestry alone, which is the same in both, must not decide. No
    frequency is 0 or 1.
    """
    score = np.empty(len(cohort))
    ours_all, theirs_all = _frequency(synthetic), _frequency(reference)
    for label in cohort.labels:
        ours, theirs = _frequency(synthetic, label, ours_all), _frequency(reference, label, theirs_all)
        absent = np.log1p(-ours) - np.log1p(-theirs)
        slope = np.log(ours) - np.log(theirs) - absent
        chosen = np.flatnonzero(cohort.label == label)
        for start in range(0, len(chosen), _SAMPLES):
            part = chosen[start : start + _SAMPLES]
            score[part] = cohort.dosages[part].astype(np.float64) @ slope + 2 * absent.sum()
    return score


def _frequency(cohort: "Cohort", label: str | None = None, prior: np.ndarray | None = None) -> np.ndarray:
    """Smoothed frequencies of the ALT allele, of all (half an allele of either kind added) or within a label."""
    if label is None:
        return (cohort.count + 0.5) / (2 * len(cohort) + 1)
    samples = (cohort.label == label).sum()
    return (cohort.counts.get(label, 0) + PSEUDO_ALLELES * prior) / (2 * samples + PSEUDO_ALLELES)


def auc(training: np.ndarray, heldout: np.ndarray) -> tuple[float, float, float]:
    """Probability that a training sample's score exceeds a held-out one's, ties one half, and its 95 % interval."""
    below, above = placements(training, heldout), 1 - placements(heldout, training)
    value = float(below.mean())
    if min(len(training), len(heldout)) < 2:
        return value, np.nan, np.nan
    half = Z * np.sqrt(below.var(ddof=1) / len(training) + above.var(ddof=1) / len(heldout))
    return value, max(0.0, value - half), min(1.0, value + half)


def true_positives(training: np.ndarray, heldout: np.ndarray) -> np.ndarray:
    """Which training samples the attack finds, bool: scores above a threshold that at most 1 % of the others exceed."""
    place = _place(len(heldout))
    return training > np.partition(heldout, place)[place]


def tpr(training: np.ndarray, heldout: np.ndarray, seed: int) -> tuple[float, float, float]:
    """Share of training samples found at 1 % false positives, with a 95 % percentile interval by bootstrap."""
    found, n = float(true_positives(training, heldout).mean()), len(training)
    rng = streams.rng("membership_tpr_bootstrap", seed)
    thresholds = _resampled_thresholds(rng, np.sort(heldout)[:, None])[:, 0]
    above = n - np.searchsorted(np.sort(training), thresholds, "right")
    # So many training samples of a resample lie above its threshold: a binomial, no sample need be drawn.
    return _with_interval(found, rng.binomial(n, above / n) / n)


def _with_interval(value: float, resampled: np.ndarray) -> tuple[float, float, float]:
    """A value with the percentile interval of its resamples, which holds the value itself."""
    low, high = np.quantile(resampled, [0.025, 0.975])
    return value, min(float(low), value), max(float(high), value)


def tpr_gain(
    base: tuple[np.ndarray, np.ndarray], planted: tuple[np.ndarray, np.ndarray], seed: int
) -> tuple[float, float, float]:
    """What canaries add to the share found at 1 % false positives, with a paired bootstrap interval.

    `base` and `planted` are scores of training and of held-out samples, the same ones in the same order, before and
    after canaries are planted. The bootstrap resamples them, each with both scores.
    """
    (training, heldout), (training_planted, heldout_planted) = base, planted
    gain = float(true_positives(*planted).mean() - true_positives(*base).mean())
    rng = streams.rng("membership_gain_bootstrap", seed)
    order = np.lexsort((heldout_planted, heldout))
    thresholds = _resampled_thresholds(rng, np.stack([heldout[order], heldout_planted[order]], axis=1))
    distinct, which = np.unique(thresholds, axis=0, return_inverse=True)
    won, lost = np.empty((2, len(distinct)))
    for i, (before, after) in enumerate(distinct):
        was, now = training > before, training_planted > after
        won[i], lost[i] = np.count_nonzero(now & ~was), np.count_nonzero(was & ~now)
    n = len(training)
    drawn = rng.multinomial(n, np.stack([won / n, lost / n, 1 - (won + lost) / n], axis=1)[which.ravel()])
    return _with_interval(gain, (drawn[:, 0] - drawn[:, 1]) / n)


def _place(heldout: int) -> int:
    """The place in ascending order of the smallest score that no more held-out samples exceed than may be accused."""
    return heldout - 1 - int(FALSE_POSITIVES * heldout + 1e-9)


def _resampled_thresholds(rng: np.random.Generator, scores: np.ndarray) -> np.ndarray:
    """Thresholds of resamples, (BOOTSTRAP, k), for k scores of each sample: `scores` (samples, k)."""
    n, place = len(scores), _place(len(scores))
    at_once = max(1, _RESAMPLED // scores.size)
    thresholds = np.empty((BOOTSTRAP, scores.shape[1]))
    for start in range(0, BOOTSTRAP, at_once):
        drawn = scores[rng.integers(0, n, (min(at_once, BOOTSTRAP - start), n))]
        thresholds[start : start + at_once] = np.partition(drawn, place, axis=1)[:, place]
    return thresholds


PLANTED = "planted"  # how the variant of an audit with planted canaries begins: "planted 5 %"

DETECTS = "detects planted canaries"
POWERLESS = "without power here"
DETECTS_WITHOUT = "leak: it detects training samples without canaries"
UNTRIED = "not tried with canaries"


def power(metrics: pd.DataFrame) -> pd.DataFrame:
    """What each attack found of each generator without and with canaries, by a metrics table.

    A row per generator, fraction, seed and attack: `auc`, `tpr` (at 1 % false positives, without canaries), `planted`
    (the same rate with canaries) and `gain` (their paired difference), each with `_low` and `_high`; `ceiling`, the
    highest end of the envelopes of these rates of the run, since one of several attacks goes far by chance; `detects`
    canaries, `leaks` (see `_leaks`) and `verdict`. Raises ValueError where an attack was measured that `ATTACK_NAMES`
    lacks.
    """
    attacked = metrics["metric"].isin(["membership_auc", "membership_tpr_at_1pct", "membership_tpr_gain"])
    single = metrics[(metrics["seed"] != "all") & (metrics["protocol"] == "ours") & attacked]
    single = single[single["group"] != "all"]  # the attack that goes farthest, which has a row of its own
    for attack in single["group"].unique():
        known(attack)
    planted = single["variant"].str.startswith(PLANTED)
    parts = {
        "auc": single[(single["metric"] == "membership_auc") & (single["variant"] == "")],
        "tpr": single[(single["metric"] == "membership_tpr_at_1pct") & (single["variant"] == "")],
        "planted": single[(single["metric"] == "membership_tpr_at_1pct") & planted],
        "gain": single[(single["metric"] == "membership_tpr_gain") & planted],
    }
    key = ["generator", "fraction", "seed", "group"]
    table = parts["auc"][key]
    for name, part in parts.items():
        renamed = {"value": name, "low": f"{name}_low", "high": f"{name}_high"}
        table = table.merge(part[[*key, *renamed]].rename(columns=renamed), on=key, how="left")
    table = table.rename(columns={"group": "attack"})
    ceilings = parts["tpr"].groupby(key[:-1])["real_high"].max().rename("ceiling").reset_index()
    table = table.merge(ceilings, on=key[:-1], how="left")
    table["detects"] = table["gain_low"] > 0
    table["leaks"] = _leaks(table)
    table["verdict"] = [_verdict(one) for one in table.itertuples()]
    return table


def undetected(metrics: pd.DataFrame) -> set[tuple[str, int]]:
    """(generator, fraction) on which no attack on the synthetic samples detects canaries, nor any training sample."""
    tried = power(metrics)
    tried = tried[(tried["attack"] != DENOISING) & tried["gain"].notna()]
    return {
        subject
        for subject, part in tried.groupby(["generator", "fraction"], sort=False)
        if (part["verdict"] == POWERLESS).all()
    }


def known(attack: str) -> str:
    """The attack itself; raises ValueError where `ATTACK_NAMES` lacks it."""
    if attack not in ATTACK_NAMES:
        raise ValueError(f"attack {attack!r} is not in the table of attacks ({', '.join(ATTACK_NAMES)})")
    return attack


def _leaks(table: pd.DataFrame) -> pd.Series:
    """Whether an attack recognises training samples, with no canary among them: more than by guessing (the interval of
    its rate lies above 1 %), and more than any attack does among real samples (where there is an envelope)."""
    return (table["tpr_low"] > FALSE_POSITIVES) & ~(table["tpr"] <= table["ceiling"])


def _verdict(run: object) -> str:
    if run.gain_low > 0:
        return DETECTS
    # Where every training sample is found already, canaries cannot add: the difference is blind, the attack is not.
    if run.leaks:
        return DETECTS_WITHOUT
    return UNTRIED if pd.isna(run.gain) else POWERLESS
