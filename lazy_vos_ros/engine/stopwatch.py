"""Where the time of a frame goes."""

from time import perf_counter

import torch

from lazy_vos_ros.engine.results import Timings


class Stopwatch:
    """Splits the time of one frame among its parts.

    On a GPU it waits for the queued work at every lap, so that each part pays for its own.
    """

    def __init__(self, device: torch.device) -> None:
        self._device = device
        self._seconds = {'predict': 0.0, 'lazy': 0.0, 'refine': 0.0, 'commit': 0.0}
        self._since = perf_counter()

    def lap(self, part: str) -> None:
        """Add the time since the last lap to this part: predict, lazy, refine or commit."""
        if self._device.type == 'cuda':
            torch.cuda.synchronize(self._device)
        now = perf_counter()
        self._seconds[part] += now - self._since
        self._since = now

    def skip(self) -> None:
        """Leave the time since the last lap out (a person's time)."""
        self._since = perf_counter()

    def timings(self) -> Timings:
        """Return the seconds of each part."""
        return Timings(**self._seconds)
