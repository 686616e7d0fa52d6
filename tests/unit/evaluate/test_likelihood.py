"""Likelihood rows: means, intervals, labels."""

import numpy as np
import pytest

from syngeno.evaluate import metrics


class TestRows:
    def test_mean_and_interval_of_all_and_by_label(self):
        rows = metrics.likelihood_rows(np.array([11.0, 13.0, 20.0, 20.0]), np.array(["a", "b"]))
        assert [(row["group"], row["value"], row["n"]) for row in rows] == [("all", 16, 2), ("a", 12, 1), ("b", 20, 1)]
        assert {(row["metric"], row["against"]) for row in rows} == {("heldout_nats", "test")}
        # People have 12 and 20 on average: a standard error of 4.
        assert (rows[0]["low"], rows[0]["high"]) == pytest.approx((16 - 1.959964 * 4, 16 + 1.959964 * 4))

    def test_no_interval_is_below_what_can_be(self):
        low, high = (
            metrics.likelihood_rows(np.array([1.0, 1.0, 9.0, 9.0]), np.array(["a", "a"]))[0][end]
            for end in ("low", "high")
        )
        assert (low, high) == pytest.approx((0, 5 + 1.959964 * 4))

    def test_one_sequence_has_no_interval(self):
        assert np.isnan(metrics.likelihood_rows(np.array([1.0]), np.array(["a"]))[0]["low"])

    def test_labels_must_fit(self):
        with pytest.raises(ValueError, match="3 likelihoods"):
            metrics.likelihood_rows(np.ones(3), np.array(["a", "b"]))
