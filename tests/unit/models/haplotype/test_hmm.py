from itertools import product

import numpy as np
import pytest
import torch
from scipy import stats

from syngeno.models.haplotype import hmm


def even(variants, width):
    """Edges of segments of so many variants."""
    return np.r_[np.arange(0, variants, width), variants]


def some_clusters(seed, B=3, K=2, alphabet=2, width=2, variants=5, groups=2, edges=None):
    rng, edges = np.random.default_rng(seed), even(variants, width) if edges is None else edges
    symbol = rng.dirichlet(np.ones(alphabet), (B, K, np.diff(edges).max())).transpose(0, 1, 3, 2)[:, :, 1:]
    switch = rng.uniform(0.1, 0.9, (B, K))
    switch[0] = 1
    weight = rng.dirichlet(np.ones(K), (groups, B))
    return hmm.Clusters(*(torch.from_numpy(one).float() for one in (symbol, switch, weight)), edges)


@pytest.fixture(autouse=True, params=["loops", "tensors"])
def way(request, monkeypatch):
    """What a processor runs, and what a GPU runs, both on a processor."""
    monkeypatch.setattr(hmm, "compiled", lambda device: request.param == "loops")


def rng_of(seed):
    return torch.Generator().manual_seed(seed)


def asked(model, symbols, group):
    return hmm.log_probability(model, torch.from_numpy(symbols), torch.as_tensor(group)).numpy()


def over_all_paths(model, sequence, group):
    """Log probability of one sequence, every path of clusters added up."""
    B, K = model.switch.shape
    symbols, switch, weight = (one.double().numpy() for one in (model.symbol, model.switch, model.weight))
    total = 0.0
    for path in product(range(K), repeat=B):
        p = 1.0
        for b, k in enumerate(path):
            p *= (weight[group, b, k] if b == 0 else switch[b, path[b - 1]] * weight[group, b, k]) + (
                b > 0 and path[b - 1] == k
            ) * (1 - switch[b, path[b - 1]])
            for site in range(model.edges[b], model.edges[b + 1]):
                symbol = symbols[b, k, :, site - model.edges[b]]
                p *= [1 - symbol.sum(), *symbol][sequence[site]]
        total += p
    return np.log(total)


class TestLogProbability:
    @pytest.mark.parametrize("alphabet", [2, 3])
    def test_every_path_added_up(self, alphabet):
        model = some_clusters(1, alphabet=alphabet, edges=np.array([0, 2, 3, 5]))
        given = np.random.default_rng(2).integers(0, alphabet, (5, 6)).astype(np.int8)
        group = np.array([0, 1, 1, 0, 1, 0])
        expected = [over_all_paths(model, one, label) for one, label in zip(given.T, group, strict=True)]
        assert asked(model, given, group) == pytest.approx(expected, rel=1e-5)

    @pytest.mark.parametrize("alphabet", [2, 3])
    def test_probabilities_sum_to_1(self, alphabet):
        every = np.array(list(product(range(alphabet), repeat=5)), dtype=np.int8).T
        logs = asked(some_clusters(4, alphabet=alphabet), every, np.zeros(alphabet**5, int))
        assert np.exp(logs).sum() == pytest.approx(1, rel=1e-5)

    def test_is_that_of_no_other_number_of_variants(self):
        with pytest.raises(ValueError, match="7 variants for 5"):
            asked(some_clusters(1), np.zeros((7, 1), np.int8), np.zeros(1, int))


class TestEmissions:
    def test_nothing_descends_from_a_cluster_that_is_barred(self):
        """Were it not, its table would be the only likely one by far: the others count as if it were not there."""
        model = some_clusters(1, K=3)
        likely = hmm.Clusters(model.symbol.clone(), model.switch, model.weight, model.edges)
        likely.symbol[:, 0] = 1 - 1e-4
        seen = torch.ones((3, 2, 2))
        seen[-1, :, 1] = 0  # filled up
        emission, top = hmm.emissions(likely, seen, torch.tensor([[True, False, False], [False, False, False]]))
        rest = hmm.emissions(hmm.Clusters(model.symbol[:, 1:], model.switch, model.weight, model.edges), seen)
        assert (emission[:, 0, 0] == 0).all()
        assert emission[:, 0, 1:].numpy() == pytest.approx(rest[0][:, 0].numpy(), rel=1e-4)
        assert top[:, 0].numpy() == pytest.approx(rest[1][:, 0].numpy(), rel=1e-4)
        assert (emission[:, 1].argmax(1) == 0).all()
        assert top[:, 1].numpy() == pytest.approx(np.log(1 - 1e-4) * np.array([2, 2, 1]), abs=1e-4)


class TestWalk:
    @pytest.mark.parametrize("alphabet", [2, 3])
    def test_draws_what_log_probability_says(self, alphabet):
        """Chi-square over all sequences of four variants; its 99.9 % quantile, so that one seed in a thousand fails."""
        model, n = some_clusters(5, B=2, edges=np.array([0, 1, 4]), alphabet=alphabet), 40_000
        drawn = hmm.walk(model, torch.ones(n, dtype=torch.long), rng_of(6)).numpy()
        every = np.array(list(product(range(alphabet), repeat=4)), dtype=np.int8).T
        expected = n * np.exp(asked(model, every, np.ones(alphabet**4, int)))
        code = alphabet ** np.arange(3, -1, -1)
        observed = np.bincount(code @ drawn, minlength=alphabet**4)
        chi2 = ((observed - expected) ** 2 / expected).sum()
        assert chi2 < stats.chi2.ppf(0.999, alphabet**4 - 1)


class TestTempered:
    @pytest.mark.parametrize(("alphabet", "temperature"), [(2, 0.5), (3, 2.0)])
    def test_each_choice_by_its_power(self, alphabet, temperature):
        model = some_clusters(14, alphabet=alphabet)
        hot = model.tempered(temperature)
        for b, k in product(range(3), range(2)):
            p = np.append(1 - model.symbol[b, k].sum(0).numpy()[None], model.symbol[b, k].numpy(), 0)
            expected = p ** (1 / temperature) / (p ** (1 / temperature)).sum(0)
            assert hot.symbol[b, k].numpy() == pytest.approx(expected[1:], rel=1e-4)
            odds = (model.switch[b, k] / (1 - model.switch[b, k])).item() ** (1 / temperature) if b else np.inf
            assert hot.switch[b, k].item() == pytest.approx(odds / (1 + odds) if b else 1, rel=1e-4)
        weight = model.weight.numpy() ** (1 / temperature)
        assert hot.weight.numpy() == pytest.approx(weight / weight.sum(2, keepdims=True), rel=1e-4)
        every = np.array(list(product(range(alphabet), repeat=5)), dtype=np.int8).T
        assert np.exp(asked(hot, every, np.zeros(alphabet**5, int))).sum() == pytest.approx(1, rel=1e-5)

    def test_leaves_no_sequence_impossible(self):
        model = some_clusters(15, alphabet=3)
        given = np.random.default_rng(1).integers(0, 3, (5, 20)).astype(np.int8)
        for others in ((1e-4, 1e-4), (1e-4, 0.9998), (0.5, 0.4999), (0.0099, 0.99)):
            symbol = torch.tensor(others)[:, None].expand_as(model.symbol)
            sure = hmm.Clusters(symbol, model.switch, model.weight, model.edges)
            for temperature in (0.5, 0.55):
                assert np.isfinite(asked(sure.tempered(temperature), given, np.zeros(20, int))).all()

    def test_one_changes_nothing(self):
        model = some_clusters(16)
        assert model.tempered(1) is model


class TestLogProbabilities:
    def test_is_that_of_each_group(self):
        model = some_clusters(5)
        given = np.random.default_rng(2).integers(0, 2, (5, 4)).astype(np.int8)
        found = hmm.log_probabilities(model, torch.from_numpy(given), [1, 0]).numpy()
        for column, group in enumerate((1, 0)):
            assert found[:, column] == pytest.approx(asked(model, given, np.full(4, group)))


def completed(model, symbols, visible, group, times, seed):
    given = torch.from_numpy(symbols), torch.from_numpy(visible), torch.from_numpy(group)
    return hmm.complete(model, *given, times, rng_of(seed))[0].numpy()


class TestComplete:
    @pytest.mark.parametrize("alphabet", [2, 3])
    def test_draws_what_is_hidden_as_probable_as_it_is_given_the_rest(self, alphabet):
        model = some_clusters(6, alphabet=alphabet)
        every = np.array(list(product(range(alphabet), repeat=5)), dtype=np.int8).T
        given, times = every[:, [7]], 20_000
        visible = np.array([[True], [False], [True]])  # the first two variants and the last
        drawn = completed(model, given, visible, np.array([1]), times, 7)
        assert (drawn[[0, 1, 4]] == given[[0, 1, 4]]).all()
        fits = (every[[0, 1, 4]] == given[[0, 1, 4]]).all(0)
        expected = np.exp(asked(model, every[:, fits], np.ones(fits.sum(), int)))
        code = alphabet ** np.arange(2)
        counts = np.bincount(code @ drawn[2:4], minlength=alphabet**2)[code @ every[2:4, fits]]
        assert stats.chisquare(counts, times * expected / expected.sum()).pvalue > 0.001

    def test_draws_all_where_nothing_is_visible(self):
        model = some_clusters(8)
        every = np.array(list(product(range(2), repeat=5)), dtype=np.int8).T
        nothing = np.zeros((5, 2), np.int8), np.zeros((3, 2), bool)
        drawn = completed(model, *nothing, np.array([0, 1]), 20_000, 9)
        code = 2 ** np.arange(5)
        for group, own in enumerate((drawn[:, :20_000], drawn[:, 20_000:])):
            expected = np.exp(asked(model, every, np.full(32, group)))
            counts = np.bincount(code @ own, minlength=32)[code @ every]
            assert stats.chisquare(counts, 20_000 * expected / expected.sum()).pvalue > 0.001

    def test_leaves_what_is_all_visible(self):
        given = np.random.default_rng(1).integers(0, 2, (5, 3)).astype(np.int8)
        drawn = completed(some_clusters(1), given, np.ones((3, 3), bool), np.array([0, 1, 0]), 2, 1)
        assert (drawn == np.repeat(given, 2, axis=1)).all()

    def test_tells_the_clusters_that_it_drew(self):
        """Of two clusters without a common allele."""
        symbol = torch.tensor([[0.0], [1.0]])[None, :, :, None].expand(4, 2, 1, 2).clone().clamp(1e-6, 1 - 1e-6)
        model = hmm.Clusters(symbol, torch.full((4, 2), 0.5), torch.full((1, 4, 2), 0.5), even(8, 2))
        visible = torch.zeros((4, 30), dtype=torch.bool)
        visible[1] = True
        given = torch.from_numpy(np.random.default_rng(0).integers(0, 2, 30).astype(np.int8)).expand(8, 30).contiguous()
        drawn, path = hmm.complete(model, given, visible, torch.zeros(30, dtype=torch.long), 1, rng_of(3))
        assert (drawn[::2] == path).all()
        assert (path[1] == given[2]).all()
        assert len(path.unique()) == 2


class TestBatches:
    def sizes(self, steps, clusters, sequences=400):
        return [len(own) for own, *_ in hmm.batches(torch.zeros(sequences, dtype=torch.long), steps, clusters)]

    def test_as_many_as_are_held(self):
        assert max(self.sizes(600, 256)) == hmm.HELD["cpu"] // (4 * 600 * 256)

    def test_no_fewer_than_make_a_step_worth_its_call(self):
        assert max(self.sizes(3800, 256)) == hmm.STEP // 256

    def test_never_more_than_so_many_times_what_is_held(self):
        assert max(self.sizes(40_000, 256)) == hmm.MORE * hmm.HELD["cpu"] // (4 * 40_000 * 256)
        assert self.sizes(10**8, 256, sequences=3) == [1, 1, 1]


@pytest.mark.skipif(not torch.cuda.is_available(), reason="needs a GPU")
class TestOnAGpu:
    def test_says_what_it_says_elsewhere(self):
        model = some_clusters(3, B=40, K=5, width=3, variants=119, groups=3)
        given = torch.from_numpy(np.random.default_rng(4).integers(0, 2, (119, 60)).astype(np.int8))
        group = torch.arange(60) % 3
        here = hmm.log_probability(model, given, group)
        there = hmm.log_probability(model.to("cuda"), given.cuda(), group.cuda())
        assert there.cpu().numpy() == pytest.approx(here.numpy(), rel=1e-5)

    def test_draws_what_is_hidden_as_probable_as_it_is_given_the_rest(self):
        model = some_clusters(6)
        every = np.array(list(product(range(2), repeat=5)), dtype=np.int8).T
        given = torch.from_numpy(every[:, [7, 7]]).cuda(), torch.tensor([[True, False]] * 3).cuda()
        rng = torch.Generator("cuda").manual_seed(7)
        drawn = hmm.complete(model.to("cuda"), *given, torch.tensor([1, 0]).cuda(), 20_000, rng)[0].cpu().numpy()
        assert (drawn[:, :20_000] == every[:, [7]]).all()
        expected = np.exp(asked(model, every, np.zeros(32, int)))
        code = 2 ** np.arange(5)
        counts = np.bincount(code @ drawn[:, 20_000:], minlength=32)[code @ every]
        assert stats.chisquare(counts, 20_000 * expected / expected.sum()).pvalue > 0.001
