"""One run of the tracker as it was recorded, in a bag or offline."""

from __future__ import annotations

from collections.abc import Mapping
from collections.abc import Sequence
from dataclasses import dataclass
from dataclasses import field
from dataclasses import fields
from typing import Protocol

import numpy as np
import numpy.typing as npt
import yaml

from lazy_vos_ros.engine.backend import Image
from lazy_vos_ros.engine.config import LazyConfig
from lazy_vos_ros.engine.parameters import Parameter
from lazy_vos_ros.engine.parameters import parameters_of
from lazy_vos_ros.engine.results import CorrectionEvent
from lazy_vos_ros.engine.results import EventKind
from lazy_vos_ros.engine.results import FrameResult
from lazy_vos_ros.engine.results import ObjectState
from lazy_vos_ros.engine.results import Timings

CORRECTIONS = frozenset({EventKind.ANSWERED, EventKind.ABSENT, EventKind.CORRECTED})
"""What counts as a correction by the operator; the first click and a skip do not."""

CLOSINGS = frozenset(
    {
        EventKind.ANSWERED,
        EventKind.ABSENT,
        EventKind.SKIPPED,
        EventKind.EXPIRED,
        EventKind.REFUSED,
    }
)
"""What may become of a question."""


@dataclass(frozen=True)
class Frame:
    """What the tracker made of one image."""

    stamp: int
    """Of the image, nanoseconds."""
    index: int
    """Processed frames since the last reset, from 0."""
    objects: tuple[ObjectState, ...]
    """Ascending by id."""
    finished: float
    """When its result was there, seconds by the recording's clock."""
    timings: Timings
    mean_entropy: float = 0.0
    memorised: bool = False
    working_memory: int = 0
    """Elements."""
    long_term_memory: int = 0
    """Elements."""
    dropped: int = 0
    """Images replaced by newer ones before they could be processed, up to this frame."""
    latency: float | None = None
    """Seconds from the image's stamp to the result; None where they are not of one clock."""

    @property
    def seconds(self) -> float:
        """The stamp in seconds."""
        return self.stamp * 1e-9

    def state_of(self, object_id: int) -> ObjectState | None:
        """Return the state of an object; None if it is not tracked in this frame."""
        return next((item for item in self.objects if item.object_id == object_id), None)


@dataclass(frozen=True)
class TimedEvent(CorrectionEvent):
    """An event with the time at which it took effect."""

    time: float = 0.0
    """Seconds by the tracker's clock."""

    @classmethod
    def at(cls, event: CorrectionEvent, time: float) -> TimedEvent:
        """Return `event` with its time."""
        values = {item.name: getattr(event, item.name) for item in fields(CorrectionEvent)}
        return cls(**values, time=time)


class Pictures(Protocol):
    """Images of a run, read when they are asked for."""

    def image(self, stamp: int) -> Image | None:
        """Return the (H, W, 3) uint8 RGB image of this stamp (ns); None if it is not there."""
        ...

    def labels(self, stamp: int) -> npt.NDArray[np.uint16] | None:
        """Return the (H, W) object ids that were put out for it."""
        ...

    def entropy(self, stamp: int) -> npt.NDArray[np.float32] | None:
        """Return the (H, W) entropy of its prediction, 0..1."""
        ...


@dataclass(frozen=True)
class Diagnosis:
    """One status of /diagnostics that is not OK, for as long as it stayed the same."""

    time: float
    """Of its first message, seconds by the recording's clock."""
    level: str
    """warn, error or stale."""
    name: str
    message: str
    count: int = 1
    """Messages in a row that said so."""


@dataclass(frozen=True)
class Run:
    """Frames and events in the order in which they came."""

    name: str
    """For people: the path of the bag, or the source."""
    frames: tuple[Frame, ...]
    events: tuple[TimedEvent, ...]
    sent: int | None = None
    """Images that the camera published; None where they were not recorded."""
    pictures: Pictures | None = field(default=None, repr=False, compare=False)
    settings: Mapping[str, str] = field(default_factory=dict)
    """What the tracker said of itself at last, such as its weights and thresholds."""
    notes: tuple[str, ...] = ()
    """What the recording lacks, for people."""
    published: tuple[int, ...] = ()
    """Stamps of the images that the camera published, nanoseconds, ascending."""
    clip_times: Mapping[int, int] = field(default_factory=dict)
    """Time in the clip by stamp, both nanoseconds, if a clip was played."""
    diagnoses: tuple[Diagnosis, ...] = ()
    """What was not well, in the order in which it came."""

    @property
    def object_ids(self) -> tuple[int, ...]:
        """Ids of all objects of the run, ascending."""
        return tuple(sorted({item.object_id for frame in self.frames for item in frame.objects}))

    def life(self, object_id: int) -> tuple[Frame, ...]:
        """Return the frames in which an object was tracked, the one of its first click first."""
        return tuple(frame for frame in self.frames if frame.state_of(object_id) is not None)

    def events_of(self, kind: EventKind) -> tuple[TimedEvent, ...]:
        """Return the events of one kind."""
        return tuple(event for event in self.events if event.kind is kind)

    def corrected_frames(self, object_id: int) -> list[int]:
        """Return which frames of an object's life were corrected by the operator.

        Counted from 0 at the first frame of its life; the frame that a correction concerns, also
        where the answer came later.
        """
        stamps = np.array([frame.seconds for frame in self.life(object_id)])
        return sorted(
            {
                int(np.abs(stamps - event.stamp).argmin())
                for event in self.events
                if event.object_id == object_id and event.kind in CORRECTIONS and len(stamps)
            }
        )

    def closing_of(self, asked: TimedEvent) -> TimedEvent | None:
        """Return what became of a question; None if it was open at the end."""
        return next(
            (
                event
                for event in self.events
                if event.request_id == asked.request_id and event.kind in CLOSINGS
            ),
            None,
        )


def frame_of(result: FrameResult, finished: float) -> Frame:
    """Return the record of a frame that was processed offline, `finished` in seconds."""
    return Frame(
        stamp=round(result.stamp * 1e9),
        index=result.frame_index,
        objects=result.objects,
        finished=finished,
        timings=result.timings,
        mean_entropy=float(result.entropy.mean()),
        memorised=result.memorised,
    )


def config_of(run: Run) -> LazyConfig:
    """Return the settings of the method as far as the run tells them, else the defaults.

    Raises
    ------
    ValueError
        If what it tells is not allowed.
    """
    told = {
        item.name: item.check(_parsed(item, run.settings[item.name]))
        for item in parameters_of(LazyConfig)
        if item.name in run.settings
    }
    return LazyConfig(**told)  # type: ignore[arg-type]  # each is checked


def _parsed(item: Parameter, text: str) -> object:
    """Return what the text of a setting stands for; `inf` is none of YAML's numbers."""
    value = yaml.safe_load(text)
    if item.kind is not float or not isinstance(value, str):
        return value
    try:
        return float(value)
    except ValueError:
        return value


def labels_of(run: Run) -> dict[int, str]:
    """Return the name of every object, by id."""
    return {item.object_id: item.label for frame in run.frames for item in frame.objects}


def stream_seconds(frames: Sequence[Frame]) -> float:
    """Return the seconds of the stream from the first of these frames to the last."""
    return frames[-1].seconds - frames[0].seconds if frames else 0.0
