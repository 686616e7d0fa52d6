"""Membership inference: do the synthetic samples reveal which samples were in the training set?

Attacks (evaluate/attacks) give real samples a score, higher for a likelier training sample. Training samples are scored
beside samples that were not trained on: the area under the ROC curve with DeLong's interval (DeLong et al., Biometrics
44:837, 1988), and the share of training samples found when at most 1 % (or .1 %) of the others are accused (Carlini et
al., IEEE S&P 2022), which shows an attack that is sure of a few. The *strongest* of several attacks is the one whose
interval reaches highest, with intervals that hold for all of them at once (Bonferroni).

*Power*: each attack is run again after canaries were put into the synthetic cohort, whole training samples and mosaics
of two. It has power where the difference in true-positive rate at 1 % false positives, paired over the same samples,
has an interval above 0 for one kind of canaries. An attack on the trained model itself cannot detect canaries: they are
planted after the training.
"""

from collections.abc import Mapping

import numpy as np
import pandas as pd
from scipy.special import ndtri

from syngeno import streams
from syngeno.stats.intervals import placements

DENOISING = "denoising_loss"  # an attack on the model itself: its own scores of samples
# Every attack by its group in the metrics table, and its name in words, in the order of figures and tables.
ATTACK_NAMES = {
    "distance": "distance",
    "distance_ratio": "distance ratio",
    "density_ratio": "density ratio",
    "frequency_ratio": "frequency ratio",
    "run_length": "run length",
    "windows": "windows of variants",
    "windows_cm": "windows of cM",
    "painting": "painting",
    "painting_posterior": "posterior painting",
    "likelihood": "mosaic likelihood",
    DENOISING: "the model itself",
}
FALSE_POSITIVES = 0.01
RARE_FALSE_POSITIVES = 0.001
MOST_ISOLATED = "the 5 % most isolated"  # samples, beside a label, that an area is of
BOOTSTRAP = 2000

Pair = tuple[np.ndarray, np.ndarray]  # scores of training and of held-out samples

_RESAMPLED = 2**20  # scores of resamples that are held at a time


def auc(training: np.ndarray, heldout: np.ndarray, tried: int = 1) -> tuple[float, float, float]:
    """Probability that a training sample's score exceeds a held-out one's, ties one half, and its 95 % interval.

    The interval is one of several that hold together, where so many attacks were `tried`.
    """
    below, above = placements(training, heldout), 1 - placements(heldout, training)
    value = float(below.mean())
    if min(len(training), len(heldout)) < 2:
        return value, np.nan, np.nan
    z = -float(ndtri(0.025 / tried))
    half = z * np.sqrt(below.var(ddof=1) / len(training) + above.var(ddof=1) / len(heldout))
    return value, max(0.0, value - half), min(1.0, value + half)


def strongest(scores: Mapping[str, Pair]) -> tuple[str, tuple[float, float, float]]:
    """The attack whose interval of the area reaches highest, and its area, with the interval for all at once."""
    areas = {attack: auc(*pair, tried=len(scores)) for attack, pair in scores.items()}
    best = max(areas, key=lambda attack: (areas[attack][2], areas[attack][0]))
    return best, areas[best]


def true_positives(training: np.ndarray, heldout: np.ndarray, rate: float = FALSE_POSITIVES) -> np.ndarray:
    """Which training samples the attack finds, bool: scores above a threshold that at most 1 % of the others exceed."""
    place = _place(len(heldout), rate)
    return training > np.partition(heldout, place)[place]


def tpr(
    training: np.ndarray, heldout: np.ndarray, seed: int, rate: float = FALSE_POSITIVES
) -> tuple[float, float, float]:
    """Share of training samples found at 1 % false positives, with a 95 % percentile interval by bootstrap."""
    found, n = float(true_positives(training, heldout, rate).mean()), len(training)
    rng = streams.rng("membership_tpr_bootstrap", seed)
    thresholds = _resampled_thresholds(rng, np.sort(heldout)[:, None], rate)[:, 0]
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


def _place(heldout: int, rate: float) -> int:
    """The place in ascending order of the smallest score that no more held-out samples exceed than may be accused."""
    return heldout - 1 - int(rate * heldout + 1e-9)


def _resampled_thresholds(rng: np.random.Generator, scores: np.ndarray, rate: float = FALSE_POSITIVES) -> np.ndarray:
    """Thresholds of resamples, (BOOTSTRAP, k), for k scores of each sample: `scores` (samples, k)."""
    n, place = len(scores), _place(len(scores), rate)
    at_once = max(1, _RESAMPLED // scores.size)
    thresholds = np.empty((BOOTSTRAP, scores.shape[1]))
    for start in range(0, BOOTSTRAP, at_once):
        drawn = scores[rng.integers(0, n, (min(at_once, BOOTSTRAP - start), n))]
        thresholds[start : start + at_once] = np.partition(drawn, place, axis=1)[:, place]
    return thresholds


RATES = ("membership_auc", "membership_tpr_at_1pct", "membership_tpr_at_01pct")
# Variants of rates by several runs (attacks/shadows.py): each individual's score beside its own in other runs, or not.
LIRA, PLAIN = "LiRA", "without shadows"
PLANTED = "planted"  # how the variant of an audit with canaries begins: "planted 5 %, whole"

DETECTS = "detects planted canaries"
POWERLESS = "without power here"
DETECTS_WITHOUT = "leak: it detects training samples without canaries"
HINTS = "distinguishes training samples, but is sure of none"
FAR = 0.7  # an area above which an attack is a leak, whatever it is sure of
UNTRIED = "not tried with canaries"


def power(metrics: pd.DataFrame) -> pd.DataFrame:
    """What each attack found of each generator without and with canaries, by a metrics table.

    A row per generator, fraction, seed and attack: `auc`, `tpr` (at 1 % false positives, without canaries), `planted`
    (the same rate with canaries) and `gain` (their paired difference), each with `_low` and `_high`, for the `canaries`
    that the attack gains most by (lower end of the interval); `ceiling` and `auc_ceiling`, the highest ends of the
    envelopes of these rates and areas of the run, since one of several attacks goes far by chance; `detects` canaries,
    `recognises` (see `_recognises`), `leaks` (it recognises, or its area lies above `FAR` and above what any attack has
    among real samples) and `verdict`. Raises ValueError where an attack was measured that `ATTACK_NAMES` lacks.
    """
    attacked = metrics["metric"].isin(["membership_auc", "membership_tpr_at_1pct", "membership_tpr_gain"])
    single = metrics[(metrics["seed"] != "all") & (metrics["protocol"] == "ours") & attacked]
    single = single[single["group"] != "all"]  # the strongest attack, which has rows of its own
    for attack in single["group"].unique():
        known(attack)
    single = single[single["against"] == ""]  # of all samples; the others are of some
    key = ["generator", "fraction", "seed", "group"]
    with_canaries = single[single["variant"].str.startswith(PLANTED)]
    gain = with_canaries[with_canaries["metric"] == "membership_tpr_gain"]
    gain = gain.sort_values("low", ascending=False, kind="stable").drop_duplicates(key)
    planted = with_canaries[with_canaries["metric"] == "membership_tpr_at_1pct"]
    parts = {
        "auc": single[(single["metric"] == "membership_auc") & (single["variant"] == "")],
        "tpr": single[(single["metric"] == "membership_tpr_at_1pct") & (single["variant"] == "")],
        "planted": planted.merge(gain[[*key, "variant"]], on=[*key, "variant"]),
        "gain": gain,
    }
    kind = gain["variant"].str.split(", ", n=1).str[1]  # of "planted 5 %, whole"
    table = parts["auc"][key].merge(gain[key].assign(canaries=kind), on=key, how="left")
    for name, part in parts.items():
        renamed = {"value": name, "low": f"{name}_low", "high": f"{name}_high"}
        table = table.merge(part[[*key, *renamed]].rename(columns=renamed), on=key, how="left")
    table = table.rename(columns={"group": "attack"})
    for name, part in (("ceiling", parts["tpr"]), ("auc_ceiling", parts["auc"])):
        ceilings = part.groupby(key[:-1])["real_high"].max().rename(name).reset_index()
        table = table.merge(ceilings, on=key[:-1], how="left")
    table["detects"] = table["gain_low"] > 0
    table["recognises"] = _recognises(table)
    far = (table["auc"] > FAR) & (table["auc_low"] > 0.5) & ~(table["auc"] <= table["auc_ceiling"])
    table["leaks"] = table["recognises"] | far
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


def looked_up(scores: pd.Series, sample: np.ndarray) -> np.ndarray:
    """The scores of samples (n,), float64, from those by sample id; raises ValueError where one has none."""
    values = scores.reindex(sample).to_numpy(dtype=float)
    if np.isnan(values).any():
        raise ValueError(f"{int(np.isnan(values).sum())} of {len(values)} samples have no score of membership")
    return values


def _recognises(table: pd.DataFrame) -> pd.Series:
    """Whether an attack recognises training samples, with no canary among them: more than by guessing (the interval of
    its rate lies above 1 %), and more than any attack does among real samples (where there is an envelope)."""
    return (table["tpr_low"] > FALSE_POSITIVES) & ~(table["tpr"] <= table["ceiling"])


def _verdict(run: object) -> str:
    # Where every training sample is found already, canaries cannot add: the difference is blind, the attack is not.
    if run.leaks:
        return DETECTS_WITHOUT
    if run.gain_low > 0:
        return DETECTS
    if run.auc_low > 0.5 and not run.auc_low <= run.auc_ceiling:
        return HINTS
    return UNTRIED if pd.isna(run.gain) else POWERLESS
