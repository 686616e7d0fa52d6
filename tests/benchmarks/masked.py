"""Seconds and memory of haplotype diffusion by number of variants: clusters fitted, reranker trained, samples drawn.

On the GPU if there is one. A process for each size, so that the peak of memory is its own; samples are random mosaics,
as what they carry makes no difference to the time:

    PYTHONPATH=workflow/scripts:tests python tests/benchmarks/masked.py [samples] [clusters] [threads]
"""

import multiprocessing
import resource
import sys
import tempfile
import time
from pathlib import Path

import numpy as np
import torch
from settings import generator_settings
from stores import training_data

from syngeno.data.store import StoreWriter, open_store
from syngeno.models.haplotype import fitted, fitting
from syngeno.models.haplotype.clusters import ROUNDS
from syngeno.models.haplotype.model import HaplotypeDiffusion
from syngeno.training import loop
from syngeno.training.device import pick_device

SIZES = (2500, 5000, 10_000)
DRAWN, SOURCES = 1000, 300


def write(path: Path, samples: int, variants: int) -> None:
    """A store of samples whose haplotypes are mosaics of some hundred random ones."""
    rng = np.random.default_rng(1)
    source = (rng.random((variants, SOURCES)) < rng.beta(0.2, 1, (variants, 1))).astype(np.int8)
    at = np.repeat(rng.integers(0, SOURCES, (-(-variants // 200), 2 * samples)), 200, axis=0)[:variants]
    calls = np.take_along_axis(source, at, axis=1).reshape(variants, samples, 2)
    with StoreWriter(path, [f"p{i}" for i in range(samples)], {"1": 0}) as writer:
        for first in range(0, variants, 1000):
            part = calls[first : first + 1000]
            n = len(part)
            writer.append(np.arange(n) + first + 1, ["."] * n, ["A"] * n, ["C"] * n, part, contig="1")


def measure(samples: int, clusters: int, threads: int, variants: int, queue: multiprocessing.Queue) -> None:
    """Put (seconds to fit, to train, to draw, bytes at the peak, and at that of the GPU) into the queue."""
    torch.set_num_threads(threads)
    torch.ones(1, device=pick_device())  # a GPU takes seconds to wake
    sizes = {"number": clusters, "subpopulation_size": samples}
    settings = generator_settings("haplotype_diffusion", clusters=sizes)
    with tempfile.TemporaryDirectory() as folder:
        folder = Path(folder)
        write(folder / "store.zarr.zip", samples, variants)
        clock = [time.monotonic()]
        with open_store(folder / "store.zarr.zip") as store:
            known = store, np.arange(samples), np.repeat("a", samples)
            fitted.save(folder / "clusters.npz", fitting.learn(training_data(*known), settings, seed=1))
            clock.append(time.monotonic())
            data = training_data(*known, clusters=folder / "clusters.npz")
            checkpoint = loop.Checkpoint(folder / "state.pt", "f")
            model = HaplotypeDiffusion.fit(data, settings, seed=1, threads=threads, checkpoint=checkpoint)
        clock.append(time.monotonic())
        model.draw(np.repeat("a", DRAWN), seed=1)
        clock.append(time.monotonic())
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * 1024
    queue.put((*np.diff(clock).tolist(), peak, torch.cuda.max_memory_allocated()))


def main(samples: int = 2000, clusters: int = 128, threads: int = 2) -> None:
    """Print a line per number of variants."""
    where = torch.cuda.get_device_name() if torch.cuda.is_available() else f"{threads} threads"
    print(f"{samples} samples, {clusters} clusters, {where}; {DRAWN} samples drawn by 4 steps of 16 candidates")
    print(f"{'variants':>9} {'fit s':>8} {'samples/s':>9} {'train s':>8} {'draw s':>8} {'peak MB':>8} {'GPU MB':>8}")
    context = multiprocessing.get_context("spawn")
    for variants in SIZES:
        queue = context.Queue()
        process = context.Process(target=measure, args=(samples, clusters, threads, variants, queue))
        process.start()
        fit, train, draw, peak, gpu = queue.get()
        process.join()
        each = samples * ROUNDS / fit
        print(
            f"{variants:9} {fit:8.1f} {each:9.0f} {train:8.1f} {draw:8.1f} {peak / 1e6:8.0f} {gpu / 1e6:8.0f}",
            flush=True,
        )


if __name__ == "__main__":
    main(*map(int, sys.argv[1:]))
