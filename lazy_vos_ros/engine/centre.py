"""The centre of a region, as a person would click on it."""

import cv2
import numpy as np
import numpy.typing as npt

from lazy_vos_ros.engine.clicks import Click


def centre_click(region: npt.NDArray[np.bool_], *, positive: bool = True) -> Click | None:
    """Return the click on the centre of the largest connected part; None for an empty region.

    The centre of gravity, rounded to a pixel; where it falls outside of that part (a ring, a
    crescent), the nearest pixel of the part. Parts are connected over edges and corners; of
    equally large parts and equally near pixels the first in row-major order is taken.

    Parameters
    ----------
    region
        (H, W) bool.
    positive
        Meaning of the click.
    """
    if not region.any():
        return None
    rows, columns = np.nonzero(_largest_part(region))
    distance = (rows - rows.mean()) ** 2 + (columns - columns.mean()) ** 2
    nearest = np.argmin(distance)
    return Click(x=float(columns[nearest]), y=float(rows[nearest]), positive=positive)


def _largest_part(region: npt.NDArray[np.bool_]) -> npt.NDArray[np.bool_]:
    _, parts, statistics, _ = cv2.connectedComponentsWithStats(
        region.astype(np.uint8), connectivity=8
    )
    largest = 1 + np.argmax(statistics[1:, cv2.CC_STAT_AREA])
    return np.asarray(parts == largest)
