import numpy as np
import pandas as pd
import pytest
from stores import store_of

from syngeno.data.local_ancestry import LocalAncestry

NAMES = np.array(["AFR", "ancestry2"])
# Two samples: of the first, one haplotype changes ancestry on the first contig, of three variants; the second has two.
TRACTS = np.array([
    [0, 0, 1, 0], [0, 2, 2, 1], [0, 3, 4, 0],
    [1, 0, 2, 1], [1, 3, 4, 1],
    [2, 0, 2, 0], [2, 3, 4, 0],
    [3, 0, 2, 1], [3, 3, 4, 0],
])  # fmt: skip
SHARES = np.array([[0.4, 0.6], [1 / 3, 2 / 3]])


def of_two():
    return LocalAncestry(NAMES, SHARES, TRACTS, 2)


def store(tmp_path):
    return store_of(tmp_path / "s.zarr.zip", np.zeros((5, 2, 2), np.int8), contigs=["1", "1", "1", "X", "X"])


class TestJoined:
    def test_counts_sequences_through(self):
        joined = LocalAncestry.joined([of_two(), of_two()])
        assert (joined.proportions == np.tile(SHARES, (2, 1))).all()
        assert (joined.tracts == np.concatenate([TRACTS, TRACTS + np.array([4, 0, 0, 0])])).all()

    def test_of_other_ancestries(self):
        other = LocalAncestry(NAMES[::-1], SHARES, TRACTS, 2)
        with pytest.raises(ValueError, match=r"ancestries \['ancestry2', 'AFR'\] beside \['AFR', 'ancestry2'\]"):
            LocalAncestry.joined([of_two(), other])


class TestSaveAndLoad:
    def test_comes_back_as_it_was(self, tmp_path):
        of_two().save(tmp_path / "a.npz")
        again = LocalAncestry.load(tmp_path / "a.npz")
        for one, other in zip(vars(of_two()).values(), vars(again).values(), strict=True):
            np.testing.assert_array_equal(one, other)


class TestWrite:
    def test_tables(self, tmp_path):
        paths = tmp_path / "a.tsv.gz", tmp_path / "q.tsv"
        of_two().write(*paths, ["SYN1", "SYN2"], store(tmp_path))
        tracts = pd.read_csv(paths[0], sep="\t", dtype=str)
        assert tracts.columns.tolist() == ["sample", "haplotype", "contig", "start", "end", "ancestry"]
        assert tracts.head(4).to_numpy().tolist() == [
            ["SYN1", "0", "1", "1", "2", "AFR"],
            ["SYN1", "0", "1", "3", "3", "ancestry2"],
            ["SYN1", "0", "X", "4", "5", "AFR"],
            ["SYN1", "1", "1", "1", "3", "ancestry2"],
        ]
        assert tracts.iloc[-1].tolist() == ["SYN2", "1", "X", "4", "5", "AFR"]
        assert paths[1].read_text() == "sample\tAFR\tancestry2\nSYN1\t0.4\t0.6\nSYN2\t0.333333\t0.666667\n"
        before = paths[0].read_bytes()
        of_two().write(*paths, ["SYN1", "SYN2"], store(tmp_path))
        assert paths[0].read_bytes() == before

    def test_dosages_are_of_both_haplotypes(self, tmp_path):
        paths = tmp_path / "a.tsv.gz", tmp_path / "q.tsv"
        LocalAncestry(NAMES, SHARES, TRACTS[:5], 1).write(*paths, ["SYN1", "SYN2"], store(tmp_path))
        tracts = pd.read_csv(paths[0], sep="\t")
        assert tracts["sample"].tolist() == ["SYN1"] * 3 + ["SYN2"] * 2
        assert set(tracts["haplotype"]) == {"."}

    def test_too_few_names(self, tmp_path):
        with pytest.raises(ValueError, match="1 names for 2 samples"):
            of_two().write(tmp_path / "a.tsv.gz", tmp_path / "q.tsv", ["SYN1"], store(tmp_path))
