from math import comb

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from syngeno.data.records import Record, columns
from syngeno.data.store import StoreWriter, open_store
from syngeno.errors import BadInput
from syngeno.prepare.filters import COUNTS, explain_empty, fill, filter_contig, hwe_exact

OFF = {"call_rate": None, "maf": None, "hwe": None}


class FakeSource:
    path = "fake.vcf.gz"

    def __init__(self, samples, records):
        self.samples, self._records = list(samples), records

    def records(self, contig, samples, *, pass_only=False):
        order = columns(self.path, self.samples, samples)
        for one in self._records:
            yield one._replace(calls=None if one.calls is None else one.calls[order])


def record(position, genotypes, alleles="AG", unphased="", filter=""):
    """A variant whose genotypes are written like "00 01 .1"."""
    calls = np.array([[".01".index(allele) - 1 for allele in pair] for pair in genotypes.split()], np.int8)
    return Record("1", position, f"rs{position}", alleles[0], alleles[1], calls, unphased, filter)


def run(path, records, samples="abcd", train=None, label=None, sources=None, **options):
    sources = sources or [FakeSource(samples, records)]
    train = np.ones(len(samples), bool) if train is None else np.array(train, bool)
    label = ["x"] * len(samples) if label is None else label
    with StoreWriter(path / "s.zarr.zip", list(samples), {"X": 10, "1": 1000}) as writer:
        options = {**OFF, "seed": 1, **options}
        counts = filter_contig(sources, "1", list(samples), train, label, writer=writer, **options)
    assert counts["read"] == sum(counts[name] for name in COUNTS if name not in ("read", "filled_calls"))
    return {name: count for name, count in counts.items() if count}, open_store(path / "s.zarr.zip")


def exact_by_enumeration(hom_ref, het, hom_alt):
    """The definition, with integers: ways to pair the alleles up that give each number of heterozygotes."""
    n, r = hom_ref + het + hom_alt, het + 2 * hom_alt
    possible = range(r % 2, min(r, 2 * n - r) + 1, 2)
    ways = {h: comb(n, h) * comb(n - h, (r - h) // 2) * 2**h for h in possible}
    return sum(way for way in ways.values() if way <= ways[het]) / sum(ways.values())


class TestHweExact:
    def test_golden(self):
        # SNPHWE of Wigginton et al. (57 heterozygotes, 14 and 50), and the MN blood group data of the R
        # package HardyWeinberg, HWExact(c(MM=298, MN=489, NN=213)).
        p = hwe_exact(np.array([14, 298]), np.array([57, 489]), np.array([50, 213]))
        assert p == pytest.approx([0.842279756570793, 0.6556635], abs=1e-7)

    @given(st.lists(st.tuples(*[st.integers(0, 40)] * 3), min_size=1, max_size=20))
    def test_equals_enumeration(self, tables):
        p = hwe_exact(*np.array(tables).T)
        assert p == pytest.approx([exact_by_enumeration(*table) for table in tables], rel=1e-9)

    def test_monomorphic_and_nobody(self):
        assert hwe_exact(np.array([9, 0]), np.array([0, 0]), np.array([0, 0])).tolist() == [1, 1]

    def test_either_allele_may_be_called_ref(self):
        assert hwe_exact(5, 1, 30) == hwe_exact(30, 1, 5)

    def test_large_cohorts_stay_finite(self):
        assert hwe_exact(250_000, 500_000, 250_000) == pytest.approx(1)
        assert hwe_exact(500_000, 0, 500_000) == 0

    def test_negative_counts(self):
        with pytest.raises(ValueError, match="negative"):
            hwe_exact(-1, 2, 3)


class TestFilterContig:
    def test_kept_as_it_is(self, tmp_path):
        counts, store = run(tmp_path, [record(3, "00 01 10 11"), record(9, "01 00 00 00", "CT")])
        assert counts == {"read": 2, "kept": 2}
        assert store.contig.tolist() == ["1", "1"]
        assert store.position.tolist() == [3, 9]
        assert store.id.tolist() == ["rs3", "rs9"]
        assert store.alt.tolist() == ["G", "T"]
        assert store.calls(0, 1)[0].tolist() == [[0, 0], [0, 1], [1, 0], [1, 1]]
        assert store.phased

    def test_people_in_the_wanted_order(self, tmp_path):
        source = FakeSource("zdcba", [record(3, "01 11 10 01 00")])
        _, store = run(tmp_path, None, sources=[source])
        assert store.calls(0, 1)[0].tolist() == [[0, 0], [0, 1], [1, 0], [1, 1]]

    def test_only_biallelic_snps(self, tmp_path):
        snp = record(1, "00 01 10 11")
        records = [
            snp,
            snp._replace(position=2, ref="AC", calls=None),
            snp._replace(position=3, alt="<DEL>", calls=None),
            snp._replace(position=4, alt="."),
            snp._replace(position=5, alt="G,T", calls=None),
        ]
        assert run(tmp_path, records)[0] == {"read": 5, "kept": 1, "not_snp": 3, "multiallelic": 1}

    def test_two_records_at_a_position(self, tmp_path):
        first = record(1, "00 01 10 11")
        records = [first, first, first._replace(alt="T"), record(2, "00 01 10 11"), record(2, "11 11 11 11")]
        counts, store = run(tmp_path, records)
        assert counts == {"read": 5, "duplicate": 2, "multiallelic": 2, "kept": 1}
        assert store.dosages()[:, 0].tolist() == [0, 1, 1, 2]

    def test_sources_are_merged_by_position(self, tmp_path):
        one = FakeSource("abcd", [record(1, "00 01 10 11"), record(5, "00 01 10 11")])
        two = FakeSource("dcba", [record(3, "11 00 00 00"), record(5, "11 10 01 00"), record(7, "01 00 00 00")])
        counts, store = run(tmp_path, None, sources=[one, two])
        assert counts == {"read": 5, "duplicate": 1, "kept": 4}
        assert store.position.tolist() == [1, 3, 5, 7]
        assert store.dosages()[3].tolist() == [2, 2, 2, 1]

    def test_a_source_of_other_people(self, tmp_path):
        with pytest.raises(BadInput, match="lacks 1 of the samples"):
            run(tmp_path, None, sources=[FakeSource("abc", [])])

    def test_unphased_where_one_kept_record_is(self, tmp_path):
        records = [record(1, "00 01 10 11"), record(2, "01 00 00 00", unphased="a")]
        assert not run(tmp_path, records)[1].phased
        assert run(tmp_path, records, maf=0.2)[1].phased

    def test_unphased_where_haplotypes_are_drawn(self, tmp_path):
        records = [record(1, "00 01 10 11"), record(2, "01 00 00 00", unphased="a")]
        with pytest.raises(BadInput, match=r"fake\.vcf\.gz: is not phased at 1:2 \(a\).*bcftools \+setGT"):
            run(tmp_path, records, haplotypes=True)
        assert run(tmp_path, records, haplotypes=True, maf=0.2)[1].phased

    def test_a_variant_whose_alleles_another_file_exchanges_is_taken_once(self, tmp_path):
        one = FakeSource("abcd", [record(1, "00 01 10 11", "AG"), record(5, "00 01 10 11")])
        two = FakeSource("abcd", [record(1, "11 10 01 00", "GA"), record(7, "00 01 10 11")])
        counts, store = run(tmp_path, None, sources=[one, two])
        assert counts == {"read": 4, "exchanged": 1, "kept": 3}
        assert store.dosages()[:, 0].tolist() == [0, 1, 1, 2]

    def test_what_a_filter_marks_is_left_out_and_named(self, tmp_path, caplog):
        records = [
            record(1, "00 01 10 11"),
            record(2, "00 01 10 11", filter="SVM"),
            record(3, "00 01 10 11", filter="SVM"),
            record(3, "00 01 10 11", "AC"),
            record(4, "00 01 10 11", filter="LowQual;SVM"),
        ]
        counts, store = run(tmp_path, records, pass_only=True)
        assert counts == {"read": 5, "filter": 3, "kept": 2}
        assert store.alt.tolist() == ["G", "C"]
        assert "SVM 2, LowQual;SVM 1" in caplog.text
        assert run(tmp_path, records)[0] == {"read": 5, "multiallelic": 2, "kept": 3}

    def test_variants_without_a_position(self, tmp_path):
        records = [record(0, "00 01 10 11"), record(0, "00 01 10 11"), record(4, "00 01 10 11")]
        assert run(tmp_path, records)[0] == {"read": 3, "unplaced": 2, "kept": 1}

    def test_call_rate_counts_half_calls_as_missing(self, tmp_path):
        records = [record(1, ".. 01 10 11"), record(2, "0. .1 01 11"), record(3, "00 01 01 11")]
        assert run(tmp_path, records, call_rate=0.75)[0]["call_rate"] == 1
        assert run(tmp_path, records, call_rate=1)[0]["call_rate"] == 2
        assert run(tmp_path, records)[0] == {"read": 3, "kept": 3, "filled_calls": 3}

    def test_nobody_called(self, tmp_path):
        records = [record(1, ".. .. 01 11")]
        assert run(tmp_path, records, train=[1, 1, 0, 0])[0] == {"read": 1, "call_rate": 1}

    def test_maf_bound_is_kept_and_monomorphic_goes(self, tmp_path):
        bound = " ".join(["11"] * 9 + ["00"])  # frequency .9, whose complement is below .1 in floating point
        records = [
            record(1, bound),
            record(2, " ".join(["11"] * 10)),
            record(3, " ".join(["11"] * 9 + ["01"])),
        ]
        counts, store = run(tmp_path, records, samples="abcdefghij", maf=0.1)
        assert counts == {"read": 3, "maf": 2, "kept": 1}
        assert store.position.tolist() == [1]
        assert run(tmp_path, records, samples="abcdefghij", maf=0)[0]["kept"] == 3

    def test_hwe_is_tested_within_labels(self, tmp_path):
        people = [chr(97 + i) for i in range(24)]
        label = ["x"] * 12 + ["y"] * 12
        apart = record(1, " ".join(["00"] * 12 + ["11"] * 12))  # two populations, each in equilibrium
        bad = record(2, " ".join(["00"] * 6 + ["11"] * 6 + ["01", "00"] * 6))
        counts, store = run(tmp_path, [apart, bad], samples=people, label=label, hwe=1e-3)
        assert counts == {"read": 2, "hwe": 1, "kept": 1}
        assert store.position.tolist() == [1]
        assert run(tmp_path, [apart], samples=people, hwe=1e-3)[0] == {"read": 1, "hwe": 1}

    @pytest.mark.parametrize("mark", ["homozygous", "missing"])
    def test_what_is_planted_in_a_test_person_changes_nothing_else(self, tmp_path, mark):
        rng = np.random.default_rng(5)
        people, variants, test_person = 40, 300, 31
        frequency = rng.uniform(0.0, 0.5, (variants, 1, 1))
        calls = (rng.random((variants, people, 2)) < frequency).astype(np.int8)
        calls[rng.random((variants, people)) < 0.08] = -1
        planted = calls.copy()
        planted[:, test_person] = 1 if mark == "homozygous" else -1
        samples = [f"p{i}" for i in range(people)]
        train = np.arange(people) < 30
        results = []
        for name, data in (("as_is", calls), ("planted", planted)):
            records = [Record("1", i + 1, "", "A", "C", data[i], True) for i in range(variants)]
            (tmp_path / name).mkdir()
            counts, store = run(
                tmp_path / name, records, samples, train, ["x", "y"] * 20, call_rate=0.9, maf=0.05, hwe=0.1
            )
            results.append((counts, store))
        (counts, store), (planted_counts, planted_store) = results
        assert all(counts[name] >= 5 for name in ("call_rate", "maf", "hwe", "filled_calls", "kept"))
        del counts["filled_calls"], planted_counts["filled_calls"]
        assert counts == planted_counts
        assert store.position.tolist() == planted_store.position.tolist()
        others = np.arange(people) != test_person
        assert (store.dosages(others) == planted_store.dosages(others)).all()
        assert (store.calls(0, len(store))[:, others] == planted_store.calls(0, len(store))[:, others]).all()


class TestFill:
    def test_only_what_is_missing_is_drawn(self):
        calls = np.array([[[0, -1], [-1, -1], [1, 0]], [[0, 0], [0, 1], [1, 1]]], np.int8)
        filled = calls.copy()
        assert fill(filled, np.array([0.5, 0.5]), np.array([7, 8]), "1", 1) == 2
        assert (filled >= 0).all()
        assert (filled[calls >= 0] == calls[calls >= 0]).all()

    def test_follows_the_frequency(self):
        calls = np.full((3, 4000, 2), -1, np.int8)
        fill(calls, np.array([0, 0.3, 1]), np.array([1, 2, 3]), "1", 1)
        assert calls.mean(axis=(1, 2)) == pytest.approx([0, 0.3, 1], abs=0.02)

    def test_a_site_is_filled_alike_whatever_its_company(self):
        together, alone = np.full((5, 20, 2), -1, np.int8), np.full((1, 20, 2), -1, np.int8)
        fill(together, np.full(5, 0.5), np.arange(5), "chr1", 1)
        fill(alone, np.array([0.5]), np.array([3]), "1", 1)
        assert (together[3] == alone[0]).all()
        assert not (together[2] == together[3]).all()

    def test_seed_and_contig_matter(self):
        drawn = []
        for contig, seed in (("1", 1), ("1", 2), ("2", 1)):
            drawn.append(np.full((1, 50, 2), -1, np.int8))
            fill(drawn[-1], np.array([0.5]), np.array([3]), contig, seed)
        assert not (drawn[0] == drawn[1]).all()
        assert not (drawn[0] == drawn[2]).all()


class TestExplainEmpty:
    def test_names_the_worst_filter(self):
        error = explain_empty({"read": 10, "maf": 6, "hwe": 4})
        assert isinstance(error, BadInput)
        assert "no variant is left of 10: `maf` took 6" in str(error)

    def test_nothing_read(self):
        assert "hold no variant" in str(explain_empty({"read": 0}))
