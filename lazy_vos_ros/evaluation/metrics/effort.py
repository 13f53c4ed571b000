"""What the masks cost the operator: NoC, IDI and ACI.

Follows the readings of Eq. 8 and Table 1 of the paper under which the printed numbers fit
together: a correction counts, the first click and an answer of 'skip' do not.
"""

from collections.abc import Sequence
from itertools import pairwise
from math import isfinite


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
        If there is no object, both arguments are not of one length, or a life is negative or
        not finite.
    """
    if not seconds or len(seconds) != len(corrections):
        raise ValueError(
            f'{len(seconds)} lives and {len(corrections)} lists of corrections; allowed: one of '
            'each for every object, at least one object'
        )
    for life in seconds:
        if not (isfinite(life) and life >= 0):
            raise ValueError(f'a life is {life} s; allowed: a finite number from 0')
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

    Raises
    ------
    ValueError
        If a correction lies outside of the object's life.
    """
    gaps = correction_gaps(frames, corrections)
    return sum(frames - gap + 1 for gap in gaps) / frames
