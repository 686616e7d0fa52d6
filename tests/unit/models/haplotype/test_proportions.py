import numpy as np
import pytest
from scipy import integrate, special, stats

from syngeno.models.haplotype import proportions
from syngeno.models.haplotype.proportions import Proportions, Proposal


def tracts_of(alpha, n, each, seed):
    """Tracts of samples whose proportions are drawn by a Dirichlet: (n, A)."""
    rng = np.random.default_rng(seed)
    return rng.multinomial(each, rng.dirichlet(alpha, n)).astype(float)


class TestFit:
    def test_the_noise_of_few_tracts_is_no_variation(self):
        found = proportions.fit(tracts_of([1, 3, 2], 600, 15, 1), np.repeat("a", 600))
        assert found.label.tolist() == ["a"]
        assert found.alpha[0] == pytest.approx([1, 3, 2], rel=0.2)

    def test_two_kinds_of_samples_within_a_label_are_two_components(self):
        tracts = np.concatenate([tracts_of([20, 1], 60, 40, 1), tracts_of([1, 10], 140, 40, 2)])
        found = proportions.fit(tracts, np.repeat("a", 200))
        order = found.share.argsort()
        assert found.share[order] == pytest.approx([0.3, 0.7], abs=0.05)
        mean = found.alpha[order] / found.alpha[order].sum(1, keepdims=True)
        assert mean[:, 0] == pytest.approx([20 / 21, 1 / 11], abs=0.05)

    def test_no_component_has_few_samples(self):
        tracts = np.concatenate([tracts_of([20, 1], 12, 40, 1), tracts_of([1, 10], 140, 40, 2)])
        found = proportions.fit(tracts, np.repeat("a", 152))
        assert (found.share * 152 >= proportions.FEWEST).all()

    def test_labels_have_their_own(self):
        tracts = np.concatenate([tracts_of([9, 1], 50, 40, 1), tracts_of([1, 1], 50, 40, 2)])
        found = proportions.fit(tracts, np.repeat(["b", "a"], 50))
        assert found.label.tolist() == ["a", "b"]
        assert found.alpha[1, 0] > 5 * found.alpha[1, 1]

    def test_samples_of_one_ancestry_alone(self):
        found = proportions.fit(np.repeat([[30.0, 0.0]], 40, axis=0), np.repeat("a", 40))
        assert found.mean(np.array(["a"]))[0] == pytest.approx([1, 0], abs=1e-3)


class TestDraw:
    def test_follows_the_components(self):
        known = Proportions(np.array(["a", "a"]), np.array([0.25, 0.75]), np.array([[4.0, 2.0], [1.0, 5.0]]))
        drawn = known.draw(np.repeat("a", 4000), np.random.default_rng(1))

        def cdf(x):
            return 0.25 * stats.beta(4, 2).cdf(x) + 0.75 * stats.beta(1, 5).cdf(x)

        assert stats.kstest(drawn[:, 0], cdf).pvalue > 0.001
        assert drawn.sum(1) == pytest.approx(np.ones(4000))

    def test_a_label_of_one_ancestry_has_no_other(self):
        known = Proportions(np.array(["a"]), np.ones(1), np.array([[3.0, 2.0]])).certain({"a": np.array([0.0, 1.0])})
        assert (known.draw(np.repeat("a", 9), np.random.default_rng(1)) == [0, 1]).all()

    def test_draws_are_new(self):
        """By the label's distribution alone: none is the proportions of a sample it was fitted to."""
        tracts = tracts_of([1, 3, 2], 300, 40, 1)
        known = proportions.fit(tracts, np.repeat("a", 300))
        assert {part.size for part in vars(known).values()} <= {1, 3}  # no sample's own is kept
        drawn = known.draw(np.repeat("a", 300), np.random.default_rng(2))
        own, new = known.given(tracts, np.repeat("a", 300)), known.draw(np.repeat("a", 300), np.random.default_rng(3))

        def nearest(reference):
            return np.sqrt(((drawn[:, None] - reference) ** 2).sum(2)).min(1)

        assert nearest(own).min() > 0
        assert stats.mannwhitneyu(nearest(own), nearest(new), alternative="less").pvalue > 0.001

    def test_refuses_an_unknown_label(self):
        known = Proportions(np.array(["a"]), np.ones(1), np.ones((1, 2)))
        with pytest.raises(ValueError, match="no training sample has the label b"):
            known.draw(np.array(["b"]), np.random.default_rng(1))


class TestGiven:
    def test_is_the_posterior_mean(self):
        known = Proportions(np.array(["a"]), np.ones(1), np.array([[1.0, 3.0]]))
        assert known.given(np.array([[4.0, 2.0]]), np.array(["a"]))[0] == pytest.approx([0.5, 0.5])


class TestProposal:
    def test_integrates_over_proportions(self):
        """The mean of weights times a likelihood is its integral under the prior, whatever tracts it is drawn by."""
        known = Proportions(np.array(["a", "a"]), np.array([0.4, 0.6]), np.array([[2.0, 2.0], [1.0, 5.0]]))
        proposal = Proposal.of(known, np.array([[3.0, 4.0]]), np.array(["a"]), 20_000, [1])
        x = proposal.q[0, :, 0]
        found = (np.exp(proposal.log_ratio[0]) * x**4 * (1 - x) ** 3).mean()

        def integrand(x):
            prior = 0.4 * stats.beta(2, 2).pdf(x) + 0.6 * stats.beta(1, 5).pdf(x)
            return prior * x**4 * (1 - x) ** 3

        assert found == pytest.approx(integrate.quad(integrand, 0, 1)[0], rel=0.02)

    def test_is_certain_where_the_label_is(self):
        known = Proportions(np.array(["a"]), np.ones(1), np.array([[1.0, 0.0]]))
        proposal = Proposal.of(known, np.array([[30.0, 0.0]]), np.array(["a"]), 8, [1])
        assert (proposal.q == [1, 0]).all()
        assert proposal.log_ratio == pytest.approx(np.zeros((1, 8)), abs=1e-6)


class TestEvidence:
    def test_of_one_component_is_the_dirichlet_multinomial(self):
        tracts, alpha = np.array([[3.0, 1.0], [0.0, 2.0]]), np.array([[1.5, 2.5]])
        _, log_p = proportions._responsibility(tracts, np.ones(1), alpha)
        order = special.gammaln(tracts.sum(1) + 1) - special.gammaln(tracts + 1).sum(1)
        expected = stats.dirichlet_multinomial.logpmf(tracts.astype(int), alpha, tracts.sum(1).astype(int)) - order
        assert log_p == pytest.approx(expected.sum())
