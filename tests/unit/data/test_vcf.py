import gzip

import cyvcf2
import numpy as np
import pysam
import pysam.bcftools
import pytest

from syngeno.data.store import Sites
from syngeno.data.vcf import Calls, read_calls, synthetic_ids, write_vcf
from syngeno.errors import BadInput


def some_sites(n=6):
    contig = np.array(["1"] * (n - 2) + ["2"] * 2)
    ids = np.array([".", ""] + [f"rs{i}" for i in range(n - 2)])
    position = np.concatenate([np.arange(10, 10 * (n - 1), 10), [5, 7]])
    return Sites(contig, position, ids, np.full(n, "A"), np.full(n, "G"), {"1": 1000, "2": 0})


def some_calls(n=6, people=4, seed=1):
    return np.random.default_rng(seed).integers(0, 2, (n, people, 2)).astype(np.int8)


def write(path, calls, sites=None, phased=True, **options):
    samples = synthetic_ids(calls.shape[1])
    write_vcf(path, sites or some_sites(len(calls)), samples, iter([calls[:2], calls[2:]]), phased, **options)
    return path


class TestSyntheticIds:
    def test_numbered(self):
        assert synthetic_ids(2) == ["SYN000001", "SYN000002"]
        assert synthetic_ids(0) == []


class TestWriteVcf:
    def test_text(self, tmp_path):
        calls = np.array([[[0, 1], [1, 1]], [[0, 0], [1, 0]], [[-1, -1], [-1, -1]]], np.int8)
        sites = Sites(
            *(np.array(x) for x in (["1"] * 3, [3, 4, 9], ["rs1", "", "."], ["A", "C", "G"], ["T", "G", "A"])),
            {"1": 50, "2": 0},
        )
        path = tmp_path / "x.vcf.gz"
        write_vcf(path, sites, ["s", "t"], [calls], True, header_lines=["##made=here"])
        lines = gzip.decompress(path.read_bytes()).decode().splitlines()
        assert lines[0] == "##fileformat=VCFv4.2"
        assert {"##source=syngeno", "##contig=<ID=1,length=50>", "##contig=<ID=2>", "##made=here"} < set(lines)
        assert lines[-4:] == [
            "#CHROM\tPOS\tID\tREF\tALT\tQUAL\tFILTER\tINFO\tFORMAT\ts\tt",
            "1\t3\trs1\tA\tT\t.\tPASS\tAC=3;AN=4;AF=0.75\tGT\t0|1\t1|1",
            "1\t4\t.\tC\tG\t.\tPASS\tAC=1;AN=4;AF=0.25\tGT\t0|0\t1|0",
            "1\t9\t.\tG\tA\t.\tPASS\tAC=0;AN=0;AF=.\tGT\t.|.\t.|.",
        ]

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

    @pytest.mark.parametrize("wrong", [some_calls(5), some_calls(7), some_calls(6, people=3)])
    def test_calls_must_fit(self, tmp_path, wrong):
        with pytest.raises(ValueError, match="calls"):
            write_vcf(tmp_path / "x.vcf.gz", some_sites(), list("abcd"), [wrong], True)
        assert list(tmp_path.iterdir()) == []

    def test_header_lines_must_be_header_lines(self, tmp_path):
        with pytest.raises(ValueError, match="header lines"):
            write(tmp_path / "x.vcf.gz", some_calls(), header_lines=["#CHROM"])


class TestCalls:
    alleles = np.array([[[0, 1, 1], [0, 0, 1]], [[1, 0, 0], [1, 1, 0]]], np.int8)

    def test_dosages(self):
        assert Calls(["a", "b"], self.alleles, True).dosages.tolist() == [[0, 1, 2], [2, 1, 0]]

    def test_take(self):
        taken = Calls(["a", "b"], self.alleles, True).take([1])
        assert taken.samples == ["b"]
        assert (taken.alleles == self.alleles[1:]).all()

    def test_chunks_are_what_a_vcf_is_written_from(self, tmp_path):
        calls = some_calls(2500)
        write_vcf(tmp_path / "x.vcf.gz", some_sites(2500), list("abcd"), [calls], True)
        read = read_calls(tmp_path / "x.vcf.gz", some_sites(2500))
        write_vcf(tmp_path / "y.vcf.gz", some_sites(2500), read.samples, read.chunks(), True)
        assert (tmp_path / "x.vcf.gz").read_bytes() == (tmp_path / "y.vcf.gz").read_bytes()


class TestReadCalls:
    @pytest.mark.parametrize("suffix", [".vcf.gz", ".vcf", ".bcf"])
    def test_round_trip(self, tmp_path, suffix):
        calls = some_calls()
        path = write(tmp_path / "x.vcf.gz", calls)
        if suffix != ".vcf.gz":
            other = tmp_path / f"x{suffix}"
            pysam.bcftools.view("-O", suffix[1], "-o", str(other), str(path), catch_stdout=False)
            path = other
        read = read_calls(path, some_sites())
        assert read.alleles.dtype == np.int8
        assert read.alleles.flags.c_contiguous
        assert (read.alleles == calls.transpose(1, 2, 0)).all()
        assert read.samples == synthetic_ids(4)
        assert read.phased

    def test_unphased_heterozygotes(self, tmp_path):
        calls = some_calls()
        read = read_calls(write(tmp_path / "x.vcf.gz", calls, phased=False), some_sites())
        assert not read.phased
        assert (read.dosages == calls.sum(axis=2).T).all()

    def test_homozygotes_need_no_phase(self, tmp_path):
        calls = np.repeat(some_calls()[:, :, :1], 2, axis=2)
        assert read_calls(write(tmp_path / "x.vcf.gz", calls, phased=False), some_sites()).phased

    def test_order_and_chr_do_not_matter(self, tmp_path):
        calls, sites = some_calls(), some_sites()
        path = write(tmp_path / "x.vcf.gz", calls)
        turned = [values[::-1] for values in (sites.position, sites.id, sites.ref, sites.alt)]
        contig = np.array([f"chr{name}" for name in sites.contig[::-1]])
        read = read_calls(path, Sites(contig, *turned, {"chr1": 0, "chr2": 0}))
        assert (read.alleles == calls.transpose(1, 2, 0)[:, :, ::-1]).all()

    def test_other_sites(self, tmp_path):
        sites = some_sites()
        path = write(tmp_path / "x.vcf.gz", some_calls())
        swapped = Sites(sites.contig, sites.position, sites.id, sites.alt, sites.ref, {})
        with pytest.raises(BadInput, match=r"lacks 6 .*first 1:10 G>A.*has 6 records.*first 1:10 A>G"):
            read_calls(path, swapped)
        fewer = Sites(*(v[:5] for v in (sites.contig, sites.position, sites.id, sites.ref, sites.alt)), {})
        with pytest.raises(BadInput, match=r"x.vcf.gz: has 1 records that the cohort has not.*2:7 A>G"):
            read_calls(path, fewer)

    def test_missing_calls(self, tmp_path):
        calls = some_calls()
        calls[3, 1] = calls[3, 2, 0] = -1
        with pytest.raises(BadInput, match="1:40: 2 calls are missing"):
            read_calls(write(tmp_path / "x.vcf.gz", calls), some_sites())

    def test_haploid_calls(self, tmp_path):
        path = tmp_path / "x.vcf"
        head = '##fileformat=VCFv4.2\n##contig=<ID=1>\n##FORMAT=<ID=GT,Number=1,Type=String,Description="G">\n'
        columns = "#CHROM\tPOS\tID\tREF\tALT\tQUAL\tFILTER\tINFO\tFORMAT\ta\tb\n"
        path.write_text(f"{head}{columns}1\t10\t.\tA\tG\t.\t.\t.\tGT\t0|1\t1\n")
        with pytest.raises(BadInput, match="not diploid"):
            read_calls(path, some_sites())

    def test_no_vcf(self, tmp_path):
        with pytest.raises(BadInput, match="no such file"):
            read_calls(tmp_path / "none.vcf.gz", some_sites())
        (tmp_path / "text").write_text("hello\n")
        with pytest.raises(BadInput, match="cannot be read"):
            read_calls(tmp_path / "text", some_sites())

    def test_truncated(self, tmp_path):
        path = write(tmp_path / "x.vcf.gz", some_calls(3000), sites=some_sites(3000))
        path.write_bytes(path.read_bytes()[:12_000])
        with pytest.raises(BadInput):
            read_calls(path, some_sites(3000))

    def test_an_allele_that_is_not_there(self, tmp_path):
        path = write(tmp_path / "x.vcf.gz", some_calls())
        text = gzip.decompress(path.read_bytes()).decode().replace("0|1", "0|2").replace("1|1", "1|2")
        (tmp_path / "y.vcf").write_text(text)
        with pytest.raises(BadInput, match="names an allele that is not there"):
            read_calls(tmp_path / "y.vcf", some_sites())
