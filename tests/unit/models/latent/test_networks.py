import pytest
import torch
from settings import generator_settings

from syngeno.models.latent import networks

KINDS = ("mlp", "cnn", "mlp+cnn", "transformer")
SMALL = {
    "embedding": 16,
    "mlp_widths": [16, 8],
    "cnn_base": 8,
    "cnn_multipliers": [1, 2, 2],
    "cnn_attention": [4],
    "transformer_width": 16,
    "transformer_layers": 2,
    "transformer_heads": 2,
    "transformer_patch": 2,
}


def complete(**denoiser):
    return generator_settings("latent_diffusion", denoiser=denoiser)["denoiser"]


def made(blocks=5, components=3, **change):
    """A network as after some training: what starts at zero does so no more."""
    torch.manual_seed(0)
    network = networks.Denoiser(blocks, components, 4, complete(**{**SMALL, **change}))
    for weight in network.parameters():
        if not weight.any():
            torch.nn.init.normal_(weight, std=0.2)
    return network


def samples(blocks=5, components=3, count=6):
    generator = torch.Generator().manual_seed(1)
    x = torch.randn(count, blocks, components, generator=generator)
    return x, torch.randint(1, 500, (count,), generator=generator), torch.arange(count) % 5


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


class TestMLP:
    def test_keeps_as_much_of_the_input_as_the_condition_says(self):
        network = networks.MLP(6, [4, 2], 3)
        for weight in network.parameters():
            torch.nn.init.zeros_(weight)
        network.keep.data[:] = torch.tensor([1.0, 0.0, -2.0])
        x = torch.randn(2, 6)
        condition = torch.tensor([[0.5, 7.0, 0.0], [0.0, 7.0, 1.0]])
        share = torch.nn.functional.silu(condition) @ network.keep
        assert share[0] > 0 > share[1]
        torch.testing.assert_close(network(x, condition), share[:, None] * x)

    def test_learns_noise_that_is_wider_than_its_layers(self):
        """At strong noise a sample is all noise: a network of two units has to pass it on."""
        torch.manual_seed(1)
        network = networks.MLP(64, [8, 2], 4)
        optimizer = torch.optim.Adam(network.parameters(), lr=1e-2)
        for _ in range(300):
            noise = torch.randn(64, 64)
            error = (network(noise, torch.ones(64, 4)) - noise).square().mean()
            optimizer.zero_grad()
            error.backward()
            optimizer.step()
        assert error < 0.05


class TestLevels:
    @pytest.mark.parametrize(("blocks", "count"), [(1, 1), (7, 1), (8, 2), (282, 7), (511, 7), (512, 8), (26_624, 8)])
    def test_the_coarsest_keeps_four_blocks(self, blocks, count):
        assert networks.levels(blocks, 8) == count


class TestCNN:
    def test_shared_maps_depend_on_the_place_only_by_positions(self):
        """Without padding or attention, a block's answer depends on where it lies only by its own maps or position."""
        x, t, label = samples(64)
        x[:] = x[:, :1]
        shared = {"blockwise": False}
        for change, differ in ((shared, False), ({}, True), (shared | {"positions": True}, True)):
            network = made(64, kind="cnn", cnn_multipliers=[1], cnn_attention=[], **change)
            answer = network(x, t, label)[:, 20:40]
            assert ((answer - answer[:, :1]).abs().max() > 1e-4) == differ

    def test_sees_near_blocks_and_with_attention_far_ones(self):
        x, t, label = samples(64)
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

    def test_shared_maps_depend_on_the_place_only_by_positions(self):
        x = torch.randn(1, 1, 3).expand(2, 16, 3)
        for change, differ in (((False, False), False), ((True, False), True), ((False, True), True)):
            tokens = networks.Patches(16, 3, 8, 2, *change)(x)
            assert ((tokens - tokens[:, :1]).abs().max() > 1e-4) == differ


class TestTransformer:
    def test_far_blocks_see_each_other(self):
        network = made(64, kind="transformer")
        x, t, label = samples(64)
        other = x.clone()
        other[:, 0] += 5
        assert (network(other, t, label) - network(x, t, label))[:, -1].abs().max() > 1e-5

    def test_noise_level_is_a_token(self):
        network = made(64, kind="transformer")
        x, t, label = samples(64)
        assert not torch.allclose(network(x, t + 200, label), network(x, t, label))


class TestDenoiser:
    def test_samples_do_not_see_each_other(self):
        network = made().eval()
        x, t, label = samples()
        whole = network(x, t, label)
        torch.testing.assert_close(network(x[2:3], t[2:3], label[2:3])[0], whole[2], atol=1e-5, rtol=1e-5)

    @pytest.mark.parametrize("kind", KINDS)
    def test_listens_to_time_and_label(self, kind):
        network = made(kind=kind)
        x, t, label = samples()
        base = network(x, t, label)
        assert not torch.allclose(network(x, t + 100, label), base)
        assert not torch.allclose(network(x, t, (label + 1) % 5), base)

    def test_null_class_is_the_one_after_the_last(self):
        assert made().null_label == 4
        assert made().label.num_embeddings == 5

    @pytest.mark.parametrize("chained", [True, False])
    def test_gate_mixes_the_two(self, chained):
        network = made(chained=chained)
        x, t, label = samples()
        torch.nn.init.zeros_(network.gate[2].weight)
        condition = network.time(t) + network.label(label)
        whole = network.mlp(x.flatten(1), condition).view_as(x)
        local = network.cnn(torch.cat([x, whole], dim=2) if chained else x, condition)
        for bias, share in ((50.0, 1), (0.0, 0.5), (-50.0, 0)):
            torch.nn.init.constant_(network.gate[2].bias, bias)
            torch.testing.assert_close(network(x, t, label), share * whole + (1 - share) * local)

    @pytest.mark.parametrize("kind", KINDS)
    @pytest.mark.parametrize("blocks", [1, 2, 4, 7, 33])
    def test_any_number_of_blocks(self, kind, blocks):
        network = made(blocks, kind=kind)
        assert network(*samples(blocks)).shape == (6, blocks, 3)

    def test_defaults_of_the_paper(self):
        network = networks.Denoiser(512, 8, 26, complete())
        assert [layer.out_features for layer in network.mlp.down] == [1024, 512, 256]
        assert network.cnn.multiple == 128
        attending = [2**i for i, b in enumerate(network.cnn.down) if isinstance(b.attention, networks.Attention)]
        assert attending == [32, 64]

    @pytest.mark.parametrize(
        "change", [{}, {"kind": "cnn", "positions": True}, {"kind": "transformer", "positions": True}]
    )
    def test_every_weight_learns(self, change):
        network = made(**change)
        network(*samples()).square().mean().backward()
        idle = [name for name, weight in network.named_parameters() if weight.grad is None]
        assert idle == []

    def test_same_random_state_same_weights(self):
        assert all(torch.equal(a, b) for a, b in zip(made().parameters(), made().parameters(), strict=True))

    def test_heads_that_do_not_divide_the_width(self):
        with pytest.raises(ValueError, match="transformer_width 20 is no multiple of transformer_heads 3"):
            made(kind="transformer", transformer_width=20, transformer_heads=3)
