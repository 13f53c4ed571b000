"""What RViz and rqt_image_view show of the desk: one picture, words above it, buttons below."""

from time import localtime
from time import strftime
from time import time

import numpy as np
from rclpy.node import Node
from rclpy.time import Time
from sensor_msgs.msg import Image
from sensor_msgs.msg import PointCloud2
from std_msgs.msg import Header
from visualization_msgs.msg import MarkerArray

from lazy_vos_ros.engine.results import Absent
from lazy_vos_ros.nodes.canvas_cloud import Button
from lazy_vos_ros.nodes.canvas_cloud import canvas_cloud
from lazy_vos_ros.nodes.canvas_markers import words_above
from lazy_vos_ros.nodes.images import image_message
from lazy_vos_ros.nodes.operator_view import Live
from lazy_vos_ros.nodes.operator_view import Picture
from lazy_vos_ros.nodes.operator_view import Question
from lazy_vos_ros.nodes.operator_view import Snapshot
from lazy_vos_ros.nodes.qos import LATCHED
from lazy_vos_ros.nodes.qos import publisher
from lazy_vos_ros.nodes.question_picture import question_picture

ASKED_BUTTONS = ('skip', 'object is gone', 'undo', 'confirm', 'next question')
"""Below a question."""

IDLE_BUTTONS = ('camera', 'clicks', 'undo')
"""Below the live picture."""

_NOTHING = np.full((360, 640, 3), 32, np.uint8)
_UNASKED = {
    'ignore': 'clicks: ignored',
    'correct': 'clicks: correct an object',
    'start': 'clicks: start an object',
    'gone': 'clicks: it is gone',
    'remove': 'clicks: remove an object',
}


class CanvasView:
    """Publishes the canvas when it changes; everything is latched, for views that come late."""

    def __init__(self, node: Node) -> None:
        self._cloud = publisher(node, PointCloud2, '~/canvas', LATCHED)
        self._words = publisher(node, MarkerArray, '~/canvas_words', LATCHED)
        self._image = publisher(node, Image, '~/question', LATCHED)
        self._shown: tuple[object, ...] = ()
        self._said: tuple[str, ...] = ()

    def show(self, desk: Snapshot, live: Live | None, tracker: str, unasked: str) -> None:
        """Show the current question or, where there is none, the live picture of a tracker.

        Parameters
        ----------
        desk
            What there is to show.
        live
            The tracker's newest overlay, if clicks on it mean something.
        tracker
            Its full name.
        unasked
            What clicks on it do.
        """
        question = desk.current
        if question is not None:
            buttons = asked_buttons(desk)
            seen: tuple[object, ...] = (question.key, desk.proposal, desk.preview is None)
        else:
            buttons = idle_buttons(desk, tracker, unasked)
            seen = (None if live is None else live.stamp,)
        if (*seen, buttons) != self._shown:
            self._shown = (*seen, buttons)
            stamp = question.stamp if question else live.stamp if live else 0
            picture = picture_of(desk) if question else live.picture if live else _NOTHING
            self._publish(picture, buttons, stamp, question)
        words = words_of(desk, unasked)
        if words != self._said:
            self._said = words
            self._words.publish(words_above(words))

    def _publish(
        self,
        picture: Picture,
        buttons: tuple[Button, ...],
        stamp: int,
        question: Question | None,
    ) -> None:
        header = Header(stamp=Time(nanoseconds=stamp).to_msg())
        self._cloud.publish(canvas_cloud(picture, buttons, header))
        header.frame_id = question.camera if question else ''
        self._image.publish(image_message(picture, 'rgb8', header))


def asked_buttons(desk: Snapshot) -> tuple[Button, ...]:
    """Return the buttons below a question, and which of them do something now."""
    proposed = desk.proposal != ()
    gone = isinstance(desk.proposal, Absent)
    undo = proposed or desk.undoable is not None
    ready = (True, not gone, undo, proposed, bool(desk.waiting) and not proposed)
    sent = undo and not proposed
    texts = ('undo sent' if sent and name == 'undo' else name for name in ASKED_BUTTONS)
    return tuple(zip(texts, ready, strict=True))


def idle_buttons(desk: Snapshot, tracker: str, unasked: str) -> tuple[Button, ...]:
    """Return the buttons below the live picture."""
    last = desk.undoable
    undo = f'undo: {last.label}' if last is not None else 'undo'
    return (f'camera: {tracker}', True), (_UNASKED[unasked], True), (undo, last is not None)


def picture_of(desk: Snapshot) -> Picture:
    """Return the picture of the current question."""
    if desk.current is None:
        return _NOTHING
    clicks = desk.proposal if isinstance(desk.proposal, tuple) else ()
    return question_picture(desk.current, clicks, desk.preview)


def words_of(desk: Snapshot, unasked: str) -> tuple[str, ...]:
    """Return the lines above the picture."""
    question = desk.current
    if question is None:
        last = desk.history[-1] if desk.history else None
        told = (
            f'{last.deed.value} {last.label}: {last.outcome.value} {last.message}' if last else ''
        )
        return 'No question.', told.strip()
    return _asks(desk, question), _state(desk, question)


def _asks(desk: Snapshot, question: Question) -> str:
    more = f'  (+{len(desk.waiting)} more)' if desk.waiting else ''
    return f'Where is {question.label}?  {question.tracker}{more}'


def _state(desk: Snapshot, question: Question) -> str:
    if desk.problem:
        return f'{desk.problem}: click again or undo'
    if isinstance(desk.proposal, Absent):
        return f'it is gone{_sent_soon(desk)}'
    if desk.proposal:
        what = 'this is its mask' if desk.preview is not None else 'refining its mask'
        return f'{what}{_sent_soon(desk)}'
    age = desk.now - question.asked
    clock = strftime('%H:%M:%S', localtime(time() - age))
    return f'since {clock}, {age:.0f} s: {question.reason}'


def _sent_soon(desk: Snapshot) -> str:
    if desk.confirm_at is None:
        return '; confirm or undo'
    return f'; sent in {max(0.0, desk.confirm_at - desk.now):.0f} s unless undone'
