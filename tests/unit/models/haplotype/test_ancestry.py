import numpy as np
import pytest
import torch
from scipy import stats

from syngeno.models.haplotype import ancestry, clusters, hmm, tracts
from syngeno.models.haplotype.ancestry import Ancestries, Sequences
from syngeno.models.haplotype.proportions import Admixture, Components
from unit.models.haplotype.test_clusters import cut, mosaic_cohort
from unit.models.haplotype.test_hmm import some_clusters
from unit.models.haplotype.test_tracts import asked, over_all_paths, some_chain, some_symbols

WIDTH, K = 5, 12


def admixed(samples=80, variants=400, chromosomes=2, seed=1):
    """Samples "a" and "b" of one source each, "mixed" ones of both, with tracts: symbols by chromosome, label, q."""
    rng = np.random.default_rng(seed)
    label = np.repeat(["a", "b", "mixed"], [samples // 4, samples // 4, samples // 2])
    q = np.where(label == "a", 1.0, np.where(label == "b", 0.0, rng.beta(2, 2, samples)))
    found = []
    for _ in range(chromosomes):
        panel = (rng.random((2, 3, variants)) < rng.beta(0.4, 0.4, (2, 1, variants))).astype(np.int8)
        symbols = np.empty((variants, 2 * samples), np.int8)
        for sequence, own in enumerate(q.repeat(2)):
            source, which = 0, 0
            for v in range(variants):
                if v == 0 or rng.random() < 0.01:
                    source, which = int(rng.random() >= own), rng.integers(3)
                elif rng.random() < 0.03:
                    which = rng.integers(3)
                symbols[v, sequence] = panel[source, which, v]
        found.append(torch.from_numpy(symbols))
    return found, label, np.stack([q, 1 - q], 1)


class TestSimplex:
    def test_samples_between_corners(self):
        q = np.array([[1, 0, 0], [0, 1, 0], [0, 0, 1], [0.2, 0.3, 0.5], [0.6, 0.4, 0]])
        corners = np.array([[0.0, 0.0], [4.0, 1.0], [1.0, 5.0]])
        found = ancestry.simplex(q @ corners)
        order = found[:3].argmax(1)
        assert found[:, order] == pytest.approx(q, abs=1e-9)

    def test_one_axis(self):
        assert ancestry.simplex(np.array([[0.0], [1.0], [4.0]]))[:, 0] == pytest.approx([0, 0.25, 1])


class TestFit:
    @pytest.fixture(scope="class")
    @classmethod
    def fitted(cls):
        symbols, label, q = admixed()
        rng = np.random.default_rng(2)
        seeds, sample = np.sort(rng.permutation(160)[:K]), rng.permutation(80).repeat(2)
        given = Sequences(symbols.__getitem__, label)
        settings = clusters.Settings(K, WIDTH, 2, 1)
        start = 0.8 * q + 0.1
        found = ancestry.fit(given, [0.05 * np.arange(400)] * 2, start, sample, seeds, 2, settings)[0]
        return found, given, q

    def test_proportions_are_found(self, fitted):
        found, given, q = fitted
        start = np.full(q.shape, 0.5)
        own = found.components.given(ancestry.expected_tracts(found, given, start), given.label)
        assert np.corrcoef(own[40:, 0], q[40:, 0])[0, 1] > 0.8
        mean = found.components.mean(np.array(["a", "b"]))
        assert mean[:, 0] == pytest.approx([1, 0], abs=0.1)

    def test_tracts_are_as_long_as_they_are(self, fitted):
        assert fitted[0].components.rate[-1] == pytest.approx(
            20, rel=0.4
        )  # 0.01 between variants that are 0.05 cM apart

    def test_weights_are_probabilities(self, fitted):
        for chain in fitted[0].chains:
            assert chain.clusters.weight.sum(2).numpy() == pytest.approx(
                np.ones(chain.clusters.weight.shape[:2]), rel=1e-5
            )

    def test_a_label_of_one_ancestry_becomes_so(self, fitted):
        found, _, _ = fitted
        assert found.components.rate[:2].tolist() == [0, 0]
        assert found.components.mean(np.array(["a", "b"])).tolist() == [[1, 0], [0, 1]]
        assert 0.3 < found.components.mean(np.array(["mixed"]))[0, 0] < 0.7


class TestDecay:
    def test_is_the_rate_of_switches(self):
        """Of ancestries drawn by the chain itself, noise of single segments notwithstanding."""
        rng, n, B = np.random.default_rng(1), 400, 300
        chain = tracts.Chain(some_clusters(1, B=B, K=2, groups=2, variants=2 * B), np.r_[0, np.full(B - 1, 0.001)])
        q, rate = rng.dirichlet([2, 2], n), np.repeat([8.0, 30.0], n // 2)
        drawn = tracts.walk(chain, Admixture(q, rate, np.zeros(n, int)), np.arange(n).astype(np.uint64))
        seen = np.where(rng.random((B, n)) < 0.1, 1 - drawn.ancestry, drawn.ancestry)
        decay = ancestry.Decay.zeros(2)
        decay.add(np.eye(2, dtype=np.float32)[seen.T], q, (rate > 10).astype(int), chain.morgans)
        assert decay.rates(np.array([10.0, 10.0])) == pytest.approx([8, 30], rel=0.25)

    def test_of_a_short_region_says_nothing(self):
        decay = ancestry.Decay.zeros(1)
        decay.add(np.ones((4, 10, 2), np.float32) / 2, np.ones((4, 2)) / 2, np.zeros(4, int), np.full(10, 1e-5))
        assert decay.rates(np.array([12.0])).tolist() == [12]


class LikeGroups(ancestry.OfTracts):
    whole, shrinkages = False, clusters.OF_SUBPOPULATIONS


class TestOfTracts:
    def test_one_ancestry_without_tracts_is_one_group(self):
        calls, _ = mosaic_cohort()
        symbols = torch.from_numpy(calls.reshape(60, -1))
        sample, seeds = np.arange(60).repeat(2), np.arange(0, 120, 20)
        settings = clusters.Settings(6, WIDTH, 2, 1, rounds=2)
        descent = LikeGroups.of(Admixture(np.ones((120, 1)), np.zeros(120), np.zeros(120, int)), np.zeros(12))
        groups = clusters.OfGroups(torch.zeros(120, dtype=torch.long), torch.zeros(1, dtype=torch.long))
        (ours, *_), (theirs, *_) = (
            clusters.fit_by(each, symbols, cut(len(symbols), settings.segment), sample, seeds, 2, settings)
            for each in (descent, groups)
        )
        assert ours.symbol.numpy() == pytest.approx(theirs.symbol.numpy(), abs=1e-4)
        assert ours.weight.numpy() == pytest.approx(theirs.weight.numpy(), abs=1e-4)


def of_label_a(chains, alpha, rate):
    alpha = np.atleast_2d(np.array(alpha, float))
    C = len(alpha)
    return Ancestries(chains, Components(np.repeat("a", C), np.ones(C) / C, alpha, np.full(C, rate), np.zeros(C, int)))


class TestLogProbability:
    chains = staticmethod(lambda: [some_chain(1), some_chain(2)])

    def test_proportions_are_integrated_out(self):
        """Both sequences of a sample and all chromosomes share them."""
        fitted, symbols = of_label_a(self.chains(), [1, 2], 5.0), [some_symbols(seed, 2) for seed in (3, 4)]
        found = ancestry.log_probability(fitted, Sequences(symbols.__getitem__, np.array(["a"])), [1], draws=20_000)
        grid = (np.arange(200) + 0.5) / 200
        logs = np.zeros(200)
        for number, q in enumerate(grid):
            for chain, sequences in zip(fitted.chains, symbols, strict=True):
                logs[number] += asked(chain, sequences, np.tile([q, 1 - q], (2, 1, 1)), np.full(2, 5.0)).sum()
        expected = np.log((np.exp(logs) * stats.beta(1, 2).pdf(grid)).mean())
        assert found[0] == pytest.approx(expected, abs=0.03)

    def test_components_of_one_ancestry_are_groups(self):
        fitted = of_label_a(self.chains(), [[0, 1], [1, 0]], 0.0)
        symbols = [some_symbols(seed, 2) for seed in (3, 4)]
        found = ancestry.log_probability(fitted, Sequences(symbols.__getitem__, np.array(["a"])), [1])
        each = [
            sum(
                float(hmm.log_probability(chain.clusters, x, torch.full((2,), group)).sum())
                for chain, x in zip(fitted.chains, symbols, strict=True)
            )
            for group in (0, 1)
        ]
        assert found[0] == pytest.approx(np.logaddexp(*each) - np.log(2), abs=1e-4)

    def test_is_what_paths_add_up_to(self):
        chain, symbols = some_chain(1), some_symbols(2, 1)
        given = Sequences([symbols].__getitem__, np.array(["a"]), 1)
        found = ancestry.log_probability(of_label_a([chain], [0.3e6, 0.7e6], 4.0), given, [1])
        paths = over_all_paths(chain, symbols[:, 0].tolist(), [0.3, 0.7], 4.0)
        assert found[0] == pytest.approx(np.log(sum(paths.values())), abs=1e-3)
