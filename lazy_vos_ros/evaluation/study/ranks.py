"""Spearman's rank correlation."""

from collections.abc import Sequence

import numpy as np
import numpy.typing as npt


def average_ranks(values: Sequence[float]) -> npt.NDArray[np.float64]:
    """Return the rank of each value, from 1; equal values share the mean of their ranks.

    Raises
    ------
    ValueError
        If a value is not finite: it has no rank.
    """
    numbers = np.asarray(values, np.float64)
    if not np.isfinite(numbers).all():
        raise ValueError(
            f'{np.count_nonzero(~np.isfinite(numbers))} of {len(numbers)} values are NaN or '
            'infinite; allowed: finite numbers'
        )
    _, which, counts = np.unique(numbers, return_inverse=True, return_counts=True)
    last = np.cumsum(counts)
    ranks: npt.NDArray[np.float64] = ((2 * last - counts + 1) / 2)[which]
    return ranks


def spearman(one: Sequence[float], other: Sequence[float]) -> float | None:
    """Return the correlation of the ranks of two series, -1 to 1; None if one is constant.

    Raises
    ------
    ValueError
        If they differ in length or hold a value that is not finite.
    """
    if len(one) != len(other):
        raise ValueError(f'{len(one)} values and {len(other)}; allowed: series of one length')
    a, b = average_ranks(one), average_ranks(other)
    if len(a) == 0 or np.ptp(a) == 0 or np.ptp(b) == 0:
        return None
    a, b = a - a.mean(), b - b.mean()
    return float(np.clip((a @ b) / np.sqrt((a @ a) * (b @ b)), -1.0, 1.0))
