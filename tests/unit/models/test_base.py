import numpy as np
import pandas as pd
from stores import store_of

from syngeno.models.base import TrainingData


class TestTrainingData:
    def test_by_the_input_of_a_rule(self, tmp_path):
        store = store_of(tmp_path / "s.zarr.zip", np.zeros((2, 4, 2), np.int8))
        split = ["train", "test", "validation", "train"]
        table = pd.DataFrame({"split": split, "label": ["a", "b", "c", "d"]}, index=store.samples)
        table.to_csv(tmp_path / "samples.tsv", sep="\t", index_label="sample")
        table.iloc[[3]].to_csv(tmp_path / "training.tsv", sep="\t", index_label="sample")
        source = {name: str(tmp_path / f"{name}.tsv") for name in ("samples", "training")}
        data = TrainingData.of(store, source | {"encoder": "e.npz", "more": "m"}, needs=("encoder",))
        assert (data.rows.tolist(), data.label.tolist()) == ([3], ["d"])
        assert (data.validation_rows.tolist(), data.validation_label.tolist()) == ([2], ["c"])
        assert np.allclose(data.centimorgans, [1e-6, 2e-6])
        assert {name: path.name for name, path in data.files.items()} == {"encoder": "e.npz"}
