"""Whether a run that is killed again and again ends as one that is not: the same numbers, and nothing left behind.

The workflow runs twice (the embedded cohort, or a run file); the second time all its processes are killed (SIGKILL)
at random moments, each time followed by the same command:

    PYTHONPATH=workflow/scripts python tests/benchmarks/kills.py FOLDER [kills] [run file]

Prints when each kill fell and in which rules; ends with an error where the two runs differ.
"""

import gzip
import os
import random
import re
import signal
import subprocess
import sys
import time
from pathlib import Path

ROOT = Path(__file__).parents[2]
UNFINISHED = re.compile(r"\.(part|tmp)$|^\.snakemake\.")
SAME = ("*/summary/*.tsv", "*/*/*/*/synthetic.labels.tsv", "*/*/*/*/synthetic.vcf.gz", "*/prepare/samples.tsv")


def start(folder: Path, *arguments: str) -> subprocess.Popen:
    """The workflow in a folder, in a session of its own."""
    command = [sys.executable, "-m", "snakemake", "--snakefile", str(ROOT / "Snakefile"), "--directory", str(folder)]
    with open(folder / "said.log", "a") as said:
        return subprocess.Popen(
            [*command, "--cores", "2", "--rerun-incomplete", *arguments],
            stdout=said,
            stderr=said,
            start_new_session=True,
        )


def running(folder: Path) -> str:
    """The rules whose jobs had begun and not ended, by what Snakemake said."""
    begun: dict[str, str] = {}
    rule = ""
    for line in (folder / "said.log").read_text().splitlines():
        if found := re.match(r"(?:localrule|rule|localcheckpoint|checkpoint) (\w+):", line):
            rule = found[1]
        elif found := re.match(r"\s+jobid: (\d+)", line):
            begun[found[1]] = rule
        elif found := re.match(r"Finished jobid: (\d+)", line):
            begun.pop(found[1], None)
        elif line.startswith("Building DAG"):
            begun.clear()
    return ", ".join(sorted(set(begun.values()))) or "none"


def content(path: Path) -> bytes:
    """What a file says, whatever its compression says of the time."""
    return gzip.decompress(path.read_bytes()) if path.suffix == ".gz" else path.read_bytes()


def main(folder: Path, kills: int = 20, run_file: str | None = None) -> None:
    """See above."""
    whole, killed = folder / "whole", folder / "killed"
    more = ["--configfile", str(Path(run_file).resolve())] if run_file else []
    for one in (whole, killed):
        one.mkdir(parents=True)
    begun = time.monotonic()
    if start(whole, *more).wait():
        sys.exit(f"the run that was left alone failed: {whole / 'said.log'}")
    alone = time.monotonic() - begun
    print(f"left alone: {alone:.0f} s", flush=True)

    chance, begun, done = random.Random(1), time.monotonic(), 0
    while done < kills:
        process = start(killed, *more)
        try:
            process.wait(chance.uniform(0.5, 2 * alone / kills))
            break
        except subprocess.TimeoutExpired:
            print(f"kill {done + 1}: {running(killed)}", flush=True)
            os.killpg(process.pid, signal.SIGKILL)
            process.wait()
            done += 1
            start(killed, *more, "--unlock").wait()
    if start(killed, *more).wait():
        sys.exit(f"the run that was killed failed: {killed / 'said.log'}")
    print(f"killed {done} times: {time.monotonic() - begun:.0f} s", flush=True)

    files = [{path.relative_to(one / "results") for path in (one / "results").rglob("*")} for one in (whole, killed)]
    faults = [f"{path}: in one of the runs only" for path in sorted(files[0] ^ files[1])]
    faults += [f"{path}: unfinished" for path in sorted(files[1]) if UNFINISHED.search(path.name)]
    compared = 0
    for pattern in SAME:
        for path in sorted((whole / "results").glob(pattern)):
            other = killed / "results" / path.relative_to(whole / "results")
            compared += 1
            if other.exists() and content(path) != content(other):
                faults.append(f"{path.relative_to(whole / 'results')}: another content")
    print(f"{compared} files compared, {len(files[1])} there; " + ("the same" if not faults else "\n".join(faults)))
    sys.exit(bool(faults) or not compared)


if __name__ == "__main__":
    main(Path(sys.argv[1]), *(int(one) for one in sys.argv[2:3]), *sys.argv[3:4])
