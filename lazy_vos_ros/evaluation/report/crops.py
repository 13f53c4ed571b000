"""Cut out the part of a frame that matters, at the size of a thumbnail, as JPEG."""

from __future__ import annotations

from collections.abc import Iterable
from collections.abc import Sequence
from typing import Any

import cv2
import numpy as np
import numpy.typing as npt

from lazy_vos_ros.engine.backend import Image
from lazy_vos_ros.engine.clicks import Click
from lazy_vos_ros.engine.overlay import draw_overlay

Box = tuple[int, int, int, int]
"""x, y, width, height in pixels."""

LARGEST = (480, 360)
"""Width and height that no thumbnail exceeds."""
QUALITY = 82
"""Of the JPEG."""
MARGIN = 0.35
"""Free room around what matters, as a part of its size."""
LEAST = 0.4
"""Smallest part of a frame's width that is cut out."""
ENLARGED = 4.0
"""Most times that small frames are enlarged."""
RING = 12
"""Radius of a click in pixels of the thumbnail."""
ALL = 0.8
"""From this part of its width on, the whole frame is shown."""


def box_of(labels: npt.NDArray[np.uint16] | None, object_id: int) -> Box | None:
    """Return the box around an object's mask; None if it has no pixel."""
    if labels is None:
        return None
    rows, columns = (np.flatnonzero((labels == object_id).any(axis)) for axis in (1, 0))
    if not rows.size:
        return None
    x, y = int(columns[0]), int(rows[0])
    return x, y, int(columns[-1]) - x + 1, int(rows[-1]) - y + 1


def region(size: tuple[int, int], boxes: Iterable[Box | None], clicks: Sequence[Click]) -> Box:
    """Return the part of a frame that holds boxes and clicks, with the frame's proportions.

    Parameters
    ----------
    size
        Width and height of the frame.
    boxes, clicks
        What must be seen. Nothing: the whole frame.
    """
    corners = [(x, y) for b in boxes if b for x, y in (b[:2], (b[0] + b[2], b[1] + b[3]))]
    corners += [(round(click.x), round(click.y)) for click in clicks]
    if not corners:
        return 0, 0, *size
    low, high = np.min(corners, axis=0), np.max(corners, axis=0)
    part = max(LEAST, *((1 + 2 * MARGIN) * (high - low) / size))
    if part >= ALL:
        return 0, 0, *size
    width, height = (max(1, round(part * length)) for length in size)
    middle = (low + high) / 2
    x = int(np.clip(middle[0] - width / 2, 0, size[0] - width))
    y = int(np.clip(middle[1] - height / 2, 0, size[1] - height))
    return x, y, width, height


def overlay_crop(
    image: Image, labels: npt.NDArray[np.uint16] | None, box: Box, clicks: Sequence[Click] = ()
) -> Image:
    """Return a part of an image with masks and clicks over it, at the size of a thumbnail."""
    size = thumbnail_size((image.shape[1], image.shape[0]))
    small = cut(image, box, size, cv2.INTER_AREA)
    scale = small.shape[1] / box[2], small.shape[0] / box[3]
    nothing = np.zeros(small.shape[:2], np.uint16)
    fits = labels is not None and labels.shape == image.shape[:2]
    masks = cut(labels, box, size, cv2.INTER_NEAREST) if labels is not None and fits else nothing
    moved = [
        # The centre of the top-left pixel is (0, 0) in both.
        Click(
            (click.x - box[0] + 0.5) * scale[0] - 0.5,
            (click.y - box[1] + 0.5) * scale[1] - 0.5,
            click.positive,
        )
        for click in clicks
        if box[0] <= click.x < box[0] + box[2] and box[1] <= click.y < box[1] + box[3]
    ]
    canvas = draw_overlay(np.ascontiguousarray(small), masks)
    for click in moved:
        _draw_click(canvas, click)
    return canvas


def heat_crop(entropy: npt.NDArray[np.float32], box: Box) -> Image:
    """Return a part of an entropy map, coloured, at the size of a thumbnail."""
    size = thumbnail_size(entropy.shape[::-1])
    return heat_map(cut(entropy, box, size, cv2.INTER_AREA))


def heat_map(entropy: npt.NDArray[np.float32]) -> Image:
    """Return an entropy map in colours that also colour-blind people can order."""
    values = np.nan_to_num(entropy)
    grey = np.rint(255 * np.clip(values, 0.0, 1.0)).astype(np.uint8)
    coloured: Any = cv2.applyColorMap(grey, cv2.COLORMAP_CIVIDIS)
    return np.ascontiguousarray(coloured[..., ::-1])


def framed(picture: Image, size: tuple[int, int], box: Box) -> Image:
    """Return a thumbnail of a whole frame of this size, with a line around the part `box`."""
    canvas = picture.copy()
    x, y = picture.shape[1] / size[0], picture.shape[0] / size[1]
    corner = round(box[0] * x), round(box[1] * y)
    other = round((box[0] + box[2]) * x) - 1, round((box[1] + box[3]) * y) - 1
    for colour, width in (((0, 0, 0), 3), ((255, 255, 255), 1)):
        cv2.rectangle(canvas, corner, other, colour, width)
    return canvas


def thumbnail_size(size: tuple[int, ...]) -> tuple[int, int]:
    """Return width and height of the thumbnails of frames of this width and height."""
    scale = min(LARGEST[0] / size[0], LARGEST[1] / size[1], ENLARGED)
    return max(1, round(size[0] * scale)), max(1, round(size[1] * scale))


def cut(plane: npt.NDArray[Any], box: Box, size: tuple[int, int], method: int) -> npt.NDArray[Any]:
    """Return a part of a plane at a size."""
    x, y, width, height = box
    part = plane[y : y + height, x : x + width]
    if size[0] > width and method == cv2.INTER_AREA:
        method = cv2.INTER_LINEAR
    return np.asarray(cv2.resize(part, size, interpolation=method))


def jpeg(picture: Image) -> bytes:
    """Return an RGB picture as JPEG."""
    _, data = cv2.imencode('.jpg', picture[..., ::-1], [cv2.IMWRITE_JPEG_QUALITY, QUALITY])
    return data.tobytes()


def _draw_click(canvas: Image, click: Click) -> None:
    """Draw a ring with a plus (here) or a minus (not here), to be seen on a thumbnail."""
    row, column = click.pixel
    for colour, width in (((0, 0, 0), 6), ((255, 255, 255), 2)):
        cv2.circle(canvas, (column, row), RING, colour, width, cv2.LINE_AA)
        cv2.line(canvas, (column - 5, row), (column + 5, row), colour, width)
        if click.positive:
            cv2.line(canvas, (column, row - 5), (column, row + 5), colour, width)
