"""Several publishers of one camera's images: nobody wants that, and nothing else would tell."""

from rclpy.node import Node
from rclpy.subscription import Subscription


class Rivals:
    """Says which nodes publish what one subscription takes for one stream; logs changes."""

    def __init__(self, node: Node) -> None:
        self._node = node
        self._known: tuple[str, ...] = ()

    def look(self, images: Subscription | None) -> tuple[str, ...]:
        """Return the publishers' full names if there are several, else nothing."""
        names = () if images is None else self._publishers(images.topic_name)
        rivals = names if len(names) > 1 else ()
        if rivals != self._known and images is not None:
            self._tell(images.topic_name, rivals)
        self._known = rivals
        return rivals

    def _publishers(self, topic: str) -> tuple[str, ...]:
        found = self._node.get_publishers_info_by_topic(topic)
        return tuple(
            sorted(f'{item.node_namespace.rstrip("/")}/{item.node_name}' for item in found)
        )

    def _tell(self, topic: str, rivals: tuple[str, ...]) -> None:
        if rivals:
            self._node.get_logger().warning(
                f'{topic}: {len(rivals)} publishers, whose images are taken for one stream: '
                f'{", ".join(rivals)}; remap all but one'
            )
        else:
            self._node.get_logger().info(f'{topic}: one publisher again')
