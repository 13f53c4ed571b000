"""The compact click refiner's network: clicks on the trunk's features give mask logits."""

from dataclasses import dataclass
from typing import NamedTuple

import torch
from torch import Tensor
from torch import nn
from torch.nn import functional

from lazy_vos_ros.engine.xmem.blocks import upsample
from lazy_vos_ros.engine.xmem.lite_trunk import CHANNELS_4
from lazy_vos_ros.engine.xmem.lite_trunk import CHANNELS_8
from lazy_vos_ros.engine.xmem.lite_trunk import CHANNELS_16

DISC_RADIUS = 6.0
"""Radius in pixels of the network's image of the disc around a click."""
_FAR = 1e6


class Taps(NamedTuple):
    """The trunk's features of (B, 3, H, W) images."""

    f16: Tensor
    """(B, 112, H/16, W/16)."""
    f8: Tensor
    """(B, 40, H/8, W/8)."""
    f4: Tensor
    """(B, 24, H/4, W/4)."""


@dataclass(frozen=True)
class ClickConfig:
    """Sizes of the network."""

    coarse: int = 96
    middle: int = 48
    fine: int = 24
    match: int = 32
    """Channels in which locations are compared with the clicked ones, at each level."""


class DilatedBlock(nn.Module):
    """Residual block of two 3x3 convolutions, the first one dilated."""

    def __init__(self, channels: int, dilation: int) -> None:
        super().__init__()
        self.norm = nn.GroupNorm(8, channels)
        self.conv1 = nn.Conv2d(channels, channels, 3, padding=dilation, dilation=dilation)
        self.conv2 = nn.Conv2d(channels, channels, 3, padding=1)

    def forward(self, x: Tensor) -> Tensor:
        """Map (B, C, h, w) to the same shape."""
        output: Tensor = x + self.conv2(self.conv1(self.norm(x).relu()).relu())
        return output


def clicked_features(maps: Tensor, points: Tensor, size: tuple[int, int]) -> Tensor:
    """Sample (B, C, h, w) maps at (B, K, 2) x, y points of an image of `size`: (B, K, C)."""
    height, width = size
    scale = torch.tensor([2 / width, 2 / height], device=points.device)
    grid = (points + 0.5) * scale - 1
    sampled = functional.grid_sample(
        maps, grid[:, None].to(maps.dtype), padding_mode='border', align_corners=False
    )
    return sampled[:, :, 0].transpose(1, 2)


def click_maps(points: Tensor, kinds: Tensor, size: tuple[int, int], stride: int) -> Tensor:
    """Draw clicks: (B, 4, H/stride, W/stride), discs and closeness of positive and negative ones.

    `points` is (B, K, 2) x, y; `kinds` (B, K) is 1 positive, -1 negative, 0 no click. The disc is
    1 within :data:`DISC_RADIUS`; closeness falls from 1 to 0 with the logarithm of the distance.
    """
    rows = torch.arange(size[0] // stride, device=points.device) * stride + (stride - 1) / 2
    columns = torch.arange(size[1] // stride, device=points.device) * stride + (stride - 1) / 2
    dx = columns.view(1, 1, 1, -1) - points[..., 0, None, None]
    dy = rows.view(1, 1, -1, 1) - points[..., 1, None, None]
    squares = dx.square() + dy.square()
    maps = []
    for kind in (1, -1):
        absent = (kinds != kind)[..., None, None]
        distance = squares.masked_fill(absent, _FAR).amin(1).sqrt()
        maps.append((distance <= max(DISC_RADIUS, 0.75 * stride)).float())
        maps.append((1 - (1 + distance / 8).log() / 4).clamp(0, 1))
    return torch.stack(maps, 1)


def similarity_maps(maps: Tensor, points: Tensor, kinds: Tensor, size: tuple[int, int]) -> Tensor:
    """Compare each location with the clicked ones: (B, 2, h, w), best positive and negative.

    Cosine similarity; -1 everywhere if there is no such click.
    """
    unit = functional.normalize(maps, dim=1)
    clicked = functional.normalize(clicked_features(maps, points, size), dim=-1)
    cosine = torch.einsum('bkc,bchw->bkhw', clicked, unit)
    best = [cosine.masked_fill((kinds != kind)[..., None, None], -1).amax(1) for kind in (1, -1)]
    return torch.stack(best, 1)


class ClickNetwork(nn.Module):
    """Mask logits at stride 4 and the expected IoU, from features, clicks and a previous mask."""

    def __init__(self, config: ClickConfig) -> None:
        super().__init__()
        coarse, middle, fine = config.coarse, config.middle, config.fine
        self.match_16 = nn.Conv2d(CHANNELS_16, config.match, 1)
        self.match_8 = nn.Conv2d(CHANNELS_8, config.match, 1)
        self.match_4 = nn.Conv2d(CHANNELS_4, config.match, 1)
        # Beside features: 4 click maps, 2 similarities a level, the previous mask and whether
        # there is one.
        self.image_16 = nn.Conv2d(CHANNELS_16, coarse, 1)
        self.cues_16 = nn.Conv2d(4 + 6 + 2, coarse, 3, padding=1)
        self.clicked_16 = nn.Linear(CHANNELS_16, coarse)
        self.context = nn.ModuleList(DilatedBlock(coarse, d) for d in (1, 2, 4, 1))
        self.up_8 = nn.Conv2d(coarse, middle, 1)
        self.image_8 = nn.Conv2d(CHANNELS_8, middle, 3, padding=1)
        self.cues_8 = nn.Conv2d(4 + 4 + 2, middle, 3, padding=1)
        self.block_8 = DilatedBlock(middle, 1)
        self.up_4 = nn.Conv2d(middle, fine, 1)
        self.image_4 = nn.Conv2d(CHANNELS_4, fine, 3, padding=1)
        self.cues_4 = nn.Conv2d(4 + 2 + 2, fine, 3, padding=1)
        self.block_4 = DilatedBlock(fine, 1)
        self.predict = nn.Conv2d(fine, 1, 3, padding=1)
        self.quality = nn.Linear(coarse, 1)

    def forward(
        self, taps: Taps, points: Tensor, kinds: Tensor, previous: Tensor | None
    ) -> tuple[Tensor, Tensor]:
        """Segment what was clicked.

        Parameters
        ----------
        taps
            Features of images whose size (H, W) is 4 times that of f4.
        points, kinds
            (B, K, 2) x, y in these images and (B, K): 1 positive, -1 negative, 0 none.
        previous
            (B, 1, H/4, W/4) probabilities to start from, or None.

        Returns
        -------
        Logits (B, 1, H/4, W/4) and the expected IoU (B,) in 0..1.
        """
        height, width = taps.f4.shape[-2:]
        size = (4 * height, 4 * width)
        before = taps.f4.new_zeros(len(taps.f4), 2, height, width)
        if previous is not None:
            before = torch.cat([previous, torch.ones_like(previous)], 1)
        same_16 = similarity_maps(self.match_16(taps.f16), points, kinds, size)
        same_8 = similarity_maps(self.match_8(taps.f8), points, kinds, size)
        same_4 = similarity_maps(self.match_4(taps.f4), points, kinds, size)
        pooled = functional.avg_pool2d
        near_4 = click_maps(points, kinds, size, 4)
        near_8 = click_maps(points, kinds, size, 8)
        near_16 = click_maps(points, kinds, size, 16)
        cues = [near_16, same_16, pooled(same_8, 2), pooled(same_4, 4), pooled(before, 4)]
        positive = (kinds == 1).to(taps.f16.dtype)[..., None]
        clicked = clicked_features(taps.f16, points, size) * positive
        mean = clicked.sum(1) / positive.sum(1).clamp_min(1)
        x = self.image_16(taps.f16) + self.cues_16(torch.cat(cues, 1))
        x = x + self.clicked_16(mean)[..., None, None]
        for block in self.context:
            x = block(x)
        quality = self.quality(x.mean((2, 3)))[:, 0].sigmoid()
        x = upsample(self.up_8(x), 2) + self.image_8(taps.f8)
        x = x + self.cues_8(torch.cat([near_8, same_8, pooled(same_4, 2), pooled(before, 2)], 1))
        x = upsample(self.up_4(self.block_8(x)), 2) + self.image_4(taps.f4)
        x = self.block_4(x + self.cues_4(torch.cat([near_4, same_4, before], 1)))
        return self.predict(x.relu()), quality
