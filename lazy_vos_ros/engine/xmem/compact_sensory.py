"""What the compact network's sensory memory holds: a learnt state, the last mask, the last key."""

from typing import NamedTuple

import torch
from torch import Tensor
from torch.nn import functional

from lazy_vos_ros.engine.xmem.blocks import fold
from lazy_vos_ros.engine.xmem.blocks import unfold

SUBCELLS = 2
"""Sub-cells of a key's cell along each side; they lie at stride 4."""
MASK_CHANNELS = SUBCELLS * SUBCELLS


class Sensory(NamedTuple):
    """Parts of the sensory memory of (B*n) objects; each (B*n, C, h, w)."""

    state: Tensor
    """What the recurrent update has learnt to keep."""
    cells: Tensor
    """The last mask in sub-cells, 0..1."""
    key: Tensor
    """The key of the last frame, of length 1."""


def sensory_channels(state: int, key: int) -> int:
    """Return C_h."""
    return state + MASK_CHANNELS + key


def split_sensory(hidden: Tensor, state: int) -> Sensory:
    """Split (B, n, C_h, h, w)."""
    folded = fold(hidden)
    return Sensory(
        folded[:, :state],
        folded[:, state : state + MASK_CHANNELS],
        folded[:, state + MASK_CHANNELS :],
    )


def join_sensory(state: Tensor, cells: Tensor, key: Tensor, batch: int) -> Tensor:
    """Join (B*n, C, h, w) state and mask and (B, C_k, h, w) key to (B, n, C_h, h, w)."""
    own = functional.normalize(key, dim=1).to(state.dtype)
    copies = own.repeat_interleave(len(state) // batch, 0)
    return unfold(torch.cat([state, cells.to(state.dtype), copies], 1), batch)


def mask_cells(masks: Tensor, stride: int) -> Tensor:
    """Return (B*n, 1, S, S') masks at `stride` pixels a cell in sub-cells: (B*n, 4, h, w)."""
    return functional.pixel_unshuffle(functional.avg_pool2d(masks, stride // SUBCELLS), SUBCELLS)
