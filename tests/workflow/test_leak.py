"""What one test person carries changes nothing that is fitted: no filter, no pruning, no encoder, no model."""

import gzip

import numpy as np
import pandas as pd
import pysam
import pytest
import torch
from runs import TINY, Run

from syngeno.data.store import open_store

pytestmark = pytest.mark.workflow
FITTED = "prepare/100/1"


def write_cohort(source, folder, person=None):
    """The simulated cohort as files of its own, with a site at which nobody carries anything; `person` gets the ALT
    allele there, alone, and at every other site both alleles ALT, which shifts the person on every PC.
    """
    folder.mkdir(parents=True)
    for contig in ("1", "2"):
        lines = gzip.decompress((source / f"{contig}.vcf.gz").read_bytes()).decode().splitlines()
        header = [line for line in lines if line.startswith("#")]
        samples = header[-1].split("\t")[9:]
        records = [line.split("\t") for line in lines if not line.startswith("#")]
        private = [*records[0][:1], "1", "private", "A", "G", *records[0][5:7], ".", "GT", *["0|0"] * len(samples)]
        assert int(records[0][1]) > 1
        records.insert(0, private)
        if person is not None:
            column = 9 + samples.index(person)
            for record in records:
                record[column] = "1|1"
        with pysam.BGZFile(str(folder / f"{contig}.vcf.gz"), "wb") as file:
            file.write(("\n".join(header + ["\t".join(record) for record in records]) + "\n").encode())
    (folder / "samples.tsv").write_bytes((source / "samples.tsv").read_bytes())


@pytest.fixture(scope="module")
def pair(tiny, tmp_path_factory):
    """The same cohort, prepared and trained on, without and with the marker in one test person."""
    source = tiny.folder / "results/tiny/prepare/simulated"
    split = pd.read_csv(tiny.folder / "results/tiny/prepare/samples.tsv", sep="\t")
    person = split.loc[split["split"] == "test", "sample"].iloc[0]
    runs = []
    for name, planted in (("clean", None), ("planted", person)):
        folder = tmp_path_factory.mktemp(name)
        write_cohort(source, folder / "data", planted)
        cohort = {"genotypes": ["1.vcf.gz", "2.vcf.gz"], "labels": "samples.tsv", "label": "population"}
        cohort["split"] = TINY["cohorts"]["tiny"]["split"]
        run = Run(folder, {**TINY, "data_dir": "data", "cohorts": {"real": cohort}})
        run("results/real/latent/100/1/fitted.model")
        runs.append(folder / "results/real")
    return *runs, person


class TestOneTestPerson:
    def test_is_really_different(self, pair):
        clean, planted, person = pair
        stores = [open_store(folder / "prepare/genotypes.zarr.zip") for folder in (clean, planted)]
        row = stores[0].samples.index(person)
        dosages = [store.dosages(np.array([row])) for store in stores]
        assert (dosages[0] != dosages[1]).mean() > 0.3

    def test_changes_no_filter_and_no_pruning(self, pair):
        clean, planted, _ = pair
        for path in ("samples.tsv", "variants.tsv"):
            assert (clean / "prepare" / path).read_bytes() == (planted / "prepare" / path).read_bytes(), path
        sites = [open_store(folder / "prepare/genotypes.zarr.zip").sites() for folder in (clean, planted)]
        for kept in ("contig", "position", "id", "ref", "alt", "block"):
            assert np.array_equal(*(getattr(one, kept) for one in sites)), kept

    def test_changes_nobody_elses_genotypes(self, pair):
        clean, planted, person = pair
        stores = [open_store(folder / "prepare/genotypes.zarr.zip") for folder in (clean, planted)]
        others = np.array([sample != person for sample in stores[0].samples])
        assert np.array_equal(*(store.dosages(others) for store in stores))

    @pytest.mark.parametrize("name", ["encoder.npz", "latents.npz"])
    def test_changes_no_fit(self, pair, name):
        clean, planted, _ = pair
        ours, theirs = (np.load(folder / FITTED / name) for folder in (clean, planted))
        assert ours.files == theirs.files
        for key in ours.files:
            assert np.array_equal(ours[key], theirs[key]), key

    def test_changes_no_model(self, pair):
        clean, planted, _ = pair
        ours, theirs = (
            torch.load(folder / "latent/100/1/fitted.model", weights_only=True)["weights"]
            for folder in (clean, planted)
        )
        assert all(torch.equal(ours[name], theirs[name]) for name in ours)
