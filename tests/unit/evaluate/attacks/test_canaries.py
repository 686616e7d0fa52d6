"""Canaries: how many, of whom, and of which pieces."""

from dataclasses import replace

import linked
import numpy as np
import pytest

from syngeno.evaluate.attacks import canaries

LENGTHS = list(canaries.PIECES.items())


def of_labels(*counts):
    label = np.repeat(["A", "B", "C"][: len(counts)], counts)
    return linked.real(len(label), 1, label)


class TestPlant:
    @pytest.mark.parametrize(("percent", "count"), [(1, 1), (5, 4), (50, 40), (100, 50)])
    def test_as_many_as_asked_for_one_at_least_and_no_more_than_there_are(self, percent, count):
        train = of_labels(50)
        planted = canaries.plant(np.full(80, "A"), train, percent, 1)
        assert list(planted) == [canaries.WHOLE, *canaries.PIECES]
        assert {len(one.cohort) for one in planted.values()} == {count}

    def test_whole_ones_are_training_samples_none_twice(self):
        train = of_labels(40, 10)
        cohort, sources = canaries.plant(np.repeat(["A", "B"], 50), train, 30, 1)[canaries.WHOLE]
        assert len(set(sources)) == len(sources) == 30
        assert np.array_equal(cohort.haplotypes, train.haplotypes[sources])
        assert np.array_equal(cohort.label, train.label[sources])
        assert np.array_equal(cohort.sample, train.sample[sources])

    @pytest.mark.parametrize("seed", range(5))
    def test_labels_in_proportion_to_the_synthetic_samples(self, seed):
        label = np.repeat(["A", "B", "C"], [60, 30, 10])
        planted = canaries.plant(label, of_labels(40, 40, 40), 20, seed)
        assert np.unique(planted[canaries.WHOLE].cohort.label, return_counts=True)[1].tolist() == [12, 6, 2]

    def test_of_other_labels_where_one_has_too_few(self):
        planted = canaries.plant(np.repeat(["A", "B"], 50), of_labels(40, 10), 30, 1)
        assert (planted[canaries.WHOLE].cohort.label == "B").sum() == 10
        planted = canaries.plant(np.full(100, "new"), of_labels(4, 3), 5, 1)
        assert len(planted[canaries.WHOLE].cohort) == 5

    def test_a_label_that_no_synthetic_sample_has_comes_last(self):
        planted = canaries.plant(np.full(100, "A"), of_labels(20, 20), 20, 1)
        assert set(planted[canaries.WHOLE].cohort.label) == {"A"}

    def test_same_seed_same_canaries(self):
        label, train = np.full(80, "A"), of_labels(50)
        one, again, other = (canaries.plant(label, train, 10, seed) for seed in (1, 1, 2))
        for kind in one:
            assert np.array_equal(one[kind].cohort.dosages, again[kind].cohort.dosages)
            assert np.array_equal(one[kind].sources, again[kind].sources)
        assert not np.array_equal(one[canaries.WHOLE].sources, other[canaries.WHOLE].sources)


class TestPieces:
    def planted(self, train, percent=10):
        return canaries.plant(train.label, train, percent, 1)

    def runs(self, of_second, contig):
        """The lengths of pieces that neither begin nor end a chromosome, in variants."""
        lengths = []
        for name in np.unique(contig):
            at = np.flatnonzero(np.diff(of_second[contig == name].astype(int)))
            lengths += np.diff(at).tolist()
        return lengths

    @pytest.mark.parametrize(("kind", "length"), LENGTHS)
    def test_two_samples_of_a_label_in_turn_each_so_many_centimorgans(self, kind, length):
        train = of_labels(20, 20)
        planted = self.planted(train)
        whole, mosaics = planted[canaries.WHOLE], planted[kind]
        for canary, first in zip(mosaics.cohort.haplotypes, whole.sources, strict=True):
            sources = [one for one in mosaics.sources if train.label[one] == train.label[first] and one != first]
            fits = [second for second in sources if self.is_mosaic(canary, train, first, second, length)]
            assert len(fits) == 1

    def is_mosaic(self, canary, train, first, second, length):
        """Whether every place of both haplotypes is of one of two samples, in pieces of this length."""
        one, other = train.haplotypes[first], train.haplotypes[second]
        if not ((canary == one) | (canary == other)).all():
            return False
        steps = round(length / 0.01)
        for name in ("1", "2"):
            here = name == linked.CONTIG
            a, b, c = one[:, here], other[:, here], canary[:, here]
            at = np.arange(here.sum())
            # For one of the offsets of pieces all places fit: the first haplotype begins with one, the other not.
            for offset in range(2 * steps):
                from_second = (at + offset) // steps % 2 == 1
                of_both = np.stack([from_second, ~from_second])
                if np.array_equal(np.where(of_both, b, a), c):
                    break
            else:
                return False
        return True

    @pytest.mark.parametrize(("kind", "length"), LENGTHS)
    def test_by_the_genetic_map(self, kind, length):
        """Ten times as many centimorgans between variants: pieces of a tenth of the variants."""
        two = np.stack([np.zeros((2, linked.VARIANTS)), np.ones((2, linked.VARIANTS))]).astype(np.int8)
        train = replace(linked.cohort(two), cm=linked.POSITION * 1e-5)
        canary = canaries.plant(train.label, train, 1, 1)[kind].cohort.haplotypes[0]
        for haplotype in canary:
            assert set(self.runs(haplotype == 1, linked.CONTIG)) == {length * 10}
        assert np.array_equal(canary[0], 1 - canary[1])

    def test_offsets_differ_from_canary_to_canary(self):
        two = np.repeat(np.array([0, 1], np.int8), 20)[:, None, None]
        train = linked.cohort(np.broadcast_to(two, (40, 2, linked.VARIANTS)))
        mosaics = canaries.plant(train.label, train, 100, 1)["pieces of 1 cM"].cohort.haplotypes[:, 0]
        switches = [tuple(np.flatnonzero(np.diff(one))) for one in mosaics if len(set(one)) == 2]
        assert len(set(switches)) == len(switches) > 10

    def test_without_phase_dosages_alternate(self):
        two = np.stack([np.zeros((2, linked.VARIANTS)), np.ones((2, linked.VARIANTS))]).astype(np.int8)
        train = replace(linked.cohort(two), haplotypes=None, cm=linked.POSITION * 1e-5)
        one = canaries.plant(train.label, train, 1, 1)["pieces of 3 cM"].cohort
        assert one.haplotypes is None
        assert set(one.dosages[0].tolist()) == {0, 2}
        assert set(self.runs(one.dosages[0] == 2, linked.CONTIG)) == {30}

    def test_the_sources_are_both_samples(self):
        planted = self.planted(of_labels(20, 20))
        whole = planted[canaries.WHOLE].sources
        for kind in canaries.PIECES:
            sources = planted[kind].sources
            assert set(whole) < set(sources)
            assert len(set(sources)) == len(sources) <= 2 * len(whole)

    def test_the_only_sample_of_a_label_is_its_own_partner(self):
        train = of_labels(1)
        planted = canaries.plant(np.full(30, "A"), train, 10, 1)
        for one in planted.values():
            assert one.sources.tolist() == [0]
            assert np.array_equal(one.cohort.haplotypes, train.haplotypes)
