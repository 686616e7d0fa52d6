import subprocess
import sys

import numpy as np
import pytest
import torch
from settings import generator_settings

from syngeno.models.latent import denoising, networks
from syngeno.training import loop

NETWORK = {
    "embedding": 8,
    "mlp_widths": [16, 8],
    "cnn_base": 4,
    "cnn_multipliers": [1, 2],
    "cnn_attention": [2],
    "cnn_heads": 2,
}
TRAINING = {"epochs": 3, "batch": 16, "warmup_steps": 3, "learning_rate": 2e-4}
MASK = np.array([[True, True], [True, False], [True, True]])


def changed(*, denoiser=NETWORK, diffusion=None, max_membership_auc=None, **training):
    """Complete settings of a small denoiser."""
    return generator_settings(
        "latent_diffusion",
        denoiser=denoiser,
        diffusion={"steps": 20, **(diffusion or {})},
        training={**TRAINING, **training},
        max_membership_auc=max_membership_auc,
    )


def samples(count, seed=0):
    """Two labels, apart in the first entry; the padded entry is zero as the encoder leaves it."""
    rng = np.random.default_rng(seed)
    label = np.arange(count) % 2
    latents = rng.normal(0, 0.5, (count, 3, 2)).astype(np.float32)
    latents[:, 0, 0] += np.where(label == 1, 1.5, -1.5)
    return latents * MASK, label


def run(folder, settings=None, seed=1, fingerprint="f", validation=True, **checkpoint):
    return denoising.train(
        *samples(100),
        MASK,
        np.array(["a", "b"]),
        validation=samples(30, 9) if validation else None,
        settings=settings or changed(),
        seed=seed,
        checkpoint=loop.Checkpoint(folder / "state.pt", fingerprint, **checkpoint),
        device="cpu",
    )


class TestTrain:
    def test_learns(self, tmp_path):
        settings = changed(epochs=25, learning_rate=1e-2, ema=0.9, diffusion={"prediction": "epsilon"})
        model, history = run(tmp_path, settings)
        assert history[0]["train_loss"] > 0.9
        assert min(row["validation_loss"] for row in history) < 0.75
        assert model["labels"] == ["a", "b"]
        assert model["low"].shape == (3, 2)

    def test_training_samples_are_distinguished_once_they_are_memorised(self, tmp_path):
        settings = changed(
            denoiser={"kind": "mlp", "embedding": 8, "mlp_widths": [64, 32]}, max_membership_auc=0.75,
            epochs=300, patience=0, batch=8, ema=0.9, learning_rate=1e-3,
        )  # fmt: skip
        _, history = denoising.train(
            *samples(8), MASK, np.array(["a", "b"]), validation=samples(30, 9), settings=settings, seed=1,
            checkpoint=loop.Checkpoint(tmp_path / "state.pt", "f"), device="cpu",
        )  # fmt: skip
        assert 1 < len(history) < 300
        assert history[-1]["membership_auc"] > 0.75 >= max(row["membership_auc"] for row in history[:-1])

    def test_bad_data(self, tmp_path):
        latents, label = samples(20)
        common = {
            "validation": None,
            "settings": changed(),
            "seed": 1,
            "checkpoint": loop.Checkpoint(tmp_path / "s", ""),
        }
        with pytest.raises(ValueError, match="do not fit together"):
            denoising.train(latents, label[:5], MASK, ["a", "b"], **common)
        with pytest.raises(ValueError, match="there are 1 labels"):
            denoising.train(latents, label, MASK, ["a"], **common)
        with pytest.raises(ValueError, match="not finite"):
            denoising.train(latents * np.nan, label, MASK, ["a", "b"], **common)
        with pytest.raises(ValueError, match="monomorphic"):
            denoising.train(latents, label, np.zeros_like(MASK), ["a", "b"], **common)


class TestCompiled:
    def made(self):
        torch.manual_seed(1)
        return (
            networks.Denoiser(3, 2, 2, changed()["denoiser"]),
            torch.from_numpy(samples(6)[0]),
            torch.zeros(6, dtype=torch.long),
        )

    def test_a_compiler_that_fails_leaves_the_network_as_it_is_and_says_so(self, monkeypatch, caplog):
        def compile(network, **settings):
            def broken(*given):
                raise RuntimeError("no compiler here\nand a long story")

            return broken

        monkeypatch.setattr(torch, "compile", compile)
        network, x, codes = self.made()
        assert denoising._compiled(network, x, codes) is network
        assert "no compiler here" in caplog.text and "long story" not in caplog.text

    def test_what_is_compiled_is_tried_and_leaves_no_gradient(self, monkeypatch):
        tried = []

        def compile(network, **settings):
            return lambda *given: tried.append(given) or network(*given)

        monkeypatch.setattr(torch, "compile", compile)
        network, x, codes = self.made()
        before = {name: value.clone() for name, value in network.state_dict().items()}
        assert denoising._compiled(network, x, codes) is not network
        assert len(tried) == 1 and all(weight.grad is None for weight in network.parameters())
        assert all(torch.equal(before[name], value) for name, value in network.state_dict().items())


class TestModelFile:
    def test_round_trip(self, tmp_path):
        model, _ = run(tmp_path)
        loop.save(tmp_path / "model.pt", {**model, "trained_on": "these"})
        back = loop.load_fitted(tmp_path / "model.pt", denoising.FORMAT, "these")
        assert back["settings"] == model["settings"]
        assert torch.equal(back["mask"], model["mask"])
        diffusion, network = denoising.restore(back, torch.device("cpu"))
        assert diffusion.steps == 20
        assert all(torch.equal(weight, model["weights"][name]) for name, weight in network.state_dict().items())
        assert not (tmp_path / "model.pt.part").exists()


class TestSpreadSteps:
    def test_spread_evenly_over_all_steps(self):
        levels = denoising._spread_steps(40, 20, torch.device("cpu"))
        assert sorted(levels.tolist()) == [t for t in range(1, 21) for _ in range(2)]
        assert denoising._spread_steps(1, 20, torch.device("cpu")).item() in range(1, 21)


def sampled(model, label, seed, shard=0, **sampler):
    """Draws with the schema's settings of the sampler, changed."""
    complete = generator_settings("latent_diffusion", sampler=sampler)["sampler"]
    return denoising.sample(model, label, complete, seed=seed, shard=shard)


def longer(prediction="v", steps=500):
    """Settings for a network that learns what it is taught."""
    return generator_settings(
        "latent_diffusion",
        denoiser={"embedding": 16, "mlp_widths": [32, 32], "kind": "mlp"},
        diffusion={"prediction": prediction, "steps": steps},
        training={"epochs": 60, "batch": 64, "learning_rate": 5e-3},
    )


@pytest.fixture(scope="module")
def model(tmp_path_factory):
    """A model of two labels that lie apart in the first entry; the last entry is padding."""
    rng = np.random.default_rng(0)
    mask = np.array([[True, True], [True, False]])
    label = np.arange(400) % 2
    latents = rng.normal(0, 0.3, (400, 2, 2))
    latents[:, 0, 0] += np.where(label == 1, 1, -1)
    made, _ = denoising.train(
        (latents * mask).astype(np.float32),
        label,
        mask,
        ["a", "b"],
        validation=None,
        settings=longer(steps=30),
        seed=1,
        checkpoint=loop.Checkpoint(tmp_path_factory.mktemp("state") / "state.pt", ""),
        device="cpu",
    )
    return made


class TestSample:
    @pytest.mark.parametrize(
        "how", [{}, {"sampler": "ddim", "steps": 15}, {"sampler": "ddim", "steps": 15, "eta": 1.0}]
    )
    def test_samples_are_of_the_label_asked_for(self, model, how):
        label = np.repeat([0, 1], 150)
        drawn = sampled(model, label, 3, **how)
        assert drawn.dtype == np.float32
        assert drawn.shape == (300, 2, 2)
        assert (drawn[:, 1, 1] == 0).all()
        assert drawn[:150, 0, 0].mean() == pytest.approx(-1, abs=0.15)
        assert drawn[150:, 0, 0].mean() == pytest.approx(1, abs=0.15)
        assert drawn[:150, 0, 0].std() == pytest.approx(0.3, abs=0.12)

    def test_same_seed_and_shard_same_samples(self, model):
        label = np.zeros(10, int)
        settings = {"sampler": "ddim", "steps": 5}
        first = sampled(model, label, 3, **settings)
        torch.manual_seed(99)
        assert (sampled(model, label, 3, **settings) == first).all()
        assert not (sampled(model, label, 3, shard=1, **settings) == first).any(0).all()
        assert not (sampled(model, label, 4, **settings) == first).any(0).all()

    def test_batches_differ_from_each_other(self, model, monkeypatch):
        monkeypatch.setattr(denoising, "DRAW_BATCH", 4)
        drawn = sampled(model, np.zeros(8, int), 3, sampler="ddim", steps=5)
        assert not np.allclose(drawn[:4], drawn[4:])

    def test_stays_within_the_training_range(self, model):
        drawn = sampled(model, np.zeros(200, int), 3, sampler="ddim", steps=3)
        assert (drawn >= model["low"].numpy() - 1e-6).all()
        assert (drawn <= model["high"].numpy() + 1e-6).all()

    def test_guidance_moves_away_from_the_average(self, model):
        label = np.ones(200, int)
        plain = sampled(model, label, 3, sampler="ddim", steps=15)
        steered = sampled(model, label, 3, sampler="ddim", steps=15, guidance=2.0)
        assert (steered[:, 0, 0] > 0).mean() >= (plain[:, 0, 0] > 0).mean()
        assert not np.allclose(steered, plain)

    def test_half_precision_draws_the_same_samples(self, tmp_path, monkeypatch):
        """As on a GPU. At strong noise an error of the noise is divided by next to nothing, which must not matter."""
        rng = np.random.default_rng(0)
        made, _ = denoising.train(
            rng.normal(0, 1, (400, 6, 2)).astype(np.float32),
            np.arange(400) % 2,
            np.ones((6, 2), bool),
            ["a", "b"],
            validation=None,
            settings=longer("epsilon"),
            seed=1,
            checkpoint=loop.Checkpoint(tmp_path / "state.pt", ""),
            device="cpu",
        )
        settings = {"label": np.arange(200) % 2, "seed": 3, "sampler": "ddim", "steps": 50, "eta": 1.0}
        whole, other = sampled(made, **settings), sampled(made, **settings | {"seed": 4})
        monkeypatch.setattr(denoising, "autocast", lambda device: torch.autocast(device.type, dtype=torch.bfloat16))
        half = sampled(made, **settings)
        assert not (half == whole).all()
        assert np.abs(half - whole).mean() < 0.03 < 0.5 < np.abs(other - whole).mean()
        assert half.std() == pytest.approx(whole.std(), rel=0.02)

    def test_no_sample(self, model):
        assert sampled(model, np.zeros(0, int), 3).shape == (0, 2, 2)

    def test_a_label_that_is_not_there(self, model):
        with pytest.raises(ValueError, match="there are 2"):
            sampled(model, np.array([2]), 3)

    def test_any_network_of_the_family(self, model):
        settings = changed(denoiser={**NETWORK, "kind": "cnn", "cnn_base": 8})
        network = networks.Denoiser(2, 2, 2, settings["denoiser"])
        other = {**model, "settings": settings, "weights": network.state_dict()}
        assert np.isfinite(sampled(other, np.array([0, 1]), 3, sampler="ddim", steps=2)).all()


def test_the_core_needs_torch_and_numpy_alone():
    """So that a machine with a GPU may train and draw without the readers of genotypes."""
    heavy = ["zarr", "pandas", "cyvcf2", "sklearn", "snakemake"]
    code = f"import sys; from syngeno.models.latent import denoising, losses; print(set(sys.modules) & set({heavy!r}))"
    path = [entry for entry in sys.path if entry.endswith("workflow/scripts")]
    loaded = subprocess.run(
        [sys.executable, "-c", f"import sys; sys.path[:0] = {path!r}; {code}"], capture_output=True, text=True
    )
    assert loaded.stdout.strip() == "set()", loaded.stderr
