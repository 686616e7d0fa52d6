from itertools import product

import numpy as np
import pytest
import torch
from scipy import stats
from stores import store_of

from syngeno.data import sequences
from syngeno.errors import BadInput
from syngeno.models.haplotype import prior
from syngeno.models.haplotype.prior import Mosaics
from unit.models.haplotype.test_hmm import rng_of, some_founders

LEARNING = {"founders_per_chromosome": 4, "segment": 5, "carriers": 2, "ancestry_size": 30, "seed": 1}


def some_mosaics(alphabet=2):
    """Two chromosomes of two variants and one; label a has two ancestries, b one."""
    sizes = {"alphabet": alphabet, "groups": 3, "width": 2}
    chromosomes = [some_founders(1, B=1, variants=2, **sizes), some_founders(2, B=1, variants=1, **sizes)]
    for one in chromosomes:
        one.arrive[:2] = torch.tensor([[[0.95, 0.05]], [[0.05, 0.95]]])
    return Mosaics(chromosomes, np.array(["a", "a", "b"]), np.array([0.3, 0.7, 1.0]), alphabet)


def everybody(tmp_path, alphabet=2):
    """A store of every person there can be over three variants, and the symbols (3, sequences)."""
    each = list(product(range(alphabet), repeat=3))
    if alphabet == 2:
        calls = np.array([np.column_stack(pair) for pair in product(each, each)], np.int8)
    else:
        calls = np.array([[[int(one == 2), int(one >= 1)] for one in person] for person in each], np.int8)
    store = store_of(tmp_path / "all.zarr.zip", calls.transpose(1, 0, 2), contigs=["1", "1", "2"])
    return sequences.viewed(store, "haplotype" if alphabet == 2 else "genotype")


def two_origins(people=90, variants=40, seed=5):
    """Calls (variants, people, 2) of people of two origins, each mosaics of two haplotypes of their own."""
    rng = np.random.default_rng(seed)
    source = rng.integers(0, 2, (2, 2, variants))
    origin = np.arange(people) % 2
    pick = rng.integers(0, 2, (people, 2, variants // 10)).repeat(10, axis=2)
    calls = source[origin[:, None, None], pick, np.arange(variants)]
    return calls.transpose(2, 0, 1).astype(np.int8), origin


class TestLogProbability:
    @pytest.mark.parametrize(("alphabet", "label"), [(2, "a"), (2, "b"), (3, "a")])
    def test_sums_to_1_over_everybody(self, tmp_path, alphabet, label):
        store = everybody(tmp_path, alphabet)
        n = len(store.samples)
        logs = prior.log_probability(some_mosaics(alphabet), store, np.arange(n), np.repeat(label, n))
        assert n == {2: 64, 3: 27}[alphabet]
        assert np.exp(logs).sum() == pytest.approx(1, rel=1e-5)

    def test_a_persons_haplotypes_share_an_ancestry(self, tmp_path):
        store = everybody(tmp_path)
        p = np.exp(prior.log_probability(some_mosaics(), store, np.arange(64), np.repeat("a", 64))).reshape(8, 8)
        apart = p.sum(1, keepdims=True) * p.sum(0)
        assert np.abs(p - apart).max() > 1e-3
        assert np.diag(p).sum() > np.diag(apart).sum() + 1e-3  # more often alike than by chance

    def test_of_an_unknown_label(self, tmp_path):
        with pytest.raises(ValueError, match="no training person has the label c"):
            prior.log_probability(some_mosaics(), everybody(tmp_path), np.array([0]), np.array(["c"]))


class TestDraw:
    @pytest.mark.parametrize("alphabet", [2, 3])
    def test_draws_people_as_probable_as_they_are(self, tmp_path, alphabet):
        learnt, store, times = some_mosaics(alphabet), everybody(tmp_path, alphabet), 40_000
        n, rng = len(store.samples), rng_of(3)
        expected = np.exp(prior.log_probability(learnt, store, np.arange(n), np.repeat("a", n)))
        drawn = prior.draw(learnt, learnt.ancestries(np.repeat("a", times), rng), rng).numpy()
        code = (alphabet ** np.arange(2, -1, -1)) @ drawn
        code = code.reshape(-1, 2) @ [8, 1] if alphabet == 2 else code
        assert stats.chisquare(np.bincount(code, minlength=n), times * expected / expected.sum()).pvalue > 0.001

    def test_ancestries_of_an_unknown_label(self):
        with pytest.raises(ValueError, match="no training person has the label c"):
            some_mosaics().ancestries(np.array(["a", "c"]), rng_of(1))


class TestComplete:
    def test_each_chromosome_by_its_own_founders(self):
        learnt = some_mosaics()
        given = torch.tensor([[1, 0], [0, 1], [1, 1]], dtype=torch.int8)
        visible = torch.tensor([[True, True], [False, True]])  # the second chromosome of the first haplotype is hidden
        drawn = prior.complete(learnt, given, visible, torch.tensor([2]), 5000, rng_of(4))
        assert (drawn[:2] == given[:2].repeat_interleave(5000, dim=1)).all()
        assert (drawn[2, 5000:] == 1).all()
        second = learnt.chromosomes[1]
        expected = (second.arrive[2, 0] @ second.symbol[0, :, 0, 0]).item()
        assert drawn[2, :5000].float().mean() == pytest.approx(expected, abs=0.03)


class TestLearn:
    def test_origins_within_a_label_do_not_mix(self, tmp_path):
        calls, origin = two_origins(people=320)
        store = sequences.viewed(store_of(tmp_path / "two.zarr.zip", calls), "haplotype")
        label = np.repeat("a", 320)
        learnt = prior.learn(
            store, np.arange(300), label[:300], np.arange(300, 320), label[300:], **{**LEARNING, "ancestry_size": 150}
        )
        assert learnt.label.tolist() == ["a", "a"]
        rng = rng_of(6)
        drawn = prior.draw(learnt, learnt.ancestries(np.repeat("a", 200), rng), rng).numpy()
        real = calls.reshape(40, -1)
        of_origin = [real[:, np.repeat(origin, 2) == one].mean(1) for one in (0, 1)]
        nearer = np.array([np.abs(drawn - mean[:, None]).mean(0) for mean in of_origin]).argmin(0).reshape(-1, 2)
        assert (nearer[:, 0] == nearer[:, 1]).mean() > 0.95
        assert 0.3 < nearer.mean() < 0.7

    @pytest.mark.parametrize("space", ["haplotype", "genotype"])
    def test_does_not_depend_on_which_allele_is_the_reference(self, tmp_path, space):
        calls, _ = two_origins()
        swapped = np.where(np.arange(40)[:, None, None] % 3 == 0, 1 - calls, calls)
        logs = []
        for name, each in (("one", calls), ("two", swapped)):
            store = sequences.viewed(store_of(tmp_path / f"{name}.zarr.zip", each), space)
            label = np.repeat("a", 90)
            learnt = prior.learn(store, np.arange(70), label[:70], np.arange(70, 90), label[70:], **LEARNING)
            logs.append(prior.log_probability(learnt, store, np.arange(70, 90), label[70:]))
        assert logs[0] == pytest.approx(logs[1], rel=1e-3)

    def test_as_many_founders_as_membership_allows(self, tmp_path):
        """Everybody's haplotypes are their own: the more founders, the better members are told."""
        rng = np.random.default_rng(3)
        calls = rng.integers(0, 2, (60, 120, 2)).astype(np.int8)
        store = sequences.viewed(store_of(tmp_path / "own.zarr.zip", calls), "haplotype")
        label = np.repeat("a", 120)
        known = store, np.arange(80), label[:80], np.arange(80, 120), label[80:]
        settings = {**LEARNING, "founders_per_chromosome": 160, "ancestry_size": 1000, "carriers": 1}
        sizes, areas = [], {}
        for limit in (0.999, 0.9, 0.85):
            learnt = prior.learn(*known, **settings, membership=limit)
            sizes.append(learnt.chromosomes[0].leave.shape[1])
            areas[limit] = prior._told(learnt, store, known[1:3], known[3:], 1)
        assert sizes[0] > sizes[1] > sizes[2]
        assert all(area <= limit for limit, area in areas.items())
        with pytest.raises(BadInput, match=r"membership: 16 founders tell members by an area of .*; allow more"):
            prior.learn(*known, **settings, membership=0.5)

    @pytest.mark.parametrize(("most", "sizes"), [(100, [16, 32, 64, 100]), (64, [16, 32, 64]), (9, [9])])
    def test_founders_are_doubled_up_to_the_most(self, most, sizes):
        assert prior._doubled(most) == sizes

    def test_without_validation_people(self, tmp_path):
        calls, _ = two_origins()
        store = sequences.viewed(store_of(tmp_path / "two.zarr.zip", calls), "genotype")
        nobody = np.array([], int), np.array([], str)
        learnt = prior.learn(store, np.arange(90), np.repeat("a", 90), *nobody, **LEARNING)
        assert (learnt.alphabet, learnt.copies, learnt.variants, learnt.segments) == (3, 1, 40, 8)
        with pytest.raises(BadInput, match="membership: there are no validation people"):
            prior.learn(store, np.arange(90), np.repeat("a", 90), *nobody, **LEARNING, membership=0.6)


class TestSaveAndLoad:
    def test_comes_back_as_it_was(self, tmp_path):
        before = some_mosaics(3)
        prior.save(tmp_path / "founders.npz", before)
        after = prior.load(tmp_path / "founders.npz")
        assert (after.alphabet, after.label.tolist(), after.share.tolist()) == (3, ["a", "a", "b"], [0.3, 0.7, 1])
        assert [one.variants for one in after.chromosomes] == [2, 1]
        for one, other in zip(before.chromosomes, after.chromosomes, strict=True):
            assert (one.symbol == other.symbol).all()
            assert (one.leave == other.leave).all()
            assert (one.arrive == other.arrive).all()

    def test_of_no_file_or_another(self, tmp_path):
        with pytest.raises(BadInput, match="no such file; run the train stage again"):
            prior.load(tmp_path / "none.npz")
        np.savez(tmp_path / "other.npz", x=1)
        (tmp_path / "text.npz").write_text("text")
        (tmp_path / "empty.npz").write_text("")
        (tmp_path / "cut.npz").write_bytes((tmp_path / "other.npz").read_bytes()[:50])
        for name in ("other", "text", "empty", "cut"):
            with pytest.raises(BadInput, match="holds no founders of this version"):
                prior.load(tmp_path / f"{name}.npz")
