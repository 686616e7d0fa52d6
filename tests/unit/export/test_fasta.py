import hashlib
import subprocess

import numpy as np
import pandas as pd
import pysam
import pytest

from syngeno.data import reference
from syngeno.data.reference import Reference
from syngeno.errors import BadInput
from syngeno.export import fasta as fasta_export
from syngeno.workflow.regions import Region

#        1   5    10   15   20
BASES = "ACGTacgtNNACGTACGTAC"
HEAD = """##fileformat=VCFv4.2
##contig=<ID=15>
##contig=<ID=16>
##FORMAT=<ID=GT,Number=1,Type=String,Description="Genotype">
"""
RECORDS = [
    "15 1 A G 0|1 1|0 0|0",
    "15 5 A C 1|1 0|1 0|0",
    "15 6 C T 1|0 1|0 0|0",
    "15 8 T G 0|1 0|0 0|0",
    "15 20 C T 1|0 1|1 0|0",
    "16 3 T A 0|0 0|0 0|1",
]
WHOLE, PART, EMPTY = Region("15", "15", 1, 20), Region("15:5-8", "15", 5, 8), Region("16:1-2", "16", 1, 2)
#                1   5    10   15   20
A1, A2 = "ACGTctgtNNACGTACGTAT", "GCGTccggNNACGTACGTAC"
B1, B2 = "GCGTatgtNNACGTACGTAT", "ACGTccgtNNACGTACGTAT"


def write_vcf(path, rows=RECORDS, samples=("A", "B", "C")):
    columns = ["#CHROM", "POS", "ID", "REF", "ALT", "QUAL", "FILTER", "INFO", "FORMAT", *samples]
    cells = [row.split() for row in rows]
    lines = ["\t".join([*c[:2], ".", *c[2:4], ".", ".", ".", "GT", *c[4:]]) for c in cells]
    with pysam.BGZFile(str(path), "wb") as file:
        file.write((HEAD + "\n".join(["\t".join(columns), *lines]) + "\n").encode())
    pysam.tabix_index(str(path), preset="vcf", force=True)
    return path


@pytest.fixture
def vcf(tmp_path):
    return write_vcf(tmp_path / "x.vcf.gz")


@pytest.fixture
def fasta(tmp_path):
    (tmp_path / "r.fa").write_text(f">chr15\n{BASES[:13]}\n{BASES[13:]}\n>chr16\nGaT\n")
    reference.index(tmp_path / "r.fa", tmp_path / "index")
    with Reference(tmp_path / "r.fa", tmp_path / "index") as opened:
        yield opened


def bases_of(text):
    return np.frombuffer(text.encode(), np.uint8)


def variants():
    alleles = np.array([[[0, 1, 1, 0, 1], [1, 1, 0, 1, 0]]], np.int8)
    position = np.array([1, 5, 6, 8, 20])
    return fasta_export.Variants(position, bases_of("AACTC"), bases_of("GCTGT"), alleles)


class TestChoose:
    def test_so_many_evenly_spaced(self, tmp_path):
        samples = [f"P{number}" for number in range(7)]
        path = write_vcf(tmp_path / "x.vcf.gz", ["15 1 A G" + " 0|1" * 7], samples)
        assert fasta_export.choose(path, 1) == ["P0"]
        assert fasta_export.choose(path, 3) == ["P0", "P2", "P4"]
        assert fasta_export.choose(path, 7) == samples

    def test_these_in_this_order(self, vcf):
        assert fasta_export.choose(vcf, ["C", "A"]) == ["C", "A"]

    @pytest.mark.parametrize(
        ("asked", "told"),
        [
            (4, r"4 samples are asked for of 3 in .*x\.vcf\.gz; ask for fewer"),
            (
                ["A", "Q"],
                r"'Q' is not in .*x\.vcf\.gz \(A to C and the like are\); name samples of the synthetic cohort",
            ),
        ],
    )
    def test_who_is_not_there(self, vcf, asked, told):
        with pytest.raises(BadInput, match=told):
            fasta_export.choose(vcf, asked)

    @pytest.mark.parametrize("sample", ["../A", ".A", "-A", "A,B"])
    def test_an_id_that_is_no_file_name(self, tmp_path, sample):
        path = write_vcf(tmp_path / "x.vcf.gz", ["15 1 A G 0|1"], [sample])
        with pytest.raises(BadInput, match="is not fit for a file's name; use letters"):
            fasta_export.choose(path, 1)


class TestReadVariants:
    def test_samples_in_the_order_asked_and_the_bounds_of_a_region(self, vcf):
        found = fasta_export.read_variants(vcf, ["B", "A"], PART)
        assert found.position.tolist() == [5, 6, 8]
        assert (found.ref.tobytes(), found.alt.tobytes()) == (b"ACT", b"CTG")
        assert found.alleles.tolist() == [[[0, 1, 0], [1, 0, 0]], [[1, 1, 0], [1, 0, 1]]]

    def test_a_region_without_variants(self, vcf):
        assert fasta_export.read_variants(vcf, ["A"], EMPTY).alleles.shape == (1, 2, 0)

    def test_samples_that_are_not_phased(self, tmp_path):
        path = write_vcf(tmp_path / "x.vcf.gz", ["15 1 A G 0/0 1|0 0|0", "15 5 A C 0/0 0/1 0/1"])
        assert fasta_export.read_variants(path, ["A"], WHOLE).alleles.sum() == 0
        with pytest.raises(BadInput, match=r"15:5: samples are not phased; .*`space: haplotype`"):
            fasta_export.read_variants(path, ["A", "B"], WHOLE)


class TestDifferences:
    def test_positions_and_letters(self):
        where, one, other = fasta_export.differences(bases_of("ACgt"), bases_of("ATga"), start=11)
        assert (where.tolist(), one.tobytes(), other.tobytes()) == ([12, 14], b"CT", b"TA")

    def test_undone_gives_the_reference_back(self):
        random = np.random.default_rng(1)
        for _ in range(20):
            one, other = random.choice(bases_of("ACGT"), (2, 50))
            where, ref, alt = fasta_export.differences(one, other)
            undone = other.copy()
            undone[where - 1] = ref
            assert (undone == one).all()
            assert (ref != alt).all()

    def test_other_lengths(self):
        with pytest.raises(ValueError, match="3 bases beside 4 of the reference"):
            fasta_export.differences(bases_of("ACGT"), bases_of("ACG"))


class TestRecall:
    def test_all_that_is_carried(self):
        assert fasta_export.recall(bases_of(BASES), bases_of(A1), WHOLE, variants(), 0, 0) == 3
        for made in (A2, "g" + A2[1:]):  # bcftools may write either case
            assert fasta_export.recall(bases_of(BASES), bases_of(made), WHOLE, variants(), 0, 1) == 3

    @pytest.mark.parametrize(
        ("made", "told"),
        [
            (BASES, r"haplotype 1 of sample 1, 15: 5 A>C is in the VCF, and not in the bases"),
            (A1[:2] + "A" + A1[3:], r"3 G>A is in the bases, and not in the VCF"),
            (A1.replace("c", "g", 1), r"5 A>C is in the VCF"),
            (A2, r"1 A>G is in the bases"),
            (A1.replace("NN", "nN"), r"9 N>N is in the bases"),
        ],
        ids=["nothing", "more", "another base", "the other haplotype", "another case"],
    )
    def test_what_is_not_as_the_vcf_says(self, made, told):
        with pytest.raises(RuntimeError, match=told):
            fasta_export.recall(bases_of(BASES), bases_of(made), WHOLE, variants(), 0, 0)


class TestWriteGenomes:
    def read(self, folder, sample):
        with pysam.FastaFile(str(folder / f"{sample}.fa.gz")) as file:
            return {name: file.fetch(name) for name in file.references}

    def test_both_haplotypes_of_all_regions(self, tmp_path, vcf, fasta):
        table = fasta_export.write_genomes(tmp_path / "dna", vcf, ["B", "A"], fasta, [WHOLE, PART, EMPTY])
        nothing = {"16:1-2_1": "Ga", "16:1-2_2": "Ga"}
        for sample, one, other in (("A", A1, A2), ("B", B1, B2)):
            expected = {"15_1": one, "15_2": other, "15:5-8_1": one[4:8], "15:5-8_2": other[4:8], **nothing}
            assert self.read(tmp_path / "dna", sample) == expected
        written = pd.read_csv(tmp_path / "dna/checked.tsv", sep="\t", dtype={"region": str})
        pd.testing.assert_frame_equal(written, table, check_dtype=False)
        assert written.columns.tolist() == list(fasta_export.COLUMNS)
        rows = [tuple(row) for row in written.itertuples(index=False)]
        assert rows[0] == ("B", 1, "15", 20, 3, 3)
        assert rows[6:10] == [
            ("A", 1, "15", 20, 3, 3),
            ("A", 2, "15", 20, 3, 3),
            ("A", 1, "15:5-8", 4, 2, 2),
            ("A", 2, "15:5-8", 4, 2, 2),
        ]

    def test_same_bytes_again_however_many_at_a_time(self, tmp_path, vcf, fasta, monkeypatch):
        samples = ["C", "A", "B"]
        fasta_export.write_genomes(tmp_path / "one", vcf, samples, fasta, [PART, WHOLE])
        monkeypatch.setattr(fasta_export, "TOGETHER", 2)
        fasta_export.write_genomes(tmp_path / "other", vcf, samples, fasta, [PART, WHOLE])
        one, other = ({p.name: p.read_bytes() for p in (tmp_path / name).iterdir()} for name in ("one", "other"))
        assert one == other
        assert set(one) == {
            "SHA256SUMS", "checked.tsv", *(f"{p}.fa.gz{end}" for p in samples for end in ("", ".fai", ".gzi"))
        }  # fmt: skip
        for line in one["SHA256SUMS"].decode().splitlines():
            digest, name = line.split("  ")
            assert digest == hashlib.sha256(one[name]).hexdigest()
        subprocess.run(["sha256sum", "--check", "--quiet", "SHA256SUMS"], cwd=tmp_path / "one", check=True)

    def test_nothing_is_left_of_what_failed(self, tmp_path, fasta, monkeypatch):
        path = write_vcf(tmp_path / "y.vcf.gz", [*RECORDS[:-1], "16 2 A C 0/1 0|0 0|0"])
        with pytest.raises(BadInput, match="not phased"):
            fasta_export.write_genomes(tmp_path / "dna", path, ["A"], fasta, [WHOLE, EMPTY])
        monkeypatch.setattr(fasta_export, "recall", lambda *_: 1 / 0)
        with pytest.raises(ZeroDivisionError):
            fasta_export.write_genomes(tmp_path / "dna", path, ["B"], fasta, [WHOLE])
        assert not [one for one in tmp_path.iterdir() if "dna" in one.name]
