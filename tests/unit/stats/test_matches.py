"""Matches between sequences, against loops that a reader can check."""

import itertools

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from syngeno.stats import matches


def drawn(seed, n, variants, values=2):
    return np.random.default_rng(seed).integers(0, values, (n, variants)).astype(np.int8)


class TestWindows:
    CONTIG = np.repeat(["1", "2"], [10, 3])

    def test_by_count(self):
        found = matches.windows_by_count(self.CONTIG, 4)
        assert [(one.start, one.stop) for one in found] == [(0, 5), (5, 10), (10, 13)]

    def test_by_length(self):
        cm = np.r_[np.arange(10) / 4, 0, 5, 5.5]
        found = matches.windows_by_length(self.CONTIG, cm, 1)
        assert [(one.start, one.stop) for one in found] == [(0, 4), (4, 8), (8, 10), (10, 11), (11, 13)]


class TestApart:
    @pytest.mark.parametrize("values", [2, 3])
    @pytest.mark.parametrize("variants", [1, 63, 64, 65, 200])
    def test_is_the_l1_distance(self, values, variants, monkeypatch):
        monkeypatch.setattr(matches, "_ROWS", 4)
        a, b = drawn(1, 5, variants, values), drawn(2, 11, variants, values)
        found = np.concatenate([apart for _, apart in matches.apart(b, a)])
        assert found.tolist() == np.abs(a[:, None].astype(int) - b).sum(axis=2).tolist()

    def test_farther_apart_than_16_bits_can_count(self):
        a, b = np.zeros((1, 70_000), np.int8), np.ones((2, 70_000), np.int8)
        assert np.concatenate([apart for _, apart in matches.apart(a, b)]).tolist() == [[70_000], [70_000]]

    @pytest.mark.parametrize("swapped", [False, True])
    def test_where_only_one_of_both_has_other_alleles(self, swapped):
        a, b = np.zeros((3, 130), np.int8), drawn(1, 4, 130)
        a, b = (b, a) if swapped else (a, b)
        found = np.concatenate([apart for _, apart in matches.apart(a, b)])
        assert found.tolist() == np.abs(b[:, None].astype(int) - a).sum(axis=2).tolist()


def longest(asked, others, breaks):
    """The sum of log(1 + length) by a loop over all pairs."""
    total = np.zeros(len(asked))
    for i, k in itertools.product(range(len(asked)), range(asked.shape[1])):
        lengths = [0]
        for other in others:
            at = np.flatnonzero(breaks(asked[i, : k + 1], other[: k + 1]))
            lengths.append(k - (at[-1] if len(at) else -1))
        total[i] += np.log(1 + max(lengths))
    return total


class TestRunLengths:
    def test_by_hand(self):
        asked, others = np.array([[0, 1, 1, 0]], np.int8), np.array([[1, 1, 1, 1], [0, 1, 0, 0]], np.int8)
        sets = np.array([[True, True], [True, False], [False, True], [False, False]])
        found = matches.run_lengths(asked, others, sets, dosages=False)[:, 0]
        lengths = [[1, 2, 2, 1], [0, 1, 2, 0], [1, 2, 0, 1], [0, 0, 0, 0]]
        assert found == pytest.approx(np.log1p(lengths).sum(axis=1))

    @settings(max_examples=30, deadline=None)
    @given(st.integers(0, 10**6), st.integers(1, 6), st.integers(1, 9), st.integers(1, 30))
    def test_equal_alleles(self, seed, n, m, variants):
        asked, others = drawn([seed, 1], n, variants), drawn([seed, 2], m, variants)
        sets = np.random.default_rng([seed, 3]).random((2, m)) < 0.5
        found = matches.run_lengths(asked, others, sets, dosages=False)
        for chosen, of_set in zip(sets, found, strict=True):
            assert of_set == pytest.approx(longest(asked, others[chosen], np.not_equal))

    @pytest.mark.parametrize("seed", range(5))
    def test_without_opposite_homozygotes(self, seed):
        asked, others = drawn([seed, 1], 4, 25, 3), drawn([seed, 2], 6, 25, 3)
        sets = np.array([[True] * 6, [True, False] * 3, [False] * 6, [True] * 2 + [False] * 4])
        found = matches.run_lengths(asked, others, sets, dosages=True, threads=1 + seed % 2)
        for chosen, of_set in zip(sets, found, strict=True):
            expected = longest(asked, others[chosen], lambda a, b: np.abs(a.astype(int) - b) == 2)
            assert of_set == pytest.approx(expected)


def private(one, panel, individual, shared_by, cm):
    """The longest private run of a haplotype by a loop over all pairs of variants and all of the panel."""
    longest = 0
    for first, last in itertools.combinations_with_replacement(range(len(one)), 2):
        same = (panel[:, first : last + 1] == one[first : last + 1]).all(axis=1)
        if 0 < len(set(individual[same])) < shared_by:
            longest = max(longest, cm[last] - cm[first])
    return longest


class TestPrivateRuns:
    def test_by_hand(self):
        asked = np.array([[0, 1, 1, 0], [1, 1, 1, 1]], np.int8)
        panel = np.array([[0, 1, 1, 1], [0, 1, 0, 0], [0, 0, 1, 0], [0, 1, 1, 1]], np.int8)
        cm = np.array([0, 1, 3, 7.0])
        # 0 1 1 is of the first and the last; 1 0 of the third alone.
        assert matches.private_runs(asked, panel, np.array([0, 0, 1, 1]), 2, cm).tolist() == [4, 0]
        assert matches.private_runs(asked, panel, np.array([0, 0, 1, 0]), 2, cm).tolist() == [4, 6]
        assert matches.private_runs(asked, panel, np.array([0, 1, 1, 0]), 3, cm).tolist() == [4, 6]

    @settings(max_examples=60, deadline=None)
    @given(st.integers(0, 10**6), st.integers(1, 6), st.integers(1, 9), st.integers(1, 25), st.integers(1, 5))
    def test_all_pairs(self, seed, n, m, variants, shared_by):
        rng = np.random.default_rng(seed)
        frequency = rng.random(variants)
        asked, panel = ((rng.random((rows, variants)) < frequency).astype(np.int8) for rows in (n, m))
        individual, cm = rng.integers(0, 5, m), np.cumsum(rng.integers(0, 4, variants)).astype(float)
        found = matches.private_runs(asked, panel, individual, shared_by, cm)
        assert found.tolist() == [private(one, panel, individual, shared_by, cm) for one in asked]


def segments(one, other, cm):
    """The lengths of the maximal runs of equal alleles of two haplotypes, by a loop over variants."""
    at = np.flatnonzero(one != other)
    bounds = zip(np.r_[-1, at], np.r_[at, len(one)], strict=True)
    return [cm[end - 1] - cm[begin + 1] for begin, end in bounds if end - begin > 1]


class TestSharedSegments:
    CM = np.array([0, 1, 3, 7.0])

    def test_by_hand(self):
        asked = np.array([[0, 1, 1, 0], [1, 1, 1, 1]], np.int8)
        panel = np.array([[0, 1, 1, 1], [0, 1, 0, 0], [0, 0, 1, 0], [0, 1, 1, 1]], np.int8)
        # The first shares 0 to 3 cM twice, 0 to 1 and 7 alone, 0 alone and 3 to 7; the second 1 to 7 twice, and points.
        counts, longest = matches.shared_segments(asked, panel, [0, 1, 3, 5], self.CM)
        assert counts.T.tolist() == [[4, 3, 1, 0], [2, 2, 2, 2]]
        assert longest.tolist() == [4, 6]

    def test_copies_share_the_whole_chromosome_once(self):
        panel = np.array([[0, 1, 1, 0], [0, 1, 1, 0]], np.int8)
        counts, longest = matches.shared_segments(panel[:1], panel, [1, 3, 6.9, 7], self.CM)
        assert counts[:, 0].tolist() == [2, 2, 2, 0]
        assert longest.tolist() == [7]

    @settings(max_examples=60, deadline=None)
    @given(st.integers(0, 10**6), st.integers(1, 6), st.integers(1, 9), st.integers(1, 25))
    def test_all_pairs(self, seed, n, m, variants):
        rng = np.random.default_rng(seed)
        frequency = rng.random(variants)
        asked, panel = ((rng.random((rows, variants)) < frequency).astype(np.int8) for rows in (n, m))
        cm, longer_than = np.cumsum(rng.integers(0, 4, variants)).astype(float), [0, 1, 3, 5]
        counts, longest = matches.shared_segments(asked, panel, longer_than, cm)
        for one, ours, furthest in zip(asked, counts.T, longest, strict=True):
            lengths = np.array([length for other in panel for length in segments(one, other, cm)])
            assert ours.tolist() == [(lengths > bound).sum() for bound in longer_than]
            assert furthest == max(lengths, default=0)


class TestCarriedByBest:
    ASKED = np.array([[0, 1, 1, 0, 1]], np.int8)
    CONTIG = np.repeat(["1"], 5)

    def found(self, others, variant=2, contig=CONTIG, common=0):
        others, common = np.array(others, np.int8), np.full(5, common, np.int8)
        at = np.zeros(1, int), np.array([variant])
        return matches.carried_by_best(self.ASKED, *at, others, common, contig, dosages=False).item()

    def test_the_longest_on_both_sides_together(self):
        assert self.found([[0, 1, 0, 1, 1], [1, 1, 1, 0, 1], [0, 0, 0, 0, 1]])
        assert not self.found([[0, 1, 0, 0, 1], [1, 1, 1, 0, 1]])

    def test_the_majority_of_several_and_else_the_common_one(self):
        one, other = [0, 1, 1, 0, 1], [0, 1, 0, 0, 1]
        assert self.found([one, one, other])
        assert not self.found([one, other])
        assert not self.found([one, other, other])
        assert not self.found([one, one, other], common=1)

    def test_within_the_contig(self):
        others = [[1, 0, 1, 0, 1], [0, 1, 0, 0, 0]]
        assert not self.found(others)
        assert self.found(others, contig=np.array(["1", "1", "2", "2", "2"]))

    @pytest.mark.parametrize("dosages", [False, True])
    def test_by_a_loop(self, dosages):
        values, rng = 3 if dosages else 2, np.random.default_rng(1)
        asked, others = drawn(1, 5, 40, values), drawn(2, 9, 40, values)
        contig = np.repeat(["1", "2"], [25, 15])
        row, variant = rng.integers(0, 5, 60), rng.integers(0, 40, 60)
        common = np.zeros(40, np.int8)
        found = matches.carried_by_best(asked, row, variant, others, common, contig, dosages=dosages, threads=2)
        for i, v, guessed in zip(row, variant, found, strict=True):
            agrees = np.abs(asked[i] - others) < (2 if dosages else 1)
            agrees[:, v] = True
            agrees &= contig == contig[v]
            length = [one.nonzero()[0] for one in ~agrees]
            length = [min(at[at > v], default=40) - max(at[at < v], default=-1) for at in length]
            best = others[np.array(length) == max(length), v] > 0
            assert guessed == (best.mean() > 0.5)
