import shutil

import linked
import numpy as np
import pytest
from stores import store_of

from syngeno.data.store import open_store
from syngeno.prepare import phasing

pytestmark = pytest.mark.skipif(shutil.which("beagle") is None, reason="Beagle is not installed")
SPLIT = np.array(["train"] * 60 + ["test", "validation"] * 8)
VARIANTS = 300


def dosages(samples=76):
    """Linked samples without phase, int8 (variants, samples, 2), and with it."""
    true = linked.real(samples, 1, mutated=0).haplotypes[:, :, :VARIANTS].transpose(2, 0, 1)
    return np.sort(true, axis=2), true


def phased(tmp_path, calls, split=SPLIT, contig="1", cm=None):
    store = store_of(tmp_path / "unphased.zarr.zip", calls, phased=False, contigs=[contig] * len(calls))
    made = tmp_path / "phased.zarr.zip"
    phasing.phase(store, split, store.position * 0.01 if cm is None else cm, made, seed=1, memory_mb=1000)
    return open_store(made)


def right(found, true):
    """Share of pairs of neighbouring heterozygous variants that are phased as they truly are."""
    agree = []
    for sample in range(true.shape[1]):
        het = true[:, sample, 0] != true[:, sample, 1]
        same = found[het, sample, 0] == true[het, sample, 0]
        agree += (same[1:] == same[:-1]).tolist()
    return np.mean(agree)


@pytest.fixture(scope="module")
def by_us(tmp_path_factory):
    return phased(tmp_path_factory.mktemp("phased"), dosages()[0])


class TestPhase:
    def test_only_the_order_of_alleles_changes(self, by_us):
        calls = by_us.calls(0, VARIANTS)
        assert by_us.phased
        assert by_us.samples == [f"p{i}" for i in range(76)]
        assert (np.sort(calls, axis=2) == dosages()[0]).all()

    def test_linked_variants_go_together(self, by_us):
        found, true = by_us.calls(0, VARIANTS), dosages()[1]
        for name, least in (("train", 0.9), ("validation", 0.85), ("test", 0.85)):
            own = name == SPLIT
            assert right(found[:, own], true[:, own]) > least
        assert right(dosages()[0], true) < 0.6

    def test_training_samples_do_not_depend_on_others(self, tmp_path, by_us):
        calls = dosages()[0]
        calls[:, SPLIT != "train"] = calls[::-1, SPLIT != "train"]
        own = phased(tmp_path, calls).calls(0, VARIANTS)[:, SPLIT == "train"]
        assert (own == by_us.calls(0, VARIANTS)[:, SPLIT == "train"]).all()

    def test_test_samples_do_not_depend_on_validation_samples(self, tmp_path, by_us):
        calls = dosages()[0]
        calls[:, SPLIT == "validation"] = calls[::-1, SPLIT == "validation"]
        own = phased(tmp_path, calls).calls(0, VARIANTS)[:, SPLIT == "test"]
        assert (own == by_us.calls(0, VARIANTS)[:, SPLIT == "test"]).all()

    @pytest.mark.parametrize(("variants", "apart"), [(2, 0.01), (2, 90.0), (5, 70.0)])
    def test_few_variants_of_training_samples_alone(self, tmp_path, variants, apart):
        """Also where no other lies within centimorgans, on a contig whose name Beagle refuses."""
        calls, cm = dosages(8)[0][:variants], apart * np.arange(variants)
        made = phased(tmp_path, calls, np.array(["train"] * 8), "HLA-A*01:01", cm)
        assert (np.sort(made.calls(0, variants), axis=2) == calls).all()
        assert set(made.contig.tolist()) == {"HLA-A*01:01"}

    def test_a_single_variant_is_phased_by_chance(self, tmp_path):
        calls = np.tile(np.array([0, 1], np.int8), (1, 200, 1))
        made = phased(tmp_path, calls, np.array(["train"] * 200))
        found = made.calls(0, 1)
        assert made.phased
        assert (found.sum(axis=2) == 1).all()
        assert 60 < found[0, :, 0].sum() < 140
