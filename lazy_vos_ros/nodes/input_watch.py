"""Whether images come as they should: late, lost, back again."""

from collections.abc import Callable
from enum import Enum
from time import monotonic

LOST_FACTOR = 5.0
"""An input that is stale for this many times `stale_after` is lost."""
STEADY_FACTOR = 3.0
"""One that returns is fresh after this many times `stale_after` without a gap."""


class Freshness(Enum):
    """What is to be said about the images that come in."""

    FRESH = 'fresh'
    RETURNING = 'returning'
    """They come again, but not for long enough to rely on them."""
    STALE = 'stale'
    LOST = 'lost'


class InputWatch:
    """Judges the gaps between images; used by one thread.

    The judgement gets worse at once, and better only when images have come without a gap for a
    while: a camera that comes and goes does not make an alarm come and go.

    Parameters
    ----------
    stale_after
        Seconds between two images that are too many.
    clock
        Seconds.
    """

    def __init__(self, stale_after: float, clock: Callable[[], float] = monotonic) -> None:
        self.stale_after = stale_after
        self._clock = clock
        self._last = clock()
        self._returned: float | None = None

    def tick(self) -> None:
        """Note that an image has come."""
        now = self._clock()
        if now - self._last > self.stale_after:
            self._returned = now
        self._last = now

    def look(self) -> Freshness:
        """Return the judgement now."""
        now = self._clock()
        age = now - self._last
        if age > LOST_FACTOR * self.stale_after:
            return Freshness.LOST
        if age > self.stale_after:
            return Freshness.STALE
        if self._returned is not None:
            if now - self._returned < STEADY_FACTOR * self.stale_after:
                return Freshness.RETURNING
            self._returned = None
        return Freshness.FRESH
