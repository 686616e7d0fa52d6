"""DNA of synthetic samples: written for every generator of haplotypes, and the variants in it, found by other means."""

import cyvcf2
import numpy as np
import pandas as pd
import pysam
import pytest
from runs import TINY, Run

from syngeno.data import reference
from syngeno.data.reference import FastaWriter

pytestmark = pytest.mark.workflow
REGIONS = ["2", "chr1:20,000-120,000"]
HAPLOID = ["haplotypes", "independent", "li_stephens", "markov", "resampled"]


def sequences(path):
    with pysam.FastaFile(str(path)) as file:
        return {name: file.fetch(name) for name in file.references}


class TestGenomes:
    def test_of_all_who_are_drawn_as_haplotypes(self, copy):
        copy.configure({**TINY, "release": {"genomes": {"samples": 2, "regions": REGIONS}}})
        copy("genomes")
        results = copy.folder / "results/tiny"
        assert sorted(path.parent.parent.parent.name for path in results.glob("*/100/1/genomes")) == HAPLOID
        whole = sequences(results / "prepare/simulated/reference.fa.gz")
        for generator in HAPLOID:
            folder = results / generator / "100/1"
            checked = pd.read_csv(folder / "genomes/checked.tsv", sep="\t")
            vcf = cyvcf2.VCF(str(folder / "synthetic.vcf.gz"))
            samples = [vcf.samples[0], vcf.samples[len(vcf.samples) // 2]]
            assert list(dict.fromkeys(checked["sample"])) == samples
            assert (checked["variants"] == checked["recalled"]).all()
            assert checked["variants"].sum() > 0
            found = [sequences(folder / f"genomes/{sample}.fa.gz") for sample in samples]
            assert list(found[0]) == ["2_1", "2_2", "1:20000-120000_1", "1:20000-120000_2"]
            changed = 0
            for variant in vcf:
                for sample, bases in zip(samples, found, strict=True):
                    for haplotype, allele in enumerate(variant.genotypes[vcf.samples.index(sample)][:2], start=1):
                        if variant.CHROM == "2":
                            base = bases[f"2_{haplotype}"][variant.POS - 1]
                        elif 20000 <= variant.POS <= 120000:
                            base = bases[f"1:20000-120000_{haplotype}"][variant.POS - 20000]
                        else:
                            continue
                        assert base == [variant.REF, *variant.ALT][allele]
                        changed += allele
            apart = [
                sum(one != other for one, other in zip(whole["2"], bases[f"2_{haplotype}"], strict=True))
                + sum(
                    one != other
                    for one, other in zip(whole["1"][19999:120000], bases[f"1:20000-120000_{haplotype}"], strict=True)
                )
                for bases in found
                for haplotype in (1, 2)
            ]
            assert sum(apart) == changed == checked["recalled"].sum()
        copy("results/tiny/copycat/100/1/genomes", fails=True)

    def test_of_a_cohort_with_a_reference_or_of_another_build(self, copy):
        simulated = copy.folder / "results/tiny/prepare/simulated"
        vcfs = [simulated / f"{contig}.vcf.gz" for contig in (1, 2)]
        reference.simulate(copy.folder / "right.fa.gz", vcfs, seed=9)
        with FastaWriter(copy.folder / "wrong.fa.gz") as fasta:
            for name, bases in sequences(copy.folder / "right.fa.gz").items():
                fasta.add(name, np.frombuffer(bases[::-1].encode(), np.uint8))
        read = {
            "genotypes": [str(vcf) for vcf in vcfs],
            "labels": str(simulated / "samples.tsv"),
            "label": "population",
        }
        cohorts = {name: {**read, "reference": str(copy.folder / f"{name}.fa.gz")} for name in ("right", "wrong")}
        generators = {"independent": {"kind": "independent"}, "latent": TINY["generators"]["latent"]}
        copy.configure({"cohorts": cohorts, "generators": generators})
        said = copy("genomes", "--keep-going", fails=True)
        made = [path.relative_to(copy.folder / "results") for path in copy.folder.glob("results/*/*/100/1/genomes")]
        assert [str(path) for path in made] == ["right/independent/100/1/genomes"]
        assert "sites of the chromosome differ): the build differs; give the FASTA of the build" in said
        assert not list((copy.folder / "results/wrong").rglob("*.fa*"))


class TestFaults:
    @pytest.mark.parametrize(
        ("change", "told"),
        [
            ({"release": {"genomes": {"regions": ["1:5"]}}}, "release.genomes.regions: '1:5' is no region; write"),
            ({"release": {"genomes": {"samples": 0}}}, "release.genomes.samples: 0 is less than the minimum of 1"),
            (
                {"cohorts": {"tiny": {**TINY["cohorts"]["tiny"], "reference": "x.fa"}}},
                "cohorts.tiny: a cohort is either simulated or read",
            ),
            (
                {"generators": {"diffusion": TINY["generators"]["latent"]}, "evaluate": {}},
                "no cohort with a `reference` meets a generator that draws haplotypes; give",
            ),
        ],
    )
    def test_are_told_before_any_job(self, tmp_path, change, told):
        said = Run(tmp_path, {**TINY, **change})("genomes", fails=True)
        assert told in said
        assert not (tmp_path / "results").exists()
