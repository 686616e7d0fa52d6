import numpy as np
import pytest
from stores import store_of, training_data

from syngeno.models import coalescent
from syngeno.models.coalescent import Coalescent

CONTIGS = ["1"] * 150 + ["2"] * 50
PLACE = np.r_[np.linspace(0, 6, 150), np.linspace(0, 2, 50)]  # centimorgans
SETTINGS = {"population_size": 300, "maf": 0.05}


def model_on(path, calls=None, phased=True, place=PLACE, contigs=CONTIGS, seed=1, **settings):
    """Fitted on six training samples of two labels, all of whose alleles are 0 unless `calls` says otherwise."""
    calls = np.zeros((len(place), 6, 2), dtype=np.int8) if calls is None else calls
    store = store_of(path, calls, phased, contigs)
    data = training_data(store, np.arange(6), ["a", "b"] * 3, centimorgans=place)
    return Coalescent.fit(data, SETTINGS | settings, seed=seed)


def drawn(model, label, seed=1, shard=0):
    return np.concatenate(list(model.sample(np.array(label), seed=seed, shard=shard).calls))


def squared_correlations(haplotypes):
    """r2 of each pair of the variants that vary, and the variants."""
    vary = np.flatnonzero(haplotypes.std(axis=1) > 0)
    return np.corrcoef(haplotypes[vary]) ** 2, vary


@pytest.fixture(scope="module")
def model(tmp_path_factory):
    return model_on(tmp_path_factory.mktemp("coalescent") / "s.zarr.zip")


@pytest.fixture(scope="module")
def calls(model):
    """Of 400 samples."""
    return drawn(model, ["a", "b"] * 200)


class TestSample:
    def test_neither_genotypes_nor_labels_are_looked_at(self, tmp_path, calls):
        real = np.random.default_rng(1).integers(0, 2, (200, 6, 2)).astype(np.int8)
        other = drawn(model_on(tmp_path / "other", real), ["b"] * 400)
        assert (other == calls).all()

    def test_a_fit_with_another_seed_is_another_population(self, tmp_path, calls):
        other = drawn(model_on(tmp_path / "other", seed=2), ["a"] * 400)
        assert abs(np.corrcoef(other.mean(axis=(1, 2)), calls.mean(axis=(1, 2)))[0, 1]) < 0.5

    def test_shards_are_other_samples_of_the_same_population(self, model, calls):
        other = drawn(model, ["a"] * 400, shard=1)
        assert (other != calls).any(axis=0).all()
        assert np.abs(other.mean(axis=(1, 2)) - calls.mean(axis=(1, 2))).max() < 0.1  # of 800 gametes each

    def test_two_samples_of_different_shards_are_as_related_as_two_of_one(self, model, calls):
        first, second = calls.reshape(200, -1), drawn(model, ["a"] * 400, shard=1).reshape(200, -1)
        within = np.mean([(first[:, :-k] != first[:, k:]).mean() for k in (1, 5, 9)])
        between = np.mean([(first[:, :-k] != second[:, k:]).mean() for k in (1, 5, 9)])
        assert between == pytest.approx(within, rel=0.03)

    def test_linkage_decays_with_distance_and_there_is_none_between_chromosomes(self, calls):
        r2, vary = squared_correlations(calls.reshape(200, -1))
        apart, same = np.abs(PLACE[vary][:, None] - PLACE[vary]), (vary[:, None] < 150) == (vary < 150)
        found = [r2[same & (apart > low) & (apart <= high)].mean() for low, high in ((0, 0.1), (0.4, 0.6), (4, 5))]
        rho = 4 * 300 * np.array([0.05, 0.5, 4.5]) / 100
        expected = (10 + rho) / (22 + 13 * rho + rho**2)  # Ohta & Kimura 1971: .35, .12, .02
        assert np.abs(found - expected).max() < 0.12
        assert found[0] > 1.5 * found[1] > 3 * found[2]
        assert r2[~same].mean() == pytest.approx(1 / 800, abs=2 / 800)

    def test_chunks_do_not_matter(self, model, calls, monkeypatch):
        monkeypatch.setattr(coalescent, "CHUNK", 33)
        parts = list(model.sample(np.array(["a", "b"] * 200), seed=1).calls)
        assert len(parts) == 7 and (np.concatenate(parts) == calls).all()

    def test_dosages_of_an_unphased_cohort_are_in_hardy_weinberg_proportions(self, tmp_path, calls):
        model = model_on(tmp_path / "unphased", phased=False)
        sample = model.sample(np.array(["a"] * 400), seed=1)
        dosage = np.concatenate(list(sample.calls)).sum(axis=2)
        assert not sample.phased
        # The same gametes, of which a sample has two.
        assert (dosage == calls.sum(axis=2)).all()
        f = dosage.mean(axis=1) / 2
        assert (dosage == 1).mean() == pytest.approx((2 * f * (1 - f)).mean(), abs=0.01)

    def test_variants_are_as_frequent_as_asked(self, model):
        minor = np.array([min(carried.mean(), 1 - carried.mean()) for carried in model.population()])
        assert len(minor) == 200 and minor.min() >= 0.05

    def test_a_chromosome_with_a_single_variant(self, tmp_path):
        model = model_on(tmp_path / "s", place=np.array([0.0, 1.0, 7.0]), contigs=["1", "1", "2"])
        assert drawn(model, ["a"] * 50).shape == (3, 50, 2)


class TestMutation:
    def test_without_a_threshold_the_spectrum_is_the_neutral_one(self, tmp_path):
        """Of 20 haplotypes i carry a mutation with probability 1 / i over the sum of all (Fu 1995)."""
        place = np.tile(np.arange(50) * 25.0, 50)  # 4 N c = 10 between two, so that trees are nearly independent
        contigs = np.repeat(np.arange(1, 51), 50).astype(str).tolist()
        model = model_on(tmp_path / "s", place=place, contigs=contigs, population_size=10, maf=0)
        count = np.array([carried.sum() for carried in model.population()])
        expected = 1 / np.arange(1, 20) / np.sum(1 / np.arange(1, 20))
        found = np.bincount(count, minlength=20)[1:] / len(count)
        assert found == pytest.approx(expected, abs=0.04)

    def test_where_no_branch_is_frequent_enough_the_most_frequent_is_taken(self):
        trees = coalescent.ancestry(np.array([1, 2]), np.zeros(2), 3, seed=1)
        tree, time = trees.first(), trees.nodes_time
        counts = [tree.num_samples(node) for node in tree.nodes() if node != tree.root]
        carried = coalescent.mutation(tree, time, 0.51, np.random.default_rng(1))
        assert min(carried.sum(), 6 - carried.sum()) == max(min(count, 6 - count) for count in counts)

    def test_those_below_a_branch_carry_it(self):
        trees = coalescent.ancestry(np.array([5, 9]), np.array([1.0, 1.5]), 4, seed=3)
        tree, time = trees.first(), trees.nodes_time
        below = {tuple(sorted(tree.samples(node))) for node in tree.nodes() if node != tree.root}
        rng = np.random.default_rng(2)
        found = {tuple(np.flatnonzero(coalescent.mutation(tree, time, 0, rng)).tolist()) for _ in range(500)}
        assert found <= below and len(found) > len(below) / 2


class TestAncestry:
    def test_crossovers_fall_by_the_map(self):
        """Where the map is flat there is one tree, and elsewhere there are many."""
        trees = coalescent.ancestry(np.array([10, 1010, 2010]), np.array([0.0, 0.0, 5.0]), 50, seed=1)
        breakpoints = trees.breakpoints(as_array=True)
        assert trees.num_samples == 100 and trees.sequence_length == 2001
        assert breakpoints[1] >= 1000 and len(breakpoints) > 20
