import allel
import numpy as np
import pandas as pd
import pytest

from syngeno.data.store import StoreWriter, open_store
from syngeno.errors import BadInput
from syngeno.prepare.ld_pruning import join, keep_unlinked


def linked(variants, people, seed=1, switch=0.15):
    """Calls (V, samples, 2) where neighbours are in LD: alleles follow the site before, with switches."""
    rng = np.random.default_rng(seed)
    calls = np.empty((variants, people, 2), np.int8)
    calls[0] = rng.random((people, 2)) < 0.4
    for site in range(1, variants):
        fresh = (rng.random((people, 2)) < 0.4).astype(np.int8)
        calls[site] = np.where(rng.random((people, 2)) < switch, fresh, calls[site - 1])
    return calls


def store_of(path, contig, calls, phased=True, lengths=None):
    n = len(calls)
    samples = [f"p{i}" for i in range(calls.shape[1])]
    with StoreWriter(path, samples, lengths or {contig: 9999}, phased=phased) as writer:
        ids = np.array([f"{contig}:{i}" for i in range(n)])
        writer.append(np.arange(1, n + 1), ids, np.full(n, "A"), np.full(n, "C"), calls, contig=contig)
    return open_store(path)


class TestKeepUnlinked:
    def test_the_first_of_two_linked_stays(self):
        a, b = [0, 1, 2, 0, 1, 2, 0, 0], [0, 2, 1, 1, 0, 0, 0, 2]
        keep = keep_unlinked(np.array([a, a, b, a, b], np.int8), window=5, step=1, r2=0.5)
        assert keep.tolist() == [True, False, True, False, False]

    def test_only_within_the_window(self):
        a, b = [0, 1, 2, 0, 1, 2, 0, 0], [0, 2, 1, 1, 0, 0, 0, 2]
        keep = keep_unlinked(np.array([a, b, a], np.int8), window=2, step=1, r2=0.5)
        assert keep.tolist() == [True, True, True]

    def test_monomorphic_sites_stay(self):
        assert keep_unlinked(np.zeros((3, 5), np.int8), 3, 1, 0.2).all()

    def test_off(self):
        assert keep_unlinked(np.zeros((3, 5), np.int8), 3, 1, None).tolist() == [True] * 3

    def test_no_variants(self):
        assert keep_unlinked(np.zeros((0, 5), np.int8), 3, 1, 0.2).tolist() == []

    def test_pieces_do_not_show_and_the_store_serves(self, tmp_path):
        calls = linked(2600, 40)
        store = store_of(tmp_path / "s", "1", calls)
        train = np.arange(40) < 30
        dosages = calls[:, train].sum(axis=2, dtype=np.int8)
        whole = allel.locate_unlinked(dosages, 30, 7, 0.3, blen=10_000)
        keep = keep_unlinked(store.dosage_rows(train), 30, 7, 0.3)
        assert (keep == whole).all()
        assert 100 < keep.sum() < 1500

    @pytest.mark.parametrize(("window", "step"), [(50, 5), (7, 7), (20, 30), (500, 100), (2, 1)])
    def test_as_scikit_allel_says(self, window, step):
        dosages = linked(400, 60, switch=0.3).sum(axis=2, dtype=np.int8)
        dosages[::40] = 1
        with np.errstate(invalid="ignore"):
            expected = allel.locate_unlinked(dosages, window, step, 0.2, blen=10_000)
        assert (keep_unlinked(dosages, window, step, 0.2) == expected).all()
        assert 10 < expected.sum() < 390

    @pytest.mark.parametrize("people", [60, 67, 200, 2504])  # of some, correlations of 1 are rounded up
    def test_at_a_threshold_of_1_all_stay(self, people):
        dosages = np.tile(linked(1, people).sum(axis=2, dtype=np.int8), (5, 1))
        assert keep_unlinked(dosages, 5, 1, 1.0).all()

    def test_what_is_planted_in_a_test_person_changes_nothing(self, tmp_path):
        calls = linked(200, 40)
        planted = calls.copy()
        planted[::2, 35], planted[1::2, 35] = 1, 0
        train = np.arange(40) < 30
        masks = []
        for name, data in (("as_is", calls), ("planted", planted)):
            store = store_of(tmp_path / name, "1", data)
            masks.append(keep_unlinked(store.dosage_rows(train), 20, 5, 0.2))
        assert (masks[0] == masks[1]).all()


class TestJoin:
    def test_contigs_one_after_the_other_with_blocks(self, tmp_path):
        a, b = linked(1200, 4, seed=1), linked(30, 4, seed=2)
        lengths = {"1": 2000, "2": 500}
        stores = [store_of(tmp_path / c, c, x, lengths=lengths) for c, x in (("1", a), ("2", b))]
        keep = [np.arange(1200) % 3 == 0, np.arange(30) < 5]
        genes = pd.DataFrame([["2", 1, 3, "G"]], columns=["contig", "start", "end", "name"])
        total = join(stores, keep, tmp_path / "j", genes=genes, window=50, counts={})
        store = open_store(tmp_path / "j")
        assert total == len(store) == 405
        assert store.contig.tolist() == ["1"] * 400 + ["2"] * 5
        assert store.position[400:].tolist() == [1, 2, 3, 4, 5]
        assert (store.calls(0, 405) == np.concatenate([a[keep[0]], b[keep[1]]])).all()
        assert np.bincount(store.block).tolist() == [50] * 8 + [1, 2, 2]
        assert store.block_names[8:] == ["2:1-1", "G", "2:4-5"]
        assert store.contig_lengths == lengths
        assert store.phased

    def test_unphased_where_one_is(self, tmp_path):
        stores = [store_of(tmp_path / c, c, linked(5, 4), phased=c == "1") for c in "12"]
        join(stores, [np.ones(5, bool)] * 2, tmp_path / "j", genes=None, window=5, counts={})
        assert not open_store(tmp_path / "j").phased

    def test_other_samples(self, tmp_path):
        stores = [store_of(tmp_path / str(people), "1", linked(5, people)) for people in (4, 6)]
        with pytest.raises(BadInput, match=f"{tmp_path}/6: holds other samples than {tmp_path}/4"):
            join(stores, [np.ones(5, bool)] * 2, tmp_path / "j", genes=None, window=5, counts={})

    def test_a_contig_without_variants(self, tmp_path):
        stores = [
            store_of(tmp_path / "1", "1", linked(5, 4)[:0]),
            store_of(tmp_path / "2", "2", linked(5, 4)),
        ]
        keep = [np.ones(0, bool), np.ones(5, bool)]
        assert join(stores, keep, tmp_path / "j", genes=None, window=5, counts={}) == 5

    def test_nothing_left(self, tmp_path):
        stores = [store_of(tmp_path / "1", "1", linked(5, 4)[:0])]
        with pytest.raises(BadInput, match="`maf` took 5"):
            counts = {"read": 5, "maf": 5}
            join(stores, [np.ones(0, bool)], tmp_path / "j", genes=None, window=5, counts=counts)
        assert not (tmp_path / "j").exists()
