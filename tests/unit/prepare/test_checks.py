import json

import numpy as np
import pysam
import pytest
from bed_reader import to_bed

from syngeno import logs
from syngeno.data import readers
from syngeno.errors import BadInput
from syngeno.prepare import checks


def vcf(path, contigs=("1", "2"), samples="abcd", call="0|1", index=True, length=True):
    """One A>C variant at position 10 of each contig, everybody with the same call."""
    lines = ["##fileformat=VCFv4.2", '##FORMAT=<ID=GT,Number=1,Type=String,Description="Genotype">']
    lines += [f"##contig=<ID={contig}{',length=99' * length}>" for contig in contigs]
    lines += ["\t".join(["#CHROM", "POS", "ID", "REF", "ALT", "QUAL", "FILTER", "INFO", "FORMAT", *samples])]
    lines += ["\t".join([c, "10", ".", "A", "C", ".", ".", ".", "GT"] + [call] * len(samples)) for c in contigs]
    with pysam.BGZFile(str(path), "w") as file:
        file.write(("\n".join(lines) + "\n").encode())
    if index:
        pysam.tabix_index(str(path), preset="vcf", force=True)
    return path


@pytest.fixture
def check(tmp_path):
    """`inputs.check` with a table of labels for the given samples."""

    def run(paths, people="abcd", **options):
        labels = tmp_path / "samples.tsv"
        labels.write_text("sample\tpopulation\n" + "".join(f"{sample}\tP\n" for sample in people))
        return checks.check(paths, labels, "population", index_folder=tmp_path / "indices", **options)

    return run


def genes(path, contig):
    path.write_text(f"{contig}\t0\t50\tgene\n")
    return path


class TestCheck:
    def test_one_file(self, tmp_path, check):
        path = vcf(tmp_path / "x.vcf.gz")
        assert check([path]) == {
            "contigs": ["1", "2"],
            "samples": ["a", "b", "c", "d"],
            "contig_lengths": {"1": 99, "2": 99},
            "left_out": {"contigs": {}, "samples": []},
            "sources": [{"path": str(path), "index": f"{path}.tbi"}],
            "synthetic_prefix": "SYN",
            "unphased": [],
            "to_phase": [],
        }

    def test_fit_for_json(self, tmp_path, check):
        found = check([vcf(tmp_path / "x.vcf.gz")])
        assert json.loads(json.dumps(found)) == found

    def test_index_is_made_elsewhere(self, tmp_path, check):
        path = vcf(tmp_path / "x.vcf.gz", index=False)
        (source,) = check([path])["sources"]
        assert source["index"] == str(tmp_path / "indices" / "0.x.vcf.gz.csi")
        assert len(list(readers.open_source(**source).records("2"))) == 1

    def test_files_of_one_name(self, tmp_path, check):
        paths = []
        for contig in "12":
            (tmp_path / contig).mkdir()
            paths.append(vcf(tmp_path / contig / "x.vcf.gz", [contig], index=False))
        found = check(paths)
        assert [len(list(readers.open_source(**source).records("2"))) for source in found["sources"]] == [
            0,
            1,
        ]

    def test_contigs_in_order(self, tmp_path, check):
        paths = [vcf(tmp_path / f"{c}.vcf.gz", [c]) for c in ("chr10", "chrX", "chr2", "scaffold", "chrM", "chr1")]
        found = check(paths)
        assert found["contigs"] == ["chr1", "chr2", "chr10", "chrX", "scaffold"]
        assert found["left_out"]["contigs"] == {"chrM": 1}

    def test_one_contig_in_two_spellings(self, tmp_path, check):
        found = check([vcf(tmp_path / "x.vcf.gz", ["1"], length=False), vcf(tmp_path / "y.vcf.gz", ["chr1"])])
        assert found["contigs"] == ["1"]
        assert found["contig_lengths"] == {"1": 99}

    def test_unknown_length_is_zero(self, tmp_path, check):
        assert check([vcf(tmp_path / "x.vcf.gz", ["1"], length=False)])["contig_lengths"] == {"1": 0}

    def test_plink(self, tmp_path, check):
        names = {
            "iid": list("abcd"),
            "chromosome": ["1"],
            "bp_position": [5],
            "allele_1": ["A"],
            "allele_2": ["C"],
        }
        to_bed(tmp_path / "x.bed", np.zeros((4, 1), np.int8), properties=names)
        found = check([tmp_path / "x.bed"])
        assert found["sources"] == [{"path": str(tmp_path / "x.bed"), "index": None}]
        assert found["contigs"] == ["1"]

    def test_other_order_of_people(self, tmp_path, check):
        paths = [vcf(tmp_path / "x.vcf.gz", ["1"], "cdab"), vcf(tmp_path / "y.vcf.gz", ["2"], "abcd")]
        assert check(paths)["samples"] == list("cdab")

    def test_other_people(self, tmp_path, check):
        paths = [vcf(tmp_path / "x.vcf.gz", ["1"], "abcd"), vcf(tmp_path / "y.vcf.gz", ["2"], "bcde")]
        with pytest.raises(
            BadInput, match=r"y.vcf.gz: lacks 1 samples of .*x.vcf.gz and has 1 others.*samples: intersect"
        ):
            check(paths)
        assert check(paths, intersect=True)["samples"] == list("bcd")

    def test_no_person_in_all(self, tmp_path, check):
        paths = [vcf(tmp_path / "x.vcf.gz", ["1"], "ab"), vcf(tmp_path / "y.vcf.gz", ["2"], "cd")]
        with pytest.raises(BadInput, match="no sample is in all"):
            check(paths, intersect=True)

    def test_labels_of_others(self, tmp_path, check):
        path = vcf(tmp_path / "x.vcf.gz")
        with pytest.raises(BadInput, match=r"samples.tsv: 1 samples of .* are not here"):
            check([path], people="abce")
        assert check([path], people="abce", intersect=True)["samples"] == list("abc")
        with pytest.raises(BadInput, match="shares no sample id"):
            check([path], people="xyz", intersect=True)

    def test_bad_labels(self, tmp_path):
        with pytest.raises(BadInput, match=r"none.tsv: no such file"):
            checks.check([vcf(tmp_path / "x.vcf.gz")], tmp_path / "none.tsv", "population", index_folder=tmp_path)

    def test_haplotypes_of_a_file_that_is_not_phased(self, tmp_path, check):
        path = vcf(tmp_path / "x.vcf.gz", call="0/1")
        check([path])
        with pytest.raises(BadInput, match=r"x\.vcf\.gz: is not phased at 1:10 \(a\), and a generator"):
            check([path], haplotypes=True)
        check([vcf(tmp_path / "y.vcf.gz", call="0|1")], haplotypes=True)

    def test_chromosomes(self, tmp_path, check):
        path = vcf(tmp_path / "x.vcf.gz", ["chr1", "chr2", "chrX"])
        assert check([path], chromosomes=[2, "chr1"])["contigs"] == ["chr1", "chr2"]
        with pytest.raises(BadInput, match=r"chromosomes: Y, 7 is not among .* \(chr1, chr2, chrX\)"):
            check([path], chromosomes=["Y", 7, 1])

    @pytest.mark.parametrize("name", ["1", "chr1"])
    def test_genes(self, tmp_path, check, name):
        found = check([vcf(tmp_path / "x.vcf.gz")], genes=genes(tmp_path / "genes.bed", name))
        assert found["contigs"] == ["1", "2"]

    def test_genes_elsewhere(self, tmp_path, check):
        with pytest.raises(BadInput, match=r"genes.bed: shares no contig .* \(NC_1 against 1, 2\)"):
            check([vcf(tmp_path / "x.vcf.gz")], genes=genes(tmp_path / "genes.bed", "NC_1"))

    def test_no_genes_file(self, tmp_path, check):
        with pytest.raises(BadInput, match=r"none.bed"):
            check([vcf(tmp_path / "x.vcf.gz")], genes=tmp_path / r"none.bed")

    @pytest.mark.parametrize("name", ["none.vcf.gz", r"none.bed"])
    def test_missing_file(self, tmp_path, check, name):
        with pytest.raises(BadInput, match=f"{name}: no such file"):
            check([tmp_path / name])

    def test_no_variants(self, tmp_path, check):
        with pytest.raises(BadInput, match="holds no variants"):
            check([vcf(tmp_path / "x.vcf.gz", [])])

    def test_haploid_is_seen_at_once(self, tmp_path, check):
        with pytest.raises(BadInput, match=r"4 of 4 samples have no diploid call at 1:10 \(a has 1 allele\)"):
            check([vcf(tmp_path / "x.vcf.gz", call="1")])

    def test_a_genetic_map_of_other_chromosomes(self, tmp_path, check):
        (tmp_path / "map.tsv").write_text("chr\tpos\tcM\nchr1\t1\t0\nchr1\t90\t1\n")
        with pytest.raises(BadInput, match=r"map\.tsv"):
            check([vcf(tmp_path / "x.vcf.gz")], genetic_map=tmp_path / "map.tsv")
        check([vcf(tmp_path / "y.vcf.gz", contigs=("1",))], genetic_map=tmp_path / "map.tsv")


def plink(path, contigs, calls, samples="abcd", **columns):
    """One A>C variant at position 10 of each contig, with dosages int8 (samples, contigs)."""
    count = len(contigs)
    properties = {
        "iid": list(samples),
        "chromosome": list(contigs),
        "bp_position": [10] * count,
        "allele_1": ["C"] * count,
        "allele_2": ["A"] * count,
    }
    to_bed(path, np.array(calls, np.int8), properties=properties | columns)
    return path


class TestSexChromosomes:
    MIXED = ((1, 0, 2, 2), (1, 2, 0, 2), (1, 1, 2, 0), (1, 1, 2, 2))  # of 1, X, Y and MT; `a` and `b` have one X

    @pytest.mark.parametrize("names", [("1", "23", "24", "26"), ("chr1", "chrX", "chrY", "chrM")])
    def test_left_out_and_counted(self, tmp_path, check, names, caplog):
        path = plink(tmp_path / "x.bed", names, self.MIXED)
        found = check([path])
        assert found["contigs"] == [names[0]]
        assert found["left_out"]["contigs"] == dict.fromkeys(names[1:], 1)
        assert f"1 variants of chromosome {names[1]}: 2 of 4 samples seem to have one copy of it (a, b)" in caplog.text
        assert check([path], people="cd", intersect=True)["contigs"] == list(names[:2])

    @pytest.mark.parametrize("name", ["X", "23", "chrX", 23])
    def test_asked_for(self, tmp_path, check, name):
        path = plink(tmp_path / "x.bed", ("1", "23", "24", "26"), self.MIXED)
        with pytest.raises(BadInput, match=r"chromosomes: chromosome 23 cannot be taken: 2 of 4 .*; take autosomes"):
            check([path], chromosomes=[name])
        assert check([path], chromosomes=[name], people="cd", intersect=True)["contigs"] == ["23"]

    def test_nothing_else(self, tmp_path, check):
        with pytest.raises(BadInput, match=r"x\.vcf\.gz: chromosome chrM cannot be taken: mitochondria"):
            check([vcf(tmp_path / "x.vcf.gz", ["chrM"])])

    @pytest.mark.parametrize("call", ["1", "0/0"])
    def test_vcf(self, tmp_path, check, call):
        found = check([vcf(tmp_path / "x.vcf.gz", ["X"], call=call), vcf(tmp_path / "y.vcf.gz", ["1"])])
        assert found["contigs"] == ["1"]

    def test_unplaced(self, tmp_path, check):
        found = check([plink(tmp_path / "x.bed", ("0", "1"), [[1, 1]] * 4)])
        assert (found["contigs"], found["left_out"]["contigs"]) == (["1"], {"0": 1})

    def test_two_names_of_what_is_left_out(self, tmp_path, check):
        found = check([vcf(tmp_path / "x.vcf.gz", ["1", "PAR1", "chrXY"])])
        assert found["left_out"]["contigs"] == {"PAR1": 2}

    def test_two_names_of_one(self, tmp_path, check):
        found = check([plink(tmp_path / "x.bed", ["23"], [[1]] * 4), vcf(tmp_path / "y.vcf.gz", ["chrX"])])
        assert found["contigs"] == ["23"]
        with pytest.raises(BadInput, match=r"spells contig X in two ways \(23, X\)"):
            check([vcf(tmp_path / "z.vcf.gz", ["23", "X"])])

    def test_cattle(self, tmp_path, check):
        path = plink(tmp_path / "x.bed", ("23", "24", "29"), [[0, 0, 0]] * 4)
        assert check([path])["contigs"] == ["23", "24", "29"]

    def test_cattle_by_the_header(self, tmp_path, check):
        path = vcf(tmp_path / "x.vcf.gz", ["24", "29"])
        lines = pysam.BGZFile(str(path)).read().decode().splitlines()[:-1]
        with pysam.BGZFile(str(path), "w") as file:
            file.write(("\n".join(lines) + "\n").encode())
        pysam.tabix_index(str(path), preset="vcf", force=True)
        assert check([path])["contigs"] == ["24"]


class TestOddContigs:
    def test_what_is_left_out_is_not_judged(self, tmp_path, check):
        path = vcf(tmp_path / "x.vcf.gz", ["1", "scaffold=12", "gi|5|gb|C.2|"])
        assert check([path], chromosomes=[1])["contigs"] == ["1"]
        with pytest.raises(BadInput, match=r"x\.vcf\.gz: has a contig called .*--rename-chrs.*`chromosomes`"):
            check([path])


class TestSampleCallRate:
    FILTER = {"call_rate": 0.9, "sample_call_rate": 0.8}  # noqa: RUF012

    def genotypes(self, tmp_path, missing):
        calls = np.ones((4, 40), np.int8)
        calls[0, :missing] = -127
        columns = {"bp_position": range(1, 41), "allele_1": ["A"] * 40, "allele_2": ["C"] * 40}
        return plink(tmp_path / "x.bed", ["1"] * 40, calls, **columns)

    def test_a_sample_without_calls(self, tmp_path, check, caplog):
        found = check([self.genotypes(tmp_path, 40)], **self.FILTER)
        assert (found["samples"], found["left_out"]["samples"]) == (list("bcd"), ["a"])
        assert "left out: 1 samples called at fewer than 0.8 of the variants: a (0%)" in caplog.text

    @pytest.mark.parametrize(("missing", "kept"), [(0, "abcd"), (8, "abcd"), (9, "bcd")])
    def test_threshold(self, tmp_path, check, missing, kept):
        settings = self.FILTER | {"call_rate": 0}
        assert check([self.genotypes(tmp_path, missing)], **settings)["samples"] == list(kept)

    def test_off(self, tmp_path, check):
        path = self.genotypes(tmp_path, 40)
        assert check([path], call_rate=0.9, sample_call_rate=0)["samples"] == list("abcd")

    def test_variants_that_are_filtered_anyway_do_not_count(self, tmp_path, check):
        calls = np.ones((4, 10), np.int8)
        calls[:2, :5] = -127  # of two of four samples
        columns = {"bp_position": range(1, 11), "allele_1": ["A"] * 10, "allele_2": ["C"] * 10}
        path = plink(tmp_path / "x.bed", ["1"] * 10, calls, **columns)
        assert check([path], **self.FILTER)["samples"] == list("abcd")

    def test_nobody_is_left(self, tmp_path, check):
        path = vcf(tmp_path / "x.vcf.gz", call="./.")
        with pytest.raises(BadInput, match=r"filter\.sample_call_rate: every sample .*80%"):
            check([path], **self.FILTER)


class TestFirstRecords:
    def test_a_call_without_phase_is_named(self, tmp_path, check):
        text = [["0|1"] * 4, ["0|1", "0|1", "0/1", "0|1"]]
        path = tmp_path / "x.vcf.gz"
        vcf(path, ["1"])
        lines = pysam.BGZFile(str(path)).read().decode().splitlines()
        row = lines[-1].split("\t")
        rows = ["\t".join([row[0], str(10 + i), *row[2:9], *calls]) for i, calls in enumerate(text)]
        with pysam.BGZFile(str(path), "w") as file:
            file.write(("\n".join([*lines[:-1], *rows]) + "\n").encode())
        pysam.tabix_index(str(path), preset="vcf", force=True)
        check([path])
        with pytest.raises(BadInput, match=r"is not phased at 1:11 \(c\)"):
            check([path], haplotypes=True)
        check([path], haplotypes=True, people="abd", intersect=True)


class TestPhasedByUs:
    @pytest.fixture
    def beagle(self, monkeypatch):
        """Says whether Beagle is installed."""
        return lambda there: monkeypatch.setattr("syngeno.workflow.tools.available", lambda name: there)

    def test_chromosomes_without_phase(self, tmp_path, check, beagle, caplog):
        paths = [vcf(tmp_path / "x.vcf.gz", ["1"]), vcf(tmp_path / "y.vcf.gz", ["2"], call="0/1")]
        beagle(True)
        caplog.set_level(logs.NOTICE)
        found = check(paths, phasing="auto", haplotypes=True)
        assert found["to_phase"] == found["unphased"] == ["2"]
        assert "y.vcf.gz is not phased, first at 2:10 (a): Beagle phases 1 of 2 chromosomes" in caplog.text
        assert check(paths[:1], phasing="auto")["to_phase"] == []

    def test_without_beagle(self, tmp_path, check, beagle, caplog):
        path = vcf(tmp_path / "x.vcf.gz", call="0/1")
        beagle(False)
        caplog.set_level(logs.NOTICE)
        found = check([path], phasing="auto")
        assert (found["unphased"], found["to_phase"]) == (["1", "2"], [])
        assert "x.vcf.gz is not phased" in caplog.text and "install Beagle" in caplog.text
        with pytest.raises(BadInput, match="is not phased at 1:10"):
            check([path], phasing="auto", haplotypes=True)
        with pytest.raises(BadInput, match="beagle: is not installed"):
            check([path], phasing="always")

    def test_asked_for(self, tmp_path, check, beagle):
        beagle(True)
        assert check([vcf(tmp_path / "x.vcf.gz")], phasing="always")["to_phase"] == ["1", "2"]
        assert check([vcf(tmp_path / "y.vcf.gz", call="0/1")], phasing="never")["to_phase"] == []


class TestSyntheticPrefix:
    def test_also_samples_that_are_left_out(self, tmp_path, check):
        path = vcf(tmp_path / "x.vcf.gz", samples=["a", "SYN000001", "b"])
        assert check([path], people="ab", intersect=True)["synthetic_prefix"] == "SYN1_"
