import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from sklearn.decomposition import PCA

from syngeno.data.store import StoreWriter, open_store
from syngeno.errors import BadInput
from syngeno.models.latent import encoder


def linked_people(people=600, blocks=6, sites=30, seed=0, switch=0.08):
    """Haplotypes copied from five founders per block, with rare switches and mutations; two make a person."""
    rng = np.random.default_rng(seed)
    founders = rng.random((5, blocks * sites)) < rng.beta(0.5, 1.5, blocks * sites)
    haplotypes = np.empty((2 * people, blocks * sites), bool)
    copied = rng.integers(0, 5, 2 * people)
    for site in range(blocks * sites):
        jump = rng.random(2 * people) < (1 if site % sites == 0 else switch)
        copied = np.where(jump, rng.integers(0, 5, 2 * people), copied)
        haplotypes[:, site] = founders[copied, site]
    haplotypes ^= rng.random(haplotypes.shape) < 0.004
    dosages = (haplotypes[:people].astype(np.int8) + haplotypes[people:]).astype(np.int8)
    return dosages, np.repeat(np.arange(blocks), sites)


@pytest.fixture(scope="module")
def fitted():
    dosages, block = linked_people()
    return encoder.fit(dosages, block, "paper", 8), dosages, block


class TestFit:
    def test_from_the_store_as_from_memory(self, fitted, tmp_path):
        made, dosages, block = fitted
        people, sites = dosages.shape
        with StoreWriter(tmp_path / "s", [f"p{i}" for i in range(people)], {"1": 0}) as writer:
            calls = np.stack([dosages.T > 1, dosages.T > 0], axis=-1).astype(np.int8)
            names = np.full(sites, "x")
            writer.append(np.arange(sites), names, np.full(sites, "A"), np.full(sites, "G"), calls)
        with open_store(tmp_path / "s") as store:
            columns = store.dosage_columns(np.arange(people))
            again = encoder.fit(columns, block, "paper", 8)
            assert np.allclose(again.components, made.components, atol=1e-5)
            assert np.allclose(again.prior, made.prior, atol=1e-5)
            assert np.allclose(encoder.encode(again, columns), encoder.encode(made, dosages), atol=1e-4)

    def test_paper_rule(self):
        dosages = np.random.default_rng(1).integers(0, 3, (100, 4 + 5 + 20 + 21), dtype=np.int8)
        block = np.repeat([0, 1, 2, 3], [4, 5, 20, 21])
        assert encoder.fit(dosages, block, "paper", 8).mask.sum(1).tolist() == [1, 4, 4, 8]
        assert encoder.fit(dosages, block, "paper", 2).mask.sum(1).tolist() == [1, 2, 2, 2]

    def test_share_of_variance(self, fitted):
        _, dosages, block = fitted
        made = encoder.fit(dosages, block, components=0.9, max_components=30)
        for b in range(made.shape[0]):
            explained = np.cumsum(PCA().fit(dosages[:, block == b].astype(float)).explained_variance_ratio_)
            assert made.mask[b].sum() == np.searchsorted(explained, 0.9) + 1

    def test_components_are_those_of_scikit_learn(self, fitted):
        made, dosages, block = fitted
        pca = PCA(8).fit(dosages[:, block == 2].astype(float))
        np.testing.assert_allclose(np.abs(pca.components_.T), np.abs(made.components[block == 2]), atol=1e-4)
        np.testing.assert_allclose(made.latent_std[2] ** 2 * 600 / 599, pca.explained_variance_, rtol=1e-4)

    def test_never_more_components_than_people_less_one(self):
        dosages = np.random.default_rng(1).integers(0, 3, (4, 40), dtype=np.int8)
        made = encoder.fit(dosages, np.zeros(40, int), "paper", 8)
        assert made.shape == (1, 3)
        assert np.isfinite(encoder.encode(made, dosages)).all()

    def test_monomorphic_blocks_are_masked_and_come_back(self):
        dosages = np.tile(np.array([0, 0, 2, 2, 1, 1, 1, 1], np.int8), (20, 1))
        dosages[::2, 4] = 0
        made = encoder.fit(dosages, np.repeat([3, 7], 4), "paper", 8)
        assert made.mask.tolist() == [[False], [True]]
        latents = encoder.encode(made, dosages)
        assert (latents[:, 0] == 0).all()
        wild = np.random.default_rng(0).normal(0, 9, latents.shape).astype(np.float32)
        decoded = encoder.decode(made, wild, np.random.default_rng(1))
        assert (decoded[:, :4] == [0, 0, 2, 2]).all()

    def test_regression_of_the_reconstruction_on_the_truth(self, fitted):
        made, dosages, _ = fitted
        latents = encoder.encode(made, dosages)
        m = np.einsum("nvk,vk->nv", (latents * made.latent_std)[:, made.block], made.components)
        g = dosages - made.mean
        for site in np.flatnonzero(made.variance > 0)[::7]:
            slope = (m[:, site] * g[:, site]).mean() / made.variance[site]
            residual = (m[:, site] - slope * g[:, site]).var()
            r2 = made.r2[site]
            assert slope == pytest.approx(r2, abs=1e-3)
            assert residual == pytest.approx(r2 * (1 - r2) * made.variance[site], abs=1e-3)

    def test_does_not_depend_on_the_order_of_people(self, fitted):
        made, dosages, block = fitted
        other = encoder.fit(dosages[::-1], block, "paper", 8)
        np.testing.assert_allclose(other.latent_std, made.latent_std, rtol=1e-4)
        np.testing.assert_allclose(other.prior, made.prior, atol=1e-4)

    @pytest.mark.parametrize(
        ("change", "words"),
        [
            ({"dosages": np.full((5, 2), 3, np.int8)}, "0, 1 or 2"),
            ({"dosages": np.zeros((1, 2), np.int8)}, "at least 2 samples"),
            ({"block": np.array([1, 0])}, "nondecreasing"),
        ],
    )
    def test_bad_arguments(self, change, words):
        good = {"dosages": np.zeros((5, 2), np.int8), "block": np.array([0, 1])}
        with pytest.raises(ValueError, match=words):
            encoder.fit(**{**good, **change}, components="paper", max_components=8)


class TestGenotypeFrequency:
    def test_by_hand(self):
        # three reference homozygotes and one heterozygote: p = 1/8; the pseudo-person adds 49/64, 14/64, 1/64
        found = encoder.genotype_frequency(np.array([[0], [0], [0], [1]], np.int8))
        np.testing.assert_allclose(found, [[(3 + 49 / 64) / 5, (1 + 14 / 64) / 5, 1 / 64 / 5]])

    @given(st.lists(st.integers(0, 2), min_size=1, max_size=30))
    def test_keeps_the_allele_frequency(self, genotypes):
        column = np.array(genotypes, np.int8)[:, None]
        frequency = encoder.genotype_frequency(column)[0]
        assert frequency.sum() == pytest.approx(1)
        assert frequency[1] + 2 * frequency[2] == pytest.approx(column.mean())
        assert (frequency > 0).all() or len(set(genotypes)) == 1


class TestEncode:
    def test_training_people_have_unit_variance_and_no_covariance(self, fitted):
        made, dosages, _ = fitted
        latents = encoder.encode(made, dosages)
        assert latents.dtype == np.float32
        assert latents.shape == (600, 6, 8)
        np.testing.assert_allclose(latents.mean(0), 0, atol=1e-4)
        np.testing.assert_allclose(latents.std(0)[made.mask], 1, atol=1e-4)
        np.testing.assert_allclose(np.cov(latents[:, 3].T, ddof=0), np.eye(8), atol=1e-3)

    def test_padding_is_zero(self):
        dosages = np.random.default_rng(1).integers(0, 3, (100, 33), dtype=np.int8)
        made = encoder.fit(dosages, np.repeat([0, 1], [30, 3]), "paper", 8)
        assert (encoder.encode(made, dosages)[:, 1, 1:] == 0).all()

    def test_other_sites_are_refused(self, fitted):
        with pytest.raises(ValueError, match="expected"):
            encoder.encode(fitted[0], np.zeros((2, 7), np.int8))


class TestDecode:
    def test_frequencies_and_heterozygosity_hold(self, fitted):
        made, dosages, _ = fitted
        decoded = encoder.decode(made, encoder.encode(made, dosages), np.random.default_rng(1))
        p = dosages.mean(0) / 2
        error = np.sqrt(np.maximum(p * (1 - p), 1e-3) / (2 * len(dosages)))
        assert decoded.dtype == np.int8
        assert (np.abs(decoded.mean(0) / 2 - p) < 4 * error).all()
        for genotype in range(3):
            share = (dosages == genotype).mean(0)
            spread = np.sqrt(np.maximum(share * (1 - share), 2e-3) / len(dosages))
            assert (np.abs((decoded == genotype).mean(0) - share) < 4.5 * spread).all()
        assert (decoded == 1).mean() == pytest.approx((dosages == 1).mean(), rel=0.01)

    def test_rare_alleles_survive_where_rounding_loses_them(self, fitted):
        made, dosages, _ = fitted
        latents = encoder.encode(made, dosages)
        drawn = encoder.decode(made, latents, np.random.default_rng(1))
        rounded = encoder.decode(made, latents, None)
        real = (dosages > 0).any(0).mean()
        assert (drawn > 0).any(0).mean() > 0.9 * real
        assert (drawn > 0).any(0).mean() > (rounded > 0).any(0).mean()

    def test_prior_alone_where_components_say_nothing(self):
        rng = np.random.default_rng(3)
        dosages = np.concatenate([rng.integers(0, 3, (4000, 1)), rng.binomial(2, 0.1, (4000, 1))], axis=1)
        made = encoder.fit(dosages.astype(np.int8), np.zeros(2, int), "paper", 8)  # one component: the first site
        assert made.r2[0] > 0.99 > 0.05 > made.r2[1]
        decoded = encoder.decode(made, encoder.encode(made, dosages.astype(np.int8)), np.random.default_rng(1))
        assert (decoded[:, 0] == dosages[:, 0]).mean() > 0.99
        assert (decoded[:, 1] == 1).mean() == pytest.approx(0.18, abs=0.02)

    def test_full_rank_gives_back_the_genotypes(self):
        dosages = np.random.default_rng(5).integers(0, 3, (200, 12), dtype=np.int8)
        made = encoder.fit(dosages, np.repeat([0, 1], 6), components=1.0, max_components=8)
        assert (encoder.decode(made, encoder.encode(made, dosages), np.random.default_rng(0)) == dosages).all()

    def test_same_seed_same_genotypes(self, fitted):
        made, dosages, _ = fitted
        latents = encoder.encode(made, dosages)
        one, two = (encoder.decode(made, latents, np.random.default_rng(4)) for _ in range(2))
        assert (one == two).all()

    def test_chunks_make_no_difference_to_the_most_likely(self, fitted, monkeypatch):
        made, dosages, _ = fitted
        latents = encoder.encode(made, dosages)
        whole = encoder.decode(made, latents, None)
        monkeypatch.setattr(encoder, "SAMPLE_CHUNK", 77)
        monkeypatch.setattr(encoder, "VARIANT_CHUNK", 13)
        assert (encoder.decode(made, latents, None) == whole).all()

    @settings(deadline=None, max_examples=20)
    @given(scale=st.floats(0, 1e4), seed=st.integers(0, 2**16))
    def test_any_latents_give_genotypes(self, fitted, scale, seed):
        made, dosages, _ = fitted
        latents = (scale * np.random.default_rng(seed).normal(size=(5, *made.shape))).astype(np.float32)
        decoded = encoder.decode(made, latents, np.random.default_rng(seed))
        assert set(np.unique(decoded)) <= {0, 1, 2}
        assert (decoded[:, dosages.max(0) == 0] == 0).all()

    def test_bad_latents(self, fitted):
        with pytest.raises(ValueError, match="shape"):
            encoder.decode(fitted[0], np.zeros((2, 6, 9), np.float32), None)
        with pytest.raises(ValueError, match="diverged"):
            encoder.decode(fitted[0], np.full((2, 6, 8), np.nan, np.float32), None)


class TestConcordance:
    def test_high_on_people_never_seen(self, fitted):
        made, _, block = fitted
        fresh, _ = linked_people(people=800)
        sampled, likely = encoder.concordance(made, fresh[600:], np.random.default_rng(0))
        assert block.shape == made.block.shape
        assert 0.85 < sampled <= likely <= 1


class TestSaveAndLoad:
    def test_round_trip_is_exact_and_stable(self, fitted, tmp_path):
        made = fitted[0]
        for name in ("one.npz", "two.npz"):
            encoder.save(tmp_path / name, made, "abc")
        back = encoder.load(tmp_path / "one.npz", "abc")
        for field in encoder.fields(encoder.Encoder):
            np.testing.assert_array_equal(getattr(back, field.name), getattr(made, field.name))
        assert (tmp_path / "one.npz").read_bytes() == (tmp_path / "two.npz").read_bytes()
        assert sorted(path.name for path in tmp_path.iterdir()) == ["one.npz", "two.npz"]

    def test_foreign_files(self, fitted, tmp_path):
        path = tmp_path / "encoder.npz"
        with pytest.raises(BadInput, match="no such file"):
            encoder.load(path, "abc")
        path.write_bytes(b"PK nothing")
        with pytest.raises(BadInput, match="not a readable"):
            encoder.load(path, "abc")
        np.savez(path, mean=np.zeros(3))
        with pytest.raises(BadInput, match="not an encoder"):
            encoder.load(path, "abc")
        encoder.save(path, fitted[0], "abc")
        with pytest.raises(BadInput, match="other variants or blocks"):
            encoder.load(path, "abd")
