"""The audit: does a synthetic cohort give away training people, and would the attacks have seen it if it did?

*Copies.* A synthetic person is listed as an exact duplicate of a training person whose genotypes are the same, and
as a near one where the L1 distance to the nearest training person is below a quarter of the 1 % quantile of held-out
people's own distances to training, within the label. Copies with some genotypes changed are so near; held-out people
are not, even if related: full siblings differ by half as much as strangers, on a single chromosome by a third or
less now and then. *Risk* of a synthetic person is the share of held-out people of the label who
are farther from training than he or she is. *Kinship* (KING-robust) with the closest training person stands beside
the same of held-out people; degrees are counted only where kinship means something. *Membership inference* is
explained in its module.

*Power.* An attack that finds nothing may be blind. So a few synthetic people are replaced by training people
(plants), and each attack on the synthetic cohort is run again: what it gains is judged over the same people, over all
members (`membership_tpr_gain`) and over those planted (`planted_gain`; an attack that knows many members without
plants gains little over all of them, and yet should find these). An attack on the trained model itself cannot gain, as
plants come after it, and has no such rows.

Whom to keep back from release: copies of training people, and those at the highest risk.
"""

import logging
import math
from dataclasses import dataclass, replace

import numpy as np
import pandas as pd
from scipy import stats

from syngeno.data.cohort import Cohort, same_variants
from syngeno.evaluate import membership
from syngeno.evaluate.metrics import row, share_row
from syngeno.stats import kinship
from syngeno.stats import nearest as nearest_samples

PEOPLE = ("synthetic", "train", "test", "reference")
COLUMNS = ("sample", "label", "nearest_train", "distance", "risk", "kinship_max", "listed")
DENOISING = "denoising_loss"
LEAST = 20  # held-out people of a label; where there are fewer, those of all labels are the yardstick
NEAR_QUANTILE, NEAR_SHARE = 0.01, 0.25
HIGH_RISK = 0.95

_Z = stats.norm.ppf(0.975)

log = logging.getLogger(__name__)


@dataclass(frozen=True)
class Audit:
    """What an audit found.

    Attributes:
        rows: metric rows of the synthetic cohort.
        planted_rows: those of the same cohort with plants; none where none were asked for.
        people: a row per synthetic person, in the cohort's order: sample, label, nearest_train (id of the nearest
            training person), distance (L1), risk (0 to 1), kinship_max (0 where nobody is related) and listed
            ("exact", "near" or ""). It names real people.
    """

    rows: list[dict]
    planted_rows: list[dict]
    people: pd.DataFrame


def measure(synthetic: Cohort, train: Cohort, test: Cohort, *, reference: Cohort, seed: int) -> list[dict]:
    """All numbers of the audit of a synthetic cohort, without plants; see `run`."""
    return run(synthetic, train, test, reference=reference, seed=seed).rows


def run(
    synthetic: Cohort,
    train: Cohort,
    test: Cohort,
    *,
    reference: Cohort,
    seed: int,
    planted: float = 0,
    member_scores: pd.Series | None = None,
) -> Audit:
    """Audit a synthetic cohort.

    Args:
        synthetic, train, test, reference: cohorts over the same variants; `train` exactly the people the generator
            saw, `test` people whom it did not, `reference` other people whom it did not, for attacks that compare.
        seed: of the plants and of the bootstraps.
        planted: percent of the synthetic people to replace by training people, for the power of the attacks; 0 for
            none.
        member_scores: scores by sample id of an attack that saw the model, higher for likelier members.

    Raises:
        ValueError: the cohorts differ in their variants, have too few people, or somebody has no score.
    """
    same_variants(synthetic, train, test, reference)
    if min(len(synthetic), len(train), len(test)) < 2:
        raise ValueError("an audit needs at least two people in each cohort")
    order = synthetic.canonical_order()
    synthetic = synthetic.take(order)
    train, test, reference = (cohort.in_canonical_order() for cohort in (train, test, reference))

    from_train, from_synthetic = nearest_samples.find_both_ways(train.dosages, synthetic.dosages, "l1")
    from_test = nearest_samples.find(test.dosages, synthetic.dosages, "l1")
    heldout = nearest_samples.nearest(test.dosages, train.dosages, "l1")[:, 0]
    yardstick = _Yardstick(heldout, test.label)
    listed = yardstick.listed(from_synthetic[0][:, 0], synthetic.label)
    risk = yardstick.risk(from_synthetic[0][:, 0], synthetic.label)
    related, heldout_related = (kinship.largest(people.dosages, train.dosages) for people in (synthetic, test))

    rows = _copy_rows("all", listed) + _copy_rows("heldout", yardstick.listed(heldout, test.label))
    rows.append(share_row("high_risk", float((risk > HIGH_RISK).mean()), len(risk), "all", "train"))
    rows += _kinship_rows(related, heldout_related, synthetic)

    to_reference = tuple(
        nearest_samples.nearest(people.dosages, reference.dosages, "l1")[:, 0] for people in (train, test)
    )
    cohorts = (train, test, synthetic, reference)
    base = _scores((from_train[0], from_test[0]), to_reference, cohorts)
    rows += _membership_rows(base, seed)
    if member_scores is not None:
        rows += _attack_rows(DENOISING, tuple(_looked_up(member_scores, people) for people in (train, test)), seed)

    planted_rows = []
    if planted:
        places, sources = plants(synthetic.label, train.label, planted, seed)
        with_plants = _replaced(synthetic, places, train, sources)
        distances = tuple(
            _nearest_with_plants(people.dosages, found, with_plants.dosages, places)
            for people, found in ((train, from_train), (test, from_test))
        )
        scores = _scores(distances, to_reference, (train, test, with_plants, reference))
        planted_rows = _membership_rows(scores, seed) + _gain_rows(base, scores, sources, seed)
        planted_rows.append(_planted_listed(with_plants.take(places), train, yardstick))

    people = pd.DataFrame(
        {
            "sample": _ids(synthetic),
            "label": synthetic.label,
            "nearest_train": _ids(train)[from_synthetic[1][:, 0]],
            "distance": from_synthetic[0][:, 0].astype(np.int64),
            "risk": risk,
            "kinship_max": _related(related),
            "listed": listed,
        },
        columns=COLUMNS,
    )
    return Audit(rows, planted_rows, people.iloc[np.argsort(order)].reset_index(drop=True))


def plants(label: np.ndarray, train_label: np.ndarray, percent: float, seed: int) -> tuple[np.ndarray, np.ndarray]:
    """Whom to replace by whom: indices of synthetic people, ascending, and of as many training people, int64.

    At least one and at most as many as there are in training; nobody is planted twice. A synthetic person is
    replaced by a training person of the same label, as long as there are any left.
    """
    if not 0 < percent <= 100:
        raise ValueError(f"{percent} percent of plants; give more than 0 and at most 100")
    count = min(max(1, round(len(label) * percent / 100)), len(train_label), len(label))
    rng = np.random.default_rng([seed, 11])
    places = np.sort(rng.choice(len(label), count, replace=False))
    sources = np.full(count, -1)
    for one in np.unique(label[places]):
        wanted = np.flatnonzero(label[places] == one)
        drawn = rng.permutation(np.flatnonzero(train_label == one))[: len(wanted)]
        sources[wanted[: len(drawn)]] = drawn
    rest = np.flatnonzero(sources < 0)
    sources[rest] = rng.permutation(np.setdiff1d(np.arange(len(train_label)), sources))[: len(rest)]
    return places, sources


class _Yardstick:
    """Held-out people's distances to the nearest training person: what is near for somebody never seen."""

    def __init__(self, distances: np.ndarray, label: np.ndarray) -> None:
        self._all = np.sort(distances)
        groups = {one: np.sort(distances[label == one]) for one in np.unique(label).tolist()}
        self._of = {one: group for one, group in groups.items() if len(group) >= LEAST}

    def listed(self, distances: np.ndarray, label: np.ndarray) -> np.ndarray:
        """ "exact", "near" or "" for people at these distances from training."""
        bound = np.empty(len(label))
        for one in np.unique(label).tolist():
            heldout = self._of.get(one, self._all)
            bound[label == one] = NEAR_SHARE * np.quantile(heldout, NEAR_QUANTILE)
        return np.select([distances == 0, distances < bound], ["exact", "near"], "")

    def risk(self, distances: np.ndarray, label: np.ndarray) -> np.ndarray:
        """Share of held-out people farther from training, ties one half."""
        share = np.empty(len(label))
        for one in np.unique(label).tolist():
            heldout, chosen = self._of.get(one, self._all), label == one
            places = [np.searchsorted(heldout, distances[chosen], side) for side in ("left", "right")]
            share[chosen] = 1 - (places[0] + places[1]) / (2 * len(heldout))
        return share


def _copy_rows(group: str, listed: np.ndarray) -> list[dict]:
    return [
        share_row(metric, float((listed == kind).mean()), len(listed), group, "train")
        for metric, kind in (("duplicate_share", "exact"), ("near_duplicate_share", "near"))
    ]


def _kinship_rows(related: np.ndarray, heldout: np.ndarray, cohort: Cohort) -> list[dict]:
    value, low, high = membership.auc(related, heldout)
    rows = [row("kinship_contrast", value, against="train", low=low, high=high, n=len(related))]
    for group, values in (("all", related), ("heldout", heldout)):
        values = _related(values)
        mean, half = values.mean(dtype=np.float64), _Z * values.std(ddof=1, dtype=np.float64) / np.sqrt(len(values))
        rows.append(
            row("kinship_max", mean, group=group, against="train", low=mean - half, high=mean + half, n=len(values))
        )
        if kinship.meaningful(len(np.unique(cohort.contig)), len(cohort.contig)):
            for degree, bound in kinship.DEGREES[:3]:
                share = float((values > bound).mean())
                rows.append(share_row(f"kinship_{degree}", share, len(values), group, "train"))
    return rows


def _related(values: np.ndarray) -> np.ndarray:
    """Kinship of people with their closest, 0 where it is below: nobody is less than unrelated."""
    return np.maximum(values, 0)


def _scores(
    to_synthetic: tuple[np.ndarray, np.ndarray],
    to_reference: tuple[np.ndarray, np.ndarray],
    cohorts: tuple[Cohort, ...],
) -> dict[str, tuple[np.ndarray, np.ndarray]]:
    """Scores of members and others by each attack on a synthetic cohort.

    `to_synthetic` are the distances of members and of others to their two nearest synthetic people, (people, 2).
    """
    train, test, synthetic, reference = cohorts
    return {
        "distance": tuple(-distances[:, 0] for distances in to_synthetic),
        "distance_ratio": tuple(membership.distance_ratio(distances) for distances in to_synthetic),
        "density_ratio": tuple(
            membership.density_ratio(ours[:, 0], theirs)
            for ours, theirs in zip(to_synthetic, to_reference, strict=True)
        ),
        "frequency_ratio": tuple(membership.frequency_ratio(people, synthetic, reference) for people in (train, test)),
    }


def _membership_rows(scores: dict[str, tuple[np.ndarray, np.ndarray]], seed: int) -> list[dict]:
    """Rows of each attack, and as "all" those of the one with the largest area."""
    rows = {attack: _attack_rows(attack, of_people, seed) for attack, of_people in scores.items()}
    best = max(rows, key=lambda attack: rows[attack][0]["value"])
    log.info(
        "of the attacks on the synthetic cohort the one by %s goes farthest: AUC %.3f", best, rows[best][0]["value"]
    )
    return [*(one | {"group": "all"} for one in rows[best]), *(one for attack in rows.values() for one in attack)]


def _attack_rows(attack: str, scores: tuple[np.ndarray, np.ndarray], seed: int) -> list[dict]:
    members, others = scores
    area, share = membership.auc(members, others), membership.tpr(members, others, seed)
    return [
        row(metric, value, group=attack, low=low, high=high, n=len(members))
        for metric, (value, low, high) in (("membership_auc", area), ("membership_tpr_at_1pct", share))
    ]


def _gain_rows(
    base: dict[str, tuple[np.ndarray, np.ndarray]],
    planted: dict[str, tuple[np.ndarray, np.ndarray]],
    sources: np.ndarray,
    seed: int,
) -> list[dict]:
    """What each attack gains by plants: over all members, and over those who were planted."""
    rows = []
    for attack in base:
        for metric, who in (("membership_tpr_gain", slice(None)), ("planted_gain", sources)):
            before, after = ((members[who], others) for members, others in (base[attack], planted[attack]))
            value, low, high = membership.tpr_gain(before, after, seed)
            rows.append(row(metric, value, group=attack, low=low, high=high, n=len(before[0])))
    return rows


def _looked_up(scores: pd.Series, people: Cohort) -> np.ndarray:
    found = scores.reindex(_ids(people)).to_numpy(dtype=float)
    if np.isnan(found).any():
        raise ValueError(f"{int(np.isnan(found).sum())} of {len(found)} people have no score of membership")
    return found


def _replaced(synthetic: Cohort, places: np.ndarray, train: Cohort, sources: np.ndarray) -> Cohort:
    """The synthetic cohort with training people, labels included, in these places."""
    dosages, label = synthetic.dosages.copy(), synthetic.label.astype(object)
    dosages[places], label[places] = train.dosages[sources], train.label[sources]
    return replace(synthetic, dosages=dosages, label=label.astype(str), haplotypes=None)


def _nearest_with_plants(
    people: np.ndarray, found: tuple[np.ndarray, np.ndarray], with_plants: np.ndarray, places: np.ndarray
) -> np.ndarray:
    """Distances to the two nearest of the cohort with plants, where most of it is known from the cohort without.

    `found` are distances and rows of the two nearest before. Only distances to plants are new, and those of people
    one of whose neighbours was replaced.
    """
    distances, who = found
    to_plants = nearest_samples.nearest(people, with_plants[places], "l1")
    nearest = np.sort(np.concatenate([distances, to_plants], axis=1), axis=1)[:, :2]
    lost = np.flatnonzero(np.isin(who, places).any(axis=1))
    if len(lost):
        nearest[lost] = nearest_samples.nearest(people[lost], with_plants, "l1")
    return nearest


def _planted_listed(planted: Cohort, train: Cohort, yardstick: _Yardstick) -> dict:
    """Share of plants that are listed, and with the right training person (or one of equal genotypes)."""
    distances, who = nearest_samples.find(planted.dosages, train.dosages, "l1")
    same = (train.dosages[who[:, 0]] == planted.dosages).all(axis=1)
    caught = (yardstick.listed(distances[:, 0], planted.label) != "") & same
    return share_row("planted_listed", float(caught.mean()), len(caught), "all", "train")


def _ids(cohort: Cohort) -> np.ndarray:
    """The people's ids, empty where nobody gave them any."""
    return np.full(len(cohort), "") if cohort.sample is None else cohort.sample


WITHHELD_COLUMNS = ("sample", "risk", "why")
WHY = {"exact": "same genotypes as a training person", "near": "nearly the genotypes of a training person"}
RISKY = "among the nearest to training people"


def choose(people: pd.DataFrame, percent: float) -> pd.DataFrame:
    """Whom to withhold: sample, risk, why, in the order of the audit.

    `people` is the table of an audit (sample, distance, risk, kinship_max, listed). Whoever is listed as a copy goes,
    and besides the `percent` of all people (rounded up) with the highest risk; ties go by smaller distance, larger
    kinship, then id. The copies count among that percentage. Nothing of a real person is in the result. Raises
    ValueError for a percentage that is not from 0 to below 100.
    """
    if not 0 <= percent < 100:
        raise ValueError(f"{percent} percent to withhold; give 0 or more, below 100")
    order = np.lexsort((people["sample"], -people["kinship_max"], people["distance"], -people["risk"]))
    riskiest = np.zeros(len(people), dtype=bool)
    riskiest[order[: math.ceil(len(people) * percent / 100 - 1e-9)]] = True
    why = people["listed"].map(WHY).fillna(pd.Series(np.where(riskiest, RISKY, ""), index=people.index))
    return people.assign(why=why).loc[why != "", list(WITHHELD_COLUMNS)].reset_index(drop=True)
