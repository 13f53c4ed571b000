"""The nodes of a graph as processes of this machine, watched and ended together."""

from __future__ import annotations

import signal
import subprocess
import sys
from collections.abc import Mapping
from pathlib import Path
from types import TracebackType

PATIENCE = 10.0
"""Seconds that a node has to end after a signal."""


class Child:
    """One node: `python -m lazy_vos_ros.nodes.MODULE` with parameters, its output in a file."""

    def __init__(self, module: str, parameters: Mapping[str, object], log: Path) -> None:
        self.module = module
        self.log = log
        arguments = ['--ros-args']
        for name, value in parameters.items():
            arguments += ['-p', f'{name}:={_yaml(value)}']
        with log.open('wb') as output:
            self._process = subprocess.Popen(
                [sys.executable, '-m', f'lazy_vos_ros.nodes.{module}', *arguments],
                stdin=subprocess.DEVNULL,
                stdout=output,
                stderr=subprocess.STDOUT,
                # Ctrl-C is for this program, which then ends the nodes in order.
                start_new_session=True,
            )

    @property
    def status(self) -> int | None:
        """Exit status, None while it runs."""
        return self._process.poll()

    def last_words(self, lines: int = 8) -> str:
        """Return the end of its output."""
        text = self.log.read_text(errors='replace').strip()
        return '\n'.join(text.splitlines()[-lines:]) or '(no output)'

    def end(self) -> int:
        """Ask it to end, then make it; return the exit status."""
        if self.status is None:
            self._process.send_signal(signal.SIGINT)
            try:
                return self._process.wait(PATIENCE)
            except subprocess.TimeoutExpired:
                self.kill()
        return self._process.wait()

    def kill(self) -> None:
        """Make it end now, if it still runs."""
        self._process.kill()


class Graph:
    """Several nodes; leaving the `with` block ends those that still run, the newest first."""

    def __init__(self, logs: Path) -> None:
        self._logs = logs
        self._children: list[Child] = []

    def start(self, module: str, **parameters: object) -> Child:
        """Start a node with these parameters."""
        child = Child(module, parameters, self._logs / f'{module}.log')
        self._children.append(child)
        return child

    def check(self, *, may_end: Child | None = None) -> None:
        """Raise RuntimeError with its last words if a node has died.

        `may_end` is allowed to have ended by itself with status 0.
        """
        for child in self._children:
            status = child.status
            if status is None or (child is may_end and status == 0):
                continue
            raise RuntimeError(
                f'the node {child.module} ended with status {status}; it said:\n'
                f'{child.last_words()}'
            )

    def __enter__(self) -> Graph:
        """Return itself."""
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        """End all nodes."""
        try:
            for child in reversed(self._children):
                child.end()
        finally:
            # Who presses Ctrl-C again while they end shall not leave any behind.
            for child in self._children:
                child.kill()


def _yaml(value: object) -> str:
    """Return a value as ROS reads it on the command line; text is quoted."""
    if isinstance(value, str):
        return "'" + value.replace("'", "''") + "'"
    return str(value).lower() if isinstance(value, bool) else str(value)
