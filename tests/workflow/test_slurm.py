"""The shipped profile on a real SLURM: it runs, goes on after a kill and after a time limit, and gives more memory.

`make test-slurm` raises the SLURM (raise_slurm.sh) and sets SYNGENO_SLURM; without it the tests are skipped, as they
would submit jobs to whatever cluster the machine belongs to.
"""

import os
import subprocess
import sys
import time

import pytest
import torch
import yaml
from runs import ROOT, TINY

pytestmark = pytest.mark.skipif("SYNGENO_SLURM" not in os.environ, reason="needs a SLURM for tests: make test-slurm")

MODEL = "results/tiny/latent/100/1/fitted.model"
ENCODER = "results/tiny/prepare/100/1/encoder.npz"
# One generator, trained for longer than the half minute that SLURM takes to notice that a job's time is over.
TRAINING = {"epochs": 1, "least_steps": 1500, "patience": 0}
CONFIG = {
    "cohorts": TINY["cohorts"],
    "generators": {"latent": TINY["generators"]["latent"] | {"gpu": 1, "training": TRAINING, "save_every": 0.5}},
}


class Run:
    """The workflow in a folder, by the profile; what is between status checks is shortened."""

    def __init__(self, folder):
        self.folder = folder
        (folder / "run.yaml").write_text(yaml.safe_dump(CONFIG))

    def start(self, *arguments, resources=()):
        command = [
            sys.executable, "-m", "snakemake", *arguments, "--snakefile", str(ROOT / "Snakefile"),
            "--directory", str(self.folder), "--configfile", str(self.folder / "run.yaml"),
            "--profile", str(ROOT / "workflow/profiles/slurm"), "--slurm-no-account",
            "--slurm-status-command", "squeue", "--slurm-keep-successful-logs",
            "--slurm-init-seconds-before-status-checks", "2", "--seconds-between-status-checks", "2",
            # What it needs, lest the runs wait for each other's memory, and no more threads than there are.
            "--set-resources", "fit_generator:mem_mb=1500 * attempt", *resources,
            "--set-threads", "fit_generator=1",
        ]  # fmt: skip
        environment = {**os.environ, "OMP_WAIT_POLICY": "passive"}
        pipes = {"stdout": subprocess.PIPE, "stderr": subprocess.STDOUT}
        return subprocess.Popen(command, text=True, env=environment, **pipes)

    def finish(self, process):
        said, _ = process.communicate(timeout=900)
        assert process.returncode == 0, said
        return said

    def __call__(self, *arguments):
        return self.finish(self.start(*arguments))

    def logs(self, rule):
        """What the jobs of a rule said, the first first."""
        files = sorted(
            (self.folder / ".snakemake/slurm_logs" / f"rule_{rule}").rglob("*.log"), key=lambda x: int(x.stem)
        )
        return [file.read_text() for file in files]

    def running(self, rule):
        """The SLURM id of this run's job of a rule; waits until it runs. Its log is named after it."""
        logs = self.folder / ".snakemake/slurm_logs" / f"rule_{rule}"
        job = until(lambda: next(logs.rglob("*.log"), None)).stem
        until(lambda: asked("squeue", "--noheader", f"--jobs={job}", "--format=%t").strip() == "R")
        return job

    def weights(self):
        return torch.load(self.folder / MODEL, weights_only=True)["weights"]


def asked(*command):
    return subprocess.run(command, capture_output=True, text=True, check=True).stdout


def until(ready, seconds=300):
    """What `ready` gives once it gives something."""
    end = time.monotonic() + seconds
    while not (found := ready()):
        assert time.monotonic() < end, "waited in vain"
        time.sleep(0.1)
    return found


def same(one, other):
    return all(torch.equal(one[name], other[name]) for name in one)


@pytest.fixture(scope="module")
def prepared(tmp_path_factory):
    """A run that is ready for training, got so without SLURM, which costs each job seconds."""
    run = Run(tmp_path_factory.mktemp("prepared"))
    run("results/tiny/prepare/100/1/latents.npz", "--executor", "local", "--cores", "1")
    return run


@pytest.fixture(scope="module")
def runs(prepared, tmp_path_factory):
    """Four runs from there at the same time: one is left alone, the training of one is cancelled, that of one is out of
    time, and in one an encoder is fitted with too little memory.
    """

    def started(name, *arguments, without=(), resources=()):
        run = copied(prepared, tmp_path_factory.mktemp(name))
        for path in without:
            (run.folder / path).unlink()
        return run, run.start(*arguments, resources=resources)

    given = {
        "alone": started("alone", "sample"),
        "cancelled": started("cancelled", MODEL),
        "timed": started("timed", MODEL),
        "starved": started(
            "starved", ENCODER, without=[ENCODER], resources=["fit_encoder:mem_mb=40 * 10 ** (attempt - 1)"]
        ),
    }
    for name, disturb in (
        ("cancelled", lambda job: asked("scancel", job)),
        ("timed", lambda job: asked("scontrol", "update", f"JobId={job}", "EndTime=now+1")),
    ):
        run, _ = given[name]
        job = run.running("fit_generator")
        until((run.folder / MODEL).with_name("training.state").exists)
        disturb(job)
    for run, process in given.values():
        run.finish(process)
    return {name: run for name, (run, _) in given.items()}


def copied(run, folder):
    subprocess.run(["cp", "--archive", f"{run.folder}/.", str(folder)], check=True)
    return Run(folder)


def test_runs(runs):
    assert (runs["alone"].folder / "results/tiny/latent/100/1/synthetic.vcf.gz").exists()
    assert not asked("squeue", "--noheader", "--states=PENDING,RUNNING")


def test_a_cancelled_training_goes_on_to_the_same_weights(runs):
    first, second = runs["cancelled"].logs("fit_generator")
    assert "asked to stop: state saved at step" in first
    assert "resuming at step" in second
    assert same(runs["cancelled"].weights(), runs["alone"].weights())


def test_a_training_out_of_time_goes_on_to_the_same_weights(runs):
    first, second = runs["timed"].logs("fit_generator")
    assert "DUE TO TIME LIMIT" in first
    assert "resuming at step" in second
    assert same(runs["timed"].weights(), runs["alone"].weights())


def test_a_job_out_of_memory_is_given_more(runs):
    first, second = runs["starved"].logs("fit_encoder")
    assert "exceeded memory limit" in first
    assert "exceeded memory limit" not in second
