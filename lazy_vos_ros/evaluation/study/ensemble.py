"""A deep ensemble: trackers with different weights, each with a memory of its own."""

from collections.abc import Mapping
from collections.abc import Sequence

import torch

from lazy_vos_ros.engine.backend import Backend
from lazy_vos_ros.engine.backend import Image
from lazy_vos_ros.engine.backend import MemoryWrite
from lazy_vos_ros.engine.backend import Prediction
from lazy_vos_ros.evaluation.study.committee import Votes


class Ensemble:
    """Trackers in lock-step; implements :class:`evaluation.study.committee.Committee`.

    No member sees what another predicts: each remembers its own masks. One tracker alone is an
    ensemble, too: `single`.
    """

    def __init__(self, backends: Sequence[Backend]) -> None:
        """Take one or more trackers; ValueError if there is none."""
        if not backends:
            raise ValueError('an ensemble of 0 trackers; allowed: at least 1')
        self._backends = tuple(backends)
        self._predictions: list[Prediction] = []

    @property
    def name(self) -> str:
        """Short, for tables."""
        return 'single' if len(self._backends) == 1 else 'ensemble'

    @property
    def about(self) -> str:
        """Networks and weights in words."""
        return ', '.join(backend.name for backend in self._backends)

    @property
    def members(self) -> int:
        """How many trackers there are."""
        return len(self._backends)

    def predict(self, image: Image) -> Votes:
        """Segment the next frame with every member."""
        self._predictions = [backend.predict(image) for backend in self._backends]
        probabilities = [prediction.probabilities for prediction in self._predictions]
        return Votes(torch.stack(probabilities), self._predictions[0].object_ids)

    def commit(self, masks: Mapping[int, torch.Tensor]) -> None:
        """Bring in new objects, if any, and let every member remember by its own schedule."""
        write = MemoryWrite.FORCED if masks else MemoryWrite.SCHEDULED
        for backend, prediction in zip(self._backends, self._predictions, strict=True):
            backend.commit(backend.add_objects(prediction, masks), write)

    def reset(self) -> None:
        """Forget the video."""
        for backend in self._backends:
            backend.reset()
