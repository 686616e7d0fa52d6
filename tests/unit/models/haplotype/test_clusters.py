from dataclasses import replace
from itertools import product

import numpy as np
import pytest
import torch
from stores import store_of, training_data

from syngeno.data import sequences
from syngeno.models.haplotype import clusters, hmm, maximisation
from syngeno.models.haplotype.segments import Segments
from syngeno.models.independent import Independent
from unit.models.haplotype.test_hmm import even

CONTIGS = ["1", "1", "1", "2"]


def cut(variants, width):
    """Segments of so many variants, of which the map says nothing."""
    edges = even(variants, width)
    return Segments(edges, np.zeros(len(edges) - 1))


def mosaic_cohort(samples=60, variants=60, seed=3):
    """Samples whose haplotypes are mosaics of three haplotypes, calls (variants, samples, 2)."""
    rng = np.random.default_rng(seed)
    source = rng.integers(0, 2, (3, variants)).astype(np.int8)
    at = rng.integers(0, 3, 2 * samples)
    haplotypes = np.empty((variants, 2 * samples), np.int8)
    for site in range(variants):
        if site % 20 == 0:
            at = np.where(rng.random(2 * samples) < 0.3, rng.integers(0, 3, 2 * samples), at)
        haplotypes[site] = source[at, site]
    return haplotypes.reshape(variants, samples, 2), source


def alleles(model):
    """The likelier allele of each cluster at each variant, bool (K, variants)."""
    return (model.symbol[:, :, 0] > 0.5).numpy().transpose(1, 0, 2).reshape(model.symbol.shape[1], -1)


class TestFit:
    def fitted(self, calls, count=6, shrinkage=0.01, rounds=6, labels=("a",), device="cpu", min_support=2):
        symbols = calls.reshape(len(calls), -1)
        samples = calls.shape[1]
        label = np.resize(labels, samples)
        names, source = np.unique(label, return_inverse=True)
        groups = sequences.Groups(names.tolist(), np.repeat(source, 2), np.repeat(source, 2))
        sample = np.repeat(np.arange(samples), 2)
        settings = clusters.Settings(count, 20, min_support, seed=1, shrinkage=shrinkage, rounds=rounds)
        found = clusters.fit(
            torch.from_numpy(symbols).to(device),
            cut(len(symbols), settings.segment),
            groups,
            sample,
            np.arange(count),
            2,
            settings,
        )
        return next(found)

    def test_finds_the_clusters_of_mosaics(self):
        calls, source = mosaic_cohort()
        model = self.fitted(calls)
        likely = alleles(model)
        for b in range(3):
            part = slice(20 * b, 20 * (b + 1))
            reached = likely[model.weight[0, b].numpy() > 0.02][:, part]
            assert {one.tobytes() for one in reached} == {(one[part] == 1).tobytes() for one in source}

    @pytest.mark.parametrize("min_support", [1, 2])
    def test_what_one_sample_alone_carries(self, min_support):
        """Such a haplotype begins a cluster. With a support of two no cluster has it in the end; with one this one has,
        except in the segment where it is the nearest to a source that begins no cluster.
        """
        calls, source = mosaic_cohort()
        calls[:, 0, 0] = 1 - source[0]
        model = self.fitted(calls, min_support=min_support)
        left = (alleles(model).reshape(-1, 3, 20) == calls[:, 0, 0].reshape(3, 20)).all(2).T
        share = (model.weight[0].numpy() * left).sum(1)
        assert (share < 1e-4).all() if min_support > 1 else (share > 1e-3).sum() >= 2

    @pytest.mark.parametrize(("min_support", "kept"), [(2, True), (10, False)])
    def test_what_few_carry_is_forgotten(self, min_support, kept):
        """A haplotype that five samples carry, of as many folds, begins a cluster."""
        calls, source = mosaic_cohort()
        calls[:, :5, 0] = 1 - source[0][:, None]
        model = self.fitted(calls, min_support=min_support)
        same = (alleles(model).reshape(-1, 3, 20) == calls[:, 0, 0].reshape(3, 20)).all(2).T
        share = (model.weight[0].numpy() * same).sum(1)
        assert (share > 0.01).all() if kept else (share < 1e-3).all()

    @pytest.mark.parametrize("count", [20, 60, 200])
    def test_what_many_carry_is_kept_however_many_clusters_share_it(self, count):
        """Three haplotypes of some 67 carriers each: a cluster alone may have fewer than the five asked for."""
        calls, source = mosaic_cohort(samples=100)
        model = self.fitted(calls, count=count, min_support=5)
        same = np.stack([(alleles(model) == (one == 1)).reshape(-1, 3, 20).all(2) for one in source]).any(0).T
        assert ((model.weight[0].numpy() * same).sum(1) > 0.9).all()

    def test_training_samples_are_no_likelier_than_new_ones(self):
        """Haplotypes that nobody shares, and as many clusters: far apart if samples could descend from their own."""
        calls = np.random.default_rng(9).integers(0, 2, (60, 80, 2)).astype(np.int8)
        model = self.fitted(calls[:, :40], count=80)
        known, new = (
            hmm.log_probability(model, torch.from_numpy(part.reshape(60, -1)), torch.zeros(80, dtype=torch.long)).mean()
            for part in (calls[:, :40], calls[:, 40:])
        )
        assert known == pytest.approx(new, abs=10)

    def test_training_samples_are_as_likely_to_the_fit_as_new_ones_are_to_the_clusters(self, caplog):
        """All sequences begin clusters, and nothing is forgotten: where the two would differ most."""
        rng = np.random.default_rng(2)
        source = rng.integers(0, 2, (40, 60)).astype(np.int8)
        at = np.repeat(rng.integers(0, 40, (3, 200)), 20, axis=0)
        calls = np.take_along_axis(source.T, at, axis=1).reshape(60, 100, 2)
        with caplog.at_level("INFO"):
            model = self.fitted(calls[:, :60], count=120, rounds=4, min_support=1)
        told = float(caplog.messages[-1].split(": ")[1].split()[0])
        new = torch.from_numpy(calls[:, 60:].reshape(60, -1))
        logs = hmm.log_probability(model, new, torch.zeros(80, dtype=torch.long))
        assert told == pytest.approx(-logs.mean().item(), rel=0.1)

    def test_nobody_descends_from_their_own_sequence(self, caplog):
        """Founders that begin as all sequences: alleles tossed like coins are no likelier to the fit than coins are."""
        calls = np.random.default_rng(9).integers(0, 2, (60, 40, 2)).astype(np.int8)
        with caplog.at_level("INFO"):
            self.fitted(calls, count=80, rounds=1)
        told = float(caplog.messages[0].split(": ")[1].split()[0])
        assert told > 0.95 * 60 * np.log(2)

    def test_labels_go_where_their_samples_are(self):
        rng = np.random.default_rng(8)
        source = rng.integers(0, 2, (2, 40)).astype(np.int8)
        calls = np.repeat(source[np.arange(40) % 2].T[:, :, None], 2, axis=2)
        model = self.fitted(calls, count=4, labels=("a", "b"))
        likely = alleles(model)
        own = [(likely == (one == 1)).all(1) for one in source]
        for label in (0, 1):
            assert (model.weight[label].numpy()[:, own[label]].sum(1) > 0.9).all()

    def test_renamed_alleles_give_the_same_clusters(self):
        calls, _ = mosaic_cohort()
        renamed, site = calls.copy(), np.arange(0, 60, 3)
        renamed[site] = 1 - renamed[site]
        one, other = (self.fitted(given) for given in (calls, renamed))
        assert other.switch.numpy() == pytest.approx(one.switch.numpy(), abs=1e-4)
        swapped, symbol = (model.symbol.numpy().transpose(0, 3, 1, 2).reshape(60, -1).copy() for model in (one, other))
        swapped[site] = 1 - swapped[site]
        assert symbol == pytest.approx(swapped, abs=1e-4)

    @pytest.mark.skipif(not torch.cuda.is_available(), reason="needs a GPU")
    def test_a_gpu_gives_the_same_clusters(self):
        calls, _ = mosaic_cohort()
        here, there = (self.fitted(calls, labels=("a", "b"), device=device) for device in ("cpu", "cuda"))
        for name in ("symbol", "switch", "weight"):
            assert getattr(there, name).cpu().numpy() == pytest.approx(getattr(here, name).numpy(), abs=1e-3)


class TestExpected:
    @pytest.mark.parametrize("alphabet", [2, 3])
    def test_loops_count_as_tensors_do(self, monkeypatch, alphabet):
        """Sequences of three groups; every other one began a cluster, which it does not descend from."""
        rng = np.random.default_rng(3)
        symbols = torch.from_numpy(rng.integers(0, alphabet, (27, 50)).astype(np.int8))
        edges = np.array([0, 4, 5, 9, 13, 17, 21, 25, 27])
        carried = hmm.indicators(symbols, alphabet, edges)
        model = hmm.Clusters(
            torch.from_numpy(rng.dirichlet(np.ones(alphabet), (8, 12, 4)).transpose(0, 1, 3, 2)[:, :, 1:]).float(),
            torch.from_numpy(np.r_[np.ones((1, 12)), rng.uniform(0.1, 0.9, (7, 12))]).float(),
            torch.from_numpy(rng.dirichlet(np.ones(12), (3, 8))).float(),
            edges,
        )
        group, sample = torch.arange(50) % 3, torch.arange(50) // 2
        fold, ways = clusters.Fold(carried, torch.arange(50), sample[:, None] == sample[:24:2]), []
        for way in (True, False):
            monkeypatch.setattr(hmm, "compiled", lambda device, way=way: way)
            ways.append(clusters.OfGroups(group, torch.arange(3)).expected(model, fold))
        (loops, of_loops), (tensors, of_tensors) = ways
        assert of_loops == pytest.approx(of_tensors, rel=1e-5)
        for name in ("symbol", "occupancy", "entry"):
            assert getattr(loops, name).numpy() == pytest.approx(getattr(tensors, name).numpy(), rel=1e-4, abs=1e-5)
        assert loops.occupancy[:, 0].sum() == pytest.approx(50, rel=1e-5)

    def test_does_not_depend_on_threads(self):
        calls, _ = mosaic_cohort()
        found = []
        for threads in (1, 3):
            torch.set_num_threads(threads)
            found.append(TestFit().fitted(calls))
        torch.set_num_threads(1)
        for name in ("symbol", "switch", "weight"):
            assert (getattr(found[0], name) == getattr(found[1], name)).all()


@pytest.fixture(params=[True, False], ids=["phased", "unphased"])
def cohort(request, tmp_path):
    calls = np.random.default_rng(4).integers(0, 2, (4, 12, 2)).astype(np.int8)
    return store_of(tmp_path / "s", calls, request.param, CONTIGS)


class TestNats:
    def test_probabilities_of_all_haplotypes_sum_to_1(self, tmp_path):
        everybody = np.array(list(product([0, 1], repeat=4)), dtype=np.int8).T.reshape(4, 8, 2)
        store = store_of(tmp_path / "s", everybody, True, CONTIGS)
        known = np.array([0, 3, 4, 6]), np.array(["a", "b", "a", "b"])
        settings = clusters.Settings(4, 2, 2, seed=1)
        whole = sequences.chromosomes(store)
        nats = clusters.nats(training_data(store, *known), whole, np.arange(8), np.full(8, "a"), settings)
        assert np.exp(-nats).sum() == pytest.approx(1, rel=1e-5)

    def test_with_all_shrinkage_variants_are_independent(self, cohort):
        label, asked = np.full(10, "a"), np.array([10, 11])
        data = training_data(cohort, np.arange(10), label)
        settings = clusters.Settings(3, 2, 2, seed=1, shrinkage=1e9)
        nats = clusters.nats(data, sequences.chromosomes(cohort), asked, label[:2], settings)
        symbols = np.concatenate(list(sequences.chunks(cohort, np.arange(12))))
        split = 20 if cohort.phased else 10
        alphabet, few = sequences.alphabet(cohort), clusters.PSEUDOCOUNT
        counts = np.stack([(symbols[:, :split] == a).sum(1) for a in range(alphabet)])
        share = (counts + few) / (split + alphabet * few)
        share = maximisation.ERROR + (1 - alphabet * maximisation.ERROR) * share
        expected = -np.log(share[symbols[:, split:], np.arange(4)[:, None]]).sum(0)
        assert nats == pytest.approx(expected, rel=1e-4)

    def test_beats_independent_alleles_where_there_is_linkage(self, tmp_path):
        calls, _ = mosaic_cohort()
        store, label = store_of(tmp_path / "s", calls), np.full(50, "a")
        near = 1e-3 * np.arange(len(store))
        data = training_data(store, np.arange(50), label, centimorgans=near)
        asked = np.arange(50, 60), label[:10]
        plain = -Independent(data, {"pooled": False}, {}).log_prob(*asked, seed=1)
        nats = clusters.nats(data, sequences.chromosomes(store), *asked, clusters.Settings(8, 10, 2, seed=1))
        assert nats.mean() < plain.mean() / 4


class TestTune:
    def test_shrinks_more_where_variants_are_unlinked(self, tmp_path):
        linked, _ = mosaic_cohort(samples=80)
        unlinked = np.random.default_rng(1).integers(0, 2, (60, 80, 2)).astype(np.int8)
        label, found = np.full(60, "a"), []
        for name, calls in (("linked", linked), ("unlinked", unlinked)):
            store = store_of(tmp_path / name, calls)
            data = training_data(store, np.arange(60), label, np.arange(60, 80), label[:20])
            found.append(clusters.tune(data, clusters.Settings(8, 10, 2, seed=3)))
        assert found[0] < found[1]


class TestLikeliestNumber:
    def test_shrinkage_does_not_speak_against_many(self, tmp_path):
        """Mosaics of eighty haplotypes: by a shrinkage of 0.1, 256 clusters would be likelier than 512."""
        rng = np.random.default_rng(7)
        source, pieces = rng.integers(0, 2, (60, 80)), rng.integers(0, 80, (6, 800)).repeat(10, axis=0)
        calls = np.take_along_axis(source, pieces, axis=1).reshape(60, 400, 2).astype(np.int8)
        store, label = store_of(tmp_path / "s", calls), np.full(400, "a")
        known = np.arange(300), label[:300], np.arange(300, 400), label[300:]
        data = training_data(store, *known, centimorgans=1e-3 * np.arange(60))
        settings = clusters.Settings(16, 10, 2, seed=1)
        number, nats = clusters.likeliest_number(data, settings, 512)
        assert number == 512
        # The search for the shrinkage starts from the same fit.
        settings = replace(settings, number=number)
        assert clusters.tune(data, settings, nats) == clusters.tune(data, settings)
        assert clusters.tune(data, settings, nats / 2) == clusters.SHRINKAGES[0]


class TestSwitching:
    def test_one_per_centimorgan_and_a_few_at_least(self):
        found = maximisation.switching(np.array([0, 1e-5, 0.004, 0.5]))
        assert found == pytest.approx([0.03, 0.03, 1 - np.exp(-0.4), 1])


class TestShrinkage:
    def test_weights_of_few_sequences_are_those_of_all_the_more_of_them_are_asked_for(self):
        """Two groups of one label, of one and of nine sequences, each in a cluster of its own."""
        occupancy = torch.tensor([[[1.0, 0.0]], [[0.0, 9.0]]])
        counts = maximisation.Counts(torch.zeros(1, 2, 1), occupancy, occupancy.clone())
        seeds = maximisation.Seeds(torch.zeros(1, 2, 1), torch.zeros(1, 2, dtype=torch.long), torch.zeros(1, 2))
        rest = maximisation.Rest(
            torch.full((1, 1), 0.5), 0.1, 2, np.array([0, 1]), torch.ones(1), torch.zeros(2).long(), True
        )

        def weights(of_label):
            shrinkage = maximisation.Shrinkage(1.0, of_label)
            of_seeds = torch.full((2, 1, 2), 0.5)
            return maximisation.maximised(counts, seeds, of_seeds, torch.ones(1, 2), rest, shrinkage).weight[:, 0, 0]

        own, some, shared = (weights(of_label) for of_label in (1.0, 100.0, np.inf))
        assert own[0] > some[0] > shared[0] == shared[1] > some[1] > own[1]
