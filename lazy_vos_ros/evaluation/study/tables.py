"""The study's numbers as CSV files and as a table for people."""

import csv
from collections.abc import Iterable
from collections.abc import Sequence
from pathlib import Path

from lazy_vos_ros.evaluation.study.correlations import Correlation
from lazy_vos_ros.evaluation.study.correlations import Quartiles
from lazy_vos_ros.evaluation.study.observations import Observation


def write_observations(path: Path, observations: Sequence[Observation]) -> None:
    """Write one line for each object, annotated frame and committee."""
    labels = list(dict.fromkeys(label for item in observations for label in item.values))
    write_rows(
        path,
        ['sequence', 'frame', 'object', 'committee', 'iou', 'present', 'predicted_px', *labels],
        (
            [
                item.sequence,
                item.frame,
                item.object_id,
                item.committee,
                number(item.iou),
                int(item.present),
                item.predicted,
                *(number(item.values.get(label)) for label in labels),
            ]
            for item in observations
        ),
    )


def write_correlations(path: Path, correlations: Sequence[Correlation]) -> None:
    """Write one line for each object, committee and measure."""
    write_rows(
        path,
        [
            *('sequence', 'object', 'committee', 'measure', 'dilation'),
            *('frames', 'mean_iou', 'rho', 'excluded'),
        ],
        (
            [
                item.sequence,
                item.object_id,
                item.committee,
                item.measure.name,
                number(item.measure.dilation),
                item.frames,
                number(item.mean_iou),
                number(item.rho),
                item.excluded,
            ]
            for item in correlations
        ),
    )


def write_summary(path: Path, rows: Sequence[Quartiles]) -> None:
    """Write one line for each committee and measure."""
    write_rows(
        path,
        [
            *('committee', 'measure', 'dilation', 'objects', 'excluded'),
            *('quartile_1', 'median', 'quartile_3'),
        ],
        (
            [
                row.committee,
                row.measure.name,
                number(row.measure.dilation),
                len(row.rhos),
                row.excluded.total(),
                *(number(value) for value in row.quartiles or (None, None, None)),
            ]
            for row in rows
        ),
    )


def table(rows: Sequence[Quartiles]) -> str:
    """Return the quartiles as lines of text."""
    head = (
        f'{"committee":<10}{"measure":<12}{"objects":>8}{"left out":>10}'
        f'{"quartile 1":>12}{"median":>9}{"quartile 3":>12}'
    )
    lines = [head]
    for row in rows:
        found = row.quartiles
        figures = (
            f'{"-":>12}{"-":>9}{"-":>12}'
            if found is None
            else f'{found[0]:>12.2f}{found[1]:>9.2f}{found[2]:>12.2f}'
        )
        lines.append(
            f'{row.committee:<10}{row.measure.label:<12}{len(row.rhos):>8}'
            f'{row.excluded.total():>10}{figures}'
        )
    return '\n'.join(lines)


def left_out(correlations: Sequence[Correlation]) -> list[str]:
    """Return a line for each object that has no correlation in some measure, and why."""
    measures = {(item.committee, item.measure) for item in correlations}
    without: dict[tuple[str, int, str], list[str]] = {}
    for item in correlations:
        if item.excluded:
            key = (item.sequence, item.object_id, item.excluded)
            without.setdefault(key, []).append(f'{item.committee} {item.measure.label}')
    return [
        f'{sequence} object {object_id}: {reason} '
        f'({"all measures" if len(names) == len(measures) else ", ".join(names)})'
        for (sequence, object_id, reason), names in without.items()
    ]


def write_rows(path: Path, head: Sequence[str], rows: Iterable[Sequence[object]]) -> None:
    """Write a CSV file with a line of names."""
    with path.open('w', newline='', encoding='utf-8') as file:
        writer = csv.writer(file)
        writer.writerow(head)
        writer.writerows(rows)


def number(value: float | None) -> str:
    """Return a number with 6 significant digits; empty for None."""
    return '' if value is None else f'{value:.6g}'
