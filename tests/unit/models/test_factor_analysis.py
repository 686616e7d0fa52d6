import numpy as np
import pytest

from syngeno.models import ancestry_factors


def sequences_of(k=2, variants=3000, people=90, noise=0.5, seed=1):
    """Genotypes of a factor model (variants, people), codes of three labels, and the truth: loadings and places."""
    rng = np.random.default_rng(seed)
    code = np.repeat(np.arange(3), people // 3)
    place = rng.normal(0, 1, (3, k))[code] + 0.2 * rng.standard_normal((people, k))
    loadings = rng.standard_normal((variants, k))
    return loadings @ place.T + noise * rng.standard_normal((variants, people)), code, loadings, place


class TestFit:
    def test_loadings_and_places_are_found_but_for_a_rotation(self):
        seen, code, loadings, place = sequences_of()
        factors = ancestry_factors.fit(seen.T @ seen, code, len(seen), axes=2)
        found = seen @ factors.weights
        for value in range(3):
            truth = loadings @ place[code == value].mean(axis=0)
            assert np.corrcoef(found @ factors.mean[value], truth)[0, 1] > 0.99
        cov = factors.root @ factors.root.transpose(0, 2, 1)
        spread = np.einsum("vi,lij,vj->l", found, cov, found) / len(seen)
        assert spread == pytest.approx(2 * 0.2**2, rel=0.4)

    def test_the_posterior_is_that_of_a_regression_on_places(self):
        """One label whose places are all but sure: E[loadings] = seen place (place'place + noise)^-1."""
        seen, _, _, place = sequences_of(k=1, people=30, noise=0.3)
        factors = ancestry_factors.fit(seen.T @ seen, np.zeros(30, int), len(seen), axes=1)
        found = (seen @ factors.weights)[:, 0]
        known = seen @ place[:, 0] / (place[:, 0] @ place[:, 0] + 0.3**2)
        assert abs(np.corrcoef(found, known)[0, 1]) > 0.999
        assert (found**2).mean() + factors.unsure[0, 0] == pytest.approx(1, abs=0.15)

    def test_shrinkage_makes_loadings_smaller_and_less_sure(self):
        seen, code, _, _ = sequences_of(noise=2)
        one, more = (ancestry_factors.fit(seen.T @ seen, code, len(seen), axes=2, shrinkage=by) for by in (1.0, 3.0))
        assert np.abs(seen @ more.weights).mean() < np.abs(seen @ one.weights).mean()
        assert (np.diag(more.unsure) > np.diag(one.unsure)).all()
        with pytest.raises(ValueError, match=r"shrinkage of 0\.5; give 1 or more"):
            ancestry_factors.fit(seen.T @ seen, code, len(seen), axes=2, shrinkage=0.5)

    def test_as_many_axes_as_sequences_and_a_label_of_one(self):
        seen, _, _, _ = sequences_of(variants=40, people=9)
        factors = ancestry_factors.fit(seen.T @ seen, np.arange(9) // 4, 40, axes=9)
        assert np.isfinite(factors.weights).all() and np.isfinite(factors.root).all()
