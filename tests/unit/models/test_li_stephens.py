from itertools import product

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from stores import store_of, training_data

from syngeno.models import li_stephens
from syngeno.models.li_stephens import LiStephens

CONTIGS = ["1", "1", "1", "2"]
PLACE = np.array([1.0, 1.5, 3.0, 0.2])


def model(store, rows, label, place, rho, mu, pooled=False, threads=1):
    data = training_data(store, rows, label, centimorgans=place)
    return LiStephens(data, {"pooled": pooled}, {"rho": rho, "mu": mu}, threads=threads)


def nats_of(store, rows, label, *asked, **how):
    return -model(store, rows, label, **how).log_prob(*asked, seed=1)


def drawn_of(store, rows, label, wanted, seed=1, **how):
    return np.concatenate(list(model(store, rows, label, **how).sample(wanted, seed=seed).calls))


def over_all_paths(templates, asked, place, begins, rho, mu, alphabet):
    """-log probability of a sequence, every path of templates added up (templates (v, K), asked (v,))."""
    K, total = templates.shape[1], 0.0
    for path in product(range(K), repeat=len(asked)):
        p = 1.0
        for site, template in enumerate(path):
            r = 1.0 if begins[site] else 1 - np.exp(-rho * (place[site] - place[site - 1]) / K)
            p *= r / K + (1 - r) * (site > 0 and path[site - 1] == template)
            p *= 1 - mu if templates[site, template] == asked[site] else mu / (alphabet - 1)
        total += p
    return -np.log(total)


@pytest.fixture(params=[True, False], ids=["phased", "unphased"])
def random_store(request, tmp_path):
    calls = np.random.default_rng(4).integers(0, 2, (4, 7, 2)).astype(np.int8)
    return store_of(tmp_path / "s", calls, request.param, CONTIGS)


@pytest.fixture(scope="module")
def six_people(tmp_path_factory):
    calls = np.random.default_rng(5).integers(0, 2, (40, 6, 2)).astype(np.int8)
    return store_of(tmp_path_factory.mktemp("copying") / "s", calls)


class TestLogProb:
    @pytest.mark.parametrize("pooled", [True, False])
    def test_every_path_added_up(self, random_store, pooled):
        store, label = random_store, np.array(["a", "b", "a", "b"] if random_store.phased else list("aaba"))
        calls = store.calls(0, 4)
        ploidy, symbols = (2, calls.reshape(4, -1)) if store.phased else (1, calls.sum(axis=2))
        asked_label, expected = np.array(["a", "b", "a"]), []
        for number in range(4 * ploidy, 7 * ploidy):
            own = np.flatnonzero(np.repeat(pooled | (label == asked_label[number // ploidy - 4]), ploidy))
            begins = [True, False, False, True]
            at = symbols[:, own], symbols[:, number], PLACE, begins
            expected.append(over_all_paths(*at, rho=3.0, mu=0.1, alphabet=4 - ploidy))
        of = store, np.arange(4), label, np.arange(4, 7), asked_label
        nats = nats_of(*of, place=PLACE, rho=3.0, mu=0.1, pooled=pooled)
        assert nats == pytest.approx(expected, rel=1e-5)

    def test_probabilities_sum_to_1(self, tmp_path):
        everybody = np.array(list(product([0, 1], repeat=4)), dtype=np.int8).T.reshape(4, 8, 2)
        store = store_of(tmp_path / "s", everybody, True, CONTIGS)
        asked = np.arange(8), np.full(8, "a")
        nats = nats_of(store, np.array([0, 3]), np.full(2, "a"), *asked, place=PLACE, rho=2.0, mu=0.03)
        assert np.exp(-nats).sum() == pytest.approx(1, rel=1e-5)

    def test_when_every_variant_is_a_switch_they_are_independent(self, random_store):
        store, label = random_store, np.full(5, "a")
        calls = store.calls(0, 4)
        ploidy, symbols = (2, calls.reshape(4, -1)) if store.phased else (1, calls.sum(axis=2))
        source, asked, other = symbols[:, : 5 * ploidy], symbols[:, 5 * ploidy :], 3 - ploidy
        share = (source[:, :, None] == asked[:, None, :]).mean(axis=1)
        expected = -np.log(share * 0.8 + (1 - share) * 0.2 / other).sum(axis=0)
        of = store, np.arange(5), label, np.array([5, 6]), label[:2]
        assert nats_of(*of, place=PLACE, rho=1e9, mu=0.2) == pytest.approx(expected, rel=1e-5)

    def test_a_copy_without_switches(self, tmp_path):
        """Of K distant templates one is copied whole: log K, v right copies and v - 1 times no other template."""
        templates = np.zeros((3000, 4, 2), dtype=np.int8)
        templates[:, 1:] = np.random.default_rng(1).integers(0, 2, (3000, 3, 2))
        store = store_of(tmp_path / "s", np.concatenate([templates, templates[:, [2]]], axis=1), contigs=["1"] * 3000)
        of = store, np.arange(4), np.full(4, "a"), np.array([4]), np.array(["a"])
        nats = nats_of(*of, place=np.arange(3000) * 1e-3, rho=1e-3, mu=1e-4)
        stay = -1e-6 / 8 + np.log1p(np.expm1(1e-6 / 8) / 8)
        assert nats == pytest.approx(np.full(2, np.log(8) - 3000 * np.log1p(-1e-4) - 2999 * stay), abs=1e-3)

    def test_neither_blocks_nor_chunks_nor_threads_matter(self, tmp_path, monkeypatch):
        rng = np.random.default_rng(3)
        store = store_of(tmp_path / "s", rng.integers(0, 2, (90, 30, 2)).astype(np.int8))
        label = np.resize(["a", "b"], 30)
        of = store, np.arange(20), label[:20], np.arange(20, 30), label[20:]
        how = {"place": np.sort(rng.random(90)), "rho": 5.0, "mu": 0.01}
        once = nats_of(*of, **how)
        for name, value in {"CACHE": 1, "HELD": 1, "TABLES": 1000}.items():
            monkeypatch.setattr(li_stephens, name, value)
            assert nats_of(*of, **how) == pytest.approx(once, rel=1e-6)
        monkeypatch.setattr("syngeno.data.store.CHUNK", 17)
        assert (nats_of(*of, **how) == nats_of(*of, **how, threads=3)).all()
        assert nats_of(*of, **how) == pytest.approx(once, rel=1e-6)

    @settings(max_examples=30, deadline=None)
    @given(st.floats(1e-2, 1e7), st.floats(1e-6, 0.3))
    def test_finite_over_the_whole_range_of_the_search(self, six_people, rho, mu):
        of = six_people, np.arange(3), np.full(3, "a"), np.arange(3, 6), np.full(3, "a")
        nats = nats_of(*of, place=np.zeros(40), rho=rho, mu=mu)
        assert np.isfinite(nats).all() and (nats > 0).all()

    def test_places_that_fall_are_refused(self, random_store):
        of = random_store, np.arange(2), np.full(2, "a"), np.array([3]), np.array(["a"])
        with pytest.raises(ValueError, match="not falling"):
            nats_of(*of, place=PLACE[::-1], rho=1.0, mu=0.1)


class TestSwitchProbability:
    def test_by_hand(self, random_store):
        r = li_stephens.switch_probability(random_store, PLACE, 4.0, np.array([2, 8]))
        assert r[:, 0] == pytest.approx([1, 1 - np.exp(-1), 1 - np.exp(-3), 1])
        assert r[1:3, 1] == pytest.approx([1 - np.exp(-0.25), 1 - np.exp(-0.75)])

    def test_a_flat_map_does_not_forbid_switches(self, random_store):
        r = li_stephens.switch_probability(random_store, np.zeros(4), 4.0, np.array([2]))
        assert r[1, 0] == pytest.approx(2 * li_stephens.MIN_DISTANCE)


class TestDefaultMu:
    def test_watterson(self):
        assert li_stephens.default_mu(3) == pytest.approx((2 / 3) / (2 * (2 / 3 + 3)))
        assert 0 < li_stephens.default_mu(1) < 1


class TestSample:
    @pytest.mark.parametrize("phased", [True, False])
    def test_as_often_as_nats_say(self, tmp_path, phased):
        symbols = np.array(list(product(range(2 if phased else 3), repeat=3)), dtype=np.int8).T
        if phased:
            everybody = symbols.reshape(3, -1, 2)
        else:
            everybody = np.stack([symbols == 2, symbols >= 1], axis=2).astype(np.int8)
        store, n = store_of(tmp_path / "s", everybody, phased, ["1", "1", "2"]), everybody.shape[1]
        people, label = np.array([0, 1, 1, 3, 3, 2]), np.array(["a", "b", "a", "a", "b", "b"])
        how = {"place": np.array([0.0, 0.4, 0.1]), "rho": 3.0, "mu": 0.1}
        for own in "ab":
            nats = nats_of(store, people, label, np.arange(n), np.full(n, own), **how)
            drawn = drawn_of(store, people, label, np.full(20_000, own), seed=1, **how)
            seen = drawn.reshape(3, -1) if phased else drawn.sum(axis=2)
            digits = (2 if phased else 3) ** np.arange(3)[::-1]
            share = np.bincount(digits @ seen, minlength=len(nats)) / seen.shape[1]
            assert share == pytest.approx(np.exp(-nats), abs=0.012)

    def test_long_stretches_of_one_person(self, tmp_path):
        """Without mutation a mosaic is made of templates of its own label, in as many pieces as rho says."""
        variants = 2000
        label = np.array(["a"] * 10 + ["b"] * 10)
        calls = np.zeros((variants, 20, 2), dtype=np.int8)
        calls[:, 10:] = 1
        calls[:, 0, 0] = 1
        store = store_of(tmp_path / "s", calls)
        how = {"place": np.linspace(0, 4, variants), "rho": 20.0, "mu": 1e-12}
        drawn = drawn_of(store, np.arange(20), label, label, seed=1, **how)
        assert drawn[:, 10:].all()
        changes = (np.diff(drawn[:, :10].reshape(variants, -1), axis=0) != 0).sum()
        # K = 20 templates, 4 cM: 4 switches a haplotype, of which 2 x 1/20 x 19/20 turn a carrier to another or back
        assert changes == pytest.approx(20 * 4 * 2 * 0.05 * 0.95, abs=9)

    def test_seed_and_chunks(self, tmp_path, monkeypatch):
        rng = np.random.default_rng(1)
        store = store_of(tmp_path / "s", rng.integers(0, 2, (9, 12, 2)).astype(np.int8))
        label, how = np.resize(["a", "b"], 12), {"place": np.arange(9.0), "rho": 5.0, "mu": 0.05}

        def draw(seed):
            return drawn_of(store, np.arange(12), label, label, seed=seed, **how)

        one, again, other = draw(1), draw(1), draw(2)
        assert (one == again).all() and not (one == other).all() and one.dtype == np.int8
        monkeypatch.setattr("syngeno.data.store.CHUNK", 4)
        assert (draw(1) == one).all()


class TestFit:
    def test_finds_what_mosaics_were_made_with(self, tmp_path):
        rng = np.random.default_rng(1)
        place, real = np.linspace(0, 10, 1500), {"rho": 30.0, "mu": 0.01}
        founders = store_of(tmp_path / "f", rng.integers(0, 2, (1500, 10, 2)).astype(np.int8))
        source = founders, np.arange(10), np.full(10, "a")
        mosaics = drawn_of(*source, np.full(30, "a"), seed=1, place=place, **real)
        store = store_of(tmp_path / "s", np.concatenate([founders.calls(0, 1500), mosaics], axis=1))
        of = store, *source[1:], np.arange(10, 40), np.full(30, "a")
        tuned = LiStephens.fit(training_data(*of, place), {"pooled": False}, seed=1).chosen
        assert set(tuned) == {"rho", "mu"}
        assert real["rho"] / 1.5 < tuned["rho"] < real["rho"] * 1.5
        assert real["mu"] / 1.3 < tuned["mu"] < real["mu"] * 1.3
        assert nats_of(*of, place=place, **tuned).mean() <= nats_of(*of, place=place, **real).mean() + 1
