"""`lazy_vos_camera`: plays a video file, an image folder or a webcam as a camera."""

import sys
from collections.abc import Iterator
from dataclasses import dataclass
from threading import Event
from threading import Thread
from time import monotonic
from typing import Any

from builtin_interfaces.msg import Time
from lazy_vos_msgs.msg import TrackingState
from rclpy.node import Node
from sensor_msgs.msg import Image
from sensor_msgs.msg import TimeReference
from std_msgs.msg import Header

from lazy_vos_ros.engine.backend import Image as Pixels
from lazy_vos_ros.engine.parameters import check_parameters
from lazy_vos_ros.engine.parameters import parameter
from lazy_vos_ros.evaluation.counts import counted
from lazy_vos_ros.evaluation.sources import Source
from lazy_vos_ros.evaluation.sources import open_source
from lazy_vos_ros.nodes.images import image_message
from lazy_vos_ros.nodes.parameters import declare
from lazy_vos_ros.nodes.parameters import read
from lazy_vos_ros.nodes.parameters import warn_of_unknown
from lazy_vos_ros.nodes.qos import EVENTS
from lazy_vos_ros.nodes.qos import RELIABLE
from lazy_vos_ros.nodes.qos import publisher
from lazy_vos_ros.nodes.qos import subscription
from lazy_vos_ros.nodes.runtime import Stop
from lazy_vos_ros.nodes.runtime import run
from lazy_vos_ros.nodes.waiting import steady_timer

NANO = 1_000_000_000


@dataclass(frozen=True)
class CameraSettings:
    """Parameters of the node."""

    source: str = parameter('', 'Video file, image folder or webcam number.', dynamic=False)
    rate: float = parameter(
        0.0, "Images per second; 0 is the source's own rate.", low=0.0, dynamic=False
    )
    pace: str = parameter(
        'rate',
        'Publish at the rate, or each image as soon as the tracker has processed the one before.',
        choices=('rate', 'consumed'),
        dynamic=False,
    )
    loop: bool = parameter(False, 'Begin again at the end.', dynamic=False)
    start: int = parameter(0, 'Frames of the source to leave out.', low=0, dynamic=False)
    frames: int = parameter(0, 'Stop after this many images; 0: all.', low=0, dynamic=False)
    frame_id: str = parameter('camera', 'frame_id of the images.', dynamic=False)
    wait_for_subscribers: int = parameter(
        1, 'Subscribers of the image to wait for before the first one.', low=0, dynamic=False
    )
    exit_at_end: bool = parameter(True, 'End the node with its source.', dynamic=False)

    def __post_init__(self) -> None:
        """Check every field."""
        check_parameters(self)


class Camera(Node):
    """Publishes `image` and, for each image, its time in the source on `~/clip_time`."""

    def __init__(self, **options: Any) -> None:
        super().__init__('lazy_vos_camera', **options)
        declare(self, CameraSettings)
        warn_of_unknown(self)
        self.settings = read(self, CameraSettings)
        if not self.settings.source:
            raise ValueError('source is empty; allowed: a video file, image folder or webcam')
        self.source = open_source(self.settings.source, start=self.settings.start)
        self.rate = self.settings.rate or self.source.fps
        self._ended = Event()
        self._stop = Event()
        self._consumed = Event()
        self._awaited = Time()
        self._images = publisher(self, Image, 'image', RELIABLE)
        self._times = publisher(self, TimeReference, '~/clip_time', EVENTS)
        if self.settings.pace == 'consumed':
            subscription(self, TrackingState, 'lazy_vos/tracking_state', self._on_state, RELIABLE)
        if self.settings.exit_at_end:
            steady_timer(self, 0.1, self._exit_at_end)
        self._thread = Thread(target=self._play, name='camera', daemon=True)
        self._thread.start()

    def close(self) -> None:
        """Stop playing."""
        self._stop.set()
        self._consumed.set()
        self._thread.join()

    def _exit_at_end(self) -> None:
        if self._ended.is_set():
            raise Stop

    def _on_state(self, state: TrackingState) -> None:
        if state.header.stamp == self._awaited:
            self._consumed.set()

    def _play(self) -> None:
        try:
            self._wait_for_subscribers()
            published = self._publish_all()
            if not self._stop.is_set():
                self.get_logger().info(
                    f'{self.source.name} ended after {counted(published, "image")}'
                )
        except ValueError as error:
            self.get_logger().error(f'{self.source.name} cannot be read on: {error}')
        finally:
            self._ended.set()

    def _wait_for_subscribers(self) -> None:
        while self._images.get_subscription_count() < self.settings.wait_for_subscribers:
            if self._stop.wait(0.02):
                return

    def _publish_all(self) -> int:
        begin = self.get_clock().now().nanoseconds
        deadline = monotonic()
        number = -1
        for number, (index, image) in enumerate(self._frames()):
            # Stamps follow the rate exactly; publishing follows them as well as the host can.
            consumed = self.settings.pace == 'consumed'
            now = self.get_clock().now().nanoseconds
            stamp = now if consumed else begin + int(number * NANO / self.rate)
            if self._stop.wait(max(0.0, deadline + number / self.rate - monotonic())):
                return number
            self._publish(index, image, stamp)
            if consumed and not self._consumed.wait(5.0):
                self.get_logger().warning('an image was not processed within 5 s; going on')
        return number + 1

    def _frames(self) -> Iterator[tuple[int, Pixels]]:
        left = self.settings.frames or None
        while True:
            for index, image in enumerate(self.source):
                if left == 0 or self._stop.is_set():
                    return
                left = None if left is None else left - 1
                yield index, image
            if not self.settings.loop:
                return

    def _publish(self, index: int, image: Pixels, nanoseconds: int) -> None:
        stamp = Time(sec=nanoseconds // NANO, nanosec=nanoseconds % NANO)
        header = Header(stamp=stamp, frame_id=self.settings.frame_id)
        self._awaited = stamp
        self._consumed.clear()
        self._times.publish(_clip_time(header, self.settings.start + index, self.source))
        self._images.publish(image_message(image, 'rgb8', header))


def _clip_time(header: Header, index: int, source: Source) -> TimeReference:
    nanoseconds = int(index * NANO / source.fps)
    reference = Time(sec=nanoseconds // NANO, nanosec=nanoseconds % NANO)
    return TimeReference(header=header, time_ref=reference, source=source.name)


def main(args: list[str] | None = None) -> int:
    """Run the node until its source ends or a signal comes."""
    return run(Camera, args)


if __name__ == '__main__':
    sys.exit(main())
