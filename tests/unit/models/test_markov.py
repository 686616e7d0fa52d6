from itertools import product

import numpy as np
import pytest
from stores import store_of, training_data

from syngeno.data import sequences
from syngeno.models import independent, markov
from syngeno.models.independent import Independent
from syngeno.models.markov import Markov


def every_haplotype(variants):
    """All there are, as samples: int8 (variants, 2^variants / 2, 2)."""
    return np.array(list(product([0, 1], repeat=variants)), dtype=np.int8).T.reshape(variants, -1, 2)


def every_sample(variants):
    """All sequences of dosages, as samples: int8 (variants, 3^variants, 2)."""
    dosage = np.array(list(product([0, 1, 2], repeat=variants)), dtype=np.int8).T
    return np.stack([dosage == 2, dosage >= 1], axis=2).astype(np.int8)


def model(store, rows, label, order=10, weight=1.0, pooled=False):
    return Markov(training_data(store, rows, label), {"order": order, "pooled": pooled}, {"weight": weight})


def nats_of(store, rows, label, *asked, **settings):
    return -model(store, rows, label, **settings).log_prob(*asked, seed=1)


def drawn_of(store, rows, label, wanted, seed=1, **settings):
    return np.concatenate(list(model(store, rows, label, **settings).sample(wanted, seed=seed).calls))


def labels(n):
    return np.resize(["a", "a", "b"], n)


def by_hand(train, asked, order, weight, base, begins):
    """-log probability of one sequence by the recursion of the module, with counts made by comparison."""
    total, start = 0.0, 0
    for site in range(len(asked)):
        start = site if begins[site] else start
        p = base[site]
        for length in range(1, min(order, site - start) + 1):
            same = (train[site - length : site] == asked[site - length : site, None]).all(axis=0)
            counts = np.bincount(train[site, same], minlength=len(p))
            p = (counts + weight * p) / (counts.sum() + weight)
        total -= np.log(p[asked[site]])
    return total


class TestLogProb:
    def test_order_0_is_independent(self, tmp_path):
        calls = np.random.default_rng(1).integers(0, 2, (9, 12, 2)).astype(np.int8)
        for phased in (True, False):
            store = store_of(tmp_path / f"{phased}", calls, phased)
            given = store, np.arange(8), labels(8), np.arange(8, 12), labels(4)
            plain = -Independent(training_data(*given[:3]), {"pooled": False}, {}).log_prob(*given[3:], seed=1)
            assert nats_of(*given, order=0) == pytest.approx(plain)

    @pytest.mark.parametrize(("phased", "pooled", "order"), [(True, False, 3), (True, True, 1), (False, False, 2)])
    def test_by_hand(self, tmp_path, monkeypatch, phased, pooled, order):
        rng, contigs = np.random.default_rng(2), list("1111122")
        calls = rng.integers(0, 2, (7, 14, 2)).astype(np.int8)
        store = store_of(tmp_path / "s", calls, phased, contigs)
        label = labels(10)
        symbols = calls.reshape(7, -1) if phased else calls.sum(axis=2, dtype=np.int8)
        ploidy = 2 if phased else 1
        begins = np.array([1, 0, 0, 0, 0, 1, 0], dtype=bool)
        groups = sequences.grouped(store, label, labels(4), pooled)
        base = independent.symbol_probabilities(symbols[:, : 10 * ploidy], groups, 4 - ploidy)
        expected = []
        for number in range(10 * ploidy, 14 * ploidy):
            own = labels(4)[number // ploidy - 10]
            train = symbols[:, np.flatnonzero(np.repeat(pooled | (label == own), ploidy))]
            expected.append(
                by_hand(train, symbols[:, number], order, 0.7, base[:, groups.asked[number - 10 * ploidy]], begins)
            )
        given = store, np.arange(10), label, np.arange(10, 14), labels(4)
        assert nats_of(*given, order=order, weight=0.7, pooled=pooled) == pytest.approx(expected)
        monkeypatch.setattr(markov, "TABLE", 0)  # contexts under small numbers
        assert nats_of(*given, order=order, weight=0.7, pooled=pooled) == pytest.approx(expected)
        monkeypatch.setattr("syngeno.data.store.CHUNK", 2)  # memory goes on from chunk to chunk
        assert nats_of(*given, order=order, weight=0.7, pooled=pooled) == pytest.approx(expected)

    @pytest.mark.parametrize(("phased", "everybody"), [(True, every_haplotype(4)), (False, every_sample(3))])
    def test_probabilities_sum_to_1(self, tmp_path, phased, everybody):
        store = store_of(tmp_path / "s", everybody, phased)
        n = everybody.shape[1]
        nats = nats_of(store, np.arange(5), labels(5), np.arange(n), np.full(n, "a"), order=2, weight=0.3)
        assert np.exp(-nats).sum() == pytest.approx(1)


class TestSample:
    @pytest.mark.parametrize(("phased", "everybody"), [(True, every_haplotype(3)), (False, every_sample(2))])
    def test_as_often_as_nats_say(self, tmp_path, phased, everybody):
        """Over two chromosomes and both labels, what is drawn comes as often as its likelihood says."""
        variants, n = everybody.shape[:2]
        store = store_of(tmp_path / "s", everybody, phased, ["1"] * (variants - 1) + ["2"])
        people, label, settings = np.array([0, 1, 1, 3, 3, 3]), labels(6), {"order": 2, "weight": 0.5}
        for own in "ab":
            nats = nats_of(store, people, label, np.arange(n), np.full(n, own), **settings)
            drawn = drawn_of(store, people, label, np.full(20_000, own), seed=1, **settings)
            symbols = drawn.reshape(variants, -1) if phased else drawn.sum(axis=2)
            digits = (2 if phased else 3) ** np.arange(variants)[::-1]
            share = np.bincount(digits @ symbols, minlength=len(nats)) / symbols.shape[1]
            assert share == pytest.approx(np.exp(-nats), abs=0.012)

    def test_short_memory_keeps_what_stands_side_by_side(self, tmp_path):
        """Two haplotypes that differ everywhere, drawn nearly without smoothing: no other comes out."""
        calls = np.tile(np.array([0, 1], dtype=np.int8), (40, 6, 1))
        store = store_of(tmp_path / "s", calls)
        given = store, np.arange(6), np.full(6, "a"), np.full(50, "a")
        drawn = drawn_of(*given, seed=1, order=3, weight=1e-9)
        assert (drawn == drawn[:1]).all() and drawn[0].mean() == pytest.approx(0.5, abs=0.2)

    def test_seed_and_chunks(self, tmp_path, monkeypatch):
        calls = np.random.default_rng(1).integers(0, 2, (7, 12, 2)).astype(np.int8)
        store = store_of(tmp_path / "s", calls, phased=False)

        def draw(seed):
            return drawn_of(store, np.arange(12), labels(12), labels(60), seed=seed, order=2)

        one, again, other = draw(1), draw(1), draw(2)
        assert (one == again).all() and not (one == other).all()
        monkeypatch.setattr("syngeno.data.store.CHUNK", 3)
        assert (draw(1) == one).all()


class TestFit:
    @pytest.mark.parametrize(("seed", "noise", "low", "high"), [(1, 0.0, 0, 0.1), (2, 0.5, 30, 1000)])
    def test_duplicates_ask_for_little_smoothing_and_noise_for_much(self, tmp_path, seed, noise, low, high):
        rng = np.random.default_rng(seed)
        calls = np.repeat(rng.integers(0, 2, (60, 3, 2)), 20, axis=1) ^ (rng.random((60, 60, 2)) < noise)
        store = store_of(tmp_path / "s", calls[:, rng.permutation(60)].astype(np.int8))
        given = store, np.arange(40), np.full(40, "a"), np.arange(40, 60), np.full(20, "a")
        tuned = Markov.fit(training_data(*given), {"order": 4, "pooled": False}, seed=1).chosen
        assert low <= tuned["weight"] <= high and set(tuned) == {"weight"}
        best = nats_of(*given, order=4, **tuned).mean()
        assert best <= min(nats_of(*given, order=4, weight=weight).mean() for weight in (0.003, 1.0, 100.0))
