"""How good the masks were (J, F, R@tau) and what they cost the operator (NoC, IDI, ACI).

Quality follows the DAVIS benchmark and Eq. 7 of the paper, effort the readings of its Eq. 8 and
Table 1 under which the printed numbers fit together: a correction counts, the first click and an
answer of 'skip' do not.
"""

from collections.abc import Sequence
from itertools import pairwise
from math import ceil
from math import hypot
from statistics import fmean

import cv2
import numpy as np
import numpy.typing as npt

Mask = npt.NDArray[np.bool_]

RECALL_THRESHOLDS = (0.1, 0.25, 0.5)
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
        As a part of the diagonal.

    Raises
    ------
    ValueError
        If the masks are not of one size, or not bool.
    """
    check_masks(ground_truth, prediction)
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


def recall_at(ious: Sequence[float], tau: float) -> float:
    """Return R@tau of one object: the part of its frames with ``IoU >= tau`` (Eq. 7).

    Parameters
    ----------
    ious
        J of every frame from the object's first one on. Frames in which it is absent belong to
        them: 1 if nothing is predicted there, else 0, as :func:`jaccard` has it.
    tau
        Threshold in (0, 1].

    Raises
    ------
    ValueError
        If there is no frame.
    """
    if not ious:
        raise ValueError('no frames; allowed: at least one IoU')
    return sum(iou >= tau for iou in ious) / len(ious)


def mean_over_frames(
    scores: Sequence[float], *, skip_first: bool = True, skip_last: bool = False
) -> float:
    """Return the mean of one object's scores over its frames.

    Parameters
    ----------
    scores
        One score a frame, from the object's first frame on.
    skip_first
        Leave out the first frame, whose mask was given.
    skip_last
        Leave out the last frame, as the DAVIS tools do.

    Raises
    ------
    ValueError
        If no frame is left.
    """
    stop = len(scores) - int(skip_last)
    chosen = scores[int(skip_first) : stop]
    if not chosen:
        raise ValueError(f'{len(scores)} frames and none is left; allowed: more frames')
    return fmean(chosen)


def correction_gaps(frames: int, corrections: Sequence[int]) -> list[int]:
    """Return the frames between successive interactions with one object.

    The object's first frame (its initialisation) and its last one count as interactions, so n
    corrections make n + 1 gaps, which sum to ``frames - 1``. Several in one frame are one.

    Parameters
    ----------
    frames
        Length of the object's life, L.
    corrections
        Corrected frames, counted from the object's first one: 0 to L - 1.

    Raises
    ------
    ValueError
        If a correction lies outside of the object's life.
    """
    places = sorted(set(corrections))
    if frames < 1 or any(not 0 <= place < frames for place in places):
        raise ValueError(
            f'corrections in frames {places} of {frames}; allowed: 0 to the last, at least 1 frame'
        )
    stops = [0, *places, frames - 1]
    return [after - before for before, after in pairwise(stops)]


def noc(corrections: Sequence[Sequence[int]]) -> int:
    """Return NoC, the number of corrections over all objects.

    Parameters
    ----------
    corrections
        For each object its corrected frames; several in one frame are one.
    """
    return sum(len(set(frames)) for frames in corrections)


def idi(seconds: Sequence[float], corrections: Sequence[Sequence[int]]) -> float:
    """Return IDI, the mean time between interactions in seconds: ``T / (NoC + |O|)``.

    T is the time over which all objects were tracked; an object with n corrections has n + 1
    intervals, from its first frame to the end. Pooled over the objects.

    Parameters
    ----------
    seconds
        For each object the length of its life.
    corrections
        For each object its corrected frames.

    Raises
    ------
    ValueError
        If there is no object, or both arguments are not of one length.
    """
    if not seconds or len(seconds) != len(corrections):
        raise ValueError(
            f'{len(seconds)} lives and {len(corrections)} lists of corrections; allowed: one of '
            'each for every object, at least one object'
        )
    return sum(seconds) / (noc(corrections) + len(seconds))


def aci(frames: int, corrections: Sequence[int]) -> float:
    """Return ACI of one object: ``sum over gaps d of (L - d + 1) / L`` (Eq. 8).

    It equals ``n + (n + 2) / L`` for n corrections in L frames, wherever they fall. The tables of
    the paper show its mean over the objects.

    Parameters
    ----------
    frames
        Length of the object's life, L.
    corrections
        Corrected frames, counted from the object's first one.
    """
    gaps = correction_gaps(frames, corrections)
    return sum(frames - gap + 1 for gap in gaps) / frames


def check_masks(ground_truth: Mask, prediction: Mask) -> None:
    """Raise ValueError unless both are (H, W) bool masks of one size."""
    for name, mask in (('ground truth', ground_truth), ('prediction', prediction)):
        if mask.ndim != 2 or mask.dtype != np.bool_:
            raise ValueError(
                f'{name} is {mask.shape} of type {mask.dtype}; allowed: (H, W) of type bool'
            )
    if ground_truth.shape != prediction.shape:
        raise ValueError(
            f'ground truth is {ground_truth.shape} and prediction is {prediction.shape}; '
            'allowed: masks of one size'
        )
