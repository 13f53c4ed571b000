"""What a network extracts from an image."""

from dataclasses import dataclass
from typing import NamedTuple

import torch


class ImageFeatures(NamedTuple):
    """Features of an image at strides 16, 8 and 4."""

    f16: torch.Tensor
    """(B, C16, H/16, W/16)."""
    f8: torch.Tensor
    """(B, C8, H/8, W/8)."""
    f4: torch.Tensor
    """(B, C4, H/4, W/4)."""


@dataclass(frozen=True)
class KeyFeatures:
    """What the network extracts from an image alone; h, w are its size divided by the stride."""

    key: torch.Tensor
    """(B, C_k, h, w)."""
    shrinkage: torch.Tensor
    """(B, 1, h, w), at least 1."""
    selection: torch.Tensor
    """(B, C_k, h, w) in (0, 1)."""
    f16: torch.Tensor
    """(B, C16, H/16, W/16)."""
    f8: torch.Tensor
    """(B, C8, H/8, W/8)."""
    f4: torch.Tensor
    """(B, C4, H/4, W/4)."""

    @property
    def size(self) -> tuple[int, int]:
        """(h, w) of the key."""
        return self.key.shape[-2], self.key.shape[-1]
