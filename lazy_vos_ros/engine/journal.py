"""The events that the next frame's result reports."""

from collections import deque
from dataclasses import dataclass

from lazy_vos_ros.engine.clicks import Click
from lazy_vos_ros.engine.corrected_frame import CorrectedFrame
from lazy_vos_ros.engine.corrected_frame import Measurement
from lazy_vos_ros.engine.results import CorrectionEvent
from lazy_vos_ros.engine.results import CorrectionRequest
from lazy_vos_ros.engine.results import EventKind

PENDING_KEPT = 4096
"""Most events between two frames; older ones are dropped."""

_UNKNOWN = Measurement()


@dataclass(frozen=True)
class JournalState:
    """How far a journal has come."""

    now: float
    pending: int


class Journal:
    """Collects events and gives each of them out once."""

    def __init__(self) -> None:
        self.now = 0.0
        """Time of the stream in the newest frame, seconds."""
        self._pending: deque[CorrectionEvent] = deque(maxlen=PENDING_KEPT)

    def record(
        self,
        kind: EventKind,
        object_id: int,
        frame_index: int,
        stamp: float,
        *,
        measurement: Measurement = _UNKNOWN,
        request_id: str = '',
        clicks: tuple[Click, ...] = (),
        reason: str = '',
    ) -> CorrectionEvent:
        """Enter an event about an object (0: none) in the frame of this index and stamp."""
        event = CorrectionEvent(
            kind=kind,
            object_id=object_id,
            frame_index=frame_index,
            stamp=stamp,
            applied_stamp=self.now,
            request_id=request_id,
            clicks=clicks,
            uncertainty=measurement.uncertainty,
            derivative=measurement.derivative,
            reason=reason,
        )
        self._pending.append(event)
        return event

    def record_in(
        self,
        kind: EventKind,
        frame: CorrectedFrame,
        object_id: int,
        *,
        request_id: str = '',
        clicks: tuple[Click, ...] = (),
        reason: str = '',
    ) -> CorrectionEvent:
        """Enter an event about an object of a frame that is still at hand."""
        return self.record(
            kind,
            object_id,
            frame.index,
            frame.stamp,
            measurement=frame.measurements.get(object_id, _UNKNOWN),
            request_id=request_id,
            clicks=clicks,
            reason=reason,
        )

    def record_expired(self, request: CorrectionRequest, reason: str) -> CorrectionEvent:
        """Enter that a question was closed without an answer."""
        return self.record(
            EventKind.EXPIRED,
            request.object_id,
            request.frame_index,
            request.stamp,
            measurement=Measurement(request.uncertainty, request.derivative),
            request_id=request.request_id,
            reason=reason,
        )

    @property
    def pending(self) -> tuple[CorrectionEvent, ...]:
        """The events that :meth:`drain` would give out, oldest first."""
        return tuple(self._pending)

    def state(self) -> JournalState:
        """Return the time and how much there is to give out, for :meth:`go_back`."""
        return JournalState(self.now, len(self._pending))

    def go_back(self, state: JournalState) -> None:
        """Forget what was entered since."""
        self.now = state.now
        while len(self._pending) > state.pending:
            self._pending.pop()

    def drain(self) -> tuple[CorrectionEvent, ...]:
        """Return the events that were not given out yet, oldest first."""
        events = tuple(self._pending)
        self._pending.clear()
        return events
