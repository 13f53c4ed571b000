"""How often somebody may do something."""

from collections import OrderedDict
from collections.abc import Callable
from dataclasses import dataclass
from time import monotonic

MOST_KEYS = 1024


@dataclass(frozen=True)
class Limit:
    """So many at once, and so many a second later on."""

    burst: float
    per_second: float


class Bucket:
    """Holds the turns that are left."""

    def __init__(self, limit: Limit, clock: Callable[[], float] = monotonic) -> None:
        self._limit = limit
        self._clock = clock
        self._left = limit.burst
        self._at = clock()

    @property
    def left(self) -> float:
        """The turns that are left now."""
        now = self._clock()
        more = (now - self._at) * self._limit.per_second
        self._left, self._at = min(self._limit.burst, self._left + more), now
        return self._left

    def take(self) -> bool:
        """Take a turn if one is left."""
        if self.left < 1.0:
            return False
        self._left -= 1.0
        return True


class Buckets:
    """A bucket for each address; those not used for longest are forgotten."""

    def __init__(self, limit: Limit, clock: Callable[[], float] = monotonic) -> None:
        self._limit = limit
        self._clock = clock
        self._buckets: OrderedDict[str, Bucket] = OrderedDict()

    def __len__(self) -> int:
        return len(self._buckets)

    def of(self, key: str) -> Bucket:
        """Return the bucket of a key."""
        bucket = self._buckets.get(key)
        if bucket is None:
            bucket = self._buckets[key] = Bucket(self._limit, self._clock)
        self._buckets.move_to_end(key)
        while len(self._buckets) > MOST_KEYS:
            self._buckets.popitem(last=False)
        return bucket
