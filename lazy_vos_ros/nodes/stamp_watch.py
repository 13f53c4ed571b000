"""Whether the stamps of the images make sense: they should be there, and go forwards."""

from collections.abc import Callable
from time import monotonic

from builtin_interfaces.msg import Time

from lazy_vos_ros.nodes.stream_clock import NANOSECONDS
from lazy_vos_ros.nodes.stream_clock import nanoseconds

REMEMBERED = 10.0
"""Seconds for which an odd stamp is shown."""


class StampWatch:
    """Judges each stamp by the one before; used by one thread.

    Images with odd stamps are tracked all the same. What suffers is told here, because nobody
    sees it from the masks: a click on an earlier image finds one of the same stamp, and the times
    of questions go by the stamps.
    """

    def __init__(self, clock: Callable[[], float] = monotonic) -> None:
        self._clock = clock
        self._last: int | None = None
        self._odd = ''
        self._at = float('-inf')

    def note(self, stamp: Time) -> str:
        """Take the stamp of the next image; return what is odd about it, or nothing."""
        now, last = nanoseconds(stamp), self._last
        self._last = now
        words = _oddity(now, last)
        if words:
            self._odd, self._at = words, self._clock()
        return words

    def look(self) -> str:
        """Return what was odd in the last seconds, or nothing."""
        return self._odd if self._clock() - self._at < REMEMBERED else ''


def _oddity(now: int, last: int | None) -> str:
    if now == 0:
        return 'image stamps are zero'
    if last is None or now > last:
        return ''
    if now == last:
        return 'image stamps repeat'
    return f'image stamps went back by {(last - now) / NANOSECONDS:.3f} s'
