"""What replays need, kept within bounds, and the one that is under way."""

from collections.abc import Callable
from copy import deepcopy
from math import isinf
from time import perf_counter

from lazy_vos_ros.engine.backend import Backend
from lazy_vos_ros.engine.backend import FrozenFrame
from lazy_vos_ros.engine.backend import ReplayableBackend
from lazy_vos_ros.engine.corrected_frame import CorrectedFrame
from lazy_vos_ros.engine.journal import Journal
from lazy_vos_ros.engine.questions import Moment
from lazy_vos_ros.engine.questions import Question
from lazy_vos_ros.engine.questions import QuestionBook
from lazy_vos_ros.engine.recent_frames import RecentFrame
from lazy_vos_ros.engine.recent_frames import RecentFrames
from lazy_vos_ros.engine.refiners.base import Refiner
from lazy_vos_ros.engine.replay import Replay
from lazy_vos_ros.engine.results import EventKind
from lazy_vos_ros.engine.results import RepairedFrame
from lazy_vos_ros.engine.time_step import Monitors

_SMOOTHING = 0.2
"""Weight of the newest frame in the mean time of a step."""


class Replays:
    """Keeps the frames since the oldest open question and runs one replay at a time.

    Frames and the tracker's states at the questions are bounded in number and bytes; where they
    would exceed the bounds, the oldest question can no longer be replayed and its answer acts
    through the memory alone.
    """

    def __init__(
        self,
        backend: Backend,
        refiner: Refiner,
        book: QuestionBook,
        journal: Journal,
        tracked: Callable[[], frozenset[int]],
    ) -> None:
        self._backend = backend
        self._refiner = refiner
        self._book = book
        self._journal = journal
        self._tracked = tracked
        self._frames = RecentFrames()
        self._newest = -1
        self._pace = 0.0
        self.current: Replay | None = None
        """The replay that is under way."""

    @property
    def nbytes(self) -> int:
        """Bytes of frames and states that it keeps alive; shared ones count once for each."""
        moments = sum(item.moment.backend.nbytes for item in self._book.replayable if item.moment)
        current = 0 if self.current is None else self.current.nbytes
        return self._frames.nbytes + moments + current

    def __len__(self) -> int:
        """Return how many frames it keeps."""
        return len(self._frames)

    def remember(self, frame: FrozenFrame, stamp: float) -> None:
        """Keep the next frame if a replay might go through it."""
        self._newest = frame.index
        if self._book.replayable or self.current is not None:
            self._frames.add(RecentFrame(frame.index, frame.image, stamp))
        self.keep_within_bounds()

    def note_given(self, frame: CorrectedFrame) -> None:
        """Keep the masks of objects that appear in a frame."""
        recent = self._frames.find(frame.index)
        if recent is not None:
            recent.given = frame.given

    def note_corrections(self, frame: CorrectedFrame) -> None:
        """Keep what the operator did in a frame."""
        recent = self._frames.find(frame.index)
        if recent is not None:
            recent.corrections = frame.operator_corrections()
            recent.gone = set(frame.gone)

    def note_pace(self, seconds: float) -> None:
        """Note how long a time step took."""
        weight = _SMOOTHING if self._pace else 1.0
        self._pace += weight * (seconds - self._pace)

    def freeze(self, frame: CorrectedFrame, monitors: Monitors) -> None:
        """Keep the tracker's state for the open questions about a frame not yet memorised."""
        self.note_corrections(frame)
        questions = self._book.questions_about(frame.index)
        if self._book.config.late != 'replay' or not questions:
            return
        if isinstance(self._backend, ReplayableBackend):
            moment = Moment(self._backend.snapshot(), deepcopy(monitors))
            for question in questions:
                self._book.rebind(question.request.request_id, frame, moment)

    def why_not(self, question: Question) -> str:
        """Return why an answer can act through the memory alone; empty if a replay can begin."""
        if not isinstance(self._backend, ReplayableBackend):
            return f'memory only: {self._backend.name} cannot go back'
        frames = self._frames.since(question.frame.index, self._newest)
        if question.moment is None or frames is None:
            return (
                'memory only: the frames since the question are not kept (replay_frames, '
                'replay_megabytes)'
            )
        needed, most = frames * self._pace, self._book.config.replay_seconds
        if not isinf(most) and needed > most:
            return (
                f'memory only: {frames} frames take {needed:.1f} s to track again '
                f'(replay_seconds {most:g})'
            )
        return ''

    def begin(self, question: Question) -> None:
        """Start from an answered question, unless the replay under way will come by."""
        if self.current is not None and self.current.index < question.frame.index:
            return
        if isinstance(self._backend, ReplayableBackend) and question.moment is not None:
            self.current = Replay(
                question,
                question.moment,
                backend=self._backend,
                refiner=self._refiner,
                book=self._book,
                frames=self._frames,
                tracked=self._tracked,
            )

    def run(self, seconds: float) -> list[RepairedFrame]:
        """Go on for about this long, at least one frame; nothing if there is nothing to do."""
        replay = self.current
        if replay is None:
            return []
        most = self._book.config.replay_seconds
        if perf_counter() - replay.began > most:
            self._drop(f'not caught up within {most:g} s (replay_seconds)')
            return []
        try:
            return replay.run(self._newest, seconds)
        except (RuntimeError, ValueError) as error:
            self._drop(str(error))
            return []

    def take_finished(self) -> Replay | None:
        """Return the replay if it has caught up; it is no longer under way then."""
        replay = self.current
        if replay is None or replay.index < self._newest:
            return None
        self.current = None
        self._record(EventKind.REPLAYED, replay, f'in {perf_counter() - replay.began:.2f} s')
        return replay

    def give_up(self, reason: str) -> None:
        """Let all open questions be answered through the memory alone, and free what is kept."""
        self._drop(reason)
        for question in self._book.replayable:
            self._book.rebind(question.request.request_id, question.frame, None)
        self._frames.clear()

    def clear(self) -> None:
        """Forget everything."""
        self._frames.clear()
        self.current = None
        self._newest = -1

    def _drop(self, reason: str) -> None:
        if self.current is not None:
            self._record(EventKind.REPLAY_DROPPED, self.current, reason)
            self.current = None

    def _record(self, kind: EventKind, replay: Replay, reason: str) -> None:
        frames = self._newest - replay.first.index
        self._journal.record_in(
            kind,
            replay.first,
            replay.object_id,
            request_id=replay.request_id,
            reason=f'{frames} frames {reason}' if kind is EventKind.REPLAYED else reason,
        )

    def keep_within_bounds(self) -> None:
        """Forget the frames that nothing needs any more, and the oldest of too many."""
        config = self._book.config
        while True:
            questions = self._book.replayable
            starts = [item.frame.index for item in questions]
            if self.current is not None:
                starts.append(self.current.oldest)
            if not starts:
                self._frames.clear()
                return
            oldest = min(starts)
            self._frames.forget_up_to(oldest)
            few = len(self._frames) <= config.replay_frames
            if few and self.nbytes <= config.replay_megabytes << 20:
                return
            if self.current is not None and self.current.forget_moments(oldest):
                continue
            if self.current is not None and self.current.index == oldest:
                self._drop('too many frames or bytes (replay_frames, replay_megabytes)')
            for question in questions:
                if question.frame.index == oldest:
                    self._book.rebind(question.request.request_id, question.frame, None)
