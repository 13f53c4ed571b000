"""The published architecture: ResNet-50 key encoder, ResNet-18 value encoder.

Names and order of all 412 entries of the state are those of the published checkpoints.
"""

from dataclasses import dataclass

import torch
from torch import nn

from lazy_vos_ros.engine.xmem.blocks import FeatureFusionBlock
from lazy_vos_ros.engine.xmem.blocks import GatedUpdate
from lazy_vos_ros.engine.xmem.blocks import KeyProjection
from lazy_vos_ros.engine.xmem.blocks import fold
from lazy_vos_ros.engine.xmem.blocks import repeat_for
from lazy_vos_ros.engine.xmem.blocks import unfold
from lazy_vos_ros.engine.xmem.decoder import Decoder
from lazy_vos_ros.engine.xmem.decoder import Levels
from lazy_vos_ros.engine.xmem.features import KeyFeatures
from lazy_vos_ros.engine.xmem.network import XMemNetwork

_LEVELS = Levels(1024, 512, 256)


@dataclass(frozen=True)
class Dimensions:
    """Channels of key, value and sensory memory (`hidden`, may be 0)."""

    key: int = 64
    value: int = 512
    hidden: int = 64


def official_network(dimensions: Dimensions | None = None) -> XMemNetwork:
    """Build the published network with random weights, in evaluation mode."""
    dims = dimensions or Dimensions()
    network = XMemNetwork(
        KeyEncoder(),
        ValueEncoder(dims.value, dims.hidden),
        KeyProjection(_LEVELS.coarse, dims.key),
        Decoder(_LEVELS, Levels(512, 256, 256), value=dims.value, hidden=dims.hidden, update=256),
        key_dim=dims.key,
        value_dim=dims.value,
        hidden_dim=dims.hidden,
        stride=16,
    )
    return network.eval()


class KeyEncoder(nn.Module):
    """ResNet-50 up to stride 16."""

    def __init__(self) -> None:
        super().__init__()
        self.conv1 = nn.Conv2d(3, 64, 7, stride=2, padding=3, bias=False)
        self.bn1 = nn.BatchNorm2d(64)
        self.maxpool = nn.MaxPool2d(3, stride=2, padding=1)
        self.res2 = bottlenecks(64, 64, count=3, stride=1)
        self.layer2 = bottlenecks(256, 128, count=4, stride=2)
        self.layer3 = bottlenecks(512, 256, count=6, stride=2)

    def forward(self, image: torch.Tensor) -> tuple[torch.Tensor, torch.Tensor, torch.Tensor]:
        """Return f16, f8, f4 with 1024, 512 and 256 channels."""
        f4 = self.res2(self.maxpool(self.bn1(self.conv1(image)).relu_()))
        f8 = self.layer2(f4)
        return self.layer3(f8), f8, f4


class ValueEncoder(nn.Module):
    """ResNet-18 up to stride 16 on [image, mask, masks of the others], fused with f16."""

    def __init__(self, value: int, hidden: int) -> None:
        super().__init__()
        self.conv1 = nn.Conv2d(5, 64, 7, stride=2, padding=3, bias=False)
        self.bn1 = nn.BatchNorm2d(64)
        self.maxpool = nn.MaxPool2d(3, stride=2, padding=1)
        self.layer1 = basic_blocks(64, 64, stride=1)
        self.layer2 = basic_blocks(64, 128, stride=2)
        self.layer3 = basic_blocks(128, 256, stride=2)
        self.fuser = FeatureFusionBlock(_LEVELS.coarse, 256, value, value)
        self.hidden_reinforce = GatedUpdate(value, hidden) if hidden else None

    def forward(
        self,
        image: torch.Tensor,
        features: KeyFeatures,
        hidden: torch.Tensor,
        masks: torch.Tensor,
        *,
        deep_update: bool,
    ) -> tuple[torch.Tensor, torch.Tensor]:
        """Return value (B, n, C_v, h, w) and the (refreshed) sensory memory."""
        batch = image.shape[0]
        own = fold(masks).unsqueeze(1)
        others = fold(masks.sum(1, keepdim=True) - masks).unsqueeze(1)
        x = self.conv1(torch.cat([repeat_for(image, own), own, others], 1))
        x = self.maxpool(self.bn1(x).relu_())
        value = self.fuser(features.f16, self.layer3(self.layer2(self.layer1(x))))
        if deep_update and self.hidden_reinforce is not None:
            hidden = unfold(self.hidden_reinforce(value, fold(hidden)), batch)
        return unfold(value, batch), hidden


class Bottleneck(nn.Module):
    """Residual block 1x1, 3x3 (strided), 1x1 that widens four times."""

    def __init__(self, inputs: int, width: int, stride: int) -> None:
        super().__init__()
        self.conv1 = nn.Conv2d(inputs, width, 1, bias=False)
        self.bn1 = nn.BatchNorm2d(width)
        self.conv2 = nn.Conv2d(width, width, 3, stride=stride, padding=1, bias=False)
        self.bn2 = nn.BatchNorm2d(width)
        self.conv3 = nn.Conv2d(width, 4 * width, 1, bias=False)
        self.bn3 = nn.BatchNorm2d(4 * width)
        self.downsample = shortcut(inputs, 4 * width, stride)

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        """Map (B, inputs, h, w) to (B, 4 * width, h / stride, w / stride)."""
        y = self.bn1(self.conv1(x)).relu_()
        y = self.bn2(self.conv2(y)).relu_()
        y = self.bn3(self.conv3(y))
        result: torch.Tensor = (y + (x if self.downsample is None else self.downsample(x))).relu_()
        return result


class BasicBlock(nn.Module):
    """Residual block of two 3x3 convolutions."""

    def __init__(self, inputs: int, width: int, stride: int) -> None:
        super().__init__()
        self.conv1 = nn.Conv2d(inputs, width, 3, stride=stride, padding=1, bias=False)
        self.bn1 = nn.BatchNorm2d(width)
        self.conv2 = nn.Conv2d(width, width, 3, padding=1, bias=False)
        self.bn2 = nn.BatchNorm2d(width)
        self.downsample = shortcut(inputs, width, stride)

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        """Map (B, inputs, h, w) to (B, width, h / stride, w / stride)."""
        y = self.bn2(self.conv2(self.bn1(self.conv1(x)).relu_()))
        result: torch.Tensor = (y + (x if self.downsample is None else self.downsample(x))).relu_()
        return result


def shortcut(inputs: int, outputs: int, stride: int) -> nn.Sequential | None:
    """Return the projection of a residual shortcut, None where the identity fits."""
    if inputs == outputs and stride == 1:
        return None
    return nn.Sequential(
        nn.Conv2d(inputs, outputs, 1, stride=stride, bias=False), nn.BatchNorm2d(outputs)
    )


def bottlenecks(inputs: int, width: int, *, count: int, stride: int) -> nn.Sequential:
    """Return a stage of bottlenecks, the first of which carries the stride."""
    first = Bottleneck(inputs, width, stride)
    return nn.Sequential(first, *(Bottleneck(4 * width, width, 1) for _ in range(count - 1)))


def basic_blocks(inputs: int, width: int, *, stride: int) -> nn.Sequential:
    """Return a stage of two basic blocks, the first of which carries the stride."""
    return nn.Sequential(BasicBlock(inputs, width, stride), BasicBlock(width, width, 1))
