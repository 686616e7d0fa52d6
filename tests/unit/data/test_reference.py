import gzip

import cyvcf2
import numpy as np
import pysam
import pytest

from syngeno.data import reference
from syngeno.data.reference import FastaWriter, Reference
from syngeno.data.store import Sites
from syngeno.errors import BadInput
from syngeno.prepare import simulate
from syngeno.workflow.regions import Region

TEXT = ">chr15 fifteen\nACGTacgt\nNNAC\n>16\nGG\n"


def opened(folder, text=TEXT, compress=False):
    """A Reference of this FASTA, indexed apart from it."""
    path = folder / "r.fa"
    path.write_text(text)
    if compress:
        pysam.tabix_compress(str(path), f"{path}.gz", force=True)
        path = folder / "r.fa.gz"
    reference.index(path, folder / "index")
    assert not [one for one in folder.iterdir() if one.suffix in (".fai", ".gzi")]
    return Reference(path, folder / "index")


def sites(contig, position, ref):
    n = len(position)
    alt = ["T" if base != "T" else "A" for base in ref]
    return Sites(
        np.array(contig), np.array(position), np.full(n, ""), np.array(ref), np.array(alt), dict.fromkeys(contig, 0)
    )


def bytes_of(text):
    return np.frombuffer(text.encode(), np.uint8)


class TestReference:
    @pytest.mark.parametrize("compress", [False, True], ids=["plain", "bgzipped"])
    def test_bases_in_their_case_under_either_name(self, tmp_path, compress):
        with opened(tmp_path, compress=compress) as fasta:
            assert fasta.bases("15", 4, 9).tobytes() == b"TacgtN"
            assert fasta.bases("chr16", 1, 2).tobytes() == b"GG"
            assert (fasta.length("chr15"), fasta.length("16")) == (12, 2)

    def test_a_chromosome_that_it_has_not(self, tmp_path):
        with opened(tmp_path) as fasta, pytest.raises(BadInput, match=r"r\.fa: has no chromosome 7 .*chr15, 16"):
            fasta.length("7")

    def test_what_is_no_fasta(self, tmp_path):
        (tmp_path / "r.fa").write_text("no\nfasta\n")
        (tmp_path / "r.fa.gz").write_bytes(gzip.compress(TEXT.encode()))
        for name in ("r.fa", "r.fa.gz"):
            with pytest.raises(BadInput, match=r"cannot be read as a FASTA .*; give it plain, or .* bgzip") as told:
                reference.index(tmp_path / name, tmp_path / "index")
            assert "\n" not in str(told.value)


class TestCheckSites:
    def test_ref_alleles_that_are_the_bases(self, tmp_path):
        with opened(tmp_path) as fasta:
            reference.check_sites(fasta, sites(["15", "15", "16"], [1, 6, 2], ["A", "C", "G"]))

    def test_ref_alleles_that_are_not(self, tmp_path):
        with opened(tmp_path) as fasta, pytest.raises(BadInput) as told:
            reference.check_sites(fasta, sites(["15"] * 3, [1, 5, 9], ["A", "C", "C"]))
        assert "has A at 15:5, where REF is C (2 of 3 sites of the chromosome differ): the build differs" in str(
            told.value
        )

    def test_a_variant_beyond_the_end(self, tmp_path):
        with (
            opened(tmp_path) as fasta,
            pytest.raises(BadInput, match="ends at 12, before the variant at 13: the"),
        ):
            reference.check_sites(fasta, sites(["15"], [13], ["A"]))

    def test_a_chromosome_that_is_not_there(self, tmp_path):
        with opened(tmp_path) as fasta, pytest.raises(BadInput, match="has no chromosome 17"):
            reference.check_sites(fasta, sites(["15", "17"], [1, 1], ["A", "A"]))


class TestPlace:
    def test_by_the_names_of_the_cohort_in_the_order_asked(self, tmp_path):
        with opened(tmp_path) as fasta:
            placed = reference.place(["16", "chr15:2-1,2", 15], ["15", "chr16"], fasta)
        assert placed == [
            Region("chr16", "chr16", 1, 2),
            Region("15:2-12", "15", 2, 12),
            Region("15", "15", 1, 12),
        ]

    def test_all_chromosomes_of_the_cohort(self, tmp_path):
        with opened(tmp_path) as fasta:
            assert reference.place(None, ["16"], fasta) == [Region("16", "16", 1, 2)]

    @pytest.mark.parametrize(
        ("asked", "told"),
        [
            (["16"], r"'16': the cohort has no variants on this chromosome \(it has some on 15\); leave"),
            (["15:5-13"], r"'15:5-13' goes beyond the end of the chromosome, 12 in .*r\.fa; give an end within it"),
            (["15:1-9", "chr15:1-9"], "'chr15:1-9' comes twice; give it once"),
            (["15:9"], "'15:9' is no region"),
        ],
    )
    def test_faults(self, tmp_path, asked, told):
        with opened(tmp_path) as fasta, pytest.raises(BadInput, match=told):
            reference.place(asked, ["15"], fasta)


class TestFastaWriter:
    def test_lines_and_indices(self, tmp_path, monkeypatch):
        monkeypatch.setattr(reference, "PIECE", 2 * reference.WIDTH)
        bases = np.random.default_rng(1).choice(bytes_of("ACGTacgtN"), 3 * reference.WIDTH + 5)
        with FastaWriter(tmp_path / "x.fa.gz") as fasta:
            fasta.add("1:3-9_1", bases)
            fasta.add("whole", bases[: 2 * reference.WIDTH])
        lines = gzip.decompress((tmp_path / "x.fa.gz").read_bytes()).decode().splitlines()
        assert [len(line) for line in lines] == [8, 60, 60, 60, 5, 6, 60, 60]
        with pysam.FastaFile(str(tmp_path / "x.fa.gz")) as file:
            assert file.fetch("1:3-9_1").encode() == bases.tobytes()
            assert file.fetch("whole").encode() == bases[:120].tobytes()
        assert sorted(one.name for one in tmp_path.iterdir()) == ["x.fa.gz", "x.fa.gz.fai", "x.fa.gz.gzi"]

    def test_nothing_is_left_of_what_failed(self, tmp_path):
        with pytest.raises(KeyError), FastaWriter(tmp_path / "x.fa.gz") as fasta:
            fasta.add("1", bytes_of("ACGT"))
            raise KeyError
        assert not list(tmp_path.iterdir())


@pytest.fixture(scope="module")
def simulated(tmp_path_factory):
    folder = tmp_path_factory.mktemp("simulated")
    vcfs = [folder / "1.vcf.gz", folder / "2.vcf.gz"]
    tables = (folder / "samples.tsv", folder / "genes.bed.gz", folder / "causal.tsv")
    settings = {"samples": 20, "length": 3e4, "seed": 3, "causal": 1, "heritability": 0.5, "prevalence": 0.3}
    simulate.write_cohort(vcfs, *tables, **settings)
    for name in ("one", "other"):
        reference.simulate(folder / f"{name}.fa.gz", vcfs, seed=3)
    reference.simulate(folder / "third.fa.gz", vcfs, seed=4)
    return folder


class TestSimulate:
    def test_the_genotypes_are_of_this_build(self, simulated):
        with pysam.FastaFile(str(simulated / "one.fa.gz")) as fasta:
            assert list(zip(fasta.references, fasta.lengths, strict=True)) == [("1", 30000), ("2", 30000)]
            assert all(fasta.fetch(v.CHROM, v.POS - 1, v.POS) == v.REF for v in cyvcf2.VCF(str(simulated / "1.vcf.gz")))
            assert fasta.fetch("1") != fasta.fetch("2")
            shares = [fasta.fetch("1").count(base) / 30000 for base in "ACGT"]
        assert min(shares) > 0.24

    def test_same_seed_same_bytes(self, simulated):
        one, other, third = ((simulated / f"{name}.fa.gz").read_bytes() for name in ("one", "other", "third"))
        assert one == other != third
