"""Genetic maps: places of variants in centimorgans, read from the formats that maps come in.

Tables with a header that names a chromosome (`chr`, `chrom`, `Chromosome`), a position in bp (`pos`, `position`,
`Position(bp)`) and a place (`cM`, `Map(cM)`, `Genetic_Map(cM)`), as HapMap's and those of thinned maps, and PLINK
.map files, which have no header (chromosome, id, centimorgans, position). Plain or gzipped, columns parted by tabs,
blanks or commas; "chr1" and "1" are one chromosome.
"""

import gzip
import re
import zlib
from collections.abc import Mapping
from contextlib import suppress
from pathlib import Path

import numpy as np

from syngeno.data.records import normal_contig, spellings
from syngeno.errors import BadInput

UNIFORM = 1e-6  # centimorgans per bp (1 cM/Mb): without a map, and beyond the ends of one
PLINK = ("chr", "id", "cm", "pos")
NAMES = {
    "chr": ("chr", "chrom", "chromosome", "chrom_id"),
    "pos": ("pos", "position", "bp", "physical_position"),
    "cm": ("cm", "map", "genetic_map", "genetic_position", "genpos"),
}
REMEDY = "give a table with the columns chr, pos and cM, or a PLINK .map (chromosome, id, cM, position)"
LEAST_STEP = 1e-6  # centimorgans between variants of a map for other tools, which may refuse equal places


class GeneticMap:
    """Points of a genetic map by chromosome: positions int64 ascending, centimorgans float64 not falling."""

    def __init__(self, points: Mapping[str, tuple[np.ndarray, np.ndarray]], where: object = "genetic_map") -> None:
        self.where = where
        self.points: dict[str, tuple[np.ndarray, np.ndarray]] = {}
        for name, (position, cm) in points.items():
            position, cm = np.asarray(position, dtype=np.int64), np.asarray(cm, dtype=np.float64)
            wrong = np.flatnonzero((np.diff(position) <= 0) | (np.diff(cm) < 0))
            if len(wrong):
                at = f"chromosome {name}, from {position[wrong[0]]} to {position[wrong[0] + 1]}"
                raise BadInput(where, f"positions do not ascend, or cM fall ({at})", "sort it, each position once")
            self.points[normal_contig(name)] = (position, cm)

    def place(self, contig: np.ndarray, position: np.ndarray) -> np.ndarray:
        """Centimorgans float64 (V,) of variants, `contig` str (V,) and `position` int (V,), 1-based.

        Linear between the map's points, 1 cM/Mb beyond its ends. Raises BadInput for a chromosome it lacks.
        """
        contig, position = np.asarray(contig), np.asarray(position, dtype=np.float64)
        places = np.empty(len(position))
        names = {name: spellings(name, list(self.points)) for name in np.unique(contig).tolist()}
        if absent := [name for name, points in names.items() if not points]:
            fact = f"lacks chromosome {', '.join(absent[:5])} (it has {', '.join(list(self.points)[:30])})"
            raise BadInput(self.where, fact, "give a map of all chromosomes of the cohort, or none")
        for name, (points, *_) in names.items():
            here = contig == name
            bp, cm = self.points[points]
            beyond = np.minimum(position[here] - bp[0], 0) + np.maximum(position[here] - bp[-1], 0)
            places[here] = np.interp(position[here], bp, cm) + UNIFORM * beyond
        return places


def places(contig: np.ndarray, position: np.ndarray, path: str | Path | None = None) -> np.ndarray:
    """Centimorgans float64 (V,) by the map at `path`, or 1 cM/Mb from each chromosome's beginning; raises BadInput."""
    return read(path).place(contig, position) if path else UNIFORM * np.asarray(position, dtype=np.float64)


def read(path: str | Path) -> GeneticMap:
    """Read a genetic map in any of the formats of this module; raises BadInput."""
    rows = [re.split(r"[\s,]+", line) for line in map(str.strip, _text(Path(path)).splitlines()) if line]
    if not rows:
        raise BadInput(path, "is empty", REMEDY)
    columns = _columns(path, rows[0])
    begin = 0 if columns is None else 1
    columns = columns or {name: PLINK.index(name) for name in NAMES}
    points: dict[str, tuple[list, list]] = {}
    for row in rows[begin:]:
        try:
            position, cm = int(float(row[columns["pos"]])), float(row[columns["cm"]])
            if not np.isfinite(cm):
                raise ValueError
        except (ValueError, IndexError, OverflowError):
            raise BadInput(path, f"line `{' '.join(row)}` holds no position and centimorgans", REMEDY) from None
        positions, places = points.setdefault(normal_contig(row[columns["chr"]]), ([], []))
        positions.append(position)
        places.append(cm)
    if not points:
        raise BadInput(path, "has a header and nothing below it", REMEDY)
    return GeneticMap(points, path)


def write_plink(path: str | Path, contig: np.ndarray, position: np.ndarray, place: np.ndarray) -> None:
    """Write a PLINK .map (chromosome, ., cM, position) of variants in file order, as Beagle reads it.

    All (V,); variants at the position of the one before are left out, and cM rise by at least `LEAST_STEP`.
    """
    contig, position, place = np.asarray(contig), np.asarray(position), np.asarray(place, dtype=np.float64)
    with Path(path).open("w") as file:
        for name in dict.fromkeys(contig.tolist()):
            here = np.flatnonzero(contig == name)
            here = here[np.r_[True, np.diff(position[here]) != 0]]
            ramp = LEAST_STEP * np.arange(len(here))
            cm = np.maximum.accumulate(place[here] - ramp) + ramp
            file.writelines(
                f"{name} . {c:.8f} {p}\n" for c, p in zip(cm.tolist(), position[here].tolist(), strict=True)
            )


def _text(path: Path) -> str:
    if not path.is_file():
        raise BadInput(path, "no such file", "check the path (relative paths start at `data_dir`)")
    try:
        content = path.read_bytes()
        content = gzip.decompress(content) if content[:2] == b"\x1f\x8b" else content
        return content.decode("utf-8-sig")
    except (OSError, EOFError, UnicodeDecodeError, zlib.error) as error:
        raise BadInput(path, f"cannot be read ({error})", "give a text file, plain or gzipped") from error


def _columns(path: str | Path, header: list[str]) -> dict[str, int] | None:
    """Where chromosome, position and centimorgans stand; None where the first line is no header but a .map's."""
    if len(header) == len(PLINK):
        with suppress(ValueError):
            float(header[2]), float(header[3])
            return None
    words = [re.sub(r"\(.*\)", "", word.lstrip("#").strip('"')).lower() for word in header]
    found = {name: [words.index(word) for word in known if word in words] for name, known in NAMES.items()}
    absent = [name for name, places in found.items() if not places]
    if absent:
        raise BadInput(path, f"has no column for {', '.join(absent)} (first line `{' '.join(header)}`)", REMEDY)
    return {name: places[0] for name, places in found.items()}
