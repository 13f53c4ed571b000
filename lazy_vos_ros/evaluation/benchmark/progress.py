"""How far a benchmark is, and how long it will still take."""

from __future__ import annotations

from collections.abc import Callable
from time import monotonic
from typing import Any

from tqdm import tqdm


class Progress:
    """A bar where somebody looks, and one line for each finished sequence everywhere."""

    def __init__(
        self, frames: int, sequences: int, *, clock: Callable[[], float] = monotonic
    ) -> None:
        """Begin with so many frames and sequences to track."""
        self._frames = frames
        self._sequences = sequences
        self._clock = clock
        self._begin = clock()
        self._done_frames = 0
        self._done_sequences = 0
        self._seen = 0
        # disable=None: no bar where the output goes into a file.
        self._bar: Any = tqdm(total=frames, unit='frame', disable=None, dynamic_ncols=True)

    def frame(self) -> None:
        """Count one frame of a sequence that runs in this process."""
        self._seen += 1
        self._bar.update(1)

    def sequence(self, text: str, frames: int) -> None:
        """Count one finished sequence of so many frames and print what came of it."""
        self._bar.update(frames - min(frames, self._seen))
        self._seen = 0
        self._done_frames += frames
        self._done_sequences += 1
        self.say(f'{text} ({self._done_sequences} of {self._sequences}{self._left()})')

    def say(self, text: str) -> None:
        """Print a line without breaking the bar."""
        self._bar.write(text)

    def close(self) -> None:
        """Remove the bar."""
        self._bar.close()

    def _left(self) -> str:
        left = self._frames - self._done_frames
        if left <= 0 or self._done_frames == 0:
            return ''
        seconds = (self._clock() - self._begin) / self._done_frames * left
        return f', about {duration(seconds)} left'


def duration(seconds: float) -> str:
    """Return seconds as people say them, such as 45 s, 12 min or 3.5 h."""
    if seconds < 90:
        return f'{seconds:.0f} s'
    if seconds < 5400:
        return f'{seconds / 60:.0f} min'
    return f'{seconds / 3600:.1f} h'
