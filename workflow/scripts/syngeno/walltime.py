"""The end of a batch job's time, and when to make room for the next attempt."""

import math
import os
import time

# Set in the jobs of SLURM, LSF, PBS and Grid Engine. Elsewhere nobody ends a job at the time that its rule asks for.
SYSTEMS = ("SLURM_JOB_ID", "LSB_JOBID", "PBS_JOBID", "JOB_ID")
SPARED, MOST_SPARED = 0.2, 300.0  # share and seconds of the time: for what began before this job, and for saving


def until(minutes: float) -> float:
    """When (`time.monotonic`) a job that was given so many minutes, and begins now, should save and leave.

    Never outside a batch system.
    """
    if not any(name in os.environ for name in SYSTEMS):
        return math.inf
    seconds = 60 * minutes
    return time.monotonic() + seconds - min(SPARED * seconds, MOST_SPARED)
