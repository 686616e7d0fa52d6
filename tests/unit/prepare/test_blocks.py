import gzip

import numpy as np
import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st

from syngeno.errors import BadInput
from syngeno.prepare.blocks import assign, contig_runs, covering, read_genes


def genes(*rows):
    return pd.DataFrame(rows, columns=["contig", "start", "end", "name"])


class TestReadGenes:
    @pytest.mark.parametrize("zipped", [False, True])
    def test_reads_bed(self, tmp_path, zipped):
        text = "#chrom\tstart\tend\tname\ntrack name=x\n1\t10\t20\tG1\t0\t+\n\nchr2\t5\t6\n"
        path = tmp_path / "genes.bed"
        path.write_bytes(gzip.compress(text.encode()) if zipped else text.encode())
        table = read_genes(path)
        assert table.to_numpy().tolist() == [["1", 10, 20, "G1"], ["chr2", 5, 6, "chr2:5-6"]]

    @pytest.mark.parametrize(
        ("text", "fact"),
        [
            ("1\t10\n", "line 1: has 2 columns"),
            ("1\t1\t2\n1\tx\t20\n", "line 2: start 'x'"),
            ("1\t20\t20\n", "empty or negative"),
            ("# nothing\n", "holds no interval"),
        ],
    )
    def test_says_what_is_wrong(self, tmp_path, text, fact):
        (tmp_path / "g.bed").write_text(text)
        with pytest.raises(BadInput, match=fact):
            read_genes(tmp_path / "g.bed")

    def test_missing_or_broken_file(self, tmp_path):
        with pytest.raises(BadInput, match="no such file"):
            read_genes(tmp_path / "none")
        (tmp_path / "b.gz").write_bytes(gzip.compress(b"1\t1\t2\n" * 100)[:-9])
        with pytest.raises(BadInput, match="cannot be read"):
            read_genes(tmp_path / "b.gz")


class TestCovering:
    def test_bed_starts_before_the_first_base_and_ends_with_the_last(self):
        found = covering(np.array([10, 11, 20, 21]), np.array([10]), np.array([20]))
        assert found.tolist() == [-1, 0, 0, -1]

    def test_first_start_wins(self):
        start, end = np.array([0, 10, 50]), np.array([100, 20, 200])
        assert covering(np.array([15, 60, 101, 201]), start, end).tolist() == [0, 0, 2, -1]

    @given(
        st.lists(st.tuples(st.integers(0, 40), st.integers(1, 15)), max_size=12),
        st.lists(st.integers(1, 60), max_size=30),
    )
    def test_equals_looking_at_every_interval(self, intervals, positions):
        intervals = sorted((start, start + size) for start, size in intervals)
        start, end = (np.array([row[i] for row in intervals], dtype=int) for i in (0, 1))
        expected = [next((i for i, (a, b) in enumerate(intervals) if a < position <= b), -1) for position in positions]
        assert covering(np.array(positions, dtype=int), start, end).tolist() == expected


class TestAssign:
    def test_genes_and_windows_by_hand(self):
        contig = np.array(["chr1"] * 8 + ["2"] * 3)
        position = np.array([1, 2, 3, 11, 20, 21, 22, 30, 5, 6, 7])
        table = genes(("1", 10, 20, "G"), ("1", 15, 22, "H"), ("3", 0, 99, "X"))
        block, names = assign(contig, position, table, window=2)
        assert block.tolist() == [0, 0, 1, 2, 2, 3, 3, 4, 5, 5, 6]
        assert names == ["chr1:1-2", "chr1:3-3", "G", "H", "chr1:30-30", "2:5-6", "2:7-7"]
        assert block.dtype == np.int32

    @pytest.mark.parametrize(("ours", "theirs"), [("23", "chrX"), ("X", "23"), ("chr1", "1")])
    def test_chromosomes_of_two_names(self, ours, theirs):
        _, names = assign(np.array([ours]), np.array([5]), genes((theirs, 0, 9, "G"), ("9", 0, 9, "H")), window=2)
        assert names == ["G"]

    def test_windows_are_even(self):
        block, _ = assign(np.full(51, "1"), np.arange(1, 52), None, window=50)
        assert np.bincount(block).tolist() == [26, 25]

    def test_ten_thousand_sites_by_fifty_are_two_hundred_blocks(self):
        block, names = assign(np.full(10_000, "15"), np.arange(10_000), None, window=50)
        assert len(names) == 200
        assert (np.bincount(block) == 50).all()

    @given(
        st.lists(st.tuples(st.sampled_from("12"), st.integers(0, 90), st.integers(1, 40)), max_size=10),
        st.lists(st.tuples(st.sampled_from("12"), st.integers(1, 120)), min_size=1, max_size=60),
        st.integers(1, 7),
    )
    def test_blocks_are_contiguous_and_never_straddle(self, intervals, sites, window):
        table = genes(*((c, a, a + size, f"{c}{a}{size}") for c, a, size in intervals))
        sites.sort()
        contig, position = np.array([c for c, _ in sites]), np.array([p for _, p in sites])
        block, names = assign(contig, position, table, window)
        assert block[0] == 0 and np.isin(np.diff(block), (0, 1)).all() and block[-1] == len(names) - 1
        for number, name in enumerate(names):
            here = block == number
            assert len(set(contig[here])) == 1
            if ":" in name:
                assert here.sum() <= window
            else:
                assert name in set(table["name"])

    def test_no_variants(self):
        block, names = assign(np.empty(0, str), np.empty(0, int), None, 50)
        assert len(block) == 0 and names == []

    def test_refuses_disorder(self):
        with pytest.raises(ValueError, match="not sorted"):
            assign(np.array(["1", "1"]), np.array([2, 1]), None, 50)
        with pytest.raises(ValueError, match="lie together"):
            assign(np.array(["1", "2", "1"]), np.array([1, 1, 2]), None, 50)


class TestContigRuns:
    def test_names_and_bounds(self):
        assert contig_runs(np.array(["1", "1", "X"])) == [("1", 0, 2), ("X", 2, 3)]
