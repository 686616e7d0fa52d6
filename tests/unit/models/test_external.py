"""Cohorts by other tools' conventions: taken where nothing must be guessed, refused with the reason elsewhere."""

import logging
from dataclasses import replace

import numpy as np
import pysam
import pysam.bcftools
import pytest
from bed_reader import to_bed
from hypothesis import given
from hypothesis import strategies as st

from syngeno.data import vcf
from syngeno.data.readers import open_source, write_index
from syngeno.data.store import Sites
from syngeno.errors import BadInput
from syngeno.models.external import adopt, check, labels_of, read

SITES = Sites(
    np.array(["1", "1", "1", "2"]),
    np.array([10, 20, 30, 5]),
    np.full(4, "."),
    np.array(["A", "C", "G", "T"]),
    np.array(["G", "T", "C", "C"]),
    {"1": 1000, "2": 500},
)
RECORDS = [  # contig, position, REF, ALT, genotypes of a, b, c
    ("1", 10, "A", "G", "0|1 1|1 0|0"),
    ("1", 20, "C", "T", "0|0 1|0 0|1"),
    ("1", 30, "G", "C", "1|1 0|0 0|1"),
    ("2", 5, "T", "C", "0|0 0|0 1|0"),
]
DOSAGES = [[1, 0, 2, 0], [2, 1, 0, 0], [0, 1, 1, 1]]
HEAD = '##fileformat=VCFv4.2\n##FORMAT=<ID=GT,Number=1,Type=String,Description="Genotype">\n'


def write(path, records=RECORDS, samples="a b c", prefix=""):
    """A plain VCF by hand."""
    contigs = "".join(f"##contig=<ID={prefix}{name}>\n" for name in (1, 2, 3))
    lines = [HEAD + contigs + "\t".join(["#CHROM POS ID REF ALT QUAL FILTER INFO FORMAT", samples]).replace(" ", "\t")]
    for contig, position, ref, alt, calls in records:
        lines.append(
            "\t".join([f"{prefix}{contig}", str(position), ".", ref, alt, ".", ".", ".", "GT", *calls.split()])
        )
    path.write_text("\n".join(lines) + "\n")
    return path


def indexed(path):
    """RECORDS, compressed and indexed."""
    plain = write(path.with_suffix(".plain"))
    pysam.bcftools.view("-O", "z", "-o", str(path), str(plain), catch_stdout=False)
    write_index(path, path.with_name(f"{path.name}.tbi"))
    return path


def change(index, **values):
    """RECORDS with one of them changed."""
    fields = dict(zip(("contig", "position", "ref", "alt", "calls"), RECORDS[index], strict=True)) | values
    return [*RECORDS[:index], tuple(fields.values()), *RECORDS[index + 1 :]]


class TestReadFiles:
    def test_as_we_write_it(self, tmp_path):
        calls = read([write(tmp_path / "x.vcf")], SITES).calls
        assert calls.samples == ["a", "b", "c"]
        assert calls.dosages.tolist() == DOSAGES
        assert calls.phased
        assert calls.alleles[1].tolist() == [[1, 1, 0, 0], [1, 0, 0, 0]]

    @given(st.permutations(RECORDS))
    def test_prefix_and_order(self, tmp_path_factory, records):
        path = write(tmp_path_factory.mktemp("x") / "x.vcf", records, prefix="chr")
        assert read([path], SITES).calls.dosages.tolist() == DOSAGES

    @pytest.mark.parametrize("suffix", [".vcf.gz", ".bcf"])
    def test_compressed(self, tmp_path, suffix):
        plain, path = write(tmp_path / "x.vcf"), tmp_path / f"x{suffix}"
        pysam.bcftools.view("-O", "z" if suffix == ".vcf.gz" else "b", "-o", str(path), str(plain), catch_stdout=False)
        assert read([path], SITES).calls.dosages.tolist() == DOSAGES

    def test_unphased(self, tmp_path):
        records = [(*record[:4], record[4].replace("|", "/")) for record in RECORDS]
        calls = read([write(tmp_path / "x.vcf", records)], SITES).calls
        assert calls.dosages.tolist() == DOSAGES
        assert not calls.phased

    def test_homozygotes_need_no_phase(self, tmp_path):
        records = [(*site, calls.replace("0|0", "0/0").replace("1|1", "1/1")) for *site, calls in RECORDS]
        assert read([write(tmp_path / "x.vcf", records)], SITES).calls.phased

    def test_a_file_for_each_chromosome_people_in_another_order(self, tmp_path):
        one = write(tmp_path / "1.vcf", RECORDS[:3])
        two = write(tmp_path / "2.vcf", [("2", 5, "T", "C", "1|0 0|0 0|0")], samples="c b a")
        for paths in ([one, two], [two, one]):
            calls = read(paths, SITES).calls
            people = dict(zip(calls.samples, calls.dosages.tolist(), strict=True))
            assert people == dict(zip("abc", DOSAGES, strict=True))

    def test_ref_and_alt_exchanged(self, tmp_path, caplog):
        caplog.set_level(logging.INFO, "syngeno")
        records = change(0, ref="G", alt="A", calls="1|0 0|0 1|1")
        calls = read([write(tmp_path / "x.vcf", records)], SITES).calls
        assert calls.dosages.tolist() == DOSAGES
        assert calls.alleles[0, :, 0].tolist() == [0, 1]
        assert "(1 with REF and ALT exchanged, 0 without ALT), 0 other records" in caplog.text

    @pytest.mark.parametrize(("ref", "dosage"), [("T", 0), ("C", 2)])
    def test_no_alt_where_nobody_carries_one(self, tmp_path, ref, dosage):
        calls = read([write(tmp_path / "x.vcf", change(3, ref=ref, alt=".", calls="0|0 0|0 0|0"))], SITES).calls
        assert calls.dosages[:, 3].tolist() == [dosage] * 3

    def test_other_records_are_ignored_and_counted(self, tmp_path, caplog):
        caplog.set_level(logging.INFO, "syngeno")
        more = [
            ("1", 15, "A", "T", ".|. 0|1 1"),
            ("1", 20, "CT", "C", "0|1 0|0 0|0"),
            ("3", 1, "A", "T", "0|1 0|0 0|0"),
        ]
        assert read([write(tmp_path / "x.vcf", RECORDS + more)], SITES).calls.dosages.tolist() == DOSAGES
        assert "3 other records ignored" in caplog.text


class TestRefusals:
    def refuse(self, tmp_path, records, told, **settings):
        with pytest.raises(BadInput, match=told):
            read([write(tmp_path / "x.vcf", records, **settings)], SITES)

    def test_a_subset_of_sites(self, tmp_path):
        told = r"x.vcf: lacks 2 of the cohort's 4 sites \(first 1:20 C>T\); give all sites"
        self.refuse(tmp_path, [RECORDS[0], RECORDS[3]], told)

    def test_a_chromosome_is_lacking(self, tmp_path):
        self.refuse(tmp_path, RECORDS[:3], r"lacks 1 of the cohort's 4.*2:5 T>C; nothing at all of chromosome 2\)")

    def test_another_build(self, tmp_path):
        records = [(contig, position + 3, *rest) for contig, position, *rest in RECORDS]
        told = r"none of the cohort's 4 sites \(its first is chr1:13 A>G, the cohort's 1:10 A>G\).*genome build"
        self.refuse(tmp_path, records, told, prefix="chr")

    def test_no_records(self, tmp_path):
        self.refuse(tmp_path, [], "its first is none")

    def test_other_alleles(self, tmp_path):
        told = r"lacks 1 .*1 of them because its alleles are others \(first 1:20 C>T, where it has C>A\); give the al"
        self.refuse(tmp_path, change(1, alt="A"), told)

    def test_the_other_strand(self, tmp_path):
        told = r"1:20 C>T, where it has G>A\); they are those of the other strand"
        self.refuse(tmp_path, change(1, ref="G", alt="A"), told)

    def test_multiallelic(self, tmp_path):
        self.refuse(tmp_path, change(1, alt="T,A"), r"where it has C>T,A\); split multiallelic records")

    def test_a_site_twice(self, tmp_path):
        self.refuse(tmp_path, [*RECORDS, RECORDS[1]], "holds the site 1:20 C>T twice")

    def test_a_site_in_two_files(self, tmp_path):
        one, two = write(tmp_path / "1.vcf"), write(tmp_path / "2.vcf", RECORDS[3:])
        with pytest.raises(BadInput, match=r"2.vcf: holds the site 2:5 T>C twice"):
            read([one, two], SITES)

    @pytest.mark.parametrize(
        ("calls", "told"),
        [
            ("0|1 .|. 0|0", "1:20: 1 calls are missing"),
            ("0|1 1 0|0", r"1 of 3 samples have no diploid call at 1:20 \(b has 1 allele\)"),
            ("0 1 0", "3 of 3 samples have no diploid call at 1:20"),
            ("0|1 0|2 0|0", "a call at 1:20 names an allele that its record does not have"),
        ],
    )
    def test_calls(self, tmp_path, calls, told):
        self.refuse(tmp_path, change(1, calls=calls), told)

    def test_other_people_in_the_second_file(self, tmp_path):
        one, two = write(tmp_path / "1.vcf", RECORDS[:3]), write(tmp_path / "2.vcf", RECORDS[3:], samples="a b d")
        with pytest.raises(BadInput, match=r"2.vcf: holds other samples than .*1.vcf \(2 are in one only: c, d\)"):
            read([one, two], SITES)

    def test_one_person(self, tmp_path):
        records = [(*record[:4], record[4].split()[0]) for record in RECORDS]
        self.refuse(tmp_path, records, "holds one sample", samples="a")

    def test_no_such_file(self, tmp_path):
        with pytest.raises(BadInput, match="no such file"):
            read([tmp_path / "none.vcf"], SITES)

    def test_what_is_no_vcf_and_what_breaks_off(self, tmp_path):
        (tmp_path / "text").write_text("hello\n")
        with pytest.raises(BadInput, match="cannot be read as a VCF"):
            read([tmp_path / "text"], SITES)
        calls = np.random.default_rng(1).integers(0, 2, (3000, 4, 2)).astype(np.int8)
        names = [np.full(3000, letter) for letter in "1.AG"]
        sites = Sites(names[0], np.arange(1, 3001), *names[1:], {"1": 0})
        vcf.write_vcf(tmp_path / "cut.vcf.gz", sites, list("abcd"), [calls], True)
        (tmp_path / "cut.vcf.gz").write_bytes((tmp_path / "cut.vcf.gz").read_bytes()[:12_000])
        with pytest.raises(BadInput):
            read([tmp_path / "cut.vcf.gz"], sites)


class TestLabelsOf:
    @pytest.fixture
    def table(self, tmp_path):
        path = tmp_path / "labels.tsv"
        path.write_text("sample\tpopulation\tcase\nc\tY\t1\nb\tX\t0\na\tX\t1\nd\tZ\t0\n")
        return path

    def test_by_id_whatever_the_order(self, table):
        assert labels_of(["a", "b", "c"], "x.vcf", table, "population", ["X", "Y"]).tolist() == ["X", "X", "Y"]

    def test_several_columns(self, table):
        label = labels_of(["c", "b"], "x.vcf", table, ["population", "case"], ["X|0", "Y|1"])
        assert label.tolist() == ["Y|1", "X|0"]

    def test_people_without_label(self, table):
        with pytest.raises(BadInput, match=r"labels.tsv: has no row for 1 of the 2 samples of x.vcf \(e\)"):
            labels_of(["a", "e"], "x.vcf", table, "population", ["X"])

    def test_unknown_labels(self, table):
        told = r"gives 1 samples labels that the real samples do not have \(Y\); use theirs, .*: W, X"
        with pytest.raises(BadInput, match=told):
            labels_of(["a", "c"], "x.vcf", table, "population", ["X", "W"])


class TestAdopt:
    def test_calls_and_labels(self, tmp_path, caplog):
        labels = tmp_path / "labels.tsv"
        labels.write_text("sample\tpopulation\nc\tY\nb\tX\na\tX\n")
        calls, label = adopt(write(tmp_path / "x.vcf"), labels, "population", SITES, ["X", "Y"], ["r1", "r2"])
        assert calls.dosages.tolist() == DOSAGES
        assert label.tolist() == ["X", "X", "Y"]
        assert not caplog.records

    def test_people_called_like_real_ones_are_refused(self, tmp_path):
        labels = tmp_path / "labels.tsv"
        labels.write_text("sample\tpopulation\na\tX\nb\tX\nc\tX\n")
        with pytest.raises(BadInput, match="1 of 3 samples have ids of real samples"):
            adopt([write(tmp_path / "x.vcf")], labels, "population", SITES, ["X"], ["c", "r2"])


def plink(path, contig="1", ref="ACGT", alt="GTCC"):
    """RECORDS as a PLINK fileset, whose A1 is ALT."""
    properties = {
        "iid": list("abc"),
        "chromosome": [contig] * 3 + ["2"],
        "bp_position": [10, 20, 30, 5],
        "allele_1": list(alt),
        "allele_2": list(ref),
    }
    to_bed(path, np.array(DOSAGES, np.int8), properties=properties)
    return path


class TestPlink:
    def test_read(self, tmp_path):
        calls = read([plink(tmp_path / "x.bed", "chr1")], SITES).calls
        assert calls.samples == ["a", "b", "c"]
        assert calls.dosages.tolist() == DOSAGES
        assert not calls.phased

    def test_a_site_without_a1(self, tmp_path):
        path = plink(tmp_path / "x.bed")
        path.with_suffix(".bim").write_text(path.with_suffix(".bim").read_text().replace("\tG\tA", "\t0\tA"))
        found = read([path], SITES)
        assert found.bare.tolist() == [True, False, False, False]

    def test_other_sites(self, tmp_path):
        told = r"x\.bed: holds none of the cohort's 4 sites \(its first is 7:10 A>G, .*1:10 A>G\)"
        with pytest.raises(BadInput, match=told):
            read(
                [plink(tmp_path / "x.bed", "7", ref="ACGA", alt="GTCG")], replace(SITES, contig=np.array(list("1113")))
            )


class TestPadding:
    @pytest.mark.parametrize("suffix", [".vcf", ".bcf"])
    def test_is_no_allele(self, tmp_path, suffix):
        records = [*RECORDS[:1], ("1", 15, "A", "T", "0|1|1 0|0 0|0"), *RECORDS[1:]]
        plain, path = write(tmp_path / "x.vcf", records), tmp_path / f"x{suffix}"
        if suffix == ".bcf":
            pysam.bcftools.view("-Ob", "-o", str(path), str(plain), catch_stdout=False)
        calls = read([path], SITES).calls
        assert calls.dosages.tolist() == DOSAGES
        assert calls.phased


class TestPhaseSets:
    @pytest.mark.parametrize(("block", "phased"), [(1, True), (2, False)])
    def test_blocks_are_no_phase(self, tmp_path, block, phased):
        blocks = zip(RECORDS, (1, block, 1, 1), strict=True)
        records = [(*row[:4], " ".join(f"{call}:{here}" for call in row[4].split())) for row, here in blocks]
        path = write(tmp_path / "x.vcf", records)
        ps = '##FORMAT=<ID=PS,Number=1,Type=Integer,Description="P">\n'
        path.write_text(path.read_text().replace("##contig", ps + "##contig", 1).replace("\tGT\t", "\tGT:PS\t"))
        assert read([path], SITES).calls.phased == phased


class TestEncodings:
    def test_a_letter_of_an_older_tool(self, tmp_path):
        path = write(tmp_path / "x.vcf")
        path.write_bytes(path.read_text().replace("##contig", "##source=Zürich\n##contig", 1).encode("latin-1"))
        assert read([path], SITES).calls.dosages.tolist() == DOSAGES

    @pytest.mark.parametrize("bgzipped", [False, True])
    def test_leading_phase_marks(self, tmp_path, bgzipped):
        path = write(tmp_path / "x.vcf", change(1, calls="|0|0 |1|0 |0|1"))
        path.write_text(path.read_text().replace("VCFv4.2", "VCFv4.4"))
        if bgzipped:
            pysam.tabix_compress(str(path), f"{path}.gz")
            path = f"{path}.gz"
        with pytest.raises(BadInput, match=r"after 1:10, perhaps for leading phase marks .*sed"):
            read([path], SITES)

    def test_blanks_around_ids(self, tmp_path):
        assert read([write(tmp_path / "x.vcf", samples="a b c")], SITES).calls.samples == ["a", "b", "c"]
        path = write(tmp_path / "y.vcf")
        path.write_text(path.read_text().replace("\ta\tb\tc\n", "\ta \tb \tc \n"))
        assert read([path], SITES).calls.samples == ["a", "b", "c"]


class TestNames:
    def test_x_by_the_number_of_plink(self, tmp_path):
        sites = replace(SITES, contig=np.array(["X", "X", "X", "22"]))
        records = [("23" if contig == "1" else "22", *rest) for contig, *rest in RECORDS]
        path = write(tmp_path / "x.vcf", records)
        path.write_text(path.read_text().replace("##contig=<ID=1>", "##contig=<ID=22>\n##contig=<ID=23>"))
        assert read([path], sites).calls.dosages.tolist() == DOSAGES


class TestCheck:
    @pytest.fixture
    def labels(self, tmp_path):
        (tmp_path / "labels.tsv").write_text("sample\tpopulation\na\tX\nb\tX\nc\tY\n")
        return tmp_path / "labels.tsv"

    def check(self, path, labels, column="population", known="XY", real=("r",), kind="vcf"):
        folder = path.parent / "real"
        folder.mkdir(exist_ok=True)
        files = open_source(plink(folder / "x.bed")) if kind == "bed" else open_source(indexed(folder / "x.vcf.gz"))
        return check([path], labels, column, ["1", "2"], known, real, [files])

    def test_samples(self, tmp_path, labels):
        assert self.check(write(tmp_path / "x.vcf"), labels) == ["a", "b", "c"]
        assert self.check(plink(tmp_path / "x.bed"), labels) == ["a", "b", "c"]

    def test_faults(self, tmp_path, labels):
        path = write(tmp_path / "x.vcf")
        with pytest.raises(BadInput, match="ids of real samples"):
            self.check(path, labels, real=["b"])
        with pytest.raises(BadInput, match="labels that the real samples do not have"):
            self.check(path, labels, known="X")
        with pytest.raises(BadInput, match=r"has no samples of W, Z, whose .*; name the labels that it has in `sample"):
            self.check(path, labels, known="WXYZ")
        with pytest.raises(BadInput, match=r"no column `pop` .*; name its columns as those of the cohort's `label`"):
            self.check(path, labels, column="pop")
        with pytest.raises(BadInput, match="calls are missing"):
            self.check(write(tmp_path / "y.vcf", change(0, calls="0|1 .|. 0|0")), labels)

    @pytest.mark.parametrize("kind", ["vcf", "bed"])
    def test_another_build(self, tmp_path, labels, kind):
        """One of the cohort's sites is enough; the others are found missing once the cohort is prepared."""
        moved = [(contig, position + 1, *rest) for contig, position, *rest in RECORDS]
        with pytest.raises(BadInput, match=r"x\.vcf: holds none of the cohort's sites \(its first is 1:11\)"):
            self.check(write(tmp_path / "x.vcf", moved), labels, kind=kind)
        found = self.check(write(tmp_path / "x.vcf", [*moved[:3], RECORDS[3]], prefix="chr"), labels, kind=kind)
        assert found == ["a", "b", "c"]

    def test_other_chromosomes_are_not_judged(self, tmp_path, labels):
        records = [("3", 1, "A", "C", "0 1 1"), *RECORDS]
        assert self.check(write(tmp_path / "x.vcf", records), labels) == ["a", "b", "c"]
        with pytest.raises(BadInput, match=r"y\.vcf: holds nothing on the cohort's chromosomes \(1, 2\)"):
            self.check(write(tmp_path / "y.vcf", records[:1]), labels)
