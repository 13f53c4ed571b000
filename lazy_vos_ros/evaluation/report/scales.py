"""From data to places on a chart, with a bounded number of points."""

from __future__ import annotations

from dataclasses import dataclass
from math import ceil
from math import floor
from math import isfinite
from math import log10

import numpy as np
import numpy.typing as npt

Floats = npt.NDArray[np.float64]


@dataclass(frozen=True)
class Scale:
    """A straight axis."""

    low: float
    high: float
    """Values at both ends; they differ."""
    first: float
    last: float
    """Where these are drawn."""

    def __call__(self, value: float) -> float:
        """Return where a value is drawn; values beyond the ends stay at them."""
        part = (value - self.low) / (self.high - self.low)
        return self.first + min(max(part, 0.0), 1.0) * (self.last - self.first)


def ticks(low: float, high: float, most: int) -> list[float]:
    """Return round values between two, at most `most` (at least 2) and evenly spaced."""
    least = (high - low) / max(most, 1)
    power = 10.0 ** floor(log10(least))
    step = next(power * factor for factor in (1, 2, 5, 10) if power * factor >= least * (1 - 1e-9))
    count = range(ceil(low / step - 1e-9), floor(high / step + 1e-9) + 1)
    return [round(index * step, 12) for index in count]


def clock_ticks(span: float, most: int) -> list[float]:
    """Return round times from 0 to `span` seconds; those of long spans are whole minutes."""
    if span < 180:
        return ticks(0.0, span, most)
    steps = [15, 30, 60, 120, 300, 600, 900, 1800, 3600, 7200, 14400, 43200, 86400]
    step = next((step for step in steps if span / step <= most), None)
    if step is None:
        return ticks(0.0, span, most)
    return [float(time) for time in range(0, int(span) + 1, step)]


def finite(values: Floats, otherwise: float = 0.0) -> tuple[float, float]:
    """Return the least and the largest finite value; `otherwise` where there is none."""
    good = values[np.isfinite(values)]
    return (float(good.min()), float(good.max())) if good.size else (otherwise, otherwise)


def envelope(times: Floats, values: Floats, columns: int) -> tuple[Floats, Floats]:
    """Return a curve that looks the same in `columns` columns of pixels, peaks included.

    Of each column the least and the largest value are kept; a curve of at most two points a
    column is returned as it is. Values that are not finite are kept only there.
    """
    if len(times) <= 2 * columns:
        return times, values
    kept: list[int] = []
    for indices in np.array_split(np.arange(len(times)), columns):
        good = indices[np.isfinite(values[indices])]
        if good.size:
            kept += sorted({int(good[values[good].argmin()]), int(good[values[good].argmax()])})
    return times[kept], values[kept]


def strongest(values: Floats, most: int) -> npt.NDArray[np.intp]:
    """Return at most `most` indices, ascending: of equal stretches that of the largest value."""
    if len(values) <= most:
        return np.arange(len(values))
    heights = np.where(np.isfinite(values), values, -np.inf)
    stretches = np.array_split(np.arange(len(values)), most)
    return np.array([indices[heights[indices].argmax()] for indices in stretches])


def apart(places: list[float], least: float, low: float, high: float) -> list[float]:
    """Move descending or equal places apart by at least `least`, within `low` to `high`.

    Order is kept. Where there is not room enough, the last ones stay at `high`.
    """
    order = sorted(range(len(places)), key=lambda index: places[index])
    moved = list(places)
    below = low - least
    for index in order:
        moved[index] = below = max(moved[index], below + least)
    above = high + least
    for index in reversed(order):
        moved[index] = above = min(moved[index], above - least)
    return [place if isfinite(place) else low for place in moved]
