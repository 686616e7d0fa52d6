import numpy as np
import pytest

from syngeno.data.store import CHUNK, StoreWriter, open_store
from syngeno.models.controls import copies, copycat

LABEL = np.array([0] * 30 + [1] * 20)
TRAIN = np.arange(60) < 50


@pytest.fixture(scope="module")
def store(tmp_path_factory):
    """60 people, the first 50 of them training people in two populations of different frequencies."""
    rng = np.random.default_rng(0)
    n = CHUNK + 200
    frequency = np.where(np.arange(60) < 30, rng.uniform(0, 1, (n, 1)), rng.uniform(0, 1, (n, 1)))
    calls = (rng.random((n, 60, 2)) < frequency[..., None]).astype(np.int8)
    calls[:, 50:] = 1
    calls[5, :50] = 0
    path = tmp_path_factory.mktemp("controls") / "s.zarr.zip"
    with StoreWriter(path, [f"p{i}" for i in range(60)], {"1": n}) as writer:
        writer.append(np.arange(n), np.full(n, "."), np.full(n, "A"), np.full(n, "C"), calls)
    return open_store(path)


def people_of(chunks):
    return np.concatenate(list(chunks))


class TestCopycat:
    def test_verbatim_with_phase(self, store):
        drawn = people_of(copycat(store, TRAIN, LABEL, LABEL[::-1], seed=1))
        real = store.calls(0, len(store))[:, :50]
        of = [int(np.flatnonzero((real == drawn[:, [i]]).all(axis=(0, 2)))[0]) for i in range(50)]
        assert sorted(of) == list(range(50))
        assert (LABEL[of] == LABEL[::-1]).all()

    def test_indices_serve_as_well_as_a_mask(self, store):
        by_index = people_of(copycat(store, np.flatnonzero(TRAIN), LABEL, LABEL, seed=1))
        assert (by_index == people_of(copycat(store, TRAIN, LABEL, LABEL, seed=1))).all()

    def test_unknown_label(self, store):
        with pytest.raises(ValueError, match="label 7"):
            list(copycat(store, TRAIN, LABEL, np.array([0, 7]), seed=1))
        with pytest.raises(ValueError, match="labels of shape"):
            list(copycat(store, TRAIN, LABEL[:3], np.array([0]), seed=1))


class TestCopies:
    def test_without_replacement(self):
        chosen = copies(LABEL, np.array([0] * 10 + [1] * 20), seed=1)
        assert len(set(chosen)) == 30
        assert (LABEL[chosen] == [0] * 10 + [1] * 20).all()

    def test_more_than_there_are(self):
        chosen = copies(LABEL, np.full(47, 1), seed=1)
        times = np.bincount(chosen, minlength=50)[30:]
        assert sorted(times) == [2] * 13 + [3] * 7

    def test_seed(self):
        assert (copies(LABEL, LABEL, 1) == copies(LABEL, LABEL, 1)).all()
        assert not (copies(LABEL, LABEL, 1) == copies(LABEL, LABEL, 2)).all()
