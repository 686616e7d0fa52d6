from dataclasses import replace

import numpy as np
import pytest
from scipy import integrate, special, stats

from syngeno.errors import BadInput
from syngeno.models.haplotype import proportions
from syngeno.models.haplotype.proportions import Components, Proposal


def tracts_of(alpha, n, each, seed):
    """Tracts of samples whose proportions are drawn by a Dirichlet: (n, A)."""
    rng = np.random.default_rng(seed)
    return rng.multinomial(each, rng.dirichlet(alpha, n)).astype(float)


def some_components(*of, rate=5.0):
    """Components of label a, by shares and alphas."""
    share, alpha = zip(*of, strict=True)
    C = len(share)
    return Components(np.repeat("a", C), np.array(share), np.array(alpha, float), np.full(C, rate), np.zeros(C, int))


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
        known = some_components((0.25, [4, 2]), (0.75, [1, 5]))
        component, drawn = known.draw(np.repeat("a", 4000), np.random.default_rng(1))
        assert component.mean() == pytest.approx(0.75, abs=0.03)

        def cdf(x):
            return 0.25 * stats.beta(4, 2).cdf(x) + 0.75 * stats.beta(1, 5).cdf(x)

        assert stats.kstest(drawn[:, 0], cdf).pvalue > 0.001
        assert drawn.sum(1) == pytest.approx(np.ones(4000))

    def test_draws_are_new(self):
        """By the label's distribution alone: none is the proportions of a sample it was fitted to."""
        tracts = tracts_of([1, 3, 2], 300, 40, 1)
        known = proportions.fit(tracts, np.repeat("a", 300))
        assert {np.size(part) for part in vars(known).values()} <= {1, 3}  # no sample's own is kept
        _, drawn = known.draw(np.repeat("a", 300), np.random.default_rng(2))
        own, (_, new) = (
            known.given(tracts, np.repeat("a", 300)),
            known.draw(np.repeat("a", 300), np.random.default_rng(3)),
        )

        def nearest(reference):
            return np.sqrt(((drawn[:, None] - reference) ** 2).sum(2)).min(1)

        assert nearest(own).min() > 0
        assert stats.mannwhitneyu(nearest(own), nearest(new), alternative="less").pvalue > 0.001

    def test_refuses_an_unknown_label(self):
        known = some_components((1, [1, 1]))
        with pytest.raises(ValueError, match="no training sample has the label b"):
            known.draw(np.array(["b"]), np.random.default_rng(1))


def of_four_labels():
    """c and d are of the third of three ancestries alone, b of either of the others, "mixed" of all or of the first."""
    label = np.array(["b", "b", "c", "d", "d", "mixed", "mixed"])
    alpha = np.eye(3)[[0, 1, 2, 2, 2, 0, 0]]
    alpha[5] = [3, 2, 1]
    share, rate = np.array([0.5, 0.5, 1, 0.2, 0.8, 0.6, 0.4]), np.array([0, 0, 0, 0, 0, 12.0, 0])
    return Components(label, share, alpha, rate, np.array([0, 0, 1, 2, 2, 3, 3]))


class TestNames:
    def test_labels_of_one_ancestry_name_it(self):
        assert of_four_labels().names.tolist() == ["ancestry1", "ancestry2", "c+d"]

    def test_of_one_ancestry_all_labels_are(self):
        components = Components.of_one_ancestry(np.array(["a", "a", "b"]), np.array([0.3, 0.7, 1]))
        assert components.names.tolist() == ["a+b"]


class TestAsked:
    def test_exact_proportions_at_the_rate_of_the_label(self):
        asked = of_four_labels().asked({"mixed": {"ancestry2": 0.25, "c+d": 0.75}})
        label = np.repeat(["mixed", "c"], 50)
        component, q = asked.draw(label, np.random.default_rng(1))
        assert (q == np.repeat([[0, 0.25, 0.75], [0, 0, 1]], 50, axis=0)).all()
        assert set(component[:50]) == {5, 6}
        assert (asked.admixture(component, q).rate == np.repeat([12, 0], 50)).all()

    def test_samples_of_one_ancestry_do_not_switch(self):
        asked = of_four_labels().asked({"mixed": {"ancestry1": 1}})
        component, q = asked.draw(np.repeat("mixed", 50), np.random.default_rng(1))
        assert (q == [1, 0, 0]).all()
        assert (asked.admixture(component, q).rate == 0).all()

    def test_labels_that_yaml_reads_as_numbers(self):
        components = replace(of_four_labels(), label=np.repeat(["1", "2"], [5, 2]))
        asked = components.asked({2: {"ancestry2": 1}})
        assert list(asked.exact) == ["2"]

    def test_nothing(self):
        plain, label = of_four_labels(), np.repeat("mixed", 9)
        before, after = (each.draw(label, np.random.default_rng(1))[1] for each in (plain, plain.asked({})))
        assert (before == after).all()
        Components.of_one_ancestry(np.array(["a"]), np.ones(1)).asked({})

    @pytest.mark.parametrize(
        ("proportions", "told"),
        [
            ({"e": {"c+d": 1}}, r"^sample\.proportions: no training sample is 'e'; use b, c, d, mixed$"),
            (
                {"mixed": {"c": 1}},
                r"^sample\.proportions\.mixed: the model has no ancestry 'c'; use ancestry1, ancestry2, c\+d$",
            ),
            (
                {"c": {"ancestry1": 0.5, "c+d": 0.5}},
                r"^sample\.proportions\.c: samples of this label are of one .*, or take an admixed label \(mixed\)$",
            ),
        ],
    )
    def test_what_there_is_not(self, proportions, told):
        with pytest.raises(BadInput, match=told):
            of_four_labels().asked(proportions)

    def test_of_one_ancestry(self):
        components = Components.of_one_ancestry(np.array(["a", "b"]), np.ones(2))
        with pytest.raises(BadInput, match=r"the model has one ancestry \(a\+b\); set `clusters: \{ancestries: 2\}`"):
            components.asked({"a": {"a+b": 1}})


class TestSettled:
    def test_what_is_nearly_of_one_ancestry_has_no_other(self):
        known = some_components((0.5, [96, 4]), (0.5, [94, 6]))
        settled = known.settled()
        assert settled.alpha.tolist() == [[1, 0], [94, 6]]
        assert settled.rate.tolist() == [0, 5]
        component, drawn = settled.draw(np.repeat("a", 99), np.random.default_rng(1))
        assert (drawn[component == 0] == [1, 0]).all()
        assert (drawn[component == 1] < 1).all()

    def test_its_samples_are_those_that_were_nearly(self):
        """What fills up here and there of another ancestry does not count against it."""
        known = some_components((0.5, [96, 1]), (0.5, [50, 50]))
        found = known.settled().given(np.array([[40.0, 1.0], [20.0, 20.0]]), np.array(["a", "a"]), known)
        assert found[0] == pytest.approx([1, 0], abs=0.01)
        assert found[1] == pytest.approx([0.5, 0.5], abs=0.01)


class TestAdmixed:
    def test_is_the_component_that_has_the_labels_rate(self):
        """Samples of mixed proportions switch by it, though others of the label are of one ancestry."""
        settled = some_components((0.5, [99, 1]), (0.5, [1, 1])).settled()
        assert settled.rate[settled.admixed(np.array(["a", "a"]))].tolist() == [5, 5]


class TestGiven:
    def test_is_the_posterior_mean(self):
        known = some_components((1, [1, 3]))
        assert known.given(np.array([[4.0, 2.0]]), np.array(["a"]))[0] == pytest.approx([0.5, 0.5])


class TestProposal:
    def test_integrates_over_proportions(self):
        """The mean of weights times a likelihood is its integral under the prior, whatever tracts it is drawn by."""
        known = some_components((0.4, [2, 2]), (0.6, [1, 5]))
        proposal = Proposal.of(known, np.array([[3.0, 4.0]]), np.array(["a"]), 20_000, [1])
        x = proposal.q[0, :, 0]
        found = (np.exp(proposal.log_ratio[0]) * x**4 * (1 - x) ** 3).sum()

        def integrand(x):
            prior = 0.4 * stats.beta(2, 2).pdf(x) + 0.6 * stats.beta(1, 5).pdf(x)
            return prior * x**4 * (1 - x) ** 3

        assert found == pytest.approx(integrate.quad(integrand, 0, 1)[0], rel=0.02)

    def test_components_of_several_ancestries_share_the_draws(self):
        known = some_components((0.25, [1, 0]), (0.25, [2, 2]), (0.5, [1, 5]))
        assert Proposal.of(known, np.array([[3.0, 4.0]]), np.array(["a"]), 8, [1]).q.shape == (1, 9, 2)

    def test_a_component_of_one_ancestry_is_asked_once(self):
        known = some_components((0.25, [1, 0]), (0.75, [2, 2]))
        proposal = Proposal.of(known, np.array([[30.0, 1.0]]), np.array(["a"]), 8, [1])
        assert proposal.component.tolist() == [[0, *[1] * 8]]
        assert proposal.q[0, 0].tolist() == [1, 0]
        assert proposal.log_ratio[0, 0] == pytest.approx(np.log(0.25))

    def test_labels_of_fewer_components_are_filled_up(self):
        one, two = some_components((1, [3, 1])), some_components((0.5, [1, 0]), (0.5, [3, 1]))
        known = Components(*(np.r_[a, b] for a, b in zip(vars(one).values(), vars(two).values(), strict=True)))
        known = replace(known, label=np.array(["a", "b", "b"]))
        proposal = Proposal.of(known, np.ones((2, 2)), np.array(["a", "b"]), 4, [1])
        assert np.isneginf(proposal.log_ratio).tolist() == [[False] * 4 + [True], [False] * 5]
        assert (proposal.component[0] == 0).all()


class TestEvidence:
    def test_of_one_component_is_the_dirichlet_multinomial(self):
        tracts, alpha = np.array([[3.0, 1.0], [0.0, 2.0]]), np.array([[1.5, 2.5]])
        _, log_p = proportions._responsibility(tracts, np.ones(1), alpha)
        order = special.gammaln(tracts.sum(1) + 1) - special.gammaln(tracts + 1).sum(1)
        expected = stats.dirichlet_multinomial.logpmf(tracts.astype(int), alpha, tracts.sum(1).astype(int)) - order
        assert log_p == pytest.approx(expected.sum())
