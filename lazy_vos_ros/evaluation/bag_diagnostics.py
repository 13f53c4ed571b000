"""What the tracker said of itself in /diagnostics."""

from __future__ import annotations

from dataclasses import replace

from lazy_vos_ros.evaluation.bag_file import BagFile
from lazy_vos_ros.evaluation.runs import Diagnosis

DIAGNOSTICS = 'diagnostic_msgs/msg/DiagnosticArray'
LEVELS = {1: 'warn', 2: 'error', 3: 'stale'}
"""Of a DiagnosticStatus; 0 is OK."""


def read_diagnostics(bag: BagFile, node: str) -> tuple[dict[str, str], tuple[Diagnosis, ...]]:
    """Return the last values that a tracker told of itself, and what was not well.

    Parameters
    ----------
    bag
        With or without diagnostics.
    node
        Name of the tracker, such as `/robot/lazy_vos`.
    """
    settings: dict[str, str] = {}
    found: list[Diagnosis] = []
    newest: dict[str, int] = {}
    prefix = f'{node.lstrip("/")}: '
    for _, time, message in bag.messages(*bag.topics_of(DIAGNOSTICS)):
        for status in message.status:
            if not status.name.startswith(prefix):
                continue
            if status.name == f'{prefix}tracker':
                settings = {item.key: item.value for item in status.values}
            _take_in(found, newest, status.name, int(status.level), status.message, time)
    return settings, tuple(found)


def _take_in(
    found: list[Diagnosis],
    newest: dict[str, int],
    name: str,
    level: int,
    message: str,
    time: int,
) -> None:
    """Note a status that is not OK, or count it with the one before that said the same."""
    word = LEVELS.get(level)
    place = newest.pop(name, None)
    if word is None:
        return
    same = place is not None and (found[place].level, found[place].message) == (word, message)
    if place is not None and same:
        found[place] = replace(found[place], count=found[place].count + 1)
    else:
        place = len(found)
        found.append(Diagnosis(time * 1e-9, word, name, message))
    newest[name] = place
