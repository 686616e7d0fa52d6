"""Programs of the field that are called. Also asked while the Snakefile is parsed, so nothing heavy is imported."""

import shutil

from syngeno.errors import BadInput

BEAGLE = "beagle"


def available(name: str) -> bool:
    """Whether a program can be called."""
    return shutil.which(name) is not None


def require(name: str) -> None:
    """Raise BadInput where a program cannot be called."""
    if not available(name):
        raise BadInput(name, "is not installed", f"install it (`apt install {name}`), or run with --sdm conda")
