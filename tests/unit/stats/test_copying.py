"""Mosaics of a panel: every path by enumeration."""

import itertools

import numpy as np
import pytest

from syngeno.stats import copying


class TestLikelihood:
    def test_sums_to_one(self):
        every = np.array(list(itertools.product([0, 1], repeat=6)), np.int8)
        panel = np.random.default_rng(3).integers(0, 2, (4, 6)).astype(np.int8)
        leave = np.array([1, 0.1, 0.5, 0, 1, 0.2])
        found = copying.log_likelihoods(every, panel, leave, 0.05)
        assert np.exp(found).sum() == pytest.approx(1, rel=1e-4)

    def test_two_variants_by_hand(self):
        panel = np.array([[0, 0], [1, 1], [1, 1], [1, 1]], np.int8)
        found = copying.log_likelihoods(np.array([[0, 0]], np.int8), panel, np.array([1, 0.2]), 0.1)
        at_first = np.array([0.9, 0.1, 0.1, 0.1]) / 4
        moved = 0.8 * at_first + 0.2 * at_first.sum() / 4
        assert np.exp(found[0]) == pytest.approx((moved * [0.9, 0.1, 0.1, 0.1]).sum(), rel=1e-5)


def sources(sequence, panel, contig, cm, segment):
    """Expected variants from each row of the panel, every path added up."""
    starts = [k for k in range(len(contig)) if k == 0 or contig[k] != contig[k - 1]]
    pieces = []
    for first, end in zip(starts, [*starts[1:], len(contig)], strict=True):
        pieces += [slice(at, min(at + segment, end)) for at in range(first, end, segment)]
    n, total, found = len(panel), 0.0, np.zeros(len(panel))
    odds = copying.ERROR / (1 - copying.ERROR)
    for path in itertools.product(range(n), repeat=len(pieces)):
        p, before = 1.0, None
        for row, piece in zip(path, pieces, strict=True):
            if before is None or contig[piece.start] != contig[before[1].start]:
                p /= n
            else:
                apart = max(cm[piece.start] - cm[before[1].start], copying.FEWEST)
                leave = 1 - np.exp(-copying.SWITCHES * apart / n)
                p *= leave / n + (1 - leave) * (row == before[0])
            p *= odds ** min(np.abs(sequence[piece] - panel[row, piece]).sum(), copying.MOST)
            before = row, piece
        total += p
        for row, piece in zip(path, pieces, strict=True):
            found[row] += p * (piece.stop - piece.start)
    return found / total


class TestPainted:
    @pytest.mark.parametrize("alphabet", [2, 3])
    def test_every_path_added_up(self, monkeypatch, alphabet):
        monkeypatch.setattr(copying, "SEGMENT", 2)
        rng = np.random.default_rng(alphabet)
        asked, panel = (rng.integers(0, alphabet, (n, 9)).astype(np.int8) for n in (5, 3))
        contig, cm = np.repeat(["1", "2"], [5, 4]), np.r_[np.arange(5), np.arange(4)] / 200
        found = copying.painted(asked, panel, contig, cm)
        expected = sum(sources(one, panel, contig, cm, 2) for one in asked)
        assert found == pytest.approx(expected, rel=1e-4)
        assert found.sum() == pytest.approx(asked.size, rel=1e-5)

    def test_copies_are_of_whom_they_are(self):
        rng = np.random.default_rng(1)
        panel = rng.integers(0, 2, (6, 200)).astype(np.int8)
        mosaic = np.concatenate([panel[1, :100], panel[4, 100:]])[None]
        found = copying.painted(mosaic, panel, np.repeat("1", 200), np.arange(200) / 100, threads=2)
        assert found[[1, 4]] == pytest.approx([100, 100], abs=10)
        assert found.sum() == pytest.approx(200, rel=1e-5)

    def test_does_not_depend_on_threads(self):
        rng = np.random.default_rng(2)
        asked, panel = (rng.integers(0, 2, (n, 60)).astype(np.int8) for n in (30, 9))
        place = np.repeat("1", 60), np.arange(60) / 10
        found = [copying.painted(asked, panel, *place, threads=threads) for threads in (1, 3)]
        assert (found[0] == found[1]).all()
