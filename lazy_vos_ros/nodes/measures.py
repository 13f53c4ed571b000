"""Rates and times of the last seconds, for /diagnostics."""

import re
from collections import Counter
from collections import deque
from math import nan
from threading import Lock
from time import monotonic

import numpy as np

WINDOW = 300
"""Newest values that a figure is made of."""

KINDS = 32
"""Kinds of faults that are told apart."""

KIND_LENGTH = 80
"""Characters by which a kind of fault is named."""


class Rate:
    """How often something happened per second, over the last seconds; thread-safe."""

    def __init__(self, seconds: float = 5.0) -> None:
        self._seconds = seconds
        self._times: deque[float] = deque(maxlen=2000)
        self._started = monotonic()
        self._count = 0

    @property
    def count(self) -> int:
        """How often it happened at all."""
        return self._count

    def tick(self) -> None:
        """Note that it happened now."""
        self._count += 1
        self._times.append(monotonic())

    @property
    def age(self) -> float:
        """Seconds since it happened last, or since the start."""
        return monotonic() - (self._times[-1] if self._times else self._started)

    @property
    def per_second(self) -> float:
        """Mean rate over the last seconds."""
        now = monotonic()
        recent = sum(now - then <= self._seconds for then in tuple(self._times))
        return recent / max(0.5, min(self._seconds, now - self._started))


class Latency:
    """Percentiles of the newest durations."""

    def __init__(self) -> None:
        self._values: deque[float] = deque(maxlen=WINDOW)

    def add(self, seconds: float) -> None:
        """Note a duration."""
        self._values.append(seconds)

    def percentile(self, percent: float) -> float:
        """Return a percentile in seconds; NaN without values."""
        values = tuple(self._values)
        return float(np.percentile(values, percent)) if values else nan


class Faults:
    """Counts faults by kind, so that each kind is logged once; thread-safe.

    Faults whose words differ in numbers only are of one kind.
    """

    def __init__(self) -> None:
        self._lock = Lock()
        self._counts: Counter[str] = Counter()
        self.last = ''
        """The newest fault in words."""

    def note(self, words: str) -> bool:
        """Count a fault; return whether it is the first of its kind."""
        kind = re.sub(r'[0-9]+', '#', words)[:KIND_LENGTH]
        with self._lock:
            if kind not in self._counts and len(self._counts) >= KINDS:
                kind = 'other'
            self.last = words
            self._counts[kind] += 1
            return self._counts[kind] == 1

    @property
    def total(self) -> int:
        """Faults of all kinds."""
        with self._lock:
            return sum(self._counts.values())

    @property
    def counts(self) -> dict[str, int]:
        """Faults by kind."""
        with self._lock:
            return dict(self._counts)
