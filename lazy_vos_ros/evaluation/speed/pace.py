"""How far a measurement is, and how long it will still take."""

from __future__ import annotations

from collections.abc import Callable
from collections.abc import Sequence
from time import monotonic
from typing import Any

from tqdm import tqdm

from lazy_vos_ros.evaluation.benchmark.progress import duration
from lazy_vos_ros.evaluation.speed.case import Case

START_UP = 6.0
"""Seconds of a row apart from its frames."""

NANOSECONDS_PER_PIXEL = {'compact': 800.0}
"""Of one object's step; a rough figure of two cores, of which only the ratios matter."""
OTHERS_PER_PIXEL = 4000.0
EACH_OBJECT_MORE = 0.3
"""Part of the step of one object that each further one adds."""


def expected_seconds(case: Case) -> float:
    """Return roughly how long a case takes on two cores."""
    pixels = case.size * case.size * case.width / case.height
    each = NANOSECONDS_PER_PIXEL.get(case.weights, OTHERS_PER_PIXEL) * 1e-9
    step = each * pixels * (1 + EACH_OBJECT_MORE * (case.objects - 1))
    frames = case.frames * step
    return START_UP + (min(frames, case.seconds) if case.seconds else frames)


class Pace:
    """A bar where somebody looks, and one line for each finished row everywhere."""

    def __init__(self, cases: Sequence[Case], *, clock: Callable[[], float] = monotonic) -> None:
        """Begin with these rows to measure."""
        self._clock = clock
        self._begin = clock()
        self._rows = len(cases)
        self._finished = 0
        self._done = 0.0
        self._within = 0.0
        self._total = sum(expected_seconds(case) for case in cases)
        # disable=None: no bar where the output goes into a file.
        self._bar: Any = tqdm(
            total=100,
            disable=None,
            leave=False,
            bar_format='{desc} |{bar}| {n:.0f} %',
        )

    def frame(self, case: Case, done: int) -> None:
        """Note how many frames of a row are measured."""
        self._within = expected_seconds(case) * min(1.0, done / case.frames)
        self._bar.set_description_str(f'{case.words}, frame {done}{self.left}', refresh=False)
        self._show()

    def row(self, case: Case, words: str) -> None:
        """Count a finished row and print what came of it."""
        self._finished += 1
        self._done += expected_seconds(case)
        self._within = 0.0
        self._bar.write(f'{words} ({self._finished} of {self._rows}{self.left})')
        self._show()

    @property
    def left(self) -> str:
        """How long it will still take, in words; empty at the start and at the end."""
        done = self._done + self._within
        if done <= 0 or self._finished == self._rows:
            return ''
        spent = self._clock() - self._begin
        return f', about {duration(spent / done * (self._total - done))} left'

    def close(self) -> None:
        """Remove the bar."""
        self._bar.close()

    def _show(self) -> None:
        self._bar.n = 100 * min(1.0, (self._done + self._within) / self._total)
        self._bar.refresh()
