"""A rule's log: one file, the same lines on the terminal, bad input in one line, all else with its traceback."""

import logging
import signal
import sys
import time
from collections.abc import Iterator
from types import TracebackType

from syngeno.errors import BadInput

EVERY = 15.0  # seconds between lines of progress


def batches(logger: logging.Logger, count: int, size: int, what: str) -> Iterator[slice]:
    """Slices of at most `size` of `count` samples, one after the other; now and then, how many are done is logged."""
    began = logged = time.monotonic()
    for first in range(0, count, size):
        done = min(first + size, count)
        yield slice(first, done)
        if time.monotonic() - logged > EVERY:
            logged = time.monotonic()
            logger.info("%d of %d samples %s; %.0f s left", done, count, what, (logged - began) / done * (count - done))


def start(path: str) -> logging.Logger:
    """Send every log line to the file `path` and to the terminal, and catch what is not caught elsewhere.

    A `BadInput` is written as one line, without a traceback: the fault is in the input, not in the code.
    """
    logging.basicConfig(
        level=logging.WARNING,  # of other libraries
        format="%(asctime)s %(message)s",
        datefmt="%H:%M:%S",
        handlers=[logging.FileHandler(path, mode="w"), logging.StreamHandler(sys.stderr)],
        force=True,
    )
    logging.captureWarnings(True)
    sys.excepthook = _report
    # A scheduler ends jobs by SIGTERM, at which Python would skip the tidying up of half-written files.
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(128 + signal.SIGTERM))
    logger = logging.getLogger("syngeno")
    logger.setLevel(logging.INFO)
    return logger


def _report(kind: type[BaseException], error: BaseException, trace: TracebackType | None) -> None:
    if issubclass(kind, BadInput):
        logging.getLogger("syngeno").error("Bad input: %s", error)
    else:
        logging.getLogger("syngeno").error("Failed", exc_info=(kind, error, trace))
