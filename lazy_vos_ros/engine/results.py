"""What a time step gives, and what the lazy layer asks and reports."""

from dataclasses import dataclass
from dataclasses import field
from enum import Enum

import numpy as np
import numpy.typing as npt

from lazy_vos_ros.engine.backend import Image
from lazy_vos_ros.engine.clicks import Click


class Action(Enum):
    """What happened to one object in one frame."""

    NONE = 'none'
    ADDED = 'added'
    """Appeared in this frame by a click or mask."""
    PSEUDO = 'pseudo'
    """Corrected by the tracker's own click."""
    ASKED = 'asked'
    """The operator is asked about this frame."""
    CORRECTED = 'corrected'
    """Corrected by the operator within this frame."""


@dataclass(frozen=True)
class ObjectState:
    """One object in one frame."""

    object_id: int
    label: str
    uncertainty: float
    """S_R: mean normalised entropy around the predicted mask (Eq. 3), 0 for an empty mask."""
    derivative: float
    """dS: its change since the previous frame (Eq. 4), 0 where there is none."""
    area: int
    """Pixels of the output mask."""
    box: tuple[int, int, int, int] | None
    """x, y, width, height of the output mask in pixels; None if it is empty."""
    action: Action
    question_open: bool
    """Whether a question about this object waits for its answer."""
    absent: bool = False
    """Whether it is taken to be out of the image: lost, left, or said to be gone."""


class EventKind(Enum):
    """Why a :class:`CorrectionEvent` was made."""

    ADDED = 'added'
    REMOVED = 'removed'
    ASKED = 'asked'
    SUPPRESSED = 'suppressed'
    """The trigger fired, but the person was spared (open question, cool-down, budget, absent)."""
    ANSWERED = 'answered'
    SKIPPED = 'skipped'
    ABSENT = 'absent'
    """The operator says that the object is gone."""
    EXPIRED = 'expired'
    REFUSED = 'refused'
    """An answer that could not be used."""
    PSEUDO = 'pseudo'
    CORRECTED = 'corrected'
    """The operator corrected unasked."""
    LOST = 'lost'
    """The object's mask has collapsed."""
    RECOVERED = 'recovered'
    """An object that was lost or said to be gone is there again."""
    REPLAYED = 'replayed'
    """The frames since an answered question were tracked again from its answer."""
    REPLAY_DROPPED = 'replay_dropped'
    """That was given up; the answer acts through the memory alone."""
    UNDONE = 'undone'
    """The operator took a correction back, and the frames since were tracked again without it."""


@dataclass(frozen=True)
class CorrectionEvent:
    """One thing that the operator or the lazy layer did; a run's events tell its workload."""

    kind: EventKind
    object_id: int
    frame_index: int
    """The frame that it concerns."""
    stamp: float
    """Stamp of that frame in seconds."""
    applied_stamp: float
    """Time of the stream when it took effect, seconds."""
    request_id: str = ''
    clicks: tuple[Click, ...] = ()
    uncertainty: float = 0.0
    derivative: float = 0.0
    reason: str = ''
    """For people: why it was suppressed, refused, expired, not replayed; else mostly empty."""


@dataclass(frozen=True)
class CorrectionRequest:
    """A question to the operator about one object in one frame, which stays frozen.

    The tracker keeps what it needs to use the answer; this is what a person needs to give it.
    """

    request_id: str
    """Unique over all trackers and restarts (UUID4)."""
    object_id: int
    label: str
    frame_index: int
    stamp: float
    """Stamp of the frame, seconds."""
    asked: float
    """Stream time at which it is asked, seconds; after the frame's stamp if a replay found it."""
    expires: float
    """Stream time after which an answer is refused, seconds."""
    uncertainty: float
    derivative: float
    reason: str
    """Why it is asked, for people."""
    image: Image = field(repr=False)
    mask: npt.NDArray[np.bool_] = field(repr=False)
    """(H, W) predicted mask of the object."""
    entropy: npt.NDArray[np.float32] = field(repr=False)
    """(H, W) normalised entropy, 0..1."""


@dataclass(frozen=True)
class Skip:
    """The operator has no answer; the prediction stays."""


@dataclass(frozen=True)
class Absent:
    """The operator says that the object is gone: it is not in the image of the question.

    Its memory is not fed and no mask of it is given until it has recovered.
    """


Answer = Click | tuple[Click, ...] | Skip | Absent
"""What the operator may say to a question."""


@dataclass(frozen=True)
class Timings:
    """Seconds spent on one frame."""

    predict: float
    """The backend's segmentation, memory read-out included."""
    lazy: float
    """Entropy, triggers and pseudo-clicks, without the refiner."""
    refine: float
    """The refiner."""
    commit: float
    """Writing the memory."""

    @property
    def total(self) -> float:
        """The whole step."""
        return self.predict + self.lazy + self.refine + self.commit


@dataclass(frozen=True)
class FrameResult:
    """Everything that one frame gave."""

    frame_index: int
    """From 0 since the last reset."""
    stamp: float
    """Seconds, as given to the step."""
    labels: npt.NDArray[np.uint16] = field(repr=False)
    """(H, W) object ids of the output, 0 = background."""
    entropy: npt.NDArray[np.float32] = field(repr=False)
    """(H, W) normalised Shannon entropy of the prediction, 0..1 (Eq. 2)."""
    objects: tuple[ObjectState, ...]
    """Ascending by id."""
    requests: tuple[CorrectionRequest, ...]
    """Questions asked since the previous result: in this frame, or by a replay or an undo."""
    events: tuple[CorrectionEvent, ...]
    """What happened since the previous result, questions and answers included."""
    memorised: bool
    """Whether this frame entered the memory."""
    timings: Timings


@dataclass(frozen=True)
class RepairedFrame:
    """An earlier frame as it looks after a replay."""

    frame_index: int
    """As in its first :class:`FrameResult`."""
    stamp: float
    """Seconds, as given to the step."""
    labels: npt.NDArray[np.uint16] = field(repr=False)
    """(H, W) object ids, 0 = background."""
