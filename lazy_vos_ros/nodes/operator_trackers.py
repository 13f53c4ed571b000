"""All trackers that the operator serves; carries the desk's decisions to the right one."""

from collections import OrderedDict
from collections.abc import Callable

from rclpy.node import Node

from lazy_vos_ros.engine.clicks import Click
from lazy_vos_ros.engine.results import Answer
from lazy_vos_ros.engine.results import Skip
from lazy_vos_ros.nodes.operator_courier import Order
from lazy_vos_ros.nodes.operator_desk import OperatorDesk
from lazy_vos_ros.nodes.operator_view import Question
from lazy_vos_ros.nodes.question_service import QuestionService
from lazy_vos_ros.nodes.tracker_link import TrackerLink


class OperatorTrackers:
    """The desk's courier.

    Parameters
    ----------
    node
        Of the operator.
    now
        The desk's clock.
    """

    def __init__(self, node: Node, now: Callable[[], float]) -> None:
        self._node = node
        self._now = now
        self._links: OrderedDict[str, TrackerLink] = OrderedDict()
        self._service = QuestionService(node, self._asked, now)

    def serve(self, desk: OperatorDesk, names: tuple[str, ...]) -> None:
        """Begin to serve these trackers; relative names are in the node's namespace."""
        self._desk = desk
        for name in names:
            full = self._node.resolve_topic_name(name)
            self._link(full)
            self._service.serve(full.rpartition('/')[0] or '/')

    def look(self) -> None:
        """See which trackers are there; to be called now and then."""
        for link in list(self._links.values()):
            link.look()

    def preview(self, question: Question, serial: int, clicks: tuple[Click, ...]) -> None:
        """Ask the tracker for the refined mask."""
        self._link(question.tracker).preview(question, serial, clicks)

    def answer(self, question: Question, answer: Answer) -> None:
        """Answer the tracker's call."""
        self._service.answer(question.key, answer)

    def drop(self, question: Question) -> None:
        """End the tracker's call, which it does not wait for any more."""
        self._service.answer(question.key, Skip())

    def order(self, order: Order) -> None:
        """Send what the operator wants unasked."""
        self._link(order.tracker).order(order)

    def _asked(self, question: Question) -> None:
        self._link(question.tracker)
        self._desk.ask(question)

    def _link(self, name: str) -> TrackerLink:
        if name not in self._links:
            self._links[name] = TrackerLink(self._node, name, self._desk, self._now)
        return self._links[name]
