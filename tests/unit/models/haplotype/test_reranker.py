import numpy as np
import pytest
import torch
from settings import generator_settings

from syngeno.errors import BadInput
from syngeno.models.haplotype import reranker
from syngeno.training import loop


def settings_of(**changes):
    reranker = {"epochs": 30, "least_steps": 900, "batch": 64, "width": 32, "learning_rate": 3e-3} | changes
    return generator_settings("haplotype_diffusion", reranker=reranker)["reranker"] | {"max_membership_auc": None}


@pytest.fixture(autouse=True)
def single_thread():
    torch.set_num_threads(1)  # so small a network is slower with more


def features_of(n, mean, seed, labels=1):
    """Two haplotypes each with one coordinate, normal around `mean`; no counts."""
    rng = np.random.default_rng(seed)
    coordinates = torch.from_numpy(rng.normal(mean, 1, (n, 2, 1)).astype(np.float32))
    return coordinates, torch.zeros(n, 1), torch.arange(n) % labels


def trained(folder, every=120, **settings):
    real, drawn = features_of(600, 0.5, 1), features_of(6000, 0, 2)
    held = features_of(300, 0.5, 3), features_of(600, 0, 4)
    more = {"checkpoint": loop.Checkpoint(folder / "state.pt", "f", every)}
    return reranker.train(real, drawn, ["a"], validation=held, settings=settings_of(**settings), seed=1, **more)


def some_model():
    torch.manual_seed(1)
    shape = {"components": 2, "counts": 1, "labels": 2, "width": 8, "dropout": 0.2}
    return {"shape": shape, "labels": ["a", "b"], "weights": reranker.Reranker(**shape).state_dict()}


def some_samples():
    coordinates = np.random.default_rng(1).normal(0, 1, (9, 2, 2)).astype(np.float32)
    return torch.from_numpy(coordinates), torch.ones(9, 1), torch.arange(9) % 2


class TestTrain:
    def test_learns_the_log_ratio(self, tmp_path):
        model, history = trained(tmp_path)
        asked = features_of(2000, 0.25, 5)
        true = (0.5 * asked[0] - 0.125).sum((1, 2)).numpy()  # log N(x; .5, 1) / N(x; 0, 1), of both haplotypes
        found = reranker.scores(model, asked, "cpu").numpy()
        assert np.corrcoef(found, true)[0, 1] > 0.97
        assert np.abs(found - true).mean() < 0.15
        assert min(row["validation_loss"] for row in history) < np.log(2) - 0.03
        assert model["used"]

    def test_distinguishes_nothing_where_nothing_differs(self, tmp_path):
        same = [features_of(n, 0, seed) for n, seed in ((600, 1), (6000, 2), (300, 3), (600, 4))]
        more = {"checkpoint": loop.Checkpoint(tmp_path / "state.pt", "f")}
        model, _ = reranker.train(*same[:2], ["a"], validation=tuple(same[2:]), settings=settings_of(), seed=1, **more)
        assert reranker.scores(model, features_of(500, 0, 5), "cpu").abs().mean() < 0.15
        assert not model["used"]

    def test_interrupted_equals_uninterrupted(self, tmp_path, monkeypatch):
        short = {"epochs": 3, "least_steps": 30}
        whole = trained(tmp_path / "whole", **short)
        learn = loop.Run.learn

        def failing(self):
            if self.step == 17:
                raise KeyboardInterrupt
            learn(self)

        with monkeypatch.context() as patch:
            patch.setattr(loop.Run, "learn", failing)
            with pytest.raises(KeyboardInterrupt):
                trained(tmp_path / "parts", every=0, **short)
        assert loop.load(tmp_path / "parts" / "state.pt")["step"] == 17
        again = trained(tmp_path / "parts", **short)
        for name, weight in whole[0]["weights"].items():
            assert torch.equal(weight, again[0]["weights"][name]), name

    def test_without_validation_samples_it_keeps_the_last_weights(self, tmp_path):
        more = {"checkpoint": loop.Checkpoint(tmp_path / "state.pt", "f")}
        settings = settings_of(epochs=2, least_steps=4, batch=8)
        model, history = reranker.train(
            features_of(20, 1, 1), features_of(40, 0, 2), ["a"], validation=None, settings=settings, seed=1, **more
        )
        assert model["used"]
        assert [np.isnan(row["validation_loss"]) for row in history] == [True, True]

    def test_a_limit_on_membership_inference_needs_validation_samples(self, tmp_path):
        more = {"checkpoint": loop.Checkpoint(tmp_path / "state.pt", "f")}
        settings = settings_of() | {"max_membership_auc": 0.6}
        with pytest.raises(BadInput, match="max_membership_auc: there are no validation samples"):
            reranker.train(
                features_of(20, 1, 1), features_of(40, 0, 2), ["a"], validation=None, settings=settings, seed=1, **more
            )


class TestScores:
    def test_the_order_of_haplotypes_makes_no_difference(self):
        coordinates, *rest = some_samples()
        model = some_model()
        found = reranker.scores(model, (coordinates, *rest), "cpu")
        assert torch.allclose(found, reranker.scores(model, (coordinates.flip(1), *rest), "cpu"), atol=1e-5)
        assert found.std() > 1e-3

    def test_many_samples_at_a_time_or_few(self, monkeypatch):
        whole = reranker.scores(some_model(), some_samples(), "cpu")
        monkeypatch.setattr(reranker, "BATCH", 4)
        assert torch.allclose(reranker.scores(some_model(), some_samples(), "cpu"), whole, atol=1e-5)


class TestLogNormaliser:
    @pytest.mark.parametrize("spread", [0.7, 1.0])
    def test_bounds_from_above(self, spread):
        rng, code = np.random.default_rng(1), np.zeros(1000, int)
        found = [reranker.log_normaliser(rng.normal(0, spread, 1000), code, 1)[0] for _ in range(1000)]
        share = np.mean(np.array(found) > spread**2 / 2)  # of exp(g), log-normal, the mean is exp(s^2 / 2)
        assert 0.94 < share < 0.99
        assert np.mean(found) < spread**2 / 2 + 0.15

    def test_says_where_few_draws_decide(self, caplog):
        reranker.log_normaliser(np.random.default_rng(1).normal(0, 4, 1000), np.zeros(1000, int), 1)
        assert "no bound" in caplog.text

    def test_label_by_label(self):
        score, code = np.array([1.0, 1, 3, 3, 3]), np.array([0, 0, 1, 1, 1])
        assert reranker.log_normaliser(score, code, 2) == pytest.approx([1, 3])
