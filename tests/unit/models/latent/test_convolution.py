import pytest
import torch

from syngeno.models.latent import networks
from unit.models.latent.test_networks import made, people


class TestLevels:
    @pytest.mark.parametrize(("blocks", "count"), [(1, 1), (7, 1), (8, 2), (282, 7), (511, 7), (512, 8), (26_624, 8)])
    def test_the_coarsest_keeps_four_blocks(self, blocks, count):
        assert networks.levels(blocks, 8) == count


class TestCNN:
    def test_shared_maps_know_no_place_unless_told(self):
        """Without padding or attention, a block's answer depends on where it lies only by its own maps or position."""
        x, t, label = people(64)
        x[:] = x[:, :1]
        shared = {"blockwise": False}
        for change, differ in ((shared, False), ({}, True), (shared | {"positions": True}, True)):
            network = made(64, kind="cnn", cnn_multipliers=[1], cnn_attention=[], **change)
            answer = network(x, t, label)[:, 20:40]
            assert ((answer - answer[:, :1]).abs().max() > 1e-4) == differ

    def test_sees_near_blocks_and_with_attention_far_ones(self):
        x, t, label = people(64)
        for attention, reaches in (([], False), ([4], True)):
            network = made(64, kind="cnn", cnn_attention=attention)
            if not reaches:  # the middle attends too
                network.cnn.middle.attention = torch.nn.Identity()
            for module in network.modules():  # group norm looks along all blocks; not what is asked here
                if isinstance(module, torch.nn.GroupNorm):
                    module.forward = lambda h: h
            other = x.clone()
            other[:, 0] += 5
            moved = (network(other, t, label) - network(x, t, label)).abs().amax((0, 2))
            assert moved[0] > 1e-4
            assert (moved[-1] > 1e-7) == reaches
