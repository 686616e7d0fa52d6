"""The metrics table: its columns, the envelope beside it, means over seeds, the file."""

import numpy as np
import pandas as pd
import pytest
from judged import judged

from syngeno.errors import BadInput
from syngeno.evaluate import metrics


def table(values, seed=1, **subject):
    rows = [metrics.row(name, value, n=10, against="test") for name, value in values.items()]
    return metrics.table(rows, **{"generator": "g", "fraction": 100, "seed": seed} | subject)


class TestTable:
    def test_columns_and_kinds(self):
        rows = table({"accuracy": 0.5}, real_fraction=None)
        assert list(rows.columns) == metrics.COLUMNS
        one = rows.iloc[0]
        assert (one["seed"], one["protocol"], one["group"], one["n"]) == ("1", "ours", "all", 10)
        assert one["real_fraction"] is pd.NA
        assert np.isnan(one["real"])

    def test_empty(self):
        assert list(metrics.table([], generator="g", fraction=100, seed=1).columns) == metrics.COLUMNS


class TestOf:
    def test_chooses_by_metric_group_and_against(self):
        table = judged(generators=("diffusion",))
        assert set(metrics.of(table, "aa_truth")["against"]) == {"train", "test"}
        assert set(metrics.of(table, "aa_truth", "all", "train")["group"]) == {"all"}
        assert {"all", "encoder_space"} == set(metrics.of(table, "aa_truth", None, "test")["group"])


class TestWithEnvelope:
    def test_joins_by_number(self):
        envelope = pd.DataFrame(
            {
                "metric": ["accuracy", "accuracy"],
                "group": ["all", "YRI"],
                "against": ["test", "test"],
                "real": [0.9, 0.1],
                "real_low": [0.8, 0.0],
                "real_high": [1.0, 0.2],
                "n": [5, 5],
            }
        )
        joined = metrics.with_envelope(table({"accuracy": 0.5, "aa_syn": 0.4}), envelope)
        assert joined["real"].tolist()[0] == 0.9
        assert np.isnan(joined["real"].tolist()[1])
        assert joined["n"].tolist() == [10, 10]

    def test_refuses_a_number_twice(self):
        envelope = table({"accuracy": 1.0})
        with pytest.raises(ValueError, match="twice"):
            metrics.with_envelope(table({"accuracy": 0.5}), pd.concat([envelope, envelope]))


class TestWithRmseRatio:
    def test_is_the_error_over_that_of_real_people(self):
        rows = table({"allele_frequency_rmse": 0.03, "accuracy": 0.5}).assign(real=0.02, real_low=0.01, real_high=0.03)
        added = metrics.with_rmse_ratio(rows)
        assert len(added) == 3
        one = added.iloc[2]
        assert one["metric"] == "allele_frequency_rmse_ratio"
        assert (one["value"], one["real"], one["real_low"], one["real_high"]) == pytest.approx((1.5, 1, 0.5, 1.5))

    def test_nothing_without_an_envelope(self):
        assert len(metrics.with_rmse_ratio(table({"allele_frequency_rmse": 0.03}))) == 1


class TestOverSeeds:
    def test_mean_and_t_interval(self):
        rows = pd.concat([table({"accuracy": value}, seed) for seed, value in ((1, 0.4), (2, 0.5), (3, 0.6))])
        both = metrics.over_seeds(rows)
        summary = both[both["seed"] == "all"].iloc[0]
        assert summary["value"] == pytest.approx(0.5)
        assert summary["high"] - summary["value"] == pytest.approx(4.302653 * 0.1 / 3**0.5)  # t(.975, 2)
        assert summary["n"] == 3
        assert len(both) == 4
        assert metrics.over_seeds(both).equals(both)

    def test_one_seed_has_no_interval(self):
        rows = table({"accuracy": 0.4})
        assert metrics.over_seeds(rows).equals(rows)

    def test_two_seeds_keep_the_interval_over_samples_within_what_is_possible(self):
        """A rate of .405 and .631: over two seeds alone, -.916 to 1.95."""
        ends = {"low": [0.37, 0.6], "high": [0.44, 0.66]}
        rows = pd.concat([table({"accuracy": value}, seed) for seed, value in ((1, 0.405), (2, 0.631))])
        summary = metrics.over_seeds(rows.assign(**ends)).iloc[-1]
        assert (summary["seed"], summary["low"], summary["high"]) == ("all", 0, 1)
        close = metrics.over_seeds(rows.assign(value=[0.5, 0.51], low=[0.46, 0.47], high=[0.54, 0.55])).iloc[-1]
        assert close["high"] - close["low"] == pytest.approx(0.08, abs=0.003)

    def test_subjects_stay_apart(self):
        rows = pd.concat([table({"accuracy": 0.4}, seed, fraction=part) for part in (10, 100) for seed in (1, 2)])
        summary = metrics.over_seeds(rows).query("seed == 'all'")
        assert summary["fraction"].tolist() == [10, 100]


class TestFile:
    def test_round_trip(self, tmp_path):
        rows = table({"accuracy": 1 / 3}, real_fraction=20)
        rows.loc[0, "group"] = "NA"
        metrics.write(rows, tmp_path / "m.tsv")
        again = metrics.read(tmp_path / "m.tsv")
        assert again.dtypes.equals(rows.dtypes)
        assert again.loc[0, "group"] == "NA"
        assert again.loc[0, "value"] == 0.333333
        metrics.write(again, tmp_path / "again.tsv")
        assert (tmp_path / "m.tsv").read_bytes() == (tmp_path / "again.tsv").read_bytes()

    def test_foreign_file(self, tmp_path):
        (tmp_path / "m.tsv").write_text("a\tb\n1\t2\n")
        with pytest.raises(BadInput, match="columns"):
            metrics.read(tmp_path / "m.tsv")
        with pytest.raises(BadInput, match="cannot be read"):
            metrics.read(tmp_path / "absent.tsv")
