"""The audit where the answer is known: copies, near copies, strangers, canaries."""

from dataclasses import replace

import linked
import numpy as np
import pandas as pd
import pytest

from syngeno.data.cohort import Cohort
from syngeno.evaluate import audit, membership, neighbours
from syngeno.evaluate.attacks import canaries

VARIANTS = 400


@pytest.fixture(autouse=True)
def _quick(monkeypatch):
    monkeypatch.setattr(membership, "BOOTSTRAP", 300)


def people(n, seed, prefix="R", label=None, variants=VARIANTS, contigs=1):
    frequency = np.random.default_rng(99).uniform(0.1, 0.9, variants)
    rng = np.random.default_rng(seed)
    return Cohort(
        rng.binomial(2, frequency, (n, variants)).astype(np.int8),
        np.full(n, "A") if label is None else np.asarray(label),
        np.repeat([f"{contig}" for contig in range(contigs)], variants // contigs),
        np.arange(variants),
        np.zeros(variants, np.int32),
        sample=np.array([f"{prefix}{seed}_{i}" for i in range(n)]),
    )


TRAIN, TEST, REFERENCE = people(120, 1), people(110, 2), people(40, 3)


def audited(synthetic, train=TRAIN, test=TEST, validation=REFERENCE, **more):
    return audit.run(synthetic, train, test, validation=validation, seed=1, **more)


def number(rows, metric, group="all", against=None):
    """The row of a number; an area of all samples, unless they are named."""
    if against is None and metric == "membership_auc":
        against = ""
    wanted = [row for row in rows if (row["metric"], row["group"]) == (metric, group)]
    (found,) = [row for row in wanted if against in (None, row["against"])]
    return found


def value(rows, metric, group="all", against=None):
    return number(rows, metric, group, against)["value"]


def planted_values(found):
    """Every number with canaries."""
    return [row for rows in found.planted_rows.values() for row in rows]


def flipped(cohort, share, seed=5):
    """The same people with a share of their genotypes drawn anew."""
    rng = np.random.default_rng(seed)
    noise = rng.integers(0, 3, cohort.dosages.shape).astype(np.int8)
    return replace(cohort, dosages=np.where(rng.random(noise.shape) < share, noise, cohort.dosages))


class TestCopies:
    @pytest.mark.parametrize(("copied", "held"), [(120, 110), (7, 110), (120, 3), (2, 2)])
    def test_verbatim_copies_are_listed_whatever_the_sizes(self, copied, held):
        synthetic = TRAIN.take(np.random.default_rng(0).permutation(120)[:copied])
        found = audited(
            replace(synthetic, sample=np.array([f"S{i}" for i in range(copied)])), test=TEST.take(np.arange(held))
        )
        assert value(found.rows, "duplicate_share") == 1
        assert value(found.rows, "duplicate_share", "heldout") == 0
        assert value(found.rows, "high_risk") == 1
        assert (found.samples["listed"] == "exact").all()
        assert found.samples["nearest_train"].tolist() == synthetic.sample.tolist()
        assert (found.samples["risk"] == 1).all()

    def test_copies_with_changed_genotypes_are_near(self):
        found = audited(flipped(TRAIN, 0.03))
        assert value(found.rows, "near_duplicate_share") == 1
        assert value(found.rows, "duplicate_share") == 0
        assert found.samples["nearest_train"].tolist() == TRAIN.sample.tolist()

    @pytest.mark.parametrize("seed", range(10, 20))
    def test_real_people_are_not_accused(self, seed):
        found = audited(people(100, seed), test=TEST.take(np.arange(50)))
        assert (found.samples["listed"] == "").all()
        assert value(found.rows, "near_duplicate_share") == value(found.rows, "near_duplicate_share", "heldout") == 0
        assert value(found.rows, "high_risk") < 0.2
        assert 0.35 < value(found.rows, "membership_auc", "distance") < 0.65

    def test_siblings_are_no_copies(self):
        """Children of the same parents differ by half of what strangers do."""
        rng = np.random.default_rng(0)
        frequency = np.random.default_rng(99).uniform(0.1, 0.9, VARIANTS)
        parents = rng.random((40, 2, 2, VARIANTS)) < frequency

        def children():
            pick = rng.random((40, 2, VARIANTS)) < 0.5
            return np.where(pick, parents[:, :, 0], parents[:, :, 1]).sum(1).astype(np.int8)

        first, second = (replace(people(40, seed), dosages=children()) for seed in (30, 31))
        found = audited(first, train=second)
        assert found.samples["nearest_train"].tolist() == second.sample.tolist()
        assert (found.samples["listed"] == "").all()
        assert (found.samples["risk"] == 1).all()


class TestRelatives:
    """Half of the held-out samples are siblings of training samples, as far from them as synthetic ones."""

    def cohorts(self):
        rng = np.random.default_rng(0)
        parents = rng.random((40, 2, 2, VARIANTS)) < np.random.default_rng(99).uniform(0.1, 0.9, VARIANTS)

        def children(seed):
            pick = rng.random((40, 2, VARIANTS)) < 0.5
            dosages = np.where(pick, parents[:, :, 0], parents[:, :, 1]).sum(1).astype(np.int8)
            return replace(people(40, seed), dosages=dosages)

        train, synthetic, siblings, strangers = children(30), children(31), children(32), people(40, 33)
        test = replace(
            siblings,
            dosages=np.concatenate([siblings.dosages, strangers.dosages]),
            label=np.concatenate([siblings.label, strangers.label]),
            sample=np.concatenate([siblings.sample, strangers.sample]),
        )
        return synthetic, train, test

    def test_known_ones_are_not_strangers(self):
        synthetic, train, test = self.cohorts()
        pairs = pd.DataFrame({"sample_a": test.sample[:40], "sample_b": train.sample})
        swapped = pairs.set_axis(["sample_b", "sample_a"], axis=1)
        blind = audited(synthetic, train=train, test=test)
        assert value(blind.rows, "high_risk") < 0.2
        for known in (pairs, swapped):
            found = audited(synthetic, train=train, test=test, relatives=known)
            assert value(found.rows, "high_risk") == 1

    def test_those_among_other_parts_change_nothing(self):
        pairs = pd.DataFrame({"sample_a": TEST.sample[:9], "sample_b": TEST.sample[9:18]})
        synthetic = people(40, 6)
        for known in (pairs, pairs.iloc[:0]):
            assert audited(synthetic, relatives=known).rows == audited(synthetic).rows


class TestKinship:
    def test_contrast_and_means(self):
        found = audited(TRAIN)
        assert value(found.rows, "kinship_max") == 0.5
        assert value(found.rows, "kinship_max", "heldout") < 0.25
        assert value(found.rows, "kinship_contrast") == 1
        strangers = audited(people(110, 8))
        assert value(strangers.rows, "kinship_contrast") == pytest.approx(0.5, abs=0.12)
        assert strangers.samples["kinship_max"].between(0, 0.3).all()

    def test_degrees_only_where_kinship_means_something(self):
        assert not {row["metric"] for row in audited(TEST).rows} & {"kinship_first"}
        cohorts = [people(8, seed, variants=5000, contigs=10) for seed in range(4)]
        found = audited(cohorts[0], cohorts[0], *cohorts[1:3])
        assert value(found.rows, "kinship_duplicate") == value(found.rows, "kinship_second") == 1
        assert value(found.rows, "kinship_second", "heldout") == 0

    def test_people_without_heterozygous_sites(self):
        inbred = replace(TEST, dosages=np.where(TEST.dosages == 1, 0, TEST.dosages))
        found = audited(inbred)
        assert all(np.isfinite(row["value"]) for row in found.rows)
        assert (found.samples["kinship_max"] == 0).all()


class TestMembership:
    ATTACKS = set(membership.ATTACK_NAMES) - {membership.DENOISING}

    def test_copies_give_members_away(self):
        found = audited(TRAIN)
        for attack in ("all", "distance", "density_ratio", "run_length", "windows", "painting", "likelihood"):
            assert value(found.rows, "membership_auc", attack) == 1
            assert value(found.rows, "membership_tpr_at_1pct", attack) == 1

    def test_every_attack_of_the_table_has_rows(self):
        cohorts = [linked.real(20, seed) for seed in range(4)]
        found = audit.run(*cohorts[:3], validation=cohorts[3], seed=1)
        assert {row["group"] for row in found.rows if row["metric"] == "membership_auc"} == self.ATTACKS | {"all"}

    def test_all_is_the_strongest_attack_with_an_interval_for_all_of_them(self):
        rng = np.random.default_rng(4)
        drawn = replace(people(120, 6), dosages=rng.binomial(2, TRAIN.frequency, (120, VARIANTS)).astype(np.int8))
        rows = audited(drawn).rows
        attacks = {row["group"] for row in rows if row["metric"] == "membership_auc"} - {"all"}
        best = max(value(rows, "membership_auc", attack) for attack in attacks)
        assert value(rows, "membership_auc") == best == value(rows, "membership_auc", "frequency_ratio")
        assert best > 0.6
        strongest, alone = (number(rows, "membership_auc", name) for name in ("all", "frequency_ratio"))
        assert strongest["low"] < alone["low"] < alone["high"] < strongest["high"]

    def test_all_is_the_largest_rate_of_any_attack(self):
        rows = audited(flipped(TRAIN, 0.5)).rows
        rates = {row["group"]: row["value"] for row in rows if row["metric"] == "membership_tpr_at_1pct"}
        assert rates.pop("all") == max(rates.values()) > 0.05

    def test_pieces_of_members_give_them_away_along_haplotypes(self):
        train = linked.real(120, 1)
        cohorts = linked.drawn_from(train, 120, 4), train, linked.real(120, 2)
        found = audit.run(*cohorts, validation=linked.real(40, 3), seed=1, planted=10)
        assert value(found.rows, "membership_auc", "distance") < 0.75
        assert value(found.rows, "membership_auc", "run_length") > 0.95
        assert value(found.rows, "membership_auc") > 0.95
        assert value(found.rows, "duplicate_share") == value(found.rows, "near_duplicate_share") == 0

    def test_one_in_a_thousand_needs_a_thousand_held_out(self):
        metric = "membership_tpr_at_01pct"
        assert metric not in {row["metric"] for row in audited(people(60, 6)).rows}
        synthetic, train = people(20, 4, variants=30), people(30, 1, variants=30)
        test, validation = people(1000, 2, variants=30), people(10, 3, variants=30)
        rows = audited(synthetic, train, test, validation).rows
        assert value(rows, metric, "distance") <= value(rows, "membership_tpr_at_1pct", "distance")

    def test_scores_of_the_model_stand_apart(self):
        scores = pd.Series(1.0, index=TRAIN.sample)
        scores = pd.concat([scores, pd.Series(0.0, index=TEST.sample)]).sample(frac=1, random_state=1)
        rows = audited(people(50, 6), model_scores=scores).rows
        assert value(rows, "membership_auc", "denoising_loss") == 1
        assert value(rows, "membership_auc") < 0.8
        with pytest.raises(ValueError, match="1 of 120 samples have no score"):
            audited(people(50, 6), model_scores=scores.drop(TRAIN.sample[3]))


class TestSomeSamples:
    """Areas within labels and of isolated samples; only label A is copied."""

    @pytest.fixture
    def rows(self):
        label = np.repeat(["A", "B"], 30)
        train, test, validation = (people(60, seed, label=label) for seed in (1, 2, 3))
        copies = train.take(np.arange(30))
        others = people(30, 6, label=np.full(30, "B"))
        synthetic = replace(copies.joined(others), sample=np.arange(60).astype(str))
        return audited(synthetic, train, test, validation).rows

    def test_a_label_that_is_copied_is_told_from_one_that_is_not(self, rows):
        assert value(rows, "membership_auc", "distance", "A") == 1
        assert 0.3 < value(rows, "membership_auc", "distance", "B") < 0.7
        assert number(rows, "membership_auc", "distance", "A")["n"] == 30

    def test_the_most_isolated_are_a_twentieth(self, rows):
        found = audited(flipped(TRAIN, 0.3)).rows
        one = number(found, "membership_auc", "distance", audit.membership.MOST_ISOLATED)
        assert 6 <= one["n"] <= 8
        assert audit.membership.MOST_ISOLATED not in {row["against"] for row in rows}  # three samples on either side

    def test_the_most_isolated_are_the_farthest_from_all_training_samples(self):
        """Only those far from all others are copied: all of these are found, of the others none."""
        far = replace(TRAIN, dosages=np.where((np.arange(120) < 6)[:, None], 2 - TRAIN.dosages // 2 * 2, TRAIN.dosages))
        held = replace(TEST, dosages=np.where((np.arange(110) < 6)[:, None], 2 * (TEST.dosages == 0), TEST.dosages))
        copied = far.take(np.arange(6)).joined(people(60, 6))
        rows = audited(replace(copied, sample=np.arange(66).astype(str)), far, held.changed(dosages=held.dosages)).rows
        assert value(rows, "membership_auc", "distance", audit.membership.MOST_ISOLATED) == 1
        assert value(rows, "membership_auc", "distance") < 0.7

    def test_labels_of_few_samples_have_none(self):
        label = np.repeat(["A", "B"], [116, 4])
        rows = audited(people(50, 6), train=people(120, 1, label=label), test=people(120, 2, label=label)).rows
        assert {row["against"] for row in rows if row["metric"] == "membership_auc"} == {
            "",
            "A",
            audit.membership.MOST_ISOLATED,
        }


class TestDose:
    def test_the_more_samples_the_surer_is_the_attack(self):
        train = linked.real(60, 1)
        synthetic, real = linked.drawn_from(train, 300, 4), [linked.real(60, 2), linked.real(30, 3)]
        rows = audit.run(synthetic, train, real[0], validation=real[1], seed=1, planted=5).rows
        doses = [value(rows, "membership_auc_by_dose", f"{share} % of the synthetic samples") for share in (1, 10)]
        assert 0.5 < doses[0] < doses[1] <= value(rows, "membership_auc")

    def test_none_without_canaries_as_among_real_samples(self):
        assert "membership_auc_by_dose" not in {row["metric"] for row in audited(people(60, 6)).rows}


class TestPlanted:
    def test_canaries_are_seen_and_listed(self):
        found = audited(people(120, 6), planted=20)
        whole = found.planted_rows[canaries.WHOLE]
        assert value(whole, "planted_listed") == 1
        for attack in ("distance", "density_ratio", "run_length", "windows", "likelihood"):
            gain = number(whole, "membership_tpr_gain", attack)
            assert 0.1 < gain["value"] < 0.25
            assert gain["low"] > 0
            assert value(whole, "planted_gain", attack) > 0.9
        assert value(whole, "membership_tpr_at_1pct") > value(found.rows, "membership_tpr_at_1pct")

    def test_pieces_are_seen_along_haplotypes_and_not_by_frequencies(self):
        synthetic, train, test, validation = (linked.real(n, seed) for seed, n in enumerate((60, 120, 120, 40)))
        found = audit.run(synthetic, train, test, validation=validation, seed=1, planted=10)
        assert list(found.planted_rows) == [canaries.WHOLE, *canaries.PIECES]
        for kind in canaries.PIECES:
            rows = found.planted_rows[kind]
            assert value(rows, "planted_gain", "run_length") > 0.5
            assert value(rows, "planted_gain", "frequency_ratio") < 0.2
            assert number(rows, "planted_gain", "run_length")["n"] <= 12  # two sources of each of six
            assert "planted_listed" not in {row["metric"] for row in rows}

    def nothing(self, real):
        return tuple(np.ones(len(one)) for one in real)

    def test_canaries_are_added_and_take_the_place_of_none(self, monkeypatch):
        joined = []
        monkeypatch.setattr(
            audit.whole_samples,
            "scores",
            lambda real, _, synthetic, *__: joined.append(len(synthetic)) or {"distance": self.nothing(real)},
        )
        found = audited(people(60, 6), planted=10)
        assert joined == [60] + 4 * [66]
        assert len(found.samples) == 60

    def test_distances_are_those_found_afresh(self, monkeypatch):
        """The nearest are merged of those that were known and of the canaries."""
        seen = []

        def scores(real, _, synthetic, to_synthetic, __):
            for one, distances in zip(real, to_synthetic, strict=True):
                apart = np.abs(one.dosages[:, None].astype(int) - synthetic.dosages).sum(axis=2)
                seen.append(np.array_equal(np.sort(apart, axis=1)[:, :2], distances))
            return {"distance": self.nothing(real)}

        monkeypatch.setattr(audit.whole_samples, "scores", scores)
        audited(people(40, 6), planted=30)
        assert seen == [True] * 10

    def test_the_table_of_people_knows_no_canaries(self):
        synthetic = people(60, 6)
        with_canaries, without = audited(synthetic, planted=10), audited(synthetic)
        assert with_canaries.samples.equals(without.samples)
        assert [row for row in with_canaries.rows if row["metric"] != "membership_auc_by_dose"] == without.rows
        assert without.planted_rows == {}

    def test_listed_by_another_id_with_equal_genotypes(self):
        twins = TRAIN.take(np.repeat(np.arange(30), 2))
        found = audited(people(60, 6), train=twins, planted=50)
        assert value(found.planted_rows[canaries.WHOLE], "planted_listed") == 1

    def test_fewer_synthetic_samples_than_a_share_is_of(self):
        found = audited(people(3, 6), planted=10)
        assert all(np.isfinite(row["value"]) for row in found.rows + planted_values(found))


class TestRun:
    def test_order_of_people_changes_nothing(self):
        label = np.repeat(["A", "B"], 30)
        cohorts = [people(60, seed, label=label) for seed in range(4)]
        rng = np.random.default_rng(4)
        orders = [rng.permutation(60) for _ in range(4)]
        mixed = [cohort.take(order) for cohort, order in zip(cohorts, orders, strict=True)]
        one = audit.run(*cohorts[:3], validation=cohorts[3], seed=1, planted=10)
        other = audit.run(*mixed[:3], validation=mixed[3], seed=1, planted=10)
        assert (one.rows, one.planted_rows) == (other.rows, other.planted_rows)
        assert one.samples.iloc[orders[0]].reset_index(drop=True).equals(other.samples)

    def test_people_stand_as_in_the_cohort(self):
        synthetic = people(30, 6)
        assert audited(synthetic).samples["sample"].tolist() == synthetic.sample.tolist()
        assert list(audited(synthetic).samples) == list(audit.COLUMNS)

    def test_same_seed_same_canaries(self):
        synthetic = people(60, 6)
        runs = [audit.run(synthetic, TRAIN, TEST, validation=REFERENCE, seed=seed, planted=10) for seed in (1, 1, 2)]
        assert runs[0].planted_rows == runs[1].planted_rows != runs[2].planted_rows

    def test_what_is_known_of_real_samples_and_neighbours_may_be_given(self):
        synthetic = people(60, 6)
        given = {
            "real": audit.reference(TRAIN, TEST),
            "among_real": neighbours.reference(TRAIN, TEST, REFERENCE),
            "to_real": neighbours.measure(synthetic, TRAIN, TEST),
        }
        one, other = audited(synthetic, planted=10), audited(synthetic, planted=10, **given)
        assert (one.rows, one.planted_rows) == (other.rows, other.planted_rows)
        assert one.samples.equals(other.samples)

    def test_an_attack_outside_the_table_is_no_silent_row(self):
        with pytest.raises(ValueError, match="'guess' is not in the table of attacks"):
            audit._rows("guess", (np.ones(3), np.zeros(3)), 1)

    def test_measure_is_a_run_without_canaries(self):
        synthetic = people(30, 6)
        assert audit.measure(synthetic, TRAIN, TEST, validation=REFERENCE, seed=1) == audited(synthetic).rows

    def test_equal_people_everywhere(self):
        same = replace(people(25, 1), dosages=np.zeros((25, VARIANTS), np.int8))
        found = audited(same, same, same, same, planted=10)
        assert value(found.rows, "duplicate_share") == value(found.rows, "duplicate_share", "heldout") == 1
        assert value(found.rows, "membership_auc") == value(found.rows, "kinship_contrast") == 0.5
        assert (found.samples["risk"] == 0.5).all()

    def test_labels_that_others_lack(self):
        synthetic = people(40, 6, label=np.repeat(["new", "A"], 20))
        found = audited(synthetic, planted=20)
        assert all(np.isfinite(row["value"]) for row in found.rows + planted_values(found))

    def test_intervals_hold_the_value(self):
        found = audited(flipped(TRAIN, 0.5), planted=10)
        rows = [row for row in found.rows if row["n"]]  # an allele of one carrier need not be there
        assert all(row["low"] <= row["value"] <= row["high"] for row in rows + planted_values(found))

    def test_refuses(self):
        with pytest.raises(ValueError, match="two samples"):
            audited(people(1, 6))
        with pytest.raises(ValueError, match="same variants"):
            audited(people(5, 6, variants=200))
        with pytest.raises(ValueError, match="without samples"):
            audited(people(5, 6), validation=REFERENCE.take(np.arange(0)))
