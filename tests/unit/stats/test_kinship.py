import numpy as np
import pytest

from syngeno.stats import kinship
from syngeno.stats.kinship import degree, king, largest, meaningful, relatives


def children(rng, mother, father, n):
    """Dosages of n children of two parents' haplotypes (2, V), without linkage."""
    pick = [rng.integers(0, 2, (n, mother.shape[1])) for _ in range(2)]
    return np.where(pick[0], mother[1], mother[0]) + np.where(pick[1], father[1], father[0])


def family(variants=20_000):
    rng = np.random.default_rng(3)
    frequency = rng.uniform(0.1, 0.9, variants)
    parents = (rng.random((4, 2, variants)) < frequency).astype(np.int8)
    siblings = children(rng, parents[0], parents[1], 2)
    return np.concatenate([parents.sum(axis=1), siblings]).astype(np.int8)


def by_definition(a, b):
    """Equation of Manichaikul et al. with the counts of genotype pairs."""
    het_a, het_b = (a == 1).sum(), (b == 1).sum()
    if het_a > het_b:
        a, b, het_a, het_b = b, a, het_b, het_a
    both = ((a == 1) & (b == 1)).sum()
    opposite = (np.abs(a.astype(int) - b) == 2).sum()
    return (both - 2 * opposite) / (2 * het_a) + 0.5 - 0.25 * (het_a + het_b) / het_a


class TestKing:
    def test_equals_the_definition(self):
        dosages = np.random.default_rng(0).integers(0, 3, (7, 400)).astype(np.int8)
        expected = [[by_definition(a, b) for b in dosages] for a in dosages]
        assert king(dosages, dosages) == pytest.approx(np.array(expected), abs=1e-6)

    def test_by_hand(self):
        # Aa-Aa once, AA-aa once; 2 and 3 heterozygous sites: (1 - 2)/4 + 1/2 - 5/8
        a, b = np.array([[1, 1, 0, 0, 2]]), np.array([[1, 0, 2, 1, 1]])
        assert king(a, b).item() == pytest.approx(-0.375)

    def test_expected_kinship_in_a_family(self):
        dosages = family()
        matrix = king(dosages, dosages)
        assert np.diag(matrix) == pytest.approx(np.full(6, 0.5))
        assert matrix[0, 4] == pytest.approx(0.25, abs=0.02)
        assert matrix[4, 5] == pytest.approx(0.25, abs=0.02)
        assert matrix[2, 3] == pytest.approx(0, abs=0.02)

    def test_people_without_heterozygous_sites(self):
        a = np.array([[0, 2, 0], [0, 0, 0]])
        assert king(a, a).tolist() == [[0.5, -np.inf], [-np.inf, 0.5]]

    def test_tiles_do_not_show(self, monkeypatch):
        dosages = np.random.default_rng(0).integers(0, 3, (11, 300)).astype(np.int8)
        whole, pairs = king(dosages, dosages[:5]), relatives(dosages, list("abcdefghijk"), -1.0)
        monkeypatch.setattr(kinship, "ROWS", 4)
        monkeypatch.setattr(kinship, "SITES", 64)
        assert (king(dosages, dosages[:5]) == whole).all()
        assert relatives(dosages, list("abcdefghijk"), -1.0).equals(pairs) and len(pairs) == 55


class TestLargest:
    def test_is_the_largest_of_each_row(self, monkeypatch):
        monkeypatch.setattr(kinship, "ROWS", 2)
        dosages = family()
        assert largest(dosages[4:], dosages[:4]).tolist() == king(dosages[4:], dosages[:4]).max(axis=1).tolist()
        assert largest(dosages, dosages).tolist() == [0.5] * 6

    def test_relatives_stand_out(self):
        dosages = family()
        mother, stranger = largest(dosages[[0, 2]], dosages[4:])
        assert mother == pytest.approx(0.25, abs=0.02)
        assert stranger == pytest.approx(0, abs=0.02)


class TestRelatives:
    def test_pairs_once_and_closest_first(self, monkeypatch):
        monkeypatch.setattr(kinship, "ROWS", 2)
        dosages = np.concatenate([family(), family()[:1]])
        names = ["ma", "pa", "x", "y", "kid1", "kid2", "ma_again"]
        table = relatives(dosages, names)
        assert table.iloc[0].tolist() == ["ma", "ma_again", 0.5, "duplicate"]
        assert {frozenset(pair) for pair in table[["sample_a", "sample_b"]].to_numpy()} == {
            frozenset(pair)
            for pair in [
                ("ma", "ma_again"),
                *((a, b) for a in ("ma", "pa", "ma_again") for b in ("kid1", "kid2")),
                ("kid1", "kid2"),
            ]
        }
        assert set(table["degree"][1:]) == {"first"}
        assert len(table) == 8

    def test_none(self):
        table = relatives(family()[:4], list("abcd"))
        assert table.empty and list(table) == ["sample_a", "sample_b", "kinship", "degree"]


class TestDegree:
    def test_bounds(self):
        expected = ["duplicate", "first", "second", "third", "unrelated"]
        assert degree(np.array([0.36, 0.18, 0.09, 0.05, 0.04])).tolist() == expected


class TestMeaningful:
    def test_needs_contigs_and_variants(self):
        assert meaningful(22, 5000)
        assert not meaningful(9, 100_000)
        assert not meaningful(22, 4999)
