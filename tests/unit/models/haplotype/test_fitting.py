from dataclasses import replace

import numpy as np
import pytest
import stores
import torch
from settings import generator_settings
from stores import store_of

from syngeno.data import sequences
from syngeno.errors import BadInput
from syngeno.models.haplotype import clusters, fitting, limits, sharing
from syngeno.models.haplotype.number import doubled, most, suitable
from unit.models.haplotype.test_ancestry import admixed
from unit.models.haplotype.test_hmm import rng_of
from unit.models.haplotype.test_unlinked import two_labels


def settings_of(space="haplotype", limit=None, attack=None, rule=None, **sizes):
    sizes = {"number": 4, "segment": 5, "subpopulation_size": 30, "ancestries": 1} | sizes
    limits = {"max_membership_auc": limit, "max_attack_auc": attack}
    return generator_settings("haplotype_diffusion", space=space, clusters=sizes, **limits) | {"rule": rule}


def training_data(store, *samples):
    """Variants are near each other, so that segments are as long as they may be."""
    return stores.training_data(store, *samples, centimorgans=4e-3 * np.arange(len(store)))


def two_origins(samples=90, variants=40, seed=5):
    """Calls (variants, samples, 2) of samples of two origins, each mosaics of two haplotypes of their own."""
    rng = np.random.default_rng(seed)
    source = rng.integers(0, 2, (2, 2, variants))
    origin = np.arange(samples) % 2
    pick = rng.integers(0, 2, (samples, 2, variants // 10)).repeat(10, axis=2)
    calls = source[origin[:, None, None], pick, np.arange(variants)]
    return calls.transpose(2, 0, 1).astype(np.int8), origin


class TestLearn:
    def test_origins_within_a_label_do_not_mix(self, tmp_path):
        calls, origin = two_origins(samples=320)
        store, label = store_of(tmp_path / "two.zarr.zip", calls), np.repeat("a", 320)
        data = training_data(store, np.arange(300), label[:300], np.arange(300, 320), label[300:])
        learnt = fitting.learn(data, settings_of(subpopulation_size=150), seed=1)
        assert learnt.components.label.tolist() == ["a", "a"]
        rng = rng_of(6)
        drawn = learnt.draw(learnt.origins(np.repeat("a", 2000), rng), rng).numpy()
        real = calls.reshape(40, -1)
        of_origin = [real[:, np.repeat(origin, 2) == one].mean(1) for one in (0, 1)]
        nearer = np.array([np.abs(drawn - mean[:, None]).mean(0) for mean in of_origin]).argmin(0).reshape(-1, 2)
        # Real samples of one origin are nearer to the other now and then, too.
        assert (nearer[:, 0] == nearer[:, 1]).mean() == pytest.approx(0.95, abs=0.02)
        assert 0.3 < nearer.mean() < 0.7

    @pytest.mark.parametrize("linked", [False, True])
    def test_unlinked_variants_have_no_clusters(self, tmp_path, linked):
        """Unless something is asked of these."""
        calls, label = two_labels(400, 140, seed=4)
        if linked:
            calls = calls[:40].repeat(10, axis=0)
        store = store_of(tmp_path / "s.zarr.zip", calls, phased=False)
        data = training_data(store, np.arange(100), label[:100], np.arange(100, 140), label[100:])
        every = {"number": "auto", "ancestries": "auto"}
        assert fitting.learn(data, settings_of("auto", **every), seed=1).linked == linked
        assert fitting.learn(data, settings_of("auto", ancestries="auto"), seed=1).linked
        assert fitting.learn(data, settings_of("auto", limit=1.0, **every), seed=1).linked

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
        assert fitting.learn(short, settings, seed=1).components.ancestries == 1  # too short to tell proportions
        learnt = fitting.learn(long, settings, seed=1)
        assert learnt.components.ancestries == 2
        assert (learnt.components.alpha > 0).sum(1).tolist() == [1, 1, 2]
        alone, held = (rows[label[rows] == "a"] for rows in (training, validation))
        one = replace(long, rows=alone, label=label[alone], validation_rows=held, validation_label=label[held])
        assert fitting.learn(one, settings, seed=1).components.ancestries == 1

    def test_labels_of_the_same_ancestries_keep_what_few_variants_cause(self, tmp_path):
        """Cases are those who carry an allele; in all else they are admixed as controls are.

        A third of the difference is left where labels have no weights of their own.
        """
        symbols, _, _ = admixed(samples=1200)
        calls = torch.cat(symbols).numpy().reshape(800, 1200, 2)[:, 600:]
        causal = 100 + np.abs(calls[100:300].mean(axis=(1, 2)) - 0.3).argmin()
        label = np.where(calls[causal].sum(axis=1) > 0, "case", "control")
        store = store_of(tmp_path / "trait.zarr.zip", calls, contigs=np.repeat(["1", "2"], 400).tolist())
        samples = np.arange(500), label[:500], np.arange(500, 600), label[500:]
        data = stores.training_data(store, *samples, centimorgans=np.tile(0.1 * np.arange(400), 2))
        learnt = fitting.learn(data, settings_of(number=12, ancestries=2), seed=1)
        rng, frequency = torch.Generator().manual_seed(1), {}
        for name in ("case", "control"):
            drawn = learnt.draw(learnt.origins(np.repeat(name, 400), rng), rng)
            frequency[name] = drawn[causal].float().mean().item()
        real = calls[causal, label == "case"].mean()
        assert frequency["case"] - frequency["control"] > 0.4 * real

    @pytest.mark.parametrize("space", ["haplotype", "genotype"])
    def test_does_not_depend_on_which_allele_is_the_reference(self, tmp_path, space):
        calls, _ = two_origins()
        swapped = np.where(np.arange(40)[:, None, None] % 3 == 0, 1 - calls, calls)
        logs = []
        for name, each in (("one", calls), ("two", swapped)):
            store = store_of(tmp_path / f"{name}.zarr.zip", each)
            label = np.repeat("a", 90)
            data = training_data(store, np.arange(70), label[:70], np.arange(70, 90), label[70:])
            learnt = fitting.learn(data, settings_of(space), seed=1)
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
            learnt = fitting.learn(data, settings_of(limit=limit, **sizes), seed=1)
            numbers.append(learnt.chromosomes[0].switch.shape[1])
            areas[limit] = limits.of_model(learnt, data, 1)
        assert numbers[0] > numbers[1] > numbers[2]
        assert all(area <= limit for limit, area in areas.items())
        fact = (
            "max_membership_auc: 16 clusters distinguish training from validation samples by an area of .*; allow more"
        )
        with pytest.raises(BadInput, match=fact):
            fitting.learn(data, settings_of(limit=0.5, **sizes), seed=1)

    def test_as_many_clusters_as_an_attack_on_what_is_drawn_allows(self, tmp_path, monkeypatch):
        """Mosaics of few clusters are nobody's own; those of as many as haplotypes are, without the rule."""
        rng = np.random.default_rng(3)
        calls = rng.integers(0, 2, (300, 120, 2)).astype(np.int8)
        store, label = store_of(tmp_path / "own.zarr.zip", calls), np.repeat("a", 120)
        data = training_data(store, np.arange(80), label[:80], np.arange(80, 120), label[80:])
        sizes = {"number": 160, "subpopulation_size": 1000, "min_support": 1}
        rule = {"longer_than": 0.0, "shared_by": 3}
        monkeypatch.setattr(sharing, "LEAST", 10)

        def learnt(**limited):
            fitted = fitting.learn(data, settings_of(**limited, **sizes), seed=1)
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
        assert doubled(most) == sizes

    @pytest.mark.parametrize(
        ("haplotypes", "number"), [(2, 16), (127, 16), (128, 32), (560, 128), (1023, 128), (1024, 256), (10**6, 256)]
    )
    def test_how_many_suit_the_training_haplotypes(self, haplotypes, number):
        assert suitable(haplotypes) == number

    @pytest.mark.parametrize(
        ("haplotypes", "cells", "number"),
        [(2, 100, 16), (60, 100, 60), (3606, 10_000, 2048), (3606, 1 << 17, 1024), (10**6, 10**8, 16)],
    )
    def test_how_many_training_haplotypes_may_have(self, haplotypes, cells, number):
        assert most(haplotypes, cells) == number
        assert suitable(haplotypes, cells) <= number

    def test_only_what_is_clear_counts(self):
        assert clusters.clearly_more(np.array([1.0, 2.0, 1.5, 1.0]))
        assert not clusters.clearly_more(np.array([9.0, -8.0, 7.0, -6.0]))
        assert not clusters.clearly_more(np.array([5.0]))
        assert not clusters.clearly_more(np.array([3.0, -1.0, -1.0, 3.0]))
        assert clusters.clearly_more(np.array([3.0, -1.0, -1.0, 3.0]), per_sample=2)

    def test_as_many_clusters_as_validation_samples_speak_for(self, tmp_path):
        """Mosaics of eighty haplotypes in short pieces need more clusters than alleles that are drawn one by one."""
        rng, found = np.random.default_rng(7), []
        source, label = rng.integers(0, 2, (60, 80)), np.repeat("a", 200)
        pieces = rng.integers(0, 80, (6, 400)).repeat(10, axis=0)
        mosaics = np.take_along_axis(source, pieces, axis=1)
        for name, calls in (("linked", mosaics), ("unlinked", rng.integers(0, 2, (60, 400)))):
            store = store_of(tmp_path / f"{name}.zarr.zip", calls.reshape(60, 200, 2).astype(np.int8))
            data = training_data(store, np.arange(150), label[:150], np.arange(150, 200), label[150:])
            settings = settings_of(number="auto", subpopulation_size=1000)
            found.append(fitting.learn(data, settings, seed=1).chromosomes[0].switch.shape[1])
        assert found[0] >= 64
        assert found[1] == 16

    def test_without_validation_samples(self, tmp_path):
        calls, _ = two_origins()
        data = training_data(store_of(tmp_path / "two.zarr.zip", calls), np.arange(90), np.repeat("a", 90))
        learnt = fitting.learn(data, settings_of("genotype"), seed=1)
        assert (learnt.alphabet, learnt.per_sample, learnt.variants, learnt.segments) == (3, 1, 40, 8)
        with pytest.raises(BadInput, match="max_membership_auc: there are no validation samples"):
            fitting.learn(data, settings_of("genotype", limit=0.6), seed=1)
