"""RViz markers of a question: the frozen image as a textured rectangle, and its text."""

import cv2
import numpy as np
import numpy.typing as npt
from geometry_msgs.msg import Point
from std_msgs.msg import ColorRGBA
from std_msgs.msg import Header
from visualization_msgs.msg import Marker
from visualization_msgs.msg import MarkerArray
from visualization_msgs.msg import UVCoordinate

from lazy_vos_ros.nodes.canvas import FRAME_ID
from lazy_vos_ros.nodes.canvas import WIDTH
from lazy_vos_ros.nodes.canvas import Canvas

MOST_PIXELS = 640
"""RViz keeps every texture for ever, so a question's is made no wider than this."""

# Two triangles, counter-clockwise as seen from above: the other side would be black.
_CORNERS = ((0, 0), (0, 1), (1, 1), (0, 0), (1, 1), (1, 0))


def question_markers(picture: npt.NDArray[np.uint8], text: str, canvas: Canvas) -> MarkerArray:
    """Return the markers that replace the ones shown before.

    Parameters
    ----------
    picture
        (H, W, 3) uint8 RGB, to be shown on the canvas.
    text
        Shown above it.
    canvas
        Of the image that is asked about.
    """
    return MarkerArray(
        markers=[*cleared_markers().markers, _image(picture, canvas), _text(text, canvas)]
    )


def cleared_markers() -> MarkerArray:
    """Return what takes the canvas away."""
    return MarkerArray(markers=[Marker(header=Header(frame_id=FRAME_ID), action=Marker.DELETEALL)])


def _image(picture: npt.NDArray[np.uint8], canvas: Canvas) -> Marker:
    marker = _marker(0, Marker.TRIANGLE_LIST)
    marker.scale.x = marker.scale.y = marker.scale.z = 1.0
    for u, v in _CORNERS:
        marker.points.append(Point(x=u * WIDTH, y=-v * canvas.height_m, z=0.0))
        marker.uv_coordinates.append(UVCoordinate(u=float(u), v=float(v)))
    marker.texture_resource = 'embedded://question'
    # RViz takes the format for the name of a codec: "jpg" and nothing more.
    marker.texture.format = 'jpg'
    marker.texture.data.frombytes(_jpeg(picture))
    return marker


def _text(text: str, canvas: Canvas) -> Marker:
    marker = _marker(1, Marker.TEXT_VIEW_FACING)
    marker.text = text
    marker.scale.z = WIDTH / 32
    marker.pose.position.x = WIDTH / 2
    marker.pose.position.y = WIDTH / 24
    return marker


def _marker(number: int, kind: int) -> Marker:
    marker = Marker(header=Header(frame_id=FRAME_ID), ns='question', id=number, type=kind)
    marker.pose.orientation.w = 1.0
    marker.color = ColorRGBA(r=1.0, g=1.0, b=1.0, a=1.0)
    return marker


def _jpeg(picture: npt.NDArray[np.uint8]) -> bytes:
    height, width = picture.shape[:2]
    if width > MOST_PIXELS:
        size = (MOST_PIXELS, max(1, round(height * MOST_PIXELS / width)))
        picture = cv2.resize(picture, size, interpolation=cv2.INTER_AREA)
    _, data = cv2.imencode('.jpg', cv2.cvtColor(picture, cv2.COLOR_RGB2BGR))
    return data.tobytes()
