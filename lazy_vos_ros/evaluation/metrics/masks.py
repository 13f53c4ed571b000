"""How well one predicted mask fits the true one: J and F, as the DAVIS benchmark has them."""

from math import ceil
from math import hypot

import cv2
import numpy as np
import numpy.typing as npt

Mask = npt.NDArray[np.bool_]

BOUNDARY_TOLERANCE = 0.008
"""Distance at which two boundaries still match, as a part of the image's diagonal (DAVIS)."""


def jaccard(ground_truth: Mask, prediction: Mask) -> float:
    """Return J, the intersection over union of two masks: ``|G & P| / |G | P|``.

    1 if both are empty: absence was predicted rightly.

    Parameters
    ----------
    ground_truth, prediction
        (H, W) bool masks of one object.

    Raises
    ------
    ValueError
        If the masks are not of one size, or not bool.

    Examples
    --------
    >>> jaccard(np.array([[True, True, False]]), np.array([[False, True, True]]))
    0.3333333333333333
    """
    check_masks(ground_truth, prediction)
    union = np.count_nonzero(ground_truth | prediction)
    if union == 0:
        return 1.0
    return np.count_nonzero(ground_truth & prediction) / union


def boundary_f(
    ground_truth: Mask, prediction: Mask, *, tolerance: float = BOUNDARY_TOLERANCE
) -> float:
    """Return F, the F-measure of the masks' boundaries: ``2 P R / (P + R)``.

    P is the part of the predicted boundary that lies within `tolerance` times the diagonal
    (rounded up to pixels) of the true one, R the part of the true boundary that lies so near to
    the predicted one. Without a predicted boundary P = 1, without a true one R = 1.

    Parameters
    ----------
    ground_truth, prediction
        (H, W) bool masks of one object.
    tolerance
        As a part of the diagonal, 0 to 1.

    Raises
    ------
    ValueError
        If the masks are not of one size, or not bool, or the tolerance is not in [0, 1].
    """
    check_masks(ground_truth, prediction)
    if not 0 <= tolerance <= 1:
        raise ValueError(f'tolerance is {tolerance}; allowed: 0 to 1 of the diagonal')
    radius = ceil(tolerance * hypot(*ground_truth.shape))
    true_line, predicted_line = boundary(ground_truth), boundary(prediction)
    precision = _share_near(predicted_line, true_line, radius)
    recall = _share_near(true_line, predicted_line, radius)
    if precision + recall == 0:
        return 0.0
    return 2 * precision * recall / (precision + recall)


def boundary(mask: Mask) -> Mask:
    """Return the one-pixel boundary of a mask, as DAVIS defines it.

    A pixel belongs to it if it differs from its neighbour to the right, below, or right below;
    the boundary thus lies half a pixel to the top left. Neighbours outside of the image are
    like the pixel itself.
    """
    padded = np.pad(mask, ((0, 1), (0, 1)), mode='edge')
    right, below, diagonal = padded[:-1, 1:], padded[1:, :-1], padded[1:, 1:]
    differs: Mask = (mask != right) | (mask != below) | (mask != diagonal)
    return differs


def _share_near(line: Mask, other: Mask, radius: int) -> float:
    """Part of the pixels of `line` within `radius` of `other`; 1 for no line at all."""
    total = np.count_nonzero(line)
    if total == 0:
        return 1.0
    near = cv2.dilate(other.astype(np.uint8), _disc(radius)).astype(bool)
    return np.count_nonzero(line & near) / total


def _disc(radius: int) -> npt.NDArray[np.uint8]:
    offsets = np.arange(-radius, radius + 1)
    return (offsets[:, None] ** 2 + offsets**2 <= radius**2).astype(np.uint8)


def j_and_f(j: float, f: float) -> float:
    """Return J&F, the mean of both."""
    return (j + f) / 2


def check_masks(ground_truth: Mask, prediction: Mask) -> None:
    """Raise ValueError unless both are (H, W) bool masks of one size, of at least one pixel."""
    for name, mask in (('ground truth', ground_truth), ('prediction', prediction)):
        if mask.ndim != 2 or mask.dtype != np.bool_ or mask.size == 0:
            raise ValueError(
                f'{name} is {mask.shape} of type {mask.dtype}; allowed: (H, W) of type bool'
            )
    if ground_truth.shape != prediction.shape:
        raise ValueError(
            f'ground truth is {ground_truth.shape} and prediction is {prediction.shape}; '
            'allowed: masks of one size'
        )
