# Where this repository lies, with the library that its rules need. No rules here.

import io
import os
import shutil
import subprocess
import tarfile
from pathlib import Path

from snakemake import sourcecache
from snakemake.exceptions import WorkflowError


def repository(basedir):
    """The folder of this repository, by that of a file in workflow/rules/.

    Where it is used from afar (`module` with `github(..)`), Snakemake fetches files one by one, and no library with
    them; so the whole is unpacked, once.
    """
    if isinstance(basedir, sourcecache.LocalSourceFile):
        return Path(basedir) / ".." / ".."
    if not isinstance(basedir, sourcecache.HostingProviderFile):
        raise WorkflowError("Clone syngeno's repository, or name it by github(..).")
    git = ["git", "-C", str(basedir.hosted_repo.repo_clone)]
    call = [*git, "rev-parse", basedir.ref]
    commit = subprocess.run(call, check=True, capture_output=True, text=True).stdout
    folder = Path(".snakemake", "syngeno", commit.strip()).absolute()
    if not folder.exists():
        call = [*git, "archive", basedir.ref]
        packed = subprocess.run(call, check=True, capture_output=True).stdout
        part = folder.with_name(f"{folder.name}.{os.getpid()}")
        with tarfile.open(fileobj=io.BytesIO(packed)) as archive:
            archive.extractall(part, filter="data")
        try:
            part.rename(folder)
        except OSError:  # another job was first
            shutil.rmtree(part)
    return folder
