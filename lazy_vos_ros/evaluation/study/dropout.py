"""Monte-Carlo dropout: one tracker that asks its memory several times, each time with less."""

from collections.abc import Iterator
from collections.abc import Mapping
from dataclasses import replace

import torch

from lazy_vos_ros.engine.backend import Backend
from lazy_vos_ros.engine.backend import Image
from lazy_vos_ros.engine.backend import MemoryWrite
from lazy_vos_ros.engine.backend import Prediction
from lazy_vos_ros.engine.xmem.aggregation import aggregate
from lazy_vos_ros.engine.xmem.backend import XMemBackend
from lazy_vos_ros.engine.xmem.features import KeyFeatures
from lazy_vos_ros.engine.xmem.frame import XMemFrame
from lazy_vos_ros.engine.xmem.preprocessing import probabilities_to_image
from lazy_vos_ros.evaluation.study.committee import Votes

RATE = 0.2
"""Part of the key's channels that is dropped (supplement of the paper)."""
PASSES = 10
"""Passes a frame; the paper gives no number."""


class Dropout:
    """Stochastic queries to one memory; implements `evaluation.study.committee.Committee`.

    In each pass whole channels of the projected key are set to 0, the others scaled so that
    their mean stays; the memory is read and the mask decoded with that query. The passes share
    memory and sensory memory: what is remembered is the prediction with the whole key, which is
    the passes' mean key. So the tracker goes its way as if nobody had asked.
    """

    name = 'dropout'

    def __init__(
        self, backend: Backend, *, rate: float = RATE, passes: int = PASSES, seed: int = 0
    ) -> None:
        """Take one tracker.

        Raises
        ------
        ValueError
            If the rate is not in (0, 1), there are fewer than 2 passes, or the tracker is not
            XMem: only its memory can be read again.
        """
        if not isinstance(backend, XMemBackend):
            raise ValueError(f'dropout on {backend.name}; allowed: a tracker of XMem, or 0 passes')
        if not 0 < rate < 1:
            raise ValueError(f'dropout rate is {rate}; allowed: above 0, below 1')
        if passes < 2:
            raise ValueError(f'passes are {passes}; allowed: at least 2, or 0 for no dropout')
        self._backend = backend
        self._prediction: Prediction | None = None
        self._rate = rate
        self._passes = passes
        self._seed = seed
        self._random = torch.Generator().manual_seed(seed)

    @property
    def about(self) -> str:
        """Networks and weights in words."""
        return f'{self._backend.name}, {self._passes} passes without {self._rate:.0%} of the key'

    @property
    def members(self) -> int:
        """How many passes there are."""
        return self._passes

    def predict(self, image: Image) -> Votes:
        """Segment the next frame, then again in every pass."""
        self._prediction = self._backend.predict(image)
        frame, object_ids = self._prediction.frame, self._prediction.object_ids
        if not object_ids:
            return Votes(self._prediction.probabilities[None], object_ids)
        if not isinstance(frame, XMemFrame):
            raise ValueError(f'frame is {type(frame).__name__}; allowed: a frame of XMem')
        members = [self._read(frame, query) for query in self._queries(frame.features)]
        return Votes(torch.stack(members), object_ids)

    def commit(self, masks: Mapping[int, torch.Tensor]) -> None:
        """Bring in new objects, if any, and remember the prediction with the whole key.

        Raises
        ------
        RuntimeError
            If no frame was predicted.
        """
        if self._prediction is None:
            raise RuntimeError('no frame waits for a commit; call predict first')
        write = MemoryWrite.FORCED if masks else MemoryWrite.SCHEDULED
        self._backend.commit(self._backend.add_objects(self._prediction, masks), write)
        self._prediction = None

    def reset(self) -> None:
        """Forget the video; the next one draws the same random numbers again."""
        self._backend.reset()
        self._prediction = None
        self._random.manual_seed(self._seed)

    def _queries(self, features: KeyFeatures) -> Iterator[KeyFeatures]:
        channels = features.key.shape[1]
        for _ in range(self._passes):
            kept = torch.rand(1, channels, 1, 1, generator=self._random) >= self._rate
            scale = kept.to(features.key) / (1 - self._rate)
            yield replace(features, key=features.key * scale)

    @torch.inference_mode()
    def _read(self, frame: XMemFrame, query: KeyFeatures) -> torch.Tensor:
        """Return the (n+1, H, W) prediction of the waiting frame for another query.

        It only looks: neither the use of memory elements nor the sensory memory changes.
        """
        reading = self._backend.memory.read(query)
        hidden = self._backend.sensory.resized(query.size).hidden
        _, logits = self._backend.network.decode(
            query, reading.values, hidden, update_hidden=False
        )
        return probabilities_to_image(aggregate(logits[0].float().sigmoid()), frame.geometry)
