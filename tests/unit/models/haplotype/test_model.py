import numpy as np
import pytest
import torch
from scipy import stats
from stores import store_of

from syngeno.data import sequences
from syngeno.models.haplotype import features, prior, reranker
from syngeno.models.haplotype import model as haplotype_model
from syngeno.training import loop
from unit.models.haplotype.test_prior import everybody, some_mosaics, two_origins

CPU = torch.device("cpu")
GPU = pytest.mark.skipif(not torch.cuda.is_available(), reason="needs a GPU")
DEVICES = ["cpu", pytest.param("cuda", marks=GPU)]
N = 64  # people there can be over three variants


def tilted(monkeypatch, learnt, label="a"):
    """A sketch and a model whose g is large for people with many heterozygous sites; it is known exactly."""
    symbols = np.random.default_rng(1).integers(0, 2, (3, 80)).astype(np.int8)
    fitted = features.fit(symbols, np.arange(3), learnt.copies, 1)
    monkeypatch.setattr(reranker, "scores", lambda model, people, device="auto": 0.8 * people[1][:, 0].double())
    return {"labels": ["a", "b"]}, fitted


def target(learnt, model, fitted, store, guidance=1.0):
    """p0 exp(g) / Z of everybody with label a, added up over all people there can be."""
    n = len(store.samples)
    logs = prior.log_probability(learnt, store, np.arange(n), np.repeat("a", n))
    score = reranker.scores(model, (*features.of_people(fitted, store, np.arange(n)), torch.zeros(n))).numpy()
    p = np.exp(logs + guidance * score)
    return p / p.sum(), score


def counted(drawn, n=N):
    """How often each person of `everybody` was drawn."""
    code = np.array([4, 2, 1]) @ drawn
    return np.bincount(code.reshape(-1, 2) @ [8, 1], minlength=n)


class TestDraw:
    @pytest.mark.parametrize(("steps", "candidates"), [(1, 60), (3, 20)])
    def test_draws_people_as_probable_as_mosaics_and_energy_say(self, tmp_path, monkeypatch, steps, candidates):
        learnt, store = some_mosaics(), everybody(tmp_path)
        model, fitted = tilted(monkeypatch, learnt)
        expected, _ = target(learnt, model, fitted, store)
        plain, _ = target(learnt, model, fitted, store, guidance=0)
        sampler = {"seed": 1, "steps": steps, "candidates": candidates}
        drawn = haplotype_model.draw(learnt, model, fitted, np.repeat("a", 12_000), **sampler)
        share = counted(drawn) / 12_000
        assert np.abs(plain - expected).sum() / 2 > 0.15  # what there is to correct
        assert np.abs(share - expected).sum() / 2 < 0.04

    def test_one_step_of_very_many_candidates_is_exact(self, tmp_path, monkeypatch):
        learnt, store = some_mosaics(), everybody(tmp_path)
        model, fitted = tilted(monkeypatch, learnt)
        expected, _ = target(learnt, model, fitted, store)
        drawn = haplotype_model.draw(learnt, model, fitted, np.repeat("a", 4000), seed=2, candidates=1000)
        assert stats.chisquare(counted(drawn), 4000 * expected).pvalue > 0.001

    @pytest.mark.parametrize("steps", [1, 3])
    def test_without_guidance_they_are_mosaics(self, tmp_path, monkeypatch, steps):
        learnt, store = some_mosaics(), everybody(tmp_path)
        model, fitted = tilted(monkeypatch, learnt)
        plain, _ = target(learnt, model, fitted, store, guidance=0)
        sampler = {"seed": 3, "steps": steps, "candidates": 3, "guidance": 0}
        drawn = haplotype_model.draw(learnt, model, fitted, np.repeat("a", 20_000), **sampler)
        assert stats.chisquare(counted(drawn), 20_000 * plain).pvalue > 0.001

    def test_more_candidates_come_nearer(self, tmp_path, monkeypatch):
        learnt, store = some_mosaics(), everybody(tmp_path)
        model, fitted = tilted(monkeypatch, learnt)
        expected, _ = target(learnt, model, fitted, store)
        off = []
        for candidates in (1, 4, 64):
            drawn = haplotype_model.draw(learnt, model, fitted, np.repeat("a", 8000), seed=4, candidates=candidates)
            off.append(np.abs(counted(drawn) / 8000 - expected).sum() / 2)
        assert off[0] > off[1] + 0.02 > off[2] + 0.04

    def test_the_same_seed_gives_the_same_people_and_another_shard_others(self, monkeypatch):
        learnt = some_mosaics()
        model, fitted = tilted(monkeypatch, learnt)
        one, same, other = (
            haplotype_model.draw(
                learnt, model, fitted, np.repeat(["a", "b"], 40), seed=1, shard=shard, steps=2, candidates=2
            )
            for shard in (1, 1, 2)
        )
        assert (one == same).all()
        assert (one != other).any()

    def test_bad_settings_and_labels(self, monkeypatch):
        learnt = some_mosaics()
        model, fitted = tilted(monkeypatch, learnt)
        with pytest.raises(ValueError, match="0 steps of 64 candidates"):
            haplotype_model.draw(learnt, model, fitted, np.array(["a"]), seed=1, steps=0)
        with pytest.raises(ValueError, match="no training person has the label c"):
            haplotype_model.draw(learnt, model, fitted, np.array(["c"]), seed=1)


class TestNats:
    def test_is_a_bound(self, tmp_path, monkeypatch):
        """Added up over everybody there can be, what it promises is no more than 1, and not much less."""
        learnt, store = some_mosaics(), everybody(tmp_path)
        model, fitted = tilted(monkeypatch, learnt)
        model["labels"] = ["a"]
        true, _ = target(learnt, model, fitted, store)
        above, total = 0, []
        for seed in range(40):
            nats = haplotype_model.nats(
                learnt, model, fitted, store, np.arange(N), np.repeat("a", N), seed=seed
            ).reshape(N, 2)
            assert (nats[:, 0] == nats[:, 1]).all()
            total.append(np.exp(-nats.sum(1)).sum())
            entropy = -(true * np.log(true)).sum()
            above += (true * nats.sum(1)).sum() >= entropy  # held-out nats of people who are drawn from the model
        assert above >= 37
        assert 0.9 < np.mean(total) < 1

    def test_without_guidance_it_is_that_of_mosaics(self, tmp_path, monkeypatch):
        learnt, store = some_mosaics(), everybody(tmp_path)
        model, fitted = tilted(monkeypatch, learnt)
        model["labels"] = ["a"]
        asked = np.arange(N), np.repeat("a", N)
        nats = haplotype_model.nats(learnt, model, fitted, store, *asked, seed=1, guidance=0)
        exact = prior.log_probability(learnt, store, *asked)
        assert -nats.reshape(N, 2).sum(1) == pytest.approx(exact, abs=1e-6)

    @pytest.mark.parametrize("temperature", [0.7, 1.5])
    def test_is_that_of_people_who_are_drawn_at_a_temperature(self, tmp_path, monkeypatch, temperature):
        learnt, store = some_mosaics(), everybody(tmp_path)
        model, fitted = tilted(monkeypatch, learnt)
        model["labels"] = ["a"]
        hot = {"guidance": 0, "temperature": temperature}
        nats = haplotype_model.nats(learnt, model, fitted, store, np.arange(N), np.repeat("a", N), seed=1, **hot)
        drawn = haplotype_model.draw(
            learnt, model, fitted, np.repeat("a", 20_000), seed=1, steps=2, candidates=2, **hot
        )
        p = np.exp(-nats.reshape(N, 2).sum(1))
        assert p.sum() == pytest.approx(1, rel=1e-4)
        assert stats.chisquare(counted(drawn), 20_000 * p / p.sum()).pvalue > 0.001


class TestTrain:
    @pytest.mark.parametrize("device", DEVICES)
    @pytest.mark.parametrize("space", ["haplotype", "genotype"])
    def test_from_people_to_people(self, tmp_path, space, device):
        calls, _ = two_origins(people=120)
        store = sequences.viewed(store_of(tmp_path / "two.zarr.zip", calls), space)
        label, train, rest = np.repeat("a", 120), np.arange(80), np.arange(80, 120)
        known = store, train, label[train], rest, label[rest]
        sizes = {"founders_per_chromosome": 2, "segment": 5, "carriers": 2, "ancestry_size": 1000}
        learnt = prior.learn(*known, **sizes, seed=1, device=device)
        model, fitted, history = haplotype_model.train(
            learnt, *known, components=2, config={"least_steps": 300, "epochs": 10}, seed=1,
            saving=loop.Saving(tmp_path / "state.pt", "f"), device=device,
        )  # fmt: skip
        assert min(row["validation_loss"] for row in history) < np.log(2)
        if space == "haplotype":  # one ancestry for both origins makes too many sites heterozygous
            real = features.of_people(fitted.to(CPU), store, rest)[1][:, 0].mean()
            off = []
            for guidance in (0, 1):
                drawn = haplotype_model.draw(
                    learnt, model, fitted, np.repeat("a", 300), seed=1, guidance=guidance, device=device
                )
                off.append(abs(fitted.to(CPU).of(torch.from_numpy(drawn)[fitted.sites.cpu()])[1][:, 0].mean() - real))
            assert off[1] < off[0] / 2
        asked = learnt, model, fitted, store, rest, label[rest]
        nats = [haplotype_model.nats(*asked, seed=1, guidance=g, device=device).mean() for g in (0, 1)]
        assert nats[1] < nats[0]
