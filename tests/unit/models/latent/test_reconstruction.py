import numpy as np
import pytest
import torch

from syngeno.models.latent import losses


class Exact(torch.nn.Module):
    """Knows x_0 or says nothing of it, for a model that predicts v."""

    null_label = 2

    def __init__(self, x0, alpha_bar, knows):
        super().__init__()
        self.x0, self.alpha_bar, self.knows = x0, alpha_bar, knows

    def forward(self, x, t, label):
        signal, noise = (part.sqrt()[t].float().view(-1, 1, 1) for part in (self.alpha_bar, 1 - self.alpha_bar))
        x0 = self.x0 if self.knows else 0 * self.x0
        return (signal * x - x0) / noise


@pytest.fixture
def judged(monkeypatch):
    def errors(knows, mask=None, **change):
        from syngeno.models.latent.ddpm import Diffusion, cosine_alpha_bar

        x0 = np.random.default_rng(1).choice([-1, 1], size=(6, 4, 3)).astype(np.float32)
        mask = torch.ones(4, 3) if mask is None else mask
        abar, bound = cosine_alpha_bar(50), torch.full((4, 3), 9.0)
        process = Diffusion(abar, mask, "v", -bound, bound)
        network = Exact(torch.from_numpy(x0), abar, knows)
        monkeypatch.setattr(losses, "restore", lambda model, device: (process, network))
        return losses.errors({"mask": mask}, x0, np.zeros(6, int), 1, device="cpu", **change)

    return errors


class TestErrors:
    def test_who_knows_makes_none(self, judged):
        assert judged(True) == pytest.approx(0, abs=1e-6)

    def test_who_says_the_mean_makes_one(self, judged):
        assert judged(False) == pytest.approx(1, abs=1e-5)

    def test_entries_that_do_not_exist_count_nowhere(self, judged):
        mask = torch.ones(4, 3)
        mask[2:] = 0
        assert judged(False, mask) == pytest.approx(1, abs=1e-5)

    @pytest.mark.parametrize("levels", [(), (0.0,), (1.2,)])
    def test_bad_levels(self, judged, levels):
        with pytest.raises(ValueError, match="noise levels"):
            judged(True, levels=levels)
