from dataclasses import replace
from itertools import product

import numpy as np
import pytest
import torch
from scipy import stats
from stores import store_of

from syngeno.data import sequences
from syngeno.models.haplotype.prior import Origins, Prior
from syngeno.models.haplotype.proportions import Components
from unit.models.haplotype.test_hmm import rng_of, some_clusters


def some_mosaics(alphabet=2):
    """Two chromosomes of two variants and one; label a has two subpopulations, b one."""
    sizes = {"alphabet": alphabet, "groups": 3, "width": 2}
    chromosomes = [some_clusters(1, B=1, variants=2, **sizes), some_clusters(2, B=1, variants=1, **sizes)]
    for one in chromosomes:
        one.weight[:2] = torch.tensor([[[0.95, 0.05]], [[0.05, 0.95]]])
    components = Components.of_one_ancestry(np.array(["a", "a", "b"]), np.array([0.3, 0.7, 1.0]))
    return Prior(chromosomes, [np.zeros(1)] * 2, components, alphabet)


def admixed_mosaics(alphabet=2):
    """The same chromosomes, of two segments and one; label a is admixed of two ancestries, b of the second alone."""
    sizes = {"alphabet": alphabet, "groups": 2, "width": 1}
    chromosomes = [some_clusters(1, B=2, variants=2, **sizes), some_clusters(2, B=1, variants=1, **sizes)]
    for one in chromosomes:
        one.weight[:] = torch.tensor([[[0.95, 0.05]], [[0.05, 0.95]]])
    alpha, rate, group = np.array([[2.0, 1.0], [0.0, 1.0]]), np.array([10.0, 0.0]), np.zeros(2, int)
    components = Components(np.array(["a", "b"]), np.ones(2), alpha, rate, group)
    return Prior(chromosomes, [np.array([0, 0.05]), np.zeros(1)], components, alphabet)


def everybody(tmp_path, alphabet=2):
    """A store of every sample there can be over three variants, and the symbols (3, sequences)."""
    each = list(product(range(alphabet), repeat=3))
    if alphabet == 2:
        calls = np.array([np.column_stack(pair) for pair in product(each, each)], np.int8)
    else:
        calls = np.array([[[int(one == 2), int(one >= 1)] for one in sample] for sample in each], np.int8)
    store = store_of(tmp_path / "all.zarr.zip", calls.transpose(1, 0, 2), contigs=["1", "1", "2"])
    return sequences.viewed(store, "haplotype" if alphabet == 2 else "genotype")


class TestLogProbability:
    @pytest.mark.parametrize(("alphabet", "label"), [(2, "a"), (2, "b"), (3, "a")])
    @pytest.mark.parametrize(("mosaics", "seeds", "error"), [(some_mosaics, 1, 1e-5), (admixed_mosaics, 40, 0.03)])
    def test_sums_to_1_over_everybody(self, tmp_path, mosaics, seeds, error, alphabet, label):
        """On the average of seeds, where proportions are integrated over by a few draws."""
        store = everybody(tmp_path, alphabet)
        n, learnt = len(store.samples), mosaics(alphabet)
        each = [learnt.log_probability(store, np.arange(n), np.repeat(label, n), seed=seed) for seed in range(seeds)]
        assert n == {2: 64, 3: 27}[alphabet]
        assert np.exp(each).mean(0).sum() == pytest.approx(1, rel=error)

    def test_a_samples_haplotypes_share_a_subpopulation(self, tmp_path):
        store = everybody(tmp_path)
        p = np.exp(some_mosaics().log_probability(store, np.arange(64), np.repeat("a", 64), seed=1)).reshape(8, 8)
        apart = p.sum(1, keepdims=True) * p.sum(0)
        assert np.abs(p - apart).max() > 1e-3
        assert np.diag(p).sum() > np.diag(apart).sum() + 1e-3  # more often alike than by chance

    def test_of_an_unknown_label(self, tmp_path):
        with pytest.raises(ValueError, match="no training sample has the label c"):
            some_mosaics().log_probability(everybody(tmp_path), np.array([0]), np.array(["c"]), seed=1)


class TestDraw:
    @pytest.mark.parametrize("alphabet", [2, 3])
    @pytest.mark.parametrize("mosaics", [some_mosaics, admixed_mosaics])
    def test_draws_samples_as_probable_as_they_are(self, tmp_path, mosaics, alphabet):
        learnt, store, times = mosaics(alphabet), everybody(tmp_path, alphabet), 40_000
        n, rng = len(store.samples), rng_of(3)
        each = [learnt.log_probability(store, np.arange(n), np.repeat("a", n), seed=seed) for seed in range(40)]
        expected = np.exp(each).mean(0)
        drawn = learnt.draw(learnt.origins(np.repeat("a", times), rng), rng).numpy()
        code = (alphabet ** np.arange(2, -1, -1)) @ drawn
        code = code.reshape(-1, 2) @ [8, 1] if alphabet == 2 else code
        assert stats.chisquare(np.bincount(code, minlength=n), times * expected / expected.sum()).pvalue > 0.001

    def test_a_sample_of_one_ancestry_follows_its_weights(self):
        learnt, rng = admixed_mosaics(), rng_of(3)
        origins = learnt.origins(np.repeat("b", 50), rng)
        drawn = learnt.draw(origins, rng)
        path, ancestry = learnt.paths(drawn, origins, rng)
        assert path.shape == ancestry.shape == (3, 100)
        assert (ancestry == 1).all()
        assert (learnt.weights(origins, ancestry.numpy()) == 1).all()

    def test_origins_of_an_unknown_label(self):
        with pytest.raises(ValueError, match="no training sample has the label c"):
            some_mosaics().origins(np.array(["a", "c"]), rng_of(1))


class TestTracts:
    @pytest.mark.parametrize("mosaics", [some_mosaics, admixed_mosaics])
    def test_cover_each_chromosome_and_agree_with_the_path(self, mosaics):
        """Of segments of three variants, the last of fewer, as drawn at random."""
        sizes = {"groups": 1, "width": 3}
        chromosomes = [some_clusters(1, B=4, variants=11, **sizes), some_clusters(2, B=2, variants=4, **sizes)]
        learnt = replace(mosaics(), chromosomes=chromosomes, morgans=[np.zeros(4), np.zeros(2)])
        ancestry = np.random.default_rng(1).integers(0, 2, (6, 50)).astype(np.int8)
        ancestry[:, 0] = 1
        of_variants = np.concatenate([ancestry[:4].repeat(3, axis=0)[:11], ancestry[4:].repeat(3, axis=0)[:4]])
        found = learnt.tracts(ancestry)
        assert found[found[:, 0] == 0].tolist() == [[0, 0, 10, 1], [0, 11, 14, 1]]  # one of each chromosome
        covered = np.full((15, 50), -1)
        for sequence, first, last, which in found:
            assert (covered[first : last + 1, sequence] == -1).all()
            assert (first < 11) == (last < 11)
            covered[first : last + 1, sequence] = which
        assert (covered == of_variants).all()
        beside = (found[1:, 0] == found[:-1, 0]) & (found[1:, 1] != 11)
        assert (found[1:, 3] != found[:-1, 3])[beside].all()  # as long as they can be
        assert (np.lexsort((found[:, 1], found[:, 0])) == np.arange(len(found))).all()


class TestComplete:
    def test_each_chromosome_by_its_own_clusters(self):
        learnt = some_mosaics()
        given = torch.tensor([[1, 0], [0, 1], [1, 1]], dtype=torch.int8)
        visible = torch.tensor([[True, True], [False, True]])  # the second chromosome of the first haplotype is hidden
        drawn = learnt.complete(given, visible, Origins(np.array([2]), np.ones((1, 1))), 5000, rng_of(4))
        assert (drawn[:2] == given[:2].repeat_interleave(5000, dim=1)).all()
        assert (drawn[2, 5000:] == 1).all()
        second = learnt.chromosomes[1]
        expected = (second.weight[2, 0] @ second.symbol[0, :, 0, 0]).item()
        assert drawn[2, :5000].float().mean() == pytest.approx(expected, abs=0.03)
