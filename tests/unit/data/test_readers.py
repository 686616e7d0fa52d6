import gzip
import re
import shutil

import numpy as np
import pysam
import pysam.bcftools
import pytest
from bed_reader import open_bed, to_bed
from hypothesis import given
from hypothesis import strategies as st

from syngeno.data import plink, readers
from syngeno.data.records import NotDiploid, index_beside, normal_contig, normal_contigs, spellings
from syngeno.errors import BadInput

HEADER = """\
##fileformat=VCFv4.2
##contig=<ID=1,length=1000>
##contig=<ID=2,length=900>
##contig=<ID=empty,length=9>
##FORMAT=<ID=GT,Number=1,Type=String,Description="Genotype">
##FORMAT=<ID=DP,Number=1,Type=Integer,Description="Depth">
#CHROM\tPOS\tID\tREF\tALT\tQUAL\tFILTER\tINFO\tFORMAT\t"""


def line(contig, position, ref, alt, *calls, form="GT", name="."):
    return "\t".join([contig, str(position), name, ref, alt, ".", ".", ".", form, *calls])


def vcf(path, lines, samples=("a", "b", "c"), header=HEADER, index=True):
    with pysam.BGZFile(str(path), "w") as file:
        file.write((header + "\t".join(samples) + "\n" + "".join(f"{text}\n" for text in lines)).encode())
    if index:
        pysam.tabix_index(str(path), preset="vcf", force=True)
    return path


def records(path, contig="1", index=None):
    return list(readers.open_source(path, index).records(contig))


@pytest.fixture
def small(tmp_path):
    lines = [
        line("1", 5, "A", "C", "0|0", "0|1", "1|1", name="rs5"),
        line("1", 7, "g", "T", "0/1", ".|.", ".|1"),
        line("1", 7, "A", "C,G", "0|0", "0|2", "1|1"),
        line("2", 3, "AT", "A", "0|0", "0|1", "1|1"),
    ]
    return vcf(tmp_path / "small.vcf.gz", lines)


@pytest.fixture
def fileset(tmp_path):
    """Three samples, four variants; bed-reader counts A1, which is our ALT."""
    values = np.array([[0, 1, 2, 0], [2, -127, 1, 1], [0, 0, 2, 2]], np.int8)
    properties = {
        "iid": ["a", "b", "c"],
        "sid": ["s1", "s2", "s3", "s4"],
        "chromosome": ["1", "1", "2", "2"],
        "bp_position": [5, 7, 3, 3],
        "allele_1": ["C", "t", "G", "GA"],
        "allele_2": ["A", "G", "A", "G"],
    }
    to_bed(tmp_path / "set.bed", values, properties=properties)
    return tmp_path / "set.bed"


class TestNormalContig:
    @pytest.mark.parametrize(
        ("name", "normal"),
        [
            ("chr1", "1"),
            ("1", "1"),
            ("Chr22", "22"),
            ("chrX", "X"),
            ("chrM", "MT"),
            ("MT", "MT"),
            ("chr", "chr"),
            ("chrx", "X"),
            ("PAR1", "XY"),
            ("23", "23"),  # it depends on the other contigs
        ],
    )
    def test_names(self, name, normal):
        assert normal_contig(name) == normal

    @given(st.text())
    def test_once_is_enough_for_what_is_no_chr(self, name):
        normal = normal_contig(name)
        assert normal == normal_contig(normal) or normal.lower().startswith("chr")


class TestSpellings:
    @pytest.mark.parametrize(
        ("contig", "contigs", "found"),
        [
            ("1", ["chr1", "1"], ["1"]),
            ("1", ["chr1", "chr2"], ["chr1"]),
            ("X", ["22", "23", "24", "26"], ["23"]),
            ("chrX", ["1", "23"], ["23"]),
            ("23", ["chr1", "chrX"], ["chrX"]),
            ("chrM", ["1", "26"], ["26"]),
            ("24", ["chrX", "chrY"], ["chrY"]),
            ("25", ["1", "XY"], ["XY"]),
            ("chr23", ["22", "23", "29", "X"], ["23"]),  # cattle
            ("X", ["22", "23", "29", "X"], ["X"]),
            ("X", ["23", "29"], []),
            ("7", ["1"], []),
        ],
    )
    def test_names(self, contig, contigs, found):
        assert spellings(contig, contigs) == found


class TestNormalContigs:
    def test_codes_of_plink(self):
        assert normal_contigs(["chr1", "23", "24", "25", "26"]) == {
            "chr1": "1", "23": "X", "24": "Y", "25": "XY", "26": "MT"
        }  # fmt: skip

    def test_a_species_with_more_chromosomes(self):
        assert normal_contigs(["23", "26", "27"]) == {"23": "23", "26": "26", "27": "27"}


class TestVcf:
    def test_what_a_source_tells(self, small):
        source = readers.open_source(small)
        assert source.path == small
        assert source.samples == ["a", "b", "c"]
        assert source.contigs == ["1", "2"]  # `empty` holds no records
        assert source.contig_lengths == {"1": 1000, "2": 900, "empty": 9}

    def test_records(self, small):
        first, second, third = records(small)
        assert first[:5] == ("1", 5, "rs5", "A", "C")
        assert first.calls.dtype == np.int8
        assert first.calls.tolist() == [[0, 0], [0, 1], [1, 1]]
        assert first.unphased == ""
        assert second[:5] == ("1", 7, ".", "G", "T")  # letters are made upper case
        assert second.calls.tolist() == [[0, 1], [-1, -1], [-1, 1]]
        assert second.unphased == "a"
        assert (third.alt, third.calls) == ("C,G", None)

    def test_indel_has_no_calls(self, small):
        assert [record.calls for record in records(small, "2")] == [None]

    def test_monomorphic_record_has_no_calls(self, tmp_path):
        (record,) = records(vcf(tmp_path / "m.vcf.gz", [line("1", 1, "A", ".", "0|0", "0|0", "0|0")]))
        assert (record.alt, record.calls) == (".", None)

    def test_homozygotes_do_not_unphase(self, tmp_path):
        (record,) = records(vcf(tmp_path / "h.vcf.gz", [line("1", 1, "A", "C", "0/0", "0|1", "./1")]))
        assert record.unphased == ""

    def test_lone_dot_is_a_missing_diploid_call(self, tmp_path):
        lines = [line("1", 1, "A", "C", ".", "0/1", "0/0"), line("1", 2, "A", "C", ".", ".", ".")]
        some, none = records(vcf(tmp_path / "dot.vcf.gz", lines))
        assert some.calls.tolist() == [[-1, -1], [0, 1], [0, 0]]
        assert (none.calls == -1).all()

    def test_contig_spelling(self, small):
        assert len(records(small, "chr1")) == 3
        assert records(small, "17") == []
        assert records(small, "empty") == []

    def test_two_readings_at_once(self, small):
        source = readers.open_source(small)
        pairs = zip(source.records("1"), source.records("1"), strict=True)
        assert [(a.position, b.position) for a, b in pairs] == [(5, 5), (7, 7), (7, 7)]

    def test_without_index_the_header_names_contigs(self, tmp_path):
        source = readers.open_source(vcf(tmp_path / "n.vcf.gz", [], index=False))
        assert source.contigs == ["1", "2", "empty"]
        with pytest.raises(BadInput, match="has no index"):
            next(source.records("1"))

    def test_header_without_contigs(self, tmp_path):
        header = "".join(text for text in HEADER.splitlines(True) if "contig" not in text)
        path = vcf(tmp_path / "bare.vcf.gz", [line("7", 1, "A", "C", "0|0", "0|1", "1|1")], header=header)
        assert readers.open_source(path).contigs == ["7"]
        assert readers.open_source(path).contig_lengths == {}
        assert len(records(path, "7")) == 1

    def test_bcf_equals_vcf(self, small, tmp_path):
        bcf = tmp_path / "small.bcf"
        pysam.bcftools.view("-Ob", "-o", str(bcf), str(small), catch_stdout=False)
        readers.write_index(bcf, tmp_path / "elsewhere" / "bcf.csi")
        source = readers.open_source(bcf, tmp_path / "elsewhere" / "bcf.csi")
        assert source.contigs == ["1", "2"]
        for one, other in zip(records(small), source.records("1"), strict=True):
            assert one[:5] == other[:5]
            assert one.unphased == other.unphased
            assert np.array_equal(one.calls, other.calls)

    def test_index_without_counts(self, small):
        """Old indices lack the pseudo-bin 37450; its number is overwritten here by that of an unused bin."""
        index = small.parent / "small.vcf.gz.tbi"
        data = gzip.decompress(index.read_bytes()).replace((37450).to_bytes(4, "little"), (37449).to_bytes(4, "little"))
        index.write_bytes(gzip.compress(data))
        assert readers.open_source(small).counts == {"1": None, "2": None}
        assert len(records(small)) == 3


class TestTakenSamples:
    """Ploidy, phase and alleles are judged in the samples that are taken."""

    LINES = (line("1", 1, "A", "C", "0|0", "0/1", "0/0/1"), line("1", 2, "A", "C", "0|1", "1", "0|2"))

    @pytest.fixture(params=[".vcf.gz", ".bcf"])
    def source(self, tmp_path, request):
        path = vcf(tmp_path / "x.vcf.gz", self.LINES)
        if request.param == ".bcf":
            pysam.bcftools.view("-Ob", "-o", str(tmp_path / "x.bcf"), str(path), catch_stdout=False)
            path = tmp_path / "x.bcf"
            readers.write_index(path, f"{path}.csi")
        return readers.open_source(path)

    def test_one(self, source):
        first, second = source.records("1", ["a"])
        assert (first.calls.tolist(), second.calls.tolist()) == ([[0, 0]], [[0, 1]])
        assert (first.unphased, second.unphased) == ("", "")

    def test_another(self, source):
        found = source.records("1", ["b", "a"])
        assert next(found).unphased == "b"
        with pytest.raises(NotDiploid, match=r"1 of 2 samples have no diploid call at 1:2 \(b has 1 allele\)"):
            next(found)

    def test_an_unknown_one(self, source):
        with pytest.raises(BadInput, match=r"lacks 1 of the samples \(z\)"):
            next(source.records("1", ["a", "z"]))


class TestFilter:
    @pytest.fixture
    def path(self, tmp_path):
        header = HEADER.replace("##FORMAT", '##FILTER=<ID=SVM,Description="s">\n##FORMAT', 1)
        lines = [line("1", i, "A", "C", "0|0", "0|1", "1") for i in (1, 2, 3)]
        marked = [
            text.replace("\t.\t.\t.\tGT", f"\t.\t{mark}\t.\tGT")
            for text, mark in zip(lines, ["SVM", "PASS", "."], strict=True)
        ]
        return vcf(tmp_path / "x.vcf.gz", marked, header=header)

    def test_marks(self, path):
        source = readers.open_source(path)
        assert [record.filter for record in source.records("1", ["a"])] == ["SVM", "", ""]

    def test_what_is_left_out_is_not_judged(self, path):
        found = readers.open_source(path).records("1", pass_only=True)
        assert next(found).calls is None
        with pytest.raises(NotDiploid):
            next(found)


class TestAnyAllele:
    def test_gvcf(self, tmp_path):
        lines = [
            line("1", 1, "A", "G,<NON_REF>", "0/1", "1/1", "0/2"),
            line("1", 2, "A", "<NON_REF>", "0", "0/0", "0/0"),
            line("1", 3, "A", "<*>", "0/0", "0/0", "0/0"),
            line("1", 4, "A", "G,T,<NON_REF>", "0/1", "0/0", "0/0"),
        ]
        first, *others = records(vcf(tmp_path / "g.vcf.gz", lines))
        assert first.alt == "G"
        assert first.calls.tolist() == [[0, 1], [1, 1], [0, -1]]
        assert [(record.alt, record.calls) for record in others] == [(".", None), (".", None), ("G,T", None)]


class TestPhaseSets:
    TOLD = ", in another phase set (PS) than before"
    HEADER = HEADER.replace("##FORMAT", '##FORMAT=<ID=PS,Number=1,Type=Integer,Description="Phase set">\n##FORMAT', 1)

    def unphased(self, tmp_path, *calls, header=HEADER):
        lines = [line("1", i + 1, "A", "C", *call.split(), form="GT:PS") for i, call in enumerate(calls)]
        return [record.unphased for record in records(vcf(tmp_path / "p.vcf.gz", lines, header=header))]

    def test_one_block(self, tmp_path):
        assert self.unphased(tmp_path, "0|1:1 1|0:1 0|0:.", "1|0:1 0/0:. 0|1:7") == ["", ""]

    def test_two_blocks_of_a_sample(self, tmp_path):
        assert self.unphased(tmp_path, "0|1:1 1|0:1 0|0:.", "1|0:1 0|0:9 0|1:7", "0|0:8 0|1:9 0|0:.") == [
            "",
            "",
            f"b{self.TOLD}",
        ]

    def test_a_block_and_none(self, tmp_path):
        assert self.unphased(tmp_path, "0|1:1 0|0:. 0|0:.", "1|0:. 0|0:. 0|0:.") == ["", f"a{self.TOLD}"]

    def test_text(self, tmp_path):
        header = self.HEADER.replace("ID=PS,Number=1,Type=Integer", "ID=PS,Number=1,Type=String")
        found = self.unphased(tmp_path, "0|1:x 0|1:y 0|0:.", "1|0:x 0|1:z 0|0:.", header=header)
        assert found == ["", f"b{self.TOLD}"]

    def test_no_phase_at_all(self, tmp_path):
        assert self.unphased(tmp_path, "0|1:1 0|0:. 0|0:.", "0/1:. 0|0:. 0|0:.") == ["", "a"]


class TestHeader:
    def test_keys_in_any_order(self, tmp_path):
        header = HEADER.replace("ID=GT,Number=1,Type=String,", "Number=1,Type=String,ID=GT,")
        header = header.replace("<ID=1,length=1000>", '<length=1000,species="Homo, sapiens",ID=1>')
        source = readers.open_source(vcf(tmp_path / "x.vcf.gz", [line("1", 1, "A", "C", *["0|1"] * 3)], header=header))
        assert source.contig_lengths == {"1": 1000, "2": 900, "empty": 9}

    def test_odd_contigs(self, tmp_path):
        header = HEADER.replace("ID=empty", "ID=scaffold=12").replace("ID=2,", "ID=gi|5|gb|C.2|,")
        source = readers.open_source(vcf(tmp_path / "x.vcf.gz", [], header=header, index=False))
        assert source.contigs == ["1", "gi|5|gb|C.2|", "scaffold=12"]

    def test_letters_of_older_tools(self, tmp_path):
        with pysam.BGZFile(str(tmp_path / "x.vcf.gz"), "w") as file:
            text = (
                HEADER.replace("##contig", "##source=Zürich\n##contig", 1)
                + "a\n"
                + line("1", 1, "A", "C", "0|1")
                + "\n"
            )
            file.write(text.encode("latin-1"))
        readers.write_index(tmp_path / "x.vcf.gz", tmp_path / "x.csi")
        (record,) = records(tmp_path / "x.vcf.gz", index=tmp_path / "x.csi")
        assert record.calls.tolist() == [[0, 1]]

    def test_blanks_around_ids(self, tmp_path):
        path = vcf(tmp_path / "x.vcf.gz", [line("1", 1, "A", "C", "0|0", "0|1", "1|1")], ("a ", "b b ", "c"))
        source = readers.open_source(path)
        assert source.samples == ["a", "b b", "c"]
        assert next(source.records("1", ["b b"])).calls.tolist() == [[0, 1]]


class TestLeadingPhase:
    def test_what_takes_it_off_is_told(self, tmp_path):
        lines = [line("1", 1, "A", "C", "0|0", "0|1", "1|1"), line("1", 4, "A", "C", "|0|0", "/0|1", "|1|1")]
        path = vcf(tmp_path / "x.vcf.gz", lines, header=HEADER.replace("v4.2", "v4.4"))
        with pytest.raises(BadInput, match=r"after 1:1, .*leading phase marks \(\|0\|1, .*VCF 4\.4\); .*sed"):
            records(path)
        path = vcf(tmp_path / "y.vcf.gz", lines[1:], header=HEADER.replace("v4.2", "v4.4"))
        with pytest.raises(BadInput, match=r"cannot be read after the start of 1, perhaps for leading phase marks"):
            records(path)


class TestWriteIndex:
    @pytest.mark.parametrize("suffix", ["csi", "tbi"])
    def test_elsewhere(self, small, tmp_path, suffix):
        (tmp_path / "small.vcf.gz.tbi").unlink()
        index = tmp_path / "deep" / "er" / f"i.{suffix}"
        readers.write_index(small, index)
        assert readers.open_source(small, index).counts == {"1": 3, "2": 1}
        assert [record.position for record in records(small, "1", index)] == [5, 7, 7]
        assert [path.name for path in index.parent.iterdir()] == [index.name]
        assert index_beside(small) is None

    @pytest.mark.parametrize(
        ("places", "fact"),
        [
            ([("1", 9), ("1", 4)], "1:4 follows 1:9"),
            ([("1", 1), ("2", 1), ("1", 2)], "contig 1 comes again at 1:2"),
        ],
    )
    def test_unsorted(self, tmp_path, places, fact):
        lines = [line(contig, position, "A", "C", "0|0", "0|1", "1|1") for contig, position in places]
        path = vcf(tmp_path / "u.vcf.gz", lines, index=False)
        with pytest.raises(BadInput, match=f"not sorted: {fact}; .*bcftools sort"):
            readers.write_index(path, tmp_path / "u.csi")
        assert [file.name for file in tmp_path.iterdir()] == ["u.vcf.gz"]

    def test_bcf_with_variants_without_a_position(self, tmp_path):
        lines = [line("1", position, "A", "C", "0|0", "0|1", "1|1") for position in (0, 0, 5)]
        pysam.bcftools.view(
            "-Ob", "-o", str(tmp_path / "x.bcf"), str(vcf(tmp_path / "x.vcf.gz", lines)), catch_stdout=False
        )
        with pytest.raises(BadInput, match=r"cannot be indexed: .*POS 0.*; .*bcftools view -e"):
            readers.write_index(tmp_path / "x.bcf", tmp_path / "x.csi")
        assert [record.position for record in records(tmp_path / "x.vcf.gz")] == [0, 0, 5]

    def test_damaged(self, tmp_path):
        path = damaged(tmp_path / "d.vcf.gz")
        (tmp_path / "d.vcf.gz.tbi").unlink()
        with pytest.raises(BadInput, match="damaged"):
            readers.write_index(path, tmp_path / "d.csi")

    def test_missing(self, tmp_path):
        with pytest.raises(BadInput, match="no such file"):
            readers.write_index(tmp_path / "none.vcf.gz", tmp_path / "i.csi")


def damaged(path):
    """Overwrite a stretch in the middle of a good, indexed VCF of several blocks."""
    random = np.random.default_rng(0)
    calls = np.array(["0|0", "0|1", "1|1"])
    lines = [line("1", i, "A", "C", *calls[random.integers(0, 3, 300)]) for i in range(1, 401)]
    vcf(path, lines, [f"p{i}" for i in range(300)])
    data = bytearray(path.read_bytes())
    middle = len(data) // 2
    data[middle : middle + 2000] = random.bytes(2000)
    path.write_bytes(data)
    return path


class TestBadVcf:
    def refused(self, path, match, contig="1"):
        with pytest.raises(BadInput, match=match) as error:
            records(path, contig)
        assert str(path.name) in str(error.value)
        assert "\n" not in str(error.value)

    def test_missing(self, tmp_path):
        self.refused(tmp_path / "none.vcf.gz", "no such file")

    def test_truncated(self, small):
        small.write_bytes(small.read_bytes()[:-20])
        self.refused(small, "breaks off")

    def test_cut_between_blocks(self, small):
        small.write_bytes(small.read_bytes()[: -len(readers.BGZF_EOF)])
        self.refused(small, "breaks off")

    def test_damaged_in_the_middle(self, tmp_path):
        self.refused(damaged(tmp_path / "d.vcf.gz"), "damaged|cannot be read")

    def test_plain_gzip(self, tmp_path):
        (tmp_path / "g.vcf.gz").write_bytes(gzip.compress((HEADER + "a\n").encode()))
        self.refused(tmp_path / "g.vcf.gz", "by gzip.*bgzip")

    def test_uncompressed(self, tmp_path):
        (tmp_path / "plain.vcf").write_text(HEADER + "a\n")
        self.refused(tmp_path / "plain.vcf", "uncompressed VCF; .*bgzip")

    def test_uncompressed_bcf(self, tmp_path):
        (tmp_path / "plain.bcf").write_bytes(b"BCF\2\2" + bytes(40))
        self.refused(tmp_path / "plain.bcf", "uncompressed BCF; .*bcftools")

    def test_foreign(self, tmp_path):
        (tmp_path / "x.vcf.gz").write_bytes(b"PK\3\4 a zip file")
        self.refused(tmp_path / "x.vcf.gz", "not a VCF, BCF or PLINK")

    def test_empty(self, tmp_path):
        (tmp_path / "x.vcf.gz").write_bytes(b"")
        self.refused(tmp_path / "x.vcf.gz", "not a VCF, BCF or PLINK")

    @pytest.mark.parametrize("text", ["sample\tpopulation\n", "##fileformat=VCFv4.2\n##source=x\n", ""])
    def test_bgzipped_something_else(self, tmp_path, text):
        with pysam.BGZFile(str(tmp_path / "x.vcf.gz"), "w") as file:
            file.write(text.encode())
        self.refused(tmp_path / "x.vcf.gz", "not a VCF")

    def test_bcf_by_another_name(self, small, tmp_path):
        bcf, path = tmp_path / "x.bcf", tmp_path / "other.vcf.gz"
        pysam.bcftools.view("-Ob", "-o", str(bcf), str(small), catch_stdout=False)
        self.refused(bcf.rename(path), "a BCF by another name")
        self.refused(small.rename(bcf), "a VCF by another name")

    def test_no_gt_in_header(self, tmp_path):
        header = "".join(text for text in HEADER.splitlines(True) if "ID=GT" not in text)
        lines = [line("1", 1, "A", "C", "1", "2", "3", form="DP")]
        self.refused(vcf(tmp_path / "x.vcf.gz", lines, header=header), "declares no genotypes")

    def test_no_gt_in_record(self, tmp_path):
        lines = [
            line("1", 1, "A", "C", "0|1", "0|1", "0|1"),
            line("1", 8, "A", "C", "1", "2", "3", form="DP"),
        ]
        self.refused(vcf(tmp_path / "x.vcf.gz", lines), r"no genotypes \(GT\) at 1:8")

    def test_no_samples(self, tmp_path):
        header = HEADER.removesuffix("\tFORMAT\t")
        self.refused(vcf(tmp_path / "x.vcf.gz", [], (), header, index=False), "holds no samples")

    def test_duplicate_samples(self, tmp_path):
        path = vcf(tmp_path / "x.vcf.gz", [], ("a", "b", "a"), index=False)
        self.refused(path, r"1 sample ids come more than once \(a\)")

    @pytest.mark.parametrize(
        ("calls", "fact"),
        [
            (("0", "1", "1"), r"3 of 3 samples have no diploid call at 1:6 \(a has 1 allele\)"),
            (("0", ".", "."), r"1 of 3 samples have no diploid call at 1:6 \(a has 1 allele\)"),
            (("0|1", "1", "0|0"), r"1 of 3 samples have no diploid call at 1:6 \(b has 1 allele\)"),
            (("0/0/1", "0/1", "0"), r"2 of 3 samples have no diploid call at 1:6 \(a has 3 alleles\)"),
        ],
    )
    def test_ploidy(self, tmp_path, calls, fact):
        self.refused(vcf(tmp_path / "x.vcf.gz", [line("1", 6, "A", "C", *calls)]), f"{fact}; .*fixploidy")

    def test_allele_beyond_the_record(self, tmp_path):
        self.refused(
            vcf(tmp_path / "x.vcf.gz", [line("1", 6, "A", "C", "0|2", "0|0", "0|0")]),
            "at 1:6 names an allele",
        )

    def test_broken_line(self, tmp_path):
        lines = [line("1", 6, "A", "C", "0|1", "0|0", "0|0"), line("1", 7, "A", "C", "0|1")]
        self.refused(vcf(tmp_path / "x.vcf.gz", lines), "cannot be read after 1:6")

    def test_index_of_another_file(self, small, tmp_path):
        other = vcf(tmp_path / "o.vcf.gz", [line("1", 1, "A", "C", "0|0", "0|1", "1|1")])
        shutil.copy(f"{other}.tbi", f"{small}.tbi")
        self.refused(small, "gave 3 records of contig 1 where its index .* counts 1")

    def test_broken_index(self, small):
        (small.parent / "small.vcf.gz.tbi").write_bytes(b"nothing")
        self.refused(small, "not a readable index")

    def test_index_cut_short(self, small):
        index = small.parent / "small.vcf.gz.tbi"
        index.write_bytes(gzip.compress(gzip.decompress(index.read_bytes())[:60]))
        self.refused(small, "not a readable index")

    def test_named_index_missing(self, small, tmp_path):
        with pytest.raises(BadInput, match="no such file"):
            readers.open_source(small, tmp_path / "none.csi")


class TestPlink:
    def test_what_a_source_tells(self, fileset):
        source = readers.open_source(fileset)
        assert source.samples == ["a", "b", "c"]
        assert source.contigs == ["1", "2"]
        assert source.contig_lengths == {}

    def test_records(self, fileset):
        first, second = records(fileset)
        assert first[:5] == ("1", 5, "s1", "A", "C")
        assert first.calls.dtype == np.int8
        assert first.calls.tolist() == [[0, 0], [1, 1], [0, 0]]
        assert first.unphased == ""  # no heterozygote
        assert second[:5] == ("1", 7, "s2", "G", "T")
        assert second.calls.tolist() == [[0, 1], [-1, -1], [0, 0]]
        assert second.unphased == "a"

    def test_indel_has_no_calls(self, fileset):
        assert [record.calls is None for record in records(fileset, "2")] == [False, True]

    def test_equals_bed_reader_over_chunks(self, tmp_path, monkeypatch):
        monkeypatch.setattr(plink, "CHUNK_BYTES", 100)
        values = np.random.default_rng(1).choice([0, 1, 2, -127], (7, 50)).astype(np.int8)
        names = {
            "chromosome": ["chr1"] * 50,
            "bp_position": range(1, 51),
            "allele_1": ["C"] * 50,
            "allele_2": ["A"] * 50,
        }
        to_bed(tmp_path / "x.bed", values, properties=names)
        calls = np.array([record.calls for record in records(tmp_path / "x.bed")])
        with open_bed(tmp_path / "x.bed") as bed:
            expected = bed.read(dtype="int8").T
        assert np.array_equal(np.where(calls[..., 0] < 0, -127, calls.sum(axis=2)), expected)

    def test_chosen_samples_in_another_order(self, fileset):
        first, second = readers.open_source(fileset).records("1", ["c", "b"])
        assert first.calls.tolist() == [[0, 0], [1, 1]]
        assert second.calls.tolist() == [[0, 0], [-1, -1]]
        assert second.unphased == ""  # `a`, who is heterozygous, is not among them

    def test_counts(self, fileset):
        assert readers.open_source(fileset).counts == {"1": 2, "2": 2}

    def test_monomorphic(self, fileset):
        edit(fileset, ".bim", lambda text: text.replace("C\tA", "0\tA"))
        first, _ = records(fileset)
        assert (first.alt, first.calls.shape) == (".", (3, 2))

    @pytest.mark.parametrize(("codes", "fact"), [("1 2", "as 1 and 2"), ("A B", "as B"), ("2 4", "as 2 and 4")])
    def test_coded_alleles(self, fileset, codes, fact):
        one, two = codes.split()
        edit(fileset, ".bim", lambda text: re.sub(r"\S+\t\S+$", f"{one}\t{two}", text, flags=re.MULTILINE))
        with pytest.raises(BadInput, match=rf"set\.bim: codes alleles {fact}, not as bases .*--update-alleles"):
            readers.open_source(fileset)

    def test_few_coded_alleles_are_no_snps(self, fileset):
        edit(fileset, ".bim", lambda text: text.replace("C\tA", "1\t2"))
        assert [record.calls is None for record in records(fileset)] == [True, False]

    @pytest.mark.parametrize("suffix", [".bim", ".fam"])
    def test_missing_companion(self, fileset, suffix):
        fileset.with_suffix(suffix).unlink()
        with pytest.raises(BadInput, match=rf"set\{suffix}: no such file"):
            readers.open_source(fileset)

    @pytest.mark.parametrize("suffix", [".bim", ".fam"])
    def test_sizes_differ(self, fileset, suffix):
        edit(fileset, suffix, lambda text: text + 3 * text.splitlines(True)[-1])
        with pytest.raises(BadInput, match="is 7 bytes long where"):
            readers.open_source(fileset)

    def test_magic(self, fileset):
        fileset.write_text("chr1\t0\t5\tgene\n")
        with pytest.raises(BadInput, match=r"not a PLINK 1 .bed"):
            readers.open_source(fileset)

    def test_sample_major(self, fileset):
        fileset.write_bytes(b"\x6c\x1b\0" + fileset.read_bytes()[3:])
        with pytest.raises(BadInput, match="sample-major"):
            readers.open_source(fileset)

    def test_duplicate_samples(self, fileset):
        edit(fileset, ".fam", lambda text: text.replace("b", "a"))
        with pytest.raises(BadInput, match=r"set.fam: 1 sample ids come more than once \(a\)"):
            readers.open_source(fileset)

    @pytest.mark.parametrize(
        ("old", "new"), [("\t3\t", "\tx\t"), ("s3\t", ""), ("\tGA\tG", ""), ("s1", "s1\textra\t\t\t")]
    )
    def test_broken_bim(self, fileset, old, new):
        edit(fileset, ".bim", lambda text: text.replace(old, new))
        with pytest.raises(BadInput, match=r"set.bim"):
            readers.open_source(fileset)

    def test_empty_fam(self, fileset):
        edit(fileset, ".fam", lambda text: "")
        with pytest.raises(BadInput, match=r"set.fam: cannot be read"):
            readers.open_source(fileset)

    @pytest.mark.parametrize(
        ("edited", "fact"),
        [
            (lambda text: text.replace("\t7\t", "\t4\t"), "1:4 follows 1:5"),
            (lambda text: text.replace("2\ts4", "1\ts4"), "contig 1 comes again"),
        ],
    )
    def test_unsorted(self, fileset, edited, fact):
        edit(fileset, ".bim", edited)
        with pytest.raises(BadInput, match=f"not sorted: {fact}.*--sort-vars"):
            readers.open_source(fileset)


def edit(fileset, suffix, change):
    path = fileset.with_suffix(suffix)
    path.write_text(change(path.read_text()))
