"""What an operator sees: immutable values that RViz, the web page and tests all draw from.

Times are seconds of the desk's clock (:attr:`Snapshot.now`); only differences mean anything.
Clicks are in pixels of the camera's image.
"""

from dataclasses import dataclass
from dataclasses import field
from enum import Enum

import numpy as np
import numpy.typing as npt

from lazy_vos_ros.engine.clicks import Click
from lazy_vos_ros.engine.results import Absent

Picture = npt.NDArray[np.uint8]
"""(H, W, 3) uint8 RGB."""

Mask = npt.NDArray[np.bool_]
"""(H, W)."""

Proposal = tuple[Click, ...] | Absent
"""What will be answered unless it is undone: clicks (none: nothing yet), or "object is gone"."""


@dataclass(frozen=True, eq=False)
class Question:
    """A tracker's question about one object in one frozen image."""

    key: str
    """Its request id, unique over all trackers."""
    tracker: str
    """Full name of the node that asks, such as `/robot_1/lazy_vos`."""
    camera: str
    """frame_id of the image."""
    object_id: int
    label: str
    """The object's name for people."""
    reason: str
    """Why it is asked, for people."""
    uncertainty: float
    """S_R."""
    derivative: float
    """dS; the greater, the more urgent."""
    asked: float
    """When it was asked."""
    expires: float
    """When the tracker will not take an answer any more; inf: never."""
    stamp: int
    """Of the image, nanoseconds."""
    image: Picture = field(repr=False)
    mask: Mask = field(repr=False)
    """The object as predicted."""
    entropy: npt.NDArray[np.float32] = field(repr=False)
    """(H, W), 0..1."""

    @property
    def urgency(self) -> tuple[float, float]:
        """Smallest first: by dS, then by age."""
        return -self.derivative, self.asked


class Deed(Enum):
    """What an :class:`Entry` tells."""

    ANSWERED = 'answered'
    """Clicks answered a question."""
    ABSENT = 'absent'
    """The operator said that the object is gone, asked or unasked."""
    SKIPPED = 'skipped'
    WITHDRAWN = 'withdrawn'
    """A question went away unanswered: it expired, its object was removed, its tracker left."""
    STARTED = 'started'
    """A new object, by clicks."""
    CORRECTED = 'corrected'
    """Clicks unasked."""
    REMOVED = 'removed'
    UNDONE = 'undone'
    """A correction that was sent before is taken back."""


class Outcome(Enum):
    """How far a deed has come."""

    SENT = 'sent'
    """The tracker has not said yet what became of it."""
    DONE = 'done'
    REFUSED = 'refused'
    UNDONE = 'undone'
    """It was done, and taken back."""


@dataclass(frozen=True)
class Entry:
    """A line of the history."""

    number: int
    """Ascending, unique while the desk lives."""
    time: float
    """When the operator did it."""
    deed: Deed
    tracker: str
    object_id: int
    """0 while a new object has no id yet."""
    label: str
    key: str
    """Of the question; empty if it was unasked."""
    clicks: tuple[Click, ...]
    outcome: Outcome
    message: str
    """What the tracker said to it, for people; may be empty."""


@dataclass(frozen=True)
class TrackedObject:
    """One object of a tracker, as of its newest image."""

    object_id: int
    label: str
    uncertainty: float
    area: int
    """Pixels of its mask."""
    question_open: bool
    absent: bool = False
    """Whether it is taken to be out of the image."""
    box: tuple[int, int, int, int] | None = None
    """x, y, width, height of its mask in pixels; None if that is empty."""


@dataclass(frozen=True)
class TrackerView:
    """A tracker that the operator serves."""

    name: str
    """Full name of its node."""
    present: bool
    """Whether it can be reached now."""
    stamp: int = 0
    """Of the newest image that it has processed, nanoseconds; 0: none yet."""
    objects: tuple[TrackedObject, ...] = ()


class Level(Enum):
    """How a part of the system is, as /diagnostics tells it; the greater, the worse."""

    OK = 0
    WARNING = 1
    SILENT = 2
    """It does not report any more."""
    ERROR = 3


@dataclass(frozen=True)
class HealthLine:
    """One status of /diagnostics."""

    name: str
    """Of the node and its part, such as `robot_1/lazy_vos: tracker`."""
    level: Level
    message: str


@dataclass(frozen=True, eq=False)
class Live:
    """The newest overlay of a tracker."""

    stamp: int
    """Of the image, nanoseconds; unasked clicks on the picture name it."""
    picture: Picture = field(repr=False)


@dataclass(frozen=True, eq=False)
class Snapshot:
    """All that there is to show, at one time."""

    version: int
    """Grows with every change."""
    now: float
    current: Question | None
    """The question that is being answered."""
    proposal: Proposal
    """What the operator has said to it so far; () before the first click."""
    preview: Mask | None
    """The object's refined mask by the proposal, once the tracker has made it."""
    problem: str
    """Why there is no refined mask (such as: the clicks gave an empty one); else empty."""
    confirm_at: float | None
    """When the proposal is sent by itself; None: not before :meth:`OperatorDesk.confirm`."""
    waiting: tuple[Question, ...]
    """The other questions, the most urgent first."""
    history: tuple[Entry, ...]
    """Oldest first."""
    undoable: Entry | None
    """The correction that :meth:`OperatorDesk.undo_sent` would take back."""
    trackers: tuple[TrackerView, ...]
    """By name."""
    health: tuple[HealthLine, ...] = ()
    """The worst first."""
