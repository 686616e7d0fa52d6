from dataclasses import replace
from itertools import product

import numpy as np
import pytest
import torch
from scipy import stats
from settings import generator_settings
from stores import store_of, training_data

from syngeno.data import sequences
from syngeno.errors import BadInput
from syngeno.models.haplotype import limits, prior, sharing
from syngeno.models.haplotype.number import suitable
from syngeno.models.haplotype.prior import Origins, Prior
from syngeno.models.haplotype.proportions import Components
from unit.models.haplotype.test_ancestry import admixed
from unit.models.haplotype.test_hmm import rng_of, some_clusters


def settings_of(space="haplotype", limit=None, attack=None, rule=None, **sizes):
    sizes = {"number": 4, "segment": 5, "subpopulation_size": 30, "ancestries": 1} | sizes
    limits = {"max_membership_auc": limit, "max_attack_auc": attack}
    return generator_settings("haplotype_diffusion", space=space, clusters=sizes, **limits) | {"rule": rule}


def some_mosaics(alphabet=2):
    """Two chromosomes of two variants and one; label a has two subpopulations, b one."""
    sizes = {"alphabet": alphabet, "groups": 3, "width": 2}
    chromosomes = [some_clusters(1, B=1, variants=2, **sizes), some_clusters(2, B=1, variants=1, **sizes)]
    for one in chromosomes:
        one.weight[:2] = torch.tensor([[[0.95, 0.05]], [[0.05, 0.95]]])
    components = Components.of_one_ancestry(np.array(["a", "a", "b"]), np.array([0.3, 0.7, 1.0]))
    return Prior(chromosomes, [np.zeros(1)] * 2, components, alphabet)


def admixed_mosaics(alphabet=2):
    """The same chromosomes, of two segments and one; label a is admixed of two ancestries, b of the second alone."""
    sizes = {"alphabet": alphabet, "groups": 2, "width": 1}
    chromosomes = [some_clusters(1, B=2, variants=2, **sizes), some_clusters(2, B=1, variants=1, **sizes)]
    for one in chromosomes:
        one.weight[:] = torch.tensor([[[0.95, 0.05]], [[0.05, 0.95]]])
    alpha, rate, group = np.array([[2.0, 1.0], [0.0, 1.0]]), np.array([10.0, 0.0]), np.zeros(2, int)
    components = Components(np.array(["a", "b"]), np.ones(2), alpha, rate, group)
    return Prior(chromosomes, [np.array([0, 0.05]), np.zeros(1)], components, alphabet)


def everybody(tmp_path, alphabet=2):
    """A store of every sample there can be over three variants, and the symbols (3, sequences)."""
    each = list(product(range(alphabet), repeat=3))
    if alphabet == 2:
        calls = np.array([np.column_stack(pair) for pair in product(each, each)], np.int8)
    else:
        calls = np.array([[[int(one == 2), int(one >= 1)] for one in sample] for sample in each], np.int8)
    store = store_of(tmp_path / "all.zarr.zip", calls.transpose(1, 0, 2), contigs=["1", "1", "2"])
    return sequences.viewed(store, "haplotype" if alphabet == 2 else "genotype")


def two_origins(samples=90, variants=40, seed=5):
    """Calls (variants, samples, 2) of samples of two origins, each mosaics of two haplotypes of their own."""
    rng = np.random.default_rng(seed)
    source = rng.integers(0, 2, (2, 2, variants))
    origin = np.arange(samples) % 2
    pick = rng.integers(0, 2, (samples, 2, variants // 10)).repeat(10, axis=2)
    calls = source[origin[:, None, None], pick, np.arange(variants)]
    return calls.transpose(2, 0, 1).astype(np.int8), origin


class TestLogProbability:
    @pytest.mark.parametrize(("alphabet", "label"), [(2, "a"), (2, "b"), (3, "a")])
    @pytest.mark.parametrize(("mosaics", "seeds", "error"), [(some_mosaics, 1, 1e-5), (admixed_mosaics, 40, 0.03)])
    def test_sums_to_1_over_everybody(self, tmp_path, mosaics, seeds, error, alphabet, label):
        """On the average of seeds, where proportions are integrated over by a few draws."""
        store = everybody(tmp_path, alphabet)
        n, learnt = len(store.samples), mosaics(alphabet)
        each = [learnt.log_probability(store, np.arange(n), np.repeat(label, n), seed=seed) for seed in range(seeds)]
        assert n == {2: 64, 3: 27}[alphabet]
        assert np.exp(each).mean(0).sum() == pytest.approx(1, rel=error)

    def test_a_samples_haplotypes_share_a_subpopulation(self, tmp_path):
        store = everybody(tmp_path)
        p = np.exp(some_mosaics().log_probability(store, np.arange(64), np.repeat("a", 64), seed=1)).reshape(8, 8)
        apart = p.sum(1, keepdims=True) * p.sum(0)
        assert np.abs(p - apart).max() > 1e-3
        assert np.diag(p).sum() > np.diag(apart).sum() + 1e-3  # more often alike than by chance

    def test_of_an_unknown_label(self, tmp_path):
        with pytest.raises(ValueError, match="no training sample has the label c"):
            some_mosaics().log_probability(everybody(tmp_path), np.array([0]), np.array(["c"]), seed=1)


class TestDraw:
    @pytest.mark.parametrize("alphabet", [2, 3])
    @pytest.mark.parametrize("mosaics", [some_mosaics, admixed_mosaics])
    def test_draws_samples_as_probable_as_they_are(self, tmp_path, mosaics, alphabet):
        learnt, store, times = mosaics(alphabet), everybody(tmp_path, alphabet), 40_000
        n, rng = len(store.samples), rng_of(3)
        each = [learnt.log_probability(store, np.arange(n), np.repeat("a", n), seed=seed) for seed in range(40)]
        expected = np.exp(each).mean(0)
        drawn = learnt.draw(learnt.origins(np.repeat("a", times), rng), rng).numpy()
        code = (alphabet ** np.arange(2, -1, -1)) @ drawn
        code = code.reshape(-1, 2) @ [8, 1] if alphabet == 2 else code
        assert stats.chisquare(np.bincount(code, minlength=n), times * expected / expected.sum()).pvalue > 0.001

    def test_a_sample_of_one_ancestry_follows_its_weights(self):
        learnt, rng = admixed_mosaics(), rng_of(3)
        origins = learnt.origins(np.repeat("b", 50), rng)
        drawn = learnt.draw(origins, rng)
        path, ancestry = learnt.paths(drawn, origins, rng)
        assert path.shape == ancestry.shape == (3, 100)
        assert (ancestry == 1).all()
        assert (learnt.weights(origins, ancestry.numpy()) == 1).all()

    def test_origins_of_an_unknown_label(self):
        with pytest.raises(ValueError, match="no training sample has the label c"):
            some_mosaics().origins(np.array(["a", "c"]), rng_of(1))


class TestComplete:
    def test_each_chromosome_by_its_own_clusters(self):
        learnt = some_mosaics()
        given = torch.tensor([[1, 0], [0, 1], [1, 1]], dtype=torch.int8)
        visible = torch.tensor([[True, True], [False, True]])  # the second chromosome of the first haplotype is hidden
        drawn = learnt.complete(given, visible, Origins(np.array([2]), np.ones((1, 1))), 5000, rng_of(4))
        assert (drawn[:2] == given[:2].repeat_interleave(5000, dim=1)).all()
        assert (drawn[2, 5000:] == 1).all()
        second = learnt.chromosomes[1]
        expected = (second.weight[2, 0] @ second.symbol[0, :, 0, 0]).item()
        assert drawn[2, :5000].float().mean() == pytest.approx(expected, abs=0.03)


class TestSave:
    @pytest.mark.parametrize("mosaics", [some_mosaics, admixed_mosaics])
    def test_round_trip(self, tmp_path, mosaics):
        written = mosaics()
        prior.save(tmp_path / "clusters.npz", written)
        read = prior.load(tmp_path / "clusters.npz")
        for one, other in zip(vars(written.components).values(), vars(read.components).values(), strict=True):
            np.testing.assert_array_equal(one, other)
        drawn = [each.draw(each.origins(np.repeat("a", 9), rng_of(1)), rng_of(2)) for each in (written, read)]
        assert torch.equal(*drawn)


class TestLearn:
    def test_origins_within_a_label_do_not_mix(self, tmp_path):
        calls, origin = two_origins(samples=320)
        store, label = store_of(tmp_path / "two.zarr.zip", calls), np.repeat("a", 320)
        data = training_data(store, np.arange(300), label[:300], np.arange(300, 320), label[300:])
        learnt = prior.learn(data, settings_of(subpopulation_size=150), seed=1)
        assert learnt.components.label.tolist() == ["a", "a"]
        rng = rng_of(6)
        drawn = learnt.draw(learnt.origins(np.repeat("a", 2000), rng), rng).numpy()
        real = calls.reshape(40, -1)
        of_origin = [real[:, np.repeat(origin, 2) == one].mean(1) for one in (0, 1)]
        nearer = np.array([np.abs(drawn - mean[:, None]).mean(0) for mean in of_origin]).argmin(0).reshape(-1, 2)
        # Real samples of one origin are nearer to the other now and then, too.
        assert (nearer[:, 0] == nearer[:, 1]).mean() == pytest.approx(0.95, abs=0.02)
        assert 0.3 < nearer.mean() < 0.7

    def test_as_many_ancestries_as_validation_samples_speak_for(self, tmp_path):
        """Two for admixed samples beside those of either source, one where there is one source."""
        symbols, label, _ = admixed(samples=240)
        calls = torch.cat(symbols).numpy().reshape(800, 240, 2)
        store = store_of(tmp_path / "mixed.zarr.zip", calls, contigs=np.repeat(["1", "2"], 400).tolist())
        order = np.random.default_rng(1).permutation(240)
        training, validation = np.sort(order[:180]), np.sort(order[180:])
        data = training_data(store, training, label[training], validation, label[validation])
        settings = settings_of(number=12, subpopulation_size=1000, ancestries="auto")
        short, long = (replace(data, centimorgans=np.tile(each * np.arange(400), 2)) for each in (0.05, 0.1))
        assert prior.learn(short, settings, seed=1).components.ancestries == 1  # too short to tell proportions
        learnt = prior.learn(long, settings, seed=1)
        assert learnt.components.ancestries == 2
        assert (learnt.components.alpha > 0).sum(1).tolist() == [1, 1, 2]
        alone, held = (rows[label[rows] == "a"] for rows in (training, validation))
        one = replace(long, rows=alone, label=label[alone], validation_rows=held, validation_label=label[held])
        assert prior.learn(one, settings, seed=1).components.ancestries == 1

    @pytest.mark.parametrize("space", ["haplotype", "genotype"])
    def test_does_not_depend_on_which_allele_is_the_reference(self, tmp_path, space):
        calls, _ = two_origins()
        swapped = np.where(np.arange(40)[:, None, None] % 3 == 0, 1 - calls, calls)
        logs = []
        for name, each in (("one", calls), ("two", swapped)):
            store = store_of(tmp_path / f"{name}.zarr.zip", each)
            label = np.repeat("a", 90)
            data = training_data(store, np.arange(70), label[:70], np.arange(70, 90), label[70:])
            learnt = prior.learn(data, settings_of(space), seed=1)
            logs.append(learnt.log_probability(sequences.viewed(store, space), np.arange(70, 90), label[70:], seed=1))
        assert logs[0] == pytest.approx(logs[1], rel=1e-3)

    def test_as_many_clusters_as_membership_allows(self, tmp_path):
        """Each haplotype is one sample's own: the more clusters, the better training samples are distinguished."""
        rng = np.random.default_rng(3)
        calls = rng.integers(0, 2, (60, 120, 2)).astype(np.int8)
        store, label = store_of(tmp_path / "own.zarr.zip", calls), np.repeat("a", 120)
        data = training_data(store, np.arange(80), label[:80], np.arange(80, 120), label[80:])
        sizes, numbers, areas = {"number": 160, "subpopulation_size": 1000, "min_support": 1}, [], {}
        for limit in (0.999, 0.9, 0.85):
            learnt = prior.learn(data, settings_of(limit=limit, **sizes), seed=1)
            numbers.append(learnt.chromosomes[0].switch.shape[1])
            areas[limit] = limits.of_model(learnt, data, 1)
        assert numbers[0] > numbers[1] > numbers[2]
        assert all(area <= limit for limit, area in areas.items())
        fact = (
            "max_membership_auc: 16 clusters distinguish training from validation samples by an area of .*; allow more"
        )
        with pytest.raises(BadInput, match=fact):
            prior.learn(data, settings_of(limit=0.5, **sizes), seed=1)

    def test_as_many_clusters_as_an_attack_on_what_is_drawn_allows(self, tmp_path, monkeypatch):
        """Mosaics of few clusters are nobody's own; those of as many as haplotypes are, without the rule."""
        rng = np.random.default_rng(3)
        calls = rng.integers(0, 2, (300, 120, 2)).astype(np.int8)
        store, label = store_of(tmp_path / "own.zarr.zip", calls), np.repeat("a", 120)
        data = training_data(store, np.arange(80), label[:80], np.arange(80, 120), label[80:])
        sizes = {"number": 160, "subpopulation_size": 1000, "min_support": 1}
        rule = {"longer_than": 0.0, "shared_by": 3}
        monkeypatch.setattr(sharing, "LEAST", 8)

        def learnt(**limited):
            fitted = prior.learn(data, settings_of(**limited, **sizes), seed=1)
            return fitted, fitted.chromosomes[0].switch.shape[1]

        all_, number = learnt()
        assert number == 160
        plain, by_rule = (limits.of_mosaics(all_, data, 1, one) for one in (None, rule))
        assert plain > by_rule + 0.05
        limit = (plain + by_rule) / 2
        few, number = learnt(attack=limit)
        assert number < 160
        assert limits.of_mosaics(few, data, 1, None) <= limit
        assert learnt(attack=limit, rule=rule)[1] > number
        with pytest.raises(BadInput, match="max_attack_auc: samples drawn from 16 clusters distinguish training from"):
            learnt(attack=0.5)

    @pytest.mark.parametrize(("most", "sizes"), [(100, [16, 32, 64, 100]), (64, [16, 32, 64]), (9, [9])])
    def test_clusters_are_doubled_up_to_the_most(self, most, sizes):
        assert prior._doubled(most) == sizes

    @pytest.mark.parametrize(
        ("haplotypes", "number"), [(2, 16), (127, 16), (128, 32), (560, 128), (1023, 128), (1024, 256), (10**6, 256)]
    )
    def test_how_many_suit_the_training_haplotypes(self, haplotypes, number):
        assert suitable(haplotypes) == number

    def test_without_validation_samples(self, tmp_path):
        calls, _ = two_origins()
        data = training_data(store_of(tmp_path / "two.zarr.zip", calls), np.arange(90), np.repeat("a", 90))
        learnt = prior.learn(data, settings_of("genotype"), seed=1)
        assert (learnt.alphabet, learnt.per_sample, learnt.variants, learnt.segments) == (3, 1, 40, 8)
        with pytest.raises(BadInput, match="max_membership_auc: there are no validation samples"):
            prior.learn(data, settings_of("genotype", limit=0.6), seed=1)


class TestSaveAndLoad:
    def test_comes_back_as_it_was(self, tmp_path):
        before = some_mosaics(3)
        prior.save(tmp_path / "clusters.npz", before)
        after = prior.load(tmp_path / "clusters.npz")
        components = after.components
        assert (after.alphabet, components.label.tolist(), components.share.tolist()) == (
            3,
            ["a", "a", "b"],
            [0.3, 0.7, 1],
        )
        assert [one.variants for one in after.chromosomes] == [2, 1]
        for one, other in zip(before.chromosomes, after.chromosomes, strict=True):
            assert (one.symbol == other.symbol).all()
            assert (one.switch == other.switch).all()
            assert (one.weight == other.weight).all()

    def test_of_no_file_or_another(self, tmp_path):
        with pytest.raises(BadInput, match="no such file; run the fit stage again"):
            prior.load(tmp_path / "none.npz")
        np.savez(tmp_path / "other.npz", x=1)
        (tmp_path / "text.npz").write_text("text")
        (tmp_path / "empty.npz").write_text("")
        (tmp_path / "cut.npz").write_bytes((tmp_path / "other.npz").read_bytes()[:50])
        for name in ("other", "text", "empty", "cut"):
            with pytest.raises(BadInput, match="holds no clusters of this version"):
                prior.load(tmp_path / f"{name}.npz")
