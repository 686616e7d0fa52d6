"""Programs of the field that are called. Also read while the Snakefile is parsed, so nothing heavy is imported."""

import os
import shutil
import subprocess
from collections.abc import Mapping, Sequence
from pathlib import Path

from syngeno.errors import BadInput

BEAGLE = "beagle"


def available(name: str) -> bool:
    """Whether a program (Debian's, or Bioconda's) can be called."""
    return shutil.which(name) is not None


def require(name: str) -> None:
    """Raise BadInput where a program cannot be called."""
    if not available(name):
        raise BadInput(name, "is not installed", f"install it (`apt install {name}`), or run with --sdm conda")


def run(
    called: str, command: Sequence[object], folder: Path | None = None, more: Mapping[str, str] | None = None
) -> None:
    """Call a program, in a folder, with more in its environment.

    Raises RuntimeError, with what it is called and the end of what it said, if it fails.
    """
    environment = os.environ | dict(more or {})
    done = subprocess.run(list(map(str, command)), cwd=folder, env=environment, capture_output=True, text=True)
    if done.returncode:
        said = " | ".join(line.strip() for line in (done.stdout + done.stderr).splitlines() if line.strip())
        raise RuntimeError(f"{called} failed ({done.returncode}): {said[-1500:]}")
