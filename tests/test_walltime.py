import math
import time

import pytest

from syngeno import walltime


class TestUntil:
    @pytest.fixture(autouse=True)
    def outside(self, monkeypatch):
        for name in walltime.SYSTEMS:
            monkeypatch.delenv(name, raising=False)

    def test_never_outside_a_batch_system(self):
        assert walltime.until(1) == math.inf

    @pytest.mark.parametrize(("minutes", "seconds"), [(1, 48), (10, 480), (480, 480 * 60 - 300)])
    def test_before_the_time_is_over(self, monkeypatch, minutes, seconds):
        monkeypatch.setenv("SLURM_JOB_ID", "7")
        assert walltime.until(minutes) - time.monotonic() == pytest.approx(seconds, abs=1)
