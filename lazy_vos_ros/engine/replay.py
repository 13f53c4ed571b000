"""Track again through the frames since a question, as if its answer had come at once."""

from collections.abc import Callable
from collections.abc import Iterator
from collections.abc import Mapping
from contextlib import contextmanager
from copy import deepcopy
from dataclasses import dataclass
from time import perf_counter

import torch

from lazy_vos_ros.engine.backend import ReplayableBackend
from lazy_vos_ros.engine.corrected_frame import CorrectedFrame
from lazy_vos_ros.engine.corrector import Corrector
from lazy_vos_ros.engine.first_masks import still_tracked
from lazy_vos_ros.engine.journal import Journal
from lazy_vos_ros.engine.questions import Alarm
from lazy_vos_ros.engine.questions import Moment
from lazy_vos_ros.engine.questions import QuestionBook
from lazy_vos_ros.engine.recent_frames import RecentFrame
from lazy_vos_ros.engine.recent_frames import RecentFrames
from lazy_vos_ros.engine.refiners.base import Refiner
from lazy_vos_ros.engine.results import Action
from lazy_vos_ros.engine.results import RepairedFrame
from lazy_vos_ros.engine.stopwatch import Stopwatch
from lazy_vos_ros.engine.time_step import Monitors
from lazy_vos_ros.engine.time_step import commit
from lazy_vos_ros.engine.time_step import examine
from lazy_vos_ros.engine.time_step import gone_objects
from lazy_vos_ros.engine.time_step import output_labels
from lazy_vos_ros.engine.time_step import with_new_objects
from lazy_vos_ros.engine.triggers import Decision
from lazy_vos_ros.engine.triggers import is_alarm
from lazy_vos_ros.engine.undoing import Correction


@dataclass(frozen=True)
class Start:
    """Where a replay begins, and for what."""

    object_id: int
    request_id: str
    frame: CorrectedFrame
    moment: Moment
    """Of this frame."""
    memorised: bool
    """Whether that is after the frame entered the memory, or before."""
    undoes: Correction | None = None
    """What is left out from there on; None: the frame's corrections are put in."""


class Replay:
    """A second course of the tracker, from an earlier frame on.

    It runs beside the live one, a few frames at a time: backend and monitors have a state of
    their own, which becomes the live one when the replay has caught up. It asks nobody. What the
    operator did in frames on its way is done again, and questions that are still open about
    them will start from what it made of them. Where an alarm was raised on its way and still
    stands in its last frame, the operator may be asked about that frame.
    """

    def __init__(
        self,
        start: Start,
        *,
        backend: ReplayableBackend,
        refiner: Refiner,
        book: QuestionBook,
        frames: RecentFrames,
        tracked: Callable[[], frozenset[int]],
    ) -> None:
        """Prepare; nothing is computed before :meth:`run`.

        Parameters
        ----------
        start
            An answered question, whose answer is in its frame already, or the frame after which a
            correction was made that is to be undone.
        backend, refiner, book, frames
            Of the tracker; between two calls of :meth:`run` the backend is in its live state.
        tracked
            Returns the ids of the objects that are tracked now.
        """
        self.start = start
        self.began = perf_counter()
        self.newest: CorrectedFrame | None = start.frame if start.memorised else None
        """The last frame that it went through."""
        self.monitors: Monitors = deepcopy(start.moment.monitors)
        """As of that frame."""
        self._before: dict[int, float] = {}
        self._alarms: list[Alarm] = []
        self._state = start.moment.backend
        self._backend = backend
        self._book = book
        self._frames = frames
        self._tracked = tracked
        self._corrector = Corrector(refiner, book, Journal(), self.monitors)

    @property
    def index(self) -> int:
        """The last frame that it went through; the one before its first if there is none."""
        return self.start.frame.index - 1 if self.newest is None else self.newest.index

    @property
    def nbytes(self) -> int:
        """Bytes that its state and that of its alarms keep alive."""
        return self._state.nbytes + sum(item.moment.backend.nbytes for item in self._alarms[:1])

    @property
    def alarms(self) -> list[Alarm]:
        """The alarms that stand in its last frame, about objects that are still tracked."""
        return [alarm for alarm in self._alarms if alarm.object_id in self.monitors]

    def run(self, newest: int, seconds: float) -> list[RepairedFrame]:
        """Go on up to frame `newest`, but stop after this time; at least one is done, if left.

        Raises
        ------
        RuntimeError
            If a frame is not kept any more, or the backend fails.
        """
        end = perf_counter() + seconds
        done: list[RepairedFrame] = []
        with self._as_live(), torch.inference_mode():
            while self.index < newest:
                done.append(self._begin() if self.newest is None else self._next())
                if perf_counter() >= end:
                    break
        return done

    def adopt(self) -> None:
        """Make its state that of the backend."""
        self._backend.restore(self._state)
        self._forget_removed()

    def memorise(self, frame: CorrectedFrame, write: Callable[[], object]) -> None:
        """Write an earlier frame into its memory too, unless it has yet to come there."""
        if frame.index <= self.index:
            with self._as_live():
                write()

    @contextmanager
    def _as_live(self) -> Iterator[None]:
        live = self._backend.snapshot()
        self._backend.restore(self._state)
        try:
            yield
            self._state = self._backend.snapshot()
        finally:
            self._backend.restore(live)

    def _begin(self) -> RepairedFrame:
        frame = self.start.frame
        self._corrector.take_over(frame, frame.operator_corrections(), frame.gone)
        return self._finish(frame)

    def _next(self) -> RepairedFrame:
        recent = self._frames.find(self.index + 1)
        if recent is None:
            raise RuntimeError(f'frame {self.index + 1} is not kept any more')
        self._forget_removed()
        frame, decisions = self._look(recent)
        watch = Stopwatch(self._backend.device)
        for object_id, decision in decisions.items():
            alarm = decision in (Decision.PSEUDO, Decision.USER)
            if alarm and object_id not in recent.corrections:
                self._corrector.correct_itself(frame, object_id, watch)
        corrections = still_tracked(recent.corrections, self.monitors)
        self._corrector.take_over(frame, corrections, recent.gone)
        self._note_questions(frame)
        self._watch_alarms(frame, decisions)
        return self._finish(frame)

    def _watch_alarms(self, frame: CorrectedFrame, decisions: Mapping[int, Decision]) -> None:
        """Keep the alarms of this frame and those before it that are not over.

        An alarm is over when the operator has corrected the object, or S_R has come back:
        compared with S_R before the alarm, that of this frame would not call for the operator.
        """
        measured = frame.measurements
        for object_id, decision in decisions.items():
            if decision is Decision.USER:
                before = measured[object_id].uncertainty - measured[object_id].derivative
                self._before.setdefault(object_id, before)
        rises = {
            item: measured[item].uncertainty - before
            for item, before in self._before.items()
            if item in measured and frame.actions.get(item) is not Action.CORRECTED
            if is_alarm(measured[item].uncertainty, before, self._book.config)
        }
        self._before = {item: self._before[item] for item in rises}
        moment = self._moment() if rises else None
        self._alarms = [
            Alarm(item, rise, frame, moment) for item, rise in rises.items() if moment is not None
        ]

    def _note_questions(self, frame: CorrectedFrame) -> None:
        """Let the monitors know of the questions that are open about a frame."""
        for question in self._book.questions_about(frame.index):
            monitor = self.monitors.get(question.request.object_id)
            if monitor is not None:
                monitor.asked(question.request.uncertainty)

    def _moment(self) -> Moment:
        return Moment(self._backend.snapshot(), deepcopy(self.monitors))

    def _look(self, recent: RecentFrame) -> tuple[CorrectedFrame, dict[int, Decision]]:
        config = self._book.config
        prediction = self._backend.predict(recent.image)
        frame, decisions = examine(prediction, recent.stamp, self.monitors, config)
        given = still_tracked(recent.given, self._tracked())
        if given:
            masks = {object_id: refined.mask for object_id, refined in given.items()}
            prediction = self._backend.add_objects(prediction, masks)
            frame = with_new_objects(frame, prediction, given, self.monitors, config)
        return frame, decisions

    def _finish(self, frame: CorrectedFrame) -> RepairedFrame:
        for question in self._book.questions_about(frame.index):
            self._book.rebind(question.request.request_id, frame, self._moment())
        gone = gone_objects(self.monitors)
        commit(self._backend, frame, gone, self._book.config)
        self.newest = frame
        labels = output_labels(frame, gone, self._book.config)
        return RepairedFrame(frame.index, frame.stamp, labels)

    def _forget_removed(self) -> None:
        removed = set(self.monitors) - self._tracked()
        if removed:
            self._backend.remove_objects(tuple(sorted(removed)))
        for object_id in removed:
            del self.monitors[object_id]
