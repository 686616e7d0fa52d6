import subprocess
import sys
import zipfile
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import zarr
from stores import store_of

import syngeno
from syngeno.data.store import CHUNK, Sites, StoreWriter, concatenate, open_store, write_like
from syngeno.errors import BadInput

PEOPLE = ["a", "b", "c"]


def random_calls(variants, people=3, seed=1):
    return np.random.default_rng(seed).integers(0, 2, (variants, people, 2)).astype(np.int8)


def append(writer, calls, first=1, **more):
    n = len(calls)
    ids = np.array([f"rs{i}" for i in range(first, first + n)])
    writer.append(np.arange(first, first + n), ids, np.full(n, "A"), np.full(n, "G"), calls, **more)


def write(path, calls, **options):
    with StoreWriter(path, PEOPLE, {"1": 5000}, **options) as writer:
        append(writer, calls)


class TestStoreWriter:
    @pytest.mark.parametrize("pieces", [[1], [CHUNK], [400, 700, 1300, 1], [0, 3, 0], [2500]])
    def test_what_is_written_in_any_pieces_is_read(self, tmp_path, pieces):
        calls = random_calls(sum(pieces))
        with StoreWriter(tmp_path / "s.zarr.zip", PEOPLE, {"1": 5000}, phased=False) as writer:
            for stop, piece in zip(np.cumsum(pieces), pieces, strict=True):
                append(writer, calls[stop - piece : stop], first=1 + stop - piece)
        with open_store(tmp_path / "s.zarr.zip") as store:
            assert store.samples == PEOPLE
            assert store.contig_lengths == {"1": 5000}
            assert not store.phased
            assert store.position.tolist() == list(range(1, len(calls) + 1))
            assert store.id[-1] == f"rs{len(calls)}"
            assert store.ref[0] == "A" and store.alt[0] == "G"
            assert (store.calls(0, len(store)) == calls).all()
            assert (np.concatenate(list(store.iterate())) == calls).all()

    def test_several_contigs_and_blocks(self, tmp_path):
        names = ["g", "1:5-6", "h"]
        with StoreWriter(tmp_path / "s.zarr.zip", PEOPLE, {"1": 10, "2": 0}, block_names=names) as writer:
            append(writer, random_calls(2), contig="1", block=[0, 1])
            append(writer, random_calls(1), contig="2", block=[2])
        store = open_store(tmp_path / "s.zarr.zip")
        assert store.contig.tolist() == ["1", "1", "2"]
        assert store.block.tolist() == [0, 1, 2]
        assert store.block_names == names
        assert store.sites().contig_lengths == {"1": 10, "2": 0}
        assert len(store.sites()) == 3

    def test_one_file_without_traces(self, tmp_path):
        write(tmp_path / "s.zarr.zip", random_calls(5))
        assert [path.name for path in tmp_path.iterdir()] == ["s.zarr.zip"]

    def test_an_error_leaves_nothing_and_the_old_store_as_it_was(self, tmp_path):
        write(tmp_path / "s.zarr.zip", random_calls(5))
        before = (tmp_path / "s.zarr.zip").read_bytes()
        with pytest.raises(RuntimeError), StoreWriter(tmp_path / "s.zarr.zip", PEOPLE, {"1": 1}) as writer:
            append(writer, random_calls(2000))
            raise RuntimeError
        assert [path.name for path in tmp_path.iterdir()] == ["s.zarr.zip"]
        assert (tmp_path / "s.zarr.zip").read_bytes() == before

    def test_same_content_same_bytes(self, tmp_path):
        for name in "ab":
            write(tmp_path / name, random_calls(1500))
        assert (tmp_path / "a").read_bytes() == (tmp_path / "b").read_bytes()

    def test_is_a_vcf_zarr(self, tmp_path):
        write(tmp_path / "s.zarr.zip", random_calls(5))
        group = zarr.open_group(zarr.storage.ZipStore(tmp_path / "s.zarr.zip", mode="r"), mode="r")
        assert group.metadata.zarr_format == 2
        assert group.attrs["vcf_zarr_version"] == "0.4"
        assert group["call_genotype"].attrs["_ARRAY_DIMENSIONS"] == ["variants", "samples", "ploidy"]
        assert group["variant_allele"][0].tolist() == ["A", "G"]
        assert zipfile.ZipFile(tmp_path / "s.zarr.zip").infolist()[0].compress_type == zipfile.ZIP_STORED

    def test_wrong_shapes_are_refused(self, tmp_path):
        with StoreWriter(tmp_path / "s.zarr.zip", PEOPLE, {"1": 1, "2": 1}) as writer:
            with pytest.raises(ValueError, match="calls of shape"):
                append(writer, random_calls(2, people=4), contig="1")
            with pytest.raises(ValueError, match="given the contig"):
                append(writer, random_calls(2))
            with pytest.raises(ValueError, match="values of block"):
                append(writer, random_calls(2), contig="1", block=[1])

    def test_latents_are_set_before_the_end(self, tmp_path):
        latents = np.arange(12, dtype=np.float32).reshape(3, 2, 2)
        with StoreWriter(tmp_path / "s.zarr.zip", PEOPLE, {"1": 5000}) as writer:
            append(writer, random_calls(4))
            writer.latents = latents
        write(tmp_path / "t.zarr.zip", random_calls(4), latents=iter([latents[:1], latents[1:]]))
        write(tmp_path / "none.zarr.zip", random_calls(4))
        with open_store(tmp_path / "s.zarr.zip") as store:
            assert store.latents.dtype == np.float32
            assert np.array_equal(store.latents, latents)
            assert store.latents_shape == (2, 2)
        assert (tmp_path / "s.zarr.zip").read_bytes() == (tmp_path / "t.zarr.zip").read_bytes()
        assert open_store(tmp_path / "none.zarr.zip").latents is None

    @pytest.mark.parametrize(
        "wrong", [np.zeros((2, 1, 1)), np.zeros((4, 1, 1)), [np.zeros((1, 1, 1)), np.zeros((2, 1, 2))], []]
    )
    def test_latents_of_other_samples_are_refused(self, tmp_path, wrong):
        with pytest.raises(ValueError, match="latents of"):
            write(tmp_path / "s.zarr.zip", random_calls(4), latents=wrong)
        assert not (tmp_path / "s.zarr.zip").exists()


SITES = Sites(
    np.array(["1", "1", "2"]),
    np.array([5, 9, 2]),
    np.array(["rs1", "rs2", "."]),
    np.array(["A", "C", "G"]),
    np.array(["G", "T", "A"]),
    {"1": 10, "2": 0, "3": 7},
    np.array([0, 1, 2]),
    ["gene", "1:9-9", "2:2-2"],
)
TWO = np.array([[[0, 1], [1, 1]], [[0, 0], [1, 0]], [[-1, -1], [0, 0]]], dtype=np.int8)  # 3 variants, 2 samples
ONE = np.array([[[1, 1]], [[0, 1]], [[1, 0]]], dtype=np.int8)


class TestWriteLike:
    def test_takes_the_variants_of_sites_or_of_a_store(self, tmp_path):
        write_like(tmp_path / "a", SITES, ["x", "y"], [TWO[:2], TWO[2:]], phased=False)
        write_like(tmp_path / "b", open_store(tmp_path / "a"), ["z"], [ONE], phased=True)  # a chunk of two contigs
        first, second = open_store(tmp_path / "a"), open_store(tmp_path / "b")
        assert first.fingerprint() == second.fingerprint()
        for store in (first, second):
            assert store.contig.tolist() == ["1", "1", "2"]
            assert store.position.tolist() == [5, 9, 2]
            assert store.id.tolist() == ["rs1", "rs2", "."]
            assert (store.ref.tolist(), store.alt.tolist()) == (["A", "C", "G"], ["G", "T", "A"])
            assert (store.block.tolist(), store.block_names) == ([0, 1, 2], SITES.block_names)
            assert store.contig_lengths == SITES.contig_lengths
        assert (first.samples, second.samples) == (["x", "y"], ["z"])
        assert (first.phased, second.phased) == (False, True)
        assert np.array_equal(first.calls(0, 3), TWO)
        assert np.array_equal(second.calls(0, 3), ONE)
        assert first.sites().block_names == SITES.block_names

    def test_sites_without_blocks(self, tmp_path):
        bare = Sites(*(getattr(SITES, name) for name in ("contig", "position", "id", "ref", "alt", "contig_lengths")))
        write_like(tmp_path / "a", bare, ["z"], [ONE], phased=True)
        assert open_store(tmp_path / "a").block is None

    @pytest.mark.parametrize(
        ("chunks", "said"),
        [([TWO[:2]], "end after 2 of 3"), ([TWO, TWO], "after 3 of 3"), ([ONE], "for 2 variants of 2 samples")],
    )
    def test_other_numbers_of_variants_or_samples_are_refused(self, tmp_path, chunks, said):
        with pytest.raises(ValueError, match=said):
            write_like(tmp_path / "a", SITES, ["x", "y"], chunks, phased=True)
        assert not (tmp_path / "a").exists()


class TestConcatenate:
    def test_samples_stand_side_by_side(self, tmp_path):
        latents = np.arange(6, dtype=np.float32).reshape(3, 2, 1)
        write_like(tmp_path / "a", SITES, ["x", "y"], [TWO], phased=True, latents=latents[:2])
        write_like(tmp_path / "b", SITES, ["x"], [ONE], phased=True, latents=latents[2:])
        concatenate([tmp_path / "a", tmp_path / "b"], tmp_path / "both", PEOPLE)
        write_like(
            tmp_path / "whole", SITES, PEOPLE, [np.concatenate([TWO, ONE], axis=1)], phased=True, latents=latents
        )
        assert (tmp_path / "both").read_bytes() == (tmp_path / "whole").read_bytes()
        store = open_store(tmp_path / "both")
        assert store.samples == PEOPLE
        assert store.calls(0, 3)[0].tolist() == [[0, 1], [1, 1], [1, 1]]
        assert store.latents[:, 0, 0].tolist() == [0, 2, 4]

    def test_several_chunks_of_variants_and_samples(self, tmp_path):
        calls = random_calls(2 * CHUNK + 7, people=1200)
        n = len(calls)
        sites = Sites(np.full(n, "1"), np.arange(n) + 1, np.full(n, "."), np.full(n, "A"), np.full(n, "C"), {"1": 0})
        names = [str(number) for number in range(1200)]
        for part, samples in (("a", slice(0, 700)), ("b", slice(700, 1200))):
            write_like(tmp_path / part, sites, names[samples], [calls[:, samples]], phased=False)
        concatenate([tmp_path / "a", tmp_path / "b"], tmp_path / "both", names)
        store = open_store(tmp_path / "both")
        assert not store.phased and store.latents is None
        assert np.array_equal(store.calls(0, n), calls)

    @pytest.mark.parametrize(
        ("other", "said"),
        [
            ({"sites": replace(SITES, alt=np.array(["G", "T", "C"]))}, "its variants"),
            ({"sites": replace(SITES, block=np.array([0, 1, 1]))}, "its variants"),
            ({"sites": replace(SITES, contig_lengths={"1": 11, "2": 0})}, "its contigs"),
            ({"phased": False}, "the phases of its calls"),
            ({"latents": np.zeros((1, 2, 2))}, "the shapes of its latents"),
            ({"latents": None}, "the shapes of its latents"),
        ],
    )
    def test_stores_that_differ_are_refused(self, tmp_path, other, said):
        write_like(tmp_path / "a", SITES, ["x", "y"], [TWO], phased=True, latents=np.zeros((2, 3, 2)))
        options = {"sites": SITES, "phased": True, "latents": np.zeros((1, 3, 2)), **other}
        write_like(tmp_path / "b", samples=["z"], chunks=[ONE], **options)
        with pytest.raises(BadInput, match=f"b: {said} differ from those of .*a; make both again"):
            concatenate([tmp_path / "a", tmp_path / "b"], tmp_path / "both", PEOPLE)
        assert not (tmp_path / "both").exists()

    def test_names_are_counted(self, tmp_path):
        write_like(tmp_path / "a", SITES, ["x", "y"], [TWO], phased=True)
        with pytest.raises(ValueError, match="3 names for 2 samples"):
            concatenate([tmp_path / "a"], tmp_path / "both", PEOPLE)


class TestOpenStore:
    def test_missing(self, tmp_path):
        with pytest.raises(BadInput, match="no such file"):
            open_store(tmp_path / "none.zarr.zip")

    def test_truncated(self, tmp_path):
        write(tmp_path / "s", random_calls(5))
        (tmp_path / "t").write_bytes((tmp_path / "s").read_bytes()[:-50])
        with pytest.raises(BadInput, match="no readable"):
            open_store(tmp_path / "t")

    def test_another_zip(self, tmp_path):
        with zipfile.ZipFile(tmp_path / "z", "w") as archive:
            archive.writestr("hello.txt", "hello")
        with pytest.raises(BadInput, match="no readable"):
            open_store(tmp_path / "z")

    def test_another_zarr(self, tmp_path):
        with zarr.storage.ZipStore(tmp_path / "z", mode="w") as packed:
            zarr.open_group(packed, mode="w", zarr_format=2).create_array("sample_id", data=np.arange(3))
        with pytest.raises(BadInput, match="lacks contig_id"):
            open_store(tmp_path / "z")

    def test_flipped_bytes(self, tmp_path):
        write(tmp_path / "s", random_calls(900))
        data = bytearray((tmp_path / "s").read_bytes())
        at = data.index(b"call_genotype/0.0.0") + 100
        data[at : at + 20] = bytes(20)
        (tmp_path / "s").write_bytes(data)
        with pytest.raises(BadInput, match="damaged"):
            open_store(tmp_path / "s").dosages()


class TestExit:
    def test_is_silent_on_a_busy_machine(self, tmp_path):
        """A job whose last line is to be the one on bad input does not end with zarr's traceback below it."""
        store_of(tmp_path / "s.zarr.zip", np.zeros((3, 2, 2), np.int8))
        script = f"""
import sys, time
from zarr.core import sync
from syngeno.data.store import open_store
open_store({str(tmp_path / "s.zarr.zip")!r}).calls(0, 3)
sync.loop[0].call_soon_threadsafe(time.sleep, 1)
sys.exit(3)
"""
        library = Path(syngeno.__path__[0]).parent
        done = subprocess.run(
            [sys.executable, "-c", script], capture_output=True, text=True, env={"PYTHONPATH": str(library)}
        )
        assert (done.returncode, done.stderr) == (3, "")


class TestDosages:
    def test_counts_alt_alleles_of_the_chosen(self, tmp_path):
        calls = random_calls(CHUNK + 7)
        write(tmp_path / "s", calls)
        store = open_store(tmp_path / "s")
        expected = calls.sum(axis=2).T
        assert store.dosages().dtype == np.int8
        assert (store.dosages() == expected).all()
        assert (store.dosages(np.array([2, 0])) == expected[[2, 0]]).all()
        assert (store.dosages(np.array([True, False, True])) == expected[[0, 2]]).all()

    def test_rows_are_sliced(self, tmp_path):
        calls = random_calls(50)
        write(tmp_path / "s", calls)
        rows = open_store(tmp_path / "s").dosage_rows(np.array([1]))
        assert rows.shape == (50, 1)
        assert (rows[10:20] == calls[10:20, [1]].sum(axis=2)).all()

    @pytest.mark.parametrize("width", [1, 7, 300, CHUNK, CHUNK + 300])
    def test_columns_are_sliced(self, tmp_path, width):
        write(tmp_path / "s", random_calls(2 * CHUNK + 7))
        store = open_store(tmp_path / "s")
        columns, expected = store.dosage_columns(np.array([2, 0])), store.dosages(np.array([2, 0]))
        assert columns.shape == expected.shape and len(columns) == 2
        for start in (*range(0, 2 * CHUNK + 7, width), 5):  # and back
            assert np.array_equal(columns[:, start : start + width], expected[:, start : start + width])
        with pytest.raises(ValueError, match="in order"):
            columns[:, ::2]

    def test_missing_calls_are_refused(self, tmp_path):
        calls = random_calls(4)
        calls[2, 1] = -1
        write(tmp_path / "s", calls)
        with pytest.raises(BadInput, match="missing calls"):
            open_store(tmp_path / "s").dosages()

    def test_no_variants(self, tmp_path):
        write(tmp_path / "s", random_calls(0))
        assert open_store(tmp_path / "s").dosages().shape == (3, 0)
