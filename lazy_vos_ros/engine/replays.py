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
from lazy_vos_ros.engine.replay import Start
from lazy_vos_ros.engine.results import EventKind
from lazy_vos_ros.engine.results import RepairedFrame
from lazy_vos_ros.engine.time_step import Monitors
from lazy_vos_ros.engine.undoing import UNDOABLE_KEPT
from lazy_vos_ros.engine.undoing import Correction

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
        self._undoable: list[Correction] = []
        self.current: Replay | None = None
        """The replay that is under way."""

    @property
    def nbytes(self) -> int:
        """Bytes of frames and states that it keeps alive; shared ones count once for each."""
        moments = [item.moment for item in self._book.replayable if item.moment]
        moments += [item.moment for item in self._undoable]
        states = sum(moment.backend.nbytes for moment in moments)
        current = 0 if self.current is None else self.current.nbytes
        return self._frames.nbytes + states + current

    def __len__(self) -> int:
        """Return how many frames it keeps."""
        return len(self._frames)

    def remember(self, frame: FrozenFrame, stamp: float) -> None:
        """Keep the next frame if a replay might go through it."""
        self._newest = frame.index
        self._forget_undoable()
        if self._book.replayable or self.current is not None or self._undoable:
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

    def moment(self, monitors: Monitors) -> Moment | None:
        """Return what the tracker knows now, if a correction that is used now may be undone."""
        wanted = self._book.config.undo_seconds > 0
        if not wanted or not isinstance(self._backend, ReplayableBackend):
            return None
        return Moment(self._backend.snapshot(), deepcopy(monitors))

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
        undone = self.current.start if self.current and self.current.start.undoes else None
        if undone is not None and question.frame.index <= undone.frame.index:
            return 'memory only: a later correction is being undone'
        kept = question.moment is not None
        reason = self._why_not_from(question.frame, 'question', kept=kept)
        return f'memory only: {reason}' if reason else ''

    def _why_not_from(self, frame: CorrectedFrame, what: str, *, kept: bool) -> str:
        frames = self._frames.since(frame.index, self._newest)
        if not kept or frames is None:
            return f'the frames since the {what} are not kept (replay_frames, replay_megabytes)'
        needed, most = frames * self._pace, self._book.config.replay_seconds
        if not isinf(most) and needed > most:
            return f'{frames} frames take {needed:.1f} s to track again (replay_seconds {most:g})'
        return ''

    def begin(self, question: Question) -> None:
        """Start from an answered question, unless the replay under way will come by."""
        if self.current is not None and self.current.index < question.frame.index:
            return
        if question.moment is not None:
            request = question.request
            self._start(
                Start(
                    request.object_id,
                    request.request_id,
                    question.frame,
                    question.moment,
                    memorised=False,
                )
            )

    def note_correction(self, correction: Correction | None) -> None:
        """Keep what a correction changed, so that it can be undone; None: it cannot.

        One that came while a replay is under way cannot either: the state before it is one that
        the replay replaces. Nor can those before one that cannot.
        """
        if correction is None or self.current is not None:
            self._undoable.clear()
        else:
            self._undoable = [*self._undoable, correction][-UNDOABLE_KEPT:]

    def begin_undo(self) -> Correction:
        """Start the frames since the latest correction again without it; return which that is.

        Raises
        ------
        ValueError
            If there is none that can be undone.
        """
        if self.current is not None and self.current.start.undoes is not None:
            raise ValueError('a correction is being undone already')
        if not self._undoable:
            seconds = self._book.config.undo_seconds
            raise ValueError(
                f'there is no correction to undo: none came within {seconds:g} s (undo_seconds), '
                'or a replay was under way when it came'
            )
        last = self._undoable[-1]
        reason = self._why_not_from(last.newest, 'correction', kept=True)
        if reason:
            raise ValueError(f'the correction cannot be undone: {reason}')
        self._undoable.pop()
        self._drop('its answer is undone')
        self._start(
            Start(
                last.object_id,
                last.request_id,
                last.newest,
                last.moment,
                memorised=True,
                undoes=last,
            )
        )
        return last

    def forget_object(self, object_id: int) -> None:
        """Let no correction of a removed object be undone."""
        self._undoable = [item for item in self._undoable if item.object_id != object_id]

    def _start(self, start: Start) -> None:
        if isinstance(self._backend, ReplayableBackend):
            self.current = Replay(
                start,
                backend=self._backend,
                refiner=self._refiner,
                book=self._book,
                frames=self._frames,
                tracked=self._tracked,
            )

    def _forget_undoable(self) -> None:
        now, seconds = self._journal.now, self._book.config.undo_seconds
        self._undoable = [item for item in self._undoable if 0 <= now - item.stamp <= seconds]

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
        kind = EventKind.REPLAYED if replay.start.undoes is None else EventKind.UNDONE
        frames = self._newest - replay.start.frame.index
        words = f'{frames} frames in {perf_counter() - replay.began:.2f} s'
        self._record(kind, replay.start, words)
        return replay

    def give_up(self, reason: str) -> None:
        """Let all open questions be answered through the memory alone, and free what is kept."""
        self._drop(reason)
        for question in self._book.replayable:
            self._book.rebind(question.request.request_id, question.frame, None)
        self._undoable.clear()
        self._frames.clear()

    def clear(self) -> None:
        """Forget everything."""
        self._frames.clear()
        self._undoable.clear()
        self.current = None
        self._newest = -1

    def _drop(self, reason: str) -> None:
        if self.current is not None:
            undoing = self.current.start.undoes is not None
            words = f'the correction is not undone: {reason}' if undoing else reason
            self._record(EventKind.REPLAY_DROPPED, self.current.start, words)
            self.current = None

    def _record(self, kind: EventKind, start: Start, reason: str) -> None:
        frame = start.frame if start.undoes is None else start.undoes.frame
        self._journal.record_in(
            kind, frame, start.object_id, request_id=start.request_id, reason=reason
        )

    def keep_within_bounds(self) -> None:
        """Forget the frames that nothing needs any more, and the oldest of too many."""
        config = self._book.config
        while True:
            questions = self._book.replayable
            starts = [item.frame.index for item in questions]
            starts += [item.newest.index for item in self._undoable]
            if self.current is not None:
                starts.append(self.current.index)
            if not starts:
                self._frames.clear()
                return
            oldest = min(starts)
            self._frames.forget_up_to(oldest)
            few = len(self._frames) <= config.replay_frames
            if few and self.nbytes <= config.replay_megabytes << 20:
                return
            if self._undoable and self._undoable[0].newest.index == oldest:
                del self._undoable[0]
                continue
            if self.current is not None and self.current.index == oldest:
                self._drop('too many frames or bytes (replay_frames, replay_megabytes)')
            for question in questions:
                if question.frame.index == oldest:
                    self._book.rebind(question.request.request_id, question.frame, None)
