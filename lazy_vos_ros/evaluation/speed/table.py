"""The rows for people."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from lazy_vos_ros.evaluation.speed.results_file import Row

HEAD = (
    'weights',
    'size',
    'image',
    'type',
    'obj',
    'plain ms p50/p95',
    'memory ms p50/p95',
    'floor ms',
    'fps',
    'lazy',
    'pseudo ms',
    'user ms',
    'peak MiB',
    'MiB after frames',
)


def step_table(rows: Sequence[Row]) -> str:
    """Return the rows of the part `step` as a table; those with errors below it."""
    good = [cells(row) for row in rows if 'figures' in row]
    texts = [aligned([HEAD, *good])] if good else []
    texts += [f'{case_words(row["case"])}: {row["error"]}' for row in rows if 'error' in row]
    return '\n'.join(texts)


def cells(row: Row) -> tuple[str, ...]:
    """Return the cells of one row."""
    case, figures = row['case'], row['figures']
    plain = figures['plain_ms'].get('p50', 0.0)
    return (
        case['weights'],
        str(case['size']),
        f'{case["width"]}x{case["height"]}',
        case['precision'],
        str(case['objects']),
        _percentiles(figures['plain_ms']),
        _percentiles(figures['memory_ms']),
        f'{figures["floor"]["ms"]:.1f}',
        f'{figures["fps"]:.2f}',
        f'{100 * figures["lazy_share"]:.1f} %',
        _added(figures['pseudo_ms'], plain),
        _added(figures['user_ms'], plain),
        f'{figures["peak_mib"]:.0f}' + _device(figures),
        ', '.join(f'{frames}: {mib:.0f}' for frames, mib in figures['resident_mib'].items()),
    )


def case_words(case: dict[str, Any]) -> str:
    """Return a case of a file in words."""
    return f'{case["weights"]} {case["size"]} {case["precision"]}, objects: {case["objects"]}'


def row_words(row: Row) -> str:
    """Return one finished row as a line."""
    if 'error' in row:
        return f'{case_words(row["case"])}: {row["error"]}'
    figures = row['figures']
    return (
        f'{case_words(row["case"])}: {figures["plain_ms"].get("p50", 0.0):.1f} ms a plain frame, '
        f'{figures["fps"]:.2f} frames a second'
    )


def aligned(rows: Sequence[Sequence[str]]) -> str:
    """Return rows of cells in columns, the first to the left, the others to the right."""
    widths = [max(len(row[column]) for row in rows) for column in range(len(rows[0]))]
    return '\n'.join(
        '  '.join(
            cell.rjust(width) if number else cell.ljust(width)
            for number, (cell, width) in enumerate(zip(row, widths, strict=True))
        ).rstrip()
        for row in rows
    )


def _percentiles(found: dict[str, float]) -> str:
    return f'{found["p50"]:.1f} / {found["p95"]:.1f}' if found else '-'


def _added(milliseconds: float | None, plain: float) -> str:
    """Return what a correction takes, and its part of a plain frame with it."""
    if milliseconds is None:
        return '-'
    whole = milliseconds + plain
    return f'{milliseconds:.1f} ({100 * milliseconds / whole if whole else 0:.0f} %)'


def _device(figures: dict[str, Any]) -> str:
    device = figures['device_peak_mib']
    return f' + {device:.0f} GPU' if device else ''
