import io
import logging
from types import SimpleNamespace

import pytest

from syngeno import logs
from syngeno.workflow.console import Console, duration


class Clock:
    now = 0.0

    def __call__(self):
        return self.now


@pytest.fixture
def run(monkeypatch):
    """A logger with Snakemake's handler, and a console that listens to it: what each of them printed, and the clock."""
    monkeypatch.setenv(logs.QUIET, "")
    logger = logging.Logger("run")
    snakemake, ours, clock = io.StringIO(), io.StringIO(), Clock()
    logger.addHandler(logging.StreamHandler(snakemake))

    def listen(quiet=True):
        console = Console(quiet=quiet, stream=ours, clock=clock)
        console.listen(logger)
        logger.info(None, extra=event("WORKFLOW_STARTED"))
        snakemake.truncate(snakemake.seek(0))
        console.begin()
        return console

    return SimpleNamespace(logger=logger, snakemake=snakemake, ours=ours, clock=clock, listen=listen)


def event(name, **more):
    return {"event": SimpleNamespace(name=name), **more}


def start(run, number, rule, log="", **wildcards):
    run.logger.info(
        "job", extra=event("JOB_INFO", jobid=number, rule_name=rule, wildcards=wildcards, log=[log] if log else [])
    )


class TestConsole:
    def test_progress_of_the_whole_run_now_and_then(self, run):
        run.listen()
        start(run, 1, "draw", generator="latent", shard="0")
        start(run, 2, "summarise")
        for done, now in ((1, 5), (2, 20), (3, 22), (8, 40)):
            run.clock.now = now
            run.logger.info(None, extra=event("PROGRESS", done=done, total=8))
        lines = run.ours.getvalue().splitlines()
        assert [line.split(" ", 1)[1] for line in lines] == [
            "2 of 8 jobs, about 1 min left; now draw latent, summarise",
            "8 of 8 jobs, about 0 s left; now draw latent, summarise",
        ]
        assert run.snakemake.getvalue() == ""

    def test_a_long_job_is_named_with_the_last_line_of_its_log(self, run, tmp_path):
        console = run.listen()
        path = tmp_path / "log"
        path.write_text("10:00:00 split 1 of 20, 20 s\n10:00:20 split 2 of 20, 40 s\n")
        start(run, 1, "measure_envelope", str(path), suite="privacy")
        start(run, 2, "draw", generator="latent")
        run.clock.now = 59
        console.remind()
        assert run.ours.getvalue() == ""
        run.clock.now = 61
        console.remind()
        console.remind()
        said = [line.split(" ", 1)[1] for line in run.ours.getvalue().splitlines()]
        assert said == ["still measure_envelope privacy: split 2 of 20, 40 s", "still draw latent"]
        console.end()
        run.clock.now = 200
        console.remind()
        assert run.ours.getvalue().count("still") == 2

    def test_warnings_of_finished_jobs_are_kept_for_the_end(self, run, tmp_path):
        console = run.listen()
        path = tmp_path / "log"
        path.write_text("10:00:00 fine\n10:00:01 Warning: 3 of them\n10:00:02 says Warning: no\n")
        start(run, 1, "check_inputs", str(path))
        run.logger.info("done", extra=event("JOB_FINISHED", job_id=1))
        run.clock.now = 150
        console.end(["results/report.html"])
        run.logger.info("Elapsed time: 1")
        run.logger.info("Report created: results/report.html")
        assert run.ours.getvalue() == "1 warnings:\n  3 of them\nDone in 2 min.\n  open results/report.html\n"
        assert run.snakemake.getvalue() == "Report created: results/report.html\n"

    @pytest.mark.parametrize("quiet", [True, False])
    def test_a_refusal_is_the_last_line_once(self, run, tmp_path, quiet):
        console = run.listen(quiet)
        for number in (1, 2):
            path = tmp_path / str(number)
            path.write_text("10:00:00 reading\n10:00:01 Bad input: x.vcf: is odd; make it even\n")
            start(run, number, "check_inputs", str(path))
            run.logger.error("CalledProcessError in", extra=event("ERROR", exception="RuleException"))
            extra = event("JOB_ERROR", jobid=number, rule_name="check_inputs", log=[str(path)])
            run.logger.error("Error in rule", extra=extra)
        run.logger.error("Exiting because a job execution failed. Look above for error messages")
        console.end(failed=True)
        run.logger.error("At least one job did not complete", extra=event("ERROR", exception="WorkflowError"))
        assert run.ours.getvalue() == "Bad input: x.vcf: is odd; make it even\n"
        job = "Error in rule\n" if quiet else "job\nError in rule\n"
        assert run.snakemake.getvalue() == 2 * job

    def test_a_job_that_failed_shows_the_end_of_its_log(self, run, tmp_path):
        console = run.listen()
        path = tmp_path / "log"
        path.write_text("".join(f"10:00:00 line {i}\n" for i in range(40)))
        run.logger.error("Error", extra=event("JOB_ERROR", jobid=1, rule_name="draw", log=[str(path)]))
        console.end(failed=True)
        lines = run.ours.getvalue().splitlines()
        assert lines[0] == f"draw failed; its log, {path}, ends:"
        assert lines[-1] == "  10:00:00 line 39"
        assert len(lines) == 13

    def test_a_run_that_is_stopped_has_not_failed(self, run):
        console = run.listen()
        run.logger.info("Terminating processes on user request, this might take some time.")
        run.logger.error("Error", extra=event("JOB_ERROR", jobid=1, rule_name="draw", log=[]))
        console.end(failed=True)
        assert run.ours.getvalue().startswith("Stopped. The same command goes on")

    def test_snakemakes_own_warnings_and_errors_pass(self, run):
        run.listen()
        run.logger.info("Using shell")  # no
        run.logger.warning("disk is slow")
        run.logger.error("Directory cannot be locked", extra=event("ERROR", exception="LockException"))
        assert run.snakemake.getvalue() == "disk is slow\nDirectory cannot be locked\n"


@pytest.mark.parametrize(
    ("seconds", "words"), [(4.4, "4 s"), (59.4, "59 s"), (100, "2 min"), (3600 * 2 + 300, "2 h 5 min")]
)
def test_duration(seconds, words):
    assert duration(seconds) == words
