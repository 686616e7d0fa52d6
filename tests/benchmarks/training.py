"""Steps per second of training and seconds per 1,000 samples drawn, beside the floor of this machine.

The floor is what the network's matrix products would take at the rate at which this machine multiplies large matrices:

    PYTHONPATH=workflow/scripts:tests python tests/benchmarks/training.py [samples] [blocks] [threads]
"""

import sys
import tempfile
import time
from pathlib import Path

import numpy as np
import torch
from settings import generator_settings
from torch.utils.flop_counter import FlopCounterMode

from syngeno.models.latent import denoising, networks
from syngeno.training import loop
from syngeno.training.device import pick_device

COMPONENTS, LABELS, BATCH, STEPS, DRAWN, CALLS = 8, 14, 32, 60, 1000, 50
KINDS = {
    "mlp": {"kind": "mlp"},
    "mlp+cnn (paper)": {"kind": "mlp+cnn", "blockwise": False, "chained": False, "cnn_base": 64},
    "mlp+cnn (ours)": {"kind": "mlp+cnn"},
    "transformer": {"kind": "transformer", "transformer_width": 192, "transformer_layers": 6},
}


def rate(device: torch.device) -> float:
    """Operations per second of large matrix products, in the precision that training uses, the best of five tries."""
    gpu = device.type == "cuda"
    size, products, kind = (8192, 20, torch.bfloat16) if gpu else (3072, 1, torch.float32)
    a, b = (torch.randn(size, size, device=device, dtype=kind) for _ in range(2))
    best = np.inf
    for _ in range(5):
        began = time.perf_counter()
        for _ in range(products):
            found = a @ b
        float(found[0, 0])  # waits for the device
        best = min(best, time.perf_counter() - began)
    return 2 * size**3 * products / best


def operations(network: torch.nn.Module, samples: int, blocks: int, learning: bool) -> int:
    """Multiplications and additions of one call, and of its gradient if `learning`."""
    x, t, label = torch.randn(samples, blocks, COMPONENTS), torch.rand(samples), torch.zeros(samples, dtype=torch.long)
    with FlopCounterMode(display=False) as counter:
        predicted = network(x, t, label)
        if learning:
            predicted.sum().backward()
    return counter.get_total_flops()


def main(samples: int = 687, blocks: int = 291, threads: int = 2) -> None:
    """Print a line per denoiser."""
    torch.set_num_threads(threads)
    device = pick_device("auto")
    fastest = rate(device)
    print(f"{device}, {threads} threads, {fastest / 1e9:.0f} GFLOP/s; {samples} x {blocks} x {COMPONENTS}")
    print(f"{'':18} {'steps/s':>8} {'floor':>8} {'share':>6} {f's per {DRAWN}':>12} {'floor':>8} {'share':>6}")
    rng = np.random.default_rng(1)
    latents = rng.standard_normal((samples, blocks, COMPONENTS), np.float32)
    label = rng.integers(0, LABELS, samples)
    per_epoch = -(-samples // BATCH)
    for name, network in KINDS.items():
        settings = generator_settings(
            "latent_diffusion",
            denoiser=network,
            training={"epochs": 1 + -(-STEPS // per_epoch), "patience": 0},
            sampler={"sampler": "ddim", "steps": CALLS},
        )
        with tempfile.TemporaryDirectory() as folder:
            model, history = denoising.train(
                latents,
                label,
                np.ones(latents.shape[1:], bool),
                [str(k) for k in range(LABELS)],
                validation=None,
                settings=settings,
                seed=1,
                checkpoint=loop.Checkpoint(Path(folder) / "state", "benchmark"),
            )
        first, last = history[0], history[-1]  # the first epoch warms up
        speed = (last["step"] - first["step"]) / (last["seconds"] - first["seconds"])
        began = time.perf_counter()
        asked = rng.integers(0, LABELS, DRAWN)
        denoising.sample(model, asked, settings["sampler"], seed=1)
        drawing = time.perf_counter() - began
        fresh = networks.Denoiser(blocks, COMPONENTS, LABELS, settings["denoiser"])
        learning = fastest / operations(fresh, BATCH, blocks, True)
        calling = CALLS * DRAWN / BATCH * operations(fresh, BATCH, blocks, False) / fastest
        line = f"{name:18} {speed:8.1f} {learning:8.1f} {speed / learning:6.2f}"
        print(f"{line} {drawing:12.1f} {calling:8.1f} {calling / drawing:6.2f}", flush=True)


if __name__ == "__main__":
    main(*map(int, sys.argv[1:]))
