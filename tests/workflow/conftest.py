"""The real workflow, run on a tiny cohort in a temporary folder."""

import shutil

import pytest
from filelock import FileLock
from runs import ROOT, Run


@pytest.fixture(scope="session")
def tiny(tmp_path_factory, worker_id):
    """The tiny cohort, run to the end once, for all processes of the tests together."""
    own = tmp_path_factory.getbasetemp()
    folder = (own if worker_id == "master" else own.parent) / "tiny"
    with FileLock(folder.with_suffix(".lock")):
        run = Run(folder)
        if not (folder / "results/report.html").exists():
            run("--report", "results/report.html", "--report-after-run")
    return run


@pytest.fixture
def copy(tiny, tmp_path):
    """A copy of the finished run that a test may change, with a checkout of its own."""
    root = tmp_path / "checkout"
    for name in ("Snakefile", "pyproject.toml", "workflow", "config", "envs"):
        source = ROOT / name
        target = root / name
        if source.is_dir():
            shutil.copytree(source, target)  # with what is compiled already, which takes each checkout seconds
        else:
            target.parent.mkdir(parents=True, exist_ok=True)
            shutil.copy2(source, target)
    shutil.copytree(tiny.folder, tmp_path / "run")
    return Run(tmp_path / "run", root=root)
