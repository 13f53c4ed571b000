"""A simulated operator who answers late, and what others do with a late click.

The camera does not wait: an answer about a frame comes some frames after it. `memory` and `replay`
apply it to the frame of the question, as the tracker does; `next-frame` applies the pixel that was
clicked on to the newest frame, as a node does that knows no other.
"""

from __future__ import annotations

from dataclasses import dataclass

from lazy_vos_ros.engine.corrector import Operator
from lazy_vos_ros.engine.results import Answer
from lazy_vos_ros.engine.results import FrameResult
from lazy_vos_ros.engine.results import Skip
from lazy_vos_ros.engine.tracker import LazyTracker
from lazy_vos_ros.evaluation.benchmark.person import Person

NEXT_FRAME = 'next-frame'
LATE = ('memory', 'replay', NEXT_FRAME)
"""What may be done with a late answer."""


@dataclass(frozen=True)
class _Intent:
    """An answer on its way."""

    due: int
    """The frame in which it arrives."""
    object_id: int
    answer: Answer


class Delayed:
    """Answers every question, about the frame that was asked about, some frames later.

    What it answers is what it would have answered at once: a person looks at the frozen frame. A
    replay is let finish before the next frame, as on a machine that is fast enough.
    """

    operator: Operator | None = None
    """Nobody answers within the step."""

    def __init__(self, person: Person, frames: int, late: str) -> None:
        """Take the person who knows the answers, the delay, and one of :data:`LATE`.

        Raises
        ------
        ValueError
            If the delay is not above 0 or `late` is none of them.
        """
        if frames < 1:
            raise ValueError(f'delay is {frames} frames; allowed: at least 1')
        if late not in LATE:
            raise ValueError(f'late is {late!r}; allowed: {", ".join(LATE)}')
        self._person = person
        self._frames = frames
        self._late = late
        self._coming: dict[str, _Intent] = {}

    def after_frame(self, tracker: LazyTracker, result: FrameResult) -> None:
        """Give the answers that arrive with this frame, and look at the questions that are new."""
        still_open = {request.request_id for request in tracker.open_requests}
        for request_id, intent in list(self._coming.items()):
            if intent.due > result.frame_index:
                continue
            del self._coming[request_id]
            if request_id in still_open:
                self._give(tracker, request_id, intent)
        self._look(tracker, result.frame_index)

    def _look(self, tracker: LazyTracker, now: int) -> None:
        """Think about the new questions: of this frame, or found by a replay just now."""
        for request in tracker.open_requests:
            if request.request_id not in self._coming:
                answer = self._person.answer(request.frame_index, request.object_id, request.mask)
                due = now + self._frames
                self._coming[request.request_id] = _Intent(due, request.object_id, answer)

    def _give(self, tracker: LazyTracker, request_id: str, intent: _Intent) -> None:
        if self._late != NEXT_FRAME:
            tracker.answer(request_id, intent.answer)
            tracker.catch_up()
            return
        tracker.answer(request_id, Skip())
        if not isinstance(intent.answer, Skip):
            tracker.correct(intent.object_id, intent.answer)
