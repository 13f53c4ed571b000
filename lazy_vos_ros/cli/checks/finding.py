"""One line of what `lazy-vos doctor` found."""

from dataclasses import dataclass
from enum import Enum


class Level(Enum):
    """How bad a finding is."""

    OK = 'ok'
    WARNING = 'warning'
    """It works, though not as well as it could, or something else may not."""
    PROBLEM = 'problem'
    """Something does not work until it is mended."""


@dataclass(frozen=True)
class Finding:
    """What is so, and how to mend it."""

    name: str
    """What was looked at, such as `weights`."""
    level: Level
    found: str
    mend: str = ''
    """What to do; empty where there is nothing to do."""


def ok(name: str, found: str) -> Finding:
    """Return a finding with which nothing is wrong."""
    return Finding(name, Level.OK, found)


def warning(name: str, found: str, mend: str) -> Finding:
    """Return a finding that should be looked at."""
    return Finding(name, Level.WARNING, found, mend)


def problem(name: str, found: str, mend: str) -> Finding:
    """Return a finding that must be mended."""
    return Finding(name, Level.PROBLEM, found, mend)
