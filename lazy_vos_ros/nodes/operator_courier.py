"""What carries the operator's decisions from the desk to the trackers."""

from dataclasses import dataclass
from typing import Protocol

from lazy_vos_ros.engine.clicks import Click
from lazy_vos_ros.engine.results import Answer
from lazy_vos_ros.nodes.operator_view import Deed
from lazy_vos_ros.nodes.operator_view import Question


@dataclass(frozen=True)
class Order:
    """Something that the operator wants of a tracker unasked."""

    number: int
    """Of its :class:`Entry`; to be told to :meth:`OperatorDesk.done`."""
    deed: Deed
    """STARTED, CORRECTED, ABSENT, REMOVED or UNDONE."""
    tracker: str
    object_id: int
    """0 with STARTED."""
    clicks: tuple[Click, ...]
    label: str
    stamp: int
    """Of the image that was clicked on, nanoseconds; 0: the newest."""


class Courier(Protocol):
    """Carries decisions to the trackers. No call waits; all come without the desk's lock."""

    def preview(self, question: Question, serial: int, clicks: tuple[Click, ...]) -> None:
        """Ask for the refined mask; tell :meth:`OperatorDesk.previewed` with this serial."""

    def answer(self, question: Question, answer: Answer) -> None:
        """Send the answer; what comes of it goes to :meth:`OperatorDesk.settled`."""

    def drop(self, question: Question) -> None:
        """Forget a question that was withdrawn."""

    def order(self, order: Order) -> None:
        """Send it; what comes of it goes to :meth:`OperatorDesk.done`."""
