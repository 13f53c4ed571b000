"""Quality of service of every topic (REP 2003), and how it is changed and watched.

Each topic can be overridden at start, for example by the parameter
`qos_overrides./camera/image_raw.subscription.reliability: reliable`.
"""

from collections.abc import Callable
from copy import copy
from typing import Any

from rclpy.event_handler import PublisherEventCallbacks
from rclpy.event_handler import SubscriptionEventCallbacks
from rclpy.node import Node
from rclpy.publisher import Publisher
from rclpy.qos import DurabilityPolicy
from rclpy.qos import QoSProfile
from rclpy.qos import ReliabilityPolicy
from rclpy.qos import qos_policy_name_from_kind
from rclpy.qos_overriding_options import QoSOverridingOptions
from rclpy.subscription import Subscription

SENSOR = QoSProfile(depth=5, reliability=ReliabilityPolicy.BEST_EFFORT)
"""Images that come in: the newest counts, a lost one is not sent again."""

RELIABLE = QoSProfile(depth=5, reliability=ReliabilityPolicy.RELIABLE)
"""What a node publishes."""

BURST = QoSProfile(depth=100, reliability=ReliabilityPolicy.RELIABLE)
"""Many messages at once, all of which count: what a replay repairs."""

EVENTS = QoSProfile(
    depth=100,
    reliability=ReliabilityPolicy.RELIABLE,
    durability=DurabilityPolicy.TRANSIENT_LOCAL,
)
"""Events, which also those get who come late."""

LATCHED = QoSProfile(
    depth=1,
    reliability=ReliabilityPolicy.RELIABLE,
    durability=DurabilityPolicy.TRANSIENT_LOCAL,
)
"""A state of which the newest counts, also for those who come late."""


def publisher(node: Node, message_type: Any, topic: str, profile: QoSProfile) -> Publisher:
    """Create a publisher whose quality of service can be overridden by parameters."""
    name = node.resolve_topic_name(topic)

    def incompatible(event: Any) -> None:
        node.get_logger().warning(
            f'{name}: a subscriber gets nothing, because it asks for another '
            f'{_policy(event)} than is offered'
        )

    return node.create_publisher(
        message_type,
        topic,
        copy(profile),  # overrides are written into it
        qos_overriding_options=QoSOverridingOptions.with_default_policies(),
        event_callbacks=PublisherEventCallbacks(incompatible_qos=incompatible),
    )


def subscription(
    node: Node,
    message_type: Any,
    topic: str,
    callback: Callable[[Any], None],
    profile: QoSProfile,
    *,
    raw: bool = False,
) -> Subscription:
    """Create a subscription whose quality of service can be overridden by parameters."""
    return node.create_subscription(
        message_type, topic, callback, copy(profile), raw=raw, **subscription_options(node, topic)
    )


def subscription_options(node: Node, topic: str) -> dict[str, Any]:
    """Return the arguments by which a subscription can be overridden and tells a mismatch."""
    name = node.resolve_topic_name(topic)

    def incompatible(event: Any) -> None:
        policy = _policy(event)
        node.get_logger().warning(
            f'{name}: nothing comes from a publisher that offers another {policy} than is asked '
            f'for; set qos_overrides.{name}.subscription.{policy}'
        )

    return {
        'qos_overriding_options': QoSOverridingOptions.with_default_policies(),
        'event_callbacks': SubscriptionEventCallbacks(incompatible_qos=incompatible),
    }


def _policy(event: Any) -> str:
    return qos_policy_name_from_kind(event.last_policy_kind).lower()
