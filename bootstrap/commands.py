"""Run the commands of a step: output into its log, progress onto the screen."""

import os
import subprocess
import time
from collections.abc import Callable
from collections.abc import Mapping
from collections.abc import Sequence
from pathlib import Path

from bootstrap.errors import SetupError

Progress = Callable[[str], str]  # from the log's text so far to a few words


def last_line(text: str) -> str:
    """Return the last line of a log that says something, shortened."""
    lines = [line.strip() for line in text.splitlines() if line.strip()]
    return lines[-1][:60] if lines else 'started'


class Commands:
    """Run commands for one step.

    A command inherits the descriptor of the set-up's lock: should this process be killed, the
    lock is held until the command has ended too, so that no second call works beside it.
    """

    def __init__(
        self, log: Path, show: Callable[[str], None], lock_descriptor: int | None = None
    ) -> None:
        self.log = log
        self._show = show
        self._keep = () if lock_descriptor is None else (lock_descriptor,)
        log.parent.mkdir(parents=True, exist_ok=True)
        log.write_text('')

    def run(
        self,
        command: Sequence[str | Path],
        *,
        env: Mapping[str, str] | None = None,
        cwd: Path | None = None,
        progress: Progress = last_line,
    ) -> None:
        """Run `command` and wait for it.

        :raises SetupError: it could not be started, or ended with another status than 0.
        """
        status = self.status(command, env=env, cwd=cwd, progress=progress)
        if status != 0:
            shown = ' '.join(str(part) for part in command)
            raise SetupError(f'status {status} from: {shown[:300]}')

    def status(
        self,
        command: Sequence[str | Path],
        *,
        env: Mapping[str, str] | None = None,
        cwd: Path | None = None,
        progress: Progress = last_line,
    ) -> int:
        """Run `command`, wait for it and return its exit status."""
        arguments = [os.fspath(part) for part in command]
        with self.log.open('a') as output:
            output.write(f'$ {" ".join(arguments)}\n')
            output.flush()
            start = self.log.stat().st_size
            try:
                process = subprocess.Popen(
                    arguments,
                    stdin=subprocess.DEVNULL,
                    stdout=output,
                    stderr=subprocess.STDOUT,
                    env=None if env is None else dict(env),
                    cwd=cwd,
                    pass_fds=self._keep,
                )
            except OSError as error:
                raise SetupError(f'{arguments[0]} cannot be started: {error}') from error
        return self._wait(process, start, progress)

    def _wait(self, process: 'subprocess.Popen[bytes]', start: int, progress: Progress) -> int:
        try:
            while process.poll() is None:
                self._show(progress(self.text(start)))
                time.sleep(0.1)
        finally:
            if process.poll() is None:
                process.terminate()
                process.wait()
        return process.returncode

    def text(self, start: int = 0) -> str:
        """Return the log from byte `start` on."""
        with self.log.open('rb') as log:
            log.seek(start)
            return log.read().decode(errors='replace')
