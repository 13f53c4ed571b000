"""The part of an image in which an object is refined, so that small objects are seen large."""

from collections.abc import Sequence
from dataclasses import dataclass

import torch
from torch import Tensor

from lazy_vos_ros.engine.clicks import Click

MARGIN = 1.75
"""Side of the window over the longer side of the box around object and clicks."""
LEAST_SIDE = 32
"""Pixels; below that there is nothing to see."""


@dataclass(frozen=True)
class Window:
    """Rows and columns of an image, from the first up to before the last."""

    top: int
    bottom: int
    left: int
    right: int

    @property
    def size(self) -> tuple[int, int]:
        """Height and width."""
        return self.bottom - self.top, self.right - self.left

    @property
    def slices(self) -> tuple[slice, slice]:
        """Rows and columns."""
        return slice(self.top, self.bottom), slice(self.left, self.right)

    def clicks(self, clicks: Sequence[Click]) -> list[Click]:
        """Return the clicks in coordinates of the window."""
        return [Click(c.x - self.left, c.y - self.top, positive=c.positive) for c in clicks]


def window_around(mask: Tensor, clicks: Sequence[Click]) -> Window | None:
    """Return a square around a mask (H, W) bool and the clicks, cut at the image's border.

    None if the mask is empty: nobody knows then how large the object is.
    """
    if not bool(mask.any()):
        return None
    rows, columns = (mask.any(axis).nonzero()[:, 0] for axis in (1, 0))
    top, bottom = _span(rows, [click.y for click in clicks])
    left, right = _span(columns, [click.x for click in clicks])
    side = max(MARGIN * max(bottom - top, right - left), LEAST_SIDE)
    height, width = mask.shape
    return Window(*_placed(top + bottom, side, height), *_placed(left + right, side, width))


def _span(indices: Tensor, points: list[float]) -> tuple[float, float]:
    ends = torch.stack([indices.min(), indices.max()]).tolist()
    return min(ends[0], *points), max(ends[1], *points) + 1


def _placed(twice_centre: float, side: float, length: int) -> tuple[int, int]:
    """Return first and last of `side` pixels around the centre, moved into 0..length."""
    first = round(min(max((twice_centre - side) / 2, 0), max(length - side, 0)))
    return first, min(first + round(side), length)
