"""A node that watches the graph for the person at the terminal."""

from __future__ import annotations

from collections.abc import Callable
from time import monotonic
from types import TracebackType

import rclpy
from lazy_vos_msgs.msg import CorrectionEvent
from lazy_vos_msgs.msg import TrackingState
from lazy_vos_msgs.srv import RequestCorrection
from rclpy.executors import SingleThreadedExecutor
from sensor_msgs.msg import TimeReference

from lazy_vos_ros.nodes.qos import EVENTS
from lazy_vos_ros.nodes.qos import RELIABLE

OPENS = CorrectionEvent.ASKED
CLOSES = (
    CorrectionEvent.ANSWERED,
    CorrectionEvent.SKIPPED,
    CorrectionEvent.ABSENT,
    CorrectionEvent.EXPIRED,
    CorrectionEvent.REFUSED,
)


class Monitor:
    """Counts what passes; nothing that it learns is used for the results."""

    def __init__(self) -> None:
        self._context = rclpy.Context()
        self._context.init()
        self._node = rclpy.create_node('lazy_vos_monitor', context=self._context)
        self._executor = SingleThreadedExecutor(context=self._context)
        self._executor.add_node(self._node)
        self.sent = 0
        """Images that the camera published."""
        self.state: TrackingState | None = None
        """The newest one."""
        self.processed = 0
        self.questions = 0
        self._open: set[str] = set()
        self._newest_image: object = None
        self._node.create_subscription(
            TrackingState, 'lazy_vos/tracking_state', self._on_state, RELIABLE
        )
        self._node.create_subscription(
            CorrectionEvent, 'lazy_vos/correction_event', self._on_event, EVENTS
        )
        self._node.create_subscription(
            TimeReference, 'lazy_vos_camera/clip_time', self._on_image, EVENTS
        )
        self._asks = self._node.create_client(RequestCorrection, 'request_correction')

    @property
    def question_open(self) -> bool:
        """Whether the operator is being asked."""
        return bool(self._open)

    @property
    def all_processed(self) -> bool:
        """Whether the newest image has gone through the tracker."""
        return self.state is not None and self.state.header.stamp == self._newest_image

    def tracker_listens(self) -> bool:
        """Whether the tracker has loaded and subscribed to the images."""
        return self._node.count_subscribers('image') > 0

    def recorder_listens(self) -> bool:
        """Whether the recorder has subscribed to what the tracker publishes."""
        return self._node.count_subscribers('lazy_vos/mask') > 0

    def operator_listens(self) -> bool:
        """Whether somebody answers questions."""
        return self._asks.service_is_ready()

    def wait(self, condition: Callable[[], bool], check: Callable[[], None], limit: float) -> bool:
        """Spin until the condition holds; return whether it did within `limit` seconds."""
        end = monotonic() + limit
        while not condition():
            check()
            if monotonic() > end:
                return False
            self._executor.spin_once(timeout_sec=0.05)
        return True

    def close(self) -> None:
        """Leave the graph."""
        self._executor.shutdown()
        self._node.destroy_node()
        self._context.try_shutdown()

    def __enter__(self) -> Monitor:
        """Return itself."""
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        """Leave the graph."""
        self.close()

    def _on_state(self, message: TrackingState) -> None:
        self.state = message
        self.processed += 1

    def _on_event(self, message: CorrectionEvent) -> None:
        if message.kind == OPENS:
            self.questions += 1
            self._open.add(message.request_id)
        elif message.kind in CLOSES:
            self._open.discard(message.request_id)

    def _on_image(self, message: TimeReference) -> None:
        self._newest_image = message.header.stamp
        self.sent += 1
