"""Public files, fetched by curl: an interrupted download continues, and files are compared with published checksums."""

import hashlib
import logging
import os
import shutil
import subprocess
import time
from concurrent.futures import ThreadPoolExecutor, as_completed
from pathlib import Path

import pandas as pd

from syngeno.errors import BadInput

log = logging.getLogger(__name__)

LOG_EVERY = 15.0  # seconds
# Continues where a file ends, tries again, and gives up a connection through which nothing comes for a minute.
CURL = ["curl", "--fail", "--location", "--silent", "--show-error", "--continue-at", "-"]
CURL += ["--retry", "5", "--retry-all-errors", "--connect-timeout", "30", "--speed-limit", "1000", "--speed-time", "60"]


def fetch_all(table: Path, folder: Path, threads: int = 1) -> int:
    """Fetch the files of a table with the columns file, url, md5 and bytes (empty where not known) into a folder.

    `threads` files are fetched at a time. Returns their number; after a wrong one (see `fetch`) no other is begun.
    """
    rows = pd.read_csv(table, sep="\t", dtype=str, keep_default_na=False, comment="#").to_dict("records")
    with ThreadPoolExecutor(threads) as pool:
        waiting = [
            pool.submit(fetch, row["url"], folder / row["file"], row["md5"] or None, int(row["bytes"] or 0) or None)
            for row in rows
        ]
        try:
            for number, download in enumerate(as_completed(waiting), 1):
                download.result()
                log.info("%d of %d files", number, len(rows))
        except BaseException:
            pool.shutdown(wait=False, cancel_futures=True)
            raise
    return len(rows)


def fetch(url: str, path: Path, md5: str | None = None, size: int | None = None) -> None:
    """Fetch a file, unless it exists; `md5` (hexadecimal) and `size` (bytes) are compared where they are given.

    What has come lies beside the path (.part) until it is whole and right. BadInput for a file that is not what was
    published, where nothing comes, and without curl.
    """
    if not shutil.which("curl"):
        raise BadInput("curl", "is not installed", "install it, or fetch the files by other means")
    if path.exists():
        _compare(path, md5, size, "delete it, or move it away, and download again")
        log.info("%s is there", path)
        return
    path.parent.mkdir(parents=True, exist_ok=True)
    part = path.with_name(path.name + ".part")
    process = subprocess.Popen([*CURL, "--output", part, url], stderr=subprocess.PIPE, text=True)
    _watch(process, part, size)
    if process.returncode and not _whole(part, md5, size):
        output = process.stderr.read().strip().splitlines()
        raise BadInput(url, output[-1] if output else "nothing came", "try again: the download goes on where it was")
    try:
        _compare(part, md5, size, "download again: it begins anew")
    except BadInput:
        part.unlink()
        raise
    os.replace(part, path)


def _watch(process: subprocess.Popen, part: Path, size: int | None) -> None:
    begun = time.monotonic()
    before = part.stat().st_size if part.exists() else 0
    while True:
        try:
            process.wait(LOG_EVERY)
            return
        except subprocess.TimeoutExpired:
            have = part.stat().st_size if part.exists() else 0
            speed = (have - before) / (time.monotonic() - begun)
            left = f", {(size - have) / speed / 60:.0f} min left" if size and speed else ""
            log.info("%s: %.0f MB, %.1f MB/s%s", part.stem, have / 1e6, speed / 1e6, left)


def _whole(part: Path, md5: str | None, size: int | None) -> bool:
    """Whether nothing was left to fetch, which is an error to curl."""
    if not part.exists() or (md5 is None and size is None):
        return False
    return size in (None, part.stat().st_size) and md5 in (None, _md5(part))


def _compare(path: Path, md5: str | None, size: int | None, remedy: str) -> None:
    actual = path.stat().st_size
    if size is not None and actual != size:
        raise BadInput(path, f"has {actual} bytes, {size} were published", remedy)
    if md5 is not None and (actual := _md5(path)) != md5:
        raise BadInput(path, f"has the MD5 checksum {actual}, {md5} was published", remedy)


def _md5(path: Path) -> str:
    with open(path, "rb") as file:
        return hashlib.file_digest(file, "md5").hexdigest()
