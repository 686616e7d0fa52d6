import numpy as np
import pytest

from syngeno.data.records import NotDiploid, Record
from syngeno.prepare.sex_chromosomes import MOST, one_copy, why_left_out


class FakeSource:
    """Records of X at these positions; women are heterozygous at every second one, men (capitals) never."""

    contigs = ("22", "23")

    def __init__(self, positions, fault=None):
        self.positions, self.fault, self.read = positions, fault, 0

    def records(self, contig, samples):
        for number, position in enumerate(self.positions):
            self.read += 1
            if self.fault and position > 2_800_000:
                raise NotDiploid("x.vcf.gz", self.fault, "leave it out")
            pairs = {True: ([0, 1], [1, 1]), False: ([0, 0], [1, 1])}
            calls = [pairs[not sample.isupper() or position < 2_700_000][number % 2] for sample in samples]
            yield Record(contig, position, ".", "A", "G", np.array(calls, np.int8))
            yield Record(contig, position, ".", "A", "GT", None)


class TestOneCopy:
    def test_by_hand(self):
        a, b, c = [[0, 1], [1, 1], [0, 1]], [[0, 0], [1, 1], [0, 0]], [[0, 1], [-1, -1], [-1, 1]]
        calls = np.array([a, b, c], np.int8).transpose(1, 0, 2)
        assert one_copy(calls).tolist() == [False, True, False]

    def test_errors_do_not_make_two_copies(self):
        calls = np.random.default_rng(1).integers(0, 2, (500, 20, 2)).astype(np.int8)
        calls[:, :10, 1] = calls[:, :10, 0]
        calls[::50, :10] = [0, 1]
        assert one_copy(calls).tolist() == [True] * 10 + [False] * 10

    def test_nothing_varies(self):
        assert one_copy(np.zeros((5, 2, 2), np.int8)).all()
        assert one_copy(np.zeros((0, 2, 2), np.int8)).all()


class TestWhyLeftOut:
    BEYOND = range(3_000_000, 3_000_020)

    @pytest.mark.parametrize(
        ("normal", "why"),
        [("Y", "not modelled"), ("XY", "pseudo-autosomal"), ("MT", "mitochondria"), ("0", "no place")],
    )
    def test_by_name(self, normal, why):
        assert why in why_left_out([FakeSource(self.BEYOND)], "26", normal, "ab")

    def test_autosomes(self):
        assert why_left_out([FakeSource(self.BEYOND)], "22", "22", "AB") is None

    def test_men_who_are_coded_diploid(self):
        told = "1 of 3 samples seem to have one copy of it (B)"
        assert why_left_out([FakeSource(self.BEYOND)], "23", "X", "aBc") == told

    def test_men_who_are_coded_haploid(self):
        source = FakeSource(self.BEYOND, "1 of 2 samples have no diploid call")
        assert why_left_out([source], "23", "X", "aB") == "1 of 2 samples have no diploid call"

    def test_women_alone(self):
        assert why_left_out([FakeSource(self.BEYOND)], "23", "X", "ac") is None

    def test_the_pseudo_autosomal_region_says_nothing(self):
        positions = [*range(1000, 1040), *self.BEYOND]
        assert "(B)" in why_left_out([FakeSource(positions)], "23", "X", "aB")
        assert why_left_out([FakeSource(range(1000, 1040))], "23", "X", "aB") is None

    def test_few_records_are_enough(self):
        source = FakeSource(range(3_000_000, 3_009_000))
        assert why_left_out([source], "23", "X", "ac") is None
        assert source.read == MOST

    def test_files_without_it_say_nothing(self):
        source = FakeSource([])
        source.contigs = ("1", "2")
        assert why_left_out([source, FakeSource(self.BEYOND)], "23", "X", "ac") is None
