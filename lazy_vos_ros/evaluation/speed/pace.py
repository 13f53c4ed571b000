"""How far a measurement is, and how long it will still take."""

from __future__ import annotations

from collections.abc import Callable
from collections.abc import Sequence
from time import monotonic
from typing import Any
from typing import Protocol

from tqdm import tqdm

from lazy_vos_ros.evaluation.benchmark.progress import duration


class Timed(Protocol):
    """A row that can be announced."""

    @property
    def words(self) -> str:
        """The row for people."""
        ...

    @property
    def frames(self) -> int:
        """How many it has."""
        ...

    @property
    def expected(self) -> float:
        """Seconds that it takes, roughly; only the ratios between rows matter."""
        ...


class Pace:
    """A bar where somebody looks, and one line for each finished row everywhere."""

    def __init__(self, cases: Sequence[Timed], *, clock: Callable[[], float] = monotonic) -> None:
        """Begin with these rows to measure."""
        self._clock = clock
        self._begin = clock()
        self._rows = len(cases)
        self._finished = 0
        self._done = 0.0
        self._within = 0.0
        self._total = sum(case.expected for case in cases)
        # disable=None: no bar where the output goes into a file.
        self._bar: Any = tqdm(
            total=100,
            disable=None,
            leave=False,
            bar_format='{desc} |{bar}| {n:.0f} %',
        )

    def frame(self, case: Timed, done: int) -> None:
        """Note how many frames of a row are measured."""
        self._within = case.expected * min(1.0, done / case.frames)
        self._bar.set_description_str(f'{case.words}, frame {done}{self.left}', refresh=False)
        self._show()

    def row(self, case: Timed, words: str) -> None:
        """Count a finished row and print what came of it."""
        self._finished += 1
        self._done += case.expected
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
