"""What is disclosed where the answer is known: copies, other real samples, a cohort of the common alleles alone."""

from dataclasses import replace

import numpy as np
import pytest

from syngeno.data.cohort import Cohort
from syngeno.evaluate import audit
from syngeno.evaluate.attacks import canaries, disclosure

VARIANTS, LENGTH = 600, 60.0  # centimorgans of a chromosome
RISKS = ["inference_risk", "singling_out_risk", "linkability_risk"]


def people(seed, *sizes, contigs=2):
    """Cohorts of samples of one population: mosaics of the same ancestors, most of whose alleles are rare."""
    rng = np.random.default_rng(seed)
    frequency = np.where(rng.random(VARIANTS) < 0.5, rng.uniform(0.005, 0.05, VARIANTS), rng.random(VARIANTS))
    ancestors = (rng.random((200, VARIANTS)) < frequency).astype(np.int8)
    each, n = VARIANTS // contigs, sum(sizes)
    switch = rng.random((2 * n, VARIANTS)) < 0.02
    switch[:, ::each] = True
    piece = np.cumsum(switch, axis=1) - 1
    of = np.take_along_axis(rng.integers(0, 200, (2 * n, VARIANTS)), piece, axis=1)
    haplotypes = ancestors[of, np.arange(VARIANTS)].reshape(n, 2, VARIANTS)
    whole = cohort(haplotypes.sum(axis=1), haplotypes, contigs)
    ends = np.cumsum(sizes)
    return [whole.take(np.arange(end - size, end)).in_canonical_order() for size, end in zip(sizes, ends, strict=True)]


def cohort(dosages, haplotypes=None, contigs=1):
    n, variants = np.shape(dosages)
    return Cohort(
        np.asarray(dosages, np.int8),
        np.full(n, "A"),
        np.repeat([f"{contig}" for contig in range(contigs)], variants // contigs),
        np.arange(variants),
        np.zeros(variants, np.int32),
        haplotypes=haplotypes,
        cm=np.tile(np.linspace(0, LENGTH, variants // contigs), contigs),
    )


def phased(*samples):
    haplotypes = np.array(samples, np.int8)
    return cohort(haplotypes.sum(axis=1), haplotypes)


TRAIN, TEST, OTHER = people(1, 90, 60, 90)


def found(synthetic, train=TRAIN, test=TEST, seed=1):
    rows = disclosure.rows(synthetic, train, test, seed=seed)
    assert all(np.isfinite(row["value"]) for row in rows)
    return {(row["metric"], row["group"], row["against"]): row for row in rows}


def unphased(one):
    return replace(one, haplotypes=None)


class TestCopies:
    @pytest.mark.parametrize("contigs", [1, 2])
    def test_risks_are_near_1(self, contigs):
        train, test = people(2, 90, 60, contigs=contigs)
        rows = found(train, train, test)
        for group in disclosure.CARRIERS:
            assert rows["inference_success", group, "train"]["value"] > 0.97
            assert rows["inference_risk", group, ""]["value"] > 0.9
        assert rows["singling_out_risk", "30 variants", ""]["value"] > 0.97
        assert rows["singling_out_success", "30 variants", "naive"]["value"] < 0.03
        assert rows["linkability_risk", "all", ""]["value"] > 0.97
        assert rows["one_carrier_alleles", "all", "train"]["value"] == 1

    def test_unphased(self):
        rows = found(*map(unphased, (TRAIN, TRAIN, TEST)))
        assert rows["inference_risk", "3-5 carriers", ""]["value"] > 0.9
        runs = ("private_run", "shared_segments", "longest_segment")
        assert not any(metric.startswith(runs) for metric, _, _ in rows)

    def test_whole_chromosomes_are_private(self):
        rows = found(TRAIN)
        assert {rows["private_run_cm", group, "train"]["value"] for group in ("median", "99 %", "largest")} == {LENGTH}
        assert rows["private_run_cm_real", "median", "train"]["value"] < LENGTH / 2

    def test_a_few_copies_show(self):
        rows = found(OTHER.joined(TRAIN.take(np.arange(9))))
        assert rows["singling_out_risk", "30 variants", ""]["value"] == pytest.approx(0.1, abs=0.02)
        assert rows["singling_out_risk", "30 variants", ""]["low"] > 0
        assert rows["private_run_cm", "largest", "train"]["value"] == LENGTH


class TestMosaics:
    def test_pieces_are_inferred_and_linked_but_single_nobody_out(self):
        train, test = people(5, 150, 90, contigs=1)
        synthetic = canaries.plant(train.label, train, 100, 1)["pieces of 5 cM"].cohort.in_canonical_order()
        rows = found(synthetic, train, test)
        for group in disclosure.CARRIERS:
            assert rows["inference_risk", group, ""]["low"] > 0
        assert rows["linkability_risk", "5 nearest", ""]["low"] > 0
        assert rows["singling_out_risk", "30 variants", ""]["value"] < 0.05
        assert 5 < rows["private_run_cm", "median", "train"]["value"] < 15
        assert rows["one_carrier_alleles", "all", "train"]["value"] > 0.5


class TestOthers:
    @pytest.mark.parametrize("phased", [True, False])
    def test_other_real_samples_have_no_risk_on_average(self, phased):
        risks, held = {}, []
        for seed in range(12):
            rows = found(*(one if phased else unphased(one) for one in people(seed, 70, 70, 50)), seed=seed)
            for (metric, group, _), row in rows.items():
                if metric in RISKS:
                    risks.setdefault((metric, group), []).append(row["value"])
                    held.append(row["low"] <= 0 <= row["high"])
        assert {metric for metric, _ in risks} == set(RISKS)
        assert np.mean(held) > 0.9
        for values in risks.values():
            assert abs(np.mean(values)) < 4 * np.std(values, ddof=1) / np.sqrt(len(values)) + 1e-9

    def test_numbers_of_samples_do_not_matter(self):
        """A training set five times as large is no easier to single out from than the held-out samples beside it."""
        train, test, synthetic = people(3, 200, 40, 200)
        for group in ("10 variants", "20 variants"):
            row = found(synthetic, train, test)["singling_out_risk", group, ""]
            assert row["low"] <= 0 <= row["high"]

    def test_the_common_alleles_alone_tell_nothing(self):
        common = (TRAIN.frequency > 0.5).astype(np.int8)
        rows = found(OTHER.changed(haplotypes=np.broadcast_to(common, OTHER.haplotypes.shape)))
        for group in disclosure.CARRIERS:
            assert rows["inference_success", group, "train"]["value"] == 0.5
            assert rows["inference_risk", group, ""]["value"] == 0
        assert rows["singling_out_success", "30 variants", "train"]["value"] == 0
        assert rows["one_carrier_alleles", "all", "train"]["value"] == 0


class TestRisk:
    def test_by_hand(self):
        assert disclosure.risk((1.0, 50), (0.5, 50))[0] == 1
        assert disclosure.risk((0.75, 50), (0.5, 50))[0] == 0.5
        assert disclosure.risk((0.5, 50), (0.5, 50))[0] == 0

    def test_the_interval_is_that_of_anonymeter(self):
        # Wilson's intervals: 80 of 100 (.7112, .8667), 60 of 100 (.5021, .6906).
        value, low, high = disclosure.risk((0.8, 100), (0.6, 100))
        ours, theirs = (0.7112 + 0.8667) / 2, (0.5021 + 0.6906) / 2
        half = np.hypot(0.07775 / (1 - theirs), 0.09425 * (1 - ours) / (1 - theirs) ** 2)
        assert value == pytest.approx(0.5)
        assert (low + high) / 2 == pytest.approx((ours - theirs) / (1 - theirs), abs=1e-3)
        assert (high - low) / 2 == pytest.approx(half, abs=1e-3)

    @pytest.mark.parametrize("shares", [(0, 0), (1, 0), (0, 0.9), (1, 0.99), (0.3, 0.3)])
    @pytest.mark.parametrize("sizes", [(2, 2), (1000, 10), (10, 1000)])
    def test_holds_its_value(self, shares, sizes):
        value, low, high = disclosure.risk(*zip(shares, sizes, strict=True))
        assert low <= value <= high <= 1


class TestByHand:
    def test_singling_out(self, monkeypatch):
        monkeypatch.setattr(disclosure, "PREDICATES", (2,))
        train = cohort([[0, 1], [0, 1], [1, 1], [2, 0]])
        synthetic = cohort([[1, 1], [0, 1], [1, 2]])
        # 1 1 is the third alone, 0 1 the first two; nobody but the held-out one is 1 2, and nobody at all 2 2.
        rows = found(synthetic, train, cohort([[1, 2], [2, 2], [2, 2], [2, 2]]))
        assert rows["singling_out_success", "2 variants", "train"]["value"] == 0.25
        assert rows["singling_out_success", "2 variants", "test"]["value"] == 0.25
        # A held-out one who is as a single training sample is alone where it takes that one's place.
        rows = found(synthetic, train, cohort([[1, 1]] * 400))
        assert rows["singling_out_success", "2 variants", "test"]["value"] == pytest.approx(0.25, abs=0.02)
        rows = found(synthetic, train, cohort([[0, 1]] * 400))
        assert rows["singling_out_success", "2 variants", "test"]["value"] == 0

    @pytest.mark.parametrize("contigs", [1, 2])
    def test_linkability(self, contigs, monkeypatch):
        monkeypatch.setattr(disclosure, "LINKED", {"all": 1, "5 nearest": 2})
        synthetic = cohort([[0, 0, 0, 0], [2, 2, 2, 2], [0, 1, 2, 1]], contigs=contigs)
        train = cohort([[0, 0, 0, 0], [2, 2, 2, 2], [0, 0, 2, 2], [2, 2, 0, 0]], contigs=contigs)
        test = cohort([[0, 0, 2, 2], [2, 2, 0, 0]], contigs=contigs)
        rows = found(synthetic, train, test)
        assert rows["linkability_success", "all", "train"]["value"] == 0.5
        assert rows["linkability_success", "all", "test"]["value"] == 0
        assert rows["linkability_risk", "all", ""]["value"] == 0.5
        # The third is the second nearest of everyone in both halves.
        assert rows["linkability_success", "5 nearest", "test"]["value"] == 1
        assert ("linkability_risk", "5 nearest", "") not in rows

    def test_one_carrier_alleles(self):
        train = cohort([[0, 0, 2, 1, 2], [0, 1, 2, 1, 2], [0, 2, 1, 0, 2]])
        # One allele is of one sample alone: REF of the third variant, of the third sample.
        test = cohort([[0, 1, 2, 0, 2], [0, 1, 2, 0, 1]])
        rows = found(cohort([[0, 2, 1, 0, 2], [1, 2, 2, 0, 2]]), train, test)
        row = rows["one_carrier_alleles", "all", "train"]
        assert (row["value"], row["n"]) == (1.0, 1)
        # And one of a test sample's: REF of the last variant, of the second one, which is not drawn.
        row = rows["one_carrier_alleles", "all", "test"]
        assert (row["value"], row["n"]) == (0.0, 1)
        # Every allele is of both samples: there is none to find, and that is said.
        row = found(*[cohort([[1, 1, 1, 1, 1]] * 2)] * 2, train)["one_carrier_alleles", "all", "train"]
        assert (row["value"], row["n"]) == (0, 0)


class TestSharedSegments:
    def test_by_hand(self, monkeypatch):
        monkeypatch.setattr(disclosure, "SEGMENTS", (1, 30, 60))
        train = phased([[0, 1, 1, 0], [1, 1, 1, 1]], [[0, 0, 0, 0], [0, 0, 0, 0]])
        # At 0, 20, 40 and 60 cM: segments of 60 and 20, of 40 and 40, and of 20 twice, in two times eight pairs.
        asked = phased([[0, 1, 1, 0], [0, 0, 0, 1]], [[1, 0, 1, 0], [1, 0, 1, 0]])
        rows = found(asked, train, asked)
        for suffix in ("", "_real"):
            shared = {group: row for (metric, group, _), row in rows.items() if metric == f"shared_segments{suffix}"}
            assert {group: row["value"] for group, row in shared.items()} == {
                "longer than 1 cM": 1000 * (4 + 2) / 2 / 8,
                "longer than 30 cM": 1000 * (3 + 0) / 2 / 8,
            }
            assert {row["n"] for row in shared.values()} == {2}
            assert rows[f"longest_segment_cm{suffix}", "largest", "train"]["value"] == 60
            assert rows[f"longest_segment_cm{suffix}", "median", "train"]["value"] == 30

    def test_copies_share_more_and_longer_segments_than_others(self, monkeypatch):
        monkeypatch.setattr(disclosure, "SEGMENTS", (20,))
        rows = found(TRAIN)
        ours, theirs = (rows[f"shared_segments{one}", "longer than 20 cM", "train"] for one in ("", "_real"))
        assert ours["low"] > theirs["high"]
        assert rows["longest_segment_cm", "median", "train"]["value"] == LENGTH
        assert rows["longest_segment_cm_real", "largest", "train"]["value"] < LENGTH

    def test_the_number_of_training_samples_does_not_matter(self):
        group = "longer than 5 cM"
        few = found(OTHER, TRAIN.take(np.arange(45)))["shared_segments", group, "train"]
        assert few["low"] < found(OTHER)["shared_segments", group, "train"]["value"] < few["high"]

    def test_lengths_that_no_chromosome_has_are_left_out(self):
        short = [replace(one, cm=one.cm / LENGTH * 3) for one in (OTHER, TRAIN, TEST)]
        groups = {group for metric, group, _ in found(*short) if metric == "shared_segments"}
        assert groups == {"longer than 1 cM"}


class TestAudit:
    def test_order_changes_nothing_and_seeds_do(self):
        cohorts = [
            replace(one, sample=np.array([f"{i}" for i in range(len(one))])) for one in people(4, 60, 60, 50, 30)
        ]
        rng = np.random.default_rng(1)
        mixed = [one.take(rng.permutation(len(one))) for one in cohorts]
        one, other, third = (
            [row for row in audit.measure(*some[:3], validation=some[3], seed=seed) if row["metric"] in RISKS]
            for some, seed in ((cohorts, 1), (mixed, 1), (cohorts, 2))
        )
        assert one == other != third
