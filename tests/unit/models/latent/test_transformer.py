import pytest
import torch

from syngeno.models.latent import networks
from unit.models.latent.test_networks import made, people


class TestPatches:
    @pytest.mark.parametrize(
        ("blocks", "patch", "tokens"),
        [(1, 1, 1), (7, 1, 7), (16, 2, 8), (130, 16, 9), (282, 16, 18), (26_624, 16, 1664)],
    )
    def test_patches_are_smaller_where_blocks_are_few(self, blocks, patch, tokens):
        made_of = networks.Patches(blocks, 1, 4, 16, blockwise=False)
        assert (made_of.patch, made_of.tokens) == (patch, tokens)

    def test_a_token_sees_its_own_blocks_only(self):
        layer = networks.Patches(17, 3, 8, 2, blockwise=True)
        x = torch.randn(2, 17, 3)
        other = x.clone()
        other[:, 4:6] += 1
        moved = (layer(other) - layer(x)).abs().sum((0, 2)) > 1e-6
        assert moved.nonzero().flatten().tolist() == [2]

    def test_shared_maps_tell_no_place_but_positions_do(self):
        x = torch.randn(1, 1, 3).expand(2, 16, 3)
        for change, differ in (((False, False), False), ((True, False), True), ((False, True), True)):
            tokens = networks.Patches(16, 3, 8, 2, *change)(x)
            assert ((tokens - tokens[:, :1]).abs().max() > 1e-4) == differ


class TestTransformer:
    def test_far_blocks_see_each_other(self):
        network = made(64, kind="transformer")
        x, t, label = people(64)
        other = x.clone()
        other[:, 0] += 5
        assert (network(other, t, label) - network(x, t, label))[:, -1].abs().max() > 1e-5

    def test_noise_level_is_told_as_a_token(self):
        network = made(64, kind="transformer")
        x, t, label = people(64)
        assert not torch.allclose(network(x, t + 200, label), network(x, t, label))
