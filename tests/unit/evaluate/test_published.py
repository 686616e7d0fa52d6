"""The protocol of published figures on small haplotypes, the table of the literature, and its ceilings."""

import os
from dataclasses import replace
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from syngeno.data.cohort import Cohort
from syngeno.errors import BadInput
from syngeno.evaluate import metrics, published
from syngeno.stats import structure

TABLE = Path(__file__).parents[3] / "resources/published/kg3_chr15_10k.tsv"
DATA = Path(os.environ.get("SYNGENO_DATA", "absent"))


def people(n, seed, variants=200):
    rng = np.random.default_rng(seed)
    founders = (np.random.default_rng(7).random((8, variants)) < 0.3).astype(np.int8)
    haplotypes = founders[rng.integers(0, 8, (n, 2, variants // 20)).repeat(20, axis=2), np.arange(variants)]
    return of(haplotypes)


def of(haplotypes):
    people, _, variants = haplotypes.shape
    return Cohort(
        haplotypes.sum(1).astype(np.int8),
        np.full(people, "A"),
        np.full(variants, "1"),
        np.arange(1, variants + 1),
        np.zeros(variants, np.int32),
        haplotypes=haplotypes,
    )


def values(rows):
    return {(row["metric"], row["group"]): row["value"] for row in rows}


class TestMeasure:
    test = people(40, 1)

    def test_test_itself(self):
        found = values(published.measure(self.test, self.test))
        assert found["wasserstein_pc1_6", "all"] == 0
        assert found["distance_within_w1", "all"] == 0
        assert found["sinkhorn_pc1_2", "all"] == pytest.approx(found["sinkhorn_pc1_2", "test"])

    def test_axes_are_fitted_on_both(self):
        sample = people(50, 2)
        found = values(published.measure(sample, self.test))
        both = np.concatenate([one.haplotypes.reshape(-1, 200) for one in (self.test, sample)]).astype(float)
        both -= both.mean(0)
        axes = np.linalg.svd(both, full_matrices=False)[2][:6]
        expected = structure.wasserstein(both[80:] @ axes.T, both[:80] @ axes.T)
        assert found["wasserstein_pc1_6", "all"] == pytest.approx(expected.sum(), rel=1e-3)
        assert found["wasserstein_pc1_6", "PC1"] == pytest.approx(expected[0], rel=1e-3)

    def test_distances_count_alleles_that_differ(self):
        none, all_ = np.zeros((3, 2, 10), np.int8), np.ones((2, 2, 10), np.int8)
        half = np.concatenate([none[:1], all_[:1]])
        found = values(published.measure(of(none), of(half)))
        # Within test, four of six pairs are 10 apart; within the sample none, between half of the pairs.
        assert found["distance_within_w1", "all"] == pytest.approx(10 * 4 / 6)
        assert found["distance_between_w1", "all"] == pytest.approx(10 * (4 / 6 - 1 / 2))

    def test_independent_sites_are_farther_than_fresh_people(self):
        rng = np.random.default_rng(1)
        shuffled = of(rng.permuted(people(60, 2).haplotypes.reshape(120, -1), axis=0).reshape(60, 2, -1))
        fresh, bad = (values(published.measure(one, self.test)) for one in (people(60, 2), shuffled))
        for metric in ("wasserstein_pc1_6", "sinkhorn_pc1_2", "distance_within_w1", "distance_between_w1"):
            assert fresh[metric, "all"] < bad[metric, "all"]

    def test_order_of_people_changes_nothing(self):
        sample = people(50, 2)
        mixed = sample.take(np.random.default_rng(3).permutation(50))
        assert published.measure(sample, self.test) == published.measure(mixed, self.test)

    def test_unphased_is_said_not_measured(self, caplog):
        assert published.measure(replace(self.test, haplotypes=None), self.test) == []
        assert "not phased" in caplog.text

    def test_other_variants(self):
        with pytest.raises(ValueError, match="same variants"):
            published.measure(people(4, 1, variants=100), self.test)


class TestReadPublished:
    def test_the_table_of_chromosome_15(self):
        rows = published.read_published(TABLE)
        assert list(rows.columns) == metrics.COLUMNS
        assert set(rows["protocol"]) == {"published"}
        assert list(rows["generator"].unique()) == [
            f"{name} (published)" for name in ("real train", "WGAN", "RBM", "HCLT", "HMM", "Markov", "independent")
        ]
        figures = rows[rows["group"] == "all"].set_index(["generator", "metric"])["value"]
        assert figures["real train (published)", "wasserstein_pc1_6"] == 1.459
        assert figures["HMM (published)", "sinkhorn_pc1_2"] == 0.0348
        assert figures["WGAN (published)", "distance_between_w1"] == 6.4
        assert figures["HCLT (published)", "heldout_nats"] == 265
        assert len(figures) == 7 * 4 + 2

    def test_fits_into_the_metrics_table(self, tmp_path):
        rows = published.read_published(TABLE)
        metrics.write(rows, tmp_path / "metrics.tsv")
        pd.testing.assert_frame_equal(metrics.read(tmp_path / "metrics.tsv"), rows)

    @pytest.mark.parametrize(
        ("text", "fact"),
        [
            ("generator\tvalue\nA\t1\n", "columns"),
            ("generator\tmetric\tgroup\tagainst\tvalue\nA\tm\tall\t\tmany\n", "no number"),
            ("generator\tmetric\tgroup\tagainst\tvalue\nA\tm\tall\t\t1\nA\tm\tall\t\t2\n", "twice"),
        ],
    )
    def test_refuses(self, tmp_path, text, fact):
        path = tmp_path / "figures.tsv"
        path.write_text(text)
        with pytest.raises(BadInput, match=fact):
            published.read_published(path)

    def test_missing(self, tmp_path):
        with pytest.raises(BadInput, match="cannot be read"):
            published.read_published(tmp_path / "none.tsv")


@pytest.mark.skipif(not DATA.is_dir(), reason="SYNGENO_DATA does not say where the real cohorts lie")
class TestCeilings:
    def test_of_chromosome_15(self):
        """Real people from outside the test fifth have the published ceilings; Sinkhorn of test to itself is .0018."""
        import allel

        calls = allel.read_vcf(str(DATA / "kg3_chr15_10k/kg3_chr15_10k.vcf.gz"), ["samples", "calldata/GT"])
        part = pd.read_csv(DATA / "kg3_chr15_10k/samples.tsv", sep="\t", index_col="sample")["split_8020"]
        real = of(np.ascontiguousarray(calls["calldata/GT"].transpose(1, 2, 0)))
        test = part.loc[calls["samples"]].to_numpy() == "test"
        found = values(published.measure(real.take(~test), real.take(test)))
        assert found["wasserstein_pc1_6", "all"] == pytest.approx(1.459, abs=0.001)
        assert found["sinkhorn_pc1_2", "all"] == pytest.approx(0.00262, abs=0.00001)
        assert found["sinkhorn_pc1_2", "test"] == pytest.approx(0.0018, abs=0.00005)
        assert found["distance_within_w1", "all"] == pytest.approx(10.7, abs=0.05)
        assert found["distance_between_w1", "all"] == pytest.approx(5.3, abs=0.05)
