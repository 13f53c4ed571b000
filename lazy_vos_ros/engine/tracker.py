"""LazyTracker: the only class of the engine that the rest of the house calls."""

from collections.abc import Mapping
from collections.abc import Sequence
from dataclasses import replace
from math import isfinite

import numpy as np
import numpy.typing as npt
import torch

from lazy_vos_ros.engine.answers import check_answer
from lazy_vos_ros.engine.backend import Backend
from lazy_vos_ros.engine.backend import Image
from lazy_vos_ros.engine.backend import MemorySize
from lazy_vos_ros.engine.backend import MemoryWrite
from lazy_vos_ros.engine.backend import Prediction
from lazy_vos_ros.engine.clicks import Click
from lazy_vos_ros.engine.config import LazyConfig
from lazy_vos_ros.engine.corrected_frame import CorrectedFrame
from lazy_vos_ros.engine.corrected_frame import Measurement
from lazy_vos_ros.engine.corrector import Corrector
from lazy_vos_ros.engine.corrector import Operator
from lazy_vos_ros.engine.first_masks import first_masks
from lazy_vos_ros.engine.journal import Journal
from lazy_vos_ros.engine.labels import most_probable
from lazy_vos_ros.engine.labels import to_object_ids
from lazy_vos_ros.engine.memory_policy import memorise_corrections
from lazy_vos_ros.engine.memory_policy import memory_write
from lazy_vos_ros.engine.object_states import object_states
from lazy_vos_ros.engine.prompts import Prompt
from lazy_vos_ros.engine.prompts import number_prompts
from lazy_vos_ros.engine.questions import QuestionBook
from lazy_vos_ros.engine.questions import UnknownRequestError
from lazy_vos_ros.engine.refiners.base import Refiner
from lazy_vos_ros.engine.results import Action
from lazy_vos_ros.engine.results import Answer
from lazy_vos_ros.engine.results import CorrectionEvent
from lazy_vos_ros.engine.results import CorrectionRequest
from lazy_vos_ros.engine.results import EventKind
from lazy_vos_ros.engine.results import FrameResult
from lazy_vos_ros.engine.results import Skip
from lazy_vos_ros.engine.stopwatch import Stopwatch
from lazy_vos_ros.engine.triggers import Decision
from lazy_vos_ros.engine.triggers import ObjectTrigger
from lazy_vos_ros.engine.uncertainty import frame_maps
from lazy_vos_ros.engine.uncertainty import object_uncertainty


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
        self._corrector = Corrector(refiner, self._book, self._journal, operator)
        self._forget()

    @property
    def config(self) -> LazyConfig:
        """The settings in force."""
        return self._book.config

    def configure(self, config: LazyConfig) -> None:
        """Change the settings from the next frame on; open questions keep their expiry."""
        self._book.config = config

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

    def step(self, image: Image, stamp: float | None = None) -> FrameResult:
        """Track through the next frame.

        Parameters
        ----------
        image
            (H, W, 3) uint8 RGB.
        stamp
            Seconds; None: the frame's index. Where stamps go backwards (a recording starts
            again), the frame is processed as usual and all timers of the questions move along.

        Raises
        ------
        ValueError
            If the image or the stamp is not allowed; nothing has changed then.
        """
        return self._advance(image, stamp, {})

    def add_objects(
        self, image: Image, prompts: Sequence[Prompt], stamp: float | None = None
    ) -> FrameResult:
        """Take one time step on `image`, in which these objects appear; the others go on.

        Raises
        ------
        ValueError
            If the image, the stamp or a prompt is not allowed; nothing has changed then. Also if
            no usable mask comes of the clicks: then the step was taken, without new objects.
        """
        numbered = number_prompts(prompts, self._last_id)
        _check_image(image)
        for prompt in numbered.values():
            prompt.check_inside(*image.shape[:2])
        return self._advance(image, stamp, numbered)

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

        The refined mask enters the memory with that frame's key and value (IDU). The event is
        ANSWERED, ABSENT or SKIPPED; REFUSED if the refiner gave nothing usable. The question is
        closed in all cases.

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
        return self._use(
            question.frame,
            question.request.object_id,
            answer,
            kind=EventKind.ANSWERED,
            request_id=request_id,
        )

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

    def remove_object(self, object_id: int) -> CorrectionEvent:
        """Stop tracking an object and close the question about it.

        Raises
        ------
        ValueError
            If the object is not tracked.
        """
        self._check_tracked(object_id)
        self._backend.remove_objects((object_id,))
        for question in self._book.close_object(object_id):
            self._journal.record_expired(question.request, 'the object was removed')
        label = self._labels.pop(object_id)
        del self._triggers[object_id]
        index = self._newest.index if self._newest else 0
        now = self._journal.now
        return self._journal.record(EventKind.REMOVED, object_id, index, now, reason=label)

    def reset(self) -> tuple[CorrectionEvent, ...]:
        """Forget everything but weights and settings; ids and frames start again.

        Returns the events that no result has reported, the closed questions among them.
        """
        self._backend.reset()
        for question in self._book.close_all():
            self._journal.record_expired(question.request, 'the tracker was reset')
        events = self._journal.drain()
        self._forget()
        return events

    def memory_size(self) -> MemorySize:
        """Return how much the tracker remembers now."""
        return self._backend.memory_size()

    def _forget(self) -> None:
        self._labels: dict[int, str] = {}
        self._triggers: dict[int, ObjectTrigger] = {}
        self._last_id = 0
        self._newest: CorrectedFrame | None = None
        self._latest: FrameResult | None = None

    def _advance(
        self, image: Image, stamp: float | None, prompts: Mapping[int, Prompt]
    ) -> FrameResult:
        _check_image(image)
        if stamp is not None and not isfinite(stamp):
            raise ValueError(f'stamp is {stamp}; allowed: finite seconds, or None')
        with torch.inference_mode():
            watch = Stopwatch(self._backend.device)
            prediction = self._backend.predict(image)
            watch.lap('predict')
            self._tell_time(float(prediction.frame.index) if stamp is None else float(stamp))
            frame, decisions = self._examine(prediction)
            frame, refusal = self._introduce(frame, prompts, watch)
            result = self._finish(frame, decisions, watch)
        if refusal is not None:
            raise ValueError(f'no object was added: {refusal}') from refusal
        return result

    def _tell_time(self, now: float) -> None:
        if self._newest is not None and now < self._journal.now:
            self._book.shift(now - self._journal.now)
        self._journal.now = now
        for question in self._book.close_expired(now):
            self._journal.record_expired(question.request, 'no answer in time')

    def _examine(self, prediction: Prediction) -> tuple[CorrectedFrame, dict[int, Decision]]:
        """Measure the objects tracked so far, and let their triggers decide."""
        maps = frame_maps(prediction.probabilities, self.config)
        measurements: dict[int, Measurement] = {}
        decisions: dict[int, Decision] = {}
        for channel, object_id in enumerate(prediction.object_ids, 1):
            uncertainty = object_uncertainty(maps, channel, self.config)
            trigger = self._triggers[object_id]
            derivative, decisions[object_id] = trigger.update(uncertainty, self.config)
            measurements[object_id] = Measurement(uncertainty, derivative)
        frame = CorrectedFrame(
            prediction=prediction,
            stamp=self._journal.now,
            channels=maps.channels,
            entropy=maps.entropy,
            measurements=measurements,
            given={},
        )
        return frame, decisions

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
        maps = frame_maps(prediction.probabilities, self.config)
        measurements = dict(frame.measurements)
        for object_id in given:
            channel = 1 + prediction.object_ids.index(object_id)
            uncertainty = object_uncertainty(maps, channel, self.config)
            measurements[object_id] = Measurement(uncertainty)
        added = replace(
            frame,
            prediction=prediction,
            channels=maps.channels,
            measurements=measurements,
            given=given,
            actions=dict.fromkeys(given, Action.ADDED),
        )
        self._register(added, prompts)
        return added, None

    def _register(self, frame: CorrectedFrame, prompts: Mapping[int, Prompt]) -> None:
        for object_id, prompt in prompts.items():
            self._labels[object_id] = prompt.label or f'object {object_id}'
            uncertainty = frame.measurements[object_id].uncertainty
            self._triggers[object_id] = ObjectTrigger(uncertainty)
            self._journal.record_in(EventKind.ADDED, frame, object_id, clicks=prompt.clicks)
        self._last_id = max(prompts)

    def _finish(
        self, frame: CorrectedFrame, decisions: Mapping[int, Decision], watch: Stopwatch
    ) -> FrameResult:
        """Correct, memorise and report a frame."""
        try:
            requests = self._corrector.correct(frame, decisions, self._labels, watch)
        except BaseException:
            # The operator's own code failed: the frame must not stay half done.
            self._commit(frame)
            raise
        labels = self._output(frame)
        watch.lap('lazy')
        memorised = self._commit(frame)
        watch.lap('commit')
        self._newest = frame
        states = object_states(frame, labels, self._labels, self._book.questioned)
        watch.lap('lazy')
        self._latest = FrameResult(
            frame_index=frame.index,
            stamp=frame.stamp,
            labels=labels,
            entropy=frame.entropy,
            objects=states,
            requests=requests,
            events=self._journal.drain(),
            memorised=memorised,
            timings=watch.timings(),
        )
        return self._latest

    def _output(self, frame: CorrectedFrame) -> npt.NDArray[np.uint16]:
        channels = frame.channels
        if frame.corrections:
            channels = most_probable(self._probabilities(frame)).cpu().numpy()
        return to_object_ids(channels, frame.prediction.object_ids)

    def _probabilities(self, frame: CorrectedFrame) -> torch.Tensor:
        return frame.probabilities(soft_others=self.config.soft_others)

    def _commit(self, frame: CorrectedFrame) -> bool:
        user, pseudo = frame.corrected_by_user, frame.corrected_by_itself
        write = memory_write(
            self.config,
            given=bool(frame.given),
            user=user,
            pseudo=pseudo,
            uncertainty=max((m.uncertainty for m in frame.measurements.values()), default=0.0),
        )
        refined = memorise_corrections(self.config, user=user, pseudo=pseudo)
        try:
            return self._backend.commit(
                frame.prediction,
                write,
                self._probabilities(frame) if refined else None,
                deep_update=refined and self.config.deep_update_on_correction,
            )
        except RuntimeError:
            # A value that cannot be memorised must not keep the next frame from coming.
            if not frame.given:
                self._backend.commit(frame.prediction, MemoryWrite.BLOCKED)
            raise

    def _use(
        self,
        frame: CorrectedFrame,
        object_id: int,
        answer: Answer,
        *,
        kind: EventKind,
        request_id: str = '',
    ) -> CorrectionEvent:
        """Use an answer about a frame that was finished before."""
        with torch.inference_mode():
            watch = Stopwatch(self._backend.device)
            event = self._corrector.apply(
                frame, object_id, answer, watch, kind=kind, request_id=request_id
            )
            changed = event.kind in (kind, EventKind.ABSENT)
            if changed and self.config.interaction_driven_update:
                self._backend.memorise(
                    frame.prediction.frame,
                    frame.prediction.object_ids,
                    self._probabilities(frame),
                )
            self._refresh_latest(frame)
        return event

    def _refresh_latest(self, frame: CorrectedFrame) -> None:
        if self._latest is None or frame is not self._newest:
            return
        labels = self._output(frame)
        states = object_states(frame, labels, self._labels, self._book.questioned)
        self._latest = replace(self._latest, labels=labels, objects=states)

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


def _check_image(image: Image) -> None:
    if not isinstance(image, np.ndarray) or image.dtype != np.uint8:
        raise ValueError(f'image is {type(image).__name__}; allowed: (H, W, 3) uint8 array')
    if image.ndim != 3 or image.shape[2] != 3 or 0 in image.shape:
        raise ValueError(f'image has shape {image.shape}; allowed: (H, W, 3), RGB')
