"""Time and memory of the rows as pictures."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any

from matplotlib.figure import Figure

from lazy_vos_ros.evaluation.speed.results_file import Row

TIME = 'tab:blue'
MEMORY = 'tab:red'
SIZE = (7.0, 3.8)
TIME_LABELS = {True: 'CPU time of a frame, ms (mean)', False: 'plain frame, ms (p50)'}
"""On a CPU the time of all threads, which does not count what other programs took."""


def draw_plots(rows: Sequence[Row], folder: Path) -> list[Path]:
    """Draw what these rows allow and return the files, PNG.

    Against the length of the video: the row with most frames. Against the number of objects and
    the size of the network: rows that differ in nothing else.
    """
    good = [row for row in rows if 'figures' in row]
    folder.mkdir(parents=True, exist_ok=True)
    drawn = []
    if good:
        longest = max(good, key=lambda row: int(row['figures']['frames']))
        drawn.append(_save(length_plot(longest), folder / 'growth_length.png'))
    for field, label in (('objects', 'objects'), ('size', 'short side inside the network')):
        family = largest_family(good, field)
        if len(family) > 1:
            figure = growth_plot(family, field, label)
            drawn.append(_save(figure, folder / f'growth_{field}.png'))
    return drawn


def largest_family(rows: Sequence[Row], field: str) -> list[Row]:
    """Return the most rows that differ in this field of their cases, and images, alone."""
    families: dict[Any, list[Row]] = {}
    for row in rows:
        case = row['case']
        others = {'size': 'objects', 'objects': 'size'}[field]
        key = tuple(case[name] for name in ('weights', others, 'precision', 'device', 'threads'))
        families.setdefault(key, []).append(row)
    family = max(families.values(), key=len, default=[])
    return sorted(family, key=lambda row: int(row['case'][field]))


def length_plot(row: Row) -> Figure:
    """Draw time and memory of a frame against the number of frames so far."""
    course = row['figures']['course']
    frames = [point['frame'] for point in course]
    figure = Figure(SIZE, layout='constrained')
    axes = figure.subplots()
    axes.plot(frames, [point['cpu_ms'] for point in course], color=TIME)
    _left_axis(axes, 'CPU time of a frame, ms (median)')
    axes.set_xlabel('frames so far')
    other = axes.twinx()
    other.plot(frames, [point['mib'] for point in course], color=MEMORY)
    _right_axis(other, 'resident memory, MiB')
    axes.set_title(_title(row, row['case']['objects'], row['case']['size']), fontsize=9)
    return figure


def growth_plot(family: Sequence[Row], field: str, label: str) -> Figure:
    """Draw time and memory against one field of the cases."""
    values = [row['case'][field] for row in family]
    figure = Figure(SIZE, layout='constrained')
    axes = figure.subplots()
    axes.plot(values, [time_of(row) for row in family], 'o-', color=TIME)
    _left_axis(axes, TIME_LABELS[family[0]['case']['device'] == 'cpu'])
    axes.set_xlabel(label)
    axes.set_xticks(values)
    other = axes.twinx()
    other.plot(values, [row['figures']['peak_mib'] for row in family], 'x-', color=MEMORY)
    _right_axis(other, 'peak memory, MiB')
    case = family[0]['case']
    several = 'several'
    objects = several if field == 'objects' else case['objects']
    size = several if field == 'size' else case['size']
    axes.set_title(_title(family[0], objects, size), fontsize=9)
    return figure


def time_of(row: Row) -> float:
    """Return the milliseconds of a frame that are drawn."""
    on_cpu = row['case']['device'] == 'cpu'
    return float(row['figures']['cpu_ms'] if on_cpu else row['figures']['plain_ms']['p50'])


def _left_axis(axes: Any, label: str) -> None:
    axes.set_ylabel(label, color=TIME)
    axes.set_ylim(bottom=0)
    axes.grid(alpha=0.3)


def _right_axis(axes: Any, label: str) -> None:
    axes.set_ylabel(label, color=MEMORY)
    axes.set_ylim(bottom=0)


def _title(row: Row, objects: object, size: object) -> str:
    case = row['case']
    return (
        f'{row["figures"]["backend"]}, {case["precision"]}\n'
        f'objects: {objects}, size: {size}, '
        f'{case["device"]}, threads: {case["threads"]}'
    )


def _save(figure: Figure, path: Path) -> Path:
    figure.savefig(path, dpi=110)
    return path
