"""Genotypes on disk: one chunked, compressed VCF Zarr per file.

The layout is that of the VCF Zarr specification (https://github.com/sgkit-dev/vcf-zarr-spec, Zarr format 2), so that
vcztools reads it: `call_genotype` is variants x samples x ploidy with -1 for missing, next to `variant_contig`,
`variant_position`, `variant_id`, `variant_allele`, `contig_id`, `contig_length` and `sample_id`; where all calls are
phased, `call_genotype_phased` says so. Three arrays are ours: `variant_block`, the block (gene or window) of a variant;
`block_id`, the blocks' names; and `sample_latents`, the samples in the space of an encoder, where a generator draws
them there. The whole store is packed into one uncompressed zip, because clusters count files.
"""

import atexit
import hashlib
import logging
import os
import shutil
import zipfile
from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import ExitStack
from dataclasses import dataclass
from pathlib import Path
from types import TracebackType

import numpy as np
import zarr
from numcodecs import Blosc
from zarr.core import sync
from zarr.storage import LocalStore, ZipStore

from syngeno.data.dosages import DosageColumns, DosageRows
from syngeno.errors import BadInput

log = logging.getLogger(__name__)

CHUNK = 1000  # variants per chunk; at most this many samples per chunk as well
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
    "call_genotype_phased": ["variants", "samples"],
    "sample_latents": ["samples", "blocks", "components"],
}
OPTIONAL = ("block_id", "variant_block", "call_genotype_phased", "sample_latents")
ON_DISK = ("call_genotype", "call_genotype_phased", "sample_latents")  # in an opened store
IN_MEMORY = DIMENSIONS.keys() - ON_DISK
CALL_CODEC = Blosc(cname="zstd", clevel=5, shuffle=Blosc.BITSHUFFLE)
CODEC = Blosc(cname="zstd", clevel=5, shuffle=Blosc.SHUFFLE)
UNREADABLE = (zipfile.BadZipFile, KeyError, ValueError, RuntimeError, OSError)


@atexit.register
def _end_threads() -> None:
    """Wait for zarr's thread before zarr's own end, which waits too short a time for a busy machine and then fails."""
    loop, thread = sync.loop[0], sync.iothread[0]
    if loop is not None and thread is not None:
        loop.call_soon_threadsafe(loop.stop)
        thread.join()


@dataclass(frozen=True)
class Sites:
    """The variants of a cohort, in file order; all arrays (V,).

    `position` is 1-based; `contig_lengths` holds every contig's length in bp, 0 where it is unknown; `block` and
    `block_names` are None where there are no blocks.
    """

    contig: np.ndarray
    position: np.ndarray
    id: np.ndarray
    ref: np.ndarray
    alt: np.ndarray
    contig_lengths: dict[str, int]
    block: np.ndarray | None = None
    block_names: list[str] | None = None

    def __len__(self) -> int:
        """The number of variants."""
        return len(self.position)


class StoreWriter:
    """Writes a store variant by variant; a context manager, at whose end the target appears whole, or not at all.

    `phased` and `latents` may be changed until then; `latents` is float32 (samples, blocks, components), or an iterable
    of such arrays of consecutive samples.
    """

    def __init__(
        self,
        path: str | Path,
        samples: Sequence[str],
        contig_lengths: Mapping[str, int],
        *,
        phased: bool = True,
        block_names: Sequence[str] | None = None,
        latents: np.ndarray | Iterable[np.ndarray] | None = None,
    ) -> None:
        self.path, self.samples, self.contig_lengths = Path(path), list(samples), dict(contig_lengths)
        self.phased, self.block_names, self.latents = phased, block_names, latents
        self._contigs = list(self.contig_lengths)
        self._fields: dict[str, list[np.ndarray]] = defaultdict(list)
        self._waiting: list[np.ndarray] = []
        self._rows = 0

    def __enter__(self) -> "StoreWriter":
        """Open a temporary folder beside the target."""
        self.path.parent.mkdir(parents=True, exist_ok=True)
        self._folder = self.path.with_name(f".{self.path.name}.part")
        shutil.rmtree(self._folder, ignore_errors=True)  # of a job that was killed
        self._folder.mkdir()
        self._group = zarr.open_group(LocalStore(self._folder / "store"), mode="w", zarr_format=2)
        self._calls = self._array("call_genotype", (0, len(self.samples), 2), "int8", fill_value=-1, codec=CALL_CODEC)
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
        """Add variants of one contig (by default the only one): fields (v,), calls int8 (v, samples, 2)."""
        calls = np.asarray(calls, dtype=np.int8)
        n = len(position)
        if calls.shape != (n, len(self.samples), 2):
            raise ValueError(f"calls of shape {calls.shape} for {n} variants of {len(self.samples)} samples")
        if contig is None and len(self._contigs) != 1:
            raise ValueError("a store of several contigs must be given the contig")
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

    def _array(
        self, name: str, shape: tuple[int, ...], dtype: type | str, *, fill_value: object = None, codec: Blosc = CODEC
    ) -> zarr.Array:
        """A new array: calls and latents in chunks, others in one, which readers want to be a multiple of theirs."""
        whole = -(-max(1, shape[0]) // CHUNK) * CHUNK
        chunks = {"variants": CHUNK if name in ON_DISK else whole, "samples": max(1, min(len(self.samples), CHUNK))}
        return self._group.create_array(
            name,
            shape=shape,
            chunks=tuple(chunks.get(what, max(1, size)) for what, size in zip(DIMENSIONS[name], shape, strict=True)),
            dtype=dtype,
            fill_value=fill_value,
            compressors=codec,
            attributes={"_ARRAY_DIMENSIONS": DIMENSIONS[name]},
        )

    def _put(self, name: str, values: np.ndarray) -> None:
        self._array(name, values.shape, str if values.dtype.kind == "U" else values.dtype)[...] = values

    def _put_latents(self) -> None:
        pieces = [self.latents] if isinstance(self.latents, np.ndarray) else self.latents
        samples, array, done = len(self.samples), None, 0
        for piece in pieces:
            if array is None:
                array = self._array("sample_latents", (samples, *piece.shape[1:]), "float32")
            if piece.shape[1:] != array.shape[1:] or done + len(piece) > samples:
                raise ValueError(f"latents of shape {piece.shape} after {done} of {samples} samples")
            array[done : done + len(piece)] = piece
            done += len(piece)
        if done != samples:
            raise ValueError(f"latents of {done} of {samples} samples")

    def _finish(self) -> None:
        self._flush(whole_chunks=False)

        def field(name: str, dtype: type) -> np.ndarray:
            return np.concatenate([np.empty(0, dtype), *self._fields[name]]).astype(dtype)

        self._put("contig_id", np.array(self._contigs, dtype=str))
        self._put("contig_length", np.array([length or 0 for length in self.contig_lengths.values()], dtype=np.int64))
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
        if self.phased:  # nothing but the fill value: no chunk is written
            self._array("call_genotype_phased", (self._rows, len(self.samples)), "bool", fill_value=True)
        if self.latents is not None:
            self._put_latents()
        self._group.attrs.update({"vcf_zarr_version": "0.4", "source": "syngeno"})
        packed = self._folder / "packed"
        pack(self._folder / "store", packed)
        os.replace(packed, self.path)
        size = self.path.stat().st_size / 1e6
        log.info(f"wrote {self._rows} variants of {len(self.samples)} samples to {self.path} ({size:.1f} MB)")

    def __exit__(self, kind: type[BaseException] | None, error: object, trace: TracebackType | None) -> None:
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


class Store:
    """A store opened for reading: variants (see `Sites`) and samples in memory, calls and latents on disk."""

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
        absent = [name for name in DIMENSIONS if name not in arrays and name not in OPTIONAL]
        if absent:
            raise BadInput(path, f"is no VCF Zarr: it lacks {', '.join(absent)}", "give a store made by prepare")
        try:
            values = {name: _read(array) for name, array in arrays.items() if name in IN_MEMORY}
        except UNREADABLE as error:
            raise BadInput(path, f"is damaged ({error})", "delete it and run again") from error
        self._calls = arrays["call_genotype"]
        self._latents = arrays.get("sample_latents")
        self.samples: list[str] = values["sample_id"].tolist()
        self.contig = values["contig_id"][values["variant_contig"]]
        self.position = values["variant_position"].astype(np.int64)
        self.id = values["variant_id"]
        self.ref, self.alt = values["variant_allele"].T
        self.block: np.ndarray | None = values.get("variant_block")
        self.block_names: list[str] | None = values["block_id"].tolist() if "block_id" in values else None
        lengths = values["contig_length"].tolist()
        self.contig_lengths: dict[str, int] = dict(zip(values["contig_id"].tolist(), lengths, strict=True))
        self.phased = "call_genotype_phased" in arrays
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
        self._zip.close()

    def sites(self) -> Sites:
        """The variants without the samples."""
        fields = (self.contig, self.position, self.id, self.ref, self.alt, self.contig_lengths)
        return Sites(*fields, self.block, self.block_names)

    @property
    def latents_shape(self) -> tuple[int, int] | None:
        """How many blocks and components the latents have; None where there are none."""
        return None if self._latents is None else self._latents.shape[1:]

    @property
    def latents(self) -> np.ndarray | None:
        """The samples in the encoder's space, float32 (samples, blocks, components), read when asked for, or None."""
        return None if self._latents is None else self._rows_of(self._latents, slice(None))

    def fingerprint(self) -> str:
        """A hash of the variants and their blocks: what is fitted on this store works with no other."""
        digest = hashlib.blake2b(digest_size=16)
        for values in (self.contig, self.position, self.ref, self.alt, self.block):
            digest.update(b"" if values is None else "\t".join(map(str, values.tolist())).encode())
        return digest.hexdigest()

    def rows(self, samples: Iterable[str]) -> np.ndarray:
        """Where these samples stand among all, int (n,); `BadInput` for one that is not here."""
        place = {sample: i for i, sample in enumerate(self.samples)}
        absent = [sample for sample in samples if sample not in place]
        if absent:
            fact = f"holds other samples than the split: it lacks {len(absent)} of them ({absent[0]})"
            raise BadInput(self.path, fact, "delete it and run the prepare stage again")
        return np.array([place[sample] for sample in samples], dtype=np.int64)

    def calls(self, start: int, stop: int) -> np.ndarray:
        """Alleles of the variants `start` to `stop` (excluded), int8 (v, samples, 2), -1 where missing."""
        return self._rows_of(self._calls, slice(start, stop))

    def _rows_of(self, array: zarr.Array, part: slice) -> np.ndarray:
        try:
            return array[part]
        except UNREADABLE as error:
            raise BadInput(self.path, f"is damaged ({error})", "delete it and run again") from error

    def iterate(self, chosen: np.ndarray | None = None) -> Iterator[np.ndarray]:
        """Calls chunk by chunk in file order, int8 (v, samples, 2), of samples chosen by index or mask."""
        for start in range(0, len(self), CHUNK):
            calls = self.calls(start, min(start + CHUNK, len(self)))
            yield calls if chosen is None else calls[:, chosen]

    def called(self, calls: np.ndarray) -> np.ndarray:
        """The same calls of this store; `BadInput` where one is missing."""
        if calls.size and calls.min() < 0:
            raise BadInput(self.path, "holds missing calls", "make it with the prepare stage, which fills them")
        return calls

    def dosage_rows(self, chosen: np.ndarray | None = None) -> DosageRows:
        """ALT counts, variants x samples, of samples chosen by index or mask, as something to slice."""
        everything = np.arange(len(self.samples))
        return DosageRows(self, everything if chosen is None else everything[chosen])

    def dosage_columns(self, chosen: np.ndarray) -> DosageColumns:
        """ALT counts, samples x variants, of samples chosen by index or mask, as something to slice."""
        return DosageColumns(self.dosage_rows(chosen), CHUNK)

    def dosages(self, chosen: np.ndarray | None = None) -> np.ndarray:
        """ALT counts int8 (samples, V) of samples chosen by index or mask; `BadInput` if a call is missing."""
        rows = self.dosage_rows(chosen)
        result = np.empty(rows.shape[::-1], dtype=np.int8)
        for start in range(0, len(self), CHUNK):
            result[:, start : start + CHUNK] = rows[start : start + CHUNK].T
        return result


def open_store(path: str | Path) -> Store:
    """Open a .zarr.zip; raises `BadInput` if it is missing, damaged or something else."""
    return Store(path)


def write_like(
    path: str | Path,
    sites: Sites | Store,
    samples: Sequence[str],
    chunks: Iterable[np.ndarray],
    phased: bool,
    latents: np.ndarray | Iterable[np.ndarray] | None = None,
) -> None:
    """Write a store with the variants (and blocks) of `sites`; `latents` as of `StoreWriter`, `chunks` as `iterate`."""
    with StoreWriter(
        path, samples, sites.contig_lengths, phased=phased, block_names=sites.block_names, latents=latents
    ) as writer:
        done = 0
        for calls in chunks:
            if done + len(calls) > len(sites):
                raise ValueError(f"{len(calls)} calls after {done} of {len(sites)} sites")
            contig = sites.contig[done : done + len(calls)]
            changes = np.flatnonzero(contig[1:] != contig[:-1]) + 1
            for part in np.split(np.arange(len(calls)), changes):
                rows = done + part
                fields = (values[rows] for values in (sites.position, sites.id, sites.ref, sites.alt))
                block = None if sites.block is None else sites.block[rows]
                writer.append(*fields, calls[part], contig=sites.contig[rows[0]], block=block)
            done += len(calls)
        if done != len(sites):
            raise ValueError(f"calls end after {done} of {len(sites)} sites")


def concatenate(paths: Sequence[str | Path], out_path: str | Path, samples: Sequence[str]) -> None:
    """Join the samples of stores of the same variants, in this order, chunk by chunk, and name them `samples`.

    Raises `BadInput` for a store whose variants, blocks, phase or kind of latents differ from the first one's.
    """
    with ExitStack() as opened:
        stores = [opened.enter_context(open_store(path)) for path in paths]
        first = stores[0]
        for store in stores[1:]:
            same = {
                "its variants": first.fingerprint() == store.fingerprint(),
                "its contigs": first.contig_lengths == store.contig_lengths,
                "the phases of its calls": first.phased == store.phased,
                "the shapes of its latents": first.latents_shape == store.latents_shape,
            }
            if different := [what for what, agrees in same.items() if not agrees]:
                raise BadInput(store.path, f"{different[0]} differ from those of {first.path}", "make both again")
        count = sum(len(store.samples) for store in stores)
        if len(samples) != count:
            raise ValueError(f"{len(samples)} names for {count} samples")
        chunks = (np.concatenate(parts, axis=1) for parts in zip(*(store.iterate() for store in stores), strict=True))
        latents = None if first.latents_shape is None else (store.latents for store in stores)
        write_like(out_path, first, samples, chunks, first.phased, latents)


def _read(array: zarr.Array) -> np.ndarray:
    """A whole array; strings, which are stored at their own lengths, at one length, as numpy compares them faster."""
    values = array[...]
    return values if values.dtype.kind in "iu" else np.array(values.tolist(), dtype=str).reshape(values.shape)
