import gzip

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from syngeno.data.genetic_map import GeneticMap, places, read, write_plink
from syngeno.errors import BadInput

THINNED = "chr\tpos\tcM\n1\t1000\t0.0\n1\t3000\t4.0\n1\t4000\t4.5\nX\t10\t1.0\nX\t20\t1.0\n"
HAPMAP = (
    "Chromosome\tPosition(bp)\tRate(cM/Mb)\tMap(cM)\n"
    "chr1\t1000\t2000.0\t0.0\nchr1\t3000\t500.0\t4.0\nchr1\t4000\t0\t4.5\nchrX\t10\t0\t1.0\nchrX\t20\t0\t1.0\n"
)
PLINK = "1 . 0.0 1000\n1 rs3 4.0 3000\n1 . 4.5 4000\nX . 1.0 10\nX . 1.0 20\n"
COMMAS = "pos,chrom,cM\n1000,chr1,0\n3000,chr1,4\n4000,chr1,4.5\n10,chrX,1\n20,chrX,1\n"


def written(tmp_path, text, name="map.txt"):
    path = tmp_path / name
    path.write_bytes(gzip.compress(text.encode()) if name.endswith("gz") else text.encode())
    return path


class TestRead:
    @pytest.mark.parametrize("text", [THINNED, HAPMAP, PLINK, COMMAS])
    @pytest.mark.parametrize("name", ["map.txt", "map.txt.gz"])
    def test_formats_say_the_same(self, tmp_path, text, name):
        chart = read(written(tmp_path, text, name))
        assert list(chart.points) == ["1", "X"]
        position, cm = chart.points["1"]
        assert position.tolist() == [1000, 3000, 4000] and cm.tolist() == [0, 4, 4.5]

    def test_chromosome_spelt_in_two_ways_is_one(self, tmp_path):
        chart = read(written(tmp_path, "chr pos cM\nchr2 5 1\n2 9 2\n"))
        assert chart.points["2"][0].tolist() == [5, 9]

    @pytest.mark.parametrize(("ours", "theirs"), [("23", "chrX"), ("X", "23"), ("chrM", "26")])
    def test_human_chromosomes_by_their_numbers(self, tmp_path, ours, theirs):
        chart = read(written(tmp_path, f"chr pos cM\n1 5 0\n{theirs} 5 1\n{theirs} 9 2\n"))
        assert chart.place(np.array([ours]), np.array([7])).tolist() == [1.5]

    @pytest.mark.parametrize(
        ("text", "fact"),
        [
            ("", "is empty"),
            ("chr pos cM\n", "nothing below"),
            ("chr pos rate\n1 1 1\n", "no column for cm"),
            ("chr pos cM\n1 x 1\n", "line `1 x 1`"),
            ("chr pos cM\n1 5\n", "line `1 5`"),
            ("chr pos cM\n1 5 nan\n", "line `1 5 nan`"),
            ("chr pos cM\n1 5 1\n1 4 2\n", "chromosome 1, from 5 to 4"),
            ("chr pos cM\n1 5 1\n1 5 2\n", "do not ascend"),
            ("chr pos cM\n1 5 2\n1 6 1\n", "cM fall"),
        ],
    )
    def test_what_is_no_map_is_refused(self, tmp_path, text, fact):
        with pytest.raises(BadInput, match=fact):
            read(written(tmp_path, text))

    def test_no_file_and_a_damaged_one(self, tmp_path):
        with pytest.raises(BadInput, match="no such file"):
            read(tmp_path / "none")
        path = tmp_path / "cut.gz"
        path.write_bytes(gzip.compress(THINNED.encode())[:-9])
        with pytest.raises(BadInput, match="cannot be read"):
            read(path)


class TestGeneticMap:
    def test_linear_between_points_and_one_cm_per_mb_beyond(self):
        chart = GeneticMap({"chr1": ([1000, 3000, 4000], [0, 4, 4.5])})
        place = chart.place(np.full(6, "1"), np.array([1000, 2000, 3500, 4000, 4000 + 2_000_000, 500]))
        assert place == pytest.approx([0, 2, 4.25, 4.5, 6.5, -0.0005])

    def test_each_chromosome_by_its_own(self):
        chart = GeneticMap({"1": ([0, 10], [0, 1]), "2": ([0, 10], [0, 5])})
        assert chart.place(np.array(["chr2", "1"]), np.array([5, 5])).tolist() == [2.5, 0.5]

    def test_an_absent_chromosome_is_named(self):
        with pytest.raises(BadInput, match=r"lacks chromosome 7 \(it has 1\)"):
            GeneticMap({"1": ([0, 10], [0, 1])}).place(np.array(["1", "7"]), np.array([1, 1]))

    @given(st.lists(st.integers(0, 10**8), min_size=1, max_size=20))
    def test_never_falls_along_a_chromosome(self, positions):
        chart = GeneticMap({"1": ([1000, 5000, 10**7], [0, 3, 3])})
        assert (np.diff(chart.place(np.full(len(positions), "1"), np.sort(positions))) >= 0).all()


class TestPlaces:
    def test_by_the_map_or_uniform_without_one(self, tmp_path):
        variants = np.array(["1"]), np.array([2000])
        assert places(*variants, written(tmp_path, THINNED)).tolist() == [2.0]
        assert places(*variants, []) == pytest.approx([0.002])
        assert places(np.array(["1", "2"]), np.array([1_000_000, 5])) == pytest.approx([1, 5e-6])


class TestWritePlink:
    def test_read_again(self, tmp_path):
        contig, position = np.array(["1", "1", "1", "1", "2"]), np.array([10, 20, 20, 30, 5])
        write_plink(tmp_path / "m.map", contig, position, np.array([1.0, 2.0, 2.0, 2.0, 0.5]))
        lines = (tmp_path / "m.map").read_text().splitlines()
        assert lines[0] == "1 . 1.00000000 10"
        assert [line.split()[3] for line in lines] == ["10", "20", "30", "5"]
        chart = read(tmp_path / "m.map")
        assert chart.points["1"][1] == pytest.approx([1, 2, 2], abs=3e-6)
        assert (np.diff(chart.points["1"][1]) > 0).all()
