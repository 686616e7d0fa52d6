import numpy as np
import pytest

from syngeno.data import sequences, store
from syngeno.data.store import StoreWriter, open_store
from syngeno.errors import BadInput

CALLS = np.array([[[0, 1], [1, 1]], [[0, 0], [1, 0]], [[1, 0], [0, 0]]], dtype=np.int8)  # 3 variants, 2 samples


def store_of(path, calls, phased):
    n = len(calls)
    with StoreWriter(path, [f"p{i}" for i in range(calls.shape[1])], {"1": 0, "2": 0}, phased=phased) as writer:
        for contig, part in (("1", slice(0, n - 1)), ("2", slice(n - 1, n))):
            m = len(calls[part])
            fields = np.arange(m) + 1, np.full(m, "."), np.full(m, "A"), np.full(m, "C")
            writer.append(*fields, calls[part], contig=contig)
    return open_store(path)


@pytest.fixture
def phased(tmp_path):
    return store_of(tmp_path / "phased", CALLS, True)


@pytest.fixture
def unphased(tmp_path):
    return store_of(tmp_path / "unphased", CALLS, False)


class TestChunks:
    def test_haplotypes_of_a_sample_stand_side_by_side(self, phased):
        (symbols,) = sequences.chunks(phased, np.array([1, 0]))
        assert symbols.tolist() == [[1, 1, 0, 1], [1, 0, 0, 0], [0, 0, 1, 0]]
        assert (sequences.alphabet(phased), sequences.per_sample(phased)) == (2, 2)

    def test_dosages_where_unphased(self, unphased):
        (symbols,) = sequences.chunks(unphased, np.array([0, 1]))
        assert symbols.tolist() == [[1, 2], [0, 1], [1, 0]] and symbols.dtype == np.int8
        assert (sequences.alphabet(unphased), sequences.per_sample(unphased)) == (3, 1)

    def test_missing_calls_are_refused(self, tmp_path):
        store = store_of(tmp_path / "s", np.where(CALLS == 1, -1, CALLS), True)
        with pytest.raises(BadInput, match="missing calls"):
            list(sequences.chunks(store, np.array([0])))


class TestAsCalls:
    def test_back_to_what_was_read(self, phased):
        (symbols,) = sequences.chunks(phased, np.array([0, 1]))
        assert (sequences.as_calls(phased, symbols) == CALLS).all()

    def test_dosages_keep_their_sum(self, unphased):
        (symbols,) = sequences.chunks(unphased, np.array([0, 1]))
        calls = sequences.as_calls(unphased, symbols)
        assert calls.dtype == np.int8 and (calls.sum(axis=2) == CALLS.sum(axis=2)).all()


class TestGrouped:
    def test_by_label(self, phased):
        groups = sequences.grouped(phased, np.array(["b", "a", "b"]), np.array(["a", "b"]), pooled=False)
        assert groups.names == ["a", "b"]
        assert groups.source.tolist() == [1, 1, 0, 0, 1, 1] and groups.asked.tolist() == [0, 0, 1, 1]
        assert groups.sizes.tolist() == [2, 4]

    def test_pooled_asks_for_no_label(self, unphased):
        groups = sequences.grouped(unphased, np.array(["b", "a"]), np.array(["z"]), pooled=True)
        assert groups.source.tolist() == [0, 0] and groups.asked.tolist() == [0] and groups.sizes.tolist() == [2]

    def test_label_that_no_training_sample_has(self, phased):
        with pytest.raises(ValueError, match="the label z"):
            sequences.grouped(phased, np.array(["a"]), np.array(["a", "z"]), pooled=False)


class TestStarts:
    def test_first_variant_of_each_chromosome(self, phased):
        assert sequences.starts(phased).tolist() == [True, False, True]


class TestDrawSymbols:
    def test_as_often_as_they_are_probable(self):
        rng = np.random.default_rng(1)
        drawn = sequences.draw_symbols(rng, np.tile([0.2, 0.5, 0.3], (20_000, 1)))
        assert np.bincount(drawn) / 20_000 == pytest.approx([0.2, 0.5, 0.3], abs=0.012)

    def test_the_impossible_is_never_drawn(self):
        rng = np.random.default_rng(1)
        probability = np.tile([[0.0, 1.0, 0.0], [1.0, 0.0, 0.0], [0.0, 0.0, 1.0]], (500, 1))
        assert (sequences.draw_symbols(rng, probability) == np.tile([1, 0, 2], 500)).all()


class TestViewed:
    def test_an_unphased_store_has_no_haplotypes(self, tmp_path):
        store = store_of(tmp_path / "one.zarr.zip", CALLS, phased=False)
        with pytest.raises(
            BadInput, match=r"is not phased \(.*, and has no haplotypes; give the generator space: genotype"
        ):
            sequences.viewed(store, "haplotype")
        assert not sequences.viewed(store, "genotype").phased
        assert not sequences.viewed(store, "auto").phased

    def test_leaves_the_store_as_it_is(self, tmp_path):
        store = store_of(tmp_path / "one.zarr.zip", CALLS, phased=True)
        assert not sequences.viewed(store, "genotype").phased
        assert store.phased
        assert sequences.viewed(store, "auto").phased


class TestAt:
    def test_the_symbols_at_some_variants(self, tmp_path, monkeypatch):
        monkeypatch.setattr(store, "CHUNK", 2)
        opened = store_of(tmp_path / "one.zarr.zip", CALLS, phased=True)
        found = sequences.at(opened, np.array([1, 0]), np.array([0, 2]))
        assert found.tolist() == [[1, 1, 0, 1], [0, 0, 1, 0]]


class TestThinned:
    def test_evenly_and_at_most_so_many(self):
        assert sequences.thinned(5, 10).tolist() == [0, 1, 2, 3, 4]
        assert sequences.thinned(101, 5).tolist() == [0, 25, 50, 75, 100]


class TestStretches:
    @pytest.fixture
    def long(self, tmp_path):
        return store_of(tmp_path / "long", np.zeros((40, 1, 2), np.int8), True)  # the last variant is on "2"

    def test_evenly_along_the_store(self, long):
        assert sequences.stretches(long, 12, 6) == [slice(7, 13), slice(27, 33)]

    def test_those_that_touch_are_one(self, long):
        assert sequences.stretches(long, 39, 13) == [slice(0, 39)]

    def test_no_stretch_goes_beyond_a_chromosome(self, long):
        assert sequences.stretches(long, 38, 38) == [slice(1, 39)]
        assert sequences.stretches(long, 39, 39) == [slice(0, 39)]

    def test_all_where_there_are_no_more(self, long):
        assert sequences.stretches(long, 40, 6) == sequences.stretches(long, 100, 6) == sequences.chromosomes(long)
