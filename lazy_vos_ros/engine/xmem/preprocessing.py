"""From a camera image to the network and from the network back to the image."""

from dataclasses import dataclass
from functools import cache

import numpy as np
import torch
from torch.nn import functional

from lazy_vos_ros.engine.backend import Image
from lazy_vos_ros.engine.transfer import to_device
from lazy_vos_ros.engine.xmem.config import XMemConfig

_MEAN = (0.485, 0.456, 0.406)
_STD = (0.229, 0.224, 0.225)
_LONGEST_ASPECT = 16


@dataclass(frozen=True)
class Geometry:
    """Where the pixels of an image lie at the network: resized, then padded with zeros."""

    image: tuple[int, int]
    """(H, W) of the original image."""
    resized: tuple[int, int]
    """(H, W) after resizing, the same for image and masks."""
    padding: tuple[int, int, int, int]
    """Zeros left, right, top and bottom; an odd pixel goes right or bottom."""

    @property
    def padded(self) -> tuple[int, int]:
        """(H, W) that the network sees."""
        left, right, top, bottom = self.padding
        return self.resized[0] + top + bottom, self.resized[1] + left + right


def plan_geometry(image: tuple[int, int], *, size: int, enlarge: bool, multiple: int) -> Geometry:
    """Plan how an image of (H, W) comes to a short side of `size` and multiples of `multiple`.

    `size` -1 keeps the native size; an image with a short side below `size` is kept as it is
    unless `enlarge`. Sizes are whole-number arithmetic: ``long * size // short``.

    Raises
    ------
    ValueError
        If a side is 0 or one side is more than 16 times the other.
    """
    height, width = image
    short = min(image)
    if short < 1 or max(image) > _LONGEST_ASPECT * short:
        raise ValueError(
            f'image is {width}x{height} pixels; allowed: at least 1x1, one side at most '
            f'{_LONGEST_ASPECT} times the other'
        )
    resized = image
    if size > 0 and (short > size or enlarge):
        resized = (height * size // short, width * size // short)
    top, bottom = _split(-resized[0] % multiple)
    left, right = _split(-resized[1] % multiple)
    return Geometry(image, resized, (left, right, top, bottom))


def scaled_size(image: Image, config: XMemConfig, scale: float) -> int:
    """Return the `size` at which an image is worked on at a part of what the settings say."""
    if scale == 1.0:
        return config.size
    short = min(image.shape[:2])
    whole = (
        config.size if 0 < config.size < short or (config.size > 0 and config.enlarge) else short
    )
    return max(1, round(scale * whole))


def _split(extra: int) -> tuple[int, int]:
    return extra // 2, extra - extra // 2


def check_image(image: Image) -> None:
    """Raise ValueError unless `image` is (H, W, 3) uint8."""
    if not isinstance(image, np.ndarray):
        raise ValueError(f'image is {type(image).__name__}; allowed: a NumPy array')
    if image.dtype != np.uint8 or image.ndim != 3 or image.shape[2] != 3:
        raise ValueError(f'image is {image.shape} {image.dtype}; allowed: (H, W, 3) uint8 RGB')


def image_to_network(image: Image, geometry: Geometry, device: torch.device) -> torch.Tensor:
    """Return `image` resized, normalised as for ImageNet and padded: (1, 3, H, W) float32.

    Resizing is bilinear with antialiasing. Zeros of the padding are added after normalisation.
    """
    pixels = to_device(image, device)
    maps = _resize(pixels.permute(2, 0, 1)[None].float(), geometry.resized)
    mean, std = _normalisation(device)
    normalised = maps.div_(255).sub_(mean).div_(std)
    return functional.pad(normalised, geometry.padding)


@cache
def _normalisation(device: torch.device) -> tuple[torch.Tensor, torch.Tensor]:
    """Return mean and standard deviation, (3, 1, 1), uploaded once."""
    mean, std = torch.tensor([_MEAN, _STD], device=device).unsqueeze(-1).unsqueeze(-1)
    return mean, std


def masks_to_network(masks: torch.Tensor, geometry: Geometry) -> torch.Tensor:
    """Return (n, H, W) bool masks of the image at the network: (n, H, W) float32 0 or 1."""
    maps = masks[:, None].float()
    if geometry.resized != geometry.image:
        maps = functional.interpolate(maps, geometry.resized, mode='nearest')
    return functional.pad(maps[:, 0], geometry.padding)


def objects_to_network(objects: torch.Tensor, geometry: Geometry) -> torch.Tensor:
    """Return (n, H, W) soft object channels of the image at the network, 0 in the padding."""
    return functional.pad(_resize(objects[None].float(), geometry.resized)[0], geometry.padding)


def probabilities_to_image(probabilities: torch.Tensor, geometry: Geometry) -> torch.Tensor:
    """Return (n+1, H, W) probabilities at the network without padding at the image's size."""
    left, _, top, _ = geometry.padding
    height, width = geometry.resized
    maps = probabilities[None, :, top : top + height, left : left + width]
    if geometry.resized != geometry.image:
        maps = functional.interpolate(maps, geometry.image, mode='bilinear', align_corners=False)
    return maps[0]


def _resize(maps: torch.Tensor, size: tuple[int, int]) -> torch.Tensor:
    if tuple(maps.shape[-2:]) == size:
        return maps
    return functional.interpolate(maps, size, mode='bilinear', align_corners=False, antialias=True)
