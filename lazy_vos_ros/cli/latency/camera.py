"""The camera of the measurement: sends images and notes what comes back about each."""

from collections.abc import Callable
from threading import Thread
from time import monotonic
from time import sleep
from types import TracebackType

import numpy as np
import rclpy
from diagnostic_msgs.msg import DiagnosticArray
from lazy_vos_msgs.msg import TrackingState
from rclpy.context import Context
from rclpy.executors import SingleThreadedExecutor
from sensor_msgs.msg import Image
from std_msgs.msg import Header

from lazy_vos_ros.nodes.images import image_message
from lazy_vos_ros.nodes.qos import RELIABLE
from lazy_vos_ros.nodes.stream_clock import nanoseconds

START_UP = 120.0
"""Seconds given to the tracker to start."""

QUIET = 3.0
"""Seconds after the last image in which the last masks and figures come in."""


class Camera:
    """A node of this process; used in a `with` block."""

    def __init__(self, width: int, height: int, domain: int) -> None:
        self._context = Context()
        rclpy.init(context=self._context, domain_id=domain)
        self._node = rclpy.create_node('camera', context=self._context)
        self._publisher = self._node.create_publisher(Image, 'image', RELIABLE)
        self._pixels = np.random.default_rng(0).integers(0, 255, (height, width, 3), np.uint8)
        self.publishing: list[float] = []
        """Seconds of each publish()."""
        self.states: dict[int, TrackingState] = {}
        """By the image's stamp."""
        self.arrivals: dict[int, float] = {}
        """Seconds from the stamp to the arrival of the mask, by stamp."""
        self.diagnostics: dict[str, str] = {}
        """The newest figures of the tracker."""
        subscribe = self._node.create_subscription
        subscribe(TrackingState, 'lazy_vos/tracking_state', self._on_state, RELIABLE)
        subscribe(Image, 'lazy_vos/mask', self._on_mask, RELIABLE)
        subscribe(DiagnosticArray, '/diagnostics', self._on_diagnostics, RELIABLE)
        self._executor = SingleThreadedExecutor(context=self._context)
        self._executor.add_node(self._node)
        self._closing = False
        self._thread = Thread(target=self._spin)

    def __enter__(self) -> 'Camera':
        """Begin to take messages."""
        self._thread.start()
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        """Take the node away."""
        # An executor that is shut down while it spins spins for ever.
        self._closing = True
        self._thread.join()
        self._executor.shutdown()
        self._node.destroy_node()
        rclpy.shutdown(context=self._context)

    def wait(self, check: Callable[[], None]) -> None:
        """Wait until the tracker and this node know each other.

        `check` is called again and again, and may raise.
        """
        end = monotonic() + START_UP
        while not (
            self._publisher.get_subscription_count()
            and self._node.count_publishers('lazy_vos/mask')
        ):
            check()
            if monotonic() > end:
                raise RuntimeError(f'the tracker did not start within {START_UP:g} s')
            sleep(0.05)
        sleep(0.5)

    def send(self, frames: int, rate: float, on_frame: Callable[[int], None]) -> None:
        """Publish images at a rate, each stamped with the time at which it is handed over."""
        begin = monotonic()
        for number in range(frames):
            sleep(max(0.0, begin + number / rate - monotonic()))
            header = Header(stamp=self._node.get_clock().now().to_msg(), frame_id='camera')
            start = monotonic()
            self._publisher.publish(image_message(self._pixels, 'rgb8', header))
            self.publishing.append(monotonic() - start)
            on_frame(number + 1)
        sleep(QUIET)

    def _spin(self) -> None:
        while not self._closing:
            self._executor.spin_once(timeout_sec=0.1)

    def _on_state(self, state: TrackingState) -> None:
        self.states[nanoseconds(state.header.stamp)] = state

    def _on_mask(self, mask: Image) -> None:
        stamp = nanoseconds(mask.header.stamp)
        self.arrivals[stamp] = (self._node.get_clock().now().nanoseconds - stamp) * 1e-9

    def _on_diagnostics(self, message: DiagnosticArray) -> None:
        for status in message.status:
            self.diagnostics.update({item.key: item.value for item in status.values})
