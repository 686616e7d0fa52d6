import numpy as np
import pytest
import torch

from syngeno.models.haplotype import features


def haplotypes(samples=90, variants=30, seed=0):
    rng = np.random.default_rng(seed)
    frequency = rng.uniform(0.005, 0.6, variants)
    return (rng.random((variants, 2 * samples)) < frequency[:, None]).astype(np.int8)


def fitted(symbols, per_sample=2, components=3):
    return features.fit(symbols, np.arange(len(symbols)), per_sample, components)


def looked_at(made, symbols):
    """Coordinates and counts, and the counts as they are counted."""
    coordinates, counts = made.of(torch.from_numpy(symbols))
    return coordinates.numpy(), counts.numpy(), (counts * made.spread + made.centre).numpy()


class TestOf:
    def test_counts_of_two_haplotypes(self):
        symbols = np.zeros((4, 200), np.int8)
        symbols[0, :60] = 1  # minor 1
        symbols[1, 60:] = 1  # minor 0
        symbols[2, 1] = 1  # rare 1
        symbols[3, :100] = 1  # neither is rarer
        made = fitted(symbols)
        counts = looked_at(made, symbols)[2]
        assert counts[0] == pytest.approx([1, 5, 1, 1], abs=1e-4)  # one rare allele, on one of the two haplotypes
        assert counts[1] == pytest.approx([0, 4, 0, 0], abs=1e-4)
        assert counts[40] == pytest.approx([0, 0, 0, 0], abs=1e-4)

    def test_counts_of_genotypes(self):
        symbols = np.zeros((2, 50), np.int8)
        symbols[0, :9] = 1
        symbols[1, 1:] = 2
        made = fitted(symbols, per_sample=1, components=1)
        counts = looked_at(made, symbols)[2]
        assert counts[0] == pytest.approx([1, 3, 0, 0], abs=1e-4)
        assert counts[20] == pytest.approx([0, 0, 0, 0], abs=1e-4)

    def test_training_samples_have_mean_0_and_spread_1(self):
        symbols = haplotypes()
        coordinates, counts, _ = looked_at(fitted(symbols), symbols)
        assert coordinates.shape == (90, 2, 3)
        assert coordinates.reshape(180, 3).mean(0) == pytest.approx(np.zeros(3), abs=1e-4)
        assert coordinates.reshape(180, 3).std(0) == pytest.approx(np.ones(3), abs=1e-4)
        assert counts.std(0) == pytest.approx(np.ones(4), abs=1e-4)

    @pytest.mark.parametrize("per_sample", [1, 2])
    def test_does_not_depend_on_which_allele_is_counted(self, per_sample):
        symbols = haplotypes()
        symbols = symbols if per_sample == 2 else symbols[:, ::2] + symbols[:, 1::2]
        swap = np.arange(30)[:, None] % 3 == 0
        swapped = np.where(swap, 3 - per_sample - symbols, symbols).astype(np.int8)
        (one, counts, _), (other, others, _) = (looked_at(fitted(x, per_sample), x) for x in (symbols, swapped))
        assert np.abs(one) == pytest.approx(np.abs(other), abs=1e-3)  # an axis may point the other way
        assert counts == pytest.approx(others, abs=1e-3)

    def test_many_samples_at_a_time_or_few(self, monkeypatch):
        symbols = haplotypes()
        made = fitted(symbols)
        whole = looked_at(made, symbols)
        monkeypatch.setitem(features.CHUNK, "cpu", 7)
        for one, other in zip(whole, looked_at(made, symbols), strict=True):
            assert one == pytest.approx(other, abs=1e-4)
