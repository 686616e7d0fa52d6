import math
import os
import time

import pytest

from syngeno.workflow import cluster


class TestUntil:
    def test_never_outside_slurm(self, monkeypatch):
        monkeypatch.delenv("SLURM_JOB_ID", raising=False)
        assert cluster.until() == math.inf

    @pytest.mark.parametrize(
        ("said", "seconds"),
        [
            ("50", 40),
            ("1:40", 80),
            ("1:00:00", 3300),
            ("2-03:00:01", 2 * 86400 + 3 * 3600 + 1 - 300),
            ("UNLIMITED", math.inf),
            ("INVALID", math.inf),
            ("", math.inf),
        ],
    )
    def test_before_the_time_is_over(self, tmp_path, monkeypatch, said, seconds):
        asked = tmp_path / "squeue"
        asked.write_text(f"#!/bin/sh\n[ \"$3\" = 7 ] && echo '{said}'\n")
        asked.chmod(0o755)
        monkeypatch.setenv("PATH", f"{tmp_path}:{os.environ['PATH']}")
        monkeypatch.setenv("SLURM_JOB_ID", "7")
        assert cluster.until() - time.monotonic() == pytest.approx(seconds, abs=1)

    def test_never_without_squeue(self, tmp_path, monkeypatch):
        monkeypatch.setenv("PATH", str(tmp_path))
        monkeypatch.setenv("SLURM_JOB_ID", "7")
        assert cluster.until() == math.inf
