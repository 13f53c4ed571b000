"""Values of a file that is not trusted."""

from math import isfinite
from typing import Any


def finite(value: Any) -> float:
    """Return a finite number; ValueError if it is none."""
    if isinstance(value, bool) or not isinstance(value, int | float) or not isfinite(value):
        raise ValueError(f'{value!r} is no finite number')
    return float(value)


def count(value: Any) -> int:
    """Return a whole number of at least 0 that fits into 63 bits; ValueError if it is none."""
    if isinstance(value, bool) or not isinstance(value, int) or not 0 <= value < 2**63:
        raise ValueError(f'{value!r} is no whole number of at least 0')
    return value


def flag(value: Any) -> bool:
    """Return true or false; ValueError if it is neither."""
    if not isinstance(value, bool):
        raise ValueError(f'{value!r} is neither true nor false')
    return value
