"""What is written of real samples is what is read."""

from dataclasses import dataclass

import numpy as np
import pytest

from syngeno.errors import BadInput
from syngeno.evaluate import references


@dataclass(frozen=True, eq=False)
class Numbers:
    plain: np.ndarray
    by_label: dict[str, np.ndarray]
    maybe: np.ndarray | None


@dataclass(frozen=True, eq=False)
class Others:
    something: np.ndarray


class TestSaveAndLoad:
    def test_round_trip(self, tmp_path):
        labels = {"A/B": np.arange(3), "Zürich: 1-10kb": np.ones((2, 2), bool), "x.npy": np.zeros(0, np.float32)}
        references.save(Numbers(np.eye(2), labels, np.array([1])), tmp_path / "r.npz")
        found = references.load(Numbers, tmp_path / "r.npz")
        assert np.array_equal(found.plain, np.eye(2))
        assert list(found.by_label) == list(labels)
        for name, values in labels.items():
            assert found.by_label[name].dtype == values.dtype
            assert np.array_equal(found.by_label[name], values)
        assert [path.name for path in tmp_path.iterdir()] == ["r.npz"]

    def test_nothing_stays_nothing(self, tmp_path):
        references.save(Numbers(np.eye(2), {}, None), tmp_path / "r.npz")
        found = references.load(Numbers, tmp_path / "r.npz")
        assert found.by_label == {}
        assert found.maybe is None

    def test_refuses_another_file(self, tmp_path):
        references.save(Others(np.eye(2)), tmp_path / "r.npz")
        with pytest.raises(BadInput, match="something other"):
            references.load(Numbers, tmp_path / "r.npz")
        (tmp_path / "r.npz").write_bytes(b"text")
        with pytest.raises(BadInput, match="no reference"):
            references.load(Numbers, tmp_path / "r.npz")
        with pytest.raises(BadInput, match="no reference"):
            references.load(Numbers, tmp_path / "absent.npz")
