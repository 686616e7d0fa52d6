from dataclasses import replace
from itertools import product

import numpy as np
import pytest
import torch
from scipy import stats

from syngeno.models.haplotype import hmm, tracts
from syngeno.models.haplotype.proportions import Admixture
from unit.models.haplotype.test_hmm import even, some_clusters


def some_chain(seed, A=2, B=3, K=3, **shape):
    morgans = np.random.default_rng(seed).uniform(0.02, 0.2, B)
    morgans[0] = 0
    return tracts.Chain(some_clusters(seed, B=B, K=K, groups=A, **shape), morgans)


def some_symbols(seed, n, variants=5, alphabet=2):
    return torch.from_numpy(np.random.default_rng(seed).integers(0, alphabet, (variants, n)).astype(np.int8))


def over_all_paths(chain, sequence, q, rate):
    """Every path of ancestries and clusters: its probability along with a sequence."""
    B, K = chain.clusters.switch.shape
    symbols, switch, weight = (
        part.double().numpy() for part in (chain.clusters.symbol, chain.clusters.switch, chain.clusters.weight)
    )
    found = {}
    for path in product(list(product(range(len(q)), range(K))), repeat=B):
        p = 1.0
        for b, (a, k) in enumerate(path):
            change = 1 - np.exp(-rate * chain.morgans[b])
            if b == 0:
                p *= q[a] * weight[a, b, k]
            else:
                before, j = path[b - 1]
                within = (1 - switch[b, j]) * (k == j) + switch[b, j] * weight[a, b, k]
                p *= (1 - change) * (a == before) * within + change * q[a] * weight[a, b, k]
            for site in range(chain.clusters.edges[b], chain.clusters.edges[b + 1]):
                symbol = symbols[b, k, :, site - chain.clusters.edges[b]]
                p *= [1 - symbol.sum(), *symbol][sequence[site]]
        found[path] = p
    return found


def admixture(q, rate):
    """Of sequences with proportions (n, A) and rates (n,), all of one group; or under M each, (n, M, A) and (n,)."""
    q = np.asarray(q, float)
    rate = np.broadcast_to(np.reshape(rate, (len(q),) + (1,) * (q.ndim - 2)).astype(float), q.shape[:-1])
    return Admixture(q, rate, np.zeros(q.shape[:-1], int))


def asked(chain, symbols, q, rate):
    return tracts.log_probabilities(chain, tracts.patterns(chain, symbols), admixture(q, rate))


def expected(chain, symbols, q, rate, barred=None):
    return tracts.expected(chain, tracts.patterns(chain, symbols), admixture(q, rate), barred)


def walk(chain, q, rate):
    return tracts.walk(chain, admixture(q, rate), np.arange(len(q)).astype(np.uint64))


def complete(chain, symbols, visible, q, rate, times, seeds):
    return tracts.complete(chain, symbols, visible, admixture(q, rate), times, np.array(seeds, np.uint64))


class TestLogProbabilities:
    @pytest.mark.parametrize("alphabet", [2, 3])
    def test_every_path_added_up(self, alphabet):
        chain, symbols = some_chain(1, alphabet=alphabet), some_symbols(2, 4, alphabet=alphabet)
        q = np.random.default_rng(3).dirichlet([1, 1], (4, 2))
        rate = [0, 3, 10, 200]
        found = asked(chain, symbols, q, rate)
        for i, m in product(range(4), range(2)):
            paths = over_all_paths(chain, symbols[:, i].tolist(), q[i, m], rate[i])
            assert found[i, m] == pytest.approx(np.log(sum(paths.values())), rel=1e-5)

    def test_probabilities_sum_to_1(self):
        every = torch.tensor(list(product(range(2), repeat=5)), dtype=torch.int8).T
        logs = asked(some_chain(4), every, np.full((32, 1, 2), 0.5), np.full(32, 9))
        assert np.exp(logs).sum() == pytest.approx(1, rel=1e-5)

    def test_one_ancestry_without_tracts_is_the_chain_of_clusters(self):
        clusters = some_clusters(5, B=40, K=8, groups=1, width=5, variants=198)
        symbols = some_symbols(6, 50, variants=198)
        chain = tracts.Chain(clusters, np.full(40, 0.01))
        ours = asked(chain, symbols, np.ones((50, 1, 1)), np.zeros(50))[:, 0]
        assert ours == pytest.approx(hmm.log_probability(clusters, symbols, torch.zeros(50, dtype=int)), abs=1e-4)

    def test_an_ancestry_that_is_certain_is_a_group(self):
        clusters = some_clusters(5, B=40, K=8, groups=2, width=5, variants=198)
        symbols, group = some_symbols(6, 50, variants=198), torch.arange(50) % 2
        chain = tracts.Chain(clusters, np.full(40, 0.01))
        ours = asked(chain, symbols, np.eye(2)[group][:, None], np.zeros(50))[:, 0]
        assert ours == pytest.approx(hmm.log_probability(clusters, symbols, group), abs=1e-4)

    def test_is_that_of_no_other_number_of_variants(self):
        with pytest.raises(ValueError, match="7 variants for 5"):
            asked(some_chain(1), some_symbols(1, 1, variants=7), np.full((1, 1, 2), 0.5), [1])


class TestExpected:
    def test_every_path_counted(self):
        chain, symbols = some_chain(1), some_symbols(2, 1)
        q, rate = np.array([[0.3, 0.7]]), [4]
        found = expected(chain, symbols, q, rate)
        paths = over_all_paths(chain, symbols[:, 0].tolist(), q[0], rate[0])
        total, occupancy = sum(paths.values()), np.zeros((2, 3, 3))
        for path, p in paths.items():
            for b, (a, k) in enumerate(path):
                occupancy[a, b, k] += p / total
        assert found.occupancy.numpy() == pytest.approx(occupancy, abs=1e-5)
        assert found.entry[:, 0].numpy() == pytest.approx(occupancy[:, 0], abs=1e-5)
        carried = hmm.indicators(symbols, 2, chain.clusters.edges)[:, 0].float().numpy()
        assert found.symbol.numpy() == pytest.approx(occupancy.sum(0)[:, :, None] * carried[:, None], abs=1e-5)
        assert found.logs == pytest.approx([np.log(total)], rel=1e-5)

    def test_counts_sum_to_what_there_is(self):
        chain, symbols = some_chain(7, A=3, B=30, K=5, width=3, variants=89), some_symbols(8, 6, variants=89)
        q, rate = np.random.default_rng(9).dirichlet([1, 1, 1], 6), np.full(6, 12.0)
        found = expected(chain, symbols, q, rate)
        assert found.occupancy.sum((0, 2)).numpy() == pytest.approx(np.full(30, 6), rel=1e-5)
        stayed = (found.occupancy - found.entry).sum(0)[1:]  # whoever neither stayed nor left began a tract
        began = (found.occupancy.sum((0, 2))[1:] - stayed.sum(1) - found.left.sum(1)[1:]).sum()
        assert found.tracts.sum() == pytest.approx(6 + float(began), rel=1e-4)
        assert (stayed >= -1e-5).all()
        assert not found.left[0].any()
        assert found.symbol.sum() == pytest.approx(float(symbols.sum()), rel=1e-5)
        assert found.logs == pytest.approx(asked(chain, symbols, q[:, None], rate)[:, 0], rel=1e-6)

    def test_counts_are_the_slope_of_the_likelihood(self):
        """By Fisher's identity, of log p in the log of a proportion."""
        chain, symbols = some_chain(7, A=2, B=30, K=5, width=3, variants=89), some_symbols(8, 1, variants=89)
        q, rate, step = np.array([[0.4, 0.6]]), np.array([12.0]), 0.02
        found = expected(chain, symbols, q, rate)

        def slope(low, high):
            return (asked(chain, symbols, *high) - asked(chain, symbols, *low))[0, 0] / (2 * step)

        up, down = (q * np.exp([[sign * step, 0]]) for sign in (1, -1))  # not normalised: the slope of one alone
        assert found.tracts[0, 0] == pytest.approx(slope((down[:, None], rate), (up[:, None], rate)), abs=0.01)

    def test_an_ancestry_that_a_sequence_lacks_may_be_far_likelier(self):
        """Backwards its probability is not kept in bounds by what comes before."""
        symbol = torch.tensor([0.01, 0.99])[None, :, None, None].repeat(60, 1, 1, 5)
        switch, weight = torch.full((60, 2), 0.1), torch.tensor([[1, 0], [0, 1.0]])[:, None].repeat(1, 60, 1)
        switch[0] = 1
        chain = tracts.Chain(hmm.Clusters(symbol, switch, weight, even(300, 5)), np.full(60, 0.01))
        found = expected(chain, torch.ones((300, 1), dtype=torch.int8), [[1.0, 0.0]], [0.0])
        assert found.occupancy.sum((1, 2)).tolist() == pytest.approx([60, 0])
        assert found.logs == pytest.approx([300 * np.log(0.01)], rel=1e-4)
        assert found.tracts[0].tolist() == pytest.approx([1, 0])

    def test_nothing_descends_from_what_is_barred(self):
        chain, symbols = some_chain(1), some_symbols(2, 2)
        barred = np.array([[True, False, False], [False, False, False]])
        found = expected(chain, symbols[:, :1], [[0.5, 0.5]], [4], barred=barred[:1])
        assert not found.occupancy[:, :, 0].any()
        assert expected(chain, symbols, [[0.5, 0.5]] * 2, [4, 4], barred=barred).occupancy[:, :, 0].any()


class TestWalk:
    def test_tracts_are_as_long_and_proportions_as_asked(self):
        n, B, rate, q = 1500, 400, 20.0, np.array([0.2, 0.3, 0.5])
        chain = tracts.Chain(some_clusters(1, B=B, K=4, groups=3, variants=2 * B), np.r_[0, np.full(B - 1, 0.001)])
        drawn = walk(chain, np.tile(q, (n, 1)), np.full(n, rate))
        start = np.bincount(drawn.ancestry[0], minlength=3)
        assert stats.chisquare(start, n * q).pvalue > 0.001
        # A run of one ancestry ends at a segment with probability c (1 - q): its length is geometric.
        for a in range(3):
            first = drawn.ancestry[0] == a
            run = (drawn.ancestry[:, first] != a).argmax(0)
            run[(drawn.ancestry[:, first] == a).all(0)] = B
            end = (1 - np.exp(-rate * 0.001)) * (1 - q[a])
            cdf = 1 - (1 - end) ** np.arange(1, B)
            counts = np.diff(np.r_[0, np.searchsorted(np.sort(run), np.arange(1, B), side="right")])
            edges = np.r_[0, np.searchsorted(cdf, np.linspace(0.1, 0.9, 9)), B - 1]
            seen = np.r_[np.add.reduceat(counts, edges[:-1]), (run == B).sum()]
            mass = np.diff(np.r_[0, cdf])
            wanted = np.r_[np.add.reduceat(mass, edges[:-1]), 1 - cdf[-1]]
            assert stats.chisquare(seen, first.sum() * wanted).pvalue > 0.001

    def test_switches_come_along_the_map(self):
        """Places of the first change, in Morgans, where the map is uneven: exponential."""
        n, rate, rng = 2000, 8.0, np.random.default_rng(1)
        morgans = np.r_[0, rng.exponential(0.002, 999)]
        chain = tracts.Chain(some_clusters(1, B=1000, K=2, groups=2, variants=2000), morgans)
        drawn = walk(chain, np.full((n, 2), 0.5), np.full(n, rate))
        changed = (drawn.ancestry != drawn.ancestry[0]).argmax(0)
        place = morgans.cumsum()[changed] - rng.random(n) * morgans[changed]  # anywhere within its interval
        assert stats.kstest(place[changed > 0], stats.expon(scale=2 / rate).cdf).pvalue > 0.001

    def test_pairs_of_states_and_symbols_follow_the_chain(self):
        chain, n, q, rate = some_chain(3), 10_000, np.array([0.3, 0.7]), 6.0
        drawn = walk(chain, np.tile(q, (n, 1)), np.full(n, rate))
        every = list(product(range(2), repeat=5))
        codes = 2 ** np.arange(4, -1, -1) @ drawn.symbols
        p = np.exp(asked(chain, torch.tensor(every, dtype=torch.int8).T, np.tile(q, (32, 1, 1)), np.full(32, rate)))
        assert stats.chisquare(np.bincount(codes, minlength=32), n * p[:, 0] / p.sum()).pvalue > 0.001
        last = drawn.ancestry[2] * 3 + drawn.path[2]
        wanted = np.zeros(6)
        for sequence in every:
            for path, mass in over_all_paths(chain, sequence, q, rate).items():
                wanted[path[2][0] * 3 + path[2][1]] += mass
        assert stats.chisquare(np.bincount(last, minlength=6), n * wanted / wanted.sum()).pvalue > 0.001

    def test_the_same_seeds_draw_the_same(self):
        chain = some_chain(3)
        q, rate = np.full((9, 2), 0.5), np.full(9, 6.0)
        for one, other in zip(walk(chain, q, rate), walk(chain, q, rate), strict=True):
            np.testing.assert_array_equal(one, other)


class TestComplete:
    def test_paths_are_drawn_by_their_probability(self):
        chain, symbols = some_chain(1), some_symbols(2, 1)
        q, rate, times = np.array([[0.3, 0.7]]), np.array([4.0]), 20_000
        drawn = complete(chain, symbols, np.ones((3, 1), bool), q, rate, times, [5])
        np.testing.assert_array_equal(drawn.symbols, np.repeat(symbols.numpy(), times, axis=1))
        paths = over_all_paths(chain, symbols[:, 0].tolist(), q[0], rate[0])
        names = {path: number for number, path in enumerate(paths)}
        states = zip(drawn.ancestry.T.tolist(), drawn.path.T.tolist(), strict=True)
        counts = np.bincount([names[tuple(zip(a, k, strict=True))] for a, k in states], minlength=len(paths))
        p = np.array(list(paths.values())) / sum(paths.values())
        frequent = times * p > 5
        seen, wanted = (np.r_[one[frequent], one[~frequent].sum()] for one in (counts, times * p))
        assert stats.chisquare(seen, wanted).pvalue > 0.001

    def test_what_is_hidden_is_drawn_given_what_is_visible(self):
        chain, symbols = some_chain(1), some_symbols(2, 2)
        visible = np.array([[True, True], [False, True], [True, True]])
        q, rate, times = np.full((2, 2), 0.5), np.array([4.0, 4.0]), 20_000
        drawn = complete(chain, symbols, visible, q, rate, times, [5, 6])
        np.testing.assert_array_equal(drawn.symbols[:, times:], np.repeat(symbols[:, 1:].numpy(), times, axis=1))
        given = symbols[:, :1].repeat(1, 4)
        given[2:4] = torch.tensor([[0, 0, 1, 1], [0, 1, 0, 1]])
        p = np.exp(asked(chain, given, np.full((4, 1, 2), 0.5), np.full(4, 4.0))[:, 0])
        seen = np.bincount(2 * drawn.symbols[2, :times] + drawn.symbols[3, :times], minlength=4)
        assert stats.chisquare(seen, times * p / p.sum()).pvalue > 0.001


class TestGroups:
    def test_each_has_weights_of_its_own(self):
        """Two groups of two ancestries: the second group's sequences are those of the chain of its weights alone."""
        chain, symbols = some_chain(1, A=4), some_symbols(2, 6)
        q, rate = np.random.default_rng(3).dirichlet([1, 1], 6), np.full(6, 5.0)
        group = np.array([0, 0, 0, 1, 1, 1])
        both = tracts.expected(chain, tracts.patterns(chain, symbols), Admixture(q, rate, group))
        weight = chain.clusters.weight[2:]
        alone = tracts.Chain(replace(chain.clusters, weight=weight), chain.morgans)
        found = expected(alone, symbols[:, 3:], q[3:], rate[3:])
        assert both.occupancy[2:].numpy() == pytest.approx(found.occupancy.numpy(), abs=1e-6)
        assert both.logs[3:] == pytest.approx(found.logs)
