"""What the tracker node publishes about each image."""

from collections.abc import Callable
from collections.abc import Iterable

from lazy_vos_msgs.msg import CorrectionEvent as EventMessage
from lazy_vos_msgs.msg import TrackingState
from lazy_vos_msgs.srv import RequestCorrection
from rclpy.node import Node
from sensor_msgs.msg import Image
from std_msgs.msg import Header

from lazy_vos_ros.engine.backend import Image as Pixels
from lazy_vos_ros.engine.backend import MemorySize
from lazy_vos_ros.engine.overlay import draw_overlay
from lazy_vos_ros.engine.results import CorrectionEvent
from lazy_vos_ros.engine.results import CorrectionRequest
from lazy_vos_ros.engine.results import FrameResult
from lazy_vos_ros.engine.results import RepairedFrame
from lazy_vos_ros.nodes import qos
from lazy_vos_ros.nodes.images import image_message
from lazy_vos_ros.nodes.measures import Latency
from lazy_vos_ros.nodes.messages import event_message
from lazy_vos_ros.nodes.messages import mask_message
from lazy_vos_ros.nodes.messages import question_message
from lazy_vos_ros.nodes.messages import state_message
from lazy_vos_ros.nodes.outbox import Outbox
from lazy_vos_ros.nodes.stream_clock import StreamClock
from lazy_vos_ros.nodes.stream_clock import nanoseconds

LONGEST_LATENCY = 60.0
"""Seconds from stamp to now above which the stamp is taken to be of another clock."""


class Outputs:
    """The publishers of one camera.

    Used by the worker's thread; messages are made and published on a thread of their own, in the
    order of the calls. `failed` is called there with what could not be published.
    """

    def __init__(
        self, node: Node, clock: StreamClock, failed: Callable[[Exception], None]
    ) -> None:
        self._node = node
        self._clock = clock
        self._outbox = Outbox(failed)
        self._mask = qos.publisher(node, Image, '~/mask', qos.RELIABLE)
        self._repaired = qos.publisher(node, Image, '~/repaired_mask', qos.BURST)
        self._entropy = qos.publisher(node, Image, '~/entropy', qos.RELIABLE)
        self._overlay = qos.publisher(node, Image, '~/overlay', qos.RELIABLE)
        self._state = qos.publisher(node, TrackingState, '~/tracking_state', qos.RELIABLE)
        self._events = qos.publisher(node, EventMessage, '~/correction_event', qos.EVENTS)
        self._early: list[CorrectionEvent] = []
        self.latency = Latency()
        """From the image's stamp to its publication, where both are of one clock."""

    def publish(
        self,
        result: FrameResult,
        image: Pixels,
        header: Header,
        memory: MemorySize,
        dropped: int,
    ) -> None:
        """Publish all that one image gave; what nobody subscribes to is not made."""
        events = [item for item in result.events if not _among(item, self._early)]
        self._early = [item for item in self._early if not _among(item, result.events)]
        self._outbox.put(lambda: self._send(result, image, header, memory, dropped, events))

    def publish_repaired(self, frame: RepairedFrame, frame_id: str) -> None:
        """Publish the mask of an earlier image as a replay made it, with that image's stamp."""

        def send() -> None:
            header = Header(stamp=self._clock.stamp(frame.stamp), frame_id=frame_id)
            self._repaired.publish(mask_message(frame.labels, header))

        if self._repaired.get_subscription_count():
            self._outbox.put(send)

    def publish_now(self, event: CorrectionEvent, frame_id: str) -> None:
        """Publish an event that the next image's result will report again."""
        if not _among(event, self._early):
            self._early.append(event)
            self._outbox.put(lambda: self._send_event(event, frame_id))

    def publish_last(self, events: Iterable[CorrectionEvent], frame_id: str) -> None:
        """Publish events that no result will report any more."""
        new = [event for event in events if not _among(event, self._early)]
        self._early.clear()
        self._outbox.put(lambda: self._send_events(new, frame_id))

    def question(self, request: CorrectionRequest, frame_id: str) -> RequestCorrection.Request:
        """Return a question that is asked now, with the stamp of its image."""
        name = self._node.get_fully_qualified_name()
        header = Header(stamp=self._clock.stamp(request.stamp), frame_id=frame_id)
        return question_message(request, header, name, self._node.get_clock().now().to_msg())

    def flush(self) -> None:
        """Wait until everything so far is published."""
        self._outbox.flush()

    def destroy(self) -> None:
        """Publish what waits and take the topics away."""
        self._outbox.close()
        for item in (
            self._mask,
            self._repaired,
            self._entropy,
            self._overlay,
            self._state,
            self._events,
        ):
            self._node.destroy_publisher(item)

    def _send(
        self,
        result: FrameResult,
        image: Pixels,
        header: Header,
        memory: MemorySize,
        dropped: int,
        events: Iterable[CorrectionEvent],
    ) -> None:
        if self._mask.get_subscription_count():
            self._mask.publish(mask_message(result.labels, header))
        if self._entropy.get_subscription_count():
            self._entropy.publish(image_message(result.entropy, '32FC1', header))
        latency = self._latency(header)
        self._state.publish(
            state_message(result, header, memory, dropped=dropped, latency=latency)
        )
        self._send_events(events, header.frame_id)
        if self._overlay.get_subscription_count():
            self._overlay.publish(image_message(_drawing(result, image), 'rgb8', header))

    def _send_events(self, events: Iterable[CorrectionEvent], frame_id: str) -> None:
        for event in events:
            self._send_event(event, frame_id)

    def _send_event(self, event: CorrectionEvent, frame_id: str) -> None:
        header = Header(stamp=self._clock.stamp(event.stamp), frame_id=frame_id)
        applied = self._clock.stamp(event.applied_stamp)
        now = self._node.get_clock().now().to_msg()
        self._events.publish(event_message(event, header, applied, now))

    def _latency(self, header: Header) -> float:
        now = self._node.get_clock().now().nanoseconds
        seconds = (now - nanoseconds(header.stamp)) * 1e-9
        if not 0.0 <= seconds <= LONGEST_LATENCY:
            return 0.0
        self.latency.add(seconds)
        return seconds


def _among(event: CorrectionEvent, events: Iterable[CorrectionEvent]) -> bool:
    return any(event is other for other in events)


def _drawing(result: FrameResult, image: Pixels) -> Pixels:
    clicks = [
        click
        for event in result.events
        if event.frame_index == result.frame_index
        for click in event.clicks
    ]
    return draw_overlay(image, result.labels, result.entropy, result.objects, clicks)
