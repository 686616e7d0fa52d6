"""Imputation where the panel knows the answer, where it knows nothing, and without Beagle."""

import os
from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from syngeno.data import beagle
from syngeno.data.cohort import Cohort
from syngeno.evaluate import imputation

needs_beagle = pytest.mark.skipif(not beagle.available(), reason="Beagle is not installed")

SETTINGS = {"seed": 1, "observed": 0.3, "phase": True, "threads": 1, "memory_mb": 300}
FOUNDERS = np.random.default_rng(7).random((8, 200)) < np.random.default_rng(8).beta(0.8, 1.2, 200)


def people(n, seed, founders=FOUNDERS, switch=0.003):
    """Mosaics of a few founders: strong LD, so that typed variants tell the others."""
    rng = np.random.default_rng(seed)
    variants = founders.shape[1]
    at = np.empty((2 * n, variants), dtype=int)
    at[:, 0] = rng.integers(len(founders), size=2 * n)
    for j in range(1, variants):
        moved = rng.random(2 * n) < switch
        at[:, j] = np.where(moved, rng.integers(len(founders), size=2 * n), at[:, j - 1])
    return cohort(founders[at, np.arange(variants)].astype(np.int8).reshape(n, 2, variants))


def cohort(haplotypes, contig=None):
    n, _, variants = haplotypes.shape
    return Cohort(
        haplotypes.sum(1, dtype=np.int8),
        np.full(n, "A"),
        np.full(variants, "1") if contig is None else contig,
        np.arange(1, variants + 1) * 100,
        np.zeros(variants, int),
        haplotypes=haplotypes,
    )


def measure(synthetic, train, test, **settings):
    rows = imputation.measure(synthetic, train, test, **SETTINGS | settings)
    return {(row["metric"], row["group"]): row for row in rows}


def no_run(*_, **__):
    raise AssertionError("Beagle must not be called")


class TestR2:
    truth = np.array([[0, 0, 1], [1, 0, 1], [2, 1, 1], [1, 1, 1]])
    imputed = np.array([[0.0, 1.0, 0.2], [0.5, 1.0, 0.4], [1.0, 1.0, 0.1], [0.5, 1.0, 0.3]])

    def test_by_hand(self):
        values = imputation.r2(self.truth, self.imputed, np.ones((1, 4)))[0]
        assert values[0] == pytest.approx(1)  # half of the truth is perfectly correlated
        assert values[1] == 0  # a constant says nothing
        assert np.isnan(values[2])  # of a constant nothing can be said

    def test_people_who_count_several_times(self):
        rng = np.random.default_rng(1)
        truth, imputed = rng.integers(0, 3, (20, 5)), rng.random((20, 5))
        times = rng.integers(0, 3, (2, 20))
        for row, count in zip(imputation.r2(truth, imputed, times), times, strict=True):
            drawn = np.repeat(np.arange(20), count)
            expected = [np.corrcoef(truth[drawn, j], imputed[drawn, j])[0, 1] ** 2 for j in range(5)]
            assert np.allclose(row, expected)

    @given(st.integers(0, 1000))
    def test_bounded(self, seed):
        rng = np.random.default_rng(seed)
        values = imputation.r2(rng.integers(0, 3, (6, 9)), rng.random((6, 9)).round(1), np.ones((1, 6)))
        assert np.nanmin(values, initial=0) >= 0
        assert np.nanmax(values, initial=0) <= 1 + 1e-9


class TestTypedVariants:
    def test_common_ones_of_contigs_that_have_enough(self):
        rng = np.random.default_rng(2)
        haplotypes = (rng.random((100, 2, 300)) < np.where(np.arange(300) % 2, 0.3, 0.01)).astype(np.int8)
        train = cohort(haplotypes, np.repeat(["1", "2"], [240, 60]))
        kept, typed = imputation.typed_variants(train, 0.1, np.random.default_rng(3))
        assert kept.tolist() == [True] * 240 + [False] * 60  # 30 common ones of contig 2 would give 3
        assert typed.shape == (300,)
        assert typed.sum() == typed[kept].sum() == 12
        assert (np.flatnonzero(typed) % 2 == 1).all()

    def test_the_first_of_a_position(self):
        train = people(60, 1)
        twice = replace(train, position=np.repeat(train.position[::2], 2))
        kept, typed = imputation.typed_variants(twice, 0.3, np.random.default_rng(3))
        assert kept.tolist() == [True, False] * 100
        assert typed.shape == (200,)
        assert not typed[~kept].any()

    def test_another_seed_types_others(self):
        train = people(60, 1)
        drawn = [imputation.typed_variants(train, 0.2, np.random.default_rng(seed))[1] for seed in (1, 1, 2)]
        assert (drawn[0] == drawn[1]).all()
        assert (drawn[0] != drawn[2]).any()


class TestThinned:
    def test_so_many_or_all(self):
        some = people(10, 1)
        assert len(imputation.thinned(some, 4, np.random.default_rng(1))) == 4
        assert imputation.thinned(some, 10, np.random.default_rng(1)) is some


class TestAbsence:
    def test_without_beagle_there_is_a_line_and_no_number(self, monkeypatch, tmp_path, caplog):
        monkeypatch.setenv("PATH", str(tmp_path))
        assert not beagle.available()
        assert measure(people(30, 1), people(30, 2), people(10, 3)) == {}
        assert "no Beagle here" in caplog.text

    def test_without_ld(self, monkeypatch, caplog):
        caplog.set_level("INFO", "syngeno")
        monkeypatch.setattr(beagle, "available", lambda: True)
        monkeypatch.setattr(beagle, "impute", no_run)
        rng = np.random.default_rng(1)
        loose = [cohort(rng.integers(0, 2, (300, 2, 50)).astype(np.int8)) for _ in range(3)]
        assert measure(*loose) == {}
        assert "no LD" in caplog.text

    def test_unphased_samples_are_left_out_where_they_are_not_to_be_phased(self, monkeypatch, caplog):
        caplog.set_level("INFO", "syngeno")
        monkeypatch.setattr(beagle, "available", lambda: True)
        monkeypatch.setattr(beagle, "impute", no_run)
        train, test = people(30, 1), people(10, 3)
        assert measure(train, replace(train, haplotypes=None), test, phase=False) == {}
        assert "the cohort is unphased" in caplog.text
        known = np.ones(200, dtype=bool)
        real = imputation.Reference(known, known, np.array([30, 1]), {})
        assert measure(replace(train, haplotypes=None), train, test, phase=False, real=real) == {}
        assert "an unphased panel" in caplog.text

    def test_with_too_few_common_variants(self, monkeypatch, caplog):
        caplog.set_level("INFO", "syngeno")
        monkeypatch.setattr(beagle, "available", lambda: True)
        monkeypatch.setattr(beagle, "impute", no_run)
        assert measure(people(30, 1), people(30, 2), people(10, 3), observed=0.01) == {}
        assert "too few common variants" in caplog.text


@needs_beagle
class TestMeasure:
    train, test = people(50, 1), people(30, 2)

    @pytest.fixture(scope="class")
    @classmethod
    def rows(cls):
        return measure(people(60, 3), cls.train, cls.test)

    def test_people_of_the_same_origin_are_as_good_a_panel(self, rows):
        assert rows["imputation_r2_real", "all"]["value"] > 0.8
        assert rows["imputation_ratio", "all"]["value"] == pytest.approx(1, abs=0.1)
        assert rows["imputation_r2", "maf 0.05-0.5"]["n"] <= rows["imputation_r2", "all"]["n"] < 200
        for metric in ("imputation_r2", "imputation_r2_real", "imputation_ratio"):
            row = rows[metric, "all"]
            assert row["low"] < row["value"] < row["high"]
            assert row["against"] == "test"

    def test_people_of_another_origin_are_not(self, rows):
        lost = measure(people(50, 3, founders=FOUNDERS[:, ::-1]), self.train, self.test)
        assert lost["imputation_r2", "all"]["value"] < 0.3
        assert lost["imputation_ratio", "all"]["high"] < 0.6
        same = ("imputation_r2_real", "all")
        assert lost[same] == rows[same]  # the real panel's number is the same whatever it stands beside

    @pytest.mark.parametrize(("drawn", "phased"), [(60, True), (40, True), (60, False)])
    def test_the_real_panel_is_imputed_from_once_where_it_is_the_same(self, drawn, phased, monkeypatch):
        synthetic = people(drawn, 3)
        synthetic = synthetic if phased else replace(synthetic, haplotypes=None)
        real = imputation.reference(self.train, self.test, **SETTINGS)
        afresh = measure(synthetic, self.train, self.test)
        panels, impute = [], beagle.impute
        monkeypatch.setattr(
            beagle, "impute", lambda panel, *more, **given: panels.append(panel) or impute(panel, *more, **given)
        )
        assert measure(synthetic, self.train, self.test, real=real) == afresh
        # Other sizes or other phase need another real panel.
        assert len(panels) == (1 if (drawn, phased) == (60, True) else 2)

    @pytest.mark.parametrize("phased", [True, False])
    def test_training_samples_given_back_are_the_real_panel(self, phased, monkeypatch):
        train = self.train if phased else replace(self.train, haplotypes=None)
        real = imputation.reference(train, self.test, **SETTINGS)
        monkeypatch.setattr(beagle, "impute", None)
        rows = measure(train.take(np.arange(len(train))[::-1]), train, self.test, real=real)
        assert rows["imputation_r2", "all"]["value"] == rows["imputation_r2_real", "all"]["value"] > 0.8
        assert rows["imputation_ratio", "all"]["value"] == 1

    def test_order_of_people_and_threads_change_nothing(self, rows):
        rng = np.random.default_rng(4)
        mixed = [one.take(rng.permutation(len(one))) for one in (people(60, 3), self.train, self.test)]
        assert measure(*mixed, threads=2) == rows


@needs_beagle
class TestImpute:
    panel, target = people(50, 1), people(20, 2)
    typed = np.arange(200) % 4 == 0

    def right(self, **change):
        """Share of masked genotypes that are imputed right."""
        panel = replace(self.panel, **change)
        dosages = beagle.impute(panel, panel.haplotypes is not None, self.target, self.typed, seed=1, memory_mb=300)
        assert (dosages[:, self.typed] == self.target.dosages[:, self.typed]).all()
        return (np.abs(dosages - self.target.dosages)[:, ~self.typed] < 0.5).mean()

    def test_unphased_panels_are_phased(self, tmp_path, monkeypatch):
        monkeypatch.setattr(beagle.tempfile, "tempdir", str(tmp_path))
        assert self.right(haplotypes=None) > 0.9
        assert os.listdir(tmp_path) == []  # real people's genotypes were among what was there

    def test_beagle_goes_by_the_map(self):
        near, far = (self.right(cm=np.linspace(0, length, 200)) for length in (0.02, 400))
        assert near > 0.9 > 0.85 > far

    def test_a_failure_is_told_in_beagles_words(self, tmp_path):
        run = beagle.Beagle(tmp_path, 1, 1, 200)
        with pytest.raises(RuntimeError, match=r"Beagle failed.*none\.vcf"):
            run.run(gt=tmp_path / "none.vcf", out=tmp_path / "out")
