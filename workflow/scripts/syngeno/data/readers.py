"""Readers of real genotypes: VCF, BCF and PLINK .bed files, contig by contig as records.

Every way in which such a file is commonly broken raises `BadInput`, which names the file, the fact and the remedy.
"""

import gzip
import logging
import os
import re
import struct
import zlib
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from functools import cached_property
from pathlib import Path

import numpy as np

from syngeno.data.plink import open_plink
from syngeno.data.records import (
    CALLED,
    DAMAGED,
    PhaseSets,
    Record,
    Source,
    columns,
    index_beside,
    refuse_duplicates,
    spellings,
    take,
    unreadable,
)
from syngeno.errors import BadInput

logger = logging.getLogger(__name__)

BGZF_EOF = bytes.fromhex("1f8b08040000000000ff0600424302001b0003000000000000000000")  # SAM specification, 4.1.2
FORMATS = "give a VCF, BCF or PLINK .bed file (`plink2` converts)"


def open_source(path: str | Path, index: str | Path | None = None) -> Source:
    """Open a VCF, BCF or PLINK .bed file and check all but its genotypes; raises BadInput.

    `index` is the .tbi or .csi of a VCF/BCF; by default the one beside it.
    """
    path = _existing(path)
    return open_plink(path) if path.suffix == ".bed" else _open_vcf(path, index)


def write_index(path: str | Path, index_path: str | Path) -> None:
    """Index a VCF/BCF into a file elsewhere (.csi, or .tbi for VCF): the data's folder may be read-only.

    Raises BadInput as `open_source`, and for a file that is unsorted or breaks off.
    """
    import pysam
    import pysam.bcftools

    path, index_path = _existing(path), Path(index_path)
    _read_header(path)
    index_path.parent.mkdir(parents=True, exist_ok=True)
    temporary = index_path.with_name(f".{os.getpid()}.{index_path.name}")
    try:
        kind = "-t" if index_path.suffix == ".tbi" else "-c"
        pysam.bcftools.index(kind, "-f", "-o", str(temporary), str(path))
        os.replace(temporary, index_path)
    except pysam.SamtoolsError as error:
        where, position = _first_disorder(path)
        if where and position < 1:
            remedy = "leave them out: `bcftools view -e 'POS=0' IN -Ob -o OUT`"
            raise BadInput(path, "cannot be indexed: it holds variants without a position (POS 0)", remedy) from error
        if where:
            raise BadInput(path, f"is not sorted: {where}", "sort it with `bcftools sort`") from error
        raise BadInput(path, "breaks off or is damaged: it cannot be indexed", DAMAGED) from error
    finally:
        temporary.unlink(missing_ok=True)


@dataclass
class VcfSource:
    """A bgzipped VCF or a BCF, read by cyvcf2 through its index."""

    path: Path
    samples: list[str]
    contigs: list[str]
    contig_lengths: dict[str, int]
    index: Path | None = None
    counts: dict[str, int | None] = field(default_factory=dict, repr=False)  # records by contig (see _index_counts)
    phase_sets: bool = False  # whether calls may say in which block (PS) they are phased
    families: None = None

    def records(
        self, contig: str, samples: Sequence[str] | None = None, *, pass_only: bool = False
    ) -> Iterator[Record]:
        """See Source; BadInput for calls that are not diploid."""
        if self.index is None:
            raise BadInput(self.path, "has no index", "index it with `bcftools index`")
        order = columns(self.path, self.samples, samples)
        for name in spellings(contig, self.contigs):
            yield from self._contig(name, order, pass_only)

    def _contig(self, name: str, order: np.ndarray, pass_only: bool) -> Iterator[Record]:
        last = read = 0
        ids = [self.samples[column] for column in order]
        blocks = PhaseSets(len(ids)) if self.phase_sets else None
        try:
            for variant in self._fetch(name):
                position = variant.POS
                if position < last:
                    fact = f"is not sorted: {name}:{position} follows {name}:{last}"
                    raise BadInput(self.path, fact, "sort it with `bcftools sort` and index it again")
                last, read = position, read + 1
                yield take(self.path, variant, ids, order, blocks, pass_only=pass_only)
        except BadInput:
            raise
        except Exception as error:  # cyvcf2 raises bare Exceptions
            if type(error) is not Exception:
                raise
            raise unreadable(self.path, f"{name}:{last}" if last else f"the start of {name}", error) from error
        # htslib ends an iteration quietly at a damaged block, so what was read is held against the index.
        expected = self.counts.get(name)
        if expected is not None and read != expected:
            fact = f"gave {read} records of contig {name} where its index {self.index} counts {expected}"
            raise BadInput(self.path, fact, "it is damaged, or the index is not its own: make the index again")

    def spread(
        self, contig: str, samples: Sequence[str] | None, spacing: int, *, pass_only: bool = False
    ) -> Iterator[Iterator[Record]]:
        """See Source; each window is looked up in the index, so that what lies between is not read."""
        order = columns(self.path, self.samples, samples)
        ids = [self.samples[column] for column in order]
        for name in spellings(contig, self.contigs):
            reader = self._reader()
            for start in range(0, _last_position(reader, name) + 1, spacing):
                yield self._window(reader, name, start, spacing, ids, order, pass_only)
            reader.close()

    def _window(
        self, reader, name: str, start: int, spacing: int, ids: list[str], order: np.ndarray, pass_only: bool
    ) -> Iterator[Record]:
        try:
            for variant in reader(f"{name}:{max(start, 1)}-{start + spacing - 1}"):
                if start <= variant.POS:  # a longer one may reach into the window
                    yield take(self.path, variant, ids, order, pass_only=pass_only)
        except Exception as error:  # cyvcf2 raises bare Exceptions
            if type(error) is not Exception:
                raise
            raise unreadable(self.path, f"{name}:{start}", error) from error

    def has(self, contig: str, position: int) -> bool:
        """See Source."""
        names = spellings(contig, self.contigs)
        return any(position == at.POS for name in names for at in self._lookup(f"{name}:{position}-{position}"))

    @cached_property
    def _lookup(self):
        return self._reader()

    def _fetch(self, name: str) -> Iterator:
        reader = self._reader()
        yield from reader(name)
        reader.close()

    def _reader(self):
        from cyvcf2 import VCF

        if self.path.suffix == ".bcf":
            reader = VCF(str(self.path))
            reader.set_index(str(self.index))
            return reader
        # htslib's notation for an index elsewhere; set_index takes no .csi for VCF
        return VCF(f"{self.path}##idx##{self.index}")


def _last_position(reader, name: str) -> int:
    """The last position of a contig that has records, by bisection with the index."""
    low, high = 0, 2**31 - 2
    while low < high:
        middle = (low + high + 1) // 2
        if next(iter(reader(f"{name}:{middle}-{2**31 - 2}")), None) is None:
            high = middle - 1
        else:
            low = middle
    return low


def _open_vcf(path: Path, index: str | Path | None) -> VcfSource:
    header = _read_header(path)
    names = header.rstrip("\r\n").rsplit("\n", 1)[-1].split("\t")
    samples = [name.strip() for name in names[9:]]
    if not samples:
        raise BadInput(path, "holds no samples (a sites-only file)", CALLED)
    refuse_duplicates(path, samples, "rename them with `bcftools reheader --samples`")
    formats = {line.get("ID") for line in _header_lines(header, "FORMAT")}
    if "GT" not in formats:
        raise BadInput(path, "declares no genotypes (##FORMAT=<ID=GT,...>)", CALLED)
    contigs = [line for line in _header_lines(header, "contig") if "ID" in line]
    numbers = {line["ID"]: int(line.get("IDX", number)) for number, line in enumerate(contigs)}
    declared = sorted(numbers, key=numbers.__getitem__)
    lengths = {line["ID"]: int(line["length"]) for line in contigs if line.get("length", "").isdecimal()}
    index = Path(index) if index else index_beside(path)
    if index is None:
        return VcfSource(path, samples, declared, lengths)
    if not index.is_file():
        raise BadInput(index, f"no such file (the index of {path})", "make it with `bcftools index`")
    counts = _index_counts(index, declared)
    return VcfSource(path, samples, list(counts), lengths, index, counts, "PS" in formats)


def _header_lines(header: str, kind: str) -> list[dict[str, str]]:
    """The structured lines of a kind, as keys and values, whatever their order."""
    lines = re.findall(rf"^##{kind}=<(.*)>", header, re.MULTILINE)
    return [dict(re.findall(r'(\w+)=("(?:[^"\\]|\\.)*"|[^,]*)', line)) for line in lines]


def _read_header(path: Path) -> str:
    size = path.stat().st_size
    with path.open("rb") as file:
        start = file.read(18)
        file.seek(max(size - len(BGZF_EOF), 0))
        end = file.read()
    if start.startswith(b"##fileformat=VCF"):
        raise BadInput(path, "is an uncompressed VCF", "compress it with `bgzip` (or `bcftools view -Oz`)")
    if start.startswith(b"BCF"):
        raise BadInput(path, "is an uncompressed BCF", "compress it with `bcftools view -Ob`")
    if not start.startswith(b"\x1f\x8b"):
        raise BadInput(path, "is not a VCF, BCF or PLINK .bed file", FORMATS)
    if not (start[3] & 4 and start[12:14] == b"BC"):
        remedy = "recompress it: `gunzip -c FILE | bgzip > NEW`"
        raise BadInput(path, "is compressed by gzip, which cannot be indexed, not by bgzip", remedy)
    if end != BGZF_EOF:
        raise BadInput(path, "breaks off (the end-of-file block is missing)", "copy or make the file again")
    try:
        with gzip.open(path) as file:
            magic = file.read(5)
            if magic[:3] == b"BCF":
                text = file.read(struct.unpack("<I", file.read(4))[0]).rstrip(b"\0")
            else:
                lines = [magic + file.readline()]
                while lines[-1].startswith(b"##"):
                    lines.append(file.readline())
                text = b"".join(lines)
    except (OSError, EOFError, struct.error, zlib.error) as error:
        raise BadInput(path, f"has a header that cannot be read ({error})", DAMAGED) from error
    try:
        header = text.decode()
    except UnicodeDecodeError:  # a letter of an older tool
        header = text.decode("latin-1")
    if not (header.startswith("##fileformat=VCF") and re.search(r"^#CHROM\t", header, re.MULTILINE)):
        raise BadInput(path, "is not a VCF (no ##fileformat=VCF and #CHROM lines)", FORMATS)
    if (magic[:3] == b"BCF") != (path.suffix == ".bcf"):
        found, suffix = ("a BCF", ".bcf") if magic[:3] == b"BCF" else ("a VCF", ".vcf.gz")
        raise BadInput(path, f"is {found} by another name", f"let its name end in {suffix}")
    return header


def _index_counts(index: Path, declared: list[str]) -> dict[str, int | None]:
    """Contigs with records, and how many they have, by a .tbi or .csi (hts-specs: tabix, CSIv1).

    Both keep, per contig, a pseudo-bin (the first number past the last bin) whose second chunk holds that count; None
    stands for one that an old index does not have. The contigs of a BCF's index are those of the header, `declared`.
    """
    try:
        data = gzip.decompress(index.read_bytes())
        at = 0

        def take(layout: str) -> tuple[int, ...]:
            nonlocal at
            values = struct.unpack_from("<" + layout, data, at)
            at += struct.calcsize("<" + layout)
            return values

        (magic,) = take("4s")
        if magic == b"TBI\1":
            (contigs,), depth, names = take("i"), 5, data[36 : 36 + struct.unpack_from("<i", data, 32)[0]]
            at = 36 + len(names)
        elif magic == b"CSI\1":
            _, depth, aux = take("3i")
            names, at = data[at + 28 : at + aux] if aux else b"", at + aux
            (contigs,) = take("i")
        else:
            raise ValueError("neither .tbi nor .csi")
        known = [name.decode() for name in names.split(b"\0")[:-1]] or declared
        last_bin = ((1 << 3 * (depth + 1)) - 1) // 7
        counts = {}
        for contig in range(contigs):
            (bins,) = take("i")
            if bins:
                counts[known[contig]] = None
            for _ in range(bins):
                (number,) = take("I")
                at += 8 if magic == b"CSI\1" else 0  # loffset
                (chunks,) = take("i")
                if number == last_bin + 1:
                    counts[known[contig]] = struct.unpack_from("<4Q", data, at)[2]
                at += 16 * chunks
            if magic == b"TBI\1":
                (intervals,) = take("i")
                at += 8 * intervals
    except (OSError, EOFError, ValueError, IndexError, struct.error, zlib.error) as error:
        raise BadInput(index, f"is not a readable index ({error})", "make it by `bcftools index -f`") from error
    return {contig: count for contig, count in counts.items() if count != 0}


def _first_disorder(path: Path) -> tuple[str, int]:
    """What stands in the way of an index, and the position where; "" where nothing does."""
    from cyvcf2 import VCF

    seen, contig, last = set(), None, 0
    try:
        for variant in VCF(str(path)):
            name, position = variant.CHROM, variant.POS
            if name != contig:
                if name in seen:
                    return f"contig {name} comes again at {name}:{position}", position
                seen.add(name)
                contig, last = name, 0
            if position < max(last, 1):
                return f"{contig}:{position} follows {contig}:{last}", position
            last = position
    except Exception as error:  # cyvcf2 raises bare Exceptions
        logger.debug("%s: %s", path, error)
    return "", 0


def _existing(path: str | Path) -> Path:
    path = Path(path)
    if not path.is_file():
        raise BadInput(path, "no such file", "check the path (relative paths start at `data_dir`)")
    return path
