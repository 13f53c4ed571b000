"""Arrays to the device and back, with as little waiting as possible."""

from typing import Any

import numpy as np
import numpy.typing as npt
import torch


def to_device(array: npt.NDArray[Any], device: torch.device) -> torch.Tensor:
    """Return an array on a device; on a GPU the copy is queued, from page-locked memory."""
    tensor = torch.from_numpy(np.ascontiguousarray(array))
    if device.type != 'cuda':
        return tensor.to(device)
    return tensor.pin_memory().to(device, non_blocking=True)


def to_host(*tensors: torch.Tensor) -> tuple[npt.NDArray[Any], ...]:
    """Return tensors of one device as arrays: the copies are queued, then waited for at once."""
    copies = [tensor.to('cpu', non_blocking=True) for tensor in tensors]
    if tensors[0].is_cuda:
        torch.cuda.current_stream(tensors[0].device).synchronize()
    return tuple(copy.numpy() for copy in copies)
