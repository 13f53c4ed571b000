"""The book of open questions to the operator, and the rules that spare a person."""

from collections import OrderedDict
from collections import deque
from collections.abc import Callable
from dataclasses import dataclass
from dataclasses import replace
from math import isinf

from lazy_vos_ros.engine.backend import Snapshot
from lazy_vos_ros.engine.config import LazyConfig
from lazy_vos_ros.engine.corrected_frame import CorrectedFrame
from lazy_vos_ros.engine.monitor import ObjectMonitor
from lazy_vos_ros.engine.results import CorrectionRequest

CLOSED_KEPT = 1024
"""How many closed questions are remembered, to say why an answer comes too late."""


class UnknownRequestError(ValueError):
    """An answer to a question that is not open; the message says why."""


@dataclass(frozen=True)
class Moment:
    """What the tracker knew when it had looked at a frame and not yet memorised it."""

    backend: Snapshot
    monitors: dict[int, ObjectMonitor]
    """By object id."""


@dataclass(frozen=True)
class Question:
    """What the person sees, and what the tracker needs to use the answer."""

    request: CorrectionRequest
    frame: CorrectedFrame
    moment: Moment | None = None
    """Of the frame, where a replay can start from it."""


@dataclass(frozen=True)
class Alarm:
    """A call for the operator that a replay raised, and that its last frame has not belied."""

    object_id: int
    rise: float
    """S_R in that frame above what it was before the alarm."""
    frame: CorrectedFrame
    moment: Moment
    """Of that frame."""


@dataclass(frozen=True)
class ClosedQuestion:
    """What is remembered of a question that is no longer open."""

    object_id: int
    frame_index: int
    stamp: float
    reason: str
    """Why it was closed."""


@dataclass(frozen=True)
class BookState:
    """A book's open questions and timers at one moment."""

    open: dict[str, Question]
    last_asked: dict[int, float]
    asked: tuple[float, ...]


class QuestionBook:
    """Open questions: one an object, at most `max_questions`, each until it expires.

    All times are stamps of the stream in seconds.
    """

    def __init__(self, config: LazyConfig) -> None:
        self.config = config
        self._open: dict[str, Question] = {}
        self._closed: OrderedDict[str, ClosedQuestion] = OrderedDict()
        self._last_asked: dict[int, float] = {}
        self._asked: deque[float] = deque()

    @property
    def requests(self) -> tuple[CorrectionRequest, ...]:
        """The open questions, oldest first."""
        return tuple(question.request for question in self._open.values())

    @property
    def questioned(self) -> frozenset[int]:
        """Ids of the objects about which a question is open."""
        return frozenset(item.request.object_id for item in self._open.values())

    def reason_to_spare(self, object_id: int, now: float) -> str:
        """Return why nobody is asked about this object now; empty if nothing speaks against."""
        rules = (self._open_already, self._too_many_open, self._cooling_down, self._budget_spent)
        return next((reason for rule in rules if (reason := rule(object_id, now))), '')

    def open(self, question: Question) -> None:
        """Enter a question that is put now."""
        request = question.request
        self._open[request.request_id] = question
        self._last_asked[request.object_id] = request.asked
        self._asked.append(request.asked)

    def questions_about(self, frame_index: int) -> list[Question]:
        """Return the open questions about a frame."""
        return [item for item in self._open.values() if item.frame.index == frame_index]

    @property
    def replayable(self) -> list[Question]:
        """The open questions from which a replay can start, oldest first."""
        return [item for item in self._open.values() if item.moment is not None]

    def rebind(self, request_id: str, frame: CorrectedFrame, moment: Moment | None) -> None:
        """Let a replay of an open question start from another view of its frame."""
        self._open[request_id] = replace(self._open[request_id], frame=frame, moment=moment)

    def find(self, request_id: str) -> Question:
        """Return an open question.

        Raises
        ------
        UnknownRequestError
            If it is not open, with the reason.
        """
        question = self._open.get(request_id)
        if question is None:
            closed = self._closed.get(request_id)
            reason = closed.reason if closed else 'it is not known'
            raise UnknownRequestError(f'request {request_id!r} is not open: {reason}')
        return question

    def find_closed(self, request_id: str) -> ClosedQuestion | None:
        """Return what is remembered of a closed question."""
        return self._closed.get(request_id)

    def close(self, request_id: str, reason: str) -> None:
        """Close an open question and free its frame; `reason` tells later answers why."""
        request = self._open.pop(request_id).request
        self._closed[request_id] = ClosedQuestion(
            request.object_id, request.frame_index, request.stamp, reason
        )
        while len(self._closed) > CLOSED_KEPT:
            self._closed.popitem(last=False)

    def close_expired(self, now: float) -> list[Question]:
        """Close and return the questions whose time is over."""
        return self._close_where(
            lambda item: now > item.request.expires, 'it expired without an answer'
        )

    def close_object(self, object_id: int) -> list[Question]:
        """Close and return the questions about an object that was removed."""
        self._last_asked.pop(object_id, None)
        return self._close_where(
            lambda item: item.request.object_id == object_id, f'object {object_id} was removed'
        )

    def close_all(self) -> list[Question]:
        """Close and return all questions because the tracker was reset; forget all timers."""
        self._last_asked.clear()
        self._asked.clear()
        return self._close_where(lambda item: True, 'the tracker was reset')

    def state(self) -> BookState:
        """Return the open questions and the timers, for :meth:`go_back`."""
        return BookState(dict(self._open), dict(self._last_asked), tuple(self._asked))

    def go_back(self, state: BookState) -> None:
        """Forget what was opened, closed and shifted since."""
        self._open = dict(state.open)
        self._last_asked = dict(state.last_asked)
        self._asked = deque(state.asked)

    def shift(self, seconds: float) -> None:
        """Move all timers, because the stamps of the stream jumped by this much."""
        self._open = {
            key: replace(
                item, request=replace(item.request, expires=item.request.expires + seconds)
            )
            for key, item in self._open.items()
        }
        self._last_asked = {key: time + seconds for key, time in self._last_asked.items()}
        self._asked = deque(time + seconds for time in self._asked)

    def _close_where(self, matches: Callable[[Question], bool], reason: str) -> list[Question]:
        closing = [item for item in self._open.values() if matches(item)]
        for item in closing:
            self.close(item.request.request_id, reason)
        return closing

    def _open_already(self, object_id: int, now: float) -> str:
        return 'a question about this object is open' if object_id in self.questioned else ''

    def _too_many_open(self, object_id: int, now: float) -> str:
        full = len(self._open) >= self.config.max_questions
        return f'{len(self._open)} questions are open (max_questions)' if full else ''

    def _cooling_down(self, object_id: int, now: float) -> str:
        last = self._last_asked.get(object_id)
        if last is None or now - last >= self.config.question_cooldown:
            return ''
        return f'asked {now - last:.1f} s ago (question_cooldown)'

    def _budget_spent(self, object_id: int, now: float) -> str:
        rate = self.config.questions_per_minute
        if isinf(rate):
            self._asked.clear()
            return ''
        if rate == 0:
            return 'questions_per_minute is 0'
        # Less than one question a minute is one question in more than a minute.
        window, most = 60 * max(1, 1 / rate), max(1, int(rate))
        while self._asked and now - self._asked[0] >= window:
            self._asked.popleft()
        spent = len(self._asked) >= most
        return f'{most} asked within {window:g} s (questions_per_minute)' if spent else ''
