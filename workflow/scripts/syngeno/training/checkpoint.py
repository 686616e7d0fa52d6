"""Where a stopped training goes on from; apart from the loop, as a fit that trains nothing need not load torch."""

import math
from dataclasses import dataclass
from pathlib import Path


@dataclass(frozen=True)
class Checkpoint:
    """The file of a state that a stopped training resumes from, with the fingerprint of data, settings and code.

    It is saved `every` so many seconds, and `until` (`time.monotonic`) a batch job's time is nearly over.
    """

    path: Path
    fingerprint: str
    every: float = 120.0
    until: float = math.inf
