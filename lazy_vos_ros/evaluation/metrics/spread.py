"""How the corrections of an object are spread over time, which IDI and ACI do not tell.

IDI is a mean and ACI a count: ten corrections in one second and ten over ten minutes give the
same. These two measures look at the gaps themselves.
"""

from collections.abc import Sequence
from math import isfinite
from statistics import median

QUICK_SECONDS = 1.0
"""Below this a correction comes before a person could look at anything else."""


def median_gap(gaps: Sequence[Sequence[float]]) -> float:
    """Return the median time between interactions in seconds.

    The gaps are those whose mean IDI is: pooled over the objects, from an object's first frame
    over its corrections to its end. With evenly spread corrections it is near to IDI; where they
    come in bursts it falls to the gap within a burst.

    Parameters
    ----------
    gaps
        For each object its gaps in seconds: :func:`correction_gaps` divided by the frame rate,
        or differences of time stamps.

    Raises
    ------
    ValueError
        If there is no object, an object has no gap, or a gap is negative or not finite.
    """
    check_gaps(gaps)
    return median(gap for row in gaps for gap in row)


def quick_share(gaps: Sequence[Sequence[float]], limit: float = QUICK_SECONDS) -> float:
    """Return the part of the corrections that came within `limit` seconds of the one before.

    The first correction of an object is compared with the object's first frame, whose click is
    an interaction too; the gap to the end of the video is none of a correction and is left out.
    0 if nothing was corrected.

    Parameters
    ----------
    gaps
        As of :func:`median_gap`.
    limit
        Seconds; a gap counts if it is shorter.

    Raises
    ------
    ValueError
        As of :func:`median_gap`, or if the limit is not above 0.
    """
    check_gaps(gaps)
    if not (isfinite(limit) and limit > 0):
        raise ValueError(f'limit is {limit} s; allowed: a number above 0')
    before_corrections = [gap for row in gaps for gap in row[:-1]]
    if not before_corrections:
        return 0.0
    return sum(gap < limit for gap in before_corrections) / len(before_corrections)


def check_gaps(gaps: Sequence[Sequence[float]]) -> None:
    """Raise ValueError unless every object has gaps and all are finite and not negative."""
    if not gaps or not all(gaps):
        raise ValueError(
            f'{len(gaps)} objects, of which {sum(not row for row in gaps)} have no gap; allowed: '
            'at least one object, each with one gap more than corrections'
        )
    for row in gaps:
        for gap in row:
            if not (isfinite(gap) and gap >= 0):
                raise ValueError(f'a gap is {gap} s; allowed: a finite number from 0')
