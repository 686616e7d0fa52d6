"""Long work in batches, whose progress is logged now and then."""

import logging
import time
from collections.abc import Iterator

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
