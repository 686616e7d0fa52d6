import gzip
import json

import numpy as np
import pandas as pd
import pysam.bcftools
import pytest
from settings import run_file

from syngeno.data import readers
from syngeno.errors import BadInput
from syngeno.prepare import checks, simulate

SETTINGS = run_file()["cohorts"]["made"]["simulate"] | {"samples": 120, "length": 2e5, "seed": 3, "causal": 10}


@pytest.fixture(scope="module")
def cohort():
    return simulate.simulate(contigs=2, **SETTINGS)


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    return write(tmp_path_factory.mktemp("cohort"))


def write(folder, **changes):
    tables = (folder / "samples.tsv", folder / "genes.bed.gz", folder / "causal.tsv")
    simulate.write_cohort([folder / "1.vcf.gz", folder / "2.vcf.gz"], *tables, **SETTINGS | changes)
    return folder


class TestSimulate:
    def test_variants(self, cohort):
        assert [chromosome.contig for chromosome in cohort.chromosomes] == ["1", "2"]
        for chromosome in cohort.chromosomes:
            assert chromosome.haplotypes.shape == (len(chromosome.position), 120, 2)
            assert chromosome.haplotypes.dtype == np.int8
            assert set(np.unique(chromosome.haplotypes)) == {0, 1}
            assert (np.diff(chromosome.position) > 0).all()
            assert 1 <= chromosome.position[0] <= chromosome.position[-1] <= 2e5
            assert set(chromosome.ref) | set(chromosome.alt) == set("ACGT")
            assert (chromosome.ref != chromosome.alt).all()
            frequency = chromosome.haplotypes.mean(axis=(1, 2))
            assert ((frequency > 0) & (frequency < 1)).all()

    def test_chromosomes_differ(self, cohort):
        one, other = cohort.chromosomes
        assert one.position[:50].tolist() != other.position[:50].tolist()

    def test_people(self, cohort):
        people = cohort.samples
        assert people.columns.tolist() == ["sample", "population", "superpopulation", "sex", "case"]
        assert people["sample"].is_unique
        assert people["population"].value_counts().to_dict() == {"AFR": 30, "EUR": 30, "EAS": 30, "ADX": 30}
        assert people["case"].value_counts().to_dict() == {"control": 84, "case": 36}
        assert set(people["sex"]) == {"female", "male"}
        assert people["population"].head(30).nunique() == 4  # ids do not tell the population

    def test_labels_fit_the_genotypes(self, cohort):
        """Diversity is highest in Africa: the labels follow the samples through the shuffle."""
        haplotypes = np.concatenate([chromosome.haplotypes for chromosome in cohort.chromosomes])
        diversity = {}
        for population in ("AFR", "EUR", "EAS"):
            frequency = haplotypes[:, (cohort.samples["population"] == population).to_numpy()].mean(axis=(1, 2))
            diversity[population] = (2 * frequency * (1 - frequency)).sum()
        assert diversity["AFR"] > 1.2 * max(diversity["EUR"], diversity["EAS"])

    def test_causal_variants_explain_the_heritability(self, cohort):
        rows = {(c.contig, p): c.haplotypes[i] for c in cohort.chromosomes for i, p in enumerate(c.position)}
        dosages = np.array(
            [rows[site].sum(axis=1) for site in zip(cohort.causal.contig, cohort.causal.position, strict=True)]
        )
        assert len(dosages) == 10
        frequency = dosages.mean(axis=1) / 2
        assert (np.minimum(frequency, 1 - frequency) >= simulate.COMMON).all()
        assert np.var(cohort.causal["effect"].to_numpy() @ dosages) == pytest.approx(0.5)

    def test_full_heritability_leaves_no_noise(self):
        cohort = simulate.simulate(contigs=1, **SETTINGS | {"heritability": 1.0})
        chromosome = cohort.chromosomes[0]
        rows = np.searchsorted(chromosome.position, cohort.causal["position"])
        liability = cohort.causal["effect"].to_numpy() @ chromosome.haplotypes[rows].sum(axis=2)
        cases = (cohort.samples["case"] == "case").to_numpy()
        assert liability[cases].min() >= liability[~cases].max()

    def test_genes(self, cohort):
        genes = cohort.genes
        assert set(genes["contig"]) == {"1", "2"}
        assert (genes["start"] >= 0).all()
        assert (genes["start"] < genes["end"]).all()
        assert (genes["end"] <= 2e5).all()
        assert genes["name"].is_unique

    def test_genes_cover_most(self):
        chromosome = simulate.Chromosome("1", 2_000_000, *[np.empty(0)] * 4)
        genes = simulate._genes([chromosome], np.random.default_rng(0))
        covered = np.zeros(2_000_000, bool)
        for start, end in zip(genes["start"], genes["end"], strict=True):
            covered[start:end] = True
        assert 0.7 < covered.mean() < 1
        size = (genes["end"] - genes["start"])[genes["end"] < 2_000_000]
        assert size.between(10_000, 60_000).all()
        assert 0 < (genes["start"].to_numpy()[1:] < genes["end"].to_numpy()[:-1]).mean() < 0.4

    def test_too_short_for_the_trait(self):
        with pytest.raises(BadInput, match=r"simulate: 500 causal variants .* raise `length`"):
            simulate.simulate(contigs=1, **SETTINGS | {"length": 5000, "causal": 500})


class TestWriteCohort:
    def test_files(self, folder):
        names = [
            "1.vcf.gz",
            "1.vcf.gz.tbi",
            "2.vcf.gz",
            "2.vcf.gz.tbi",
            "causal.tsv",
            "genes.bed.gz",
            "samples.tsv",
        ]
        assert sorted(path.name for path in folder.iterdir()) == names

    def test_round_trip(self, folder, cohort):
        for chromosome in cohort.chromosomes:
            source = readers.open_source(folder / f"{chromosome.contig}.vcf.gz")
            records = list(source.records(chromosome.contig))
            assert source.samples == cohort.samples["sample"].tolist()
            assert source.contig_lengths == {chromosome.contig: 200_000}
            assert [record.position for record in records] == chromosome.position.tolist()
            assert [record.alt for record in records] == chromosome.alt.tolist()
            assert np.array_equal([record.calls for record in records], chromosome.haplotypes)
            assert not any(record.unphased for record in records)

    def test_passes_the_check(self, folder, tmp_path):
        found = checks.check(
            [folder / "1.vcf.gz", folder / "2.vcf.gz"],
            folder / "samples.tsv",
            ["population", "case"],
            index_folder=tmp_path,
            genes=folder / "genes.bed.gz",
        )
        assert found["contigs"] == ["1", "2"]
        assert json.dumps(found)

    def test_bcftools_reads_it(self, folder):
        assert "number of samples:\t120" in pysam.bcftools.stats(str(folder / "1.vcf.gz"))

    def test_tables(self, folder, cohort):
        pd.testing.assert_frame_equal(pd.read_csv(folder / "samples.tsv", sep="\t"), cohort.samples, check_dtype=False)
        causal = pd.read_csv(folder / "causal.tsv", sep="\t", dtype={"contig": str})
        assert causal.columns.tolist() == ["contig", "position", "ref", "alt", "effect"]
        assert causal["effect"].to_numpy() == pytest.approx(cohort.causal["effect"].to_numpy(), rel=1e-5)
        bed = gzip.decompress((folder / "genes.bed.gz").read_bytes()).decode().splitlines()
        assert len(bed) == len(cohort.genes)
        assert all(len(line.split("\t")) == 4 for line in bed)

    def test_same_seed_same_bytes(self, folder, tmp_path):
        for path in write(tmp_path).iterdir():
            assert path.read_bytes() == (folder / path.name).read_bytes(), path.name

    def test_other_seed_other_bytes(self, folder, tmp_path):
        for path in write(tmp_path, seed=4).iterdir():
            assert path.read_bytes() != (folder / path.name).read_bytes(), path.name

    def test_name_of_the_vcf(self, tmp_path):
        with pytest.raises(ValueError, match="must end in"):
            simulate.write_cohort([tmp_path / "x.vcf"], *[tmp_path / name for name in "abc"], **SETTINGS)
