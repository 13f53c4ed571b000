"""The image trunk of the compact model: EfficientNet-Lite0 up to stride 16.

Tan and Le, EfficientNet (2019); "Lite" has ReLU6 and no squeeze-and-excitation. Batch norm is
folded into the convolutions, since the trunk is used with its trained statistics only.
"""

from typing import NamedTuple

import torch
from torch import Tensor
from torch import nn
from torch.nn import functional

CHANNELS_4, CHANNELS_8, CHANNELS_16 = 24, 40, 112
"""Channels of the taps at stride 4, 8 and 16."""


class BlockPlan(NamedTuple):
    """One inverted bottleneck."""

    inputs: int
    outputs: int
    expansion: int
    kernel: int
    stride: int


PLAN = (
    BlockPlan(32, 16, 1, 3, 1),
    BlockPlan(16, 24, 6, 3, 2),
    BlockPlan(24, 24, 6, 3, 1),
    BlockPlan(24, 40, 6, 5, 2),
    BlockPlan(40, 40, 6, 5, 1),
    BlockPlan(40, 80, 6, 3, 2),
    BlockPlan(80, 80, 6, 3, 1),
    BlockPlan(80, 80, 6, 3, 1),
    BlockPlan(80, 112, 6, 5, 1),
    BlockPlan(112, 112, 6, 5, 1),
    BlockPlan(112, 112, 6, 5, 1),
)
_TAP_4, _TAP_8 = 2, 4


class SameConv(nn.Conv2d):
    """A convolution that keeps size/stride, with the odd pixel of padding on a chosen side.

    TensorFlow pads the odd pixel at the bottom right of every strided layer, which shifts the
    features of deep layers by half a cell; alternating the side cancels the shift.
    """

    def __init__(
        self,
        inputs: int,
        outputs: int,
        kernel: int,
        stride: int = 1,
        *,
        groups: int = 1,
        odd_pixel_first: bool = False,
    ) -> None:
        padding = kernel // 2 if stride == 1 else 0
        super().__init__(inputs, outputs, kernel, stride, padding, groups=groups)
        total = kernel - stride if stride > 1 else 0
        small, large = total // 2, total - total // 2
        first, last = (large, small) if odd_pixel_first else (small, large)
        self.same_padding = (first, last, first, last)

    def forward(self, x: Tensor) -> Tensor:
        """Return (B, outputs, H/stride, W/stride) for H, W divisible by the stride."""
        padded = functional.pad(x, self.same_padding) if self.stride[0] > 1 else x
        output: Tensor = super().forward(padded)
        return output


class InvertedBottleneck(nn.Module):
    """1x1 expansion, depthwise convolution, 1x1 projection; a shortcut where shapes agree."""

    def __init__(self, plan: BlockPlan, *, odd_pixel_first: bool) -> None:
        super().__init__()
        inner = plan.inputs * plan.expansion
        self.expand = nn.Conv2d(plan.inputs, inner, 1) if plan.expansion > 1 else None
        self.depthwise = SameConv(
            inner, inner, plan.kernel, plan.stride, groups=inner, odd_pixel_first=odd_pixel_first
        )
        self.project = nn.Conv2d(inner, plan.outputs, 1)
        self.shortcut = plan.stride == 1 and plan.inputs == plan.outputs

    def forward(self, x: Tensor) -> Tensor:
        """Return (B, outputs, H/stride, W/stride)."""
        y = x if self.expand is None else functional.relu6(self.expand(x))
        y = self.project(functional.relu6(self.depthwise(y)))
        output: Tensor = x + y if self.shortcut else y
        return output


class LiteTrunk(nn.Module):
    """Features at strides 4, 8 and 16, each channel standardised over the training images."""

    mean_4: Tensor
    mean_8: Tensor
    mean_16: Tensor
    scale_4: Tensor
    scale_8: Tensor
    scale_16: Tensor
    input_scale: Tensor
    input_shift: Tensor

    def __init__(self) -> None:
        super().__init__()
        self.stem = SameConv(3, 32, 3, 2)
        strided = [i for i, plan in enumerate(PLAN) if plan.stride > 1]
        self.blocks = nn.ModuleList(
            InvertedBottleneck(plan, odd_pixel_first=i in strided[::2])
            for i, plan in enumerate(PLAN)
        )
        for stride, channels in ((4, CHANNELS_4), (8, CHANNELS_8), (16, CHANNELS_16)):
            self.register_buffer(f'mean_{stride}', torch.zeros(1, channels, 1, 1))
            self.register_buffer(f'scale_{stride}', torch.ones(1, channels, 1, 1))
        # The engine normalises with the ImageNet mean; this trunk was trained with another.
        mean, std = torch.tensor([0.485, 0.456, 0.406]), torch.tensor([0.229, 0.224, 0.225])
        self.register_buffer('input_scale', (std / 0.502).view(1, 3, 1, 1), persistent=False)
        shift = ((mean - 0.498) / 0.502).view(1, 3, 1, 1)
        self.register_buffer('input_shift', shift, persistent=False)

    def channels_last(self) -> None:
        """Lay the kernels out channels last, which makes the trunk a quarter faster on a CPU."""
        for parameter in self.parameters():
            if parameter.dim() == 4:
                parameter.data = parameter.data.to(memory_format=torch.channels_last)

    def forward(self, image: Tensor) -> tuple[Tensor, Tensor, Tensor]:
        """Return the taps (B, 112, H/16, W/16), (B, 40, H/8, W/8), (B, 24, H/4, W/4).

        `image` is (B, 3, H, W), ImageNet-normalised, H and W divisible by 16.
        """
        x = functional.relu6(self.stem(image * self.input_scale + self.input_shift))
        taps = []
        for i, block in enumerate(self.blocks):
            x = block(x)
            if i in (_TAP_4, _TAP_8):
                taps.append(x)
        f4, f8 = taps
        return (
            (x - self.mean_16) * self.scale_16,
            (f8 - self.mean_8) * self.scale_8,
            (f4 - self.mean_4) * self.scale_4,
        )
