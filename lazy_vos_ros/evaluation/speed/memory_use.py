"""How much memory this process holds."""

import resource
import sys
from pathlib import Path

import torch

MIB = 2.0**20


def resident_mib() -> float:
    """Return the memory that this process holds now, MiB."""
    try:
        pages = int(Path('/proc/self/statm').read_text().split()[1])
    except OSError:
        return peak_resident_mib()  # no Linux: the highest so far is all that is known
    return pages * resource.getpagesize() / MIB


def peak_resident_mib() -> float:
    """Return the most memory that this process ever held, MiB."""
    highest = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    return highest / MIB if sys.platform == 'darwin' else highest / 1024


def peak_device_mib(device: torch.device) -> float:
    """Return the most memory that tensors on a CUDA device ever took, MiB; 0 on the CPU."""
    if device.type != 'cuda':
        return 0.0
    return torch.cuda.max_memory_allocated(device) / MIB
