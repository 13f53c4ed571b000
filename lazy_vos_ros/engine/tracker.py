"""LazyTracker: the only class of the engine that the rest of the house calls."""

from collections.abc import Callable
from collections.abc import Sequence

import numpy as np
import numpy.typing as npt

from lazy_vos_ros.engine.backend import Backend
from lazy_vos_ros.engine.backend import Image
from lazy_vos_ros.engine.backend import MemorySize
from lazy_vos_ros.engine.clicks import Click
from lazy_vos_ros.engine.config import LazyConfig
from lazy_vos_ros.engine.prompts import Prompt
from lazy_vos_ros.engine.refiners.base import Refiner
from lazy_vos_ros.engine.results import Answer
from lazy_vos_ros.engine.results import CorrectionEvent
from lazy_vos_ros.engine.results import CorrectionRequest
from lazy_vos_ros.engine.results import FrameResult

Operator = Callable[[CorrectionRequest], Answer | None]
"""Answers a question at once, or returns None to leave it open."""


class LazyTracker:
    """A tracker that says when it is about to lose an object, and takes help.

    Not thread-safe: one worker thread owns it.
    """

    def __init__(
        self,
        backend: Backend,
        refiner: Refiner,
        config: LazyConfig | None = None,
        *,
        operator: Operator | None = None,
    ) -> None:
        raise NotImplementedError

    @property
    def config(self) -> LazyConfig:
        """The settings in force."""
        raise NotImplementedError

    def configure(self, config: LazyConfig) -> None:
        """Change the settings from the next frame on."""
        raise NotImplementedError

    @property
    def latest(self) -> FrameResult | None:
        """The result of the newest frame; None before the first."""
        raise NotImplementedError

    @property
    def object_ids(self) -> tuple[int, ...]:
        """Ids of the objects being tracked, ascending."""
        raise NotImplementedError

    @property
    def open_requests(self) -> tuple[CorrectionRequest, ...]:
        """Questions that wait for an answer, oldest first."""
        raise NotImplementedError

    def step(self, image: Image, stamp: float | None = None) -> FrameResult:
        """Track through the next frame; `stamp` in seconds, None: the frame index."""
        raise NotImplementedError

    def add_objects(
        self, image: Image, prompts: Sequence[Prompt], stamp: float | None = None
    ) -> FrameResult:
        """Take one time step on `image`, in which these objects appear."""
        raise NotImplementedError

    def add_object(
        self,
        image: Image,
        *,
        click: Click | None = None,
        mask: npt.NDArray[np.bool_] | npt.NDArray[np.uint8] | None = None,
        label: str = '',
        stamp: float | None = None,
    ) -> int:
        """Take one time step on `image`, in which one object appears; return its id."""
        raise NotImplementedError

    def answer(self, request_id: str, answer: Answer) -> CorrectionEvent:
        """Use the answer to a question, any number of frames later."""
        raise NotImplementedError

    def correct(self, object_id: int, answer: Answer) -> CorrectionEvent:
        """Correct an object on the newest frame without having been asked."""
        raise NotImplementedError

    def remove_object(self, object_id: int) -> CorrectionEvent:
        """Stop tracking an object; its id is not used again."""
        raise NotImplementedError

    def reset(self) -> tuple[CorrectionEvent, ...]:
        """Forget everything but weights and settings; return events not reported yet."""
        raise NotImplementedError

    def memory_size(self) -> MemorySize:
        """Return how much the tracker remembers now."""
        raise NotImplementedError
