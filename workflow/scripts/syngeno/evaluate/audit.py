"""The audit: does a synthetic cohort give away training samples, and would the attacks have detected it if it did?

*Duplicates.* A synthetic sample is listed as an exact duplicate of a training sample whose genotypes are the same, and
as a near one where the L1 distance to the nearest training sample is below a quarter of the 1 % quantile of held-out
samples' own distances to training, for the label. Duplicates with some genotypes changed are so near; held-out
samples are not, even if related: full siblings differ by half as much as strangers, on a single chromosome by a third
or less now and then. *Risk* of a synthetic sample is explained in its module. *Kinship* (KING-robust) with the closest
training sample stands beside the same of held-out samples; degrees are counted only where kinship means something.
*Membership inference* is explained in its module.

*Power.* An attack that finds nothing may be blind. So a few synthetic samples are replaced by training samples
(planted canaries), and each attack on the synthetic cohort is run again: its gain is judged over all training samples
(`membership_tpr_gain`) and over those planted (`planted_gain`; an attack that finds many training samples without
canaries gains little over all of them, and yet should find these). An attack on the trained model itself cannot gain,
as canaries are planted after the training, and has no such rows.
"""

import itertools
import logging
from dataclasses import dataclass, replace

import numpy as np
import pandas as pd

from syngeno import streams
from syngeno.data.cohort import Cohort, same_variants
from syngeno.evaluate import membership, neighbours
from syngeno.evaluate.metrics import mean_row, row, share_row
from syngeno.evaluate.neighbours import Neighbours
from syngeno.evaluate.risk import HIGH_RISK, Yardstick
from syngeno.stats import kinship
from syngeno.stats import nearest as nearest_samples

# The real cohorts that `reference`, `measure` and `run` take.
COHORTS = ("train", "test", "validation")
COLUMNS = ("sample", "label", "nearest_train", "distance", "risk", "kinship_max", "listed")
# Whose neighbours are searched in which cohort.
AMONG_REAL = [("test", "train"), ("train", "validation"), ("test", "validation")]
TO_REAL = [("train", "synthetic"), ("synthetic", "train"), ("test", "synthetic")]

log = logging.getLogger(__name__)

Pair = tuple[np.ndarray, np.ndarray]  # of training and of held-out samples


@dataclass(frozen=True)
class Audit:
    """What an audit found.

    Attributes:
        rows: metric rows of the synthetic cohort.
        planted_rows: those of the same cohort with planted canaries; none where none were asked for.
        samples: a row per synthetic sample, in the cohort's order: its id and label, nearest_train (the id of a real
            sample), distance (L1), risk (0 to 1), kinship_max (0 where none is related), listed ("exact", "near", "").
    """

    rows: list[dict]
    planted_rows: list[dict]
    samples: pd.DataFrame


@dataclass(frozen=True, eq=False)
class Reference:
    """What depends on real samples alone: the kinship of each held-out sample with its closest training sample."""

    heldout_kinship: np.ndarray


def reference(train: Cohort, test: Cohort, **_: object) -> Reference:
    """What `run` needs of real samples beside their neighbours; no seed changes it."""
    return Reference(kinship.largest(test.in_canonical_order().dosages, train.dosages))


def measure(
    synthetic: Cohort,
    train: Cohort,
    test: Cohort,
    *,
    validation: Cohort,
    seed: int,
    relatives: pd.DataFrame | None = None,
) -> list[dict]:
    """All numbers of the audit of a synthetic cohort, without canaries; see `run`."""
    return run(synthetic, train, test, validation=validation, seed=seed, relatives=relatives).rows


def run(
    synthetic: Cohort,
    train: Cohort,
    test: Cohort,
    *,
    validation: Cohort,
    seed: int,
    real: Reference | None = None,
    among_real: Neighbours | None = None,
    to_real: Neighbours | None = None,
    planted: float = 0,
    model_scores: pd.Series | None = None,
    relatives: pd.DataFrame | None = None,
) -> Audit:
    """Audit a synthetic cohort; raises ValueError for other variants, too few samples, or a sample without a score.

    Args:
        synthetic, train, test, validation: cohorts over the same variants; `train` exactly the samples the generator
            was trained on, `validation` held-out samples that attacks compare with.
        seed: of the canaries and of the bootstraps.
        real: what `reference` gave for train and test; computed here where it is absent, as are
        among_real, to_real: what `neighbours.reference` and `neighbours.measure` gave for these cohorts.
        planted: percent of the synthetic samples to replace by training samples (canaries), 0 for none.
        model_scores: scores by sample id of an attack on the model, higher for likelier training samples.
        relatives: pairs of related real samples (sample_a, sample_b), of which the risk takes notice.
    """
    same_variants(synthetic, train, test, validation)
    if min(len(synthetic), len(train), len(test)) < 2:
        raise ValueError("an audit needs at least two samples in each cohort")
    order = synthetic.canonical_order()
    synthetic = synthetic.take(order)
    train, test, validation = (cohort.in_canonical_order() for cohort in (train, test, validation))
    real = real or reference(train, test)
    cohorts = {"synthetic": synthetic, "train": train, "test": test, "validation": validation}
    among_real = among_real or neighbours.among(cohorts, AMONG_REAL, count=1)
    to_real = to_real or neighbours.among(cohorts, TO_REAL, count=2)

    to_train, nearest_train = (part[:, 0] for part in to_real.of("synthetic", "train"))
    heldout = among_real.of("test", "train")[0][:, 0]
    yardstick = Yardstick(heldout, test.label, _related_to(train, test, relatives))
    listed = yardstick.listed(to_train, synthetic.label)
    risk = yardstick.risk(to_train, synthetic.label)
    related = kinship.largest(synthetic.dosages, train.dosages)

    rows = _duplicate_rows("all", listed) + _duplicate_rows("heldout", yardstick.listed(heldout, test.label))
    rows.append(share_row("high_risk", float((risk > HIGH_RISK).mean()), len(risk), "all", "train"))
    rows += _kinship_rows(related, real.heldout_kinship, synthetic)

    to_synthetic = tuple(to_real.of(name, "synthetic") for name in ("train", "test"))
    to_validation = tuple(among_real.of(name, "validation")[0][:, 0] for name in ("train", "test"))
    base = _scores(tuple(distances for distances, _ in to_synthetic), to_validation, cohorts)
    rows += _membership_rows(base, seed)
    if model_scores is not None:
        scores = tuple(_looked_up(model_scores, cohort) for cohort in (train, test))
        rows += _attack_rows(membership.DENOISING, scores, seed)

    planted_rows = []
    if planted:
        places, sources = canaries(synthetic.label, train.label, planted, seed)
        with_canaries = _replaced(synthetic, places, train, sources)
        distances = tuple(
            _nearest_with_canaries(cohort.dosages, known, with_canaries.dosages, places)
            for cohort, known in zip((train, test), to_synthetic, strict=True)
        )
        scores = _scores(distances, to_validation, cohorts | {"synthetic": with_canaries})
        planted_rows = _membership_rows(scores, seed) + _gain_rows(base, scores, sources, seed)
        planted_rows.append(_planted_listed(with_canaries.take(places), train, yardstick))

    names, distance = train.sample[nearest_train], to_train.astype(np.int64)
    columns = synthetic.sample, synthetic.label, names, distance, risk, _related(related), listed
    samples = pd.DataFrame(dict(zip(COLUMNS, columns, strict=True)))
    return Audit(rows, planted_rows, samples.iloc[np.argsort(order)].reset_index(drop=True))


def canaries(label: np.ndarray, train_label: np.ndarray, percent: float, seed: int) -> tuple[np.ndarray, np.ndarray]:
    """Which samples to replace by which: indices of synthetic samples, ascending, and of training samples, int64.

    At least one and at most as many as there are in training; no sample is planted twice. A synthetic sample is
    replaced by a training sample of the same label, as long as there are any left.
    """
    count = min(max(1, round(len(label) * percent / 100)), len(train_label), len(label))
    rng = streams.rng("planted_canaries", seed)
    places = np.sort(rng.choice(len(label), count, replace=False))
    sources = np.full(count, -1)
    for name in np.unique(label[places]):
        wanted = np.flatnonzero(label[places] == name)
        drawn = rng.permutation(np.flatnonzero(train_label == name))[: len(wanted)]
        sources[wanted[: len(drawn)]] = drawn
    rest = np.flatnonzero(sources < 0)
    sources[rest] = rng.permutation(np.setdiff1d(np.arange(len(train_label)), sources))[: len(rest)]
    return places, sources


def _related_to(train: Cohort, test: Cohort, pairs: pd.DataFrame | None) -> np.ndarray:
    """Which test samples have a relative among the training samples by these pairs, bool (samples,)."""
    if pairs is None:
        return np.zeros(len(test), dtype=bool)
    both = (pairs["sample_a"], pairs["sample_b"]), (pairs["sample_b"], pairs["sample_a"])
    return np.isin(test.sample, pd.concat([one[other.isin(train.sample)] for one, other in both]).to_numpy(str))


def _duplicate_rows(group: str, listed: np.ndarray) -> list[dict]:
    return [
        share_row(metric, float((listed == kind).mean()), len(listed), group, "train")
        for metric, kind in (("duplicate_share", "exact"), ("near_duplicate_share", "near"))
    ]


def _kinship_rows(related: np.ndarray, heldout: np.ndarray, cohort: Cohort) -> list[dict]:
    value, low, high = membership.auc(related, heldout)
    rows = [row("kinship_contrast", value, against="train", low=low, high=high, n=len(related))]
    for group, values in (("all", related), ("heldout", heldout)):
        values = _related(values)
        rows.append(mean_row("kinship_max", values, group, "train"))
        if kinship.meaningful(len(np.unique(cohort.contig)), len(cohort.contig)):
            for degree, bound in kinship.DEGREES[:3]:
                share = float((values > bound).mean())
                rows.append(share_row(f"kinship_{degree}", share, len(values), group, "train"))
    return rows


def _related(values: np.ndarray) -> np.ndarray:
    """Kinship of samples with their closest, 0 where it is below: none is less than unrelated."""
    return np.maximum(values, 0)


def _scores(to_synthetic: Pair, to_validation: Pair, cohorts: dict[str, Cohort]) -> dict[str, Pair]:
    """Scores by each attack; `to_synthetic` and `to_validation` are distances to the (two) nearest of these samples."""
    synthetic, validation = cohorts["synthetic"], cohorts["validation"]
    return {
        "distance": tuple(-distances[:, 0] for distances in to_synthetic),
        "distance_ratio": tuple(membership.distance_ratio(distances[:, :2]) for distances in to_synthetic),
        "density_ratio": tuple(
            membership.density_ratio(ours[:, 0], theirs)
            for ours, theirs in zip(to_synthetic, to_validation, strict=True)
        ),
        "frequency_ratio": tuple(
            membership.frequency_ratio(cohorts[name], synthetic, validation) for name in ("train", "test")
        ),
    }


def _membership_rows(scores: dict[str, Pair], seed: int) -> list[dict]:
    """Rows of each attack, and as "all" those of the one with the largest area."""
    rows = {attack: _attack_rows(attack, of_samples, seed) for attack, of_samples in scores.items()}
    best = max(rows, key=lambda attack: rows[attack][0]["value"])
    log.info("the best attack on the synthetic cohort is that by %s: AUC %.3f", best, rows[best][0]["value"])
    return [*(number | {"group": "all"} for number in rows[best]), *itertools.chain.from_iterable(rows.values())]


def _attack_rows(attack: str, scores: Pair, seed: int) -> list[dict]:
    area, share = membership.auc(*scores), membership.tpr(*scores, seed)
    return [
        row(metric, value, group=membership.known(attack), low=low, high=high, n=len(scores[0]))
        for metric, (value, low, high) in (("membership_auc", area), ("membership_tpr_at_1pct", share))
    ]


def _gain_rows(base: dict[str, Pair], planted: dict[str, Pair], sources: np.ndarray, seed: int) -> list[dict]:
    """What each attack gains by canaries: over all training samples, and over those that were planted."""
    rows = []
    for attack in base:
        for metric, chosen in (("membership_tpr_gain", slice(None)), ("planted_gain", sources)):
            before, after = ((training[chosen], heldout) for training, heldout in (base[attack], planted[attack]))
            value, low, high = membership.tpr_gain(before, after, seed)
            rows.append(row(metric, value, group=attack, low=low, high=high, n=len(before[0])))
    return rows


def _looked_up(scores: pd.Series, cohort: Cohort) -> np.ndarray:
    values = scores.reindex(cohort.sample).to_numpy(dtype=float)
    if np.isnan(values).any():
        raise ValueError(f"{int(np.isnan(values).sum())} of {len(values)} samples have no score of membership")
    return values


def _replaced(synthetic: Cohort, places: np.ndarray, train: Cohort, sources: np.ndarray) -> Cohort:
    dosages, label = synthetic.dosages.copy(), synthetic.label.astype(object)
    dosages[places], label[places] = train.dosages[sources], train.label[sources]
    return replace(synthetic, dosages=dosages, label=label.astype(str), haplotypes=None)


def _nearest_with_canaries(
    dosages: np.ndarray, known: nearest_samples.Found, with_canaries: np.ndarray, places: np.ndarray
) -> np.ndarray:
    """Distances to the two nearest of the cohort with canaries, by the distances and rows of the nearest before.

    Only distances to canaries are new, and those of samples whose neighbours were replaced.
    """
    others = np.setdiff1d(np.arange(len(with_canaries)), places)
    to_others = nearest_samples.among(known, dosages, np.arange(len(dosages)), with_canaries, others, "l1")
    to_canaries = nearest_samples.nearest(dosages, with_canaries[places], "l1")
    return np.sort(np.concatenate([to_others, to_canaries], axis=1), axis=1)[:, :2]


def _planted_listed(planted: Cohort, train: Cohort, yardstick: Yardstick) -> dict:
    """Share of canaries that are listed, and with the right training sample (or one of equal genotypes)."""
    distances, rows = nearest_samples.find(planted.dosages, train.dosages, "l1")
    same = (train.dosages[rows[:, 0]] == planted.dosages).all(axis=1)
    caught = (yardstick.listed(distances[:, 0], planted.label) != "") & same
    return share_row("planted_listed", float(caught.mean()), len(caught), "all", "train")
