"""Measure a case in a process of its own: a fresh heap, and nothing else is lost if it dies."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
from collections.abc import Callable
from typing import Any

from lazy_vos_ros.engine.allocator import tune_allocator
from lazy_vos_ros.evaluation.speed.case import Case

THREAD_VARIABLES = ('OMP_NUM_THREADS', 'MKL_NUM_THREADS', 'OPENBLAS_NUM_THREADS')


class CaseError(RuntimeError):
    """A case that could not be measured; the message says why."""


def measure_apart(
    case: Case, on_frame: Callable[[int], None] = lambda done: None
) -> dict[str, Any]:
    """Return the figures of a case as :meth:`Figures.record` gives them.

    Raises
    ------
    CaseError
        If it cannot be measured; other cases may be.
    """
    process = subprocess.Popen(
        [sys.executable, '-m', __name__, json.dumps(case.record())],
        stdout=subprocess.PIPE,
        text=True,
        env={**os.environ, **dict.fromkeys(THREAD_VARIABLES, str(case.threads))},
    )
    message: dict[str, Any] = {}
    try:
        for line in process.stdout or ():
            message = _message(line) or message
            if 'frame' in message:
                on_frame(message['frame'])
    finally:
        if process.poll() is None and 'figures' not in message and 'error' not in message:
            process.terminate()
        status = process.wait()
    if 'figures' in message:
        figures: dict[str, Any] = message['figures']
        return figures
    raise CaseError(message.get('error') or _end(status))


def _message(line: str) -> dict[str, Any] | None:
    """Return what a line of the process says; None if a library wrote it."""
    try:
        found = json.loads(line)
    except ValueError:
        return None
    return found if isinstance(found, dict) else None


def _end(status: int) -> str:
    if status == -signal.SIGKILL:
        return 'its process was killed, probably for lack of memory'
    return f'its process ended with status {status}'


def main(text: str) -> int:
    """Measure the case that a JSON text names; tell how it goes in lines of JSON."""
    tune_allocator()
    from lazy_vos_ros.evaluation.speed.measure import measure

    def say(**message: Any) -> None:
        print(json.dumps(message), flush=True)

    try:
        figures = measure(Case.from_record(json.loads(text)), lambda done: say(frame=done))
    except KeyboardInterrupt:
        return 130
    except Exception as error:
        if os.environ.get('LAZY_VOS_TRACEBACK'):
            raise
        say(error=f'{type(error).__name__}: {error}')
        return 1
    say(figures=figures.record())
    return 0


if __name__ == '__main__':
    sys.exit(main(sys.argv[1]))
