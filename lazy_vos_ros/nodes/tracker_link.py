"""One tracker as the operator reaches it: what it tells, and what it can be told."""

from collections.abc import Callable
from typing import Any

import numpy as np
from lazy_vos_msgs.msg import CorrectionEvent
from lazy_vos_msgs.msg import ObjectState
from lazy_vos_msgs.msg import TrackingState
from lazy_vos_msgs.srv import AddObject
from lazy_vos_msgs.srv import Correct
from lazy_vos_msgs.srv import PreviewCorrection
from lazy_vos_msgs.srv import RemoveObject
from rclpy.client import Client
from rclpy.node import Node
from rclpy.subscription import Subscription
from rclpy.time import Time
from sensor_msgs.msg import Image
from std_msgs.msg import Header
from std_srvs.srv import Trigger

from lazy_vos_ros.engine.clicks import Click
from lazy_vos_ros.nodes.images import bridge
from lazy_vos_ros.nodes.images import rgb_from
from lazy_vos_ros.nodes.messages import click_messages
from lazy_vos_ros.nodes.operator_courier import Order
from lazy_vos_ros.nodes.operator_desk import OperatorDesk
from lazy_vos_ros.nodes.operator_view import Deed
from lazy_vos_ros.nodes.operator_view import Live
from lazy_vos_ros.nodes.operator_view import Outcome
from lazy_vos_ros.nodes.operator_view import Question
from lazy_vos_ros.nodes.operator_view import TrackedObject
from lazy_vos_ros.nodes.operator_view import TrackerView
from lazy_vos_ros.nodes.qos import EVENTS
from lazy_vos_ros.nodes.qos import RELIABLE
from lazy_vos_ros.nodes.qos import SENSOR
from lazy_vos_ros.nodes.qos import subscription
from lazy_vos_ros.nodes.stream_clock import nanoseconds

GONE_AFTER = 3.0
"""Seconds out of sight after which a tracker's questions are taken away."""

_USED = {CorrectionEvent.ANSWERED, CorrectionEvent.SKIPPED, CorrectionEvent.ABSENT}


class TrackerLink:
    """Brings a tracker's news to the desk, and the operator's wishes to the tracker.

    Parameters
    ----------
    node
        Of the operator.
    name
        Full name of the tracker's node.
    desk
        Is told everything.
    now
        The desk's clock.
    """

    def __init__(
        self, node: Node, name: str, desk: OperatorDesk, now: Callable[[], float]
    ) -> None:
        self.name = name
        self._node = node
        self._desk = desk
        self._now = now
        self._seen = float('inf')
        self._view = TrackerView(name, present=False)
        self._add = node.create_client(AddObject, f'{name}/add_object')
        self._correct = node.create_client(Correct, f'{name}/correct')
        self._remove = node.create_client(RemoveObject, f'{name}/remove_object')
        self._preview = node.create_client(PreviewCorrection, f'{name}/preview')
        self._undo = node.create_client(Trigger, f'{name}/undo')
        self._overlay: Subscription | None = None
        subscription(node, TrackingState, f'{name}/tracking_state', self._on_state, RELIABLE)
        subscription(node, CorrectionEvent, f'{name}/correction_event', self._on_event, EVENTS)
        desk.report(self._view)

    def look(self) -> None:
        """See whether the tracker is there and whether its pictures are wanted."""
        present = self._add.service_is_ready()
        if present:
            self._seen = self._now()
        if present != self._view.present:
            self._report(present=present)
        if not present and self._now() - self._seen >= GONE_AFTER:
            self._desk.withdraw_all(self.name, 'its tracker has gone')
        wanted = self._desk.live_wanted(self.name)
        if wanted and self._overlay is None:
            self._overlay = subscription(
                self._node, Image, f'{self.name}/overlay', self._on_overlay, SENSOR
            )
        elif not wanted and self._overlay is not None:
            self._node.destroy_subscription(self._overlay)
            self._overlay = None

    def preview(self, question: Question, serial: int, clicks: tuple[Click, ...]) -> None:
        """Ask what the mask would be; the desk is told."""
        if not self._preview.service_is_ready():
            self._desk.previewed(question.key, serial, None)
            return
        request = PreviewCorrection.Request(request_id=question.key, clicks=click_messages(clicks))

        def came(response: PreviewCorrection.Response) -> None:
            try:
                if not response.success:
                    raise ValueError(response.message)
                mask = np.array(bridge().imgmsg_to_cv2(response.mask, 'mono8')) > 0
                if mask.shape != question.mask.shape:
                    raise ValueError(f'the refined mask is {mask.shape}')
            except ValueError as error:
                self._desk.previewed(question.key, serial, None, str(error))
            else:
                self._desk.previewed(question.key, serial, mask)

        self._call(self._preview, request, came)

    def order(self, order: Order) -> None:
        """Send what the operator wants unasked; the desk is told what became of it."""
        client, request = self._request_for(order)
        if not client.service_is_ready():
            self._desk.done(order.number, Outcome.REFUSED, 'the tracker is not there')
            return

        def came(response: Any) -> None:
            outcome = Outcome.DONE if response.success else Outcome.REFUSED
            given = response.object_id if order.deed is Deed.STARTED else None
            self._desk.done(order.number, outcome, response.message, given or None)
            if outcome is Outcome.REFUSED:
                self._node.get_logger().warning(f'{self.name}: refused: {response.message}')

        self._call(client, request, came)

    def _request_for(self, order: Order) -> tuple[Client, Any]:
        header = Header(stamp=Time(nanoseconds=order.stamp).to_msg())
        clicks = click_messages(order.clicks)
        if order.deed is Deed.STARTED:
            return self._add, AddObject.Request(header=header, label=order.label, clicks=clicks)
        if order.deed is Deed.REMOVED:
            return self._remove, RemoveObject.Request(object_id=order.object_id)
        if order.deed is Deed.UNDONE:
            return self._undo, Trigger.Request()
        absent = order.deed is Deed.ABSENT
        return self._correct, Correct.Request(
            header=header,
            object_id=order.object_id,
            answer=Correct.Request.ABSENT if absent else Correct.Request.CLICK,
            clicks=clicks,
        )

    def _call(self, client: Client, request: Any, came: Callable[[Any], None]) -> None:
        def done(future: Any) -> None:
            if not future.cancelled() and future.result() is not None:
                came(future.result())

        client.call_async(request).add_done_callback(done)

    def _on_state(self, message: TrackingState) -> None:
        self._view = TrackerView(
            self.name,
            self._view.present,
            nanoseconds(message.header.stamp),
            tuple(_object(state) for state in message.objects),
        )
        self._desk.report(self._view)

    def _on_event(self, event: CorrectionEvent) -> None:
        if not event.request_id:
            return
        if event.kind in _USED:
            self._desk.settled(event.request_id, Outcome.DONE, _effect(event))
            self._desk.withdraw(event.request_id, 'it was answered elsewhere')
        elif event.kind in (CorrectionEvent.EXPIRED, CorrectionEvent.REFUSED):
            self._desk.settled(event.request_id, Outcome.REFUSED, event.reason)
            self._desk.withdraw(event.request_id, event.reason)

    def _on_overlay(self, message: Image) -> None:
        try:
            picture = np.array(rgb_from(message))
        except ValueError as error:
            self._node.get_logger().warning(f'{self.name}/overlay: {error}', once=True)
            return
        self._desk.put_live(self.name, Live(nanoseconds(message.header.stamp), picture))

    def _report(self, *, present: bool) -> None:
        view = self._view
        self._view = TrackerView(self.name, present, view.stamp, view.objects)
        self._desk.report(self._view)


def _object(state: ObjectState) -> TrackedObject:
    box = state.box
    return TrackedObject(
        object_id=state.id,
        label=state.label,
        uncertainty=state.uncertainty,
        area=state.area,
        question_open=state.question_open,
        absent=state.absent,
        box=(box.x_offset, box.y_offset, box.width, box.height) if state.area else None,
    )


def _effect(event: CorrectionEvent) -> str:
    """Return what an answer did, for people."""
    late = (nanoseconds(event.applied_stamp) - nanoseconds(event.header.stamp)) * 1e-9
    words = f'took effect on the image of {late:.1f} s before'
    return f'{words}; {event.reason}' if event.reason else words
