"""Who serves a service, and who asks it."""

from time import monotonic

from rclpy.node import Node
from rclpy.task import Future

from lazy_vos_ros.nodes.waiting import resolve
from lazy_vos_ros.nodes.waiting import steady_timer

PATIENCE = 2.0
"""Seconds for which an answer is kept back until a client can be reached."""
LOOK = 0.02
"""Seconds between two looks."""


def servers_of(node: Node, service: str) -> frozenset[bytes]:
    """Return an identity for each server of a service: one that is replaced has another one.

    DDS knows servers as readers of their requests. Of a middleware that does not, the servers
    are told apart by their number alone.

    Parameters
    ----------
    node
        Looks at its graph.
    service
        Full name, such as ``/robot/request_correction``.
    """
    readers = node.get_subscriptions_info_by_topic(f'rq{service}Request', no_mangle=True)
    if readers:
        return frozenset(bytes(item.endpoint_gid) for item in readers)
    return frozenset(bytes([number]) for number in range(node.count_services(service)))


def has_clients(node: Node, service: str) -> bool:
    """Whether a client's reader of answers is known; true of a middleware that does not tell."""
    if not node.get_subscriptions_info_by_topic(f'rq{service}Request', no_mangle=True):
        return True
    return bool(node.get_subscriptions_info_by_topic(f'rr{service}Reply', no_mangle=True))


async def client_known(node: Node, service: str) -> None:
    """Wait until a client can be reached; to be awaited in a handler, before its answer.

    DDS brings a request to a server that has just started before it tells of the client's reader
    of answers. An answer given at once would be dropped, and the client would wait for ever.
    """
    end = monotonic() + PATIENCE
    while not has_clients(node, service) and monotonic() < end:
        future = Future()
        timer = steady_timer(node, LOOK, lambda future=future: resolve(node, future))
        try:
            await future
        finally:
            node.destroy_timer(timer)
