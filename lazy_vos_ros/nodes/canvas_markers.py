"""The words above the canvas: what is asked, why, and since when."""

from std_msgs.msg import ColorRGBA
from std_msgs.msg import Header
from visualization_msgs.msg import Marker
from visualization_msgs.msg import MarkerArray

from lazy_vos_ros.nodes.canvas import FRAME_ID
from lazy_vos_ros.nodes.canvas import HEIGHT

LINE = 0.15
"""Height of the letters in metres."""

LONGEST = 100
"""Letters of a line; about 5 m."""


def words_above(lines: tuple[str, ...]) -> MarkerArray:
    """Return the marker that replaces the words shown before."""
    marker = Marker(
        header=Header(frame_id=FRAME_ID), ns='question', id=0, type=Marker.TEXT_VIEW_FACING
    )
    marker.text = '\n'.join(shortened(line) for line in lines)
    marker.scale.z = LINE
    marker.pose.position.y = HEIGHT / 2 + LINE * (0.6 * len(lines) + 0.2)
    marker.pose.orientation.w = 1.0
    marker.color = ColorRGBA(r=1.0, g=1.0, b=1.0, a=1.0)
    return MarkerArray(markers=[marker])


def shortened(line: str) -> str:
    """Return a line that fits above the canvas."""
    return line if len(line) <= LONGEST else f'{line[: LONGEST - 1]}\N{HORIZONTAL ELLIPSIS}'
