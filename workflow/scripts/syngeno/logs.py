"""A rule's log: one file, the same lines on the terminal, bad input in one line, all else with its traceback."""

import logging
import signal
import sys
from types import TracebackType

from syngeno.errors import BadInput


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
