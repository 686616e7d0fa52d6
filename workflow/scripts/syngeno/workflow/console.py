"""What a run tells its user: how far it is, what warned, and as the last lines what failed or what to open.

It listens to Snakemake's log and to those of the jobs. Where the profile asks Snakemake to be quiet, Snakemake's own
lines are held back while jobs run, and jobs send warnings and notices only to the terminal (see `logs.start`).
"""

import logging
import os
import sys
import threading
import time
from collections.abc import Callable, Iterable
from pathlib import Path
from typing import TextIO

from syngeno import logs

EVERY = 10.0  # seconds between lines of progress
SILENT = 60.0  # seconds after which a line says what is still running
_TAIL = 12  # lines shown of the log of a job that failed
_JOB_FAILED = ("RuleException", "CalledProcessError")  # what Snakemake reports of a job beside the job itself
_LOOK_ABOVE = "a job execution failed"


class Console(logging.Handler):
    """Listens to one run; `quiet` replaces Snakemake's own lines by a line of progress, but in a dry run."""

    def __init__(
        self,
        *,
        quiet: bool,
        dry: Callable[[], bool] = lambda: False,
        stream: TextIO = sys.stderr,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        super().__init__()
        self.quiet, self.dry, self.stream, self.clock = quiet, dry, stream, clock
        self.began = self.said = clock()
        self.running: dict[int, dict] = {}
        self.warnings: dict[str, None] = {}
        self.failures: list[tuple[str, list[str]]] = []
        self.planning = self.begun = self.interrupted = self.over = False

    def listen(self, logger: logging.Logger) -> None:
        """From here on what Snakemake's handlers print is filtered."""
        for handler in logger.handlers:
            if isinstance(handler, logging.StreamHandler) and not isinstance(handler, logging.FileHandler):
                handler.addFilter(self.passes)
        logger.addHandler(self)

    def begin(self) -> None:
        """The first job is about to start."""
        self.begun, self.began = True, self.clock()
        self.said = self.began
        if self.quiet:
            os.environ[logs.QUIET] = "1"
            threading.Thread(target=self._watch, daemon=True).start()

    def _watch(self) -> None:
        while not self.over:
            time.sleep(EVERY)
            self.remind()

    def remind(self) -> None:
        """Say what is running, and how far it is by its log, where nothing was said for a while."""
        now, running = self.clock(), list(self.running.values())
        if self.over or not running or now - self.said < SILENT:
            return
        self.said = now
        for job in running:
            last = [line.partition(" ")[2] for path in job["log"] for line in _lines(path)[-1:]]
            self._say(f"{time.strftime('%H:%M:%S')} still {job['name']}{''.join(f': {text}' for text in last)}")

    def passes(self, record: logging.LogRecord) -> bool:
        """Whether Snakemake's own line is printed: none that this object says in fewer words."""
        text = str(record.msg)
        if self.over:  # the last lines are ours, but for where the report is
            return text.startswith("Report created")
        told = getattr(record, "exception", None) in _JOB_FAILED or _LOOK_ABOVE in text
        if told and self.begun:  # as a module of another workflow it has no hooks, and no last word
            return False
        return not self.quiet or not self.planning or self.dry() or record.levelno > logging.INFO

    def emit(self, record: logging.LogRecord) -> None:
        """Take in an event of the run."""
        event = getattr(getattr(record, "event", None), "name", None)
        if event == "WORKFLOW_STARTED":
            self.planning = True
        elif event == "JOB_INFO":
            self.running[record.jobid] = {"name": _named(record), "log": [str(path) for path in record.log]}
        elif event == "JOB_FINISHED":
            self._finish(self.running.pop(record.job_id, None))
        elif event == "JOB_ERROR":
            job = self.running.pop(record.jobid, {"name": record.rule_name, "log": [str(path) for path in record.log]})
            self.failures.append((job["name"], job["log"]))
        elif event == "PROGRESS" and self.quiet:
            self._progress(record.done, record.total)
        elif str(record.msg).startswith("Terminating processes on user request"):
            self.interrupted = True

    def _finish(self, job: dict | None) -> None:
        for path in job["log"] if job else []:
            self.warnings |= dict.fromkeys(_marked(_lines(path), logs.WARNING))

    def _progress(self, done: int, total: int) -> None:
        now = self.clock()
        if now - self.said < EVERY and done < total:
            return
        self.said = now
        left = (now - self.began) / done * (total - done)
        names = list(dict.fromkeys(job["name"] for job in self.running.values()))
        more = f" and {len(names) - 3} more" if len(names) > 3 else ""
        doing = f"; now {', '.join(names[:3])}{more}" if names else ""
        self._say(f"{time.strftime('%H:%M:%S')} {done} of {total} jobs, about {duration(left)} left{doing}")

    def end(self, made: Iterable[str] = (), *, failed: bool = False) -> None:
        """Print what is to be kept in mind: warnings once more, then what failed, or what was `made`."""
        self.over = True
        if self.quiet and self.warnings:
            self._say(f"{len(self.warnings)} warnings:", *(f"  {text}" for text in self.warnings))
        if self.interrupted:
            self._say("Stopped. The same command goes on from here; trainings from their last saved step.")
        elif failed:
            refused, broken = {}, []
            for name, paths in self.failures:
                lines = [line for path in paths for line in _lines(path)]
                facts = _marked(lines, logs.REFUSED)
                refused |= dict.fromkeys(facts)
                if not facts:
                    broken += [f"{name} failed; its log, {', '.join(paths) or 'none'}, ends:"]
                    broken += [f"  {line}" for line in lines[-_TAIL:]]
            self._say(*broken, *(f"{logs.REFUSED}{text}" for text in refused))
        elif self.quiet:
            took = f"Done in {duration(self.clock() - self.began)}."
            self._say(took, *(f"  open {path}" for path in made))

    def _say(self, *lines: str) -> None:
        self.stream.write("".join(f"{line}\n" for line in lines))
        self.stream.flush()


def duration(seconds: float) -> str:
    """Seconds in words: `40 s`, `3 min`, `2 h 5 min`."""
    if seconds < 60:
        return f"{seconds:.0f} s"
    minutes = round(seconds / 60)
    return f"{minutes} min" if minutes < 60 else f"{minutes // 60} h {minutes % 60} min"


def _named(record: logging.LogRecord) -> str:
    which = [str(record.wildcards[key]) for key in ("generator", "suite", "contig") if key in record.wildcards]
    return " ".join([record.rule_name, *which])


def _lines(path: str) -> list[str]:
    try:
        return Path(path).read_text(errors="replace").splitlines()
    except OSError:
        return []


def _marked(lines: list[str], mark: str) -> list[str]:
    """What follows the mark in lines that begin with the time and it."""
    parts = (line.partition(" ")[2] for line in lines)
    return [part.removeprefix(mark) for part in parts if part.startswith(mark)]
