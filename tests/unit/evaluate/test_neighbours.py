"""Neighbours between cohorts against searches one by one, and what suites say of saved ones."""

from dataclasses import replace

import numpy as np
import pytest
from settings import run_file

from syngeno.data.cohort import Cohort
from syngeno.evaluate import adversarial_accuracy, association, audit, fidelity, neighbours, references, utility
from syngeno.stats import nearest

SETTINGS = run_file()["evaluate"]


def cohort(samples, seed, variants=60):
    rng = np.random.default_rng(seed)
    label = np.array(["A", "B"])[np.arange(samples) % 2]
    frequency = np.random.default_rng(9).beta(0.5, 0.5, (2, variants))
    haplotypes = (rng.random((samples, 2, variants)) < frequency[np.arange(samples) % 2, None]).astype(np.int8)
    place = np.arange(variants)
    ids = np.array([f"{seed}_{i}" for i in range(samples)])
    return Cohort(
        haplotypes.sum(1, dtype=np.int8), label, np.full(variants, "1"), place + 1, place // 20, ids, haplotypes
    )


SYNTHETIC, TRAIN, TEST, VALIDATION = (cohort(n, seed) for seed, n in enumerate((45, 40, 35, 34)))


class TestReference:
    def test_pairs_in_canonical_order(self):
        found = neighbours.reference(TRAIN, TEST, VALIDATION)
        ordered = {"train": TRAIN, "test": TEST, "validation": VALIDATION}
        ordered = {name: part.in_canonical_order().dosages for name, part in ordered.items()}
        assert set(found.rows) == {"train, train", "test, train", "test, test", "train, validation", "test, validation"}
        for pair in found.rows:
            one, other = pair.split(", ")
            distances, rows = found.of(one, other)
            expected = nearest.find(ordered[one], ordered[other], "l1", one == other, count=distances.shape[1])
            assert np.array_equal(distances, expected[0])
            assert np.array_equal(rows, expected[1])
            assert distances.shape[1] == (1 if other == "validation" else neighbours.COUNT)

    def test_without_validation(self):
        assert set(neighbours.reference(TRAIN, TEST).rows) == {"train, train", "test, train", "test, test"}


class TestMeasure:
    def test_both_ways(self):
        found = neighbours.measure(SYNTHETIC, TRAIN, TEST)
        ours, theirs = (one.in_canonical_order().dosages for one in (SYNTHETIC, TRAIN))
        assert len(found.rows) == 5
        assert np.array_equal(found.of("synthetic", "train")[0][:, :2], nearest.nearest(ours, theirs, "l1"))
        assert np.array_equal(found.of("train", "synthetic")[0][:, :2], nearest.nearest(theirs, ours, "l1"))

    def test_other_variants(self):
        with pytest.raises(ValueError, match="same variants"):
            neighbours.measure(cohort(5, 1, variants=20), TRAIN, TEST)


class TestReferencesOfSuites:
    """A suite says the same of what was saved as of what it measures itself."""

    @pytest.mark.parametrize(
        ("suite", "settings"),
        [
            (fidelity, SETTINGS["fidelity"]),
            (adversarial_accuracy, SETTINGS["privacy"] | {"components": "paper", "max_components": 3}),
            (utility, {"classifiers": ("logistic_regression",), "components": 5}),
        ],
    )
    @pytest.mark.parametrize("drawn", [30, 45])
    def test_of_a_suite(self, tmp_path, suite, settings, drawn):
        references.save(suite.reference(TRAIN, TEST, seed=1, **settings), tmp_path / "r.npz")
        real, synthetic = references.load(suite.Reference, tmp_path / "r.npz"), SYNTHETIC.take(np.arange(drawn))
        rows = suite.measure(synthetic, TRAIN, TEST, seed=1, real=real, **settings)
        assert rows == suite.measure(synthetic, TRAIN, TEST, seed=1, **settings)
        assert rows

    def test_unphased_samples(self, tmp_path):
        train, test = (replace(one, haplotypes=None) for one in (TRAIN, TEST))
        settings = SETTINGS["fidelity"]
        references.save(fidelity.reference(train, test, seed=1, **settings), tmp_path / "r.npz")
        real = references.load(fidelity.Reference, tmp_path / "r.npz")
        assert real.three_point == {}
        rows = fidelity.measure(SYNTHETIC, train, test, seed=1, real=real, **settings)
        assert rows == fidelity.measure(SYNTHETIC, train, test, seed=1, **settings)

    def test_of_the_audit(self, tmp_path):
        real = neighbours.reference(TRAIN, TEST, VALIDATION), neighbours.measure(SYNTHETIC, TRAIN, TEST)
        for name, found in zip(("among_real", "to_real"), real, strict=True):
            references.save(found, tmp_path / name)
        references.save(audit.reference(TRAIN, TEST), tmp_path / "real")
        given = {name: references.load(neighbours.Neighbours, tmp_path / name) for name in ("among_real", "to_real")}
        given["real"] = references.load(audit.Reference, tmp_path / "real")
        one = audit.run(SYNTHETIC, TRAIN, TEST, validation=VALIDATION, seed=1, planted=10, **given)
        other = audit.run(SYNTHETIC, TRAIN, TEST, validation=VALIDATION, seed=1, planted=10)
        assert (one.rows, one.planted_rows) == (other.rows, other.planted_rows)
        assert one.samples.equals(other.samples)

    def test_hits_of_a_trait(self, tmp_path):
        label = np.array([f"{pop}|{case}" for pop in "AB" for case in ("case", "control")])
        train, synthetic = (replace(one, label=label[np.arange(len(one)) % 4]) for one in (TRAIN, SYNTHETIC))
        references.save(association.in_train(train), tmp_path / "hits")
        hits = references.load(association.Hits, tmp_path / "hits")
        assert "trait" in hits.at
        rows = association.measure(synthetic, train, hits, seed=1)
        assert rows == association.measure(synthetic, train, association.in_train(train), seed=1)
