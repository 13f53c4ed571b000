"""Measure row after row; what is finished stays."""

from __future__ import annotations

from collections.abc import Sequence

from lazy_vos_ros.evaluation.speed.case import Case
from lazy_vos_ros.evaluation.speed.pace import Pace
from lazy_vos_ros.evaluation.speed.process import CaseError
from lazy_vos_ros.evaluation.speed.process import measure_apart
from lazy_vos_ros.evaluation.speed.results_file import ResultsFile
from lazy_vos_ros.evaluation.speed.results_file import Row
from lazy_vos_ros.evaluation.speed.table import row_words

PART = 'step'


def measure_steps(cases: Sequence[Case], file: ResultsFile) -> list[Row]:
    """Measure all cases that the file does not have yet; return the rows of all.

    A case that fails becomes a row that says why.
    """
    waiting = [case for case in cases if file.find(PART, case.record()) is None]
    pace = Pace(waiting)
    try:
        for case in waiting:
            row = _measured(case, pace)
            file.keep(PART, row)
            pace.row(case, row_words(row))
    finally:
        pace.close()
    wanted = [case.record() for case in cases]
    return [row for row in file.rows(PART) if row['case'] in wanted]


def _measured(case: Case, pace: Pace) -> Row:
    try:
        figures = measure_apart(case, lambda done: pace.frame(case, done))
    except CaseError as error:
        return {'case': case.record(), 'error': str(error)}
    return {'case': case.record(), 'figures': figures}
