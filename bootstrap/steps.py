"""Steps of the set-up: each leaves a stamp, so that a later call goes on where one stopped."""

import hashlib
from collections.abc import Callable
from collections.abc import Iterable
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from bootstrap.commands import Commands
from bootstrap.console import Console
from bootstrap.errors import SetupError
from bootstrap.layout import Layout


@dataclass(frozen=True)
class Step:
    """One step: `run` does it and returns a few words on what came of it.

    It is done when its stamp holds `fingerprint()`, which covers everything it depends on, and
    `intact()` does not object.
    """

    name: str
    title: str
    fingerprint: Callable[[], str]
    run: Callable[[Commands], str]
    intact: Callable[[], bool] = lambda: True
    advice: str = ''


class Stamps:
    """The finished steps, one small file each."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder

    def done(self, step: Step) -> bool:
        """Whether the step was finished with the inputs of today."""
        try:
            stamp = (self._folder / step.name).read_text()
        except OSError:
            return False
        return stamp == step.fingerprint() and step.intact()

    def mark(self, step: Step) -> None:
        """Note that the step is finished; the file appears whole or not at all."""
        self._folder.mkdir(parents=True, exist_ok=True)
        unfinished = self._folder / f'.{step.name}'
        unfinished.write_text(step.fingerprint())
        unfinished.replace(self._folder / step.name)

    def forget(self, step: Step) -> None:
        """Note that the step is no longer finished."""
        (self._folder / step.name).unlink(missing_ok=True)


def fingerprint(*parts: str | Path) -> str:
    """Return a hash over texts, files and folders (names and contents)."""
    digest = hashlib.sha256()
    for part in parts:
        for piece in _pieces(part):
            digest.update(len(piece).to_bytes(8, 'little') + piece)
    return digest.hexdigest()


def _pieces(part: str | Path) -> Iterable[bytes]:
    if isinstance(part, str):
        yield part.encode()
    elif part.is_dir():
        for path in sorted(path for path in part.rglob('*') if path.is_file()):
            yield str(path.relative_to(part)).encode()
            yield path.read_bytes()
    else:
        yield part.read_bytes()


def unfinished(steps: Sequence[Step], stamps: Stamps) -> bool:
    """Whether any step is still to be done."""
    return not all(stamps.done(step) for step in steps)


def run_steps(
    steps: Sequence[Step],
    layout: Layout,
    console: Console,
    lock_descriptor: int | None = None,
) -> None:
    """Do every step that is not done yet, in order.

    :raises SetupError: a step failed; the message names it and its log.
    """
    stamps = Stamps(layout.stamps)
    for number, step in enumerate(steps, start=1):
        console.begin(number, len(steps), step.title)
        if stamps.done(step):
            console.end('done before')
            continue
        stamps.forget(step)
        log = layout.logs / f'{step.name}.log'
        commands = Commands(log, console.progress, lock_descriptor)
        try:
            outcome = step.run(commands)
        except SetupError as error:
            console.end('FAILED')
            raise _failure(error, step, number, len(steps), commands) from error
        stamps.mark(step)
        console.end(outcome)


def _failure(
    error: SetupError, step: Step, number: int, count: int, commands: Commands
) -> SetupError:
    lines = [line for line in commands.text().splitlines() if line.strip()]
    lines = [line for line in lines if not line.startswith('WARNING')]
    shown = ''.join(f'    | {line[:200]}\n' for line in lines[-8:])
    message = f'step {number} of {count} ({step.title}) failed: {error}\n{shown}'
    message += f'    the whole log: {commands.log}'
    advice = error.advice or step.advice
    again = 'Call ./lazy-vos again to go on at this step.'
    return SetupError(message, f'{advice} {again}'.strip())
