"""What /diagnostics says about all nodes, for the operator's views."""

from collections.abc import Callable
from dataclasses import dataclass

from diagnostic_msgs.msg import DiagnosticArray
from diagnostic_msgs.msg import DiagnosticStatus

from lazy_vos_ros.nodes.operator_desk import OperatorDesk
from lazy_vos_ros.nodes.operator_view import HealthLine
from lazy_vos_ros.nodes.operator_view import Level

SILENT_AFTER = 5.0
"""Seconds without a report after which nobody knows how the part is."""
FORGOTTEN_AFTER = 60.0
"""Seconds after which it is not shown any more."""
MOST_LINES = 64
LONGEST_TEXT = 200

_LEVELS = {
    DiagnosticStatus.OK: Level.OK,
    DiagnosticStatus.WARN: Level.WARNING,
    DiagnosticStatus.ERROR: Level.ERROR,
    DiagnosticStatus.STALE: Level.SILENT,
}


@dataclass(frozen=True)
class _Report:
    line: HealthLine
    at: float


class OperatorHealth:
    """Keeps the newest status of each name, and tells the desk when one has changed.

    Parameters
    ----------
    desk
        Is told.
    now
        Seconds; anything that does not go backwards.
    """

    def __init__(self, desk: OperatorDesk, now: Callable[[], float]) -> None:
        self._desk = desk
        self._now = now
        self._reports: dict[str, _Report] = {}

    def take(self, message: DiagnosticArray) -> None:
        """Take a report of any node in; what is too much is left out."""
        for status in message.status:
            name = status.name[:LONGEST_TEXT]
            if name not in self._reports and len(self._reports) >= MOST_LINES:
                continue
            level = _LEVELS.get(status.level, Level.ERROR)
            line = HealthLine(name, level, status.message[:LONGEST_TEXT])
            self._reports[name] = _Report(line, self._now())
        self.look()

    def look(self) -> None:
        """Let the desk show how all parts are now."""
        now = self._now()
        self._reports = {
            name: item for name, item in self._reports.items() if now - item.at < FORGOTTEN_AFTER
        }
        lines = (_as_of(item, now) for item in self._reports.values())
        self._desk.put_health(
            tuple(sorted(lines, key=lambda line: (-line.level.value, line.name)))
        )


def _as_of(report: _Report, now: float) -> HealthLine:
    if now - report.at < SILENT_AFTER:
        return report.line
    return HealthLine(report.line.name, Level.SILENT, f'no report; before: {report.line.message}')
