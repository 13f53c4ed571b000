"""What clicks mean, whichever tool sends them, and what each button does."""

from collections.abc import Callable
from math import hypot
from time import monotonic

from geometry_msgs.msg import Point
from geometry_msgs.msg import PointStamped
from rclpy.node import Node

from lazy_vos_ros.engine.clicks import Click
from lazy_vos_ros.nodes.canvas import FRAME_ID
from lazy_vos_ros.nodes.canvas import Canvas
from lazy_vos_ros.nodes.canvas import button_at
from lazy_vos_ros.nodes.canvas_view import ASKED_BUTTONS
from lazy_vos_ros.nodes.canvas_view import IDLE_BUTTONS
from lazy_vos_ros.nodes.live_camera import LiveCamera
from lazy_vos_ros.nodes.operator_desk import GRACE
from lazy_vos_ros.nodes.operator_desk import NotTakenError
from lazy_vos_ros.nodes.operator_desk import OperatorDesk
from lazy_vos_ros.nodes.operator_settings import OperatorSettings
from lazy_vos_ros.nodes.operator_view import TrackedObject
from lazy_vos_ros.nodes.qos import RELIABLE
from lazy_vos_ros.nodes.qos import subscription


class OperatorClicks:
    """Takes clicks on the canvas and on ~/question.

    Parameters
    ----------
    node
        Subscribes, and logs what cannot be taken.
    desk
        Is told.
    camera
        What is shown while there is no question.
    settings
        The present ones.
    change_unasked
        Goes on to the next meaning of unasked clicks.
    """

    def __init__(
        self,
        node: Node,
        desk: OperatorDesk,
        camera: LiveCamera,
        settings: Callable[[], OperatorSettings],
        change_unasked: Callable[[], None],
    ) -> None:
        self._node = node
        self._desk = desk
        self._camera = camera
        self._settings = settings
        self._last_taken = 0.0
        self._asked: dict[str, Callable[[], None]] = {
            'skip': desk.skip,
            'object is gone': desk.absent,
            'undo': desk.undo_last,
            'confirm': desk.confirm,
            'next question': self._next_question,
        }
        self._idle: dict[str, Callable[[], None]] = {
            'camera': camera.next,
            'clicks': change_unasked,
            'undo': desk.undo_sent,
        }
        at_start = settings()
        for topic, positive in (('~/here', True), ('~/not_here', False)):
            self._subscribe(PointStamped, topic, self._on_point, positive=positive)
        for topic, positive in (
            (at_start.here_mouse_topic, True),
            (at_start.not_here_mouse_topic, False),
        ):
            if topic:
                self._subscribe(Point, topic, self._on_mouse, positive=positive)

    def _subscribe(
        self, kind: type, topic: str, take: Callable[..., None], *, positive: bool
    ) -> None:
        def taken(message: Point | PointStamped) -> None:
            try:
                take(message, positive=positive)
            except (NotTakenError, ValueError) as error:
                self._node.get_logger().warning(f'a click is ignored: {error}')

        subscription(self._node, kind, topic, taken, RELIABLE)

    def _on_point(self, message: PointStamped, *, positive: bool) -> None:
        """Take a click of RViz or Foxglove; its stamp is that of the click and means nothing."""
        if message.header.frame_id != FRAME_ID:
            raise NotTakenError(
                f'it is in frame {message.header.frame_id!r}; allowed: {FRAME_ID!r}, the canvas'
            )
        x, y = message.point.x, message.point.y
        asked = self._desk.snapshot().current is not None
        names = ASKED_BUTTONS if asked else IDLE_BUTTONS
        button = button_at(x, y, len(names))
        if button is not None:
            self._press(names[button], asked=asked)
        else:
            width, height = self._size()
            self._take(Canvas(width, height).click(x, y, positive=positive))

    def _on_mouse(self, message: Point, *, positive: bool) -> None:
        """Take a click of rqt_image_view, which may name the pixel after the last one."""
        width, height = self._size()
        x = width - 1 if message.x == width else message.x
        y = height - 1 if message.y == height else message.y
        click = Click(x, y, positive)
        click.check_inside(height, width)
        self._take(click)

    def _size(self) -> tuple[int, int]:
        """Return width and height of what is shown; NotTakenError if that is nothing."""
        question, live = self._desk.snapshot().current, self._camera.shown
        if question is None and (live is None or self._settings().unasked_clicks == 'ignore'):
            raise NotTakenError('there is no question')
        picture = question.image if question is not None else live.picture if live else None
        if picture is None:
            raise NotTakenError('there is no picture')
        return picture.shape[1], picture.shape[0]

    def _press(self, name: str, *, asked: bool) -> None:
        """Press a button; a double click presses once."""
        if monotonic() - self._last_taken < GRACE:
            raise NotTakenError('the second half of a double click')
        (self._asked if asked else self._idle)[name]()
        self._last_taken = monotonic()

    def _take(self, click: Click) -> None:
        if self._desk.snapshot().current is not None:
            self._desk.click(click)
        elif monotonic() - self._last_taken < GRACE:
            raise NotTakenError('the second half of a double click')
        else:
            self._act_unasked(click)
        self._last_taken = monotonic()

    def _act_unasked(self, click: Click) -> None:
        tracker, live = self._camera.tracker, self._camera.shown
        stamp = live.stamp if live is not None else 0
        unasked = self._settings().unasked_clicks
        if unasked == 'start':
            if not click.positive:
                raise NotTakenError('an object is started where it is, not where it is not')
            self._desk.start_object(tracker, (click,), stamp=stamp)
            return
        views = {view.name: view for view in self._desk.snapshot().trackers}
        objects = views[tracker].objects if tracker in views else ()
        meant = nearest(objects, click)
        if unasked == 'correct':
            self._desk.correct(tracker, meant.object_id, (click,), stamp=stamp)
        elif _distance(meant, click) > 0:
            raise NotTakenError('there is no object under it')
        elif unasked == 'gone':
            self._desk.correct_absent(tracker, meant.object_id, stamp=stamp)
        else:
            self._desk.remove_object(tracker, meant.object_id)

    def _next_question(self) -> None:
        waiting = self._desk.snapshot().waiting
        if not waiting:
            raise NotTakenError('there is no other question')
        self._desk.choose(waiting[0].key)


def nearest(objects: tuple[TrackedObject, ...], click: Click) -> TrackedObject:
    """Return the object that a click means: the smallest whose box it hits, else the nearest.

    Raises
    ------
    NotTakenError
        If there is none.
    """
    if not objects:
        raise NotTakenError('there is no object to correct')
    return min(objects, key=lambda item: (_distance(item, click), item.area))


def _distance(item: TrackedObject, click: Click) -> float:
    """Return the pixels from a click to an object's box; one without a box is the farthest."""
    if item.box is None:
        return float('inf')
    x, y, width, height = item.box
    across = max(x - click.x, 0.0, click.x - (x + width - 1))
    along = max(y - click.y, 0.0, click.y - (y + height - 1))
    return hypot(across, along)
