"""Bring the sensory memory of the last frame to where things are now.

Between two frames things move little. Each pixel of the new frame looks for the pixels of the
last one that look alike and lie near, and takes over what was remembered there. A look-alike
further away does not answer; the long memory, which knows no place, cannot tell it apart.
"""

import torch
from torch import Tensor

from lazy_vos_ros.engine.xmem.similarity import rows

_WEIGHTS_AT_ONCE = 1 << 23
"""Most weights that are computed at once, which bounds the memory of large images."""


def align(
    states: Tensor, remembered: Tensor, current: Tensor, sharpness: Tensor, locality: Tensor
) -> Tensor:
    """Read remembered states at the nearby pixels that look alike.

    The weight of pixel p of the last frame for pixel q of this one is the softmax over p of
    ``sharpness * <current_q, remembered_p> - locality * |q - p|^2``, distances in cells.

    Parameters
    ----------
    states
        (B, n, C, h, w) of n objects.
    remembered, current
        (B, E, h, w) unit embeddings of the last and of this frame.
    sharpness, locality
        Positive scalars.

    Returns
    -------
    (B, n, C, h, w).
    """
    # Squared distances need the full precision that autocast would take from them.
    with torch.autocast(states.device.type, enabled=False):
        return _align(states, remembered.float(), current.float(), sharpness, locality)


def _align(
    states: Tensor, remembered: Tensor, current: Tensor, sharpness: Tensor, locality: Tensor
) -> Tensor:
    batch, objects, channels, *size = states.shape
    places = _places(size[0], size[1], states.device)
    square = places.square().sum(-1, keepdim=True)
    one = torch.ones_like(square)
    # |q - p|^2 = |q|^2 - 2 q.p + |p|^2; the first term is the same for all p.
    where = torch.cat([2 * places, -square], -1) * locality
    asked = torch.cat([places, one], -1).expand(batch, -1, -1)
    memory = torch.cat([rows(remembered) * sharpness, where.expand(batch, -1, -1)], -1)
    query = torch.cat([rows(current), asked], -1)
    values = states.reshape(batch, objects * channels, -1).to(query.dtype)
    step = max(1, _WEIGHTS_AT_ONCE // (batch * values.shape[-1]))
    read = [values @ (part @ memory.mT).softmax(-1).mT for part in torch.split(query, step, -2)]
    aligned = torch.cat(read, -1).view(batch, objects, channels, *size)
    return aligned.to(states.dtype)


def _places(height: int, width: int, device: torch.device) -> Tensor:
    """Return (h*w, 2) row and column of each cell, from the middle."""
    row = torch.arange(height, device=device).float() - (height - 1) / 2
    column = torch.arange(width, device=device).float() - (width - 1) / 2
    return torch.stack(torch.meshgrid(row, column, indexing='ij'), -1).flatten(0, 1)
