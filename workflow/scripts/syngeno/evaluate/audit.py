"""The audit: does a synthetic cohort give away training samples, and would the attacks have detected it if it did?

*Duplicates.* A synthetic sample is listed as an exact duplicate of a training sample whose genotypes are the same, and
as a near one where the L1 distance to the nearest training sample is below a quarter of the 1 % quantile of held-out
samples' own distances to training, for the label. Duplicates with some genotypes changed are so near; held-out
samples are not, even if related: full siblings differ by half as much as strangers, on a single chromosome by a third
or less now and then. *Risk* of a synthetic sample is explained in its module. *Kinship* (KING-robust) with the closest
training sample stands beside the same of held-out samples; degrees are counted only where kinship means something.
*Membership inference* and what else is *disclosed* (inference of rare alleles, singling out, linkability, private runs)
are explained in their modules.

*Power.* An attack that finds nothing may be blind. So canaries are added to the synthetic cohort (see their module),
and each attack on it is run again, for each kind of canaries: its gain is judged over all training samples
(`membership_tpr_gain`) and over those that the canaries are made of (`planted_gain`; an attack that finds many training
samples without canaries gains little over all of them, and yet should find these). An attack on the trained model
itself cannot gain, as canaries are planted after the training, and has no such rows.
"""

import logging
from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
import pandas as pd

from syngeno.data.cohort import Cohort, same_variants
from syngeno.evaluate import dose, membership, neighbours
from syngeno.evaluate.attacks import canaries, disclosure, haplotypes
from syngeno.evaluate.attacks import samples as whole_samples
from syngeno.evaluate.membership import Pair
from syngeno.evaluate.metrics import mean_row, row, share_row
from syngeno.evaluate.neighbours import Neighbours
from syngeno.evaluate.risk import HIGH_RISK, Yardstick
from syngeno.stats import kinship
from syngeno.stats import nearest as nearest_samples

# The real cohorts that `reference`, `measure` and `run` take.
COHORTS = ("train", "test", "validation")
COLUMNS = ("sample", "label", "nearest_train", "distance", "risk", "kinship_max", "listed")
# Whose neighbours are searched in which cohort.
AMONG_REAL = [("train", "train"), ("test", "train"), ("train", "validation"), ("test", "validation")]
TO_REAL = [("train", "synthetic"), ("synthetic", "train"), ("test", "synthetic")]

ISOLATED = 0.05  # share of the samples that are farthest from all training samples
SHARES = (0.01, 0.1)  # of the synthetic cohort, which are attacked beside the whole
FEWEST = 5  # samples of a label on either side, for an area of its own

log = logging.getLogger(__name__)


@dataclass(frozen=True)
class Audit:
    """What an audit found.

    Attributes:
        rows: metric rows of the synthetic cohort.
        planted_rows: those of the same cohort with canaries, by their kind in words; none where none were asked for.
        samples: a row per synthetic sample, in the cohort's order: its id and label, nearest_train (the id of a real
            sample), distance (L1), risk (0 to 1), kinship_max (0 where none is related), listed ("exact", "near", "").
    """

    rows: list[dict]
    planted_rows: dict[str, list[dict]]
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
    threads: int = 1,
) -> Audit:
    """Audit a synthetic cohort; raises ValueError for other variants, too few samples, or a sample without a score.

    Args:
        synthetic, train, test, validation: cohorts over the same variants; `train` exactly the samples the generator
            was trained on, `validation` held-out samples that attacks compare with.
        seed: of the canaries and of the bootstraps.
        real: what `reference` gave for train and test; computed here where it is absent, as are
        among_real, to_real: what `neighbours.reference` and `neighbours.measure` gave for these cohorts.
        planted: canaries, in percent of the synthetic samples, 0 for none.
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

    planted = canaries.plant(synthetic.label, train, planted, seed) if planted else {}
    attacked = _Attacked(cohorts, planted, to_real, among_real, threads)
    base = attacked.scores("")
    rows += [*_strongest_rows(base, seed), *(one for attack, pair in base.items() for one in _rows(attack, pair, seed))]
    rows += attacked.rows_of_some(base)
    if model_scores is not None:
        scores = tuple(membership.looked_up(model_scores, cohort.sample) for cohort in (train, test))
        rows += _rows(membership.DENOISING, scores, seed)
    rows += disclosure.rows(synthetic, train, test, seed=seed, threads=threads)

    planted_rows = {}
    for kind, one in planted.items():
        scores = attacked.scores(kind)
        planted_rows[kind] = [*_strongest_rows(scores, seed), *_gain_rows(base, scores, one.sources, seed)]
    if planted:
        planted_rows[canaries.WHOLE].append(_planted_listed(planted[canaries.WHOLE].cohort, train, yardstick))

    names, distance = train.sample[nearest_train], to_train.astype(np.int64)
    columns = synthetic.sample, synthetic.label, names, distance, risk, _related(related), listed
    samples = pd.DataFrame(dict(zip(COLUMNS, columns, strict=True)))
    return Audit(rows, planted_rows, samples.iloc[np.argsort(order)].reset_index(drop=True))


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


class _Attacked:
    """A synthetic cohort under attack, with and without canaries."""

    def __init__(
        self,
        cohorts: dict[str, Cohort],
        planted: dict[str, canaries.Canaries],
        to_real: Neighbours,
        among_real: Neighbours,
        threads: int,
    ) -> None:
        self.real = cohorts["train"], cohorts["test"]
        self.reference, self.synthetic = cohorts["validation"], cohorts["synthetic"]
        self._added = {kind: one.cohort for kind, one in planted.items()}
        self._to_synthetic = tuple(to_real.of(name, "synthetic")[0] for name in ("train", "test"))
        self._to_reference = tuple(among_real.of(name, "validation")[0][:, 0] for name in ("train", "test"))
        to_train = (among_real.of(name, "train")[0][:, 0] for name in ("train", "test"))
        self._isolated = tuple(distances >= np.quantile(distances, 1 - ISOLATED) for distances in to_train)
        # What is planted nowhere stands for real samples that are attacked, whose dose says nothing.
        self._shares = SHARES if planted else ()
        self._along = haplotypes.scores(*self.real, self.reference, self.synthetic, self._added, self._shares, threads)

    def scores(self, kind: str) -> dict[str, Pair]:
        """By attack, of training and held-out samples, with this kind of canaries ("": none)."""
        synthetic, to_synthetic = self.synthetic, self._to_synthetic
        if kind:
            added = self._added[kind]
            to_added = (nearest_samples.nearest(one.dosages, added.dosages, "l1") for one in self.real)
            both = zip(to_synthetic, to_added, strict=True)
            to_synthetic = tuple(np.sort(np.concatenate(pair, axis=1), axis=1) for pair in both)
            synthetic = synthetic.joined(added)
        to_two = tuple(distances[:, :2] for distances in to_synthetic)
        whole = whole_samples.scores(self.real, self.reference, synthetic, to_two, self._to_reference)
        return whole | self._along[kind]

    def rows_of_some(self, scores: dict[str, Pair]) -> Iterator[dict]:
        """Areas within labels, of the most isolated samples, and of parts of the cohort (see `dose`)."""
        train, test = self.real
        some = {name: (train.label == name, test.label == name) for name in train.labels}
        some[membership.MOST_ISOLATED] = self._isolated
        for attack, (training, heldout) in scores.items():
            for name, (ours, theirs) in some.items():
                if min(ours.sum(), theirs.sum()) < FEWEST:
                    continue
                value, low, high = membership.auc(training[ours], heldout[theirs])
                n = int(ours.sum())
                yield row("membership_auc", value, group=attack, against=name, low=low, high=high, n=n)
        for share in self._shares:
            known = self.synthetic.take(haplotypes.first_share(share, len(self.synthetic)))
            along = dose.with_frequencies(self._along[f"{share:g}"], self.real, self.reference, known)
            yield dose.strongest_row(along, f"{100 * share:g} % of the synthetic samples")


def _strongest_rows(scores: dict[str, Pair], seed: int) -> list[dict]:
    """Rows of the strongest attack, as group "all": by the area, and by the share found, the largest of any attack."""
    attack, (value, low, high) = membership.strongest(scores)
    log.info("the strongest attack on the synthetic cohort is %s: AUC %.3f", membership.ATTACK_NAMES[attack], value)
    shares = [membership.tpr(*pair, seed) for pair in scores.values()]
    share = max(shares)
    n = len(scores[attack][0])
    return [
        row("membership_auc", value, low=low, high=high, n=n),
        row("membership_tpr_at_1pct", share[0], low=share[1], high=share[2], n=n),
    ]


def _rows(attack: str, scores: Pair, seed: int) -> list[dict]:
    found = {"membership_auc": membership.auc(*scores), "membership_tpr_at_1pct": membership.tpr(*scores, seed)}
    if len(scores[1]) * membership.RARE_FALSE_POSITIVES >= 1:
        found["membership_tpr_at_01pct"] = membership.tpr(*scores, seed, membership.RARE_FALSE_POSITIVES)
    return [
        row(metric, value, group=membership.known(attack), low=low, high=high, n=len(scores[0]))
        for metric, (value, low, high) in found.items()
    ]


def _gain_rows(base: dict[str, Pair], planted: dict[str, Pair], sources: np.ndarray, seed: int) -> Iterator[dict]:
    """What each attack finds with canaries, and gains by them, over all training samples and those they are of."""
    for attack in base:
        yield from _rows(attack, planted[attack], seed)
        for metric, chosen in (("membership_tpr_gain", slice(None)), ("planted_gain", sources)):
            before, after = ((training[chosen], heldout) for training, heldout in (base[attack], planted[attack]))
            value, low, high = membership.tpr_gain(before, after, seed)
            yield row(metric, value, group=attack, low=low, high=high, n=len(before[0]))


def _planted_listed(planted: Cohort, train: Cohort, yardstick: Yardstick) -> dict:
    """Share of canaries that are listed, and with the right training sample (or one of equal genotypes)."""
    distances, rows = nearest_samples.find(planted.dosages, train.dosages, "l1")
    same = (train.dosages[rows[:, 0]] == planted.dosages).all(axis=1)
    caught = (yardstick.listed(distances[:, 0], planted.label) != "") & same
    return share_row("planted_listed", float(caught.mean()), len(caught), "all", "train")
