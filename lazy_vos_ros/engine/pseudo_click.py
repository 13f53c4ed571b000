"""The click that the tracker makes itself, from its own mask and entropy (Eq. 5 and 6)."""

from collections.abc import Callable

import cv2
import numpy as np
import numpy.typing as npt

from lazy_vos_ros.engine.clicks import Click
from lazy_vos_ros.engine.config import LazyConfig
from lazy_vos_ros.engine.dilation import KERNELS
from lazy_vos_ros.engine.dilation import Mask
from lazy_vos_ros.engine.dilation import dilate
from lazy_vos_ros.engine.dilation import window_around

FloatMap = npt.NDArray[np.float32]

_NOT_HERE = np.float32(-1)
"""Below every product, so that a click stays on the object even where all of them are 0."""
_CROSS = np.array([[0, 1, 0], [1, 1, 1], [0, 1, 0]], np.uint8)


def boundary(mask: Mask) -> Mask:
    """Return the pixels of the mask that have a 4-neighbour outside; the image border counts."""
    padded = np.pad(mask, 1).view(np.uint8)
    interior = cv2.erode(padded, _CROSS)[1:-1, 1:-1].astype(np.bool_)
    return mask & ~interior


def boundary_distance(mask: Mask) -> FloatMap:
    """Return the distance of every pixel, inside or outside, to the mask's boundary (Eq. 5).

    In pixels, 0 on the boundary itself; the mask must not be empty.
    """
    return _distance_to_zero(~boundary(mask))


def interior_distance(mask: Mask) -> FloatMap:
    """Return the distance of every pixel of the mask to the nearest one outside, else 0.

    In pixels; what lies beyond the image border counts as outside.
    """
    return _distance_to_zero(np.pad(mask, 1))[1:-1, 1:-1]


def _distance_to_zero(array: Mask) -> FloatMap:
    return cv2.distanceTransform(array.view(np.uint8), cv2.DIST_L2, cv2.DIST_MASK_PRECISE).astype(
        np.float32, copy=False
    )


def _certain_and_far_from_boundary(mask: Mask, dilated: Mask, entropy: FloatMap) -> FloatMap:
    return np.where(dilated, boundary_distance(mask) * (1 - entropy), _NOT_HERE)


def _certain_and_deep_inside(mask: Mask, dilated: Mask, entropy: FloatMap) -> FloatMap:
    certainty = 1 - np.where(dilated, entropy, np.float32(0))
    return np.where(mask, interior_distance(mask) * certainty, _NOT_HERE)


def _deep_inside(mask: Mask, dilated: Mask, entropy: FloatMap) -> FloatMap:
    del dilated, entropy
    return interior_distance(mask)


FIELDS: dict[str, Callable[[Mask, Mask, FloatMap], FloatMap]] = {
    'boundary_distance': _certain_and_far_from_boundary,
    'interior_distance': _certain_and_deep_inside,
    'centre': _deep_inside,
}
"""The values of ``LazyConfig.pseudo_click``: the field whose maximum is clicked on."""


def pseudo_click(mask: Mask, entropy: FloatMap, config: LazyConfig) -> Click | None:
    """Return the positive click on the maximum of the field; None for an empty mask.

    Of equal maxima the first in row-major order is taken. The domain of Eq. 6 has a rim outside
    of the mask; on a mask of at most four pixels' width the click may fall there.

    Parameters
    ----------
    mask
        (H, W) predicted mask of the object.
    entropy
        (H, W) normalised entropy, 0..1.
    config
        Which field and which dilation.
    """
    area = np.count_nonzero(mask)
    if area == 0:
        return None
    kernel = KERNELS[config.dilation](area, config.dilation_ratio)
    rows, columns = window_around(mask, kernel.shape[0])
    inside = mask[rows, columns]
    dilated = dilate(inside, kernel)
    field = FIELDS[config.pseudo_click](inside, dilated, entropy[rows, columns])
    row, column = np.unravel_index(np.argmax(field), field.shape)
    return Click(x=float(columns.start + column), y=float(rows.start + row))
