"""The time that a frame takes at least: operations and bytes over the machine's rates."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from functools import partial
from time import perf_counter
from typing import Any

import torch
from torch.utils._python_dispatch import TorchDispatchMode
from torch.utils._pytree import tree_leaves
from torch.utils.flop_counter import FlopCounterMode

SIDE = 512
"""Of the matrices that are multiplied."""
COPIED = 64 << 20
"""Bytes copied in all; more than a processor's cache holds."""
PIECES = 32
"""The copy is timed in pieces, the product as often: other programs disturb some of them."""


@dataclass(frozen=True)
class Rates:
    """What a machine does at best; measured."""

    flops: float
    """Floating-point operations a second, of a product of matrices."""
    bandwidth: float
    """Bytes a second, read and written, of a copy."""


@dataclass(frozen=True)
class Work:
    """What one frame takes."""

    flops: float
    """Floating-point operations of convolutions and products."""
    moved: float
    """Bytes of the inputs and outputs of every operation, as the frame was run."""

    def floor_ms(self, rates: Rates, fewest: float) -> float:
        """Return the milliseconds that a frame takes at least.

        The operations at the machine's best rate, or `fewest` bytes at its best bandwidth,
        whichever takes longer: what is known of both can be done at the same time.
        """
        return 1e3 * max(self.flops / rates.flops, fewest / rates.bandwidth)


def measure_rates(device: torch.device, dtype: torch.dtype) -> Rates:
    """Return what the machine does at best, with the threads that PyTorch has."""
    a, b = (torch.rand(SIDE, SIDE, device=device).to(dtype) for _ in range(2))
    product = min(seconds_of(lambda: torch.mm(a, b), device) for _ in range(PIECES))
    source = torch.ones(PIECES, COPIED // PIECES, dtype=torch.uint8, device=device)
    target = torch.zeros_like(source)
    pairs = list(zip(target, source, strict=True))
    copy = min(seconds_of(partial(torch.Tensor.copy_, *pair), device) for pair in pairs)
    return Rates(2 * SIDE**3 / product, 2 * COPIED / PIECES / copy)


def count_work(run: Callable[[], object]) -> Work:
    """Return what a call takes; operations that PyTorch has compiled are not seen."""
    bytes_moved = _Bytes()
    with FlopCounterMode(display=False) as flops, bytes_moved:
        run()
    return Work(float(flops.get_total_flops()), float(bytes_moved.total))


class _Bytes(TorchDispatchMode):
    """Adds up the bytes of all tensors that go in and out."""

    def __init__(self) -> None:
        super().__init__()
        self.total = 0

    def __torch_dispatch__(
        self, function: Any, types: Any, args: Any = (), kwargs: Any = None
    ) -> Any:
        result = function(*args, **(kwargs or {}))
        if not function.is_view:
            tensors = tree_leaves((args, kwargs, result))
            self.total += sum(item.nbytes for item in tensors if isinstance(item, torch.Tensor))
        return result


def seconds_of(call: Callable[[], object], device: torch.device) -> float:
    """Return how long a call takes, until the device has done its work."""
    begin = perf_counter()
    call()
    if device.type == 'cuda':
        torch.cuda.synchronize(device)
    return perf_counter() - begin
