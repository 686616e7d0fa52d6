"""Genotypes on disk: one chunked, compressed VCF Zarr per file.

The layout is that of the VCF Zarr specification 0.4 (https://github.com/sgkit-dev/vcf-zarr-spec, Zarr format
2): `call_genotype` is variants x samples x ploidy with -1 for missing, next to `variant_contig`,
`variant_position`, `variant_id`, `variant_allele`, `contig_id`, `contig_length` and `sample_id`. Two arrays
are ours: `variant_block`, the block (gene or window) that a variant belongs to, and `block_id`, the blocks'
names. The whole store is packed into one uncompressed zip (its chunks are compressed already), for clusters
count files.
"""

import hashlib
import logging
import os
import shutil
import zipfile
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from types import TracebackType

import numpy as np
import zarr
from numcodecs import Blosc
from zarr.storage import LocalStore, ZipStore

from syngeno.errors import BadInput

log = logging.getLogger(__name__)

CHUNK = 1000  # variants per chunk; at most this many people per chunk as well
REQUIRED = (
    "contig_id",
    "contig_length",
    "sample_id",
    "variant_contig",
    "variant_position",
    "variant_id",
    "variant_allele",
    "call_genotype",
)
DIMENSIONS = {
    "contig_id": ["contigs"],
    "contig_length": ["contigs"],
    "sample_id": ["samples"],
    "block_id": ["blocks"],
    "variant_contig": ["variants"],
    "variant_position": ["variants"],
    "variant_id": ["variants"],
    "variant_allele": ["variants", "alleles"],
    "variant_block": ["variants"],
    "call_genotype": ["variants", "samples", "ploidy"],
}
CALL_CODEC = Blosc(cname="zstd", clevel=5, shuffle=Blosc.BITSHUFFLE)
CODEC = Blosc(cname="zstd", clevel=5, shuffle=Blosc.SHUFFLE)
UNREADABLE = (zipfile.BadZipFile, KeyError, ValueError, RuntimeError, OSError)


@dataclass(frozen=True)
class Sites:
    """The variants of a cohort, in file order; all arrays (V,).

    `position` is 1-based; `contig_lengths` maps every contig's name to its length in bp, 0 where it is
    unknown.
    """

    contig: np.ndarray
    position: np.ndarray
    id: np.ndarray
    ref: np.ndarray
    alt: np.ndarray
    contig_lengths: dict[str, int]

    def __len__(self) -> int:
        """The number of variants."""
        return len(self.position)


class StoreWriter:
    """Writes a store variant by variant; use it as a context manager.

    The target appears, whole, when the block ends without an exception; otherwise nothing is left behind.
    `attrs` and `phased` may be changed until then.
    """

    def __init__(
        self,
        path: str | Path,
        samples: Sequence[str],
        contig_lengths: Mapping[str, int],
        *,
        phased: bool = True,
        attrs: Mapping[str, object] | None = None,
        block_names: Sequence[str] | None = None,
    ) -> None:
        self.path = Path(path)
        self.samples = list(samples)
        self.contig_lengths = dict(contig_lengths)
        self.phased = phased
        self.attrs = dict(attrs or {})
        self.block_names = block_names
        self._contigs = list(self.contig_lengths)
        self._fields: dict[str, list[np.ndarray]] = {
            name: [] for name in ("contig", "position", "id", "ref", "alt", "block")
        }
        self._waiting: list[np.ndarray] = []
        self._rows = 0

    def __enter__(self) -> "StoreWriter":
        """Open a temporary folder beside the target."""
        self.path.parent.mkdir(parents=True, exist_ok=True)
        self._folder = self.path.with_name(f".{self.path.name}.part")
        shutil.rmtree(self._folder, ignore_errors=True)  # of a job that was killed
        self._folder.mkdir()
        self._group = zarr.open_group(LocalStore(self._folder / "store"), mode="w", zarr_format=2)
        people = len(self.samples)
        self._calls = self._group.create_array(
            "call_genotype",
            shape=(0, people, 2),
            chunks=(CHUNK, max(1, min(people, CHUNK)), 2),
            dtype="int8",
            fill_value=-1,
            filters=None,
            compressors=CALL_CODEC,
            attributes={"_ARRAY_DIMENSIONS": DIMENSIONS["call_genotype"]},
        )
        return self

    def append(
        self,
        position: np.ndarray,
        id: np.ndarray,
        ref: np.ndarray,
        alt: np.ndarray,
        calls: np.ndarray,
        *,
        contig: str | None = None,
        block: np.ndarray | None = None,
    ) -> None:
        """Add variants of one contig (by default the only one): fields (v,), calls int8 (v, people, 2).

        Raises `ValueError` where shapes disagree or the contig is unknown.
        """
        calls = np.asarray(calls, dtype=np.int8)
        n = len(position)
        if calls.shape != (n, len(self.samples), 2):
            raise ValueError(f"calls of shape {calls.shape} for {n} variants of {len(self.samples)} people")
        if contig is None and len(self._contigs) != 1:
            raise ValueError("a store of several contigs must be told the contig")
        index = self._contigs.index(contig) if contig is not None else 0
        fields = {"contig": np.full(n, index), "position": position, "id": id, "ref": ref, "alt": alt}
        if block is not None:
            fields["block"] = block
        for name, values in fields.items():
            if len(values) != n:
                raise ValueError(f"{len(values)} values of {name} for {n} variants")
            self._fields[name].append(np.asarray(values))
        self._waiting.append(calls)
        self._rows += n
        self._flush(whole_chunks=True)

    def _flush(self, whole_chunks: bool) -> None:
        """Write out what waits, in multiples of the chunk, so that no chunk is compressed twice."""
        written = self._calls.shape[0]
        ready = self._rows - written
        if whole_chunks:
            ready -= ready % CHUNK
        if ready <= 0:
            return
        waiting = np.concatenate(self._waiting)
        self._calls.resize((written + ready, len(self.samples), 2))
        self._calls[written : written + ready] = waiting[:ready]
        self._waiting = [waiting[ready:]]

    def _put(self, name: str, values: np.ndarray) -> None:
        values = np.asarray(values)
        if values.dtype.kind == "U":
            values = values.astype(f"<U{max(1, values.dtype.itemsize // 4)}")
        self._group.create_array(
            name,
            data=values,
            chunks=tuple(max(1, size) for size in values.shape),
            filters=None,
            compressors=CODEC,
            attributes={"_ARRAY_DIMENSIONS": DIMENSIONS[name]},
        )

    def _finish(self) -> None:
        self._flush(whole_chunks=False)

        def field(name: str, dtype: type) -> np.ndarray:
            return np.concatenate([np.empty(0, dtype), *self._fields[name]]).astype(dtype)

        lengths = np.array([self.contig_lengths[name] or 0 for name in self._contigs], dtype=np.int64)
        self._put("contig_id", np.array(self._contigs, dtype=str))
        self._put("contig_length", lengths)
        self._put("sample_id", np.array(self.samples, dtype=str))
        self._put("variant_contig", field("contig", np.int32))
        self._put("variant_position", field("position", np.int32))
        self._put("variant_id", field("id", str))
        self._put("variant_allele", np.stack([field("ref", str), field("alt", str)], axis=1))
        if self._fields["block"]:
            block = field("block", np.int32)
            if len(block) != self._rows:
                raise ValueError(f"blocks for {len(block)} of {self._rows} variants")
            self._put("variant_block", block)
            if self.block_names is not None:
                self._put("block_id", np.array(self.block_names, dtype=str))
        self._group.attrs.update(
            {"vcf_zarr_version": "0.4", "source": "syngeno", "phased": bool(self.phased), **self.attrs}
        )
        packed = self._folder / "packed"
        pack(self._folder / "store", packed)
        os.replace(packed, self.path)
        size = self.path.stat().st_size / 1e6
        log.info(f"wrote {self._rows} variants of {len(self.samples)} people to {self.path} ({size:.1f} MB)")

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        """Pack the store and put it in place, or, after an error, throw it away."""
        try:
            if kind is None:
                self._finish()
        finally:
            shutil.rmtree(self._folder, ignore_errors=True)


def pack(folder: Path, path: Path) -> None:
    """Pack a folder into one uncompressed zip; the same files give the same bytes (sorted, no timestamps)."""
    with zipfile.ZipFile(path, "w", zipfile.ZIP_STORED, allowZip64=True) as archive:
        for file in sorted(file for file in folder.rglob("*") if file.is_file()):
            entry = zipfile.ZipInfo(file.relative_to(folder).as_posix(), (1980, 1, 1, 0, 0, 0))
            archive.writestr(entry, file.read_bytes())


class DosageRows:
    """The ALT counts of some people, variants x people, read from the store slice by slice.

    It has what numpy-like code needs to walk over it in pieces: `shape`, `dtype`, `ndim` and slicing of rows.
    """

    dtype = np.dtype(np.int8)
    ndim = 2

    def __init__(self, store: "Store", people: np.ndarray | None = None) -> None:
        self._store = store
        self._people = indices(people, len(store.samples))
        self.shape = (len(store), len(self._people))

    def __getitem__(self, rows: slice) -> np.ndarray:
        """Dosages of consecutive variants, int8 (v, people); `BadInput` if a call is missing."""
        start, stop, step = rows.indices(len(self._store))
        if step != 1:
            raise ValueError(f"rows are read in order, not in steps of {step}")
        calls = self._store.calls(start, stop)[:, self._people]
        if calls.size and calls.min() < 0:
            raise BadInput(self._store.path, "holds missing calls", "make it with the prepare stage, which fills them")
        return calls[:, :, 0] + calls[:, :, 1]


class DosageColumns:
    """The ALT counts of some people, people x variants, read from the store as columns are asked for.

    For who takes the columns in order: the last chunk is at hand. `shape`, `len` and `[:, a:b]` as of an array.
    """

    def __init__(self, store: "Store", people: np.ndarray) -> None:
        self._rows = store.dosage_rows(people)
        self._first, self._chunk = 0, self._rows[0:0].T
        self.shape = self._rows.shape[::-1]

    def __len__(self) -> int:
        """The number of people."""
        return self.shape[0]

    def __getitem__(self, key: tuple[slice, slice]) -> np.ndarray:
        """Dosages of all people at consecutive variants, int8 (people, v); raises as `DosageRows` does."""
        everybody, columns = key
        start, stop, step = columns.indices(self.shape[1])
        if everybody != slice(None) or step != 1:
            raise ValueError("all people are read, and variants in order")
        if not (self._first <= start and stop <= self._first + self._chunk.shape[1]):
            self._first = start - start % CHUNK
            self._chunk = self._rows[self._first : max(stop, self._first + CHUNK)].T
        return self._chunk[:, start - self._first : stop - self._first]


class Store:
    """A store opened for reading. What belongs to variants and people is in memory, the calls stay on disk.

    `samples` (list), `contig`, `position`, `id`, `ref`, `alt` (V,), `block` (V,) or None, `block_names`,
    `contig_lengths`, `phased`, `attrs`.
    """

    def __init__(self, path: str | Path) -> None:
        self.path = Path(path)
        if not self.path.is_file():
            raise BadInput(path, "no such file", "run the rule that makes it (or check the path)")
        try:
            self._zip = ZipStore(self.path, mode="r")
            group = zarr.open_group(self._zip, mode="r", zarr_format=2)
            arrays = dict(group.arrays())
        except UNREADABLE as error:
            raise BadInput(path, f"is no readable .zarr.zip ({error})", "delete it and run again") from error
        absent = [name for name in REQUIRED if name not in arrays]
        if absent:
            raise BadInput(path, f"is no VCF Zarr: it lacks {', '.join(absent)}", "give a store made by prepare")
        try:
            values = {
                name: array[...] for name, array in arrays.items() if name in DIMENSIONS and name != "call_genotype"
            }
        except UNREADABLE as error:
            raise BadInput(path, f"is damaged ({error})", "delete it and run again") from error
        self._calls = arrays["call_genotype"]
        self.samples: list[str] = values["sample_id"].tolist()
        self.contig = values["contig_id"][values["variant_contig"]]
        self.position = values["variant_position"].astype(np.int64)
        self.id = values["variant_id"]
        self.ref, self.alt = values["variant_allele"].T
        self.block: np.ndarray | None = values.get("variant_block")
        self.block_names: list[str] | None = values["block_id"].tolist() if "block_id" in values else None
        lengths = values["contig_length"].tolist()
        self.contig_lengths: dict[str, int] = dict(zip(values["contig_id"].tolist(), lengths, strict=True))
        self.attrs = dict(group.attrs)
        self.phased = bool(self.attrs.get("phased", False))
        if self._calls.shape != (len(self.position), len(self.samples), 2):
            raise BadInput(path, f"holds calls of shape {self._calls.shape}", "delete it and run again")

    def __len__(self) -> int:
        """The number of variants."""
        return len(self.position)

    def __enter__(self) -> "Store":
        """The store itself."""
        return self

    def __exit__(self, *error: object) -> None:
        """Close the file."""
        self.close()

    def close(self) -> None:
        """Close the file; the calls can no longer be read."""
        self._zip.close()

    def sites(self) -> Sites:
        """The variants without the people."""
        return Sites(self.contig, self.position, self.id, self.ref, self.alt, self.contig_lengths)

    def fingerprint(self) -> str:
        """A hash of the variants and their blocks: what is fitted on this store works with no other."""
        digest = hashlib.blake2b(digest_size=16)
        for values in (self.contig, self.position, self.ref, self.alt, self.block):
            digest.update(b"" if values is None else "\t".join(map(str, values.tolist())).encode())
        return digest.hexdigest()

    def rows(self, samples: Iterable[str]) -> np.ndarray:
        """Where these people stand among `samples`, int (people,); `BadInput` for one who is not here."""
        place = {sample: i for i, sample in enumerate(self.samples)}
        absent = [sample for sample in samples if sample not in place]
        if absent:
            fact = f"holds other people than the split: it lacks {len(absent)} of them ({absent[0]})"
            raise BadInput(self.path, fact, "delete it and run the prepare stage again")
        return np.array([place[sample] for sample in samples], dtype=np.int64)

    def calls(self, start: int, stop: int) -> np.ndarray:
        """Alleles of the variants `start` to `stop` (excluded), int8 (v, people, 2), -1 where missing."""
        try:
            return self._calls[start:stop]
        except UNREADABLE as error:
            raise BadInput(self.path, f"is damaged ({error})", "delete it and run again") from error

    def iterate(self, people: np.ndarray | None = None) -> Iterator[np.ndarray]:
        """Calls chunk by chunk in file order, int8 (v, people, 2); `people` selects by index or mask."""
        chosen = None if people is None else indices(people, len(self.samples))
        for start in range(0, len(self), CHUNK):
            calls = self.calls(start, min(start + CHUNK, len(self)))
            yield calls if chosen is None else calls[:, chosen]

    def dosage_rows(self, people: np.ndarray | None = None) -> DosageRows:
        """ALT counts, variants x people, as something to slice: only the rows asked for are read."""
        return DosageRows(self, people)

    def dosage_columns(self, people: np.ndarray) -> DosageColumns:
        """ALT counts, people x variants, as something to slice: only the columns asked for are read."""
        return DosageColumns(self, people)

    def dosages(self, people: np.ndarray | None = None) -> np.ndarray:
        """ALT counts 0/1/2 of all variants, int8 (people, V); `people` selects by index or mask.

        Raises `BadInput` if a call is missing.
        """
        rows = self.dosage_rows(people)
        result = np.empty(rows.shape[::-1], dtype=np.int8)
        for start in range(0, len(self), CHUNK):
            result[:, start : start + CHUNK] = rows[start : start + CHUNK].T
        return result


def open_store(path: str | Path) -> Store:
    """Open a .zarr.zip; raises `BadInput` if it is missing, damaged or something else."""
    return Store(path)


def indices(people: np.ndarray | Sequence[int] | None, count: int) -> np.ndarray:
    """People chosen by index, by mask or (None) all, as indices."""
    if people is None:
        return np.arange(count)
    people = np.asarray(people)
    if people.dtype == bool:
        if people.shape != (count,):
            raise ValueError(f"a mask of shape {people.shape} for {count} people")
        return np.flatnonzero(people)
    return people.astype(np.int64)
