"""The dose: more synthetic samples than the release has, one chromosome at a time."""

import linked
import numpy as np
import pytest

from syngeno.evaluate import dose, membership
from syngeno.evaluate.attacks import haplotypes, samples

TRAIN, TEST, REFERENCE = linked.real(60, 1), linked.real(60, 2), linked.real(30, 3)
DRAWN = linked.drawn_from(TRAIN, 120, 4, mutated=0.2)  # ten times a release of 12 samples
GROUPS = ["the synthetic samples", "3 times the synthetic samples", "10 times the synthetic samples"]


def by_contig(cohort):
    return (cohort.at(cohort.contig == name) for name in np.unique(cohort.contig))


def measured(drawn=DRAWN, doses=(10, 3), threads=1):
    return dose.measure(by_contig(drawn), TRAIN, TEST, REFERENCE, doses, threads)


class TestMeasure:
    def test_the_more_samples_the_surer_is_the_attack(self):
        rows = measured()
        assert [row["group"] for row in rows] == GROUPS
        values = [row["value"] for row in rows]
        assert 0.5 < values[0] < values[1] < values[2]
        assert {row["metric"] for row in rows} == {"membership_auc_by_dose"}
        assert all(row["low"] <= row["value"] <= row["high"] and row["n"] == 60 for row in rows)

    def test_is_what_all_chromosomes_at_once_give(self):
        for row, count in zip(measured(), (12, 36, 120), strict=True):
            known = DRAWN.take(np.arange(count))
            scores = haplotypes.scores(TRAIN, TEST, REFERENCE, known, {})[""]
            scores["frequency_ratio"] = tuple(samples.frequency_ratio(one, known, REFERENCE) for one in (TRAIN, TEST))
            _, area = membership.strongest(scores)
            assert (row["value"], row["low"], row["high"]) == pytest.approx(area, abs=1e-3)

    def test_the_release_alone_does_not_depend_on_what_is_drawn_beyond_it(self):
        release, *_ = measured(doses=(10,))
        other = DRAWN.take(np.arange(12)).joined(linked.real(108, 5))
        assert measured(other, (10,))[0] == release

    def test_refuses_other_variants(self):
        with pytest.raises(ValueError, match="same variants"):
            measured(DRAWN.at(np.arange(5, 1000)))


class TestFrequencies:
    def test_unlinked_variants_are_recognised_by_them(self):
        """Where every chromosome has few variants the frequencies betray what haplotypes do not."""
        scores = dose.with_frequencies({}, (TRAIN, TEST), REFERENCE, TRAIN)
        expected = samples.frequency_ratio(TRAIN, TRAIN, REFERENCE)
        assert scores["frequency_ratio"][0].tolist() == expected.tolist()
        row = dose.strongest_row(scores, "all")
        assert row["value"] == membership.auc(*scores["frequency_ratio"])[0]
