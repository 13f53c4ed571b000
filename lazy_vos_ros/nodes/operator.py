"""`lazy_vos_operator`: shows the tracker's questions and takes a person's clicks."""

import sys
from collections import deque
from dataclasses import dataclass
from time import monotonic
from typing import Any

import numpy as np
from geometry_msgs.msg import Point
from geometry_msgs.msg import PointStamped
from lazy_vos_msgs.srv import RequestCorrection
from rclpy.callback_groups import ReentrantCallbackGroup
from rclpy.node import Node
from rclpy.task import Future
from sensor_msgs.msg import Image
from std_srvs.srv import Trigger
from visualization_msgs.msg import MarkerArray

from lazy_vos_ros.engine.clicks import Click
from lazy_vos_ros.engine.overlay import draw_overlay
from lazy_vos_ros.engine.results import Absent
from lazy_vos_ros.engine.results import Answer
from lazy_vos_ros.engine.results import Skip
from lazy_vos_ros.nodes.canvas import FRAME_ID
from lazy_vos_ros.nodes.canvas import Canvas
from lazy_vos_ros.nodes.canvas_markers import cleared_markers
from lazy_vos_ros.nodes.canvas_markers import question_markers
from lazy_vos_ros.nodes.images import bridge
from lazy_vos_ros.nodes.images import image_message
from lazy_vos_ros.nodes.images import rgb_from
from lazy_vos_ros.nodes.messages import response_from
from lazy_vos_ros.nodes.parameters import warn_of_unknown
from lazy_vos_ros.nodes.qos import LATCHED
from lazy_vos_ros.nodes.qos import RELIABLE
from lazy_vos_ros.nodes.qos import publisher
from lazy_vos_ros.nodes.qos import subscription
from lazy_vos_ros.nodes.runtime import run
from lazy_vos_ros.nodes.waiting import resolve

GRACE = 0.4
"""Seconds in which a new question takes no click: a double click is meant for the one before."""


@dataclass(eq=False)
class Question:
    """A request that waits for its answer."""

    request: RequestCorrection.Request
    canvas: Canvas
    answered: Future
    """Its result is the answer."""


class Operator(Node):
    """Shows one question at a time, the one that came first, and answers it with a click.

    A click may come from RViz's Publish Point tool (`~/here`, `~/not_here`, on the canvas) or
    from rqt_image_view's mouse topic on `~/question`; `~/skip` and `~/absent` answer without.
    """

    def __init__(self, **options: Any) -> None:
        super().__init__('lazy_vos_operator', **options)
        warn_of_unknown(self)
        self._waiting: deque[Question] = deque()
        self._shown: Question | None = None
        self._shown_at = 0.0
        self._markers = publisher(self, MarkerArray, '~/canvas', LATCHED)
        self._picture = publisher(self, Image, '~/question', LATCHED)
        subscription(self, PointStamped, '~/here', self._on_here, RELIABLE)
        subscription(self, PointStamped, '~/not_here', self._on_not_here, RELIABLE)
        subscription(self, Point, '~/question_mouse_left', self._on_mouse, RELIABLE)
        self.create_service(Trigger, '~/skip', self._on_skip)
        self.create_service(Trigger, '~/absent', self._on_absent)
        self.create_service(
            RequestCorrection,
            'request_correction',
            self._on_request,
            callback_group=ReentrantCallbackGroup(),
        )

    async def _on_request(
        self, request: RequestCorrection.Request, _: RequestCorrection.Response
    ) -> RequestCorrection.Response:
        canvas = Canvas(request.image.width, request.image.height)
        question = Question(request, canvas, Future())
        timeout = request.timeout.sec + request.timeout.nanosec * 1e-9
        timer = self.create_timer(
            max(timeout, 1e-3), lambda: resolve(self, question.answered, Skip())
        )
        self._waiting.append(question)
        self._show_next()
        answer = await question.answered
        self.destroy_timer(timer)
        self._put_away(question)
        return response_from(answer)

    def _show_next(self) -> None:
        if self._shown is not None:
            return
        if not self._waiting:
            self._markers.publish(cleared_markers())
            return
        self._shown = self._waiting.popleft()
        self._shown_at = monotonic()
        try:
            self._show(self._shown)
        except ValueError as error:
            self.get_logger().error(f'a question cannot be shown: {error}')
            self._answer(self._shown, Skip())

    def _show(self, question: Question) -> None:
        request = question.request
        mask = bridge().imgmsg_to_cv2(request.mask, 'mono8') > 0
        labels = np.where(mask, np.uint16(request.object_id), np.uint16(0))
        entropy = np.array(bridge().imgmsg_to_cv2(request.entropy, '32FC1'))
        picture = draw_overlay(rgb_from(request.image), labels, entropy)
        more = f'  (+{len(self._waiting)} more)' if self._waiting else ''
        text = f'Where is {request.label}?  {request.reason}{more}'
        self._markers.publish(question_markers(picture, text, question.canvas))
        self._picture.publish(image_message(picture, 'rgb8', request.header))
        self.get_logger().info(text)

    def _put_away(self, question: Question) -> None:
        if question in self._waiting:
            self._waiting.remove(question)
        if question is self._shown:
            self._shown = None
            self._show_next()

    def _ready(self) -> Question | None:
        """Return the question that a click now means, or None and say why."""
        if self._shown is None:
            self.get_logger().warning('a click came while there is no question; it is ignored')
        elif monotonic() - self._shown_at < GRACE:
            self.get_logger().warning('a click came before the question was seen; it is ignored')
        else:
            return self._shown
        return None

    def _answer(self, question: Question, answer: Answer) -> None:
        resolve(self, question.answered, answer)

    def _on_here(self, message: PointStamped) -> None:
        self._on_point(message, positive=True)

    def _on_not_here(self, message: PointStamped) -> None:
        self._on_point(message, positive=False)

    def _on_point(self, message: PointStamped, *, positive: bool) -> None:
        if message.header.frame_id != FRAME_ID:
            self.get_logger().warning(
                f'a click in frame {message.header.frame_id!r} is ignored; allowed: {FRAME_ID!r}, '
                'the canvas'
            )
            return
        question = self._ready()
        if question is None:
            return
        try:
            click = question.canvas.click(message.point.x, message.point.y, positive=positive)
        except ValueError as error:
            self.get_logger().warning(f'{error}; it is ignored')
            return
        self._answer(question, click)

    def _on_mouse(self, message: Point) -> None:
        """Take a click of rqt_image_view, which may name the pixel after the last one."""
        question = self._ready()
        if question is None:
            return
        canvas = question.canvas
        x, y = min(message.x, canvas.width - 1), min(message.y, canvas.height - 1)
        try:
            click = Click(x, y)
            click.check_inside(canvas.height, canvas.width)
        except ValueError as error:
            self.get_logger().warning(f'{error}; it is ignored')
            return
        self._answer(question, click)

    def _on_skip(self, _: Trigger.Request, response: Trigger.Response) -> Trigger.Response:
        return self._triggered(Skip(), response)

    def _on_absent(self, _: Trigger.Request, response: Trigger.Response) -> Trigger.Response:
        return self._triggered(Absent(), response)

    def _triggered(self, answer: Answer, response: Trigger.Response) -> Trigger.Response:
        question = self._ready()
        if question is not None:
            self._answer(question, answer)
        response.success = question is not None
        response.message = '' if response.success else 'there is no question'
        return response


def main(args: list[str] | None = None) -> int:
    """Run the node until a signal comes."""
    return run(Operator, args)


if __name__ == '__main__':
    sys.exit(main())
