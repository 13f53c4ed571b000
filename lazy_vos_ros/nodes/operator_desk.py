"""The operator's desk: open questions of all trackers, the one being answered, and what was done.

No ROS in here. A node brings questions and carries decisions away (:class:`Courier`); any number
of views (RViz, a web page) show :meth:`OperatorDesk.snapshot` and call the actions.

How a question goes: it waits, the most urgent first, until it is *current*. Clicks (or "object is
gone") make a *proposal*, for which the tracker is asked for the refined mask. Further clicks add
to it, :meth:`~OperatorDesk.undo` takes back, :meth:`~OperatorDesk.confirm` sends it; with
`confirm_after` it is sent by itself that long after its refined mask came. Then the next question
is current, and the history tells what the tracker made of the answer.
"""

from collections import deque
from collections.abc import Callable
from collections.abc import Iterator
from contextlib import contextmanager
from threading import Condition
from time import monotonic

from lazy_vos_ros.engine.clicks import Click
from lazy_vos_ros.engine.results import Absent
from lazy_vos_ros.engine.results import Answer
from lazy_vos_ros.engine.results import Skip
from lazy_vos_ros.nodes.operator_courier import Courier
from lazy_vos_ros.nodes.operator_courier import Order
from lazy_vos_ros.nodes.operator_history import History
from lazy_vos_ros.nodes.operator_view import Deed
from lazy_vos_ros.nodes.operator_view import Entry
from lazy_vos_ros.nodes.operator_view import HealthLine
from lazy_vos_ros.nodes.operator_view import Live
from lazy_vos_ros.nodes.operator_view import Mask
from lazy_vos_ros.nodes.operator_view import Outcome
from lazy_vos_ros.nodes.operator_view import Proposal
from lazy_vos_ros.nodes.operator_view import Question
from lazy_vos_ros.nodes.operator_view import Snapshot
from lazy_vos_ros.nodes.operator_view import TrackerView

GRACE = 0.4
"""Seconds: of two clicks on one place within this time the second is half of a double click, and
a click that names no question is not taken for one that is shown for a shorter time."""

SAME_PLACE = 4.0
"""Pixels within which two clicks are on one place."""

PREVIEW_PATIENCE = 3.0
"""Seconds after which a refined mask is not waited for any more."""

LATE = 5.0
"""Seconds that a question outlives its time if its tracker is not there. One that is there says
itself that it expired: only the tracker knows the stream's time, which may stand still."""

WITHDRAWN_KEPT = 200
"""Withdrawn questions that are remembered."""

UNDO_OFFERED = 10.0
"""Seconds for which a correction that was sent can be taken back, if its tracker still can."""

_CORRECTIONS = (Deed.ANSWERED, Deed.ABSENT, Deed.CORRECTED)

INTEREST = 5.0
"""Seconds for which somebody who asked for a live picture is taken to want the next ones."""


class NotTakenError(ValueError):
    """An action that cannot be taken now; the message is for the operator."""


class OperatorDesk:
    """Everything that operators see and do; every method may be called from any thread.

    Parameters
    ----------
    courier
        Carries the decisions.
    confirm_after
        Seconds from the refined mask until a proposal is sent by itself; inf: never; 0: clicks
        are sent at once, without a refined mask.
    clock
        Seconds; anything that does not go backwards.
    """

    def __init__(
        self,
        courier: Courier,
        *,
        confirm_after: float = 2.0,
        clock: Callable[[], float] = monotonic,
    ) -> None:
        self._courier = courier
        self._confirm_after = confirm_after
        self._clock = clock
        self._changed = Condition()
        self._outbox: list[Callable[[], None]] = []
        self._listeners: list[Callable[[], None]] = []
        self._version = 0
        self._waiting: dict[str, Question] = {}
        self._withdrawn: deque[str] = deque(maxlen=WITHDRAWN_KEPT)
        self._current: Question | None = None
        self._shown_at = 0.0
        self._proposal: Proposal = ()
        self._proposed_at = 0.0
        self._serial = 0
        self._preview: Mask | None = None
        self._previewed_at: float | None = None
        self._problem = ''
        self._history = History()
        self._undoing: dict[int, int] = {}
        self._trackers: dict[str, TrackerView] = {}
        self._health: tuple[HealthLine, ...] = ()
        self._live: dict[str, Live] = {}
        self._wanted: dict[str, float] = {}
        self._offered = False

    # ---- what views see ----

    def snapshot(self) -> Snapshot:
        """Return all that there is to show now."""
        with self._changed:
            return Snapshot(
                version=self._version,
                now=self._clock(),
                current=self._current,
                proposal=self._proposal,
                preview=self._preview,
                problem=self._problem,
                confirm_at=self._confirm_at(),
                waiting=tuple(sorted(self._waiting.values(), key=lambda item: item.urgency)),
                history=self._history.entries,
                undoable=self._undoable(),
                trackers=tuple(self._trackers[name] for name in sorted(self._trackers)),
                health=self._health,
            )

    def wait(self, version: int, timeout: float | None = None) -> Snapshot:
        """Wait until something is newer than `version`, or seconds have passed; return it."""
        with self._changed:
            self._changed.wait_for(lambda: self._version > version, timeout)
            return self.snapshot()

    def listen(self, listener: Callable[[], None]) -> None:
        """Call this after every change, in the thread that made it; it must not wait."""
        with self._changed:
            self._listeners.append(listener)

    def live(self, tracker: str, after: int = -1, timeout: float = 0.0) -> Live | None:
        """Return a tracker's newest overlay, or None.

        Who calls this is taken to want the next ones too: they are fetched for INTEREST seconds.

        Parameters
        ----------
        tracker
            Its full name.
        after
            Stamp of the picture that the caller has; another one is waited for.
        timeout
            Seconds to wait for it; None is returned then.
        """

        def newer() -> bool:
            live = self._live.get(tracker)
            return live is not None and live.stamp != after

        with self._changed:
            self._wanted[tracker] = self._clock() + INTEREST
            found = self._changed.wait_for(newer, timeout)
            self._wanted[tracker] = self._clock() + INTEREST
            return self._live[tracker] if found else None

    # ---- what operators do ----

    def click(self, click: Click, key: str | None = None) -> None:
        """Add a click to the proposal.

        Parameters
        ----------
        click
            In pixels of the frozen image; positive: the object is here.
        key
            Of the question that the operator saw; None: whichever is current, unless it is so
            new that the click was meant for the one before.

        Raises
        ------
        NotTakenError
            If there is no such question, it is not the current one (any more), or the click lies
            outside its image.
        """
        with self._change():
            question = self._answerable(key)
            try:
                click.check_inside(*question.image.shape[:2])
            except ValueError as error:
                raise NotTakenError(str(error)) from None
            before = () if isinstance(self._proposal, Absent) else self._proposal
            if before and self._is_double(before[-1], click):
                raise NotTakenError('the second half of a double click')
            self._propose(question, (*before, click))

    def absent(self, key: str | None = None) -> None:
        """Propose that the object is gone; NotTakenError as in :meth:`click`."""
        with self._change():
            self._propose(self._answerable(key), Absent())

    def undo(self, key: str | None = None) -> None:
        """Take back the last click, or "object is gone"; NotTakenError if there is nothing."""
        with self._change():
            question = self._answerable(key, graceful=False)
            if self._proposal == ():
                raise NotTakenError('there is nothing to undo')
            kept = () if isinstance(self._proposal, Absent) else self._proposal[:-1]
            self._propose(question, kept)

    def undo_sent(self) -> int:
        """Take back the latest correction that was sent; as :meth:`start_object`.

        Only what the tracker has taken within the last UNDO_OFFERED seconds, and nothing before
        a correction that cannot be undone.
        """
        with self._change():
            entry = self._undoable()
            if entry is None:
                raise NotTakenError(f'nothing was sent within {UNDO_OFFERED:g} s: nothing to undo')
            number = self._enter(Deed.UNDONE, entry.tracker, entry.object_id, (), entry.label, 0)
            self._undoing[number] = entry.number
            return number

    def undo_last(self) -> None:
        """Take back the last click or, where nothing is proposed, what was sent last."""
        with self._changed:
            proposed = self._proposal != ()
        if proposed:
            self.undo()
        else:
            self.undo_sent()

    def confirm(self, key: str | None = None) -> None:
        """Send the proposal; NotTakenError if there is none."""
        with self._change():
            self._answerable(key, graceful=False)
            if self._proposal == ():
                raise NotTakenError('there is nothing to confirm: click first')
            self._send()

    def skip(self, key: str | None = None) -> None:
        """Answer that there is no answer; NotTakenError as in :meth:`click`."""
        with self._change():
            self._close(self._answerable(key), Skip())

    def choose(self, key: str) -> None:
        """Make a waiting question the current one; NotTakenError if it does not wait."""
        with self._change():
            if key not in self._waiting:
                raise NotTakenError('this question is not open any more')
            if self._proposal != ():
                raise NotTakenError('confirm or undo the answer to the current question first')
            if self._current is not None:
                self._waiting[self._current.key] = self._current
            self._show(self._waiting.pop(key))

    def start_object(
        self, tracker: str, clicks: tuple[Click, ...], label: str = '', stamp: int = 0
    ) -> int:
        """Track a new object; return the number of its history entry.

        Parameters
        ----------
        tracker
            Its full name.
        clicks
            At least one, in pixels of the camera's image.
        label
            Its name for people.
        stamp
            Of the image that was clicked on, nanoseconds; 0: the newest.

        Raises
        ------
        NotTakenError
            If the tracker is unknown or away, or there is no click.
        """
        return self._order(Deed.STARTED, tracker, 0, clicks, label, stamp)

    def correct(
        self, tracker: str, object_id: int, clicks: tuple[Click, ...], stamp: int = 0
    ) -> int:
        """Correct an object unasked; as :meth:`start_object`."""
        return self._order(Deed.CORRECTED, tracker, object_id, clicks, '', stamp)

    def correct_absent(self, tracker: str, object_id: int, stamp: int = 0) -> int:
        """Say unasked that an object is gone; as :meth:`start_object`."""
        return self._order(Deed.ABSENT, tracker, object_id, (), '', stamp)

    def remove_object(self, tracker: str, object_id: int) -> int:
        """Stop tracking an object; as :meth:`start_object`."""
        return self._order(Deed.REMOVED, tracker, object_id, (), '', 0)

    # ---- what the node brings ----

    def ask(self, question: Question) -> None:
        """Take in a question; one that is known already is left where it is.

        One that was withdrawn before it came is dropped: news of it may travel faster.
        """
        with self._change():
            if question.key in self._withdrawn:
                self._outbox.append(lambda: self._courier.drop(question))
            elif self._find(question.key) is None:
                self._waiting[question.key] = question

    def withdraw(self, key: str, reason: str) -> None:
        """Take a question away that cannot be answered any more; an unknown one is no error."""
        with self._change():
            self._withdrawn.append(key)
            question = self._find(key)
            if question is not None:
                self._take_away(question, reason)

    def withdraw_all(self, tracker: str, reason: str) -> None:
        """Take all questions of a tracker away."""
        with self._change():
            for question in self._open():
                if question.tracker == tracker:
                    self._take_away(question, reason)

    def previewed(self, key: str, serial: int, mask: Mask | None, problem: str = '') -> None:
        """Show a refined mask, or why there is none; one that came too late is not used.

        With neither mask nor problem the tracker makes no previews: the proposal goes on without.
        """
        with self._change():
            if self._current is None or self._current.key != key or serial != self._serial:
                return
            self._preview, self._problem = mask, problem
            self._previewed_at = self._clock()

    def settled(self, key: str, outcome: Outcome, message: str = '') -> None:
        """Tell in the history what the tracker made of an answer."""
        with self._change():
            self._history.settle(key, outcome, message)

    def done(
        self, number: int, outcome: Outcome, message: str = '', object_id: int | None = None
    ) -> None:
        """Tell in the history what the tracker made of an order."""
        with self._change():
            self._history.finish(number, outcome, message, object_id)
            if outcome is Outcome.DONE and number in self._undoing:
                self._history.mark_undone(self._undoing.pop(number))

    def report(self, view: TrackerView) -> None:
        """Show a tracker as it is now."""
        with self._change():
            self._trackers[view.name] = view

    def put_health(self, lines: tuple[HealthLine, ...]) -> None:
        """Show how all parts of the system are; nothing changes where all are as before."""
        if lines != self._health:
            with self._change():
                self._health = lines

    def put_live(self, tracker: str, live: Live) -> None:
        """Show a new overlay; this is no change of the snapshot."""
        with self._changed:
            self._live[tracker] = live
            self._changed.notify_all()

    def live_wanted(self, tracker: str) -> bool:
        """Return whether somebody wants a tracker's overlay."""
        with self._changed:
            return self._wanted.get(tracker, float('-inf')) > self._clock()

    def tick(self) -> None:
        """Do what is due; to be called several times a second."""
        with self._changed:
            offered = self._undoable() is not None
            over = self._offered and not offered
            self._offered = offered
            if not self._confirm_due() and not self._expired() and not over:
                return
        with self._change():
            if self._confirm_due():
                self._send()
            for question in self._expired():
                self._take_away(question, 'no answer in time')

    def set_confirm_after(self, seconds: float) -> None:
        """Change how long after its refined mask a proposal is sent by itself."""
        with self._change():
            self._confirm_after = seconds

    # ---- inside; all with the lock ----

    @contextmanager
    def _change(self) -> Iterator[None]:
        """Lock; on the way out show the next question, tell everybody, and send what is to go."""
        with self._changed:
            yield
            self._show_next()
            self._version += 1
            self._changed.notify_all()
            outbox, self._outbox = self._outbox, []
            listeners = list(self._listeners)
        for send in [*outbox, *listeners]:
            send()

    def _open(self) -> list[Question]:
        current = [] if self._current is None else [self._current]
        return [*current, *self._waiting.values()]

    def _find(self, key: str) -> Question | None:
        return next((item for item in self._open() if item.key == key), None)

    def _answerable(self, key: str | None, *, graceful: bool = True) -> Question:
        question = self._current
        if question is None:
            raise NotTakenError('there is no question')
        if key is not None and key != question.key:
            raise NotTakenError('this question is not the current one any more')
        if key is None and graceful and self._clock() - self._shown_at < GRACE:
            raise NotTakenError('it came before the question was seen')
        return question

    def _is_double(self, first: Click, second: Click) -> bool:
        soon = self._clock() - self._proposed_at < GRACE
        near = max(abs(first.x - second.x), abs(first.y - second.y)) <= SAME_PLACE
        return soon and near and first.positive == second.positive

    def _propose(self, question: Question, proposal: Proposal) -> None:
        self._proposal, self._proposed_at = proposal, self._clock()
        self._serial += 1
        self._preview, self._previewed_at, self._problem = None, None, ''
        if proposal == ():
            return
        if self._confirm_after == 0:
            self._send()
        elif not isinstance(proposal, Absent):
            serial = self._serial
            self._outbox.append(lambda: self._courier.preview(question, serial, proposal))

    def _confirm_at(self) -> float | None:
        if self._proposal == () or self._problem or self._confirm_after == float('inf'):
            return None
        if isinstance(self._proposal, Absent):
            return self._proposed_at + self._confirm_after
        previewed = self._previewed_at
        seen = self._proposed_at + PREVIEW_PATIENCE if previewed is None else previewed
        return seen + self._confirm_after

    def _confirm_due(self) -> bool:
        due = self._confirm_at()
        return due is not None and self._clock() >= due

    def _expired(self) -> list[Question]:
        """Return questions whose time is over and whose tracker is not there to say so."""
        now = self._clock()
        present = {view.name for view in self._trackers.values() if view.present}
        over = [item for item in self._open() if now >= item.expires + LATE]
        return [item for item in over if item.tracker not in present]

    def _send(self) -> None:
        if self._current is not None:
            self._close(self._current, self._proposal)

    def _close(self, question: Question, answer: Answer) -> None:
        self._record(question, _deed_of(answer), Outcome.SENT, '', _clicks_of(answer))
        self._outbox.append(lambda: self._courier.answer(question, answer))
        self._forget(question)

    def _take_away(self, question: Question, reason: str) -> None:
        self._record(question, Deed.WITHDRAWN, Outcome.DONE, reason)
        self._outbox.append(lambda: self._courier.drop(question))
        self._forget(question)

    def _record(
        self,
        question: Question,
        deed: Deed,
        outcome: Outcome,
        message: str,
        clicks: tuple[Click, ...] = (),
    ) -> None:
        self._history.add(
            Entry(
                number=self._history.next_number(),
                time=self._clock(),
                deed=deed,
                tracker=question.tracker,
                object_id=question.object_id,
                label=question.label,
                key=question.key,
                clicks=clicks,
                outcome=outcome,
                message=message,
            )
        )

    def _forget(self, question: Question) -> None:
        self._waiting.pop(question.key, None)
        if self._current is question:
            self._current = None
            self._clear_proposal()

    def _clear_proposal(self) -> None:
        self._proposal, self._preview, self._previewed_at, self._problem = (), None, None, ''
        self._serial += 1

    def _show_next(self) -> None:
        if self._current is None and self._waiting:
            first = min(self._waiting.values(), key=lambda item: item.urgency)
            self._show(self._waiting.pop(first.key))

    def _show(self, question: Question) -> None:
        self._current, self._shown_at = question, self._clock()
        self._clear_proposal()

    def _order(
        self,
        deed: Deed,
        tracker: str,
        object_id: int,
        clicks: tuple[Click, ...],
        label: str,
        stamp: int,
    ) -> int:
        with self._change():
            return self._enter(deed, tracker, object_id, clicks, label, stamp)

    def _enter(
        self,
        deed: Deed,
        tracker: str,
        object_id: int,
        clicks: tuple[Click, ...],
        label: str,
        stamp: int,
    ) -> int:
        view = self._trackers.get(tracker)
        if view is None or not view.present:
            known = [item.name for item in self._trackers.values() if item.present]
            raise NotTakenError(f'tracker {tracker!r} is not there; there are: {known}')
        if deed in (Deed.STARTED, Deed.CORRECTED) and not clicks:
            raise NotTakenError('there is no click')
        names = {item.object_id: item.label for item in view.objects}
        entry = Entry(
            number=self._history.next_number(),
            time=self._clock(),
            deed=deed,
            tracker=tracker,
            object_id=object_id,
            label=label or names.get(object_id, ''),
            key='',
            clicks=clicks,
            outcome=Outcome.SENT,
            message='',
        )
        self._history.add(entry)
        order = Order(entry.number, deed, tracker, object_id, clicks, label, stamp)
        self._outbox.append(lambda: self._courier.order(order))
        return entry.number

    def _undoable(self) -> Entry | None:
        """Return the latest correction, if it is done, young, and nobody tried to undo it."""
        for entry in reversed(self._history.entries):
            if entry.deed in _CORRECTIONS and entry.outcome in (Outcome.SENT, Outcome.DONE):
                young = self._clock() - entry.time <= UNDO_OFFERED
                tried = entry.number in self._undoing.values()
                done = entry.outcome is Outcome.DONE
                return entry if done and young and not tried else None
        return None


def _deed_of(answer: Answer) -> Deed:
    if isinstance(answer, Skip):
        return Deed.SKIPPED
    return Deed.ABSENT if isinstance(answer, Absent) else Deed.ANSWERED


def _clicks_of(answer: Answer) -> tuple[Click, ...]:
    return answer if isinstance(answer, tuple) else ()
