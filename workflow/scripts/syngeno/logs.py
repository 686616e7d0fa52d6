"""A rule's log: one file, the same lines on the terminal, bad input in one line, all else with its traceback."""

import logging
import os
import signal
import sys
from types import TracebackType

from syngeno.errors import BadInput

QUIET = "SYNGENO_QUIET"  # set where the run itself tells its user what matters (workflow/console.py)
NOTICE = 25  # between INFO and WARNING: what a user wants to see at once, and need not worry about
WARNING, REFUSED = "Warning: ", "Bad input: "


def start(path: str) -> logging.Logger:
    """Send every log line to the file `path` and to the terminal, and catch what is not caught elsewhere.

    A `BadInput` is written as one line, without a traceback: the fault is in the input, not in the code. In a quiet run
    the terminal gets notices and warnings only.
    """
    terminal = logging.StreamHandler(sys.stderr)
    if os.environ.get(QUIET):
        terminal.addFilter(
            lambda record: record.name.startswith("syngeno") and NOTICE <= record.levelno <= logging.WARNING
        )
    handlers = [logging.FileHandler(path, mode="w"), terminal]
    for handler in handlers:
        handler.setFormatter(_Line("%(asctime)s %(message)s", "%H:%M:%S"))
    logging.basicConfig(level=logging.WARNING, handlers=handlers, force=True)  # the level of other libraries
    logging.captureWarnings(True)
    sys.excepthook = _report
    # A scheduler ends jobs by SIGTERM, at which Python would skip the tidying up of half-written files; Ctrl-C sends
    # SIGINT to all jobs, none of which has failed.
    for stop in (signal.SIGTERM, signal.SIGINT):
        signal.signal(stop, lambda number, _: sys.exit(128 + number))
    logger = logging.getLogger("syngeno")
    logger.setLevel(logging.INFO)
    return logger


class _Line(logging.Formatter):
    def format(self, record: logging.LogRecord) -> str:
        line = super().format(record)
        ours = record.levelno == logging.WARNING and record.name.startswith("syngeno")
        return line.replace(" ", f" {WARNING}", 1) if ours else line


def _report(kind: type[BaseException], error: BaseException, trace: TracebackType | None) -> None:
    if issubclass(kind, BadInput):
        logging.getLogger("syngeno").error("%s%s", REFUSED, error)
    else:
        logging.getLogger("syngeno").error("Failed", exc_info=(kind, error, trace))
