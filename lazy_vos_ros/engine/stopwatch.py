"""Where the time of a frame goes."""

from collections.abc import Callable
from functools import partial
from time import perf_counter
from typing import Any

import torch

from lazy_vos_ros.engine.results import Timings

_PARTS = ('predict', 'lazy', 'refine', 'commit')


class Stopwatch:
    """Splits the time of one frame among its parts.

    On a GPU a lap only marks its place in the queue of work, so that nobody waits for it; the
    marks are read by :meth:`timings`, which waits for the last of them. A part's time is then
    what passed until the GPU had done its work.
    """

    def __init__(self, device: torch.device) -> None:
        gpu = device.type == 'cuda'
        self._mark: Callable[[], Any] = partial(_gpu_mark, device) if gpu else perf_counter
        self._seconds = _gpu_seconds if gpu else _seconds
        self._laps: list[tuple[str, Any, Any]] = []
        self._since = self._mark()

    def lap(self, part: str) -> None:
        """Add the time since the last lap to this part: predict, lazy, refine or commit."""
        if part not in _PARTS:
            raise KeyError(part)
        now = self._mark()
        self._laps.append((part, self._since, now))
        self._since = now

    def skip(self) -> None:
        """Leave the time since the last lap out (a person's time)."""
        self._since = self._mark()

    def timings(self) -> Timings:
        """Return the seconds of each part."""
        seconds = dict.fromkeys(_PARTS, 0.0)
        for part, since, now in self._laps:
            seconds[part] += self._seconds(since, now)
        return Timings(**seconds)


def _seconds(since: float, now: float) -> float:
    return now - since


def _gpu_mark(device: torch.device) -> torch.cuda.Event:
    event = torch.cuda.Event(enable_timing=True)  # type: ignore[no-untyped-call]
    event.record(torch.cuda.current_stream(device))
    return event


def _gpu_seconds(since: torch.cuda.Event, now: torch.cuda.Event) -> float:
    now.synchronize()
    return float(since.elapsed_time(now)) / 1e3
