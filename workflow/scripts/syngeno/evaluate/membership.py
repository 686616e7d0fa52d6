"""Membership inference: can one tell who was in the training set from the synthetic samples alone?

Four attacks are given nothing but the synthetic cohort and a reference, real samples of the same kind that were never
trained on. Each gives a sample a score, higher for a likelier training sample:

- *distance*: minus the L1 distance to the nearest synthetic sample;
- *distance ratio*: how much nearer the nearest synthetic sample is than the second nearest (log ratio). It is blind
  to what all synthetic samples share with training, and sharp for single samples that were copied;
- *density ratio* (DOMIAS; van Breugel et al., AISTATS 2023): the log ratio of the density of synthetic to that of
  reference samples at the sample. Both are estimated by the nearest neighbour, for which log density is, up to a
  constant, minus log distance times the dimension; unlike kernels or flows that needs no bandwidth and no fit, and
  holds in ten thousand dimensions as in ten. A half is added to distances, that of half a genotype, so that a
  distance of 0 has a logarithm;
- *frequency ratio* (Sankararaman et al., Nature Genetics 41:965, 2009): the same ratio as if variants were
  independent, the sum over variants of the log ratio of allele probabilities in synthetic and reference samples.

Training samples are scored beside samples that were not trained on: the area under the ROC curve with DeLong's interval
(DeLong et al., Biometrics 44:837, 1988), and the share of training samples found when at most 1 % of the others are
accused (Carlini et al., IEEE S&P 2022), which tells of an attack that is sure of a few.

*Power*: an attack that finds nothing has shown nothing until it finds what is known to be there. Each attack is run on
the generator's samples, and again after some of them were replaced by training samples (planted canaries). It has power
where the difference in true-positive rate at 1 % false positives, paired over the same samples, has an interval
above 0. An attack on the trained model itself cannot detect canaries: they are planted after the training.
"""

import numpy as np
import pandas as pd

from syngeno import streams
from syngeno.data.cohort import Cohort
from syngeno.stats.intervals import Z, placements

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


def frequency_ratio(cohort: Cohort, synthetic: Cohort, reference: Cohort) -> np.ndarray:
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


def _frequency(cohort: Cohort, label: str | None = None, prior: np.ndarray | None = None) -> np.ndarray:
    """Smoothed frequencies of the ALT allele, of all (half an allele of either kind added) or within a label."""
    if label is None:
        return (cohort.count + 0.5) / (2 * len(cohort) + 1)
    samples = (cohort.label == label).sum()
    return (cohort.counts.get(label, 0) + PSEUDO_ALLELES * prior) / (2 * samples + PSEUDO_ALLELES)


def auc(members: np.ndarray, others: np.ndarray) -> tuple[float, float, float]:
    """Probability that a member's score exceeds another sample's, ties one half, and its 95 % interval (DeLong)."""
    below, above = placements(members, others), 1 - placements(others, members)
    value = float(below.mean())
    if min(len(members), len(others)) < 2:
        return value, np.nan, np.nan
    half = Z * np.sqrt(below.var(ddof=1) / len(members) + above.var(ddof=1) / len(others))
    return value, max(0.0, value - half), min(1.0, value + half)


def true_positives(members: np.ndarray, others: np.ndarray) -> np.ndarray:
    """Whom the attack finds, bool (members,): scores above a threshold that at most 1 % of the others exceed."""
    return members > _threshold(others)


def tpr(members: np.ndarray, others: np.ndarray, seed: int) -> tuple[float, float, float]:
    """Share of members found at 1 % false positives, with a 95 % percentile interval by bootstrap over samples."""
    found = float(true_positives(members, others).mean())
    rng = streams.rng("membership_tpr_bootstrap", seed)
    thresholds = _resampled_thresholds(rng, np.sort(others)[:, None])[:, 0]
    members = np.sort(members)
    above = len(members) - np.searchsorted(members, thresholds, "right")
    # So many of the members of a resample lie above its threshold: a binomial, no sample need be drawn.
    shares = rng.binomial(len(members), above / len(members)) / len(members)
    low, high = np.quantile(shares, [0.025, 0.975])
    return found, min(float(low), found), max(float(high), found)


def tpr_gain(
    base: tuple[np.ndarray, np.ndarray], planted: tuple[np.ndarray, np.ndarray], seed: int
) -> tuple[float, float, float]:
    """What canaries add to the share found at 1 % false positives, with a paired bootstrap interval.

    `base` and `planted` are (members', others') scores of the same samples in the same order, before and after
    canaries are planted. The bootstrap resamples them, each with both scores.
    """
    (members, others), (members_planted, others_planted) = base, planted
    if members.shape != members_planted.shape or others.shape != others_planted.shape:
        raise ValueError("a paired difference needs the same samples in both")
    found, found_planted = true_positives(members, others), true_positives(members_planted, others_planted)
    gain = float(found_planted.mean() - found.mean())
    rng = streams.rng("membership_gain_bootstrap", seed)
    order = np.lexsort((others_planted, others))
    thresholds = _resampled_thresholds(rng, np.stack([others[order], others_planted[order]], axis=1))
    distinct, which = np.unique(thresholds, axis=0, return_inverse=True)
    won, lost = np.empty((2, len(distinct)))
    for i, (before, after) in enumerate(distinct):
        was, now = members > before, members_planted > after
        won[i], lost[i] = np.count_nonzero(now & ~was), np.count_nonzero(was & ~now)
    n = len(members)
    drawn = rng.multinomial(n, np.stack([won / n, lost / n, 1 - (won + lost) / n], axis=1)[which.ravel()])
    gains = (drawn[:, 0] - drawn[:, 1]) / n
    low, high = np.quantile(gains, [0.025, 0.975])
    return gain, min(float(low), gain), max(float(high), gain)


def _allowed(others: int) -> int:
    """How many of so many others an attack may accuse."""
    return int(FALSE_POSITIVES * others + 1e-9)


def _threshold(others: np.ndarray) -> float:
    """The smallest score that no more than the allowed number of others exceed."""
    place = len(others) - 1 - _allowed(len(others))
    return float(np.partition(others, place)[place])


def _resampled_thresholds(rng: np.random.Generator, scores: np.ndarray) -> np.ndarray:
    """Thresholds of resamples, (BOOTSTRAP, k), for k scores of each sample: `scores` (samples, k)."""
    n = len(scores)
    place = n - 1 - _allowed(n)
    at_once = max(1, _RESAMPLED // scores.size)
    thresholds = np.empty((BOOTSTRAP, scores.shape[1]))
    for start in range(0, BOOTSTRAP, at_once):
        drawn = scores[rng.integers(0, n, (min(at_once, BOOTSTRAP - start), n))]
        thresholds[start : start + at_once] = np.partition(drawn, place, axis=1)[:, place]
    return thresholds


PLANTED = "planted"  # how the variant of an audit with planted canaries begins: "planted 5 %"

SEES = "detects planted canaries"
POWERLESS = "without power here"
KNOWS = "without power here: it detects training samples without canaries"
UNTRIED = "not tried with canaries"


def power(metrics: pd.DataFrame) -> pd.DataFrame:
    """What each attack said of each generator without and with canaries, a row per generator and attack.

    Args:
        metrics: a metrics table.

    Returns:
        Columns generator, fraction, seed, attack; `auc`, `tpr` (at 1 % false positives, without canaries),
        `planted` (the same rate with canaries) and `gain` (their paired difference), each with `_low` and
        `_high`; `sees` (bool) and `verdict`. Seeds one by one; generators in the order of the table.

    Raises:
        ValueError: an attack was measured that `ATTACK_NAMES` lacks.
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
    table["sees"] = table["gain_low"] > 0
    table["verdict"] = [_verdict(one) for one in table.itertuples()]
    return table


def unseen(metrics: pd.DataFrame) -> set[tuple[str, int]]:
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


def _verdict(run: object) -> str:
    if pd.isna(run.gain):
        return UNTRIED
    if run.gain_low > 0:
        return SEES
    # Where every training sample is found already, canaries cannot add: the difference is blind, the attack is not.
    return KNOWS if run.tpr_low > FALSE_POSITIVES else POWERLESS
