"""How large a prepared cohort is: what rules ask a cluster for follows from it.

Snakemake asks while it plans, where few packages are there.

The end of a SLURM job's time, and when to make room for the next attempt.

Elsewhere a job that is stopped is told so by SIGTERM, which training heeds everywhere.
"""

import csv
import math
import os
import re
import subprocess
import time
from pathlib import Path
from typing import NamedTuple


class Size(NamedTuple):
    """How many people, variants, and variants of the chromosome that has most."""

    people: int
    variants: int
    largest: int


def of_cohort(folder: Path) -> Size:
    """By the tables of people and of variants in the cohort's folder `prepare`."""
    with open(folder / "people.tsv") as people, open(folder / "variants.tsv") as variants:
        kept = [int(row["unlinked"]) for row in csv.DictReader(variants, delimiter="\t")]
        return Size(sum(1 for _ in people) - 1, sum(kept), max(kept))


SPARED, MOST_SPARED = 0.2, 300.0  # share and seconds of the time that is left, to finish a step and to save


def until() -> float:
    """When (`time.monotonic`) a job that begins now should save and leave; never where SLURM sets no limit."""
    seconds = _left()
    return time.monotonic() + seconds - min(SPARED * seconds, MOST_SPARED) if seconds < math.inf else math.inf


def _left() -> float:
    """Seconds until SLURM ends the job that this process is part of; squeue says [days-][[hours:]minutes:]seconds."""
    if "SLURM_JOB_ID" not in os.environ:
        return math.inf
    command = ["squeue", "--noheader", "--jobs", os.environ["SLURM_JOB_ID"], "--format", "%L"]
    try:
        said = subprocess.run(command, capture_output=True, text=True, timeout=60, check=True).stdout.strip()
    except (OSError, subprocess.SubprocessError):
        return math.inf
    if not re.fullmatch(r"(\d+-)?(\d+:){0,2}\d+", said):  # UNLIMITED, INVALID
        return math.inf
    days, _, clock = said.rpartition("-")
    seconds = 0
    for part in clock.split(":"):
        seconds = 60 * seconds + int(part)
    return 86400 * int(days or 0) + seconds
