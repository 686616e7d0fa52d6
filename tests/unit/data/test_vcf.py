import gzip

import cyvcf2
import numpy as np
import pysam
import pysam.bcftools
import pytest

from syngeno.data.store import Sites
from syngeno.data.vcf import Calls, synthetic_ids, synthetic_line, synthetic_prefix, write_vcf
from syngeno.version import VERSION


def some_sites(n=6):
    contig = np.array(["1"] * (n - 2) + ["2"] * 2)
    ids = np.array([".", ""] + [f"rs{i}" for i in range(n - 2)])
    position = np.concatenate([np.arange(10, 10 * (n - 1), 10), [5, 7]])
    return Sites(contig, position, ids, np.full(n, "A"), np.full(n, "G"), {"1": 1000, "2": 0})


def some_calls(n=6, people=4, seed=1):
    return np.random.default_rng(seed).integers(0, 2, (n, people, 2)).astype(np.int8)


def write(path, calls, phased=True):
    samples = synthetic_ids(calls.shape[1])
    write_vcf(path, some_sites(len(calls)), samples, iter([calls[:2], calls[2:]]), phased)
    return path


class TestSyntheticIds:
    def test_numbered(self):
        assert synthetic_ids(2) == ["SYN000001", "SYN000002"]
        assert synthetic_ids(0) == []

    @pytest.mark.parametrize(
        ("real", "prefix"),
        [
            (["P1", "SYNTH1", "SYN"], "SYN"),
            (["SYN000001"], "SYN1_"),
            (["SYN7", "SYN1_3", "P"], "SYN2_"),
        ],
    )
    def test_no_real_sample_has_one(self, real, prefix):
        assert synthetic_prefix(real) == prefix
        assert synthetic_prefix(reversed(real)) == prefix
        assert not set(synthetic_ids(10, prefix)) & set(real)


class TestWriteVcf:
    def test_text(self, tmp_path):
        calls = np.array([[[0, 1], [1, 1]], [[0, 0], [1, 0]], [[-1, -1], [-1, -1]]], np.int8)
        sites = Sites(
            *(np.array(x) for x in (["1"] * 3, [3, 4, 9], ["rs1", "", "."], ["A", "C", "G"], ["T", "G", "A"])),
            {"1": 50, "2": 0},
        )
        path = tmp_path / "x.vcf.gz"
        write_vcf(path, sites, ["s", "t"], [calls], True)
        lines = gzip.decompress(path.read_bytes()).decode().splitlines()
        assert lines[0] == "##fileformat=VCFv4.2"
        assert {f"##source=syngeno {VERSION}", "##contig=<ID=1,length=50>", "##contig=<ID=2>"} < set(lines)
        assert lines[-4:] == [
            "#CHROM\tPOS\tID\tREF\tALT\tQUAL\tFILTER\tINFO\tFORMAT\ts\tt",
            "1\t3\trs1\tA\tT\t.\t.\tAC=3;AN=4;AF=0.75\tGT\t0|1\t1|1",
            "1\t4\t.\tC\tG\t.\t.\tAC=1;AN=4;AF=0.25\tGT\t0|0\t1|0",
            "1\t9\t.\tG\tA\t.\t.\tAC=0;AN=0;AF=.\tGT\t.|.\t.|.",
        ]

    def test_the_header_says_that_samples_are_synthetic(self, tmp_path):
        run = {"cohort": "mine", "generator": "diffusion", "fraction": "100", "seed": "2"}
        path = tmp_path / "x.vcf.gz"
        about = synthetic_line(run, "haplotype_diffusion")
        write_vcf(path, some_sites(), synthetic_ids(4), [some_calls()], True, about)
        (said,) = [record for record in pysam.VariantFile(str(path)).header.records if record.key == "SYNTHETIC"]
        assert dict(said) == {
            "ID": "syngeno", "Cohort": '"mine"', "Generator": '"diffusion"', "Kind": '"haplotype_diffusion"',
            "Fraction": "100", "Seed": "2",
            "Description": '"Synthetic samples"',
        }  # fmt: skip
        assert about.strip() in pysam.bcftools.view(str(path))

    def test_unphased_order_tells_nothing(self, tmp_path):
        calls = np.array([[[1, 0], [0, 1]]] * 6, np.int8)
        text = gzip.decompress(write(tmp_path / "x.vcf.gz", calls, phased=False).read_bytes()).decode()
        assert text.count("0/1\t0/1\n") == 6

    def test_bcftools_finds_nothing_to_complain_about(self, tmp_path):
        path = write(tmp_path / "x.vcf.gz", some_calls())
        stats = pysam.bcftools.stats(str(path))
        assert "number of records:\t6" in stats
        assert "number of samples:\t4" in stats
        assert pysam.bcftools.view("-H", str(path), "2").count("\n") == 2

    def test_cyvcf2_reads_it_by_region(self, tmp_path):
        calls = some_calls()
        path = write(tmp_path / "x.vcf.gz", calls)
        variants = list(cyvcf2.VCF(str(path))("1:20-30"))
        assert [variant.POS for variant in variants] == [20, 30]
        assert (variants[0].genotype.array()[:, :2] == calls[1]).all()
        assert variants[0].genotype.array()[:, 2].all()
        assert variants[0].INFO["AC"] == calls[1].sum()
        assert cyvcf2.VCF(str(path)).seqlens[0] == 1000

    def test_same_bytes_and_no_traces(self, tmp_path):
        for name in "ab":
            write(tmp_path / f"{name}.vcf.gz", some_calls())
        assert (tmp_path / "a.vcf.gz").read_bytes() == (tmp_path / "b.vcf.gz").read_bytes()
        assert (tmp_path / "a.vcf.gz.tbi").read_bytes() == (tmp_path / "b.vcf.gz.tbi").read_bytes()
        names = sorted(path.name for path in tmp_path.iterdir())
        assert names == ["a.vcf.gz", "a.vcf.gz.tbi", "b.vcf.gz", "b.vcf.gz.tbi"]

    def test_an_index_for_long_chromosomes(self, tmp_path):
        sites = some_sites()
        far = Sites(
            sites.contig, sites.position + 2**29, *(getattr(sites, x) for x in ("id", "ref", "alt")), {"1": 0, "2": 0}
        )
        for where, kind in ((sites, "tbi"), (far, "csi"), (sites, "tbi")):
            write_vcf(tmp_path / "x.vcf.gz", where, list("abcd"), [some_calls()], True)
            assert sorted(path.name for path in tmp_path.iterdir()) == ["x.vcf.gz", f"x.vcf.gz.{kind}"]
            region = f"1:{where.position[1]}-{where.position[2]}"
            assert len(list(cyvcf2.VCF(str(tmp_path / "x.vcf.gz"))(region))) == 2

    @pytest.mark.parametrize("wrong", [some_calls(5), some_calls(7), some_calls(6, people=3)])
    def test_calls_must_fit(self, tmp_path, wrong):
        with pytest.raises(ValueError, match="calls"):
            write_vcf(tmp_path / "x.vcf.gz", some_sites(), list("abcd"), [wrong], True)
        assert list(tmp_path.iterdir()) == []


class TestCalls:
    alleles = np.array([[[0, 1, 1], [0, 0, 1]], [[1, 0, 0], [1, 1, 0]]], np.int8)

    def test_dosages(self):
        assert Calls(["a", "b"], self.alleles, True).dosages.tolist() == [[0, 1, 2], [2, 1, 0]]

    def test_chunks_are_what_a_vcf_is_written_from(self, tmp_path):
        calls = some_calls(2500)
        held = Calls(list("abcd"), calls.transpose(1, 2, 0), True)
        write_vcf(tmp_path / "x.vcf.gz", some_sites(2500), held.samples, [calls], True)
        write_vcf(tmp_path / "y.vcf.gz", some_sites(2500), held.samples, held.chunks(), True)
        assert (tmp_path / "x.vcf.gz").read_bytes() == (tmp_path / "y.vcf.gz").read_bytes()
