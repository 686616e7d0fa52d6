"""One thread for each process of the tests: they run side by side, and with arrays so small more threads are slower."""

import os
import sys

import pytest

for library in ("OMP", "OPENBLAS", "MKL"):
    os.environ[f"{library}_NUM_THREADS"] = "1"  # before NumPy and torch are imported


@pytest.fixture(autouse=True)
def one_thread():
    """Also after a test that took more: weights are compared with those of processes that begin with one."""
    if "torch" in sys.modules:
        sys.modules["torch"].set_num_threads(1)
