import pytest
import torch

from syngeno.models.latent import networks

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


def made(blocks=5, components=3, **change):
    """A network as after some training: what starts at zero does so no more."""
    torch.manual_seed(0)
    network = networks.build(blocks, components, 4, {**SMALL, **change})
    for weight in network.parameters():
        if not weight.any():
            torch.nn.init.normal_(weight, std=0.2)
    return network


def people(blocks=5, components=3, count=6):
    generator = torch.Generator().manual_seed(1)
    x = torch.randn(count, blocks, components, generator=generator)
    return x, torch.randint(1, 500, (count,), generator=generator), torch.arange(count) % 5


class TestBuild:
    @pytest.mark.parametrize("kind", networks.KINDS)
    @pytest.mark.parametrize("blocks", [1, 2, 4, 7, 33])
    def test_any_number_of_blocks(self, kind, blocks):
        network = made(blocks, kind=kind)
        assert network(*people(blocks)).shape == (6, blocks, 3)

    def test_defaults_of_the_paper(self):
        network = networks.build(512, 8, 26)
        assert [layer.out_features for layer in network.mlp.down] == [1024, 512, 256]
        assert network.cnn.multiple == 128
        attending = [2**i for i, b in enumerate(network.cnn.down) if isinstance(b.attention, networks.Attention)]
        assert attending == [32, 64]

    @pytest.mark.parametrize(
        "change", [{}, {"kind": "cnn", "positions": True}, {"kind": "transformer", "positions": True}]
    )
    def test_every_weight_learns(self, change):
        network = made(**change)
        network(*people()).square().mean().backward()
        idle = [name for name, weight in network.named_parameters() if weight.grad is None]
        assert idle == []

    def test_same_random_state_same_weights(self):
        assert all(torch.equal(a, b) for a, b in zip(made().parameters(), made().parameters(), strict=True))

    @pytest.mark.parametrize(
        ("change", "words"),
        [
            ({"width": 3}, "unknown network settings"),
            ({"kind": "gan"}, "kind 'gan'"),
            ({"transformer_width": 20, "transformer_heads": 3}, "no multiple"),
            ({"embedding": 7}, "even number"),
            ({"mlp_widths": []}, "at least one"),
        ],
    )
    def test_bad_settings(self, change, words):
        with pytest.raises(ValueError, match=words):
            networks.complete(change)


class TestDenoiser:
    def test_people_do_not_see_each_other(self):
        network = made().eval()
        x, t, label = people()
        whole = network(x, t, label)
        torch.testing.assert_close(network(x[2:3], t[2:3], label[2:3])[0], whole[2], atol=1e-5, rtol=1e-5)

    @pytest.mark.parametrize("kind", networks.KINDS)
    def test_listens_to_time_and_label(self, kind):
        network = made(kind=kind)
        x, t, label = people()
        base = network(x, t, label)
        assert not torch.allclose(network(x, t + 100, label), base)
        assert not torch.allclose(network(x, t, (label + 1) % 5), base)

    def test_null_class_is_the_one_after_the_last(self):
        assert made().null_label == 4
        assert made().label.num_embeddings == 5

    @pytest.mark.parametrize("chained", [True, False])
    def test_gate_mixes_the_two(self, chained):
        network = made(chained=chained)
        x, t, label = people()
        torch.nn.init.zeros_(network.gate[2].weight)
        condition = network.time(t) + network.label(label)
        whole = network.mlp(x.flatten(1), condition).view_as(x)
        local = network.cnn(torch.cat([x, whole], dim=2) if chained else x, condition)
        for bias, share in ((50.0, 1), (0.0, 0.5), (-50.0, 0)):
            torch.nn.init.constant_(network.gate[2].bias, bias)
            torch.testing.assert_close(network(x, t, label), share * whole + (1 - share) * local)
