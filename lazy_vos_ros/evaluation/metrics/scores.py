"""Scores of one object over its frames: which frames count, their mean, and R@tau (Eq. 7)."""

from collections.abc import Sequence
from statistics import fmean

RECALL_THRESHOLDS = (0.1, 0.25, 0.5)


def first_appearance(present: Sequence[bool]) -> int:
    """Return the first frame in which the object is in the ground truth.

    The object's life, and with it every score, begins there.

    Parameters
    ----------
    present
        For each frame of the video whether the true mask has a pixel of the object.

    Raises
    ------
    ValueError
        If it is absent in all frames: such an object has no score.
    """
    for frame, there in enumerate(present):
        if there:
            return frame
    raise ValueError(
        f'the object is absent in all {len(present)} frames; allowed: an object with at least '
        'one annotated pixel'
    )


def scored_frames(
    scores: Sequence[float],
    *,
    skip_first: bool = True,
    skip_last: bool = False,
    present: Sequence[bool] | None = None,
) -> list[float]:
    """Return those of one object's scores that count.

    Parameters
    ----------
    scores
        One score (J, F or their mean) in [0, 1] a frame, from the object's first frame on.
    skip_first
        Leave out the first frame, whose mask was given. Default.
    skip_last
        Leave out the last frame as well, as the DAVIS tools do.
    present
        For each score whether the object is in the true mask; given, the frames without it do
        not count. None: they count, with 1 where nothing is predicted either, else 0.

    Raises
    ------
    ValueError
        If a score is NaN or outside of [0, 1], `present` has another length, or no frame is
        left.
    """
    if present is not None and len(present) != len(scores):
        raise ValueError(
            f'{len(scores)} scores and {len(present)} marks of presence; allowed: one for each'
        )
    for frame, score in enumerate(scores):
        if not 0 <= score <= 1:  # a NaN is refused here too
            raise ValueError(f'score of frame {frame} is {score}; allowed: 0 to 1')
    kept = range(int(skip_first), len(scores) - int(skip_last))
    chosen = [scores[frame] for frame in kept if present is None or present[frame]]
    if not chosen:
        raise ValueError(
            f'none of {len(scores)} frames is left to score; allowed: at least one that is not '
            'skipped' + ('' if present is None else ' and in which the object is present')
        )
    return chosen


def mean_over_frames(
    scores: Sequence[float],
    *,
    skip_first: bool = True,
    skip_last: bool = False,
    present: Sequence[bool] | None = None,
) -> float:
    """Return the mean of one object's scores.

    Parameters
    ----------
    scores, skip_first, skip_last, present
        As in :func:`scored_frames`.

    Raises
    ------
    ValueError
        As :func:`scored_frames`.
    """
    return fmean(
        scored_frames(scores, skip_first=skip_first, skip_last=skip_last, present=present)
    )


def recall_at(
    ious: Sequence[float],
    tau: float,
    *,
    skip_first: bool = True,
    skip_last: bool = False,
    present: Sequence[bool] | None = None,
) -> float:
    """Return R@tau of one object: the part of its frames with ``IoU >= tau`` (Eq. 7).

    Parameters
    ----------
    ious
        J of every frame from the object's first one on.
    tau
        Threshold in (0, 1].
    skip_first, skip_last, present
        Which frames count, as in :func:`scored_frames`.

    Raises
    ------
    ValueError
        If tau is not in (0, 1]; and those of :func:`scored_frames`.
    """
    if not 0 < tau <= 1:
        raise ValueError(f'tau is {tau}; allowed: above 0, at most 1')
    counted = scored_frames(ious, skip_first=skip_first, skip_last=skip_last, present=present)
    return sum(iou >= tau for iou in counted) / len(counted)
