"""Measure row after row; what is finished stays."""

from __future__ import annotations

from collections.abc import Callable
from collections.abc import Sequence
from typing import Any
from typing import Protocol
from typing import TypeVar

from lazy_vos_ros.evaluation.speed.pace import Pace
from lazy_vos_ros.evaluation.speed.pace import Timed
from lazy_vos_ros.evaluation.speed.results_file import ResultsFile
from lazy_vos_ros.evaluation.speed.results_file import Row


class Measurable(Timed, Protocol):
    """A row that stands in a file."""

    def record(self) -> dict[str, Any]:
        """Return it as it stands there."""
        ...


AnyCase = TypeVar('AnyCase', bound=Measurable)
OnFrame = Callable[[int], None]


def measure_rows(
    part: str,
    cases: Sequence[AnyCase],
    file: ResultsFile,
    measure: Callable[[AnyCase, OnFrame], dict[str, Any]],
    words: Callable[[Row], str],
) -> list[Row]:
    """Measure all cases that the file does not have yet; return the rows of all.

    A case that fails becomes a row that says why.

    Parameters
    ----------
    part
        Of the file.
    cases
        In the order in which they are measured.
    file
        Has each row as soon as it is measured.
    measure
        Returns the figures of a case; calls its second argument with the frames done so far.
    words
        Says a finished row in a line.
    """
    waiting = [case for case in cases if file.find(part, case.record()) is None]
    pace = Pace(waiting)
    try:
        for case in waiting:
            row: Row = {'case': case.record()}
            try:
                row['figures'] = measure(case, lambda done, case=case: pace.frame(case, done))
            except (ValueError, RuntimeError, OSError) as error:
                row['error'] = str(error)
            file.keep(part, row)
            pace.row(case, words(row))
    finally:
        pace.close()
    wanted = [case.record() for case in cases]
    return [row for row in file.rows(part) if row['case'] in wanted]
