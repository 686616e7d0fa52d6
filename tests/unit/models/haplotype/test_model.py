import numpy as np
import pytest
import torch
from scipy import stats
from settings import generator_settings
from stores import store_of, training_data

from syngeno.errors import BadInput
from syngeno.models.haplotype import features, fitted, fitting, reranker, tracts
from syngeno.models.haplotype.model import HaplotypeDiffusion
from syngeno.training import loop
from unit.models.haplotype.test_fitting import two_origins
from unit.models.haplotype.test_hmm import rng_of
from unit.models.haplotype.test_prior import admixed_mosaics, everybody, some_mosaics

CPU = torch.device("cpu")
GPU = pytest.mark.skipif(not torch.cuda.is_available(), reason="needs a GPU")
DEVICES = ["cpu", pytest.param("cuda", marks=GPU)]
N = 64  # samples there can be over three variants


def tilted(monkeypatch, store=None, labels=("a", "b"), mosaics=some_mosaics, **sampler):
    """A model whose g is large for samples with many heterozygous sites; it is known exactly."""
    mosaics, symbols = mosaics(), np.random.default_rng(1).integers(0, 2, (3, 80)).astype(np.int8)
    summary = features.fit(symbols, np.arange(3), mosaics.per_sample, 1)
    monkeypatch.setattr(reranker, "scores", lambda trained, samples, device="auto": 0.8 * samples[1][:, 0].double())
    plain = {"steps": 1, "candidates": 64, "reranker_weight": 1.0, "temperature": 1.0, "shared_by": None}
    data = training_data(store or (), [], [])
    return HaplotypeDiffusion(mosaics, {"labels": list(labels), "used": True}, summary, data, plain | sampler)


def target(model, store, weight=1.0):
    """p0 exp(weight g) / Z of every sample with label a, added up over all samples there can be."""
    n = len(store.samples)
    logs = some_mosaics().log_probability(store, np.arange(n), np.repeat("a", n), seed=1)
    summary = model.features.to(CPU).of_samples(store, np.arange(n))
    p = np.exp(logs + weight * reranker.scores(model.network, (*summary, torch.zeros(n))).numpy())
    return p / p.sum()


def counted(drawn, n=N):
    """How often each sample of `everybody` was drawn."""
    code = np.array([4, 2, 1]) @ drawn
    return np.bincount(code.reshape(-1, 2) @ [8, 1], minlength=n)


class TestDraw:
    @pytest.mark.parametrize(("steps", "candidates"), [(1, 60), (3, 20)])
    def test_draws_samples_as_probable_as_mosaics_and_reranker_say(self, tmp_path, monkeypatch, steps, candidates):
        store = everybody(tmp_path)
        model = tilted(monkeypatch, steps=steps, candidates=candidates)
        expected, plain = target(model, store), target(model, store, weight=0)
        share = counted(model.draw(np.repeat("a", 12_000), seed=1)[0]) / 12_000
        assert np.abs(plain - expected).sum() / 2 > 0.15  # what there is to correct
        assert np.abs(share - expected).sum() / 2 < 0.04

    def test_one_step_of_very_many_candidates_is_exact(self, tmp_path, monkeypatch):
        model = tilted(monkeypatch, candidates=1000)
        expected = target(model, everybody(tmp_path))
        drawn = model.draw(np.repeat("a", 4000), seed=2)[0]
        assert stats.chisquare(counted(drawn), 4000 * expected).pvalue > 0.001

    @pytest.mark.parametrize("steps", [1, 3])
    def test_without_the_reranker_they_are_mosaics(self, tmp_path, monkeypatch, steps):
        model = tilted(monkeypatch, steps=steps, candidates=3, reranker_weight=0)
        plain = target(model, everybody(tmp_path), weight=0)
        drawn = model.draw(np.repeat("a", 20_000), seed=3)[0]
        assert stats.chisquare(counted(drawn), 20_000 * plain).pvalue > 0.001

    def test_a_reranker_that_is_not_used_changes_nothing(self, tmp_path, monkeypatch):
        by_chance = tilted(monkeypatch)
        network = by_chance.network | {"used": False}
        asked = {"steps": 3, "candidates": 8, "reranker_weight": 1.0}
        model = HaplotypeDiffusion(
            by_chance.prior, network, by_chance.features, by_chance.data, by_chance.sampler | asked
        )
        plain = target(model, everybody(tmp_path), weight=0)
        assert stats.chisquare(counted(model.draw(np.repeat("a", 20_000), seed=3)[0]), 20_000 * plain).pvalue > 0.001

    def test_more_candidates_come_nearer(self, tmp_path, monkeypatch):
        store, off = everybody(tmp_path), []
        for candidates in (1, 4, 64):
            model = tilted(monkeypatch, candidates=candidates)
            drawn = model.draw(np.repeat("a", 8000), seed=4)[0]
            off.append(np.abs(counted(drawn) / 8000 - target(model, store)).sum() / 2)
        assert off[0] > off[1] + 0.02 > off[2] + 0.04

    def test_the_same_seed_gives_the_same_samples_and_another_shard_others(self, monkeypatch):
        model, label = tilted(monkeypatch, steps=2, candidates=2), np.repeat(["a", "b"], 40)
        first, again, other = (model.draw(label, seed=1, shard=shard)[0] for shard in (0, 0, 1))
        assert (first == again).all()
        assert (first != other).any()

    def test_unknown_label(self, monkeypatch):
        with pytest.raises(ValueError, match="no training sample has the label c"):
            tilted(monkeypatch).draw(np.array(["c"]), seed=1)


class TestLocalAncestry:
    @pytest.mark.parametrize("rule", [{"shared_by": None}, {"shared_by": 2, "longer_than": 1.0}])
    @pytest.mark.parametrize("mosaics", [some_mosaics, admixed_mosaics])
    def test_does_not_change_what_is_drawn(self, tmp_path, monkeypatch, mosaics, rule):
        model = tilted(monkeypatch, everybody(tmp_path), mosaics=mosaics, steps=2, candidates=2, **rule)
        label = np.repeat(["a", "b"], 40)
        plain, none = model.draw(label, seed=1)
        drawn, found = model.draw(label, seed=1, local_ancestry=True)
        assert none is None
        assert (drawn == plain).all()
        assert found.proportions.shape == (80, model.prior.components.ancestries)
        assert found.proportions.sum(1) == pytest.approx(1)
        assert np.unique(found.tracts[:, 0]).tolist() == list(range(160))
        assert (found.tracts[found.tracts[:, 0] >= 80, 3] == len(found.names) - 1).all()  # of one ancestry

    def test_of_several_parts_as_of_one(self, monkeypatch):
        """Samples are drawn so many at a time; sequences are counted through."""
        model = tilted(monkeypatch, mosaics=admixed_mosaics, candidates=2)
        monkeypatch.setattr("syngeno.models.haplotype.model.HELD", {"cpu": 3 * 2 * 2 * 30})
        found = model.draw(np.repeat("a", 80), seed=1, local_ancestry=True)[1]
        assert np.unique(found.tracts[:, 0]).tolist() == list(range(160))
        assert len(np.unique(found.proportions[:, 0])) == 80


class TestProportions:
    def test_samples_have_those_that_are_asked_for(self, monkeypatch):
        """The ancestry at the start of a chromosome is a draw by them; so is the share of all in the long run."""
        model, n = tilted(monkeypatch, mosaics=admixed_mosaics, steps=2, candidates=3, reranker_weight=0), 10_000
        asked = {"a": {"ancestry1": 0.3, "b": 0.7}}
        label = np.repeat(["a", "b"], [n, 10])
        found = model.draw(label, seed=1, local_ancestry=True, proportions=asked)[1]
        assert (found.proportions == np.repeat([[0.3, 0.7], [0, 1]], [n, 10], axis=0)).all()
        tracts = found.tracts[found.tracts[:, 0] < 2 * n]
        for first in (0, 2):  # of either chromosome, which are independent given the proportions
            counts = np.bincount(tracts[tracts[:, 1] == first, 3])
            assert counts.sum() == 2 * n
            assert stats.chisquare(counts, [0.3 * 2 * n, 0.7 * 2 * n]).pvalue > 0.001
        changed = (tracts[:, 1] == 1).mean() * len(tracts) / (2 * n)  # 10 switches per Morgan, over 5 cM
        assert changed == pytest.approx((1 - np.exp(-0.5)) * 2 * 0.3 * 0.7, abs=0.01)

    def test_ancestry_and_symbols_are_as_if_drawn_at_once(self, monkeypatch):
        model, n = tilted(monkeypatch, mosaics=admixed_mosaics, steps=3, candidates=3, reranker_weight=0), 20_000
        asked = {"a": {"ancestry1": 0.5, "b": 0.5}}
        symbols, found = model.draw(np.repeat("a", n), seed=1, local_ancestry=True, proportions=asked)
        ancestry = np.empty((3, 2 * n), int)
        for sequence, first, last, which in found.tracts:
            ancestry[first : last + 1, sequence] = which  # segments are of one variant
        mosaics, rng = model.prior.asked(asked), rng_of(5)
        admixture = mosaics._admixture(mosaics.origins(np.repeat("a", n), rng))
        states = (np.random.default_rng(seed).integers(2**63, size=2 * n, dtype=np.uint64) for seed in (1, 2))
        at_once = [tracts.walk(chain, admixture, each) for chain, each in zip(mosaics._chains(), states, strict=True)]
        other = np.concatenate([one.symbols for one in at_once]), np.concatenate([one.ancestry for one in at_once])
        code = [(1 << np.arange(6)) @ np.concatenate(pair).astype(int) for pair in ((symbols, ancestry), other)]
        table = np.array([np.bincount(each, minlength=64) for each in code])
        assert stats.chi2_contingency(table[:, table.sum(0) > 0]).pvalue > 0.001

    def test_others_are_drawn_as_before(self, monkeypatch):
        model = tilted(monkeypatch, mosaics=admixed_mosaics, candidates=2)
        label = np.repeat("a", 40)
        plain = model.draw(label, seed=1, local_ancestry=True)[1]
        found = model.draw(label, seed=1, local_ancestry=True, proportions={"b": {"b": 1}})[1]
        assert (plain.proportions == found.proportions).all()


class TestLogProb:
    def test_is_a_bound(self, tmp_path, monkeypatch):
        """Added up over every sample there can be, what it promises is no more than 1, and not much less."""
        store = everybody(tmp_path)
        model = tilted(monkeypatch, store, labels=["a"])
        true = target(model, store)
        above, total = 0, []
        for seed in range(200):
            nats = -model.log_prob(np.arange(N), np.repeat("a", N), seed=seed).reshape(N, 2)
            assert (nats[:, 0] == nats[:, 1]).all()
            total.append(np.exp(-nats.sum(1)).sum())
            entropy = -(true * np.log(true)).sum()
            above += (true * nats.sum(1)).sum() >= entropy  # held-out nats of samples that are drawn from the model
        assert above >= 180  # of 200, where it is to hold in 95 of 100
        assert 0.9 < np.mean(total) < 1

    def test_without_the_reranker_it_is_that_of_mosaics(self, tmp_path, monkeypatch):
        store = everybody(tmp_path)
        model, asked = tilted(monkeypatch, store, labels=["a"], reranker_weight=0), (np.arange(N), np.repeat("a", N))
        exact = some_mosaics().log_probability(store, *asked, seed=1)
        assert model.log_prob(*asked, seed=1).reshape(N, 2).sum(1) == pytest.approx(exact, abs=1e-6)

    @pytest.mark.parametrize("temperature", [0.7, 1.5])
    def test_is_that_of_samples_that_are_drawn_at_a_temperature(self, tmp_path, monkeypatch, temperature):
        hot = {"reranker_weight": 0, "temperature": temperature, "steps": 2, "candidates": 2}
        model = tilted(monkeypatch, everybody(tmp_path), labels=["a"], **hot)
        logs = model.log_prob(np.arange(N), np.repeat("a", N), seed=1)
        drawn = model.draw(np.repeat("a", 20_000), seed=1)[0]
        p = np.exp(logs.reshape(N, 2).sum(1))
        assert p.sum() == pytest.approx(1, rel=1e-4)
        assert stats.chisquare(counted(drawn), 20_000 * p / p.sum()).pvalue > 0.001


def settings_of(space="haplotype", **sampler):
    return generator_settings(
        "haplotype_diffusion",
        space=space,
        clusters={"number": 2, "segment": 5, "subpopulation_size": 1000},
        reranker={"components": 2, "least_steps": 300, "epochs": 10},
        sampler={"steps": 1, "candidates": 64} | sampler,
    )


def model_of(folder, space="haplotype", device="cpu", phased=True):
    """A model of samples of two origins, the data that it was fitted on, and its file."""
    calls, _ = two_origins(samples=120)
    store, label = store_of(folder / "two.zarr.zip", calls, phased), np.repeat("a", 120)
    known = store, np.arange(80), label[:80], np.arange(80, 120), label[80:]
    near = 1e-3 * np.arange(len(known[0]))
    clusters = fitting.learn(training_data(*known, centimorgans=near), settings_of(space), seed=1, device=device)
    fitted.save(folder / "clusters.npz", clusters)
    data = training_data(*known, centimorgans=near, clusters=folder / "clusters.npz")
    checkpoint = loop.Checkpoint(folder / "state.pt", "f")
    model = HaplotypeDiffusion.fit(data, settings_of(space), seed=1, threads=1, checkpoint=checkpoint, device=device)
    model.save(folder / "model.pt")
    return model, data, folder / "model.pt"


class TestFit:
    @pytest.mark.parametrize("device", DEVICES)
    @pytest.mark.parametrize("space", ["haplotype", "genotype"])
    def test_from_samples_to_samples(self, tmp_path, space, device):
        model, data, path = model_of(tmp_path, space, device)
        assert min(row["validation_loss"] for row in model.history) < np.log(2)
        assert model.chosen["number_of_clusters"] == 2 and 1 <= model.chosen["epoch"] <= len(model.history)
        by_weight = [
            HaplotypeDiffusion.load(path, data, settings_of(space, reranker_weight=weight), device=device)
            for weight in (0, 1)
        ]
        if space == "haplotype":  # one subpopulation for both origins makes too many sites heterozygous
            summary = model.features.to(CPU)
            real = summary.of_samples(model.store, data.validation_rows)[1][:, 0].mean()
            off = []
            for loaded in by_weight:
                drawn = torch.from_numpy(loaded.draw(np.repeat("a", 300), seed=1)[0])
                off.append(abs(summary.of(drawn[summary.sites])[1][:, 0].mean() - real))
            assert off[1] < off[0] / 2
        asked = data.validation_rows, data.validation_label
        logs = [loaded.log_prob(*asked, seed=1).mean() for loaded in by_weight]
        assert logs[1] > logs[0]


class TestSaveAndLoad:
    def test_comes_back_as_it_was(self, tmp_path):
        model, data, path = model_of(tmp_path)
        again = HaplotypeDiffusion.load(path, data, settings_of(), threads=1, device="cpu")
        assert again.chosen == model.chosen and again.history == []
        one, other = (
            np.concatenate(list(each.sample(np.repeat("a", 9), seed=1, shard=1).calls)) for each in (model, again)
        )
        assert (one == other).all()
        logs = [each.log_prob(np.arange(80, 90), np.repeat("a", 10), seed=1) for each in (model, again)]
        assert (logs[0] == logs[1]).all() and logs[0].shape == (20,)

    def test_refuses_what_was_trained_on_other_data_or_clusters(self, tmp_path):
        _, data, path = model_of(tmp_path)
        known = data.store, data.rows[1:], data.label[1:], data.validation_rows, data.validation_label
        other = training_data(*known, centimorgans=data.centimorgans, **data.files)
        with pytest.raises(BadInput, match="was trained on other data; delete it and run the fit stage again"):
            HaplotypeDiffusion.load(path, other, settings_of())
        fitted.save(tmp_path / "clusters.npz", some_mosaics())
        with pytest.raises(BadInput, match="was trained on other data"):
            HaplotypeDiffusion.load(path, data, settings_of())

    def test_of_no_file_or_another(self, tmp_path):
        data = training_data(store_of(tmp_path / "s.zarr.zip", two_origins()[0]), np.arange(90), np.repeat("a", 90))
        with pytest.raises(BadInput, match="no such file; run the fit stage first"):
            HaplotypeDiffusion.load(tmp_path / "none.pt", data, settings_of())
        torch.save({"format": "other"}, tmp_path / "other.pt")
        with pytest.raises(BadInput, match="holds no 'syngeno haplotype diffusion 2'"):
            HaplotypeDiffusion.load(tmp_path / "other.pt", data, settings_of())


class TestSample:
    @pytest.mark.parametrize("space", ["haplotype", "genotype"])
    def test_calls_are_phased_as_the_space_is(self, tmp_path, monkeypatch, space):
        model, _, _ = model_of(tmp_path, space)
        monkeypatch.setattr("syngeno.data.sequences.CHUNK", 16)
        drawn = model.sample(np.repeat("a", 7), seed=1, shard=0)
        chunks = list(drawn.calls)
        assert drawn.phased == (space == "haplotype") and drawn.latents is None
        assert [chunk.shape for chunk in chunks] == [(16, 7, 2), (16, 7, 2), (8, 7, 2)]
        symbols = np.concatenate(chunks).reshape(40, -1) if drawn.phased else np.concatenate(chunks).sum(2)
        assert (symbols == model.draw(np.repeat("a", 7), seed=1, shard=0)[0]).all()

    def test_an_unphased_cohort_has_no_haplotypes(self, tmp_path):
        with pytest.raises(BadInput, match=r"is not phased \(.*, and has no haplotypes"):
            model_of(tmp_path, phased=False)
