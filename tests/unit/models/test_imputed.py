"""Imputation from a reference panel: what a panel must be, and what comes of one that knows the answer."""

import gzip

import numpy as np
import pysam
import pytest

from syngeno.data import vcf
from syngeno.data.store import Sites, StoreWriter, open_store
from syngeno.errors import BadInput
from syngeno.evaluate import imputation
from syngeno.models import imputed as imputed_model
from syngeno.stats import kinship
from unit.evaluate.test_imputation import FOUNDERS, needs_beagle, people

V = FOUNDERS.shape[1]
POSITION = np.arange(1, V + 1) * 100
REF, ALT = np.full(V, "A"), np.full(V, "C")
TYPED = np.arange(0, V, 3)


def sites(contig="1", ref=REF, alt=ALT):
    return Sites(np.full(len(ref), contig), POSITION[: len(ref)], np.full(len(ref), "."), ref, alt, {contig: 0})


def write(path, haplotypes, where=None, ids="p", phased=True):
    """Samples (n, 2, variants) as an indexed VCF."""
    samples = [f"{ids}{i}" for i in range(len(haplotypes))]
    vcf.write_vcf(path, where or sites(), samples, vcf.Calls(samples, haplotypes, True).chunks(), phased)
    return path


@pytest.fixture
def store(tmp_path):
    """A cohort of 20 samples, r0 to r19."""
    with StoreWriter(tmp_path / "store.zarr.zip", [f"r{i}" for i in range(20)], {"1": 0}) as writer:
        calls = people(20, 1).haplotypes.transpose(2, 0, 1)
        writer.append(POSITION, np.full(V, "."), REF, ALT, calls, block=np.zeros(V, int))
    with open_store(tmp_path / "store.zarr.zip") as opened:
        yield opened


class TestFileOf:
    def test_by_what_a_file_holds_not_by_its_header(self, tmp_path):
        paths = [write(tmp_path / f"{name}.vcf.gz", people(2, 1).haplotypes, sites(name)) for name in ("chr1", "2")]
        assert imputed_model.file_of(paths, "1") == (paths[0], "chr1")
        assert imputed_model.file_of(paths, "chr2") == (paths[1], "2")

    @pytest.mark.parametrize(("names", "told"), [(["2"], "no of the panel's files hold"), (["1", "1"], "2 of the")])
    def test_none_or_two(self, tmp_path, names, told):
        paths = [write(tmp_path / f"{i}.vcf.gz", people(2, 1).haplotypes, sites(name)) for i, name in enumerate(names)]
        with pytest.raises(BadInput, match=told):
            imputed_model.file_of(paths, "1")

    def test_without_index(self, tmp_path):
        path = write(tmp_path / "a.vcf.gz", people(2, 1).haplotypes)
        (tmp_path / "a.vcf.gz.tbi").unlink()
        with pytest.raises(BadInput, match="index beside it"):
            imputed_model.file_of([path], "1")


class TestRead:
    def test_other_names_and_exchanged_alleles(self, tmp_path, store):
        theirs, turned = people(5, 2).haplotypes, np.arange(V) % 4 == 0
        where = sites("chr1", np.where(turned, ALT, REF), np.where(turned, REF, ALT))
        path = write(tmp_path / "a.vcf.gz", np.where(turned, 1 - theirs, theirs), where)
        calls, exchanged, bare = imputed_model.read([path], store, "1")
        assert not bare.any()
        assert (calls.alleles == theirs).all()
        assert (exchanged == turned).all()

    def test_only_its_chromosome_is_read(self, tmp_path, store):
        theirs = people(5, 2).haplotypes
        both = Sites(
            np.repeat(["1", "2"], V), np.tile(POSITION, 2), np.full(2 * V, "."),
            np.tile(REF, 2), np.tile(ALT, 2), {"1": 0, "2": 0},
        )  # fmt: skip
        path = write(tmp_path / "a.vcf.gz", np.concatenate([theirs, 1 - theirs], axis=2), both)
        assert (imputed_model.read([path], store, "1")[0].alleles == theirs).all()

    def test_variants_that_are_lacking(self, tmp_path, store):
        path = write(tmp_path / "a.vcf.gz", people(5, 2).haplotypes[:, :, :-3], sites("1", REF[:-3], ALT[:-3]))
        with pytest.raises(BadInput, match=f"lacks 3 of the cohort's {V}"):
            imputed_model.read([path], store, "1")

    def test_variants_without_an_alt(self, tmp_path, store):
        theirs = people(5, 2).haplotypes.copy()
        theirs[:, :, 7] = 0
        path = write(tmp_path / "a.vcf.gz", theirs, sites("1", REF, np.where(np.arange(V) == 7, ".", ALT)))
        with pytest.raises(BadInput, match="has no ALT allele at 1 of the cohort's variants on chromosome 1"):
            imputed_model.read([path], store, "1")

    def test_unphased(self, tmp_path, store):
        with pytest.raises(BadInput, match="is not phased"):
            imputed_model.read([write(tmp_path / "a.vcf.gz", people(5, 2).haplotypes, phased=False)], store, "1")

    def test_people_of_the_cohort_by_id(self, tmp_path, store):
        with pytest.raises(BadInput, match=r"5 of its 5 samples are samples of the cohort \(r0\)"):
            imputed_model.read([write(tmp_path / "a.vcf.gz", people(5, 2).haplotypes, ids="r")], store, "1")

    def test_people_of_the_cohort_by_what_they_carry(self, tmp_path, store, monkeypatch):
        theirs = np.random.default_rng(4).integers(0, 2, (5, 2, V)).astype(np.int8)
        theirs[3] = people(20, 1).haplotypes[7, ::-1]  # the other haplotype first
        path = write(tmp_path / "a.vcf.gz", theirs)
        imputed_model.read([path], store, "1")  # at so few variants samples may be alike
        monkeypatch.setattr(imputed_model, "DISTINCTIVE", V)
        with pytest.raises(BadInput, match=r"1 of its 5 samples are samples of the cohort \(p3\)"):
            imputed_model.read([path], store, "1")


class TestAsCohort:
    contigs = tuple(str(number) for number in range(1, kinship.MIN_CONTIGS + 1))
    each = kinship.MIN_VARIANTS // kinship.MIN_CONTIGS

    def paths(self, tmp_path, people):
        """A file for each chromosome; samples (n, 2, variants of all chromosomes)."""
        ref, alt = np.full(self.each, "A"), np.full(self.each, "C")
        position, ids = np.arange(1, self.each + 1) * 100, np.full(self.each, ".")
        for i, contig in enumerate(self.contigs):
            where = Sites(np.full(self.each, contig), position, ids, ref, alt, {contig: 0})
            part = people[:, :, i * self.each : (i + 1) * self.each]
            yield write(tmp_path / f"{contig}.vcf.gz", part, where)

    @pytest.mark.parametrize("errors", [0, 0.01])
    def test_a_person_of_the_cohort_among_the_panels(self, tmp_path, errors):
        rng, variants = np.random.default_rng(1), self.each * len(self.contigs)
        real, theirs = (rng.integers(0, 2, (6, 2, variants)).astype(np.int8) for _ in range(2))
        with StoreWriter(tmp_path / "s.zip", [f"r{i}" for i in range(6)], dict.fromkeys(self.contigs, 0)) as writer:
            for i, contig in enumerate(self.contigs):
                calls = real[:, :, i * self.each : (i + 1) * self.each].transpose(2, 0, 1)
                fields = np.full(self.each, "."), np.full(self.each, "A"), np.full(self.each, "C"), calls
                at, block = np.arange(1, self.each + 1) * 100, np.zeros(self.each, int)
                writer.append(at, *fields, contig=contig, block=block)
        with open_store(tmp_path / "s.zip") as store:
            found = imputed_model.as_cohort(list(self.paths(tmp_path, theirs)), store)
            assert (found.haplotypes == theirs).all()
            theirs[4] = np.where(rng.random((2, variants)) < errors, 1 - real[2], real[2])
            with pytest.raises(BadInput, match=r"1 of its 6 samples are samples of the cohort \(p4\)"):
                imputed_model.as_cohort(list(self.paths(tmp_path, theirs)), store)


class TestTypedAt:
    def test_places(self):
        assert imputed_model.typed_at(imputed_model.sites_at(sites(), TYPED), sites(), "1").tolist() == TYPED.tolist()

    def test_none_on_the_chromosome(self):
        with pytest.raises(BadInput, match="its cohort has 0 variants on chromosome 2"):
            imputed_model.typed_at(sites(), sites(), "2")

    def test_variants_that_the_cohort_has_not(self):
        with pytest.raises(BadInput, match=f"1 of its {V} variants"):
            imputed_model.typed_at(sites(), imputed_model.sites_at(sites(), np.arange(1, V)), "1")


@needs_beagle
class TestImpute:
    def imputed(self, tmp_path, store, phased, exchanged):
        truth = people(30, 5).haplotypes
        turned = exchanged & (np.arange(V) % 2 == 0)
        theirs = people(60, 6).haplotypes
        where = sites("chr1", np.where(turned, ALT, REF), np.where(turned, REF, ALT))
        paths = [write(tmp_path / "panel.vcf.gz", np.where(turned, 1 - theirs, theirs), where)]
        typed = vcf.Calls([f"s{i}" for i in range(30)], truth[:, :, TYPED].copy(), phased)
        at = imputed_model.sites_at(sites(), TYPED)
        imputed_model.impute(typed, at, store, "1", paths, tmp_path / "out.vcf.gz", seed=1, memory_mb=300)
        found = imputed_model.external.read([tmp_path / "out.vcf.gz"], sites()).calls
        assert found.samples == typed.samples
        assert found.phased
        return truth, found

    @pytest.mark.parametrize("exchanged", [False, True])
    def test_fills_in_what_the_panel_knows(self, tmp_path, store, exchanged):
        truth, found = self.imputed(tmp_path, store, phased=True, exchanged=exchanged)
        assert (found.alleles[:, :, TYPED] == truth[:, :, TYPED]).all()  # phase is kept, too
        hidden = np.setdiff1d(np.arange(V), TYPED)
        assert (found.alleles[:, :, hidden] == truth[:, :, hidden]).mean() > 0.97
        again = (tmp_path / "out.vcf.gz").read_bytes()
        self.imputed(tmp_path, store, phased=True, exchanged=exchanged)
        assert (tmp_path / "out.vcf.gz").read_bytes() == again
        assert b"filedate" not in gzip.decompress(again)
        assert pysam.TabixFile(str(tmp_path / "out.vcf.gz")).contigs == ["chr1"]

    def test_phases_who_is_not_phased(self, tmp_path, store):
        truth, found = self.imputed(tmp_path, store, phased=False, exchanged=False)
        assert (found.dosages[:, TYPED] == truth.sum(1)[:, TYPED]).all()
        assert (found.dosages == truth.sum(1)).mean() > 0.95


@needs_beagle
def test_r2_of_held_out_people():
    typed = np.zeros(V, dtype=bool)
    typed[TYPED] = True
    frequency = people(100, 9).frequency
    knows, other = (
        {
            row["group"]: row["value"]
            for row in imputation.measure_panel(one, people(80, 3), typed, frequency, seed=1, memory_mb=300)
        }
        for one in (people(60, 6), people(60, 6, founders=np.random.default_rng(3).permuted(FOUNDERS, axis=1)))
    )
    assert knows["all"] > 0.8
    assert other["all"] < 0.5
