"""One fault, as the table of docs/reliability.md tells it."""

from collections.abc import Callable
from collections.abc import Sequence
from dataclasses import dataclass
from statistics import median


class WrongError(AssertionError):
    """A fault was not survived as it should be; the message says what was seen."""


@dataclass(frozen=True)
class Row:
    """What was made, and what was seen."""

    fault: str
    made: str
    """How the fault is made."""
    does: str
    """What the node does, as far as it was checked."""
    seconds: tuple[float, ...]
    """Until masks flow again, each time that it was made."""
    log: str = ''
    """The line that was logged, once."""
    level: str = ''
    """Of /diagnostics, with its message."""
    events: str = ''
    """Kinds of correction events."""
    lost: str = 'nothing'
    flow: str = 'they never stop'
    """What is said where there are no seconds."""

    def markdown(self) -> str:
        """Return it as a row of a table."""
        seen = [
            f'log: `{self.log}`' if self.log else '',
            f'diagnostics: {self.level}' if self.level else '',
            f'event: {self.events}' if self.events else '',
        ]
        cells = (
            self.fault,
            self.made,
            self.does,
            times(self.seconds) if self.seconds else self.flow,
            '<br>'.join(filter(None, seen)) or 'nothing',
            self.lost,
        )
        return '| ' + ' | '.join(cell.replace('|', '\\|') for cell in cells) + ' |'


HEADER = """\
| fault | how it is made | what the node does | masks flow again after | what an operator sees | what is lost |
|---|---|---|---|---|---|"""  # noqa: E501


def times(seconds: Sequence[float]) -> str:
    """Return durations in words."""
    if len(seconds) == 1:
        return f'{seconds[0]:.2f} s'
    return f'{median(seconds):.2f} s (median of {len(seconds)}; longest {max(seconds):.2f} s)'


def check(condition: object, what: str) -> None:
    """Raise WrongError unless a condition holds."""
    if not condition:
        raise WrongError(what)


Scenario = Callable[..., Row]
