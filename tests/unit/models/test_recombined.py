import numpy as np
import pytest
from scipy import stats
from stores import store_of, training_data

from syngeno.models.recombined import Recombined

VARIANTS = 3000
TRAINING = 8  # samples, each allele of whose haplotypes tells which haplotype it is


@pytest.fixture(scope="module")
def store(tmp_path_factory):
    """Two chromosomes: at variant v of a block of four, haplotype h has bit v of h; two more samples carry ones."""
    haplotype = np.arange(2 * TRAINING)
    bits = haplotype[None, :] >> (np.arange(VARIANTS) % 4)[:, None] & 1
    calls = np.concatenate([bits.reshape(VARIANTS, TRAINING, 2), np.ones((VARIANTS, 2, 2), int)], axis=1)
    contigs = ["1"] * 2000 + ["2"] * 1000
    return store_of(tmp_path_factory.mktemp("recombined") / "s.zarr.zip", calls.astype(np.int8), contigs=contigs)


LABEL = np.array(["a"] * 4 + ["b"] * 4)


def drawn_of(store, label, generations, place, seed=1, pooled=False, shard=0):
    data = training_data(store, np.arange(TRAINING), LABEL, centimorgans=place)
    model = Recombined(data, {"generations": generations, "pooled": pooled}, {})
    calls = np.concatenate(list(model.sample(np.array(label), seed=seed, shard=shard).calls))
    return calls.reshape(VARIANTS, -1)


def in_blocks(place):
    """The place of the first of four variants for all of them, so that a block is copied from one haplotype."""
    return np.repeat(place[::4], 4)


def templates_of(drawn):
    """Which training haplotype each block of four variants was copied from, (blocks, haplotypes)."""
    bits = drawn.reshape(-1, 4, drawn.shape[1])
    return (bits << np.arange(4)[None, :, None]).sum(axis=1)


def places(centimorgans):
    """Evenly spaced, the same on both chromosomes."""
    return in_blocks(np.concatenate([np.linspace(0, centimorgans, 2000), np.linspace(0, centimorgans, 1000)]))


class TestSample:
    def test_without_recombination_chromosomes_are_copied_whole(self, store):
        template = templates_of(drawn_of(store, ["a", "b"] * 50, generations=0, place=places(100.0)))
        for chromosome in (template[:500], template[500:]):
            assert (chromosome == chromosome[0]).all()
        assert (template[0] != template[500]).any()  # chromosomes are inherited apart

    @pytest.mark.parametrize("generations", [4, 16])
    def test_pieces_are_exponential_with_a_mean_of_100_centimorgans_over_the_generations(self, store, generations):
        """Of 16 templates one is chosen anew, so that 15 of 16 crossovers show; places are uneven, as on a map."""
        uneven = in_blocks(np.r_[np.linspace(0, 1, 2000) ** 2, np.linspace(0, 1, 1000)] * 100.0)
        drawn = drawn_of(store, ["a"] * 400, generations, uneven, pooled=True)
        template, place = templates_of(drawn)[:500], uneven[:2000:4]
        seen = [place[1:][np.diff(haplotype) != 0] for haplotype in template.T]
        rate = generations * 15 / 16 / 100
        assert np.mean([len(each) for each in seen]) == pytest.approx(rate * 100, rel=0.05)
        first = [each[0] for each in seen if len(each) and each[0] < 50]
        known = stats.truncexpon(50 * rate, scale=1 / rate)  # crossovers are seen a block late: .2 cM at the most
        assert stats.kstest(first, known.cdf).statistic < 1.63 / np.sqrt(len(first)) + 0.02

    def test_pieces_are_of_the_own_label_each_haplotype_alike(self, store):
        label = np.repeat(["a", "b"], 200)
        template = templates_of(drawn_of(store, label, generations=50, place=places(100.0)))
        of_a = np.repeat(label == "a", 2)
        for part, own in ((template[:, of_a], np.arange(8)), (template[:, ~of_a], np.arange(8, 16))):
            share = np.bincount(part.ravel(), minlength=16) / part.size
            assert share[own] == pytest.approx(np.full(8, 1 / 8), abs=0.01)
            assert share.sum() == pytest.approx(share[own].sum())

    def test_pooled_templates_are_of_any_label(self, store):
        template = templates_of(drawn_of(store, ["a"] * 100, generations=50, place=places(100.0), pooled=True))
        assert set(np.unique(template).tolist()) == set(range(16))

    def test_a_dosage_sequence_is_copied_from_samples(self, tmp_path):
        calls = np.random.default_rng(1).integers(0, 2, (200, 5, 2)).astype(np.int8)
        store = store_of(tmp_path / "s", calls, phased=False)
        data = training_data(store, np.arange(3), ["a", "a", "b"], centimorgans=np.linspace(0, 100, 200))
        model = Recombined(data, {"generations": 5, "pooled": False}, {})
        drawn = model.sample(np.array(["b", "a"]), seed=1)
        dosage, real = np.concatenate(list(drawn.calls)).sum(axis=2), calls.sum(axis=2)
        assert not drawn.phased
        assert (dosage[:, 0] == real[:, 2]).all()
        assert (np.minimum(*(dosage[:, 1] != real[:, sample] for sample in (0, 1))) == 0).all()

    def test_chunks_do_not_matter(self, store, monkeypatch):
        once = drawn_of(store, ["a", "b"] * 5, 20, places(100.0))
        monkeypatch.setattr("syngeno.data.store.CHUNK", 77)
        assert (drawn_of(store, ["a", "b"] * 5, 20, places(100.0)) == once).all()
