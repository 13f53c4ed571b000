"""Corrections of one frame: the operator's, or the tracker's own."""

from collections.abc import Callable
from collections.abc import Collection
from collections.abc import Mapping
from dataclasses import replace
from uuid import uuid4

import torch

from lazy_vos_ros.engine.answers import check_answer
from lazy_vos_ros.engine.answers import clicks_of
from lazy_vos_ros.engine.clicks import Click
from lazy_vos_ros.engine.config import LazyConfig
from lazy_vos_ros.engine.corrected_frame import CorrectedFrame
from lazy_vos_ros.engine.journal import Journal
from lazy_vos_ros.engine.presence import Whereabouts
from lazy_vos_ros.engine.presence import sight_of
from lazy_vos_ros.engine.pseudo_click import pseudo_click
from lazy_vos_ros.engine.questions import Alarm
from lazy_vos_ros.engine.questions import Question
from lazy_vos_ros.engine.questions import QuestionBook
from lazy_vos_ros.engine.refinement import RefusedMaskError
from lazy_vos_ros.engine.refinement import check_overlap
from lazy_vos_ros.engine.refinement import refine
from lazy_vos_ros.engine.refiners.base import RefinedMask
from lazy_vos_ros.engine.refiners.base import Refiner
from lazy_vos_ros.engine.results import Absent
from lazy_vos_ros.engine.results import Action
from lazy_vos_ros.engine.results import Answer
from lazy_vos_ros.engine.results import CorrectionEvent
from lazy_vos_ros.engine.results import CorrectionRequest
from lazy_vos_ros.engine.results import EventKind
from lazy_vos_ros.engine.results import Skip
from lazy_vos_ros.engine.stopwatch import Stopwatch
from lazy_vos_ros.engine.time_step import Monitors
from lazy_vos_ros.engine.triggers import Decision

Operator = Callable[[CorrectionRequest], Answer | None]
"""Answers a question at once, or returns None to leave it open."""


class Corrector:
    """Asks, clicks and refines; what comes of it is kept in the frame and in the journal."""

    def __init__(
        self,
        refiner: Refiner,
        book: QuestionBook,
        journal: Journal,
        monitors: Monitors,
        operator: Operator | None = None,
    ) -> None:
        self._refiner = refiner
        self._book = book
        self._journal = journal
        self._monitors = monitors
        self._operator = operator

    @property
    def _config(self) -> LazyConfig:
        return self._book.config

    def correct(
        self,
        frame: CorrectedFrame,
        decisions: Mapping[int, Decision],
        labels: Mapping[int, str],
        watch: Stopwatch,
    ) -> tuple[CorrectionRequest, ...]:
        """Do what the triggers decided for the objects of a frame; return what was asked."""
        requests = []
        for object_id, decision in decisions.items():
            self._tell_whereabouts(frame, object_id)
            if decision is Decision.PSEUDO:
                self.correct_itself(frame, object_id, watch)
            elif decision is not Decision.NONE and not self._spared(frame, object_id, decision):
                requests.append(self._ask(frame, object_id, labels[object_id], decision, watch))
            elif decision is Decision.USER:
                self.correct_itself(frame, object_id, watch)
        return tuple(requests)

    def _tell_whereabouts(self, frame: CorrectedFrame, object_id: int) -> None:
        if not frame.measurements[object_id].changed:
            return
        whereabouts = self._monitors[object_id].whereabouts
        if whereabouts is Whereabouts.LOST:
            self._journal.record_in(EventKind.LOST, frame, object_id)
        elif whereabouts is Whereabouts.PRESENT:
            self._journal.record_in(EventKind.RECOVERED, frame, object_id)

    def _spared(self, frame: CorrectedFrame, object_id: int, decision: Decision) -> bool:
        """Whether nobody is asked now; the event of it tells why.

        A lost object stays lost, so that its question waits until somebody may be asked, and the
        event comes once.
        """
        monitor, reason = self._monitors[object_id], ''
        if decision is Decision.USER:
            reason = monitor.reason_to_spare(self._config)
        reason = reason or self._book.reason_to_spare(object_id, self._journal.now)
        told = decision is Decision.LOST and monitor.vanishing_spared
        if reason and not told:
            self._journal.record_in(EventKind.SUPPRESSED, frame, object_id, reason=reason)
            monitor.vanishing_spared = decision is Decision.LOST
        return bool(reason)

    def apply(
        self,
        frame: CorrectedFrame,
        object_id: int,
        answer: Answer,
        watch: Stopwatch,
        *,
        kind: EventKind,
        request_id: str = '',
        reason: str = '',
    ) -> CorrectionEvent:
        """Use a checked answer about a frame.

        It corrects this frame in any case; where the object is now it tells only if nothing is
        known of that from a later frame. `kind` is the event if it is clicks that work, and
        `reason` goes with it unless there is a more urgent one.
        """
        clicks = clicks_of(answer)
        if isinstance(answer, Skip):
            kind, reason = EventKind.SKIPPED, ''
        elif isinstance(answer, Absent):
            kind = EventKind.ABSENT
            nothing = torch.zeros(frame.size, dtype=torch.bool, device=self._device(frame))
            self._replace(frame, object_id, RefinedMask(nothing, 1.0), Action.CORRECTED)
            frame.gone.add(object_id)
            self._monitors[object_id].said_gone(frame.index)
        else:
            try:
                refined = self._refine(frame, object_id, clicks, watch)
                self._replace(frame, object_id, refined, Action.CORRECTED)
                frame.gone.discard(object_id)
                self._see(frame, object_id, refined)
            except RefusedMaskError as error:
                kind, reason = EventKind.REFUSED, str(error)
        return self._journal.record_in(
            kind, frame, object_id, request_id=request_id, clicks=clicks, reason=reason
        )

    def take_over(
        self,
        frame: CorrectedFrame,
        corrections: Mapping[int, RefinedMask],
        gone: Collection[int],
    ) -> None:
        """Use in a frame, seen again, what the operator did in it before.

        `corrections` are masks by object id, empty ones of the objects that are `gone`.
        """
        for object_id, refined in corrections.items():
            self._replace(frame, object_id, refined, Action.CORRECTED)
            if object_id in gone:
                frame.gone.add(object_id)
                self._monitors[object_id].said_gone(frame.index)
            else:
                self._see(frame, object_id, refined)

    def ask_later(
        self, alarms: Collection[Alarm], labels: Mapping[int, str]
    ) -> list[CorrectionRequest]:
        """Ask, as far as a person may be asked now, because of alarms that a replay raised.

        The questions stay open, also where an operator is asked within the step.
        """
        requests = []
        for alarm in alarms:
            object_id, frame = alarm.object_id, alarm.frame
            if self._spared(frame, object_id, Decision.USER):
                continue
            label, uncertainty = labels[object_id], frame.measurements[object_id].uncertainty
            reason = (
                f'uncertainty of {label} is {uncertainty:.2f} ({alarm.rise:+.2f} in the frames '
                'that were tracked again)'
            )
            request = self._request(frame, object_id, label, reason)
            alarm.moment.monitors[object_id].asked(uncertainty)
            request = replace(request, derivative=alarm.rise)
            self._open(Question(request, frame, alarm.moment))
            requests.append(request)
        return requests

    def ask_again(
        self, frame: CorrectedFrame, object_id: int, label: str
    ) -> list[CorrectionRequest]:
        """Ask once more about a frame whose answer was undone, unless a question is open."""
        full = len(self._book.requests) >= self._config.max_questions
        if object_id in self._book.questioned or full:
            return []
        reason = f'where is {label}? The answer before was undone'
        request = self._request(frame, object_id, label, reason)
        self._open(Question(request, frame))
        return [request]

    def _see(self, frame: CorrectedFrame, object_id: int, refined: RefinedMask) -> None:
        mask = refined.mask.cpu().numpy()
        if mask.any():
            self._monitors[object_id].found(sight_of(mask, 0.0), frame.index)

    def _ask(
        self,
        frame: CorrectedFrame,
        object_id: int,
        label: str,
        decision: Decision,
        watch: Stopwatch,
    ) -> CorrectionRequest:
        measured = frame.measurements[object_id]
        reason = (
            f'uncertainty of {label} is {measured.uncertainty:.2f} '
            f'({measured.derivative:+.2f} since the last frame)'
        )
        if decision is Decision.LOST:
            reason = f'{label} has vanished: is it gone, or where is it?'
        request = self._request(frame, object_id, label, reason)
        self._open(Question(request, frame))
        if not self._answered_at_once(frame, request, watch):
            self.correct_itself(frame, object_id, watch)
        return request

    def _open(self, question: Question) -> None:
        request, frame = question.request, question.frame
        self._monitors[request.object_id].asked(request.uncertainty)
        self._book.open(question)
        self._journal.record_in(
            EventKind.ASKED,
            frame,
            request.object_id,
            request_id=request.request_id,
            reason=request.reason,
        )
        frame.actions[request.object_id] = Action.ASKED

    def _answered_at_once(
        self, frame: CorrectedFrame, request: CorrectionRequest, watch: Stopwatch
    ) -> bool:
        if self._operator is None:
            return False
        watch.lap('lazy')
        answer = self._operator(request)
        watch.skip()
        if answer is None:
            return False
        self._book.close(request.request_id, 'it was answered already')
        try:
            check_answer(answer, *frame.size)
        except ValueError as error:
            self._journal.record_in(
                EventKind.REFUSED,
                frame,
                request.object_id,
                request_id=request.request_id,
                reason=str(error),
            )
        else:
            self.apply(
                frame,
                request.object_id,
                answer,
                watch,
                kind=EventKind.ANSWERED,
                request_id=request.request_id,
            )
        return True

    def correct_itself(self, frame: CorrectedFrame, object_id: int, watch: Stopwatch) -> None:
        """Correct an object with a click made from its mask, if that is allowed and helps."""
        allowed = self._monitors[object_id].may_correct_itself(self._config)
        if not self._config.pseudo_corrections or not allowed:
            return
        predicted = frame.predicted_mask(object_id)
        click = pseudo_click(predicted, frame.entropy, self._config)
        if click is None:
            return
        kind, reason = EventKind.PSEUDO, ''
        try:
            refined = self._refine(frame, object_id, (click,), watch)
            check_overlap(refined.mask, predicted, self._config.pseudo_min_overlap)
            asked = frame.actions.get(object_id) is Action.ASKED
            action = Action.ASKED if asked else Action.PSEUDO
            self._replace(frame, object_id, refined, action)
        except RefusedMaskError as error:
            kind, reason = EventKind.REFUSED, str(error)
        self._journal.record_in(kind, frame, object_id, clicks=(click,), reason=reason)

    def _refine(
        self,
        frame: CorrectedFrame,
        object_id: int,
        clicks: tuple[Click, ...],
        watch: Stopwatch,
    ) -> RefinedMask:
        prior = frame.prediction.probabilities[frame.channel(object_id)]
        watch.lap('lazy')
        try:
            return refine(
                self._refiner,
                frame.prediction.frame,
                clicks,
                object_id=object_id,
                prior=prior,
                device=prior.device,
            )
        finally:
            watch.lap('refine')

    def _request(
        self, frame: CorrectedFrame, object_id: int, label: str, reason: str
    ) -> CorrectionRequest:
        measurement = frame.measurements[object_id]
        return CorrectionRequest(
            request_id=str(uuid4()),
            object_id=object_id,
            label=label,
            frame_index=frame.index,
            stamp=frame.stamp,
            asked=self._journal.now,
            expires=self._journal.now + self._config.question_timeout,
            uncertainty=measurement.uncertainty,
            derivative=measurement.derivative,
            reason=reason,
            image=frame.prediction.frame.image,
            mask=frame.predicted_mask(object_id),
            entropy=frame.entropy,
        )

    @staticmethod
    def _replace(
        frame: CorrectedFrame, object_id: int, refined: RefinedMask, action: Action
    ) -> None:
        frame.corrections[object_id] = refined
        frame.actions[object_id] = action

    @staticmethod
    def _device(frame: CorrectedFrame) -> torch.device:
        return frame.prediction.probabilities.device
