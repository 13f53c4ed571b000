"""Who serves a service."""

from rclpy.node import Node


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
