"""The service by which trackers ask: one for each namespace, and an answer to every call."""

from collections.abc import Callable
from typing import Any

import numpy as np
from lazy_vos_msgs.srv import RequestCorrection
from rclpy.callback_groups import ReentrantCallbackGroup
from rclpy.node import Node
from rclpy.task import Future

from lazy_vos_ros.engine.results import Answer
from lazy_vos_ros.engine.results import Skip
from lazy_vos_ros.nodes.images import bridge
from lazy_vos_ros.nodes.images import rgb_from
from lazy_vos_ros.nodes.messages import response_from
from lazy_vos_ros.nodes.operator_view import Question
from lazy_vos_ros.nodes.servers import client_known
from lazy_vos_ros.nodes.stream_clock import nanoseconds
from lazy_vos_ros.nodes.waiting import resolve

DEFAULT_TRACKER = 'lazy_vos'
"""Name of the node that asks, where the question does not tell."""

LONGEST_AGO = 86_400.0
"""Seconds that a question may have waited for an operator."""

_FOR_EVER = 2.0**31 - 1
"""Seconds; the longest timeout that a message can tell."""


class QuestionService:
    """Serves `request_correction` in namespaces; no handler holds up the node.

    Parameters
    ----------
    node
        Serves.
    asked
        Called with each question; it will be answered by :meth:`answer`.
    now
        The desk's clock.
    """

    def __init__(
        self, node: Node, asked: Callable[[Question], None], now: Callable[[], float]
    ) -> None:
        self._node = node
        self._asked = asked
        self._now = now
        self._group = ReentrantCallbackGroup()
        self._served: set[str] = set()
        self._calls: dict[str, list[Future]] = {}

    def serve(self, namespace: str) -> None:
        """Serve the trackers of a namespace, such as `/robot_1`; once for each."""
        if namespace in self._served:
            return
        self._served.add(namespace)
        prefix = namespace.rstrip('/')

        async def handler(
            request: RequestCorrection.Request, response: RequestCorrection.Response
        ) -> RequestCorrection.Response:
            answer = await self._handle(request, f'{prefix}/{DEFAULT_TRACKER}')
            await client_known(self._node, f'{prefix}/request_correction')
            return answer

        self._node.create_service(
            RequestCorrection,
            f'{prefix}/request_correction',
            handler,
            callback_group=self._group,
        )

    def answer(self, key: str, answer: Answer) -> None:
        """Answer all calls that wait for this question; from any thread."""
        for call in self._calls.pop(key, []):
            resolve(self._node, call, answer)

    async def _handle(self, request: RequestCorrection.Request, tracker: str) -> Any:
        try:
            question = question_from(request, request.tracker or tracker, self._ago(request))
        except ValueError as error:
            self._node.get_logger().error(f'a question cannot be shown: {error}')
            return response_from(Skip(), f'it cannot be shown: {error}')
        call = Future()
        # A tracker that has lost sight of us asks again; all its calls get the answer.
        self._calls.setdefault(question.key, []).append(call)
        self._asked(question)
        return response_from(await call)

    def _ago(self, request: RequestCorrection.Request) -> float:
        """Return when it was asked, by the desk's clock, from how long ago that is."""
        ago = (self._node.get_clock().now().nanoseconds - nanoseconds(request.asked)) * 1e-9
        # Otherwise the tracker goes by another clock.
        return self._now() - (ago if 0.0 <= ago <= LONGEST_AGO else 0.0)


def question_from(request: RequestCorrection.Request, tracker: str, asked: float) -> Question:
    """Return what a request asks.

    Raises
    ------
    ValueError
        If its images cannot be read or are not of one size.
    """
    image = np.array(rgb_from(request.image))
    mask = np.array(bridge().imgmsg_to_cv2(request.mask, 'mono8')) > 0
    entropy = np.array(bridge().imgmsg_to_cv2(request.entropy, '32FC1'))
    if not mask.shape == entropy.shape == image.shape[:2]:
        raise ValueError(
            f'image is {image.shape}, mask {mask.shape}, entropy {entropy.shape}; allowed: the '
            'same height and width'
        )
    seconds = request.timeout.sec + request.timeout.nanosec * 1e-9
    return Question(
        key=request.request_id,
        tracker=tracker,
        camera=request.header.frame_id,
        object_id=request.object_id,
        label=request.label,
        reason=request.reason,
        uncertainty=request.uncertainty,
        derivative=request.derivative,
        asked=asked,
        expires=asked + seconds if seconds < _FOR_EVER else float('inf'),
        stamp=nanoseconds(request.header.stamp),
        image=image,
        mask=mask,
        entropy=entropy,
    )
