import numpy as np
import pandas as pd
import pytest

from syngeno.data import cohort as data_cohort
from syngeno.data import vcf
from syngeno.data.samples import label_plan, write_labels
from syngeno.data.store import StoreWriter, open_store, write_like
from syngeno.errors import BadInput


@pytest.fixture
def store(tmp_path):
    """Three samples, four variants of one chromosome, two blocks."""
    calls = np.array([[[0, 1], [0, 0], [1, 1]]] * 4, dtype=np.int8)
    with StoreWriter(tmp_path / "real.zarr.zip", ["a", "b", "c"], {"1": 1000}, block_names=["x", "y"]) as writer:
        writer.append(
            np.array([10, 20, 30, 40]), np.array(["."] * 4), np.array(["A"] * 4), np.array(["G"] * 4), calls,
            contig="1", block=np.array([0, 0, 1, 1]),
        )  # fmt: skip
    with open_store(tmp_path / "real.zarr.zip") as opened:
        yield opened


class TestRealCohort:
    def test_takes_the_people_of_the_table_in_its_order(self, store):
        table = pd.DataFrame({"label": ["B", "A"]}, index=["c", "a"])
        cohort = data_cohort.real_cohort(store, table)
        assert cohort.dosages.tolist() == [[2] * 4, [1] * 4]
        assert cohort.label.tolist() == ["B", "A"]
        assert cohort.block.tolist() == [0, 0, 1, 1]

    def test_haplotypes_and_map_only_when_asked_for(self, store):
        table = pd.DataFrame({"label": ["A", "B"]}, index=["a", "c"])
        plain = data_cohort.real_cohort(store, table)
        assert plain.haplotypes is None
        assert plain.cm is None
        assert plain.sample.tolist() == ["a", "c"]
        cohort = data_cohort.real_cohort(store, table, haplotypes=True, cm=np.arange(4.0))
        assert cohort.haplotypes.tolist() == [[[0] * 4, [1] * 4], [[1] * 4, [1] * 4]]
        assert np.array_equal(cohort.dosages, plain.dosages)
        assert cohort.cm.tolist() == [0, 1, 2, 3]

    def test_no_haplotypes_without_phase(self, store):
        store.phased = False
        table = pd.DataFrame({"label": ["A"]}, index=["a"])
        cohort = data_cohort.real_cohort(store, table, haplotypes=True)
        assert cohort.haplotypes is None
        assert cohort.dosages.tolist() == [[1] * 4]

    def test_a_person_who_is_not_in_the_store(self, store):
        with pytest.raises(BadInput, match=r"holds other samples than the split: it lacks 1 of them \(z\)"):
            data_cohort.real_cohort(store, pd.DataFrame({"label": ["A"]}, index=["z"]))


class TestCohort:
    @pytest.fixture
    def phased(self, store):
        table = pd.DataFrame({"label": ["A", "B"]}, index=["a", "c"])
        return data_cohort.real_cohort(store, table, haplotypes=True, cm=np.arange(4.0))

    def test_changed_has_the_dosages_of_its_haplotypes(self, phased):
        other = phased.changed(haplotypes=1 - phased.haplotypes)
        assert other.dosages.tolist() == [[1] * 4, [0] * 4]
        assert other.label.tolist() == ["A", "B"]
        other = phased.changed(dosages=phased.dosages)
        assert other.haplotypes is None

    def test_joined_are_the_samples_of_both_without_ids(self, phased):
        both = phased.joined(phased.take(np.array([1])))
        assert both.dosages.tolist() == [[1] * 4, [2] * 4, [2] * 4]
        assert both.haplotypes.shape == (3, 2, 4)
        assert both.label.tolist() == ["A", "B", "B"]
        assert both.sample is None
        assert np.array_equal(both.cm, phased.cm)

    def test_joined_without_phase(self, phased):
        dosages = phased.changed(dosages=phased.dosages)
        assert dosages.joined(phased).haplotypes is None
        assert phased.joined(dosages).haplotypes is None


class TestReadCohort:
    def write(self, store, tmp_path, samples, labels):
        dosages = np.array([[0, 1, 2, 0], [2, 2, 1, 0]], dtype=np.int8)
        write_like(tmp_path / "s.zarr.zip", store.sites(), samples, vcf.unphased_calls(dosages), phased=False)
        write_labels(tmp_path / "s.tsv", labels, np.array(["A|x", "B|y"]), ["population", "case"])
        return dosages

    def test_reads_what_was_written(self, store, tmp_path):
        dosages = self.write(store, tmp_path, ["S1", "S2"], ["S1", "S2"])
        cohort = data_cohort.read_cohort(tmp_path / "s.zarr.zip", tmp_path / "s.tsv", ["population", "case"], store)
        assert np.array_equal(cohort.dosages, dosages)
        assert cohort.label.tolist() == ["A|x", "B|y"]
        assert cohort.sample.tolist() == ["S1", "S2"]

    @pytest.mark.parametrize(
        ("asked", "file_phased", "store_phased"),
        [(True, True, True), (False, True, True), (True, False, True), (True, True, False)],
    )
    def test_haplotypes_when_asked_for_and_phased_on_both_sides(
        self, store, tmp_path, asked, file_phased, store_phased
    ):
        store.phased = store_phased
        calls = np.array([[[1, 0], [0, 1]], [[0, 0], [1, 1]], [[0, 1], [1, 0]], [[1, 1], [0, 0]]], dtype=np.int8)
        write_like(tmp_path / "s.zarr.zip", store.sites(), ["S1", "S2"], [calls], phased=file_phased)
        write_labels(tmp_path / "s.tsv", ["S1", "S2"], np.array(["A", "B"]), "population")
        cohort = data_cohort.read_cohort(
            tmp_path / "s.zarr.zip", tmp_path / "s.tsv", "population", store, haplotypes=asked, cm=np.arange(4.0)
        )
        if asked and file_phased and store_phased:
            assert np.array_equal(cohort.haplotypes, calls.transpose(1, 2, 0))
        else:
            assert cohort.haplotypes is None
        assert np.array_equal(cohort.dosages, calls.sum(2).T)
        assert cohort.cm.tolist() == [0, 1, 2, 3]

    def test_a_person_without_label(self, store, tmp_path):
        self.write(store, tmp_path, ["S1", "S2"], ["S1", "S3"])
        with pytest.raises(BadInput, match=r"1 samples have no label \(S2\)"):
            data_cohort.read_cohort(tmp_path / "s.zarr.zip", tmp_path / "s.tsv", ["population", "case"], store)

    def test_other_variants(self, store, tmp_path):
        self.write(store, tmp_path, ["S1", "S2"], ["S1", "S2"])
        store.position = store.position + 1
        with pytest.raises(BadInput, match="does not have the variants of the real cohort"):
            data_cohort.read_cohort(tmp_path / "s.zarr.zip", tmp_path / "s.tsv", ["population", "case"], store)

    def test_training_samples_in_its_place(self, store):
        table = pd.DataFrame({"label": ["B", "A"]}, index=["c", "a"])
        judged = data_cohort.synthetic_cohort([], [], "population", store, table)
        real = data_cohort.real_cohort(store, table)
        assert sorted(judged.dosages.tolist()) == sorted(real.dosages.tolist())
        assert set(zip(judged.label, judged.dosages[:, 0].tolist(), strict=True)) == {("B", 2), ("A", 1)}
        assert judged.sample.tolist() == ["SYN000001", "SYN000002"]


class TestByContig:
    """A real cohort of two contigs, and two shards that were drawn."""

    CALLS = np.arange(5)[:, None, None] % 2 * np.ones((5, 3, 2), np.int8)

    @pytest.fixture
    def real(self, tmp_path):
        contigs = {"1": 100, "2": 100}
        with StoreWriter(tmp_path / "real.zarr.zip", ["a", "b", "c"], contigs, block_names=["x"]) as writer:
            for contig, first, stop in (("1", 0, 3), ("2", 3, 5)):
                n = stop - first
                fields = np.arange(1, n + 1), np.array(["."] * n), np.array(["A"] * n), np.array(["G"] * n)
                block = np.zeros(n, np.int32)
                writer.append(*fields, self.CALLS[first:stop].astype(np.int8), contig=contig, block=block)
        with open_store(tmp_path / "real.zarr.zip") as opened:
            yield opened

    @pytest.fixture
    def shards(self, real, tmp_path):
        drawn = np.array([[[0, 1]], [[1, 1]], [[0, 0]], [[1, 0]], [[1, 1]]], np.int8)
        paths = [tmp_path / f"{shard}.zarr.zip" for shard in (1, 2)]
        for path, calls in zip(paths, (drawn, 1 - drawn), strict=True):
            write_like(path, real.sites(), ["SYN1"], [calls], phased=True)
        return paths

    def test_all_samples_of_one_contig_at_a_time(self, real, shards):
        first, second = data_cohort.by_contig(shards, np.array(["A", "B"]), real)
        assert first.dosages.tolist() == [[1, 2, 0], [1, 0, 2]]
        assert second.dosages.tolist() == [[1, 2], [1, 0]]
        assert (first.contig.tolist(), second.position.tolist()) == (["1"] * 3, [1, 2])
        assert second.label.tolist() == ["A", "B"]
        assert first.haplotypes.tolist() == [[[0, 1, 0], [1, 1, 0]], [[1, 0, 1], [0, 0, 1]]]

    def test_no_haplotypes_where_the_real_cohort_has_none(self, real, shards):
        real.phased = False
        first, _ = data_cohort.by_contig(shards, np.array(["A", "B"]), real)
        assert first.haplotypes is None

    def test_other_variants(self, store, shards):
        with pytest.raises(BadInput, match="does not have the variants of the real cohort"):
            list(data_cohort.by_contig(shards, np.array(["A", "B"]), store))


class TestLabelPlan:
    def test_follows_the_members(self):
        label = np.repeat(["A", "B", "C"], [50, 30, 20])
        assert np.unique(label_plan(label, 10), return_counts=True)[1].tolist() == [5, 3, 2]
        assert np.array_equal(label_plan(label, 100), label)

    def test_largest_remainders_make_it_whole(self):
        label = np.repeat(["A", "B", "C"], [1, 1, 1])
        assert np.unique(label_plan(label, 4), return_counts=True)[1].tolist() == [2, 1, 1]

    def test_weights(self):
        label = np.array(["A", "B", "C"])
        assert label_plan(label, 4, {"A": 1, "C": 3}).tolist() == ["A", "C", "C", "C"]

    @pytest.mark.parametrize(("weights", "told"), [({"D": 1}, "no training sample is 'D'"), ({"A": 0}, "all weights")])
    def test_bad_weights(self, weights, told):
        with pytest.raises(BadInput, match=told):
            label_plan(np.array(["A", "B"]), 4, weights)
