import torch

from syngeno.models.latent import networks


class TestBlockwiseLinear:
    def test_each_block_has_its_own_map(self):
        layer = networks.BlockwiseLinear(3, 2, 4)
        x = torch.randn(5, 3, 2)
        for b in range(3):
            torch.testing.assert_close(layer(x)[:, b], x[:, b] @ layer.weight[b] + layer.bias[b])

    def test_one_map_is_shared(self):
        layer = networks.BlockwiseLinear(1, 2, 4)
        x = torch.randn(5, 3, 2)
        torch.testing.assert_close(layer(x), x @ layer.weight[0] + layer.bias[0])
