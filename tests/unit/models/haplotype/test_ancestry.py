import numpy as np
import pytest
import torch
from scipy import stats

from syngeno.models.haplotype import ancestry, clusters, hmm, tracts
from syngeno.models.haplotype.ancestry import Ancestries, Sequences
from syngeno.models.haplotype.proportions import Proportions
from unit.models.haplotype.test_clusters import mosaic_cohort
from unit.models.haplotype.test_tracts import over_all_paths, some_chain, some_symbols

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


def hmm_clusters_apart():
    """Two clusters of 40 segments, whose symbols differ, each of one ancestry: hmm.Clusters."""
    symbol = torch.tensor([0.05, 0.95])[None, :, None, None].repeat(40, 1, 1, WIDTH)
    switch = torch.full((40, 2), 0.1)
    switch[0] = 1
    weight = torch.tensor([[0.95, 0.05], [0.05, 0.95]])[:, None].repeat(1, 40, 1)
    return hmm.Clusters(symbol, switch, weight, 40 * WIDTH)


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
    def fitted(self):
        symbols, label, q = admixed()
        rng = np.random.default_rng(2)
        seeds, sample = np.sort(rng.permutation(160)[:K]), rng.permutation(80).repeat(2)
        given = Sequences(symbols.__getitem__, label)
        settings = clusters.Settings(K, WIDTH, 2, 1)
        start = 0.8 * q + 0.1
        return ancestry.fit(given, [0.05 * np.arange(400)] * 2, start, sample, seeds, 2, settings), given, q

    def test_proportions_are_found(self, fitted):
        found, given, q = fitted
        start = np.full(q.shape, 0.5)
        own = found.proportions.given(ancestry.expected_tracts(found, given, start), given.label)
        assert np.corrcoef(own[40:, 0], q[40:, 0])[0, 1] > 0.8
        mean = found.proportions.mean(np.array(["a", "b"]))
        assert mean[:, 0] == pytest.approx([1, 0], abs=0.1)

    def test_tracts_are_as_long_as_they_are(self, fitted):
        assert fitted[0].rate["mixed"] == pytest.approx(20, rel=0.4)  # 0.01 between variants that are 0.05 cM apart

    def test_weights_are_probabilities(self, fitted):
        for chain in fitted[0].chains:
            assert chain.clusters.weight.sum(2).numpy() == pytest.approx(np.ones((2, 80)), rel=1e-5)

    def test_a_label_of_one_ancestry_becomes_so(self, fitted):
        found, _, _ = fitted
        assert (found.rate["a"], found.rate["b"]) == (0, 0)
        assert found.proportions.mean(np.array(["a", "b"])).tolist() == [[1, 0], [0, 1]]
        assert 0.3 < found.proportions.mean(np.array(["mixed"]))[0, 0] < 0.7


class TestSettled:
    def test_unless_validation_samples_disagree(self):
        """A label a tenth of whose ancestry is another's is not taken for one alone, but where its samples say so."""
        rng = np.random.default_rng(1)
        chain = tracts.Chain(hmm_clusters_apart(), np.r_[0, np.full(39, 0.01)])
        known = Proportions(np.array(["a"]), np.ones(1), np.array([[9.0, 0.9]]))
        fitted = Ancestries([chain], known, {"a": 10.0})
        assert ancestry.settled(fitted, None)[0].rate == {"a": 10}
        label = np.repeat("a", 30)
        q = known.draw(label, rng).repeat(2, axis=0)
        drawn = tracts.walk(chain, q, np.full(60, 10.0), seeds=np.arange(60)).symbols
        validation = Sequences([torch.from_numpy(drawn)].__getitem__, label)
        assert ancestry.settled(fitted, validation)[0].rate == {"a": 10}
        pure = tracts.walk(chain, np.tile([1.0, 0.0], (60, 1)), np.zeros(60), seeds=np.arange(60)).symbols
        validation = Sequences([torch.from_numpy(pure)].__getitem__, label)
        assert ancestry.settled(fitted, validation)[1].keys() == {"a"}


class TestOfTracts:
    def test_one_ancestry_without_tracts_is_one_group(self):
        calls, _ = mosaic_cohort()
        symbols = torch.from_numpy(calls.reshape(60, -1))
        sample, seeds = np.arange(60).repeat(2), np.arange(0, 120, 20)
        settings = clusters.Settings(6, WIDTH, 2, 1, rounds=2)
        descent = ancestry.OfTracts.of(np.ones((120, 1)), np.zeros(120), np.zeros(120, int), np.zeros(12), 1)
        groups = clusters.OfGroups(torch.zeros(120, dtype=torch.long), torch.zeros(1, dtype=torch.long))
        ours, theirs = (clusters.fit_by(each, symbols, sample, seeds, 2, settings) for each in (descent, groups))
        assert ours.symbol.numpy() == pytest.approx(theirs.symbol.numpy(), abs=1e-4)
        assert ours.weight.numpy() == pytest.approx(theirs.weight.numpy(), abs=1e-4)


class TestLogProbability:
    def chain_and_known(self):
        known = Proportions(np.array(["a"]), np.ones(1), np.array([[1.0, 2.0]]))
        return Ancestries([some_chain(1), some_chain(2)], known, {"a": 5.0})

    def test_proportions_are_integrated_out(self):
        """Both sequences of a sample and all chromosomes share them."""
        fitted, symbols = self.chain_and_known(), [some_symbols(seed, 2) for seed in (3, 4)]
        found = ancestry.log_probability(fitted, Sequences(symbols.__getitem__, np.array(["a"])), [1], draws=20_000)
        grid = (np.arange(200) + 0.5) / 200
        logs = np.zeros(200)
        for number, q in enumerate(grid):
            for chain, sequences in zip(fitted.chains, symbols, strict=True):
                rows, rate = np.tile([q, 1 - q], (2, 1, 1)), np.full(2, 5.0)
                logs[number] += tracts.log_probabilities(chain, sequences, rows.reshape(2, 1, 2), rate).sum()
        expected = np.log((np.exp(logs) * stats.beta(1, 2).pdf(grid)).mean())
        assert found[0] == pytest.approx(expected, abs=0.03)

    def test_a_certain_ancestry_is_a_group(self):
        fitted = self.chain_and_known()
        certain = Ancestries(fitted.chains, fitted.proportions.certain({"a": np.array([0.0, 1.0])}), {"a": 0.0})
        symbols = [some_symbols(seed, 2) for seed in (3, 4)]
        found = ancestry.log_probability(certain, Sequences(symbols.__getitem__, np.array(["a"])), [1])
        group = torch.ones(2, dtype=torch.long)
        each = [hmm.log_probability(chain.clusters, x, group) for chain, x in zip(certain.chains, symbols, strict=True)]
        assert found[0] == pytest.approx(float(sum(part.sum() for part in each)), abs=1e-4)

    def test_is_what_paths_add_up_to(self):
        chain, symbols = some_chain(1), some_symbols(2, 1)
        certain = Proportions(np.array(["a"]), np.ones(1), np.array([[0.3e6, 0.7e6]]))
        found = ancestry.log_probability(
            Ancestries([chain], certain, {"a": 4.0}), Sequences([symbols].__getitem__, np.array(["a"]), 1), [1]
        )
        paths = over_all_paths(chain, symbols[:, 0].tolist(), [0.3, 0.7], 4.0)
        assert found[0] == pytest.approx(np.log(sum(paths.values())), abs=1e-3)
