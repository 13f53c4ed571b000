"""One frame as the tracker saw it."""

from dataclasses import astuple
from dataclasses import replace

import torch

from lazy_vos_ros.engine.backend import Image
from lazy_vos_ros.engine.xmem.features import KeyFeatures
from lazy_vos_ros.engine.xmem.network import XMemNetwork
from lazy_vos_ros.engine.xmem.preprocessing import Geometry
from lazy_vos_ros.engine.xmem.sensory import SensoryMemory


class XMemFrame:
    """What is needed to memorise a frame later, and what a refiner may share.

    Beside the members of :class:`~lazy_vos_ros.engine.backend.FrozenFrame` it offers
    :attr:`features`, so that a refiner that works on the tracker's own image features needs no
    encoder, and :attr:`geometry`, which says where the pixels of the image lie in them. They are
    inference tensors: read them, do not write into them.
    """

    def __init__(
        self,
        index: int,
        image: Image,
        geometry: Geometry,
        maps: torch.Tensor,
        network: XMemNetwork,
    ) -> None:
        self.index = index
        """Number of the frame since the last reset, from 0."""
        self.image = image
        """The original image."""
        self.geometry = geometry
        """How the image was resized and padded."""
        self.maps = maps
        """(1, 3, H, W) the image as the network sees it."""
        self.sensory = SensoryMemory(maps.new_zeros((1, 0, network.hidden_dim, 1, 1)), ())
        """The sensory memory with which a value of this frame is encoded."""
        self._network = network
        self._features: KeyFeatures | None = None

    @property
    def features(self) -> KeyFeatures:
        """The features of the image, encoded when first asked for.

        Key, shrinkage and selection are float32, the others of the network's dtype.
        """
        if self._features is None:
            with torch.inference_mode():
                features = self._network.encode_key(self.maps)
                self._features = replace(
                    features,
                    key=features.key.float(),
                    shrinkage=features.shrinkage.float(),
                    selection=features.selection.float(),
                )
        return self._features

    @property
    def nbytes(self) -> int:
        """Bytes that it keeps alive: image, features and sensory memory."""
        total = self.image.nbytes + self.maps.nbytes + self.sensory.hidden.nbytes
        if self._features is not None:
            total += sum(tensor.nbytes for tensor in astuple(self._features))
        return total
