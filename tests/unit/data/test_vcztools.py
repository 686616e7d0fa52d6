"""A reader by the authors of the VCF Zarr specification reads what we write."""

import io
import zipfile

import numpy as np
import pytest
import vcztools

from syngeno.data.store import CHUNK, Sites, write_like

CALLS = np.array([[[0, 1], [1, 1]], [[0, 0], [1, 0]], [[-1, -1], [0, 0]]], dtype=np.int8)


def sites_of(contig, position, ids, ref, alt, **more):
    return Sites(*map(np.array, (contig, position, ids, ref, alt)), dict.fromkeys(contig, 1000), **more)


def printed(path, tmp_path):
    """The VCF that vcztools makes of a store: its header and its records, split at tabs."""
    with zipfile.ZipFile(path) as archive:
        archive.extractall(tmp_path / "unpacked")
    for given in (path, tmp_path / "unpacked"):  # as it is, and as a folder
        text = io.StringIO()
        vcztools.write_vcf(vcztools.VczReader(vcztools.open_zarr(str(given))), text, no_version=True)
        lines = text.getvalue().splitlines()
        yield [line for line in lines if line[0] == "#"], [line.split("\t") for line in lines if line[0] != "#"]


@pytest.mark.parametrize(("phased", "bar"), [(True, "|"), (False, "/")])
def test_prints_every_variant_and_call(tmp_path, phased, bar):
    sites = sites_of(
        ["1", "1", "2"], [5, 9, 2], ["rs1", "rs2", "."], ["A", "C", "G"], ["G", "T", "A"],
        block=np.array([0, 1, 2]), block_names=["gene", "1:9-9", "2:2-2"],
    )  # fmt: skip
    write_like(tmp_path / "s.zarr.zip", sites, ["x", "Ünal"], [CALLS], phased, latents=np.ones((2, 3, 4)))
    for header, records in printed(tmp_path / "s.zarr.zip", tmp_path):
        assert "##contig=<ID=2,length=1000>" in header
        assert header[-1].split("\t")[-2:] == ["x", "Ünal"]
        assert [record[:7] for record in records] == [
            ["1", "5", "rs1", "A", "G", ".", "PASS"],
            ["1", "9", "rs2", "C", "T", ".", "PASS"],
            ["2", "2", ".", "G", "A", ".", "PASS"],
        ]
        calls = [[call.replace(bar, " ") for call in record[9:]] for record in records]
        assert calls == [["0 1", "1 1"], ["0 0", "1 0"], [". .", "0 0"]]


def test_reads_many_chunks_of_variants_and_samples(tmp_path):
    variants, samples = 2 * CHUNK + 7, CHUNK + 3
    calls = np.random.default_rng(1).integers(0, 2, (variants, samples, 2)).astype(np.int8)
    sites = sites_of(["1"] * variants, range(1, variants + 1), *([text] * variants for text in ".AC"))
    write_like(tmp_path / "s.zarr.zip", sites, [str(number) for number in range(samples)], [calls], True)
    for _, records in printed(tmp_path / "s.zarr.zip", tmp_path):
        text = np.array(records)[:, 9:]
        assert np.array_equal(np.char.partition(text, "|")[..., [0, 2]].astype(np.int8), calls)
