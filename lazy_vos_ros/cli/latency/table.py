"""The rows for people."""

from collections.abc import Sequence
from typing import Any

from lazy_vos_ros.evaluation.speed.results_file import Row
from lazy_vos_ros.evaluation.speed.table import aligned

HEAD = (
    'images',
    'Hz',
    'sent',
    'lost on the way',
    'replaced',
    'masks',
    'published ms p50/p95',
    'arrived ms p50/p95',
    'camera ms p50/p95',
    'CPU ms',
    'faults',
)


def ros_table(rows: Sequence[Row]) -> str:
    """Return the rows of the part `ros` as a table; those with errors below it."""
    good = [cells(row) for row in rows if 'figures' in row]
    texts = [aligned([HEAD, *good])] if good else []
    texts += [row_words(row) for row in rows if 'error' in row]
    return '\n'.join(texts)


def cells(row: Row) -> tuple[str, ...]:
    """Return the cells of one row."""
    case, figures = row['case'], row['figures']
    return (
        f'{case["width"]}x{case["height"]}',
        f'{case["rate"]:g}',
        str(case['frames']),
        str(case['frames'] - figures['received']),
        str(figures['replaced']),
        str(figures['masks']),
        _percentiles(figures['published_ms']),
        _percentiles(figures['arrived_ms']),
        _percentiles(figures['camera_ms']),
        f'{figures["cpu_ms"]:.1f}',
        f'{figures["faults"]:.0f}',
    )


def row_words(row: Row) -> str:
    """Return one finished row as a line."""
    case = row['case']
    name = f'{case["width"]}x{case["height"]} at {case["rate"]:g} Hz'
    if 'error' in row:
        return f'{name}: {row["error"]}'
    figures = row['figures']
    return (
        f'{name}: {figures["masks"]} masks of {case["frames"]} images, p95 '
        f'{figures["arrived_ms"].get("p95", 0.0):.1f} ms'
    )


def _percentiles(found: dict[str, Any]) -> str:
    return f'{found["p50"]:.1f} / {found["p95"]:.1f}' if found else '-'
