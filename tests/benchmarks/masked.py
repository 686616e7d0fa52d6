"""Seconds and memory of masked diffusion by number of variants: founders fitted, network trained, people drawn.

On the GPU if there is one. A process for each size, so that the peak of memory is its own; people are random mosaics,
as what they carry makes no difference to the time:

    PYTHONPATH=workflow/scripts python tests/benchmarks/masked.py [people] [founders] [threads]
"""

import multiprocessing
import resource
import sys
import tempfile
import time
from pathlib import Path

import numpy as np
import torch

from syngeno.data import sequences
from syngeno.data.store import StoreWriter, open_store
from syngeno.models.haplotype import model as haplotype_model
from syngeno.models.haplotype import prior
from syngeno.models.haplotype.clusters import ROUNDS
from syngeno.training import loop
from syngeno.training.device import pick_device

SIZES = (2500, 5000, 10_000)
DRAWN, SOURCES = 1000, 300


def write(path: Path, people: int, variants: int) -> None:
    """A store of people whose haplotypes are mosaics of some hundred random ones."""
    rng = np.random.default_rng(1)
    source = (rng.random((variants, SOURCES)) < rng.beta(0.2, 1, (variants, 1))).astype(np.int8)
    at = np.repeat(rng.integers(0, SOURCES, (-(-variants // 200), 2 * people)), 200, axis=0)[:variants]
    calls = np.take_along_axis(source, at, axis=1).reshape(variants, people, 2)
    with StoreWriter(path, [f"p{i}" for i in range(people)], {"1": 0}) as writer:
        for first in range(0, variants, 1000):
            part = calls[first : first + 1000]
            n = len(part)
            writer.append(np.arange(n) + first + 1, ["."] * n, ["A"] * n, ["C"] * n, part, contig="1")


def measure(people: int, founders: int, threads: int, variants: int, queue: multiprocessing.Queue) -> None:
    """Put (seconds to fit, to train, to draw, bytes at the peak, and at that of the GPU) into the queue."""
    torch.set_num_threads(threads)
    torch.ones(1, device=pick_device())  # a GPU takes seconds to wake
    label, rows = np.repeat("a", people), np.arange(people)
    nobody = np.array([], int), np.array([], str)
    sizes = {"founders_per_chromosome": founders, "segment": 10, "carriers": 2, "ancestry_size": people, "seed": 1}
    with tempfile.TemporaryDirectory() as folder:
        write(Path(folder) / "store.zarr.zip", people, variants)
        clock = [time.monotonic()]
        with open_store(Path(folder) / "store.zarr.zip") as store:
            seen = sequences.viewed(store, "haplotype")
            learnt = prior.learn(seen, rows, label, *nobody, **sizes)
            clock.append(time.monotonic())
            model, fitted, _ = haplotype_model.train(
                learnt, seen, rows, label, *nobody, components=12, config={}, seed=1,
                saving=loop.Saving(Path(folder) / "state.pt", "f"), threads=threads,
            )  # fmt: skip
        clock.append(time.monotonic())
        haplotype_model.draw(learnt, model, fitted, np.repeat("a", DRAWN), seed=1, steps=4, candidates=16)
        clock.append(time.monotonic())
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * 1024
    queue.put((*np.diff(clock).tolist(), peak, torch.cuda.max_memory_allocated()))


def main(people: int = 2000, founders: int = 128, threads: int = 2) -> None:
    """Print a line per number of variants."""
    where = torch.cuda.get_device_name() if torch.cuda.is_available() else f"{threads} threads"
    print(f"{people} people, {founders} founders, {where}; {DRAWN} people drawn by 4 steps of 16 candidates")
    print(f"{'variants':>9} {'fit s':>8} {'people/s':>9} {'train s':>8} {'draw s':>8} {'peak MB':>8} {'GPU MB':>8}")
    context = multiprocessing.get_context("spawn")
    for variants in SIZES:
        queue = context.Queue()
        process = context.Process(target=measure, args=(people, founders, threads, variants, queue))
        process.start()
        fit, train, draw, peak, gpu = queue.get()
        process.join()
        each = people * ROUNDS / fit
        print(
            f"{variants:9} {fit:8.1f} {each:9.0f} {train:8.1f} {draw:8.1f} {peak / 1e6:8.0f} {gpu / 1e6:8.0f}",
            flush=True,
        )


if __name__ == "__main__":
    main(*map(int, sys.argv[1:]))
