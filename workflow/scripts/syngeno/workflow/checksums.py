"""Checksums of the files that are handed on."""

import hashlib
from collections.abc import Iterable
from pathlib import Path

NAME = "SHA256SUMS"


def write(path: str | Path, files: Iterable[str | Path]) -> None:
    """Write the SHA-256 of files that will lie beside `path`, by name, for `sha256sum --check`."""
    lines = []
    for file in sorted(map(Path, files), key=lambda file: file.name):
        with open(file, "rb") as content:
            lines.append(f"{hashlib.file_digest(content, 'sha256').hexdigest()}  {file.name}\n")
    Path(path).write_text("".join(lines))
