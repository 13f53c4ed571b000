"""A tracker that costs nothing, for measuring everything else."""

from collections.abc import Collection
from collections.abc import Mapping
from dataclasses import dataclass

import torch

from lazy_vos_ros.engine.backend import FrozenFrame
from lazy_vos_ros.engine.backend import Image
from lazy_vos_ros.engine.backend import MemorySize
from lazy_vos_ros.engine.backend import MemoryWrite
from lazy_vos_ros.engine.backend import Prediction


@dataclass(frozen=True)
class FreeFrame:
    """A frame of which nothing is kept but the image."""

    index: int
    image: Image

    @property
    def nbytes(self) -> int:
        """Bytes of the image."""
        return self.image.nbytes


class FreeBackend:
    """Keeps every object where it was given; implements :class:`engine.backend.Backend`."""

    name = 'none (costs nothing)'
    device = torch.device('cpu')

    def __init__(self) -> None:
        self.reset()

    @property
    def object_ids(self) -> tuple[int, ...]:
        """Ids of the objects, ascending."""
        return self._ids

    def reset(self) -> None:
        """Begin again."""
        self._index = -1
        self._ids: tuple[int, ...] = ()
        self._probabilities = torch.ones(1, 1, 1)

    def predict(self, image: Image) -> Prediction:
        """Return what was given, or background if the image has another size."""
        self._index += 1
        if self._probabilities.shape[1:] != image.shape[:2]:
            self._probabilities = torch.zeros(1 + len(self._ids), *image.shape[:2])
            self._probabilities[0] = 1
        return Prediction(self._probabilities, self._ids, FreeFrame(self._index, image))

    def add_objects(self, prediction: Prediction, masks: Mapping[int, torch.Tensor]) -> Prediction:
        """Return the prediction with these objects."""
        self._ids = (*self._ids, *sorted(masks))
        given = torch.stack([masks[item].float() for item in sorted(masks)])
        kept = prediction.probabilities * (1 - given.amax(0))
        self._probabilities = torch.cat([kept, given])
        return Prediction(self._probabilities, self._ids, prediction.frame)

    def commit(
        self,
        prediction: Prediction,
        write: MemoryWrite = MemoryWrite.SCHEDULED,
        probabilities: torch.Tensor | None = None,
        *,
        deep_update: bool = False,
        without: Collection[int] = (),
        corrected: Collection[int] = (),
    ) -> bool:
        """Memorise nothing."""
        return False

    def discard(self) -> None:
        """Go on with the next frame."""

    def memorise(
        self,
        frame: FrozenFrame,
        object_ids: tuple[int, ...],
        probabilities: torch.Tensor,
        corrected: Collection[int] = (),
    ) -> bool:
        """Memorise nothing."""
        return False

    def remove_objects(self, object_ids: tuple[int, ...]) -> None:
        """Forget objects; KeyError names an unknown id."""
        for object_id in object_ids:
            if object_id not in self._ids:
                raise KeyError(object_id)
        kept = [c for c, item in enumerate(self._ids, 1) if item not in object_ids]
        self._probabilities = self._probabilities[[0, *kept]]
        self._ids = tuple(self._ids[channel - 1] for channel in kept)

    def memory_size(self) -> MemorySize:
        """Return zeros."""
        return MemorySize(0, 0, 0, 0)
