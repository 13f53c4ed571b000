"""Kernels that enlarge a mask a little, so that its uncertain rim counts too."""

from collections.abc import Callable
from math import pi
from math import sqrt

import cv2
import numpy as np
import numpy.typing as npt

Kernel = npt.NDArray[np.uint8]
"""(k, k) of 0 and 1."""
Mask = npt.NDArray[np.bool_]


def disc(radius: int) -> Kernel:
    """Return the symmetric disc of odd size ``2 radius + 1``, its rim included."""
    steps = np.arange(-radius, radius + 1)
    return (steps[:, None] ** 2 + steps**2 <= radius**2).astype(np.uint8)


def ratio_kernel(area: int, ratio: float) -> Kernel:
    """Return the disc by which a round mask of `area` pixels grows by about `ratio`.

    The radius is at least 1, so that small masks get a rim as well.
    """
    growth = (sqrt(1 + ratio) - 1) * sqrt(area / pi)
    return disc(max(1, round(growth)))


def code_kernel(area: int, ratio: float) -> Kernel:
    """Return the kernel of the published code: even, a disc inside an empty outer ring.

    Its size is ``int(sqrt(ratio * area))``, made even and at least 2. That of size 2 is empty.
    """
    size = int(sqrt(ratio * area))
    size = max(2, size + size % 2)
    half = size // 2
    steps = np.arange(half)
    quarter = (steps[:, None] ** 2 + steps**2 < (half - 1) ** 2).astype(np.uint8)
    right = np.concatenate([quarter[::-1], quarter])
    return np.concatenate([right[:, ::-1], right], 1)


def fixed_kernel(area: int, ratio: float) -> Kernel:
    """Return the disc of radius 1, whatever the mask (the supplement's kernel size 2)."""
    del area, ratio
    return disc(1)


KERNELS: dict[str, Callable[[int, float], Kernel]] = {
    'ratio': ratio_kernel,
    'code': code_kernel,
    'fixed': fixed_kernel,
}
"""The values of ``LazyConfig.dilation``."""


def dilate(mask: Mask, kernel: Kernel) -> Mask:
    """Return the (H, W) mask dilated by the kernel; outside of the image nothing is set.

    As in OpenCV, the anchor is at ``k // 2``: an even kernel shifts the result by half a pixel to
    the bottom right, and an empty one counts as one whose only element is the first, so that an
    empty kernel of size 2 shifts the mask by one pixel.
    """
    if not kernel.any():
        kernel = kernel.copy()
        kernel[0, 0] = 1
    return cv2.dilate(mask.view(np.uint8), kernel).view(np.bool_)


def window_around(mask: Mask, margin: int) -> tuple[slice, slice]:
    """Return rows and columns of the smallest box around the mask, wider by `margin` pixels."""
    x, y, width, height = cv2.boundingRect(mask.view(np.uint8))
    return (
        slice(max(0, y - margin), y + height + margin),
        slice(max(0, x - margin), x + width + margin),
    )
