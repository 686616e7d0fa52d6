import numpy as np
import pytest
from stores import store_of

from syngeno.data import store as stores
from syngeno.stats import linkage
from syngeno.stats.linkage import joint_r2, neighbour_r2

LABEL = np.repeat(["A", "B"], 200)


def drawn(variants, seed=0, frequency=0.5):
    return (np.random.default_rng(seed).random((variants, 400, 2)) < frequency).astype(np.int8)


def r2(tmp_path, calls, **more):
    with store_of(tmp_path / "s.zarr.zip", calls, **more) as store:
        return neighbour_r2(store, np.arange(400), LABEL)


class TestNeighbourR2:
    def test_of_copies_and_of_strangers(self, tmp_path):
        assert r2(tmp_path, np.repeat(drawn(1), 5, axis=0)) == pytest.approx(1)
        assert r2(tmp_path, drawn(400)) == pytest.approx(0, abs=0.001)

    def test_differences_between_labels_are_no_linkage(self, tmp_path):
        calls = np.concatenate([drawn(300, 1, 0.1)[:, :200], drawn(300, 2, 0.9)[:, :200]], axis=1)
        assert r2(tmp_path, calls) == pytest.approx(0, abs=0.002)

    def test_by_hand(self, tmp_path):
        calls = drawn(2)
        a, b = calls.sum(axis=2).astype(float)
        for label in "AB":
            a[label == LABEL] -= a[label == LABEL].mean()
            b[label == LABEL] -= b[label == LABEL].mean()
        raw = (a @ b) ** 2 / (a @ a) / (b @ b)
        assert r2(tmp_path, calls) == pytest.approx(1 - (1 - raw) * 398 / 397, abs=1e-6)

    def test_rare_variants_and_other_chromosomes_are_not_compared(self, tmp_path):
        calls = np.repeat(drawn(1), 4, axis=0)
        calls[1] = drawn(1, 3, 0.01)
        assert r2(tmp_path, calls, contigs=["1", "1", "1", "2"]) == pytest.approx(1)
        assert np.isnan(r2(tmp_path, calls[:2], contigs=["1", "2"]))

    def test_chunks_do_not_matter_much_and_few_samples_tell_nothing(self, tmp_path, monkeypatch):
        calls = np.repeat(drawn(3), 2, axis=0)  # neighbours are copies and strangers in turn
        whole = r2(tmp_path, calls)
        monkeypatch.setattr(stores, "CHUNK", 2)
        monkeypatch.setattr(linkage, "CHUNK", 2)
        assert whole == pytest.approx(0.6, abs=0.01)
        assert r2(tmp_path, calls) == pytest.approx(1)
        with store_of(tmp_path / "s.zarr.zip", calls) as store:
            assert np.isnan(neighbour_r2(store, np.arange(3), np.array(["A", "A", "B"])[[0, 0, 2]]))

    @pytest.mark.parametrize(("r2", "word"), [(0.013, "unlinked"), (0.15, "linked"), (float("nan"), "")])
    def test_words(self, r2, word):
        assert linkage.linkage(r2) == word


class TestJointR2:
    def test_by_variants(self):
        assert joint_r2([0.1, 0.4, None], [200, 100, 5]) == pytest.approx(0.2)

    def test_nothing_to_tell(self):
        assert np.isnan(joint_r2([None, 0.3], [9, 0]))
