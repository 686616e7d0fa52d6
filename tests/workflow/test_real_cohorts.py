"""Real 1000 Genomes cohorts, where the variable SYNGENO_DATA says where they lie."""

import os
from pathlib import Path

import numpy as np
import pytest

from syngeno.data.readers import open_source
from syngeno.data.samples import read_labels, split_by_column

DATA = Path(os.environ.get("SYNGENO_DATA", "absent"))
pytestmark = pytest.mark.skipif(not DATA.is_dir(), reason="SYNGENO_DATA does not say where the real cohorts lie")


class TestKg1:
    def test_vcf_and_plink_hold_the_same(self):
        stem = DATA / "kg1_genomewide_14k/kg1_genomewide_14k"
        vcf, bed = (open_source(stem.with_suffix(suffix)) for suffix in (".vcf.gz", ".bed"))
        assert vcf.samples == bed.samples
        ours, theirs = list(vcf.records("22")), list(bed.records("22"))
        assert [(one.position, one.ref, one.alt) for one in ours] == [
            (one.position, one.ref, one.alt) for one in theirs
        ]
        assert all(np.array_equal(a.calls.sum(1), b.calls.sum(1)) for a, b in zip(ours, theirs, strict=True))


class TestKg3:
    def test_published_split(self):
        labels = read_labels(DATA / "kg3_chr15_10k/samples.tsv", "superpopulation")
        parts = split_by_column(labels, "split_8020", 0.1, seed=1)
        assert (parts == "test").sum() == 501
        assert parts.value_counts()["validation"] == 200
