import numpy as np
import pytest
from stores import store_of, training_data

from syngeno.data import sequences
from syngeno.data.store import CHUNK
from syngeno.models import independent
from syngeno.models.independent import Independent

LABEL = np.array(["a"] * 30 + ["b"] * 20)
TRAIN = np.arange(50)


@pytest.fixture(scope="module")
def store(tmp_path_factory):
    """60 samples, the first 50 of them training samples in two populations of different frequencies."""
    rng = np.random.default_rng(0)
    n = CHUNK + 200
    frequency = np.where(np.arange(60) < 30, rng.uniform(0, 1, (n, 1)), rng.uniform(0, 1, (n, 1)))
    calls = (rng.random((n, 60, 2)) < frequency[..., None]).astype(np.int8)
    calls[:, 50:] = 1
    calls[5, :50] = 0
    return store_of(tmp_path_factory.mktemp("independent") / "s.zarr.zip", calls)


def drawn_of(store, rows, label, wanted, seed=1, pooled=False):
    model = Independent(training_data(store, rows, label), {"pooled": pooled}, {})
    return np.concatenate(list(model.sample(wanted, seed=seed).calls))


def nats_of(store, rows, label, *asked, pooled=False):
    return -Independent(training_data(store, rows, label), {"pooled": pooled}, {}).log_prob(*asked, seed=1)


class TestFrequencies:
    def test_pooled(self):
        symbols, a = np.array([[0, 1, 1, 1], [0, 0, 0, 0]], dtype=np.int8), independent.PSEUDOCOUNT
        groups = sequences.Groups(["all"], np.zeros(4, int), np.zeros(1, int))
        expected = [[(3 + a) / (4 + 2 * a)], [a / (4 + 2 * a)]]
        assert independent.frequencies(symbols, groups, 2) == pytest.approx(np.array(expected))

    def test_a_label_is_shrunk_by_one_pseudo_haplotype(self):
        symbols, a = np.array([[1, 0, 0, 1, 2]], dtype=np.int8), independent.PSEUDOCOUNT
        groups = sequences.Groups(["a", "b"], np.array([0, 0, 1, 1, 1]), np.zeros(1, int))
        pooled = (4 + a) / (10 + 2 * a)
        expected = [[(1 + pooled) / 5, (3 + pooled) / 7]]
        assert independent.frequencies(symbols, groups, 3) == pytest.approx(np.array(expected))


class TestSymbolProbabilities:
    def test_dosages_are_in_hardy_weinberg_proportions(self):
        symbols = np.array([[0, 1, 2, 1]], dtype=np.int8)
        groups = sequences.Groups(["all"], np.zeros(4, int), np.zeros(1, int))
        assert independent.symbol_probabilities(symbols, groups, 3)[0, 0] == pytest.approx([0.25, 0.5, 0.25])


class TestFit:
    def test_nothing_is_chosen(self, store):
        given = store, TRAIN, LABEL, np.array([50]), np.array(["a"])
        assert Independent.fit(training_data(*given), {"pooled": True}, seed=1).chosen == {}


class TestSample:
    def test_frequencies_of_the_label(self, store):
        wanted = np.repeat(["b", "a"], 500)
        drawn = drawn_of(store, TRAIN, LABEL, wanted, seed=1)
        real = store.calls(0, len(store))
        assert drawn.shape == (len(store), 1000, 2) and drawn.dtype == np.int8
        for value in "ab":
            expected = real[:, :50][:, value == LABEL].mean(axis=(1, 2))
            assert np.abs(drawn[:, wanted == value].mean(axis=(1, 2)) - expected).max() < 0.08

    def test_pooled(self, store):
        drawn = drawn_of(store, TRAIN, LABEL, np.full(1000, "a"), seed=1, pooled=True)
        expected = store.calls(0, len(store))[:, :50].mean(axis=(1, 2))
        assert np.abs(drawn.mean(axis=(1, 2)) - expected).max() < 0.06

    def test_alleles_of_a_sample_are_independent(self, store):
        drawn = drawn_of(store, TRAIN, LABEL, np.full(2000, "a"), seed=1)
        assert abs(np.corrcoef(drawn[10, :, 0], drawn[10, :, 1])[0, 1]) < 0.08
        assert abs(np.corrcoef(drawn[10, :, 0], drawn[11, :, 0])[0, 1]) < 0.08

    def test_where_nobody_varies_hardly_anybody_does(self, tmp_path):
        store = store_of(tmp_path / "s", np.zeros((2000, 20, 2), dtype=np.int8))
        drawn = drawn_of(store, np.arange(20), np.full(20, "a"), np.full(20, "a"), seed=1)
        assert drawn.any(axis=(1, 2)).mean() < 0.03

    def test_seed(self, store):
        one, again, other = (drawn_of(store, TRAIN, LABEL, LABEL, seed=seed) for seed in (1, 1, 2))
        assert (one == again).all() and not (one == other).all()

    def test_unknown_label(self, store):
        with pytest.raises(ValueError, match="label z"):
            drawn_of(store, TRAIN, LABEL, np.array(["a", "z"]))


class TestLogProb:
    @pytest.mark.parametrize("pooled", [False, True])
    def test_by_hand(self, tmp_path, pooled):
        calls = np.zeros((1, 4, 2), dtype=np.int8)
        calls[0, 0, 0] = calls[0, 3, 1] = 1  # of the training samples 0-1 (a) and 2 (b), one allele in six
        store, a = store_of(tmp_path / "s", calls), independent.PSEUDOCOUNT
        everybody = (1 + a) / (6 + 2 * a)
        alt = everybody if pooled else everybody / 3  # of b: none in two, and a pseudo-haplotype
        rows, label = np.arange(3), np.array(["a", "a", "b"])
        nats = nats_of(store, rows, label, np.array([3]), np.array(["b"]), pooled=pooled)
        assert nats == pytest.approx([-np.log(1 - alt), -np.log(alt)])

    def test_unphased_samples_have_one_each(self, tmp_path):
        calls = np.array([[[0, 1], [0, 1], [0, 0]]], dtype=np.int8)
        store = store_of(tmp_path / "s", calls, phased=False)
        nats = nats_of(store, np.arange(2), np.array(["a", "a"]), np.array([2]), np.array(["a"]))
        assert nats == pytest.approx([-np.log(0.25)])

    def test_finite_even_for_what_nobody_carried(self, store):
        nats = nats_of(store, TRAIN, LABEL, np.arange(50, 60), np.full(10, "a"))
        assert nats.shape == (20,) and np.isfinite(nats).all()
