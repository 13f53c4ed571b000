"""The canvas as a point cloud: one flat square for each cell of the picture and of the buttons.

RViz keeps the texture of every textured marker for as long as it runs, and multiplies it with the
one before when a marker is sent again; a cloud is replaced. So a cloud may be sent as often as the
picture changes, and Foxglove shows it too.
"""

from collections.abc import Sequence

import cv2
import numpy as np
import numpy.typing as npt
from sensor_msgs.msg import PointCloud2
from sensor_msgs.msg import PointField
from std_msgs.msg import Header

from lazy_vos_ros.nodes.canvas import BUTTON_HEIGHT
from lazy_vos_ros.nodes.canvas import FRAME_ID
from lazy_vos_ros.nodes.canvas import GAP
from lazy_vos_ros.nodes.canvas import HEIGHT
from lazy_vos_ros.nodes.canvas import WIDTH
from lazy_vos_ros.nodes.canvas import Canvas

CELL = 0.01
"""Metres from one cell to the next, at most; the size of the points in the set-up of RViz."""

_POINT = np.dtype([('x', '<f4'), ('y', '<f4'), ('z', '<f4'), ('rgb', '<u4')])
_READY, _IDLE = (60, 90, 130), (55, 55, 55)
_WRITING, _FAINT = (255, 255, 255), (120, 120, 120)

Picture = npt.NDArray[np.uint8]
Button = tuple[str, bool]
"""What is written on it, and whether it does something now."""


def canvas_cloud(picture: Picture, buttons: Sequence[Button], header: Header) -> PointCloud2:
    """Return the cloud of a picture, (H, W, 3) uint8 RGB, and of the buttons below it.

    Parameters
    ----------
    picture
        Shown at the place of a :class:`Canvas` of its size.
    buttons
        From the left to the right.
    header
        Its stamp is kept; the frame is the canvas's.
    """
    canvas = Canvas(picture.shape[1], picture.shape[0])
    top = -HEIGHT / 2 - GAP
    points = np.concatenate(
        [
            _cells(picture, canvas.left, canvas.top, -canvas.left, -canvas.top),
            _cells(_strip(buttons), -WIDTH / 2, top, WIDTH / 2, top - BUTTON_HEIGHT),
        ]
    )
    cloud = PointCloud2(
        header=Header(stamp=header.stamp, frame_id=FRAME_ID),
        height=1,
        width=points.size,
        fields=[
            PointField(name=name, offset=4 * place, datatype=PointField.FLOAT32, count=1)
            for place, name in enumerate(_POINT.names or ())
        ],
        point_step=_POINT.itemsize,
        row_step=points.nbytes,
        is_dense=True,
    )
    cloud.data.frombytes(memoryview(points).cast('B'))
    return cloud


def _cells(
    picture: Picture, left: float, top: float, right: float, bottom: float
) -> npt.NDArray[np.void]:
    """Return a point at the middle of each cell of a rectangle."""
    columns = max(1, round((right - left) / CELL))
    rows = max(1, round((top - bottom) / CELL))
    smaller = columns < picture.shape[1]
    method = cv2.INTER_AREA if smaller else cv2.INTER_LINEAR
    colours = cv2.resize(picture, (columns, rows), interpolation=method).astype(np.uint32)
    points = np.zeros((rows, columns), _POINT)
    points['x'] = left + (np.arange(columns) + 0.5) * ((right - left) / columns)
    points['y'] = (top - (np.arange(rows) + 0.5) * ((top - bottom) / rows))[:, None]
    points['rgb'] = colours[..., 0] << 16 | colours[..., 1] << 8 | colours[..., 2]
    return points.reshape(-1)


def _strip(buttons: Sequence[Button]) -> Picture:
    """Draw the row of buttons, one pixel a cell."""
    columns, rows = round(WIDTH / CELL), round(BUTTON_HEIGHT / CELL)
    strip = np.full((rows, columns, 3), 48, np.uint8)
    for place, (text, ready) in enumerate(buttons):
        left = place * columns // len(buttons)
        right = (place + 1) * columns // len(buttons)
        cv2.rectangle(strip, (left + 1, 0), (right - 2, rows - 1), _READY if ready else _IDLE, -1)
        _write(strip, text, left, right, _WRITING if ready else _FAINT)
    return strip


def _write(strip: Picture, text: str, left: int, right: int, colour: tuple[int, int, int]) -> None:
    """Write into the middle of a button, as large as there is room."""
    font, scale = cv2.FONT_HERSHEY_SIMPLEX, 0.5
    (width, _), _ = cv2.getTextSize(text, font, scale, 1)
    scale *= min(1.0, (right - left - 8) / max(1, width))
    (width, height), _ = cv2.getTextSize(text, font, scale, 1)
    origin = ((left + right - width) // 2, (strip.shape[0] + height) // 2)
    cv2.putText(strip, text, origin, font, scale, colour, 1, cv2.LINE_AA)
