"""Blocks of the compact network."""

from torch import Tensor
from torch import nn

from lazy_vos_ros.engine.xmem.blocks import conv3x3

_GROUPS = 8


class NormResBlock(nn.Module):
    """Residual block of two 3x3 convolutions after group norms."""

    def __init__(self, channels: int) -> None:
        super().__init__()
        self.norm1 = nn.GroupNorm(_GROUPS, channels)
        self.conv1 = conv3x3(channels, channels)
        self.norm2 = nn.GroupNorm(_GROUPS, channels)
        self.conv2 = conv3x3(channels, channels)

    def forward(self, x: Tensor) -> Tensor:
        """Map (B, channels, h, w) to the same shape."""
        inner = self.conv1(self.norm1(x).relu())
        output: Tensor = x + self.conv2(self.norm2(inner).relu())
        return output
