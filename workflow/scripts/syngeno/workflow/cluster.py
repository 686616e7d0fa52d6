"""What jobs ask of a cluster by the size of the prepared cohort, and when a SLURM job should save its state and end.

Read while the Snakefile is parsed, so only the standard library is used.
"""

import csv
import math
import os
import re
import subprocess
import time
from pathlib import Path
from typing import NamedTuple

SPARED, MOST_SPARED = 0.2, 300.0  # share and seconds of the remaining time in which to finish a step and save


class Size(NamedTuple):
    """Numbers of samples, of variants, and of variants of the chromosome that has most."""

    samples: int
    variants: int
    largest: int


def of_cohort(folder: Path) -> Size:
    """The size of a cohort by the tables of samples and of variants in its folder `prepare`."""
    with open(folder / "samples.tsv") as samples, open(folder / "variants.tsv") as variants:
        kept = [int(row["unlinked"]) for row in csv.DictReader(variants, delimiter="\t")]
        return Size(sum(1 for _ in samples) - 1, sum(kept), max(kept))


def until() -> float:
    """When (`time.monotonic`) a job that begins now should save and end; never (infinity) where SLURM sets no limit."""
    seconds = _left()
    return time.monotonic() + seconds - min(SPARED * seconds, MOST_SPARED) if seconds < math.inf else math.inf


def _left() -> float:
    """Seconds until SLURM ends the job that this process is part of; squeue says [days-][[hours:]minutes:]seconds."""
    if "SLURM_JOB_ID" not in os.environ:
        return math.inf
    command = ["squeue", "--noheader", "--jobs", os.environ["SLURM_JOB_ID"], "--format", "%L"]
    try:
        answer = subprocess.run(command, capture_output=True, text=True, timeout=60, check=True).stdout.strip()
    except (OSError, subprocess.SubprocessError):
        return math.inf
    if not re.fullmatch(r"(\d+-)?(\d+:){0,2}\d+", answer):  # UNLIMITED, INVALID
        return math.inf
    days, _, clock = answer.rpartition("-")
    seconds = 0
    for part in clock.split(":"):
        seconds = 60 * seconds + int(part)
    return 86400 * int(days or 0) + seconds
