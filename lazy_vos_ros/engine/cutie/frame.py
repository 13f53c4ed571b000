"""One frame as Cutie saw it."""

import numpy as np
import torch
from torch.nn import functional

from lazy_vos_ros.engine.backend import Image
from lazy_vos_ros.engine.cutie.network import CutieFeatures
from lazy_vos_ros.engine.cutie.network import CutieNetwork
from lazy_vos_ros.engine.xmem.preprocessing import Geometry
from lazy_vos_ros.engine.xmem.sensory import SensoryMemory


class CutieFrame:
    """What is needed to memorise a frame later; see :class:`engine.backend.FrozenFrame`."""

    def __init__(self, index: int, image: Image, geometry: Geometry, device: torch.device) -> None:
        self.index = index
        """Number of the frame since the last reset, from 0."""
        self.image = image
        """The original image."""
        self.geometry = geometry
        """How the image was resized and padded."""
        self.maps = image_to_cutie(image, geometry, device)
        """(1, 3, H, W) in [0, 1], the image as the network sees it."""
        self.sensory = SensoryMemory(self.maps.new_zeros((1, 0, 0, 1, 1)), ())
        """The sensory memory with which a value of this frame is encoded."""
        self._features: CutieFeatures | None = None

    def features(self, network: CutieNetwork) -> CutieFeatures:
        """Return the features of the image, encoded when first asked for."""
        if self._features is None:
            self._features = network.encode(self.maps)
        return self._features

    @property
    def nbytes(self) -> int:
        """Bytes that it keeps alive: image, features and sensory memory."""
        total = self.image.nbytes + self.maps.nbytes + self.sensory.hidden.nbytes
        return total + (0 if self._features is None else self._features.nbytes)


def image_to_cutie(image: Image, geometry: Geometry, device: torch.device) -> torch.Tensor:
    """Return `image` resized and padded with black: (1, 3, H, W) float32 in [0, 1].

    The network normalises it itself, so that its padding is not the zeros of XMem's.
    """
    pixels = torch.from_numpy(np.ascontiguousarray(image)).to(device)
    maps = pixels.permute(2, 0, 1)[None].float() / 255
    if geometry.resized != geometry.image:
        maps = functional.interpolate(
            maps, geometry.resized, mode='bilinear', align_corners=False, antialias=True
        )
    return functional.pad(maps, geometry.padding)
