import numpy as np
import pytest
import torch

from syngeno.models.latent import model as latent_model
from syngeno.models.latent import networks
from syngeno.training import loop

NETWORK = {"embedding": 16, "mlp_widths": [32, 32], "kind": "mlp"}
LABELS = ["a", "b"]


@pytest.fixture(scope="module")
def model(tmp_path_factory):
    """A model of two labels that lie apart in the first entry; the last entry is padding."""
    rng = np.random.default_rng(0)
    mask = np.array([[True, True], [True, False]])
    label = np.arange(400) % 2
    latents = rng.normal(0, 0.3, (400, 2, 2))
    latents[:, 0, 0] += np.where(label == 1, 1, -1)
    made, _ = latent_model.train(
        (latents * mask).astype(np.float32),
        label,
        mask,
        LABELS,
        validation=None,
        config={"steps": 30, "epochs": 60, "batch": 64, "learning_rate": 5e-3, "network": NETWORK},
        seed=1,
        saving=loop.Saving(tmp_path_factory.mktemp("state") / "state.pt", ""),
        device="cpu",
    )
    return made


class TestDraw:
    @pytest.mark.parametrize(
        "how", [{}, {"sampler": "ddim", "steps": 15}, {"sampler": "ddim", "steps": 15, "eta": 1.0}]
    )
    def test_people_are_of_the_label_asked_for(self, model, how):
        label = np.repeat([0, 1], 150)
        drawn = latent_model.draw(model, label, 3, **how)
        assert drawn.dtype == np.float32
        assert drawn.shape == (300, 2, 2)
        assert (drawn[:, 1, 1] == 0).all()
        assert drawn[:150, 0, 0].mean() == pytest.approx(-1, abs=0.15)
        assert drawn[150:, 0, 0].mean() == pytest.approx(1, abs=0.15)
        assert drawn[:150, 0, 0].std() == pytest.approx(0.3, abs=0.12)

    def test_same_seed_and_shard_same_people(self, model):
        label = np.zeros(10, int)
        settings = {"sampler": "ddim", "steps": 5}
        first = latent_model.draw(model, label, 3, **settings)
        torch.manual_seed(99)
        assert (latent_model.draw(model, label, 3, **settings) == first).all()
        assert not (latent_model.draw(model, label, 3, shard=1, **settings) == first).any(0).all()
        assert not (latent_model.draw(model, label, 4, **settings) == first).any(0).all()

    def test_batches_differ_from_each_other(self, model):
        drawn = latent_model.draw(model, np.zeros(8, int), 3, sampler="ddim", steps=5, batch=4)
        assert not np.allclose(drawn[:4], drawn[4:])

    def test_stays_within_the_training_range(self, model):
        drawn = latent_model.draw(model, np.zeros(200, int), 3, sampler="ddim", steps=3)
        assert (drawn >= model["low"].numpy() - 1e-6).all()
        assert (drawn <= model["high"].numpy() + 1e-6).all()

    def test_guidance_moves_away_from_the_average(self, model):
        label = np.ones(200, int)
        plain = latent_model.draw(model, label, 3, sampler="ddim", steps=15)
        steered = latent_model.draw(model, label, 3, sampler="ddim", steps=15, guidance=2.0)
        assert (steered[:, 0, 0] > 0).mean() >= (plain[:, 0, 0] > 0).mean()
        assert not np.allclose(steered, plain)

    def test_half_precision_draws_the_same_people(self, tmp_path, monkeypatch):
        """As on a GPU. At strong noise an error of the noise is divided by next to nothing; it must not tell."""
        rng = np.random.default_rng(0)
        made, _ = latent_model.train(
            rng.normal(0, 1, (400, 6, 2)).astype(np.float32),
            np.arange(400) % 2,
            np.ones((6, 2), bool),
            LABELS,
            validation=None,
            config={"prediction": "epsilon", "epochs": 60, "batch": 64, "learning_rate": 5e-3, "network": NETWORK},
            seed=1,
            saving=loop.Saving(tmp_path / "state.pt", ""),
            device="cpu",
        )
        settings = {"label": np.arange(200) % 2, "seed": 3, "sampler": "ddim", "steps": 50, "eta": 1.0}
        whole, other = latent_model.draw(made, **settings), latent_model.draw(made, **settings | {"seed": 4})
        monkeypatch.setattr(latent_model, "autocast", lambda device: torch.autocast(device.type, dtype=torch.bfloat16))
        half = latent_model.draw(made, **settings)
        assert not (half == whole).all()
        assert np.abs(half - whole).mean() < 0.03 < 0.5 < np.abs(other - whole).mean()
        assert half.std() == pytest.approx(whole.std(), rel=0.02)

    def test_nobody(self, model):
        assert latent_model.draw(model, np.zeros(0, int), 3).shape == (0, 2, 2)

    def test_bad_settings(self, model):
        with pytest.raises(ValueError, match="sampler 'euler'"):
            latent_model.draw(model, np.zeros(2, int), 3, sampler="euler")
        with pytest.raises(ValueError, match="there are 2"):
            latent_model.draw(model, np.array([2]), 3)

    def test_any_network_of_the_family(self, model):
        other = dict(model)
        other["config"] = {
            **model["config"],
            "network": networks.complete({**NETWORK, "kind": "cnn", "cnn_base": 8}),
        }
        network = networks.build(2, 2, 2, other["config"]["network"])
        other["weights"] = network.state_dict()
        assert np.isfinite(latent_model.draw(other, np.array([0, 1]), 3, sampler="ddim", steps=2)).all()
