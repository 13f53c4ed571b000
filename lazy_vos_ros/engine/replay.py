"""Track again through the frames since a question, as if its answer had come at once."""

from collections.abc import Callable
from collections.abc import Iterator
from contextlib import contextmanager
from copy import deepcopy
from dataclasses import replace
from time import perf_counter

import torch

from lazy_vos_ros.engine.backend import ReplayableBackend
from lazy_vos_ros.engine.corrected_frame import CorrectedFrame
from lazy_vos_ros.engine.corrector import Corrector
from lazy_vos_ros.engine.first_masks import still_tracked
from lazy_vos_ros.engine.journal import Journal
from lazy_vos_ros.engine.questions import Alarm
from lazy_vos_ros.engine.questions import Moment
from lazy_vos_ros.engine.questions import Question
from lazy_vos_ros.engine.questions import QuestionBook
from lazy_vos_ros.engine.recent_frames import RecentFrame
from lazy_vos_ros.engine.recent_frames import RecentFrames
from lazy_vos_ros.engine.refiners.base import Refiner
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


class Replay:
    """A second course of the tracker, from the frame of a question on.

    It runs beside the live one, a few frames at a time: backend and monitors have a state of
    their own, which becomes the live one when the replay has caught up. It asks nobody. What the
    operator did in frames on its way is done again, and questions that are still open about
    them will start from what it made of them. The last alarm of each object is kept: about it the
    operator may be asked when the replay has caught up.
    """

    def __init__(
        self,
        question: Question,
        moment: Moment,
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
        question
            Closed, its answer already in its frame.
        moment
            Of that frame.
        backend, refiner, book, frames
            Of the tracker; between two calls of :meth:`run` the backend is in its live state.
        tracked
            Returns the ids of the objects that are tracked now.
        """
        self.request_id = question.request.request_id
        self.object_id = question.request.object_id
        self.first = question.frame
        self.began = perf_counter()
        self.newest: CorrectedFrame | None = None
        """The last frame that it went through."""
        self.monitors: Monitors = deepcopy(moment.monitors)
        """As of that frame."""
        self._alarms: dict[int, Alarm] = {}
        self._state = moment.backend
        self._backend = backend
        self._book = book
        self._frames = frames
        self._tracked = tracked
        self._corrector = Corrector(refiner, book, Journal(), self.monitors)

    @property
    def index(self) -> int:
        """The last frame that it went through; the one before its first if there is none."""
        return self.first.index - 1 if self.newest is None else self.newest.index

    @property
    def nbytes(self) -> int:
        """Bytes that its state and the moments of its alarms keep alive."""
        moments = [alarm.moment for alarm in self._alarms.values() if alarm.moment]
        return self._state.nbytes + sum(moment.backend.nbytes for moment in moments)

    @property
    def oldest(self) -> int:
        """The frame after which it needs all of them."""
        alarms = [item.frame.index for item in self._alarms.values() if item.moment]
        return min([self.index, *alarms])

    def forget_moments(self, frame_index: int) -> bool:
        """Give up going back to the alarms in a frame; return whether there were any."""
        found = [a for a in self._alarms.values() if a.moment and a.frame.index == frame_index]
        for alarm in found:
            self._alarms[alarm.object_id] = replace(alarm, moment=None)
        return bool(found)

    def standing_alarms(self) -> list[Alarm]:
        """Return the alarms that the newest frame has not belied, oldest first.

        An alarm is over when S_R of the object has come back from its rise since: compared with
        S_R before the alarm, that of the newest frame would not call for the operator.
        """
        standing = [item for item in self._alarms.values() if self._stands(item)]
        return sorted(standing, key=lambda item: item.frame.index)

    def _stands(self, alarm: Alarm) -> bool:
        now = self.newest.measurements.get(alarm.object_id) if self.newest else None
        if now is None or alarm.object_id not in self.monitors:
            return False
        then = alarm.frame.measurements[alarm.object_id]
        return is_alarm(now.uncertainty, then.uncertainty - then.derivative, self._book.config)

    def run(self, newest: int, seconds: float) -> list[RepairedFrame]:
        """Go on up to frame `newest`, but stop after this time; at least one frame is done.

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
        corrections = self.first.operator_corrections()
        self._corrector.take_over(self.first, corrections, self.first.gone)
        return self._finish(self.first)

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
        for object_id, decision in decisions.items():
            if decision is Decision.USER and object_id not in recent.corrections:
                self._alarms[object_id] = Alarm(object_id, frame, self._moment())
        return self._finish(frame)

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
