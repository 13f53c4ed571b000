"""A predicted frame that waits for its commit."""

from dataclasses import dataclass

import torch

from lazy_vos_ros.engine.backend import Prediction
from lazy_vos_ros.engine.cutie.checks import check_probabilities
from lazy_vos_ros.engine.cutie.frame import CutieFrame
from lazy_vos_ros.engine.cutie.network import STRIDE
from lazy_vos_ros.engine.xmem.preprocessing import objects_to_network
from lazy_vos_ros.engine.xmem.preprocessing import probabilities_to_image
from lazy_vos_ros.engine.xmem.sensory import SensoryMemory


@dataclass(frozen=True)
class Pending:
    """A frame between predict and commit."""

    frame: CutieFrame
    probabilities: torch.Tensor
    """(n+1, H, W) at the network."""
    object_ids: tuple[int, ...]
    brings_objects: bool = False

    def published(self) -> Prediction:
        """Return it as the lazy layer sees it, at the size of the image."""
        probabilities = probabilities_to_image(self.probabilities, self.frame.geometry)
        return Prediction(probabilities, self.object_ids, self.frame)

    def objects(self, probabilities: torch.Tensor | None) -> torch.Tensor:
        """Return (n, H, W) soft masks to be memorised, at the network.

        Parameters
        ----------
        probabilities
            (n+1, H, W) at the image, to be used in place of the predicted ones.

        Raises
        ------
        ValueError
            If they are of another shape.
        """
        if probabilities is None:
            return self.probabilities[1:]
        check_probabilities(probabilities, len(self.object_ids), self.frame)
        device = self.probabilities.device
        return objects_to_network(probabilities[1:].to(device), self.frame.geometry)


def at_stride(objects: torch.Tensor, object_ids: tuple[int, ...]) -> SensoryMemory:
    """Return (n, H, W) masks as the next frame looks at them, one value for each cell."""
    count, height, width = objects.shape
    blocks = objects.reshape(count, height // STRIDE, STRIDE, width // STRIDE, STRIDE)
    return SensoryMemory(blocks.mean((2, 4))[None, :, None], object_ids)
