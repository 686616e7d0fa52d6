"""LD against numpy's correlation, pair by pair."""

from dataclasses import replace

import numpy as np
import pytest

from syngeno.data.cohort import Cohort
from syngeno.stats import ld


def cohort(dosages, contig=None, position=None):
    people, variants = dosages.shape
    return Cohort(
        dosages.astype(np.int8),
        np.full(people, "A"),
        np.full(variants, "1") if contig is None else contig,
        1000 * np.arange(1, variants + 1) if position is None else position,
        np.zeros(variants, np.int32),
    )


def chain(people, variants, seed, stay=0.9):
    """Dosages whose neighbours are alike: each haplotype keeps its allele with probability `stay`."""
    rng = np.random.default_rng(seed)
    haplotype = np.empty((2 * people, variants), np.int8)
    haplotype[:, 0] = rng.random(2 * people) < 0.4
    for j in range(1, variants):
        keep = rng.random(2 * people) < stay
        haplotype[:, j] = np.where(keep, haplotype[:, j - 1], rng.random(2 * people) < 0.4)
    return haplotype[:people] + haplotype[people:]


def slow(ours, real, neighbours, max_distance, r2_min):
    x, y = [], []
    for i in range(len(real.position)):
        for j in range(i + 1, min(i + neighbours, len(real.position) - 1) + 1):
            if real.contig[i] != real.contig[j] or real.position[j] - real.position[i] > max_distance:
                continue
            r = np.corrcoef(real.dosages[:, i], real.dosages[:, j])[0, 1]
            if r**2 >= r2_min:
                x.append(np.corrcoef(ours.dosages[:, i], ours.dosages[:, j])[0, 1])
                y.append(r)
    return np.corrcoef(x, y)[0, 1], len(x)


def correlation(ours, real, group="all", **reach):
    return ld.correlations(ours, ld.in_ld(real, **reach), **reach)[group]


class TestCorrelations:
    @pytest.mark.parametrize(("neighbours", "max_distance"), [(5, 10**6), (50, 4000)])
    def test_as_pair_by_pair(self, monkeypatch, neighbours, max_distance):
        monkeypatch.setattr(ld, "_TILE", 16)
        contig = np.repeat(["1", "2", "X"], [40, 30, 1])
        position = np.concatenate([1000 * np.arange(1, 41), 1000 * np.arange(1, 31), [5]])
        ours, real = (cohort(chain(80, 71, seed), contig, position) for seed in (1, 2))
        found, pairs = correlation(ours, real, neighbours=neighbours, max_distance=max_distance)
        expected, expected_pairs = slow(ours, real, neighbours, max_distance, 0.1)
        assert pairs == expected_pairs
        assert found == pytest.approx(expected, abs=1e-5)

    def test_itself_is_one(self):
        real = cohort(chain(60, 100, 1))
        assert correlation(real, real)[0] == pytest.approx(1)

    def test_shuffled_sites_lose_it(self):
        real = cohort(chain(200, 300, 1))
        rng = np.random.default_rng(1)
        shuffled = cohort(rng.permuted(real.dosages, axis=0))
        assert correlation(shuffled, real)[0] < 0.2 < 0.9 < correlation(cohort(chain(200, 300, 2)), real)[0]

    def test_absent_without_linked_pairs(self):
        independent = cohort(np.random.default_rng(1).integers(0, 3, (300, 50)))
        value, pairs = correlation(independent, independent)
        assert np.isnan(value)
        assert pairs < ld.PAIRS_MIN

    def test_variant_that_does_not_vary_has_no_ld(self):
        real = cohort(chain(60, 100, 1))
        constant = cohort(np.where(np.arange(100) < 50, 1, real.dosages))
        assert 0 < correlation(constant, real)[0] < 0.95


class TestWithinLabels:
    def test_labels_that_differ_in_frequency_are_no_linkage(self):
        """Two labels fixed for other alleles at most sites: r is high among all people, and nothing within labels."""
        rng = np.random.default_rng(3)
        label = np.repeat(["A", "B"], 400)
        frequency = np.where(label == "A", 0.1, 0.9)[:, None]
        people = [rng.binomial(2, np.repeat(frequency, 40, axis=1)).astype(np.int8) for _ in range(2)]
        site = np.arange(40)
        ours, real = (Cohort(one, label, np.repeat("1", 40), site * 100 + 1, site * 0) for one in people)
        assert correlation(ours, real)[1] == 40 * 39 // 2
        assert correlation(ours, real, "within_labels")[1] == 0

    def test_linkage_within_a_label_stays(self):
        rng = np.random.default_rng(4)
        label = np.repeat(["A", "B"], 400)
        ancestor = rng.binomial(2, np.where(label == "A", 0.3, 0.6)).astype(np.int8)
        flip = rng.random((800, 40)) < np.linspace(0, 0.6, 40)
        dosages = np.where(flip, rng.binomial(2, 0.5, (800, 40)), ancestor[:, None]).astype(np.int8)
        site = np.arange(40)
        people = Cohort(dosages, label, np.repeat("1", 40), site * 100 + 1, site * 0)
        value, pairs = correlation(people, people, "within_labels")
        assert pairs >= 100
        assert value == pytest.approx(1)


class TestDecay:
    def test_falls_with_distance(self):
        real = cohort(chain(300, 300, 1))
        r2 = ld.decay(real, np.ones(300, bool))
        assert list(r2) == ["0-1kb", "1-10kb", "10-50kb", "50-200kb", "200kb-1Mb"]
        means = [value for value, _ in r2.values()]
        assert means[0] > means[1] > means[2] > means[3]
        assert r2["0-1kb"][1] == 299  # neighbours, 1,000 base pairs apart

    def test_unlinked_variants_have_none_on_average(self):
        for people in (10, 500):
            unlinked = cohort(np.random.default_rng(people).integers(0, 3, (people, 200)))
            for value, _ in ld.decay(unlinked, np.ones(200, bool)).values():
                assert abs(value) < 0.02

    def test_only_kept_variants(self):
        real = cohort(chain(50, 400, 1))
        kept = np.arange(400) % 2 == 0
        r2 = ld.decay(real, kept)
        assert "0-1kb" not in r2
        assert r2["1-10kb"][1] == sum(200 - k for k in range(1, 6))

    def test_on_the_genetic_map(self):
        """A hotspot between two halves: far on the map, near on the chromosome."""
        left, right = chain(300, 60, 1), chain(300, 60, 2)
        one = cohort(np.concatenate([left, right], axis=1), position=10 * np.arange(1, 121))
        assert "0-0.001cM" not in ld.decay(one, np.ones(120, bool))
        place = np.where(np.arange(120) < 60, 0.0, 0.05) + np.arange(120) * 1e-6
        r2 = ld.decay(replace(one, cm=place), np.ones(120, bool))
        assert r2["0-0.001cM"][1] == 2 * (60 * 59 // 2)
        assert r2["0.01-0.1cM"][1] == 60 * 60
        assert r2["0-0.001cM"][0] > 0.1 > 0.02 > abs(r2["0.01-0.1cM"][0])
        assert r2["0-1kb"][0] < r2["0-0.001cM"][0]

    def test_map_distances_of_kept_variants(self):
        one = cohort(chain(50, 400, 1))
        place = np.where(np.arange(400) % 2, 9.0, 0.0)  # kept variants all lie at one place
        r2 = ld.decay(replace(one, cm=place), np.arange(400) % 2 == 0)
        assert [name for name in r2 if name.endswith("cM")] == ["0-0.001cM"]


class TestMatrix:
    def test_is_squared_correlation(self):
        dosages = chain(50, 20, 1)
        found = ld.matrix(cohort(dosages), np.arange(5, 15))
        assert np.allclose(found, np.corrcoef(dosages[:, 5:15].T) ** 2, atol=1e-5)
