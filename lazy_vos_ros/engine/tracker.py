"""LazyTracker: the only class of the engine that the rest of the house calls."""

from collections.abc import Mapping
from collections.abc import Sequence
from dataclasses import dataclass
from dataclasses import replace
from math import inf
from math import isfinite
from typing import Any

import numpy as np
import numpy.typing as npt
import torch

from lazy_vos_ros.engine.answers import check_answer
from lazy_vos_ros.engine.backend import Backend
from lazy_vos_ros.engine.backend import Image
from lazy_vos_ros.engine.backend import MemorySize
from lazy_vos_ros.engine.clicks import Click
from lazy_vos_ros.engine.config import LazyConfig
from lazy_vos_ros.engine.corrected_frame import CorrectedFrame
from lazy_vos_ros.engine.corrector import Corrector
from lazy_vos_ros.engine.corrector import Operator
from lazy_vos_ros.engine.facts import count
from lazy_vos_ros.engine.first_masks import first_masks
from lazy_vos_ros.engine.journal import Journal
from lazy_vos_ros.engine.journal import JournalState
from lazy_vos_ros.engine.object_states import object_states
from lazy_vos_ros.engine.preview import preview
from lazy_vos_ros.engine.prompts import Prompt
from lazy_vos_ros.engine.prompts import number_prompts
from lazy_vos_ros.engine.questions import BookState
from lazy_vos_ros.engine.questions import QuestionBook
from lazy_vos_ros.engine.questions import UnknownRequestError
from lazy_vos_ros.engine.refiners.base import Refiner
from lazy_vos_ros.engine.relief import Relief
from lazy_vos_ros.engine.relief import ScalableBackend
from lazy_vos_ros.engine.relief import Step
from lazy_vos_ros.engine.relief import free_cached_memory
from lazy_vos_ros.engine.replays import Replays
from lazy_vos_ros.engine.results import Answer
from lazy_vos_ros.engine.results import CorrectionEvent
from lazy_vos_ros.engine.results import CorrectionRequest
from lazy_vos_ros.engine.results import EventKind
from lazy_vos_ros.engine.results import FrameResult
from lazy_vos_ros.engine.results import ObjectState
from lazy_vos_ros.engine.results import RepairedFrame
from lazy_vos_ros.engine.results import Skip
from lazy_vos_ros.engine.saved_objects import savable
from lazy_vos_ros.engine.saved_objects import saved_objects
from lazy_vos_ros.engine.stopwatch import Stopwatch
from lazy_vos_ros.engine.time_step import Monitors
from lazy_vos_ros.engine.time_step import commit
from lazy_vos_ros.engine.time_step import corrected_probabilities
from lazy_vos_ros.engine.time_step import examine
from lazy_vos_ros.engine.time_step import gone_objects
from lazy_vos_ros.engine.time_step import output_labels
from lazy_vos_ros.engine.time_step import with_new_objects
from lazy_vos_ros.engine.triggers import Decision
from lazy_vos_ros.engine.undoing import Correction


@dataclass(frozen=True)
class _Before:
    """What the lazy layer knew before a frame."""

    journal: JournalState
    book: BookState
    monitors: Monitors
    labels: dict[int, str]
    last_id: int


class LazyTracker:
    """A tracker that says when it is about to lose an object, and takes help.

    Object ids start at 1 and are not used twice until :meth:`reset`. Images are kept as long as a
    question about them is open; do not write into them. Not thread-safe: one worker owns it.
    """

    def __init__(
        self,
        backend: Backend,
        refiner: Refiner,
        config: LazyConfig | None = None,
        *,
        operator: Operator | None = None,
    ) -> None:
        """Start without objects.

        Parameters
        ----------
        backend, refiner
            The tracker and the click-to-mask method.
        config
            Thresholds and toggles; None: the defaults.
        operator
            Asked within the step (the paper's protocol, offline). Without one, or where it
            returns None, a question stays open until :meth:`answer` or until it expires.
        """
        self._backend = backend
        self._refiner = refiner
        self._journal = Journal()
        self._book = QuestionBook(config or LazyConfig())
        self._monitors: Monitors = {}
        self._labels: dict[int, str] = {}
        self._newest: CorrectedFrame | None = None
        self._latest: FrameResult | None = None
        self._corrector = Corrector(refiner, self._book, self._journal, self._monitors, operator)
        self._replays = Replays(
            backend, refiner, self._book, self._journal, lambda: frozenset(self._labels)
        )
        self._relief = Relief(scalable=isinstance(backend, ScalableBackend))
        self._forget()

    @property
    def config(self) -> LazyConfig:
        """The settings in force."""
        return self._book.config

    def configure(self, config: LazyConfig) -> None:
        """Change the settings from the next frame on; open questions keep their expiry."""
        self._book.config = config

    @property
    def scale(self) -> float:
        """Part of its size at which the network works: below 1 while its memory is short.

        A frame for which an accelerator has no memory is tracked again after what late answers
        could be replayed from was given up, then at smaller sizes, then without the object that
        was added last. The size grows again once there was no shortage for a while.
        """
        return self._relief.scale

    @property
    def latest(self) -> FrameResult | None:
        """The result of the newest frame, with corrections of it since; None before the first."""
        return self._latest

    @property
    def object_ids(self) -> tuple[int, ...]:
        """Ids of the objects being tracked, ascending."""
        return tuple(self._labels)

    @property
    def open_requests(self) -> tuple[CorrectionRequest, ...]:
        """Questions that wait for an answer, oldest first."""
        return self._book.requests

    @property
    def pending_events(self) -> tuple[CorrectionEvent, ...]:
        """What happened since the newest result, which the next one will report."""
        return self._journal.pending

    def step(
        self, image: Image, stamp: float | None = None, *, now: float | None = None
    ) -> FrameResult:
        """Track through the next frame.

        Parameters
        ----------
        image
            (H, W, 3) uint8 RGB.
        stamp
            Seconds; None: the frame's index.
        now
            Time of the stream, seconds; None: the stamp. It differs where an earlier image is
            tracked again, whose stamp is not the time. Where it goes backwards (a recording
            starts again), the frame is processed as usual and all timers of the questions move
            along.

        Raises
        ------
        ValueError
            If the image or a time is not allowed; nothing has changed then.
        """
        return self._advance(image, stamp, now, {})

    def add_objects(
        self,
        image: Image,
        prompts: Sequence[Prompt],
        stamp: float | None = None,
        *,
        now: float | None = None,
    ) -> FrameResult:
        """Take one time step on `image`, in which these objects appear; the others go on.

        The times are as in :meth:`step`.

        Raises
        ------
        ValueError
            If the image, a time or a prompt is not allowed; nothing has changed then. Also if
            no usable mask comes of the clicks: then the step was taken, without new objects.
        """
        numbered = number_prompts(prompts, self._last_id)
        _check_image(image)
        for prompt in numbered.values():
            prompt.check_inside(*image.shape[:2])
        return self._advance(image, stamp, now, numbered)

    def add_object(
        self,
        image: Image,
        *,
        click: Click | None = None,
        mask: npt.NDArray[np.bool_] | npt.NDArray[np.uint8] | None = None,
        label: str = '',
        stamp: float | None = None,
    ) -> int:
        """Take one time step on `image`, in which one object appears; return its id.

        The result is :attr:`latest`; errors as in :meth:`add_objects`.
        """
        clicks = () if click is None else (click,)
        self.add_objects(image, [Prompt(clicks=clicks, mask=mask, label=label)], stamp)
        return self._last_id

    def answer(self, request_id: str, answer: Answer) -> CorrectionEvent:
        """Use the answer to a question, any number of frames later, on the frame it is about.

        The refined mask enters the memory with that frame's key and value (IDU). With `late:
        replay`, :meth:`catch_up` is then to be called until it has nothing more to do; where
        that is not possible the event's reason says why. The event is ANSWERED, ABSENT or
        SKIPPED; REFUSED if the refiner gave nothing usable. The question is closed in all cases.

        Raises
        ------
        UnknownRequestError
            If the question is not open any more, or never was; a REFUSED event tells it too.
        ValueError
            If the answer is not allowed; the question stays open then.
        """
        try:
            question = self._book.find(request_id)
        except UnknownRequestError as error:
            self._record_unknown(request_id, str(error))
            raise
        check_answer(answer, *question.frame.size)
        self._book.close(request_id, 'it was answered already')
        late = not isinstance(answer, Skip) and self.config.late == 'replay'
        reason = self._replays.why_not(question) if late else ''
        event = self._use(
            question.frame,
            question.request.object_id,
            answer,
            kind=EventKind.ANSWERED,
            request_id=request_id,
            reason=reason,
        )
        if late and not reason and event.kind is not EventKind.REFUSED:
            self._replays.begin(question)
        return event

    def preview(self, request_id: str, clicks: tuple[Click, ...]) -> npt.NDArray[np.bool_]:
        """Return the (H, W) mask that an answer with these clicks would give; change nothing.

        Raises
        ------
        UnknownRequestError
            If the question is not open.
        ValueError
            If the clicks are not allowed, or the refiner gives nothing usable.
        """
        return preview(self._refiner, self._book.find(request_id), clicks)

    @property
    def catching_up(self) -> bool:
        """Whether a replay is under way; :meth:`catch_up` goes on with it."""
        return self._replays.current is not None

    def catch_up(self, seconds: float = inf) -> tuple[RepairedFrame, ...]:
        """Go on with the replay of an answer, for about this long but at least one frame.

        Frames may be given to :meth:`step` between two calls; they come last in the replay. Once
        it has caught up with them the tracker goes on from what it made of them, and the next
        result reports REPLAYED. REPLAY_DROPPED if it takes longer than `replay_seconds` or a
        frame is not kept any more; the answer then acts through the memory alone.

        Nobody is asked on the way. Where an alarm was raised in these frames and still stands in
        the last one, a question about that one is opened in the end (:attr:`open_requests`).
        """
        repaired = self._replays.run(seconds)
        finished = self._replays.take_finished()
        if finished is not None:
            finished.adopt()
            self._monitors.clear()
            self._monitors.update(finished.monitors)
            self._newest = finished.newest
            if finished.start.undoes is not None:
                self._put_back(finished.start.undoes)
            self._between += self._corrector.ask_later(finished.alarms, self._labels)
            self._refresh_latest(finished.newest)
            self._replays.keep_within_bounds()
        return tuple(repaired)

    def correct(self, object_id: int, answer: Answer) -> CorrectionEvent:
        """Correct an object on the newest frame without having been asked.

        The event is CORRECTED or ABSENT; REFUSED if the refiner gave nothing usable.

        Raises
        ------
        ValueError
            If the object is not tracked or the answer is not a click (or several) or Absent.
        """
        frame = self._newest
        self._check_tracked(object_id)
        if frame is None or isinstance(answer, Skip):
            raise ValueError(f'correction is {answer!r}; allowed: clicks or Absent')
        check_answer(answer, *frame.size)
        return self._use(frame, object_id, answer, kind=EventKind.CORRECTED)

    def undo(self) -> int:
        """Take back the latest answer or unasked correction; return the object's id.

        All is then as if it had never been given: the frames since are tracked again without it,
        for which :meth:`catch_up` is to be called until it has nothing more to do. The next
        result then reports UNDONE, and the question, if there was one, is asked again. Until then
        the tracker goes on with the correction, and REPLAY_DROPPED tells if it keeps it.

        Raises
        ------
        ValueError
            If there is none of the last `undo_seconds`, or the frames since are too many.
        """
        return self._replays.begin_undo().object_id

    def remove_object(self, object_id: int, reason: str = '') -> CorrectionEvent:
        """Stop tracking an object and close the question about it.

        Parameters
        ----------
        object_id
            Which.
        reason
            Stands in the event behind the object's name.

        Raises
        ------
        ValueError
            If the object is not tracked.
        """
        self._check_tracked(object_id)
        self._backend.remove_objects((object_id,))
        for question in self._book.close_object(object_id):
            self._journal.record_expired(question.request, 'the object was removed')
        self._replays.forget_object(object_id)
        label = self._labels.pop(object_id)
        del self._monitors[object_id]
        newest = self._newest
        index, stamp = (newest.index, newest.stamp) if newest else (0, self._journal.now)
        words = f'{label}: {reason}' if reason else label
        return self._journal.record(EventKind.REMOVED, object_id, index, stamp, reason=words)

    def reset(self) -> tuple[CorrectionEvent, ...]:
        """Forget everything but weights and settings; ids and frames start again.

        Returns the events that no result has reported, the closed questions among them.
        """
        self._backend.reset()
        return self._close_all('the tracker was reset')

    def contents(self) -> tuple[dict[str, torch.Tensor], dict[str, Any]]:
        """Return objects, memories and entropies between two frames; see `state_file`.

        Open questions are not among them.

        Raises
        ------
        ValueError
            If this backend cannot be saved.
        """
        tensors, facts = savable(self._backend).contents()
        objects = [
            {'id': item, 'label': label, 'monitor': self._monitors[item].facts()}
            for item, label in self._labels.items()
        ]
        return tensors, {'backend': facts, 'objects': objects, 'last_id': self._last_id}

    def take(
        self, tensors: Mapping[str, torch.Tensor], facts: Mapping[str, Any]
    ) -> tuple[CorrectionEvent, ...]:
        """Forget everything and go on from what :meth:`contents` returned.

        Returns the events that no result has reported, as :meth:`reset` does.

        Raises
        ------
        KeyError, TypeError, ValueError
            If they are not what they must be, or this backend cannot be saved; nothing has
            changed then.
        """
        monitors, labels = saved_objects(facts['objects'])
        last_id = count(facts['last_id'])
        if list(labels) != facts['backend']['objects'] or max(labels, default=0) > last_id:
            raise ValueError(f'objects are {list(labels)}, and the memory has others')
        savable(self._backend).take(tensors, facts['backend'])
        events = self._close_all('a saved state was loaded')
        self._monitors.update(monitors)
        self._labels, self._last_id = labels, last_id
        return events

    def memory_size(self) -> MemorySize:
        """Return how much the tracker remembers now."""
        return self._backend.memory_size()

    def _close_all(self, reason: str) -> tuple[CorrectionEvent, ...]:
        """Close all questions, give up replays and forget the objects; return what was told."""
        for question in self._book.close_all():
            self._journal.record_expired(question.request, reason)
        self._replays.clear()
        events = self._journal.drain()
        self._forget()
        return events

    def _forget(self) -> None:
        self._labels = {}
        self._monitors.clear()
        self._last_id = 0
        self._newest = None
        self._latest = None
        self._between: list[CorrectionRequest] = []

    def _advance(
        self,
        image: Image,
        stamp: float | None,
        now: float | None,
        prompts: Mapping[int, Prompt],
    ) -> FrameResult:
        _check_image(image)
        _check_time('stamp', stamp)
        _check_time('now', now)
        with torch.inference_mode():
            while True:
                try:
                    result = self._take_step(image, stamp, now, prompts)
                except torch.OutOfMemoryError as error:
                    self._give_something_up(error)
                else:
                    break
            if self._relief.look():
                self._set_scale()
        return result

    def _take_step(
        self,
        image: Image,
        stamp: float | None,
        now: float | None,
        prompts: Mapping[int, Prompt],
    ) -> FrameResult:
        before = self._remember()
        try:
            watch = Stopwatch(self._backend.device)
            prediction = self._backend.predict(image)
            watch.lap('predict')
            taken = float(prediction.frame.index if stamp is None else stamp)
            self._tell_time(taken if now is None else float(now))
            self._replays.remember(prediction.frame, taken)
            frame, decisions = examine(prediction, taken, self._monitors, self.config)
            frame, refusal = self._introduce(frame, prompts, watch)
            result = self._finish(frame, decisions, watch)
        except BaseException:
            # Nothing of a frame that failed may stay half done: what it asked was given to nobody.
            self._backend.discard()
            self._go_back(before)
            raise
        if refusal is not None:
            raise ValueError(f'no object was added: {refusal}') from refusal
        return result

    def _remember(self) -> _Before:
        return _Before(
            journal=self._journal.state(),
            book=self._book.state(),
            monitors={item: monitor.copy() for item, monitor in self._monitors.items()},
            labels=dict(self._labels),
            last_id=self._last_id,
        )

    def _go_back(self, before: _Before) -> None:
        self._journal.go_back(before.journal)
        self._book.go_back(before.book)
        self._monitors.clear()
        self._monitors.update(before.monitors)
        self._labels, self._last_id = before.labels, before.last_id

    def _give_something_up(self, error: torch.OutOfMemoryError) -> None:
        """Take the next step against a shortage of memory; raise the error if there is none."""
        step = self._relief.next_step(len(self._labels))
        if step is Step.NOTHING:
            raise error
        if step is Step.CACHE:
            self._replays.give_up('the accelerator has no memory left')
        elif step is Step.OBJECT:
            self.remove_object(max(self._labels), 'the accelerator has no memory left')
        self._set_scale()
        free_cached_memory(self._backend.device)

    def _set_scale(self) -> None:
        if isinstance(self._backend, ScalableBackend):
            self._backend.scale = self._relief.scale

    def _tell_time(self, now: float) -> None:
        if self._newest is not None and now < self._journal.now:
            self._book.shift(now - self._journal.now)
        self._journal.now = now
        for question in self._book.close_expired(now):
            self._journal.record_expired(question.request, 'no answer in time')

    def _introduce(
        self, frame: CorrectedFrame, prompts: Mapping[int, Prompt], watch: Stopwatch
    ) -> tuple[CorrectedFrame, ValueError | None]:
        """Add the new objects, or none of them, to a frame; return also why not."""
        if not prompts:
            return frame, None
        try:
            given = first_masks(
                prompts, self._refiner, frame.prediction.frame, self._backend.device, watch
            )
            masks = {object_id: refined.mask for object_id, refined in given.items()}
            prediction = self._backend.add_objects(frame.prediction, masks)
        except ValueError as error:
            self._journal.record_in(EventKind.REFUSED, frame, 0, reason=str(error))
            return frame, error
        added = with_new_objects(frame, prediction, given, self._monitors, self.config)
        self._replays.note_given(added)
        for object_id, prompt in prompts.items():
            self._labels[object_id] = prompt.label or f'object {object_id}'
            self._journal.record_in(EventKind.ADDED, added, object_id, clicks=prompt.clicks)
        self._last_id = max(prompts)
        return added, None

    def _finish(
        self, frame: CorrectedFrame, decisions: Mapping[int, Decision], watch: Stopwatch
    ) -> FrameResult:
        """Correct, memorise and report a frame."""
        try:
            requests = self._corrector.correct(frame, decisions, self._labels, watch)
        except BaseException:
            # The operator's own code failed: the frame must not stay half done.
            commit(self._backend, frame, gone_objects(self._monitors), self.config)
            raise
        gone = gone_objects(self._monitors)
        labels = output_labels(frame, gone, self.config)
        self._replays.freeze(frame, self._monitors)
        watch.lap('lazy')
        memorised = commit(self._backend, frame, gone, self.config)
        watch.lap('commit')
        self._newest = frame
        states = self._states(frame, labels)
        watch.lap('lazy')
        timings = watch.timings()
        self._replays.note_pace(timings.total - timings.refine)
        self._latest = FrameResult(
            frame_index=frame.index,
            stamp=frame.stamp,
            labels=labels,
            entropy=frame.entropy,
            objects=states,
            requests=(*self._between, *requests),
            events=self._journal.drain(),
            memorised=memorised,
            timings=timings,
        )
        self._between = []
        return self._latest

    def _states(
        self, frame: CorrectedFrame, labels: npt.NDArray[np.uint16]
    ) -> tuple[ObjectState, ...]:
        absent = [item for item, monitor in self._monitors.items() if monitor.absent]
        return object_states(frame, labels, self._labels, self._book.questioned, absent)

    def _use(
        self,
        frame: CorrectedFrame,
        object_id: int,
        answer: Answer,
        *,
        kind: EventKind,
        request_id: str = '',
        reason: str = '',
    ) -> CorrectionEvent:
        """Use an answer about a frame that was finished before."""
        with torch.inference_mode():
            watch = Stopwatch(self._backend.device)
            before, moment = frame.part(object_id), self._replays.moment(self._monitors)
            event = self._corrector.apply(
                frame, object_id, answer, watch, kind=kind, request_id=request_id, reason=reason
            )
            if event.kind in (kind, EventKind.ABSENT):
                self._replays.note_corrections(frame)
                newest, now = self._newest or frame, self._journal.now
                self._replays.note_correction(
                    Correction(object_id, request_id, frame, before, moment, newest, now)
                    if moment
                    else None
                )
            if event.kind is kind and self.config.interaction_driven_update:
                self._memorise(frame)
            self._refresh_latest(frame)
        return event

    def _put_back(self, undone: Correction) -> None:
        """Make the corrected frame what it was, and ask again about it if that was asked."""
        frame, last = undone.frame, undone.newest.index
        frame.put_back(undone.object_id, undone.before)
        self._replays.note_corrections(frame)
        for question in self._book.replayable:
            # What is known of these frames may come from a replay of the answer.
            if frame.index <= question.frame.index <= last:
                self._book.rebind(question.request.request_id, question.frame, None)
        if undone.request_id and undone.object_id in self._labels:
            label = self._labels[undone.object_id]
            self._between += self._corrector.ask_again(frame, undone.object_id, label)

    def _memorise(self, frame: CorrectedFrame) -> None:
        """Write an earlier frame into the memory, without the objects that are not in it."""
        object_ids = frame.prediction.object_ids
        there = [(c, item) for c, item in enumerate(object_ids, 1) if item not in frame.gone]
        probabilities = corrected_probabilities(frame, self.config)
        if len(there) < len(object_ids):
            probabilities = probabilities[[0, *(channel for channel, _ in there)]]
        ids = tuple(item for _, item in there)

        def write() -> None:
            corrected = frame.trusted_corrections()
            self._backend.memorise(frame.prediction.frame, ids, probabilities, corrected)

        write()
        if self._replays.current is not None:
            self._replays.current.memorise(frame, write)

    def _refresh_latest(self, frame: CorrectedFrame | None) -> None:
        if self._latest is None or frame is None or frame is not self._newest:
            return
        labels = output_labels(frame, gone_objects(self._monitors), self.config)
        states = self._states(frame, labels)
        self._latest = replace(self._latest, labels=labels, entropy=frame.entropy, objects=states)

    def _record_unknown(self, request_id: str, reason: str) -> None:
        closed = self._book.find_closed(request_id)
        object_id, index, stamp = 0, 0, self._journal.now
        if closed is not None:
            object_id, index, stamp = closed.object_id, closed.frame_index, closed.stamp
        self._journal.record(
            EventKind.REFUSED, object_id, index, stamp, request_id=request_id, reason=reason
        )

    def _check_tracked(self, object_id: int) -> None:
        if object_id not in self._labels:
            tracked = ', '.join(map(str, self._labels)) or 'none yet'
            raise ValueError(f'object {object_id} is not tracked; tracked: {tracked}')


def _check_time(name: str, seconds: float | None) -> None:
    if seconds is not None and not isfinite(seconds):
        raise ValueError(f'{name} is {seconds}; allowed: finite seconds, or None')


def _check_image(image: Image) -> None:
    if not isinstance(image, np.ndarray) or image.dtype != np.uint8:
        raise ValueError(f'image is {type(image).__name__}; allowed: (H, W, 3) uint8 array')
    if image.ndim != 3 or image.shape[2] != 3 or 0 in image.shape:
        raise ValueError(f'image has shape {image.shape}; allowed: (H, W, 3), RGB')
