"""Light, shading, colour, noise, blur and compression of synthetic clips, on the training device.

What happens to which clip is drawn from a generator on the CPU, so that a run is the same
whatever its device.
"""

from typing import NamedTuple

import torch
from torch import Tensor
from torch.nn import functional

GREY_SHARE = 0.05
SOFT_SHARE = 0.1
"""Clips blurred throughout."""
MOTION_SHARE = 0.1
"""Clips blurred along a line in all frames but the first, which a person would choose sharp."""
COMPRESSED_SHARE = 0.25
SHADED_SHARE = 0.6
NOISY_SHARE = 0.4
_MOST_NOISE = 10.0
"""Standard deviation in grey levels."""
_SHADING_KNOTS = 6
"""Knots a side of the shading of a frame."""
_REACH = 6
"""Pixels that a blur reaches."""
_BLOCK = 8

# The quantisation table of luminance of the JPEG standard (ITU T.81, table K.1).
_TABLE = (
    (16, 11, 10, 16, 24, 40, 51, 61),
    (12, 12, 14, 19, 26, 58, 60, 55),
    (14, 13, 16, 24, 40, 57, 69, 56),
    (14, 17, 22, 29, 51, 87, 80, 62),
    (18, 22, 37, 56, 68, 109, 103, 77),
    (24, 35, 55, 64, 81, 104, 113, 92),
    (49, 64, 78, 87, 103, 121, 120, 101),
    (72, 92, 95, 98, 112, 100, 103, 99),
)


class Light(NamedTuple):
    """How bright and how coloured every frame is."""

    gain: Tensor
    """(B, T, 3)."""
    offset: Tensor
    """(B, T) grey levels."""


def disturb(images: Tensor, generator: torch.Generator) -> Tensor:
    """Return (B, T, S, S, 3) uint8 clips disturbed, on their device; S is divisible by 8."""
    clips, frames = images.shape[:2]
    chances = torch.rand(clips, 3, generator=generator)
    light = random_light(clips, frames, generator)
    shading = random_shading(clips, frames, generator)
    noise = noise_levels(clips, generator)
    kernels = blur_kernels(chances[:, 0], frames, generator)
    qualities = 25 + 45 * torch.rand(clips, generator=generator)
    maps = images.movedim(-1, 2).float()
    device = maps.device
    maps = maps * light.gain.to(device)[..., None, None]
    maps = maps * spread(shading.to(device), maps.shape[-1])
    maps = (maps + light.offset.to(device)[..., None, None, None]).clamp(0, 255)
    grey = (chances[:, 1] < GREY_SHARE).to(device).view(-1, 1, 1, 1, 1)
    maps = torch.where(grey, maps.mean(2, keepdim=True), maps)
    for clip, kernel in kernels.items():
        maps[clip] = blur(maps[clip], kernel.to(device))
    grain = torch.randn(maps[0].shape, generator=generator).to(device)
    for clip, level in enumerate(noise.tolist()):
        if level:
            maps[clip] += level * grain
    for clip in torch.nonzero(chances[:, 2] < COMPRESSED_SHARE)[:, 0].tolist():
        maps[clip] = compress(maps[clip], float(qualities[clip]))
    return maps.round().clamp(0, 255).to(torch.uint8).movedim(2, -1)


def random_light(clips: int, frames: int, generator: torch.Generator) -> Light:
    """Draw a gain per channel and an offset that drift over the clip."""
    ramp = torch.linspace(0, 1, frames)
    drift = torch.randn(clips, 1, 3, generator=generator) * 0.1 * ramp.view(1, -1, 1)
    gain = (torch.randn(clips, 1, 3, generator=generator) * 0.15 + drift).exp()
    base = torch.randn(clips, 1, generator=generator) * 12
    slope = torch.randn(clips, 1, generator=generator) * 10
    return Light(gain, base + slope * ramp)


def random_shading(clips: int, frames: int, generator: torch.Generator) -> Tensor:
    """Draw gains (B, T, knots, knots) that differ from place to place and drift over the clip.

    Without them a pixel's look would tell too well which one it was before.
    """
    shape = (clips, 1, _SHADING_KNOTS, _SHADING_KNOTS)
    strength = torch.rand(clips, 1, 1, 1, generator=generator)
    strength = strength * (torch.rand(clips, 1, 1, 1, generator=generator) < SHADED_SHARE)
    ramp = torch.linspace(-1, 1, frames).view(1, -1, 1, 1)
    drift = torch.randn(shape, generator=generator) * ramp
    flicker = torch.randn(clips, frames, *shape[2:], generator=generator)
    return (strength * (0.2 * drift + 0.08 * flicker)).exp()


def spread(shading: Tensor, side: int) -> Tensor:
    """Return (B, T, knots, knots) gains at every pixel: (B, T, 1, S, S)."""
    maps = functional.interpolate(shading, size=(side, side), mode='bicubic')
    return maps.unsqueeze(2)


def noise_levels(clips: int, generator: torch.Generator) -> Tensor:
    """Draw the standard deviation (B,) of each clip's noise in grey levels, 0 for most."""
    levels = torch.rand(clips, generator=generator) * _MOST_NOISE
    return levels * (torch.rand(clips, generator=generator) < NOISY_SHARE)


def blur_kernels(chances: Tensor, frames: int, generator: torch.Generator) -> dict[int, Tensor]:
    """Return (T, K, K) kernels of the clips to be blurred, by their number."""
    draws = torch.rand(len(chances), 2, generator=generator)
    kernels = {}
    for clip, chance in enumerate(chances.tolist()):
        strength, angle = draws[clip].tolist()
        if chance < SOFT_SHARE:
            kernels[clip] = soft_kernel(0.5 + strength).expand(frames, -1, -1)
        elif chance < SOFT_SHARE + MOTION_SHARE:
            line = motion_kernel(1.5 + 4 * strength, 3.1416 * angle)
            kernels[clip] = line.repeat(frames, 1, 1)
            kernels[clip][0] = soft_kernel(0.05)
    return kernels


def _offsets() -> tuple[Tensor, Tensor]:
    axis = torch.arange(-_REACH, _REACH + 1).float()
    rows, columns = torch.meshgrid(axis, axis, indexing='ij')
    return rows, columns


def soft_kernel(sigma: float) -> Tensor:
    """Return a (K, K) Gaussian that sums to 1; a tiny sigma leaves an image as it is."""
    rows, columns = _offsets()
    kernel = (-(rows.square() + columns.square()) / (2 * sigma**2)).exp()
    return kernel / kernel.sum()


def motion_kernel(reach: float, angle: float) -> Tensor:
    """Return a (K, K) line of half-length `reach` pixels that sums to 1."""
    rows, columns = _offsets()
    direction = torch.tensor([angle]).cos(), torch.tensor([angle]).sin()
    along = columns * direction[0] + rows * direction[1]
    across = rows * direction[0] - columns * direction[1]
    kernel = (1 - across.abs()).clamp_min(0) * (along.abs() <= reach)
    return kernel / kernel.sum()


def blur(maps: Tensor, kernels: Tensor) -> Tensor:
    """Convolve (T, 3, S, S) with one of the (T, K, K) kernels each."""
    frames, channels = maps.shape[:2]
    padded = functional.pad(maps, (_REACH,) * 4, mode='reflect').flatten(0, 1)[None]
    weight = kernels.repeat_interleave(channels, 0)[:, None]
    return functional.conv2d(padded, weight, groups=frames * channels)[0].view_as(maps)


def compress(maps: Tensor, quality: float) -> Tensor:
    """Quantise the 8x8 cosine transform of (T, 3, S, S) maps 0..255 as JPEG of this quality does.

    `quality` is 1 to 99, as of the JPEG library; colour is not subsampled.
    """
    scale = 50 / quality if quality < 50 else 2 - quality / 50
    table = (torch.tensor(_TABLE, device=maps.device) * scale).round().clamp_min(1)
    basis = cosine_basis().to(maps.device)
    blocks = maps.unflatten(-1, (-1, _BLOCK)).unflatten(-3, (-1, _BLOCK)).movedim(-3, -2)
    coefficients = basis @ (blocks - 128) @ basis.T
    restored = basis.T @ ((coefficients / table).round() * table) @ basis + 128
    return restored.movedim(-2, -3).flatten(-4, -3).flatten(-2).clamp(0, 255)


def cosine_basis() -> Tensor:
    """Return the orthonormal (8, 8) matrix of the discrete cosine transform, type II."""
    steps = torch.arange(_BLOCK).float()
    basis = (torch.pi * (steps[None] + 0.5) * steps[:, None] / _BLOCK).cos() / 2
    basis[0] /= 2**0.5
    return basis
