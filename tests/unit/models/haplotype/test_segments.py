import numpy as np
import pytest
import torch

from syngeno.models.haplotype import segments


class TestByMap:
    def test_thin_variants_have_a_segment_each(self):
        assert segments.by_map(np.arange(5) * 0.5, 10).edges.tolist() == [0, 1, 2, 3, 4, 5]

    def test_dense_ones_so_many_together(self):
        assert segments.by_map(np.arange(10) * 1e-4, 4).edges.tolist() == [0, 4, 8, 10]

    def test_no_segment_spans_more_than_it_may(self):
        """Of .03 cM each four variants span .03 and three .02."""
        assert segments.by_map(np.arange(7) * 0.01, 10, span=0.025).edges.tolist() == [0, 3, 6, 7]

    def test_ends_where_the_map_is_widest_in_its_later_half(self):
        """Gaps before variants 1 and 5; the first is in the earlier half of six."""
        cm = np.cumsum([0, 5e-3, 1e-4, 1e-4, 1e-4, 4e-3, 1e-4, 1e-4, 1e-4])
        assert segments.by_map(cm, 6).edges.tolist() == [0, 5, 9]

    def test_of_any_map_all_variants_once_and_in_order(self):
        rng = np.random.default_rng(1)
        cm = np.sort(rng.exponential(0.02, 500).cumsum() * (rng.random(500) < 0.9))
        edges = segments.by_map(cm, 7).edges
        first, last = cm[edges[:-1]], cm[edges[1:] - 1]
        assert (edges[0], edges[-1]) == (0, 500)
        assert 1 <= np.diff(edges).min() <= np.diff(edges).max() <= 7
        assert (last - first).max() <= segments.SPAN

    def test_morgans_from_middle_to_middle(self):
        cm = np.array([0, 0.002, 0.05, 0.06, 0.1])
        assert segments.by_map(cm, 2).morgans == pytest.approx([0, 54e-5, 45e-5])


class TestCut:
    def test_is_filled_up_with_zeros_and_joined_again(self):
        symbols, edges = torch.arange(1, 11, dtype=torch.int8).reshape(5, 2), np.array([0, 1, 4, 5])
        found = segments.cut(symbols, edges)
        assert found[:, :, 0].tolist() == [[1, 0, 0], [3, 5, 7], [9, 0, 0]]
        assert torch.equal(segments.joined(found, edges), symbols)
