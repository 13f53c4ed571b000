"""One object over time as SVG: S_R, IoU, dS, thresholds, questions, answers, corrections."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from math import isfinite

import numpy as np

from lazy_vos_ros.engine.config import LazyConfig
from lazy_vos_ros.evaluation.report import words
from lazy_vos_ros.evaluation.report.curves import Curves
from lazy_vos_ros.evaluation.report.marks import LANES
from lazy_vos_ros.evaluation.report.marks import mark_of
from lazy_vos_ros.evaluation.report.scales import Floats
from lazy_vos_ros.evaluation.report.scales import Scale
from lazy_vos_ros.evaluation.report.scales import apart
from lazy_vos_ros.evaluation.report.scales import clock_ticks
from lazy_vos_ros.evaluation.report.scales import envelope
from lazy_vos_ros.evaluation.report.scales import finite
from lazy_vos_ros.evaluation.report.scales import ticks
from lazy_vos_ros.evaluation.report.svg import SHAPES
from lazy_vos_ros.evaluation.report.svg import Element
from lazy_vos_ros.evaluation.report.svg import path
from lazy_vos_ros.evaluation.report.svg import put
from lazy_vos_ros.evaluation.report.svg import svg
from lazy_vos_ros.evaluation.report.svg import written
from lazy_vos_ros.evaluation.runs import TimedEvent

TITLE = 20.0
"""Height of the line above each panel."""
LINE = 13.0
"""Least distance of two lines of text."""
LANE = 26.0


@dataclass(frozen=True)
class Format:
    """Sizes of a timeline; text is as large in each, so that a phone has its own."""

    name: str
    """A class of the style sheet, which shows the one that fits."""
    width: float
    left: float
    """Room for the values of the axes."""
    right: float
    """Room for the names of the thresholds."""
    upper: float
    """Height of the panel of S_R."""
    lower: float
    """Height of the panel of dS."""
    ticks: int
    """Most times on the axis."""
    short: bool
    """Whether names are cut short."""


WIDE = Format('wide', 920.0, 70.0, 128.0, 150.0, 110.0, 12, False)
NARROW = Format('narrow', 360.0, 64.0, 26.0, 120.0, 90.0, 5, True)


@dataclass(frozen=True)
class _Panel:
    """A rectangle with the axes of its values."""

    top: float
    bottom: float
    x: Scale
    y: Scale


def timeline_svg(
    curves: Curves, config: LazyConfig, span: float, form: Format, anchors: dict[str, str]
) -> str:
    """Return one object's timeline.

    Parameters
    ----------
    curves
        At least one frame.
    config
        The thresholds in force.
    span
        Length of the axis of time in seconds.
    form
        WIDE or NARROW.
    anchors
        For the ids of the questions with pictures, where these are on the page.
    """
    tops = _tops(form)
    root = svg(
        form.width,
        tops[3] + 36,
        class_=f'timeline {form.name}',
        role='img',
        aria_label=_summary(curves),
        data_left=form.left,
        data_right=form.width - form.right,
        data_span=float(span),
    )
    x = Scale(0.0, span, form.left, form.width - form.right)
    upper = _Panel(tops[0], tops[0] + form.upper, x, _uncertainty_scale(curves, tops[0], form))
    lower = _Panel(tops[1], tops[1] + form.lower, x, _derivative_scale(curves, config, tops, form))
    lanes = _Panel(tops[2], tops[3], x, Scale(0.0, 1.0, tops[2], tops[3]))
    for panel in (upper, lower, lanes):
        _ground(root, panel, form, curves)
    _draw_uncertainty(root, upper, curves, config, form)
    _draw_derivative(root, lower, curves, config, form)
    _draw_lanes(root, lanes, curves, form, anchors)
    _draw_time(root, lanes, span, form)
    put(root, 'line', class_='cursor', x1=0.0, x2=0.0, y1=tops[0], y2=tops[3])
    return written(root)


def _tops(form: Format) -> tuple[float, float, float, float]:
    """Where the three panels begin, and where the last one ends."""
    first = TITLE
    second = first + form.upper + 12 + TITLE
    third = second + form.lower + 14
    return first, second, third, third + LANE * len(LANES)


def _uncertainty_scale(curves: Curves, top: float, form: Format) -> Scale:
    return Scale(0.0, max(1.0, 1.05 * finite(curves.uncertainty)[1]), top + form.upper, top)


def _derivative_scale(
    curves: Curves, config: LazyConfig, tops: Sequence[float], form: Format
) -> Scale:
    low, high = finite(curves.derivative)
    if config.trigger == 'derivative' and isfinite(config.tau_u):
        high = max(high, 1.2 * config.tau_u)
    return Scale(min(-0.1, 1.1 * low), max(0.1, 1.1 * high), tops[1] + form.lower, tops[1])


def _ground(root: Element, panel: _Panel, form: Format, curves: Curves) -> None:
    """Draw what lies below the curves: the panel, absences, open questions."""
    size = {'y': panel.top, 'height': panel.bottom - panel.top}
    put(root, 'rect', class_='panel', x=form.left, width=panel.x.last - form.left, **size)
    for class_, spans in (
        ('absent', curves.absences),
        ('open', tuple((first, last) for first, last, _ in curves.questions)),
    ):
        for first, last in spans:
            left = panel.x(first)
            width = max(panel.x(last) - left, 1.5)
            put(root, 'rect', class_=class_, x=left, width=width, **size)


def _draw_uncertainty(
    root: Element, panel: _Panel, curves: Curves, config: LazyConfig, form: Format
) -> None:
    keys = [('curve', 'uncertainty S', 'R')]
    if curves.has_iou:
        keys.append(('truth', 'IoU' if form.short else 'IoU with the true mask', ''))
    _draw_title(root, panel, form, keys)
    _draw_values(root, panel, form, 4)
    columns = int(panel.x.last - panel.x.first)
    times, values = envelope(curves.times, curves.uncertainty, columns)
    _draw_area(root, panel, times, values)
    _draw_line(root, panel, times, values, 'curve')
    if curves.has_iou:
        known = np.isfinite(curves.iou)
        _draw_line(
            root, panel, *envelope(curves.times[known], curves.iou[known], columns), 'truth'
        )
    lines = [(config.tau_m, 'm', 'memory')]
    _draw_thresholds(root, panel, form, lines + _triggers(config, 'level'))


def _draw_derivative(
    root: Element, panel: _Panel, curves: Curves, config: LazyConfig, form: Format
) -> None:
    _draw_title(root, panel, form, [('stem', 'its change ΔS', '')])
    _draw_values(root, panel, form, 4)
    zero = panel.y(0.0)
    put(root, 'line', class_='zero', x1=form.left, x2=panel.x.last, y1=zero, y2=zero)
    columns = int((panel.x.last - panel.x.first) / 2)
    times, values = envelope(curves.times, curves.derivative, columns)
    stems = ''.join(
        path([(panel.x(time), zero), (panel.x(time), panel.y(value))])
        for time, value in zip(times, values, strict=True)
        if isfinite(value)
    )
    put(root, 'path', class_='stem', d=stems)
    _draw_thresholds(root, panel, form, _triggers(config, 'derivative'))


def _triggers(config: LazyConfig, trigger: str) -> list[tuple[float, str, str]]:
    """Return the thresholds of the triggers if they are compared with this."""
    if config.trigger != trigger:
        return []
    lines = [(config.tau_u, 'u', 'ask')] if config.user_corrections else []
    return lines + ([(config.tau_p, 'p', 'itself')] if config.pseudo_corrections else [])


def _draw_title(
    root: Element, panel: _Panel, form: Format, keys: list[tuple[str, str, str]]
) -> None:
    """Write what the lines of a panel are, each after a piece of it."""
    x, y = form.left, panel.top - 6
    for class_, text, index in keys:
        put(root, 'path', class_=f'{class_} sample', d=f'M{x:g},{y - 4:g}h20')
        label = put(root, 'text', text, class_='title', x=x + 25, y=y)
        if index:
            put(label, 'tspan', index, class_='index', dy=3)
        x += 25 + 7.0 * (len(text) + len(index)) + 14


def _draw_values(root: Element, panel: _Panel, form: Format, most: int) -> None:
    for value in ticks(panel.y.low, panel.y.high, most):
        y = panel.y(value)
        put(root, 'line', class_='grid', x1=form.left, x2=panel.x.last, y1=y, y2=y)
        text = words.number(value, '{:g}')
        put(root, 'text', text, class_='value', x=form.left - 6, y=y + 4, text_anchor='end')


def _draw_area(root: Element, panel: _Panel, times: Floats, values: Floats) -> None:
    good = np.isfinite(values)
    if not good.any():
        return
    points = [(panel.x(t), panel.y(v)) for t, v in zip(times[good], values[good], strict=True)]
    base = panel.y(0.0)
    outline = [(points[0][0], base), *points, (points[-1][0], base)]
    put(root, 'path', class_='area', d=path(outline) + 'Z')


def _draw_line(root: Element, panel: _Panel, times: Floats, values: Floats, class_: str) -> None:
    points = [
        (panel.x(t), panel.y(v) if isfinite(v) else v) for t, v in zip(times, values, strict=True)
    ]
    put(root, 'path', class_=class_, d=path(points))


def _draw_thresholds(
    root: Element, panel: _Panel, form: Format, lines: list[tuple[float, str, str]]
) -> None:
    """Draw the thresholds that can be seen, with their names beside the panel."""
    seen = [line for line in lines if isfinite(line[0]) and line[0] <= panel.y.high]
    places = [panel.y(value) for value, _, _ in seen]
    for (value, index, meaning), place, text_at in zip(
        seen, places, apart(places, LINE, panel.top, panel.bottom), strict=True
    ):
        put(
            root,
            'line',
            class_=f'threshold {meaning}',
            x1=form.left,
            x2=panel.x.last,
            y1=place,
            y2=place,
        )
        label = put(root, 'text', 'τ', class_='limit', x=panel.x.last + 6, y=text_at + 4)
        put(label, 'tspan', index, class_='index', dy=3)
        if not form.short:
            rest = f' {words.number(value, "{:g}")} {MEANINGS[meaning]}'
            put(label, 'tspan', rest, dy=-3)


MEANINGS = {'memory': 'not stored', 'ask': 'ask', 'itself': 'self-correct'}
"""What happens from a threshold on."""


def _draw_lanes(
    root: Element, panel: _Panel, curves: Curves, form: Format, anchors: dict[str, str]
) -> None:
    heights = {lane: panel.top + LANE * (row + 0.5) for row, lane in enumerate(LANES)}
    for lane, y in heights.items():
        put(root, 'text', lane, class_='value', x=form.left - 6, y=y + 4, text_anchor='end')
    _draw_memorised(root, panel, curves, heights['memory'])
    _draw_waiting(root, panel, curves, heights['operator'])
    last: dict[str, float] = {}
    for time, event in sorted(curves.events, key=lambda item: item[0]):
        x = panel.x(time)
        # Marks of one kind at one place look like one.
        if x - last.get(event.kind.name, -9.0) < 1.0:
            continue
        last[event.kind.name] = x
        mark = mark_of(event.kind)
        parent = root
        if event.request_id in anchors:
            parent = put(root, 'a', href=f'#{anchors[event.request_id]}')
        shape = put(
            parent,
            'path',
            d=SHAPES[mark.shape],
            class_=f'mark {mark.look}',
            transform=f'translate({x:.2f},{heights[mark.lane]:g})',
        )
        put(shape, 'title', _describe(time, event))


def _draw_memorised(root: Element, panel: _Panel, curves: Curves, y: float) -> None:
    places = sorted({round(panel.x(time)) for time in curves.memorised})
    put(root, 'path', class_='memorised', d=''.join(f'M{place},{y - 6:g}v12' for place in places))


def _draw_waiting(root: Element, panel: _Panel, curves: Curves, y: float) -> None:
    """Draw how long each question waited, with the seconds where there is room."""
    free = panel.x.first
    for first, last, question in curves.questions:
        left, right = panel.x(first), panel.x(last)
        put(root, 'path', class_='waiting', d=path([(left, y), (right, y)]))
        text = words.number(question.waited, '{:.1f}', 's')
        width = 6.5 * len(text)
        if question.waited is not None and right - left >= width + 14 and left > free:
            middle = (left + right) / 2
            put(root, 'text', text, class_='wait', x=middle, y=y - 4, text_anchor='middle')
            free = right


def _draw_time(root: Element, panel: _Panel, span: float, form: Format) -> None:
    y = panel.bottom
    for time in clock_ticks(span, form.ticks):
        x = panel.x(time)
        put(root, 'line', class_='tick', x1=x, x2=x, y1=y, y2=y + 5)
        text = words.clock(time, span)
        put(root, 'text', text, class_='value', x=x, y=y + 18, text_anchor='middle')
    unit = 's' if span < 180 else 'h:min:s' if span >= 3600 else 'min:s'
    text = f'time of the stream [{unit}]'
    middle = (panel.x.first + panel.x.last) / 2
    put(root, 'text', text, class_='title', x=middle, y=y + 33, text_anchor='middle')


def _describe(time: float, event: TimedEvent) -> str:
    """Return what the pointer on a mark tells."""
    kind = words.capitalised(words.kind_name(event.kind))
    return f'{kind}, {words.duration(time)}' + (f': {event.reason}' if event.reason else '')


def _summary(curves: Curves) -> str:
    """Return the drawing in words, for those who cannot see it."""
    low, high = finite(curves.uncertainty)
    parts = [
        f'Timeline of object {curves.object_id}, {curves.label}: uncertainty from {low:.2f} to '
        f'{high:.2f}',
        words.counted(len(curves.questions), 'question'),
    ]
    if curves.absences:
        parts.append(f'absent for {words.duration(curves.absent_seconds)}')
    if curves.has_iou:
        iou = finite(curves.iou)
        parts.append(f'IoU from {iou[0]:.2f} to {iou[1]:.2f}')
    return '; '.join(parts)
