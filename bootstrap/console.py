"""What the person at the terminal sees of a step: number, title, progress, time."""

import sys
import time
from typing import TextIO

HEARTBEAT = 15.0  # seconds between two lines of progress where lines cannot be rewritten


class Console:
    """Print one line a step, rewritten while it runs on a terminal."""

    def __init__(self, stream: TextIO | None = None) -> None:
        self.stream = sys.stderr if stream is None else stream
        self._terminal = self.stream.isatty()
        self._line = ''
        self._started = self._spoken = time.monotonic()

    def say(self, text: str) -> None:
        """Print a line of its own."""
        print(f'lazy-vos: {text}', file=self.stream, flush=True)

    def begin(self, number: int, count: int, title: str) -> None:
        """Start the line of step `number` of `count`."""
        self._line = f'[{number}/{count}] {title}'
        self._started = self._spoken = time.monotonic()
        self._write(f'{self._line} ...', final=not self._terminal)

    def progress(self, text: str) -> None:
        """Show how far the step has come."""
        now = time.monotonic()
        pause = 0.2 if self._terminal else HEARTBEAT
        if now - self._spoken >= pause:
            self._spoken = now
            shown = f'{self._line} ... {text} ({now - self._started:.0f} s)'
            self._write(shown, final=not self._terminal)

    def end(self, outcome: str) -> None:
        """Finish the step's line with what came of it and the time it took."""
        taken = time.monotonic() - self._started
        self._write(f'{self._line}: {outcome} ({taken:.1f} s)', final=True)

    def _write(self, text: str, *, final: bool) -> None:
        start = '\r\x1b[K' if self._terminal else ''
        self.stream.write(start + text + ('\n' if final else ''))
        self.stream.flush()
