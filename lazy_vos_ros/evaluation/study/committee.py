"""Several opinions about every frame."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Protocol

import torch

from lazy_vos_ros.engine.backend import Image


@dataclass(frozen=True)
class Votes:
    """What the members of a committee make of one frame."""

    members: torch.Tensor
    """(K, n+1, H, W) probabilities at the size of the image, background first."""
    object_ids: tuple[int, ...]
    """Ids of channels 1..n, ascending."""


class Committee(Protocol):
    """One or more trackers that go through a video in step, without any correction.

    Each frame is :meth:`predict`, then :meth:`commit`.
    """

    @property
    def name(self) -> str:
        """Short, for tables: `single`, `ensemble` or `dropout`."""
        ...

    @property
    def about(self) -> str:
        """Networks and weights in words."""
        ...

    @property
    def members(self) -> int:
        """How many opinions there are about a frame with objects."""
        ...

    def predict(self, image: Image) -> Votes:
        """Segment the next (H, W, 3) uint8 RGB frame."""
        ...

    def commit(self, masks: Mapping[int, torch.Tensor]) -> None:
        """Bring in new objects by their (H, W) bool masks, if any, and finish the frame."""
        ...

    def reset(self) -> None:
        """Forget the video."""
        ...
