import numpy as np
import pytest
import torch
from stores import store_of, training_data

from syngeno.errors import BadInput
from syngeno.models import ancestry_factors
from syngeno.models.ancestry_factors import AncestryFactors, Clouds, Variants
from syngeno.models.haplotype.prior import Origins
from syngeno.models.haplotype.proportions import Components
from syngeno.models.haplotype.unlinked import SETTINGS, Unlinked
from unit.models.haplotype.test_hmm import rng_of
from unit.models.haplotype.test_prior import everybody


def some_unlinked(alphabet=2):
    """Two chromosomes of two variants and one; labels lie apart on one axis, along which two variants differ."""
    components = Components.of_one_ancestry(np.array(["a", "b"]), np.ones(2))
    clouds = Clouds(np.array([[-1.0], [1.0]]), np.full((2, 1, 1), 0.5))
    centre = np.array([0.5, 0.3, 0.6])
    loadings = np.array([[0.5], [-0.4], [0.0]])
    frequencies = Variants(centre, np.sqrt(centre * (1 - centre)), loadings, np.full((1, 1), 0.01), np.zeros((3, 2)))
    return Unlinked(components, clouds, frequencies, [2, 1], alphabet)


def two_labels(variants, samples, seed):
    """Calls (variants, samples, 2) of unlinked variants, with frequencies of each label's own, and the labels."""
    rng = np.random.default_rng(seed)
    f, code = rng.uniform(0.1, 0.9, (2, variants)), np.arange(samples) % 2
    calls = (rng.random((variants, samples, 2)) < f[code].T[..., None]).astype(np.int8)
    return calls, np.array(["a", "b"])[code]


class TestLogProbability:
    @pytest.mark.parametrize("alphabet", [2, 3])
    def test_sums_to_1_over_everybody_and_is_that_of_draws(self, tmp_path, monkeypatch, alphabet):
        monkeypatch.setattr(ancestry_factors, "TRIES", 2000)
        store, learnt = everybody(tmp_path, alphabet), some_unlinked(alphabet)
        n, per_sample = len(store.samples), learnt.per_sample
        p = np.exp(learnt.log_probability(store, np.arange(n), np.repeat("a", n), seed=1))
        assert n == {2: 64, 3: 27}[alphabet] and p.sum() == pytest.approx(1, rel=0.01)
        drawn = learnt.draw(learnt.origins(np.repeat("a", 40_000), rng_of(1)), rng_of(2)).numpy()
        which = alphabet ** np.arange(3)[::-1] @ drawn
        which = which.reshape(-1, per_sample) @ (alphabet**3) ** np.arange(per_sample)[::-1]
        assert np.bincount(which, minlength=n) / len(which) == pytest.approx(p, abs=0.005)

    def test_of_an_unknown_label(self, tmp_path):
        with pytest.raises(ValueError, match="no training sample has the label c"):
            some_unlinked().log_probability(everybody(tmp_path), np.arange(1), np.array(["c"]), seed=1)


class TestFit:
    @pytest.mark.parametrize("phased", [True, False])
    def test_is_ancestry_factors(self, tmp_path, phased):
        calls, label = two_labels(300, 90, seed=3)
        store = store_of(tmp_path / "s.zarr.zip", calls, phased, contigs=["1"] * 200 + ["2"] * 100)
        data = training_data(store, np.arange(60), label[:60], np.arange(60, 90), label[60:])
        learnt, factors = Unlinked.fit(data, seed=1), AncestryFactors.fit(data, SETTINGS, seed=1)
        assert (learnt.lengths, learnt.chosen) == ([200, 100], factors.chosen)
        logs = learnt.log_probability(store, np.arange(60, 90), label[60:], seed=1)
        others = factors.log_prob(np.arange(60, 90), label[60:], seed=1).reshape(30, -1).sum(1)
        assert logs == pytest.approx(others, abs=0.5) and logs.mean() == pytest.approx(others.mean(), abs=0.1)


class TestComplete:
    @pytest.mark.parametrize("alphabet", [2, 3])
    def test_what_is_visible_stays_and_what_is_hidden_is_drawn(self, alphabet):
        learnt = some_unlinked(alphabet)
        origins = Origins(np.array([1, 0]), np.array([[1.0, 0.0], [-1.0, -1.0]])[:, : learnt.per_sample])
        n = 2 * learnt.per_sample
        given = torch.ones((3, n), dtype=torch.int8)
        visible = torch.zeros((3, n), dtype=torch.bool)
        visible[1] = True
        drawn = learnt.complete(given, visible, origins, 4000, rng_of(1)).numpy()
        assert (drawn[1] == 1).all()
        means = drawn[0].reshape(n, 4000).mean(1) / (alphabet - 1)
        expected = 0.5 + 0.25 * origins.q.ravel()
        assert means == pytest.approx(expected, abs=0.03)


class TestTempered:
    def test_lower_temperatures_choose_what_is_common(self):
        learnt = some_unlinked()
        drawn = [
            one.draw(one.origins(np.repeat("a", 5000), rng_of(1)), rng_of(2)).float().mean(1)[2]
            for one in (learnt, learnt.tempered(0.5))
        ]
        assert drawn == pytest.approx([0.6, 0.36 / 0.52], abs=0.02)


class TestAncestry:
    def test_is_one_along_whole_chromosomes(self):
        learnt = some_unlinked()
        origins = learnt.origins(np.array(["b"]), rng_of(1))
        _, ancestry = learnt.paths(learnt.draw(origins, rng_of(2)), origins, rng_of(3))
        assert learnt.tracts(ancestry.numpy()).tolist() == [[0, 0, 1, 0], [0, 2, 2, 0], [1, 0, 1, 0], [1, 2, 2, 0]]
        assert learnt.proportions(origins).tolist() == [[1.0]]

    def test_proportions_cannot_be_asked_for(self):
        with pytest.raises(BadInput, match=r"the model has one ancestry \(a\+b\)"):
            some_unlinked().asked({"a": {"b": 1.0}})
