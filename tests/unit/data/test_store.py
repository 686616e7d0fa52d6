import zipfile

import numpy as np
import pytest
import zarr

from syngeno.data.store import CHUNK, StoreWriter, open_store
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
            write(tmp_path / name, random_calls(1500), attrs={"config": "x"})
        assert (tmp_path / "a").read_bytes() == (tmp_path / "b").read_bytes()

    def test_is_a_vcf_zarr(self, tmp_path):
        write(tmp_path / "s.zarr.zip", random_calls(5), attrs={"config": "f00"})
        group = zarr.open_group(zarr.storage.ZipStore(tmp_path / "s.zarr.zip", mode="r"), mode="r")
        assert group.metadata.zarr_format == 2
        assert group.attrs["vcf_zarr_version"] == "0.4"
        assert group.attrs["config"] == "f00"
        assert group["call_genotype"].attrs["_ARRAY_DIMENSIONS"] == ["variants", "samples", "ploidy"]
        assert group["variant_allele"][0].tolist() == ["A", "G"]
        assert zipfile.ZipFile(tmp_path / "s.zarr.zip").infolist()[0].compress_type == zipfile.ZIP_STORED

    def test_wrong_shapes_are_refused(self, tmp_path):
        with StoreWriter(tmp_path / "s.zarr.zip", PEOPLE, {"1": 1, "2": 1}) as writer:
            with pytest.raises(ValueError, match="calls of shape"):
                append(writer, random_calls(2, people=4), contig="1")
            with pytest.raises(ValueError, match="told the contig"):
                append(writer, random_calls(2))
            with pytest.raises(ValueError, match="values of block"):
                append(writer, random_calls(2), contig="1", block=[1])


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
