import itertools

import numpy as np
import pandas as pd
import pytest
from bed_reader import to_bed

from syngeno.data import vcf
from syngeno.data.readers import open_source, write_index
from syngeno.data.store import Sites
from syngeno.prepare import relatives
from syngeno.prepare.relatives import NO_PAIRS, Spread, families, find, in_pedigree, joined, read_spread, split_together

PEOPLE = list("abcdefgh")


def pairs(*found):
    table = [(a, b, 0.25 if degree == "first" else 0.4, degree) for a, b, degree in found]
    return pd.DataFrame(table, columns=NO_PAIRS.columns)


def cohort(tmp_path, positions, calls, contig="1", name="in.vcf.gz"):
    """An opened VCF of these calls (variants, samples, 2) of C against A."""
    n = len(positions)
    text = [np.full(n, letter) for letter in ".AC"]
    sites = Sites(np.full(n, contig), np.asarray(positions), *text, {contig: 0})
    path = tmp_path / name
    vcf.write_vcf(path, sites, [f"s{i}" for i in range(calls.shape[1])], [calls], phased=True)
    return open_source(path)


def drawn(variants, samples=6, seed=0):
    return np.random.default_rng(seed).integers(0, 2, (variants, samples, 2)).astype(np.int8)


class TestReadSpread:
    def test_takes_all_that_is_common_where_there_is_little(self, tmp_path):
        calls = drawn(4)
        calls[1] = 0  # monomorphic
        calls[2, :, :] = -1  # no calls
        calls[3, 0] = -1  # too few calls
        spread = read_spread([cohort(tmp_path, [5, 6, 7, 8], calls)], ["1"], [f"s{i}" for i in range(6)], True)
        assert spread.position.tolist() == [5]
        assert spread.dosages[:, 0].tolist() == calls[0].sum(axis=1).tolist()

    def test_takes_one_of_a_window_where_there_is_much(self, tmp_path, monkeypatch):
        monkeypatch.setattr(relatives, "MOST", 20)
        monkeypatch.setattr(relatives, "LEAST_ALIKE", 3)
        monkeypatch.setattr(relatives, "LONGEST", 20 * relatives.WINDOW)
        positions = [100, 200, 300, *(relatives.WINDOW * 2 + np.arange(30)), relatives.WINDOW * 5 + 7]
        calls = drawn(len(positions))
        calls[:, 1] = [0, 1]  # common in any two samples
        calls[0] = 0
        spread = read_spread([cohort(tmp_path, positions, calls)], ["1"], ["s3", "s1"], True)
        assert spread.position.tolist() == [200, relatives.WINDOW * 2, relatives.WINDOW * 5 + 7]
        assert spread.dosages[0].tolist() == calls[[1, 3, -1], 3].sum(axis=1).tolist()

    def test_takes_the_first_of_each_contig_where_windows_give_few(self, tmp_path, monkeypatch):
        monkeypatch.setattr(relatives, "MOST", 20)
        monkeypatch.setattr(relatives, "FEW", 20)
        spread = read_spread([cohort(tmp_path, np.arange(1, 31), drawn(30))], ["1"], ["s0", "s1", "s2", "s3"], True)
        assert spread.position.max() == 20

    @pytest.mark.parametrize("suffix", [".vcf.gz", ".bcf"])
    def test_windows_of_a_file_whose_index_lies_elsewhere(self, tmp_path, suffix):
        import pysam.bcftools

        calls = drawn(3)
        source = cohort(tmp_path, [3, 40_000, 90_000], calls)
        path = tmp_path / f"elsewhere{suffix}"
        kind = "b" if suffix == ".bcf" else "z"
        pysam.bcftools.view(f"-O{kind}", "-o", str(path), str(source.path), catch_stdout=False)
        write_index(path, tmp_path / "other" / "in.csi")
        windows = open_source(path, tmp_path / "other" / "in.csi").spread("1", None, 2**14)
        assert [[record.position for record in window] for window in windows] == [[3], [], [40_000], [], [], [90_000]]

    def test_windows_of_plink_files_look_beyond_a_rare_variant(self, tmp_path, monkeypatch):
        monkeypatch.setattr(relatives, "MOST", 2)
        monkeypatch.setattr(relatives, "LEAST_ALIKE", 2)
        monkeypatch.setattr(relatives, "LONGEST", 3 * relatives.WINDOW)
        places = [5, 9, 40, relatives.WINDOW + 1, relatives.WINDOW + 2]
        counts = np.array([[0] * 6, [0] * 6, [0, 1, 2, 1, 0, 1], [0, 1, 2, 1, 0, 1], [2, 1, 0, 1, 2, 1]], np.int8)
        to_bed(tmp_path / "x.bed", counts.T)
        (tmp_path / "x.fam").write_text("".join(f"0 s{i} 0 0 0 -9\n" for i in range(6)))
        (tmp_path / "x.bim").write_text("".join(f"1\t.\t0\t{place}\tC\tA\n" for place in places))
        spread = read_spread([open_source(tmp_path / "x.bed")], ["1"], [f"s{i}" for i in range(6)], True)
        assert spread.position.tolist() == [40, relatives.WINDOW + 1]

    def test_independent_variants_are_apart(self):
        spread = Spread(np.zeros((1, 4), np.int8), np.array(["1", "1", "1", "2"]), np.array([1, 49_999, 50_000, 1]))
        assert spread.independent == 3


class TestFind:
    def test_by_kinship_where_there_is_genome_enough(self):
        rng = np.random.default_rng(1)
        frequency = rng.uniform(0.2, 0.8, 6000)
        parents = rng.random((4, 2, 6000)) < frequency
        child = np.array([parents[0, rng.integers(0, 2, 6000), range(6000)], parents[1, 0]])
        dosages = np.concatenate([parents.sum(axis=1), child.sum(axis=0)[None]]).astype(np.int8)
        dosages[1, :100] = -1
        contig = np.repeat([str(number) for number in range(1, 13)], 500)
        spread = Spread(dosages, contig, np.tile(np.arange(500) * relatives.APART, 12))
        found, way = find(spread, list("abcde"), pairs(("c", "d", "first")))
        assert way == "kinship"
        assert {tuple(sorted(pair)) for pair in zip(found["sample_a"], found["sample_b"], strict=True)} == {
            ("a", "e"),
            ("b", "e"),
        }

    def test_by_genotypes_and_pedigree_where_not(self):
        dosages = np.random.default_rng(0).integers(0, 3, (5, 1200)).astype(np.int8)
        dosages[3] = dosages[1]
        dosages[3, 0] = -1
        spread = Spread(dosages, np.full(1200, "1"), np.arange(1200))
        found, way = find(spread, list("abcde"), pairs(("a", "c", "first"), ("b", "d", "first")))
        assert way == "genotypes and pedigree"
        assert found[["sample_a", "sample_b", "degree"]].to_numpy().tolist() == [
            ["b", "d", "duplicate"],
            ["a", "c", "first"],
        ]

    def test_few_variants_tell_nothing(self):
        spread = Spread(np.zeros((3, 999), np.int8), np.full(999, "1"), np.arange(999))
        found, way = find(spread, list("abc"), NO_PAIRS)
        assert (len(found), way) == (0, "nothing")
        assert list(found.columns) == list(NO_PAIRS.columns)
        empty = Spread(np.empty((0, 0), np.int8), np.array([], str), np.array([], int))
        assert find(empty, list("abc"), NO_PAIRS)[1] == "nothing"


class TestInPedigree:
    def test_parents_and_full_siblings_among_the_samples(self):
        fam = pd.DataFrame(
            [
                ("F", "dad", "0", "0"),
                ("F", "kid", "dad", "mum"),
                ("F", "sib", "dad", "mum"),
                ("F", "half", "dad", "0"),
                ("G", "other", "0", "0"),
                ("G", "stranger", "dad", "0"),
            ],
            columns=["family", "sample", "father", "mother"],
        )
        found = in_pedigree(fam, ["dad", "kid", "sib", "half", "other", "stranger"])
        assert sorted(zip(found["sample_a"], found["sample_b"], strict=True)) == [
            ("dad", "half"),
            ("dad", "kid"),
            ("dad", "sib"),
            ("kid", "sib"),
        ]
        assert len(in_pedigree(fam, ["kid", "sib"])) == 1
        assert len(in_pedigree(fam, ["other"])) == len(in_pedigree(None, ["kid"])) == 0


class TestFamilies:
    def test_pairs_chain_to_families(self):
        many = PEOPLE + [f"x{i}" for i in range(40)]
        found, degree = families(pairs(("b", "a", "first"), ("b", "c", "second"), ("g", "h", "duplicate")), many)
        assert degree == "second"
        assert found[found != ""].to_dict() == {"a": "of a", "b": "of a", "c": "of a", "g": "of g", "h": "of g"}
        assert found.index.tolist() == many

    def test_only_close_ones_where_all_would_be_one_family(self):
        chain = [(a, b, "second") for a, b in itertools.pairwise(PEOPLE)]
        found, degree = families(pairs(*chain, ("a", "b", "first")), PEOPLE)
        assert degree == "first"
        assert found[found != ""].to_dict() == {"a": "of a", "b": "of a"}

    def test_none_where_even_duplicates_are_too_many(self, caplog):
        found, degree = families(pairs(*((PEOPLE[0], other, "duplicate") for other in PEOPLE[1:])), PEOPLE)
        assert (found == "").all() and degree == ""
        assert "duplicate degree would chain 8 samples to one family: not kept together" in caplog.text

    def test_a_chain_without_closer_pairs_is_said(self, caplog):
        chain = [(a, b, "second") for a, b in itertools.pairwise(PEOPLE)]
        found, degree = families(pairs(*chain), PEOPLE)
        assert (found == "").all() and degree == ""
        assert "second degree would chain 8 samples" in caplog.text

    def test_the_order_of_samples_does_not_matter(self):
        known = pairs(("b", "a", "first"), ("0", "c", "first"))
        many = [*PEOPLE, "0", *(f"x{i}" for i in range(40))]
        found, _ = families(known, many)
        assert families(known, many[::-1])[0].to_dict() == found.to_dict()
        assert found["0"] == found["c"] == "of 0"

    def test_no_pairs(self):
        found, degree = families(NO_PAIRS, PEOPLE)
        assert (found == "").all() and degree == "second"

    def test_groups_that_share_a_sample_are_joined(self):
        first = pd.Series({"a": "1", "b": "1", "c": "", "d": "2"})
        second = pd.Series({"b": "1", "c": "1", "z": "1"})
        assert joined(list("dcba"), first, second).to_dict() == {"d": "", "c": "of a", "b": "of a", "a": "of a"}


SHARES = {"train": 0.5, "validation": 0.25, "test": 0.25}


class TestSplitTogether:
    @pytest.mark.parametrize("column", [None, "fid"])
    def test_found_and_named_families_stay_together(self, column):
        people = [f"s{i}" for i in range(40)]
        labels = pd.DataFrame({"label": "A", "fid": ["x", "x", *"0" * 38]}, index=people)
        found = pd.Series("", people)
        found[["s1", "s9"]] = "s1"
        for seed in range(8):
            parts = split_together(labels, SHARES, seed, column, found)
            assert parts["s1"] == parts["s9"]
            assert column is None or parts["s0"] == parts["s1"]
            assert set(parts) == {"train", "validation", "test"}

    def test_gives_up_with_a_warning_where_a_class_could_not_be_divided(self, caplog):
        labels = pd.DataFrame({"label": "A"}, index=PEOPLE)
        found = pd.Series("a", PEOPLE)
        parts = split_together(labels, SHARES, 1, None, found)
        assert parts.value_counts().to_dict() == {"train": 4, "validation": 2, "test": 2}
        assert "not kept on one side of the split: else class `A` has 8 samples in 1 families" in caplog.text
