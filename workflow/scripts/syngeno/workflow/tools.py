"""Programs that the workflow calls, and checksums of released files.

Also read while the Snakefile is parsed, so nothing heavy is imported.
"""

import hashlib
import os
import shutil
import subprocess
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path

from syngeno.errors import BadInput

BEAGLE, PLINK2 = "beagle", "plink2"
CHECKSUMS = "SHA256SUMS"
# Of each format, the files that plink2 writes.
FORMATS = {
    "plink": ("synthetic.bed", "synthetic.bim", "synthetic.fam"),
    "pgen": ("synthetic.pgen", "synthetic.pvar", "synthetic.psam"),
    "bgen": ("synthetic.bgen", "synthetic.sample"),
}


def available(name: str) -> bool:
    """Whether a program (Debian's, or Bioconda's) can be called."""
    return shutil.which(name) is not None


def require(name: str) -> None:
    """Raise BadInput where a program cannot be called."""
    if not available(name):
        raise BadInput(name, "is not installed", f"install it (`apt install {name}`), or run with --sdm conda")


def run(
    name: str, command: Sequence[object], folder: Path | None = None, more: Mapping[str, str] | None = None
) -> None:
    """Call a program, in a folder, with `more` in its environment.

    Raises RuntimeError, with its name and the end of its output, if it fails.
    """
    environment = os.environ | dict(more or {})
    done = subprocess.run(list(map(str, command)), cwd=folder, env=environment, capture_output=True, text=True)
    if done.returncode:
        output = " | ".join(line.strip() for line in (done.stdout + done.stderr).splitlines() if line.strip())
        raise RuntimeError(f"{name} failed ({done.returncode}): {output[-1500:]}")


def write_checksums(path: str | Path, files: Iterable[str | Path]) -> None:
    """Write the SHA-256 of files that will lie beside `path`, by name, for `sha256sum --check`."""
    lines = []
    for file in sorted(map(Path, files), key=lambda file: file.name):
        with open(file, "rb") as content:
            lines.append(f"{hashlib.file_digest(content, 'sha256').hexdigest()}  {file.name}\n")
    Path(path).write_text("".join(lines))
