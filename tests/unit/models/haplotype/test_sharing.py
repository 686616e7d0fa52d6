"""Long runs of few training individuals are broken, and nothing else is touched."""

import sys

import numpy as np
import pytest
import torch

from syngeno.models.haplotype import sharing
from syngeno.models.haplotype.hmm import Clusters
from unit.models.haplotype.test_hmm import even

VARIANTS, WIDTH, INDIVIDUALS = 203, 5, 30


@pytest.fixture(autouse=True)
def _few(monkeypatch):
    monkeypatch.setattr(sharing, "LEAST", 10)


def training(seed=0, alphabet=2):
    """Sequences of unrelated individuals."""
    per_sample = 2 if alphabet == 2 else 1
    symbols = np.random.default_rng(seed).integers(0, alphabet, (VARIANTS, per_sample * INDIVIDUALS)).astype(np.int8)
    return sharing.Training(symbols, per_sample)


def clusters(known, stays=0.95, alphabet=2):
    """A cluster for each of some training sequences, which it copies but for 1 % of the symbols; one group."""
    own = known.symbols[:, :12]
    padded = np.pad(own, ((0, -VARIANTS % WIDTH), (0, 0))).reshape(-1, WIDTH, 12)
    symbol = np.stack([np.where(padded == value, 0.98, 0.01) for value in range(1, alphabet)], axis=1)
    segments = len(padded)
    switch = np.full((segments, 12), 1 - stays)
    switch[0] = 1
    parts = symbol.transpose(0, 3, 1, 2), switch, np.full((1, segments, 12), 1 / 12)
    return Clusters(
        *(torch.tensor(np.ascontiguousarray(part), dtype=torch.float32) for part in parts), even(VARIANTS, WIDTH)
    )


def copies(known, chain, n=24):
    """Verbatim copies of those sequences, each of one cluster."""
    own = np.arange(n) % 12
    return known.symbols[:, own].copy(), np.tile(own, (len(chain.switch), 1))


def enforced(symbols, path, known, chain, rule, cm=None, **more):
    cm = np.arange(VARIANTS) / 100 if cm is None else cm
    n = symbols.shape[1]
    return sharing.enforce(chain, symbols, path, np.zeros(path.shape, int), known, cm, rule, seeds=np.arange(n), **more)


def longest(sequence, known, shared_by):
    """The longest run, in variants, that fewer individuals share, by a loop."""
    equal = (known.symbols == sequence[:, None]).reshape(VARIANTS, -1, known.per_sample)
    runs, found = np.zeros(equal.shape[1:], int), 0
    for same in equal:
        runs = np.where(same, runs + 1, 0)
        of_individuals = np.sort(runs.max(axis=1))[::-1]
        if of_individuals[0] > of_individuals[shared_by - 1]:
            found = max(found, of_individuals[0])
    return found


class TestEnforce:
    @pytest.mark.parametrize("alphabet", [2, 3])
    def test_copies_are_broken(self, alphabet):
        known = training(alphabet=alphabet)
        chain = clusters(known, alphabet=alphabet)
        symbols, path = copies(known, chain)
        drawn, again, left = enforced(symbols, path, known, chain, sharing.Rule(0.3, 3))
        assert again > 0
        assert left == 0
        lengths = [longest(sequence, known, 3) for sequence in drawn.T]
        assert max(longest(sequence, known, 3) for sequence in symbols.T) == VARIANTS
        # Within a segment of the length asked for, of 30 variants, by either end.
        assert max(lengths) <= 30 + 2 * WIDTH

    def test_what_enough_individuals_share_stays(self):
        known = training()
        known.symbols[:, 12:24] = known.symbols[:, :12]  # as many again, of other individuals
        chain = clusters(known)
        symbols, path = copies(known, chain)
        drawn, *counts = enforced(symbols, path, known, chain, sharing.Rule(0.3, 2))
        assert counts == [0, 0]
        assert (drawn == symbols).all()
        assert enforced(symbols, path, known, chain, sharing.Rule(0.3, 3))[1] > 0

    def test_both_haplotypes_of_one_individual_count_once(self):
        known = training()
        known.symbols[:, 1::2] = known.symbols[:, ::2]
        chain = clusters(known)
        assert enforced(*copies(known, chain), known, chain, sharing.Rule(0.3, 2))[1] > 0

    def test_shorter_runs_stay(self):
        known = training()
        chain = clusters(known)
        symbols, path = copies(known, chain)
        drawn, *counts = enforced(symbols, path, known, chain, sharing.Rule(10, 3))
        assert counts == [0, 0]
        assert (drawn == symbols).all()

    def test_few_variants_are_let_be(self, monkeypatch):
        """However long a run of them is."""
        known = training()
        chain = clusters(known)
        symbols, path = copies(known, chain)
        monkeypatch.setattr(sharing, "LEAST", 80)
        drawn, again, _ = enforced(symbols, path, known, chain, sharing.Rule(0.3, 3))
        assert again > 0
        # A run is broken somewhere in the segment that would make it of 80 variants.
        assert 80 - WIDTH <= max(longest(sequence, known, 3) for sequence in drawn.T) <= 80 + 2 * WIDTH
        assert (drawn[:70] == symbols[:70]).all()

    def test_length_is_by_the_map(self):
        """Where nothing recombines a run is short, however many variants it has."""
        known = training()
        chain = clusters(known)
        symbols, path = copies(known, chain)
        cm = np.r_[np.zeros(100), np.arange(VARIANTS - 100) / 100]
        drawn, again, _ = enforced(symbols, path, known, chain, sharing.Rule(0.3, 3), cm)
        assert again > 0
        assert (drawn[:125] == symbols[:125]).all()

    def test_the_original_goes_on_where_it_had_switched(self):
        known = training()
        chain = clusters(known)
        symbols, path = copies(known, chain)
        other, end = (path[0] + 1) % 12, 20 * WIDTH
        symbols[end:], path[20:] = known.symbols[end:, other], other
        drawn, again, _ = enforced(symbols, path, known, chain, sharing.Rule(0.8, 3))
        assert again > 0
        resumed = slice(end, end + 10 * WIDTH)  # or the detour and this may make a long run of one sequence
        assert (drawn[resumed] == symbols[resumed]).all()

    def test_switches_where_the_clusters_are_alike(self):
        """Of the eleven others one is like the cluster that is left in the three segments before, and only there."""
        known = training()
        where = slice(3 * WIDTH, 6 * WIDTH)
        known.symbols[where, 1] = known.symbols[where, 0]
        chain = clusters(known)
        symbols, path = np.repeat(known.symbols[:, [0]], 40, axis=1), np.zeros((len(chain.switch), 40), int)
        drawn, *_ = enforced(symbols, path, known, chain, sharing.Rule(0.34, 3))
        after = slice(6 * WIDTH, 7 * WIDTH)
        assert (drawn[: after.start] == symbols[: after.start]).all()
        assert ((drawn[after] == known.symbols[after, 1][:, None]).all(axis=0)).mean() > 0.8

    def test_threads_and_company_change_nothing(self):
        known = training()
        chain = clusters(known)
        symbols, path = copies(known, chain)
        rule = sharing.Rule(0.3, 3)
        drawn, *_ = enforced(symbols, path, known, chain, rule)
        assert (enforced(symbols, path, known, chain, rule, threads=3)[0] == drawn).all()
        assert (enforced(symbols[:, :5], path[:, :5], known, chain, rule)[0] == drawn[:, :5]).all()

    @pytest.mark.parametrize(("width", "alphabet"), [(32, 2), (20, 3), (32, 3)])
    def test_long_segments(self, width, alphabet, monkeypatch):
        monkeypatch.setattr(sys.modules[__name__], "WIDTH", width)
        known = training(alphabet=alphabet)
        chain = clusters(known, alphabet=alphabet)
        drawn, again, left = enforced(*copies(known, chain), known, chain, sharing.Rule(0.3, 3))
        assert again > 0
        assert left == 0
        assert max(longest(sequence, known, 3) for sequence in drawn.T) <= 30 + 2 * width


class TestRule:
    @pytest.mark.parametrize(("individuals", "sharers"), [(20, 2), (300, 3), (900, 10), (1803, 20), (10**6, 20)])
    def test_by_the_size_of_the_cohort(self, individuals, sharers):
        assert sharing.Rule.of(0.05, "auto", individuals) == (0.05, sharers)

    def test_as_asked_for(self):
        assert sharing.Rule.of(0.05, 3, 1803).shared_by == 3


class TestCodes:
    def test_a_bit_for_each_variant_and_symbol_of_segments_of_any_size(self):
        symbols = np.array([[1, 0], [2, 1], [0, 2], [1, 1]], np.int8)
        assert sharing._codes(symbols, np.array([0, 1, 4]), 2).tolist() == [[0b1, 0], [0b01_00_11, 0b01_11_01]]
