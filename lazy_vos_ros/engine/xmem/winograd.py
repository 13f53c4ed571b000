"""3x3 convolutions with a quarter of the multiplications (Winograd's F(4x4, 3x3)).

Lavin and Gray, Fast Algorithms for Convolutional Neural Networks (2016). Tiles of 6x6 inputs that
overlap by 2 give 4x4 outputs: both are transformed linearly, and in between there is one matrix
product over channels for each of the 36 places of a tile instead of nine for each of 16 outputs.
"""

import numpy as np
import numpy.typing as npt
import torch
from torch import nn
from torch.nn import functional

_OUTPUTS, _INPUTS = 4, 6
"""Side of a tile of outputs and of the inputs that it needs."""
_ROWS_AT_ONCE = 8
"""Rows of tiles that are transformed at once, so that they stay in the cache."""
_FEWEST_CHANNELS = 128
"""With fewer, the transforms take as long as the products that they save."""

# Interpolation at 0, 1, -1, 1/2, -2 and infinity. These points round a third as much as the usual
# 0, +-1, +-2: about as much as the sum over channels itself.
_INPUT_TRANSFORM = np.array(
    [
        [1, -1.5, -2, 1.5, 1, 0],
        [0, -1, 0.5, 2.5, 1, 0],
        [0, 1, -2.5, 0.5, 1, 0],
        [0, -2, -1, 2, 1, 0],
        [0, 0.5, -1, -0.5, 1, 0],
        [0, 1, -1.5, -2, 1.5, 1],
    ]
)
_KERNEL_TRANSFORM = np.array(
    [
        [1, 0, 0],
        [1 / 3, 1 / 3, 1 / 3],
        [-1 / 3, 1 / 3, -1 / 3],
        [-16 / 15, -8 / 15, -4 / 15],
        [1 / 15, -2 / 15, 4 / 15],
        [0, 0, 1],
    ]
)
_OUTPUT_TRANSFORM = np.array(
    [
        [1, 1, 1, 1, 1, 0],
        [0, 1, -1, 0.5, -2, 0],
        [0, 1, 1, 0.25, 4, 0],
        [0, 1, -1, 0.125, -8, 1],
    ]
)


def suits(conv: nn.Conv2d) -> bool:
    """Whether :class:`WinogradConv` can take the place of a convolution and is faster."""
    return (
        conv.kernel_size == (3, 3)
        and conv.stride == conv.dilation == conv.padding == (1, 1)
        and conv.groups == 1
        and min(conv.in_channels, conv.out_channels) >= _FEWEST_CHANNELS
    )


class WinogradConv(nn.Module):
    """A 3x3 convolution that keeps the size, for many channels on a CPU, without gradients.

    Its weights take four times the memory of the convolution's. Rounding differs by about as much
    as two orders of summation do.
    """

    weight: torch.Tensor
    """(36, inputs, outputs), the transformed kernels."""
    bias: torch.Tensor
    """(outputs,)."""
    _before: torch.Tensor
    _after: torch.Tensor

    def __init__(self, conv: nn.Conv2d) -> None:
        super().__init__()
        kernels = conv.weight.detach().flatten(2)
        transform = _both_ways(_KERNEL_TRANSFORM, kernels)
        weight = torch.einsum('pk,oik->pio', transform, kernels)
        bias = conv.weight.new_zeros(conv.out_channels) if conv.bias is None else conv.bias
        self.register_buffer('weight', weight.contiguous())
        self.register_buffer('bias', bias.detach())
        self.register_buffer('_before', _both_ways(_INPUT_TRANSFORM, kernels), persistent=False)
        self.register_buffer('_after', _both_ways(_OUTPUT_TRANSFORM, kernels), persistent=False)

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        """Map (B, inputs, h, w) to (B, outputs, h, w), channels last."""
        height, width = x.shape[-2:]
        down, across = -(-height // _OUTPUTS), -(-width // _OUTPUTS)
        border = (1, 1 + across * _OUTPUTS - width, 1, 1 + down * _OUTPUTS - height)
        padded = functional.pad(x, border).permute(0, 2, 3, 1).contiguous()
        outputs = len(self.bias)
        result = x.new_empty(len(x), down, _OUTPUTS, across, _OUTPUTS, outputs)
        for image, target in zip(padded, result, strict=True):
            for first in range(0, down, _ROWS_AT_ONCE):
                end = min(down, first + _ROWS_AT_ONCE)
                tiles = _tiles(image[first * _OUTPUTS :], end - first, across)
                torch.add(self._tiles_of_outputs(tiles), self.bias, out=target[first:end])
        shape = (len(x), down * _OUTPUTS, across * _OUTPUTS, outputs)
        return result.view(shape)[:, :height, :width].permute(0, 3, 1, 2)

    def _tiles_of_outputs(self, tiles: torch.Tensor) -> torch.Tensor:
        """Return (rows, 4, columns, 4, outputs) of (6, 6, rows, columns, inputs)."""
        _, _, rows, columns, inputs = tiles.shape
        spread = self._before @ tiles.reshape(_INPUTS**2, -1)
        summed = spread.view(_INPUTS**2, rows * columns, inputs) @ self.weight
        made = self._after @ summed.view(_INPUTS**2, -1)
        return made.view(_OUTPUTS, _OUTPUTS, rows, columns, -1).permute(2, 0, 3, 1, 4)


def _both_ways(transform: npt.NDArray[np.float64], like: torch.Tensor) -> torch.Tensor:
    """Return the transform of rows and columns of a tile as one matrix."""
    return torch.from_numpy(np.kron(transform, transform)).to(like)


def _tiles(image: torch.Tensor, rows: int, columns: int) -> torch.Tensor:
    """Return the overlapping tiles of (h, w, C) as a view: (6, 6, rows, columns, C)."""
    down, across, channel = image.stride()
    return image.as_strided(
        (_INPUTS, _INPUTS, rows, columns, image.shape[-1]),
        (down, across, _OUTPUTS * down, _OUTPUTS * across, channel),
        image.storage_offset(),
    )
