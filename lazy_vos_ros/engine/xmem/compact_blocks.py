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


class ContextBlock(nn.Module):
    """Residual block of a wide depthwise convolution and two 1x1 ones (Liu et al., 2022).

    It begins as the identity: its last convolution starts at 0.
    """

    def __init__(self, channels: int, reach: int = 3) -> None:
        super().__init__()
        size = 2 * reach + 1
        self.around = nn.Conv2d(channels, channels, size, padding=reach, groups=channels)
        self.norm = nn.GroupNorm(_GROUPS, channels)
        self.widen = nn.Conv2d(channels, 2 * channels, 1)
        self.narrow = nn.Conv2d(2 * channels, channels, 1)
        for parameter in self.narrow.parameters():
            nn.init.zeros_(parameter)

    def forward(self, x: Tensor) -> Tensor:
        """Map (B, channels, h, w) to the same shape."""
        inner = self.widen(self.norm(self.around(x))).relu()
        output: Tensor = x + self.narrow(inner)
        return output
