"""How much memory the device of the networks has left, for people who watch a robot."""

from dataclasses import dataclass

import torch


@dataclass(frozen=True)
class DeviceMemory:
    """Bytes of an accelerator's memory."""

    used: int
    """Held by this process: tensors, and what PyTorch keeps for the next ones."""
    free: int
    """Free for any process."""
    total: int


def device_memory(device: str) -> DeviceMemory | None:
    """Return the memory of a CUDA device; None for the CPU, which has none of its own.

    Parameters
    ----------
    device
        As PyTorch names it: ``cpu``, ``cuda``, ``cuda:1``; empty before it is known.
    """
    if not device.startswith('cuda'):
        return None
    free, total = torch.cuda.mem_get_info(device)
    return DeviceMemory(torch.cuda.memory_reserved(device), free, total)
