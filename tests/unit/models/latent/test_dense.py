import torch

from syngeno.models.latent.networks import MLP


def test_keeps_as_much_of_the_input_as_the_condition_says():
    network = MLP(6, [4, 2], 3)
    for weight in network.parameters():
        torch.nn.init.zeros_(weight)
    network.keep.data[:] = torch.tensor([1.0, 0.0, -2.0])
    x = torch.randn(2, 6)
    condition = torch.tensor([[0.5, 7.0, 0.0], [0.0, 7.0, 1.0]])
    share = torch.nn.functional.silu(condition) @ network.keep
    assert share[0] > 0 > share[1]
    torch.testing.assert_close(network(x, condition), share[:, None] * x)


def test_learns_noise_that_is_wider_than_its_layers():
    """At strong noise a person is all noise: a network of two units has to hand it on."""
    torch.manual_seed(1)
    network = MLP(64, [8, 2], 4)
    optimizer = torch.optim.Adam(network.parameters(), lr=1e-2)
    for _ in range(300):
        noise = torch.randn(64, 64)
        error = (network(noise, torch.ones(64, 4)) - noise).square().mean()
        optimizer.zero_grad()
        error.backward()
        optimizer.step()
    assert error < 0.05
