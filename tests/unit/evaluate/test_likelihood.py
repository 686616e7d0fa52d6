"""Likelihood rows: means, intervals, labels."""

import numpy as np
import pytest

from syngeno.evaluate import metrics


class TestRows:
    def test_mean_and_interval_of_all_and_by_label(self):
        rows = metrics.likelihood_rows(np.array([1.0, 3.0, 10.0, 10.0]), np.array(["a", "b"]))
        assert [(row["group"], row["value"], row["n"]) for row in rows] == [("all", 6, 2), ("a", 2, 1), ("b", 10, 1)]
        assert {(row["metric"], row["against"]) for row in rows} == {("heldout_nats", "test")}
        # People have 2 and 10 on average: a standard error of 4.
        assert (rows[0]["low"], rows[0]["high"]) == pytest.approx((6 - 1.959964 * 4, 6 + 1.959964 * 4))

    def test_one_sequence_has_no_interval(self):
        assert np.isnan(metrics.likelihood_rows(np.array([1.0]), np.array(["a"]))[0]["low"])

    def test_labels_must_fit(self):
        with pytest.raises(ValueError, match="3 likelihoods"):
            metrics.likelihood_rows(np.ones(3), np.array(["a", "b"]))
