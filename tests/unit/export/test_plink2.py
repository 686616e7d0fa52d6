import hashlib
import shutil
import struct
import subprocess
import zlib

import cyvcf2
import numpy as np
import pytest

from syngeno.data import vcf
from syngeno.data.store import Sites
from syngeno.errors import BadInput
from syngeno.export import plink2 as converter
from syngeno.workflow import tools

needs_plink2 = pytest.mark.skipif(shutil.which(tools.PLINK2) is None, reason="plink2 is not installed")

SAMPLES = ["SYN000001", "SYN000002", "SYN000003"]
LABELS = (
    "sample\tpopulation\tsex\tcase\n"
    "SYN000001\tEUR\tfemale\tcase\nSYN000002\tAFR\tmale\tcontrol\nSYN000003\tEUR\t?\tcase\n"
)
# Variants x samples x two haplotypes: heterozygous both ways, an ALT that all samples have, one that none has.
CALLS = np.array(
    [
        [[0, 1], [1, 0], [1, 1]],
        [[1, 1], [1, 1], [1, 1]],
        [[0, 0], [0, 0], [0, 0]],
        [[1, 0], [0, 0], [0, 1]],
        [[0, 1], [0, 1], [1, 0]],
    ],
    dtype=np.int8,
)


def write(folder, prefix="chr", phased=True, labels=LABELS, contigs=("15", "15", "15", "22", "22")):
    """A cohort of three samples and five variants, one of which has an id."""
    contig = np.array([f"{prefix}{name}" for name in contigs])
    sites = Sites(
        contig,
        np.array([100, 200, 300, 100, 5000]),
        np.array([".", "rs7", ".", ".", "."]),
        np.array(["A", "C", "G", "T", "C"]),
        np.array(["G", "T", "T", "A", "A"]),
        dict.fromkeys(contig.tolist(), 10_000),
    )
    folder.mkdir(parents=True, exist_ok=True)
    calls = CALLS if phased else np.sort(CALLS, axis=2)
    vcf.write_vcf(folder / "synthetic.vcf.gz", sites, SAMPLES, [calls], phased)
    (folder / "synthetic.labels.tsv").write_text(labels)
    return folder


def convert(folder, asked=("plink", "pgen", "bgen"), **settings):
    return converter.convert(folder / "synthetic.vcf.gz", folder / "synthetic.labels.tsv", asked, **settings)


def plink2(folder, *arguments):
    """Run the real plink2 as a user would, in the folder of the files."""
    done = subprocess.run(
        ["plink2", "--threads", "1", "--memory", "640", *arguments], cwd=folder, capture_output=True, text=True
    )
    assert done.returncode == 0, done.stdout + done.stderr


def sites_and_calls(path):
    """Sites (contig, position, REF, ALT), alleles (variants, samples, 2) and phase (variants, samples) of a VCF."""
    opened = cyvcf2.VCF(str(path))
    records = [
        ((v.CHROM, v.POS, v.REF, ",".join(v.ALT)), v.genotype.array(), np.array(v.gt_phases, dtype=bool))
        for v in opened
    ]
    sites, calls, _ = zip(*records, strict=True)
    calls = np.array(calls)
    assert list(opened.samples) == SAMPLES
    return list(sites), calls[:, :, :2], calls[:, :, 2].astype(bool)


def rows(path, separator="\t"):
    return [line.split(separator) for line in path.read_text().splitlines() if not line.startswith("##")]


def read_bgen(path):
    """Ids, sites and phased ALT calls (variants, samples, 2) of a BGEN 1.2 of 8 bits, by its specification."""
    content = path.read_bytes()
    offset, _, variants, samples = struct.unpack("<4I", content[:16])
    at, ids, places, calls = offset + 4, [], [], []

    def text(width):
        nonlocal at
        size = int.from_bytes(content[at : at + width], "little")
        at += width + size
        return content[at - size : at].decode()

    for _ in range(variants):
        text(2)
        ids.append(text(2))
        contig = text(2)
        position, alleles = struct.unpack("<IH", content[at : at + 6])
        at += 6
        places.append((contig, position, *(text(4) for _ in range(alleles))))
        size, _ = struct.unpack("<2I", content[at : at + 8])
        block = zlib.decompress(content[at + 8 : at + 4 + size])
        at += 4 + size
        phased, bits = block[8 + samples : 10 + samples]
        assert bits == 8
        probability = np.frombuffer(block[10 + samples :], np.uint8).reshape(samples, 2)
        assert set(probability.ravel().tolist()) <= {0, 255}
        if phased:  # that a haplotype is REF
            calls.append(probability == 0)
        else:  # that a sample has REF twice, or is heterozygous
            assert not probability[:, 1].any(), "a heterozygote without phase"
            calls.append(np.stack([probability[:, 0] == 0] * 2, axis=1))
    return ids, places, np.array(calls, dtype=np.int8)


class TestReadPeople:
    def coded(self, tmp_path, text):
        (tmp_path / "labels.tsv").write_text(text)
        return converter.read_coded(tmp_path / "labels.tsv")

    def test_sex_classes_and_trait(self, tmp_path):
        coded = self.coded(tmp_path, LABELS)
        assert coded.samples == SAMPLES
        assert coded.sex == ["2", "1", "0"]
        assert coded.labels == {"population": ["EUR", "AFR", "EUR"], "case": ["2", "1", "2"]}
        assert coded.traits == ["case"]

    @pytest.mark.parametrize("values", [("M", "F", "x"), ("1", "2", "0"), ("Male", "FEMALE", "NA")])
    def test_sex_as_it_is_written(self, tmp_path, values):
        coded = self.coded(tmp_path, "sample\tSex\n" + "".join(f"S{value}\t{value}\n" for value in values))
        assert coded.sex == ["1", "2", "0"]
        assert coded.labels == {}

    def test_without_sex_it_is_unknown(self, tmp_path):
        assert self.coded(tmp_path, "sample\tpopulation\nS1\tA\nS2\tB\n").sex == ["0", "0"]

    def test_names_that_plink2_would_misread(self, tmp_path):
        coded = self.coded(tmp_path, "sample\tmy class\tbatch\tnone\nS1\tnorth west\t1\tNone\nS2\teast\t10\ta\n")
        assert coded.labels == {"my_class": ["north_west", "east"], "batch": ["C1", "C10"], "none": ["CNone", "Ca"]}
        assert coded.traits == []

    def test_codes_are_those_of_all_labels_that_there_may_be(self, tmp_path):
        (tmp_path / "labels.tsv").write_text("sample\tt\tgroup\nS1\t1\ta\nS2\t1\tb\n")
        coded = converter.read_coded(tmp_path / "labels.tsv", [("0", "a"), ("1", "b"), ("1", "9")])
        assert coded.labels == {"t": ["2", "2"], "group": ["Ca", "Cb"]}

    def test_columns_whose_names_plink2_takes_for_several(self, tmp_path):
        coded = self.coded(tmp_path, "sample\tsuper-population\tpop,case\nS1\tA\tB\n")
        assert list(coded.labels) == ["super_population", "pop_case"]

    @pytest.mark.parametrize("values", [("1", "2"), ("0", "1"), ("Control", "case")])
    def test_controls_are_1_and_cases_2(self, tmp_path, values):
        coded = self.coded(tmp_path, "sample\tt\n" + "".join(f"S{value}\t{value}\n" for value in values))
        assert (coded.labels, coded.traits) == ({"t": ["1", "2"]}, ["t"])

    @pytest.mark.parametrize(
        ("text", "told"),
        [
            ("sample\tIID\nS1\tA\n", "`IID` is a column of plink2's own"),
            ("sample\ta b\ta_b\nS1\tA\tB\n", "`a_b` is a column of plink2's own, or comes twice"),
            ("sample\ta\nS1\tx y\nS2\tx_y\n", "values of `a` differ in blanks only"),
        ],
    )
    def test_refuses(self, tmp_path, text, told):
        with pytest.raises(BadInput, match=told):
            self.coded(tmp_path, text)


@pytest.mark.parametrize(
    ("contigs", "code"),
    [
        (["1", "22"], "MT"),
        (["chr15"], "chrMT"),
        (["chrX", "chrM"], "chrM"),
        (["X", "MT"], "MT"),
        (["1", "23"], "26"),
        (["1", "chr1_random"], "MT"),
    ],
)
def test_chromosome_code(contigs, code):
    assert converter.chromosome_code(contigs) == code


class TestConvertWithoutTool:
    def test_the_vcf_alone_needs_none(self, tmp_path, monkeypatch):
        monkeypatch.setattr(tools, "PLINK2", "no-such-tool")
        convert(write(tmp_path / "a"), ["vcf"])
        found = {path.name for path in (tmp_path / "a").iterdir()}
        released = {"synthetic.vcf.gz", "synthetic.vcf.gz.tbi", "synthetic.labels.tsv", "synthetic.samples.txt"}
        assert found == {*released, "SHA256SUMS"}
        sums = dict(line.split("  ")[::-1] for line in (tmp_path / "a/SHA256SUMS").read_text().splitlines())
        assert set(sums) == released
        for name, told in sums.items():
            assert hashlib.sha256((tmp_path / "a" / name).read_bytes()).hexdigest() == told

    def test_table_of_samples(self, tmp_path):
        convert(write(tmp_path), [])
        assert rows(tmp_path / "synthetic.samples.txt") == [
            ["#IID", "SEX", "population", "case"],
            ["SYN000001", "2", "EUR", "2"],
            ["SYN000002", "1", "AFR", "1"],
            ["SYN000003", "0", "EUR", "2"],
        ]

    @pytest.mark.parametrize(("tool", "error"), [("no-such-tool", BadInput), ("false", RuntimeError)])
    def test_leaves_nothing_where_the_tool_is_missing_or_fails(self, tmp_path, monkeypatch, tool, error):
        monkeypatch.setattr(tools, "PLINK2", tool)
        before = set(write(tmp_path).iterdir())
        with pytest.raises(error, match=tool if error is BadInput else "plink2 failed"):
            convert(tmp_path)
        assert set(tmp_path.iterdir()) == before


@needs_plink2
@pytest.mark.parametrize("prefix", ["chr", ""])
class TestRoundTrip:
    def test_plink_keeps_all_but_phase(self, tmp_path, prefix):
        convert(write(tmp_path, prefix), ["plink"])
        plink2(tmp_path, "--bfile", "synthetic", "--output-chr", f"{prefix}MT", "--export", "vcf", "--out", "back")
        sites, calls, _ = sites_and_calls(tmp_path / "back.vcf")
        assert sites == sites_and_calls(tmp_path / "synthetic.vcf.gz")[0]
        np.testing.assert_array_equal(calls.sum(axis=2), CALLS.sum(axis=2))

    def test_pgen_keeps_all(self, tmp_path, prefix):
        convert(write(tmp_path, prefix), ["pgen"])
        plink2(tmp_path, "--pfile", "synthetic", "--output-chr", f"{prefix}MT", "--export", "vcf", "--out", "back")
        sites, calls, phased = sites_and_calls(tmp_path / "back.vcf")
        assert sites == sites_and_calls(tmp_path / "synthetic.vcf.gz")[0]
        np.testing.assert_array_equal(calls, CALLS)
        assert phased[calls[:, :, 0] != calls[:, :, 1]].all()

    def test_bgen_keeps_all(self, tmp_path, prefix):
        convert(write(tmp_path, prefix), ["bgen"])
        ids, places, calls = read_bgen(tmp_path / "synthetic.bgen")
        assert ids == [
            f"{prefix}15:100:A:G",
            "rs7",
            *(f"{prefix}{end}" for end in ("15:300:G:T", "22:100:T:A", "22:5000:C:A")),
        ]
        assert places == sites_and_calls(tmp_path / "synthetic.vcf.gz")[0]
        np.testing.assert_array_equal(calls, CALLS)

    def test_bgen_comes_back_by_plink2(self, tmp_path, prefix):
        convert(write(tmp_path, prefix), ["bgen"])
        read = ["--bgen", "synthetic.bgen", "ref-first", "--sample", "synthetic.sample"]
        plink2(tmp_path, *read, "--output-chr", f"{prefix}MT", "--export", "vcf", "--out", "back")
        sites, calls, phased = sites_and_calls(tmp_path / "back.vcf")
        assert sites == sites_and_calls(tmp_path / "synthetic.vcf.gz")[0]
        assert phased[calls[:, :, 0] != calls[:, :, 1]].all()
        # Some versions read everybody's first haplotype as the second (2.00a3.5 does, of REF-first files).
        swapped = (calls == CALLS[:, :, ::-1]).all()
        assert swapped or (calls == CALLS).all()


@needs_plink2
class TestConvert:
    def test_samples_are_the_same_throughout(self, tmp_path):
        convert(write(tmp_path))
        assert rows(tmp_path / "synthetic.psam") == [
            ["#IID", "SEX", "population", "case"],
            ["SYN000001", "2", "EUR", "2"],
            ["SYN000002", "1", "AFR", "1"],
            ["SYN000003", "NA", "EUR", "2"],
        ]
        assert [(who, sex, trait) for _, who, _, _, sex, trait in rows(tmp_path / "synthetic.fam")] == [
            ("SYN000001", "2", "2"),
            ("SYN000002", "1", "1"),
            ("SYN000003", "0", "2"),
        ]
        assert rows(tmp_path / "synthetic.sample", " ") == [
            ["ID_1", "ID_2", "missing", "sex", "population", "case"],
            ["0", "0", "0", "D", "D", "B"],
            ["0", "SYN000001", "0", "2", "EUR", "1"],
            ["0", "SYN000002", "0", "1", "AFR", "0"],
            ["0", "SYN000003", "0", "NA", "EUR", "1"],
        ]

    def test_sample_file_means_the_same_to_plink2(self, tmp_path):
        convert(write(tmp_path))
        read = ["--bgen", "synthetic.bgen", "ref-first", "--sample", "synthetic.sample"]
        plink2(tmp_path, *read, "--make-just-psam", "--out", "back")
        assert rows(tmp_path / "back.psam") == rows(tmp_path / "synthetic.psam")

    def test_no_trait_or_two_leave_the_fam_without(self, tmp_path):
        none = "sample\tpopulation\n" + "".join(f"{sample}\tEUR\n" for sample in SAMPLES)
        two = "sample\ta\tb\n" + "".join(f"{sample}\tcase\tcontrol\n" for sample in SAMPLES)
        for labels in (none, two):
            convert(write(tmp_path, labels=labels), ["plink"])
            assert [row[5] for row in rows(tmp_path / "synthetic.fam")] == ["-9"] * 3

    def test_sex_may_be_all_there_is(self, tmp_path):
        labels = "sample\tsex\n" + "".join(f"{sample}\tmale\n" for sample in SAMPLES)
        convert(write(tmp_path, labels=labels))
        assert rows(tmp_path / "synthetic.psam") == [["#IID", "SEX"], *([sample, "1"] for sample in SAMPLES)]

    def test_a2_is_ref_and_ids_are_filled_in(self, tmp_path):
        convert(write(tmp_path), ["plink"])
        first, second, *_ = rows(tmp_path / "synthetic.bim")
        assert first == ["chr15", "chr15:100:A:G", "0", "100", "G", "A"]
        assert second == ["chr15", "rs7", "0", "200", "T", "C"]

    def test_unphased_samples(self, tmp_path):
        convert(write(tmp_path, phased=False))
        plink2(tmp_path, "--pfile", "synthetic", "--output-chr", "chrMT", "--export", "vcf", "--out", "back")
        _, calls, phased = sites_and_calls(tmp_path / "back.vcf")
        np.testing.assert_array_equal(calls, np.sort(CALLS, axis=2))
        assert not phased[calls[:, :, 0] != calls[:, :, 1]].any()

    def test_same_samples_same_bytes(self, tmp_path):
        one, other = (write(tmp_path / name) for name in ("one", "other"))
        convert(one)
        convert(other, threads=2, memory_mb=800)
        names = sorted(path.name for path in one.iterdir())
        assert names == sorted(path.name for path in other.iterdir())
        assert not [name for name in names if name.startswith(".") or name.endswith(".log")]
        for name in names:
            assert (one / name).read_bytes() == (other / name).read_bytes(), name

    def test_other_contigs_keep_their_names(self, tmp_path):
        convert(write(tmp_path, prefix="", contigs=("1", "1", "2", "HLA:1", "scaffold_7")), ["pgen"])
        assert [row[0] for row in rows(tmp_path / "synthetic.pvar")[1:]] == ["1", "1", "2", "HLA:1", "scaffold_7"]

    def test_refuses_contigs_that_plink2_would_rename(self, tmp_path):
        before = set(write(tmp_path, prefix="", contigs=("1", "1", "1", "chr2", "chr2")).iterdir())
        with pytest.raises(BadInput, match="plink2 would call one of the contigs 1, chr2 chr1"):
            convert(tmp_path)
        assert set(tmp_path.iterdir()) == before
