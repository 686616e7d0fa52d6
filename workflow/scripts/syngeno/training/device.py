"""Where torch computes, how precisely, and from which seeds: the same for networks, samplers and classifiers."""

import numpy as np
import torch


def pick_device(name: torch.device | str = "auto") -> torch.device:
    """ "auto" is the GPU if there is one."""
    if name == "auto":
        name = "cuda" if torch.cuda.is_available() else "cpu"
    return torch.device(name)


def autocast(device: torch.device) -> torch.autocast:
    """bfloat16 on GPUs, plain float32 on CPUs."""
    return torch.autocast(device.type, dtype=torch.bfloat16, enabled=device.type == "cuda")


def mixed_seed(*parts: int) -> int:
    """One well-mixed 63-bit seed from several integers."""
    return int(np.random.SeedSequence(parts).generate_state(1, np.uint64)[0] >> np.uint64(1))


def generator(device: torch.device, *parts: int) -> torch.Generator:
    """Random numbers on this device, from several integers; another kind of device gives others."""
    return torch.Generator(device).manual_seed(mixed_seed(*parts))
