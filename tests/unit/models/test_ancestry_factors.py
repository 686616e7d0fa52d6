from itertools import product

import numpy as np
import pytest
from stores import store_of, training_data

from syngeno.data import sequences
from syngeno.models import ancestry_factors
from syngeno.models.ancestry_factors import AncestryFactors

LABEL = np.repeat(["a", "b", "c"], 60)
TRAIN = np.arange(180)


def people_of(seed=0, variants=400, fst=0.1, more=0):
    """Three labels that have drifted apart, calls (variants, people, 2): 60 of each, then `more` of each."""
    rng = np.random.default_rng(seed)
    base = rng.uniform(0.1, 0.9, variants)
    f = rng.beta(base * (1 - fst) / fst, (1 - base) * (1 - fst) / fst, (3, variants))
    code = np.r_[np.repeat(range(3), 60), np.repeat(range(3), more)]
    return (rng.random((variants, len(code), 2)) < f[code].T[..., None]).astype(np.int8)


def settings_of(shrinkage=1.0, residual=0.0):
    return {"shrinkage": shrinkage, "residual": residual}


def drawn_of(store, wanted, seed=1, rows=TRAIN, label=LABEL, axes=2, **settings):
    model = AncestryFactors(training_data(store, rows, label), settings_of(**settings), {"axes": axes})
    return np.concatenate(list(model.sample(wanted, seed=seed).calls))


def nats_of(store, rows, label, *asked, axes, **settings):
    model = AncestryFactors(training_data(store, rows, label), settings_of(**settings), {"axes": axes})
    return -model.log_prob(*asked, seed=1)


def chosen_of(*known, **settings):
    return AncestryFactors.fit(training_data(*known), settings_of(**settings), seed=1).chosen


@pytest.fixture(scope="module")
def store(tmp_path_factory):
    return store_of(tmp_path_factory.mktemp("factors") / "s.zarr.zip", people_of(variants=1500, more=10), phased=False)


def everybody_of(phased):
    """Calls at 4 variants: 180 training people, then every sequence there is (81 people, or 16 haplotypes in 8)."""
    symbols = np.array(list(product(range(2 if phased else 3), repeat=4)), dtype=np.int8).T
    calls = symbols.reshape(4, -1, 2) if phased else np.stack([symbols == 2, symbols >= 1], axis=2)
    return np.concatenate([people_of(variants=4), calls], axis=1)


class TestLogProb:
    @pytest.mark.parametrize("phased", [False, True])
    @pytest.mark.parametrize("settings", [{}, {"residual": 0.5}, {"shrinkage": 2.0}])
    def test_probabilities_sum_to_1_and_are_those_of_draws(self, tmp_path, monkeypatch, phased, settings):
        monkeypatch.setattr(ancestry_factors, "TRIES", 10_000)
        calls = everybody_of(phased)
        store, asked = store_of(tmp_path / "s", calls, phased), np.arange(180, calls.shape[1])
        p = np.exp(-nats_of(store, TRAIN, LABEL, asked, np.full(len(asked), "b"), axes=2, **settings))
        assert p.sum() == pytest.approx(1, abs=0.01)
        drawn = drawn_of(store, np.full(100_000, "b"), **settings)
        symbols = drawn.reshape(4, -1) if phased else drawn.sum(axis=2)
        base = 2 if phased else 3
        share = np.bincount(base ** np.arange(4)[::-1] @ symbols, minlength=base**4) / symbols.shape[1]
        assert share == pytest.approx(p, abs=0.004)

    @pytest.mark.parametrize("phased", [False, True])
    def test_which_allele_is_counted_does_not_matter(self, tmp_path, phased):
        calls = people_of(more=3)
        swapped = np.where(np.arange(400)[:, None, None] % 3 == 0, 1 - calls, calls)
        asked = np.arange(180, 189), np.repeat(["a", "b", "c"], 3)
        one, other = (
            nats_of(store_of(tmp_path / name, some, phased), TRAIN, LABEL, *asked, axes=3, residual=0.3)
            for name, some in (("one", calls), ("other", swapped))
        )
        # The sign of an axis is free, and with it which places are tried.
        assert one == pytest.approx(other, abs=0.3) and one.mean() == pytest.approx(other.mean(), abs=0.1)

    def test_people_are_likelier_than_by_their_labels_alone(self, tmp_path):
        """A label of two ancestries that it does not tell."""
        store = store_of(tmp_path / "s", people_of(more=10), phased=False)
        label, asked = np.full(180, "all"), np.arange(180, 210)
        nats = [nats_of(store, TRAIN, label, asked, np.full(30, "all"), axes=k).mean() for k in (1, 2)]
        assert nats[1] < nats[0] - 1

    def test_chunks(self, store, monkeypatch):
        asked = np.arange(180, 185), np.full(5, "a")
        before = nats_of(store, TRAIN, LABEL, *asked, axes=2)
        monkeypatch.setattr("syngeno.data.store.CHUNK", 400)
        assert nats_of(store, TRAIN, LABEL, *asked, axes=2) == pytest.approx(before)


class TestSample:
    def test_heterozygosity(self, store):
        real = store.dosages(TRAIN) == 1
        drawn = drawn_of(store, np.tile(LABEL, 5)).sum(axis=2) == 1
        assert drawn.mean() == pytest.approx(real.mean(), rel=0.01)

    def test_labels_that_do_not_differ_get_the_same_frequencies(self, tmp_path):
        store, label = store_of(tmp_path / "s", people_of(fst=1e-4), phased=False), np.tile(["p", "q"], 90)
        drawn = drawn_of(store, np.repeat(["p", "q"], 4000), label=label).mean(axis=2)
        real = store.dosages(TRAIN).T / 2
        apart = drawn[:, :4000].mean(axis=1) - drawn[:, 4000:].mean(axis=1)
        noise = real[:, label == "p"].mean(axis=1) - real[:, label == "q"].mean(axis=1)
        assert np.abs(apart).mean() < np.abs(noise).mean() / 2

    def test_residual_1_reproduces_the_means_of_labels(self, store):
        real, wanted = store.dosages(TRAIN).T / 2, np.repeat(["a", "c"], 3000)
        off = {}
        for residual in (0.0, 1.0):
            drawn = drawn_of(store, wanted, residual=residual).mean(axis=2)
            off[residual] = max(
                np.abs(drawn[:, wanted == one].mean(axis=1) - real[:, one == LABEL].mean(axis=1)).mean()
                for one in ("a", "c")
            )
        assert off[1.0] < 0.006 < off[0.0]

    def test_shrinkage_takes_people_away_from_those_they_are_made_from(self, store):
        """Labels' drawn frequencies are farther from their training people's."""
        real, off = store.dosages(TRAIN).T / 2, []
        for shrinkage in (1.0, 4.0, 16.0):
            drawn = drawn_of(store, np.full(3000, "a"), shrinkage=shrinkage).mean(axis=(1, 2))
            off.append(np.square(drawn - real[:, LABEL == "a"].mean(axis=1)).mean())
        assert off == sorted(off) and off[2] > 1.2 * off[0]

    def test_where_nobody_varies_hardly_anybody_does(self, tmp_path):
        calls = people_of(variants=300)
        calls[100:] = np.arange(200)[:, None, None] % 2
        drawn = drawn_of(store_of(tmp_path / "s", calls, phased=False), LABEL)
        assert (drawn[100:] != calls[100:]).any(axis=(1, 2)).mean() < 0.03

    def test_phase(self, tmp_path):
        """A person of a phased store has two haplotypes, one of an unphased store is written with REF first."""
        calls = people_of(variants=50)
        phased, unphased = (drawn_of(store_of(tmp_path / f"{one}", calls, one), LABEL) for one in (True, False))
        assert phased.shape == unphased.shape == (50, 180, 2) and phased.dtype == np.int8
        assert (phased[..., 0] > phased[..., 1]).any() and (unphased[..., 0] <= unphased[..., 1]).all()

    def test_seed_and_chunks(self, store, monkeypatch):
        one, again, other = (drawn_of(store, LABEL, seed=seed) for seed in (1, 1, 2))
        assert (one == again).all() and not (one == other).all()
        monkeypatch.setattr("syngeno.data.store.CHUNK", 400)
        assert (drawn_of(store, LABEL) == one).all()

    def test_unknown_label(self, store):
        with pytest.raises(ValueError, match="no training sample has the label z"):
            drawn_of(store, np.array(["a", "z"]))


class TestFit:
    def test_as_many_axes_as_labels_differ_on(self, store):
        asked = np.arange(180, 210), np.repeat(["a", "b", "c"], 10)
        tuned = chosen_of(store, TRAIN, LABEL, *asked)
        assert tuned == {"axes": 2}
        assert chosen_of(store, TRAIN, LABEL, *asked, residual=0.5, shrinkage=2.0).keys() == {"axes"}

    def test_few_people_and_variants(self, tmp_path):
        store = store_of(tmp_path / "s", people_of(variants=3), phased=True)
        tuned = chosen_of(store, np.arange(3), np.array(["a", "a", "b"]), np.array([4]), np.array(["b"]))
        assert tuned["axes"] in (1, 2)
        assert sequences.per_sample(store) == 2


def sequences_of(k=2, variants=3000, people=90, noise=0.5, seed=1):
    """Genotypes of a factor model (variants, people), codes of three labels, and the truth: loadings and places."""
    rng = np.random.default_rng(seed)
    code = np.repeat(np.arange(3), people // 3)
    place = rng.normal(0, 1, (3, k))[code] + 0.2 * rng.standard_normal((people, k))
    loadings = rng.standard_normal((variants, k))
    return loadings @ place.T + noise * rng.standard_normal((variants, people)), code, loadings, place


class TestFitFactors:
    def test_loadings_and_places_are_found_but_for_a_rotation(self):
        seen, code, loadings, place = sequences_of()
        factors = ancestry_factors.fit_factors(seen.T @ seen, code, len(seen), axes=2, shrinkage=1.0)
        found = seen @ factors.weights
        for value in range(3):
            truth = loadings @ place[code == value].mean(axis=0)
            assert np.corrcoef(found @ factors.clouds.mean[value], truth)[0, 1] > 0.99
        cov = factors.clouds.root @ factors.clouds.root.transpose(0, 2, 1)
        spread = np.einsum("vi,lij,vj->l", found, cov, found) / len(seen)
        assert spread == pytest.approx(2 * 0.2**2, rel=0.4)

    def test_the_posterior_is_that_of_a_regression_on_places(self):
        """One label whose places are all but sure: E[loadings] = seen place (place'place + noise)^-1."""
        seen, _, _, place = sequences_of(k=1, people=30, noise=0.3)
        factors = ancestry_factors.fit_factors(seen.T @ seen, np.zeros(30, int), len(seen), axes=1, shrinkage=1.0)
        found = (seen @ factors.weights)[:, 0]
        known = seen @ place[:, 0] / (place[:, 0] @ place[:, 0] + 0.3**2)
        assert abs(np.corrcoef(found, known)[0, 1]) > 0.999
        assert (found**2).mean() + factors.unsure[0, 0] == pytest.approx(1, abs=0.15)

    def test_shrinkage_makes_loadings_smaller_and_less_sure(self):
        seen, code, _, _ = sequences_of(noise=2)
        one, more = (
            ancestry_factors.fit_factors(seen.T @ seen, code, len(seen), axes=2, shrinkage=by) for by in (1.0, 3.0)
        )
        assert np.abs(seen @ more.weights).mean() < np.abs(seen @ one.weights).mean()
        assert (np.diag(more.unsure) > np.diag(one.unsure)).all()

    def test_as_many_axes_as_sequences_and_a_label_of_one(self):
        seen, _, _, _ = sequences_of(variants=40, people=9)
        factors = ancestry_factors.fit_factors(seen.T @ seen, np.arange(9) // 4, 40, axes=9, shrinkage=1.0)
        assert np.isfinite(factors.weights).all() and np.isfinite(factors.clouds.root).all()
