import inspect

import numpy as np
import pandas as pd
import pytest
import torch
from settings import generator_settings
from stores import store_of, training_data

from syngeno import streams
from syngeno.errors import BadInput
from syngeno.models import base
from syngeno.models.latent import denoising, encoder, losses
from syngeno.models.latent.model import LatentDiffusion
from syngeno.training.loop import Checkpoint

SAMPLES, VARIANTS = 80, 60


def settings(**changes):
    """Complete settings of a small denoiser that takes seconds."""
    small = {
        "denoiser": {"kind": "mlp", "embedding": 8, "mlp_widths": [32, 16]},
        "diffusion": {"steps": 20},
        "training": {"epochs": 4, "learning_rate": 5e-3, "warmup_steps": 5},
    }
    return generator_settings("latent_diffusion", **{**small, **changes})


def checkpoint(folder):
    return Checkpoint(folder / "state", "f")


@pytest.fixture(scope="module")
def cohort(tmp_path_factory):
    """Training (0-49), validation (50-69) and test samples (70-79) of two labels, whose allele frequencies differ."""
    folder, rng = tmp_path_factory.mktemp("cohort"), np.random.default_rng(1)
    label = np.array(["b", "a"])[np.arange(SAMPLES) % 2]
    frequency = np.where(label == "a", 0.2, 0.8)
    store = store_of(folder / "s.zarr.zip", (rng.random((VARIANTS, SAMPLES, 2)) < frequency[:, None]).astype(np.int8))
    split = np.repeat(["train", "validation", "test"], [50, 20, 10])
    samples = pd.DataFrame({"label": label, "split": split}, index=store.samples)
    fitted = encoder.fit(store.dosages(np.arange(50)), np.repeat(np.arange(3), 20), "paper", 8)
    encoder.save(folder / "encoder.npz", fitted, store.fingerprint())
    code = (label == "b").astype(int)
    np.savez(
        folder / "latents.npz",
        train=encoder.encode(fitted, store.dosages(np.arange(50))),
        train_label=code[:50],
        validation=encoder.encode(fitted, store.dosages(np.arange(50, 70))),
        validation_label=code[50:70],
        labels=np.array(["a", "b", "c"]),  # of c there are test samples only, were there any
        mask=fitted.mask,
    )
    yield known(store, samples, **{name: folder / f"{name}.npz" for name in ("encoder", "latents")}), samples
    store.__exit__()


def known(store, samples, **files):
    """What a generator is fitted on: training and validation samples of a table, and files."""
    parts = (samples[samples["split"] == part] for part in ("train", "validation"))
    sets = [part for table in parts for part in (store.rows(table.index), table["label"])]
    return training_data(store, *sets, **files)


@pytest.fixture(scope="module")
def fitted(cohort, tmp_path_factory):
    folder = tmp_path_factory.mktemp("fitted")
    return LatentDiffusion.fit(cohort[0], settings(), seed=1, threads=1, checkpoint=checkpoint(folder))


def drawn(generator, label, seed=1, shard=0):
    found = generator.sample(np.array(label), seed=seed, shard=shard)
    return np.concatenate(list(found.calls)), found


class TestFit:
    def test_is_what_the_catalogue_names(self):
        assert base.generator_class("latent.model:LatentDiffusion") is LatentDiffusion
        for name in ("fit", "save", "load", "sample", "member_score"):
            mine, asked = (inspect.signature(getattr(owner, name)) for owner in (LatentDiffusion, base.Generator))
            assert list(mine.parameters) == list(asked.parameters)

    def test_as_the_denoiser_is_trained_on_the_latents(self, cohort, fitted, tmp_path):
        latents = np.load(cohort[0].files["latents"])
        model, _ = denoising.train(
            latents["train"], latents["train_label"], latents["mask"], ["a", "b", "c"],
            validation=(latents["validation"], latents["validation_label"]), settings=settings(), seed=1,
            checkpoint=checkpoint(tmp_path),
        )  # fmt: skip
        assert all(torch.equal(fitted.model["weights"][name], weight) for name, weight in model["weights"].items())

    def test_what_validation_samples_chose(self, fitted):
        best = min(fitted.history, key=lambda row: row["validation_loss"])
        assert fitted.chosen == {"epoch": best["epoch"], "validation_loss": best["validation_loss"]}
        assert len(fitted.history) == 4

    def test_without_validation_samples_nothing_is_chosen(self, cohort, tmp_path):
        data, samples = cohort
        latents = dict(np.load(data.files["latents"]))
        np.savez(
            tmp_path / "latents.npz",
            **latents | {name: latents[name][:0] for name in ("validation", "validation_label")},
        )
        files = {**data.files, "latents": tmp_path / "latents.npz"}
        alone = known(data.store, samples[samples["split"] != "validation"], **files)
        made = LatentDiffusion.fit(alone, settings(), seed=1, threads=1, checkpoint=checkpoint(tmp_path))
        assert made.chosen == {} and len(made.history) == 4


class TestSaveAndLoad:
    def test_draws_the_same_samples(self, cohort, fitted, tmp_path):
        fitted.save(tmp_path / "model")
        back = LatentDiffusion.load(tmp_path / "model", cohort[0], settings(), threads=1)
        label = ["a", "b", "b"]
        assert np.array_equal(drawn(back, label)[0], drawn(fitted, label)[0])
        rows = np.arange(5)
        label = cohort[0].label[:5]
        assert np.array_equal(back.member_score(rows, label, seed=1), fitted.member_score(rows, label, seed=1))
        assert (tmp_path / "model").is_file() and len(list(tmp_path.iterdir())) == 1

    def test_sampled_in_another_way(self, cohort, fitted, tmp_path):
        fitted.save(tmp_path / "model")
        other = settings(sampler={"sampler": "ddim", "steps": 5, "guidance": 1.0})
        back = LatentDiffusion.load(tmp_path / "model", cohort[0], other, threads=1)
        assert not np.array_equal(drawn(back, ["a", "b"])[0], drawn(fitted, ["a", "b"])[0])

    def test_other_data_are_refused(self, cohort, fitted, tmp_path):
        data, samples = cohort
        fitted.save(tmp_path / "model")
        other = known(data.store, samples.iloc[1:], **data.files)
        with pytest.raises(BadInput, match="was trained on other data"):
            LatentDiffusion.load(tmp_path / "model", other, settings(), threads=1)


class TestSample:
    def test_calls_and_latents(self, cohort, fitted):
        calls, found = drawn(fitted, ["b", "a"] * 20)
        assert calls.shape == (VARIANTS, 40, 2) and calls.dtype == np.int8
        assert set(np.unique(calls)) <= {0, 1} and not found.phased
        assert found.latents.shape == (40, *fitted.encoder.shape)
        again = encoder.decode(fitted.encoder, found.latents, streams.rng("latent_decoding", 1, 0))
        assert np.array_equal(calls.sum(2).T, again)

    def test_of_the_label_asked_for(self, cohort, tmp_path):
        longer = settings(training={"epochs": 150, "learning_rate": 5e-3})
        made = LatentDiffusion.fit(cohort[0], longer, seed=1, threads=1, checkpoint=checkpoint(tmp_path))
        calls, _ = drawn(made, ["a"] * 40 + ["b"] * 40)
        assert calls[:, :40].mean() == pytest.approx(0.2, abs=0.08)
        assert calls[:, 40:].mean() == pytest.approx(0.8, abs=0.08)

    def test_shards_and_seeds_differ(self, fitted):
        label = ["a"] * 8
        first = drawn(fitted, label)[0]
        assert np.array_equal(drawn(fitted, label)[0], first)
        for other in (drawn(fitted, label, shard=1)[0], drawn(fitted, label, seed=2)[0]):
            assert not np.array_equal(other, first)

    @pytest.mark.parametrize("label", ["c", "d"])
    def test_a_label_without_training_samples(self, fitted, label):
        with pytest.raises(ValueError, match=f"no training sample has the label '{label}'"):
            drawn(fitted, ["a", label])

    def test_the_first_shard_decodes_as_all_samples_did_before_there_were_shards(self):
        one, other = streams.rng("latent_decoding", 5, 0), np.random.default_rng([5, 4])
        assert np.array_equal(one.random(4), other.random(4))


class TestMemberScore:
    def test_minus_the_denoising_loss_of_the_encoded_sample(self, cohort, fitted):
        latents = np.load(cohort[0].files["latents"])
        expected = -losses.losses(fitted.model, latents["train"], latents["train_label"], 3)
        found = fitted.member_score(cohort[0].rows, cohort[0].label, seed=3)
        assert found.dtype == np.float64
        np.testing.assert_allclose(found, expected, rtol=1e-4)

    def test_higher_for_training_samples_that_were_memorised(self, cohort, tmp_path):
        data, samples = cohort
        network = {"kind": "mlp", "embedding": 8, "mlp_widths": [256, 128]}
        longer = settings(denoiser=network, training={"epochs": 400, "batch": 50, "patience": 0, "learning_rate": 3e-3})
        latents = dict(np.load(data.files["latents"]))
        np.savez(
            tmp_path / "latents.npz",
            **latents | {name: latents[name][:0] for name in ("validation", "validation_label")},
        )  # no early stopping
        data = known(data.store, samples, **{**data.files, "latents": tmp_path / "latents.npz"})
        made = LatentDiffusion.fit(data, longer, seed=1, threads=1, checkpoint=checkpoint(tmp_path))
        score = made.member_score(np.arange(SAMPLES), samples["label"].to_numpy(str), seed=1)
        assert (score[:50, None] > score[None, 50:]).mean() > 0.75

    def test_an_unknown_label(self, fitted):
        with pytest.raises(ValueError, match="the cohort has no label 'd'"):
            fitted.member_score(np.arange(2), np.array(["a", "d"]), seed=1)
