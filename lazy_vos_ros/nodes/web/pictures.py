"""Pictures for a browser."""

from collections.abc import Callable
from typing import Any

import cv2
import numpy as np
import numpy.typing as npt

from lazy_vos_ros.engine.overlay import HEAT

WIDEST = 1920
"""A question's picture is sent no wider than this; clicks count in its own pixels all the same."""
WIDEST_SHADING = 640
MOST_POINTS = 8000
"""Points of an outline, above which it is drawn with less detail."""

Rgb = npt.NDArray[np.uint8]


def jpeg(image: Rgb, widest: int = WIDEST, quality: int = 90) -> bytes:
    """Encode an RGB image, made smaller where it is wider than `widest`."""
    small = cv2.cvtColor(_no_wider(image, widest), cv2.COLOR_RGB2BGR)
    return _encoded('.jpg', small, cv2.IMWRITE_JPEG_QUALITY, quality)


def shading(entropy: npt.NDArray[np.float32]) -> bytes:
    """Encode the uncertainty (H, W), 0..1, as a red veil, on the scale of the overlay."""
    weight = np.clip((_no_wider(entropy, WIDEST_SHADING) - 0.1) / 0.9, 0.0, 1.0)
    veil = np.empty((*weight.shape, 4), np.uint8)
    veil[..., :3] = HEAT[::-1]
    veil[..., 3] = np.rint(weight * 0.75 * 255)
    return _encoded('.png', veil, cv2.IMWRITE_PNG_COMPRESSION, 1)


def outline(mask: npt.NDArray[Any]) -> list[list[int]]:
    """Return closed lines through the outermost pixels of a mask (H, W), not 0 = object.

    Each line is x, y, x, y, ... in image pixels.
    """
    found, _ = cv2.findContours(
        (mask != 0).astype(np.uint8), cv2.RETR_LIST, cv2.CHAIN_APPROX_SIMPLE
    )
    lines, tolerance = list(found), 1.0
    while sum(map(len, lines)) > MOST_POINTS:
        lines = [cv2.approxPolyDP(line, tolerance, True) for line in found]
        lines = sorted(lines, key=len, reverse=True)[: MOST_POINTS // 4]
        tolerance *= 2.0
    return [[int(value) for value in line.reshape(-1)] for line in lines]


class Encoded:
    """Remembers the last encodings, so that many viewers cost one encoding; for one thread."""

    KEPT = 8

    def __init__(self) -> None:
        self._last: dict[tuple[Callable[..., Any], int], tuple[Any, Any]] = {}

    def by(self, encode: Callable[..., Any], array: Any, *args: Any) -> Any:
        """Return `encode(array, *args)`, or what it gave for this very array before."""
        key = (encode, id(array))
        if key not in self._last:
            # Holding the array keeps its id from meaning another one.
            self._last[key] = (array, encode(array, *args))
            while len(self._last) > self.KEPT:
                del self._last[next(iter(self._last))]
        return self._last[key][1]


def _no_wider(image: Any, widest: int) -> Any:
    height, width = image.shape[:2]
    if width <= widest:
        return image
    size = (widest, max(1, round(height * widest / width)))
    return cv2.resize(image, size, interpolation=cv2.INTER_AREA)


def _encoded(suffix: str, image: Any, option: int, value: int) -> bytes:
    done, data = cv2.imencode(suffix, image, [option, value])
    if not done:
        raise RuntimeError(f'an image of shape {image.shape} cannot be encoded as {suffix}')
    return bytes(data)
