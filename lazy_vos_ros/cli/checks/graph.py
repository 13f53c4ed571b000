"""The nodes that are running: who publishes images, and who gets none, and why."""

from __future__ import annotations

from collections.abc import Iterator
from time import monotonic
from time import sleep
from typing import TYPE_CHECKING
from typing import Any

from lazy_vos_ros.cli.checks.finding import Finding
from lazy_vos_ros.cli.checks.finding import ok
from lazy_vos_ros.cli.checks.finding import problem
from lazy_vos_ros.cli.checks.finding import warning

if TYPE_CHECKING:
    from rclpy.node import Node

IMAGES = {'sensor_msgs/msg/Image', 'sensor_msgs/msg/CompressedImage'}
TRACKING_STATE = 'lazy_vos_msgs/msg/TrackingState'
OWN_NAME = 'lazy_vos_doctor'
SETTLED = 0.5
"""Seconds without news after which the graph is taken to be known."""


def check_graph(wait: float, domain: int | None = None) -> Iterator[Finding]:
    """Look for at most `wait` seconds which nodes are there, then at their topics.

    `domain` is that of ROS_DOMAIN_ID where it is None.
    """
    import rclpy

    context = rclpy.Context()
    context.init(domain_id=domain)
    try:
        node = rclpy.create_node(OWN_NAME, context=context, start_parameter_services=False)
        try:
            _get_to_know(node, wait)
            yield from look_at(node)
        finally:
            node.destroy_node()
    finally:
        context.try_shutdown()


def look_at(node: Node) -> Iterator[Finding]:
    """Return what is to be said about the graph that a node knows."""
    names = sorted(other_nodes(node))
    if not names:
        words = 'no node is running in this domain, or none can be reached'
        yield ok('nodes', words)
        return
    yield ok('nodes', ', '.join(names))
    topics = dict(node.get_topic_names_and_types())
    images = [topic for topic, types in topics.items() if IMAGES & set(types)]
    for topic in images:
        publishers = _ends(node.get_publishers_info_by_topic(topic))
        if publishers:
            yield ok('images', f'{topic} from {", ".join(publishers)}')
    for topic in topics:
        yield from mismatches(node, topic)
    for topic, types in topics.items():
        if TRACKING_STATE in types:
            for publisher in node.get_publishers_info_by_topic(topic):
                name, space = publisher.node_name, publisher.node_namespace
                yield from look_at_tracker(node, name, space, images)


def look_at_tracker(node: Node, name: str, namespace: str, images: list[str]) -> Iterator[Finding]:
    """Look whether a tracker gets images, from one camera only, and an operator's answers."""
    full = f'{namespace.rstrip("/")}/{name}'
    published = [topic for topic in images if node.count_publishers(topic)]
    cameras = [topic for topic in published if not topic.startswith(f'{full}/')]
    wanted = [
        topic
        for topic, types in node.get_subscriber_names_and_types_by_node(name, namespace)
        if IMAGES & set(types)
    ]
    if not wanted:
        words = f'{full} subscribes to no images: it is not active'
        yield warning('tracker', words, f'ros2 lifecycle set {full} activate')
    for topic in wanted:
        count = node.count_publishers(topic)
        if count == 0:
            there = ', '.join(cameras) or 'nowhere'
            words = f'{full} waits for images on {topic}; images are published on: {there}'
            yield problem('tracker', words, 'start the camera, or remap: -r image:=/its/topic')
        elif count > 1:
            words = f'{full}: {count} publishers on {topic}; their images are taken for one stream'
            yield warning('tracker', words, 'give every camera a topic of its own')
    service = f'{namespace.rstrip("/")}/request_correction'
    if node.count_services(service) == 0:
        words = f'nobody serves {service}: the questions of {full} are not answered'
        yield warning('operator', words, 'start lazy_vos_operator (lazy-vos node operator)')


def mismatches(node: Node, topic: str) -> Iterator[Finding]:
    """Return a finding for each subscriber that gets nothing because of its QoS."""
    from rclpy.qos import QoSCompatibility
    from rclpy.qos import qos_check_compatible

    for offer in node.get_publishers_info_by_topic(topic):
        for request in node.get_subscriptions_info_by_topic(topic):
            verdict, why = qos_check_compatible(offer.qos_profile, request.qos_profile)
            if verdict == QoSCompatibility.ERROR:
                (taker,), (giver,) = _ends([request]), _ends([offer])
                words = f'{topic}: {taker} gets nothing from {giver}: {_tidy(why)}'
                weaker = 'reliability:=best_effort' if 'eliable' in why else 'durability:=volatile'
                mend = f'let {taker} ask for less: -p qos_overrides.{topic}.subscription.{weaker}'
                yield problem('QoS', words, mend)


def other_nodes(node: Node) -> set[str]:
    """Return the full names of all nodes but this one."""
    names = node.get_node_names_and_namespaces()
    return {f'{space.rstrip("/")}/{name}' for name, space in names} - {f'/{OWN_NAME}'}


def _get_to_know(node: Node, wait: float) -> None:
    """Wait until nodes have been found and no further ones come, at most `wait` seconds."""
    end = monotonic() + wait
    known: Any = None
    since = monotonic()
    while monotonic() < end:
        now = (other_nodes(node), sorted(node.get_topic_names_and_types()))
        if now != known:
            known, since = now, monotonic()
        if now[0] and monotonic() - since >= SETTLED:
            return
        sleep(0.05)


def _ends(infos: list[Any]) -> list[str]:
    """Return node and QoS of publishers or subscribers in words."""
    return [
        f'{info.node_namespace.rstrip("/")}/{info.node_name} '
        f'({info.qos_profile.reliability.name.lower()}, '
        f'{info.qos_profile.durability.name.lower()})'
        for info in infos
    ]


def _tidy(reason: str) -> str:
    return reason.replace('ERROR: ', '').replace(';', ',').strip(', ').lower()
