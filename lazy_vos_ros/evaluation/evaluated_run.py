"""Everything that a report of one bag needs."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from dataclasses import field
from functools import cached_property
from typing import Any

import numpy as np
import numpy.typing as npt

from lazy_vos_ros.engine.backend import Image
from lazy_vos_ros.engine.config import LazyConfig
from lazy_vos_ros.engine.results import EventKind
from lazy_vos_ros.evaluation.quality import Quality
from lazy_vos_ros.evaluation.runs import Frame
from lazy_vos_ros.evaluation.runs import Run
from lazy_vos_ros.evaluation.runs import TimedEvent
from lazy_vos_ros.evaluation.runs import labels_of
from lazy_vos_ros.evaluation.summary import ANSWERS
from lazy_vos_ros.evaluation.summary import Summary


@dataclass(frozen=True)
class Question:
    """A question to the operator and what became of it."""

    asked: TimedEvent
    closing: TimedEvent | None
    """The answer, skip, expiry or refusal; None if it was open at the end."""

    @property
    def waited(self) -> float | None:
        """Seconds from the question to its closing, of whatever kind; None if it was open."""
        return None if self.closing is None else self.closing.time - self.asked.time

    @property
    def reaction(self) -> float | None:
        """Seconds from the question to its answer; None if it was not answered."""
        answered = self.closing is not None and self.closing.kind in ANSWERS
        return self.waited if answered else None


@dataclass(frozen=True)
class FramePictures:
    """What was recorded of one image; None where it was not, or cannot be read."""

    image: Image | None
    """(H, W, 3) uint8 RGB."""
    labels: npt.NDArray[np.uint16] | None
    """(H, W) object ids that were put out."""
    entropy: npt.NDArray[np.float32] | None
    """(H, W) entropy of the prediction, 0..1."""


@dataclass(frozen=True)
class EvaluatedRun:
    """One run as it was recorded, with its figures.

    Of the run itself, see :class:`Run`: `run.frames` hold stamps, S_R, dS, areas, timings, memory
    and drops, `run.events` everything that the operator and the tracker did.
    """

    name: str
    """Short and unique among the runs of one report."""
    run: Run
    config: LazyConfig
    """The thresholds in force, as far as the bag tells them; else the defaults."""
    summary: Summary
    """Speed, drops, latency and workload."""
    quality: Quality | None = None
    """J, F and so on by object and frame; None without ground truth."""
    repaired: Quality | None = None
    """The same with the masks that replays of late answers gave; None if there were none."""
    about: Mapping[str, str] = field(default_factory=dict)
    """What the figures are of, in words: weights, refiner, ground truth, spans of time."""

    @property
    def missing(self) -> tuple[str, ...]:
        """What could not be read or was not recorded, for people."""
        return self.run.notes

    @property
    def settings(self) -> Mapping[str, str]:
        """What the tracker said of itself: weights, refiner, thresholds, device and so on."""
        return self.run.settings

    @cached_property
    def labels(self) -> dict[int, str]:
        """The name of every object, by id."""
        return labels_of(self.run)

    @property
    def begin(self) -> float:
        """Stamp of the first processed frame, seconds."""
        return self.run.frames[0].seconds

    @cached_property
    def questions(self) -> tuple[Question, ...]:
        """All questions in the order in which they were asked."""
        asked = self.run.events_of(EventKind.ASKED)
        return tuple(Question(event, self.run.closing_of(event)) for event in asked)

    def seconds(self, frame: Frame) -> float:
        """Return the time of a frame since the first one, seconds."""
        return frame.seconds - self.begin

    def iou(self, object_id: int, frame: Frame) -> float | None:
        """Return J of an object in a frame; None where its true mask is not known."""
        quality = self.quality.of(object_id) if self.quality else None
        return None if quality is None else quality.iou_of(frame.stamp)

    def frame_near(self, seconds: float) -> Frame:
        """Return the processed frame whose stamp (s) is nearest, as of `TimedEvent.stamp`."""
        return min(self.run.frames, key=lambda frame: abs(frame.seconds - seconds))

    def pictures(self, frame: Frame) -> FramePictures:
        """Read image, mask and entropy of a frame from the bag."""
        source = self.run.pictures
        if source is None:
            return FramePictures(None, None, None)
        return FramePictures(
            _readable(source.image, frame.stamp),
            _readable(source.labels, frame.stamp),
            _readable(source.entropy, frame.stamp),
        )


def _readable(read: Any, stamp: int) -> Any:
    """Return a picture; None if the recorded one is of an unknown encoding or damaged."""
    try:
        return read(stamp)
    except ValueError:
        return None
