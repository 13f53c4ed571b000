"""Stamps of messages as seconds of the stream, and back without loss."""

from builtin_interfaces.msg import Time

NANOSECONDS = 1_000_000_000


def nanoseconds(stamp: Time) -> int:
    """Return a stamp as a whole number of nanoseconds."""
    return int(stamp.sec) * NANOSECONDS + int(stamp.nanosec)


def time_message(total: int) -> Time:
    """Return nanoseconds as a stamp; what is before 1970 becomes zero."""
    seconds, rest = divmod(max(0, total), NANOSECONDS)
    return Time(sec=min(seconds, 2**31 - 1), nanosec=rest)


class StreamClock:
    """Seconds since the first image.

    A stamp of today in seconds since 1970 has no room for nanoseconds in a float; seconds since
    the start of the stream do, so that every stamp comes back exactly as it was.
    """

    def __init__(self) -> None:
        self._origin: int | None = None

    def seconds(self, stamp: Time) -> float:
        """Return the stream's time of a stamp; the first one asked for is 0."""
        now = nanoseconds(stamp)
        if self._origin is None:
            self._origin = now
        return (now - self._origin) / NANOSECONDS

    def stamp(self, seconds: float) -> Time:
        """Return the stamp of a time of the stream."""
        return time_message((self._origin or 0) + round(seconds * NANOSECONDS))
