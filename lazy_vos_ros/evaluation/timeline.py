"""Draw a run over time: uncertainty, its derivative, thresholds, questions and answers."""

from __future__ import annotations

from collections.abc import Callable
from collections.abc import Iterable
from collections.abc import Iterator
from collections.abc import Sequence
from itertools import groupby
from pathlib import Path

import numpy as np
import numpy.typing as npt
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.lines import Line2D
from matplotlib.patches import Patch

from lazy_vos_ros.engine.config import LazyConfig
from lazy_vos_ros.engine.results import EventKind
from lazy_vos_ros.evaluation.runs import Frame
from lazy_vos_ros.evaluation.runs import Run
from lazy_vos_ros.evaluation.runs import TimedEvent
from lazy_vos_ros.evaluation.runs import labels_of

# Okabe and Ito's colours; besides, everything differs in shape or hatching, for print.
BLUE = '#0072B2'
ORANGE = '#E69F00'
VERMILION = '#D55E00'
GREEN = '#009E73'
PURPLE = '#CC79A7'
GREY = '#6f6f6f'
PALE = '#bdbdbd'

WIDTH = 12.0
MARGIN = 1.5
"""Inches; the margin holds the title, the time axis and the legend."""

LANES = ('memory', 'tracker', 'operator')
"""Rows of the event panel, from below."""

MARKS = {
    EventKind.ADDED: ('operator', 'D', 'black', 'object added'),
    EventKind.ASKED: ('operator', 'o', VERMILION, 'question'),
    EventKind.ANSWERED: ('operator', '^', GREEN, 'answered by a click'),
    EventKind.ABSENT: ('operator', 's', GREEN, "answered 'absent'"),
    EventKind.SKIPPED: ('operator', 'P', GREY, 'skipped'),
    EventKind.EXPIRED: ('operator', 'X', GREY, 'expired'),
    EventKind.REFUSED: ('operator', 'v', GREY, 'answer refused'),
    EventKind.CORRECTED: ('operator', '*', GREEN, 'corrected unasked'),
    EventKind.PSEUDO: ('tracker', 'd', PURPLE, 'pseudo-correction'),
    EventKind.SUPPRESSED: ('tracker', 'x', ORANGE, 'question spared'),
    EventKind.REMOVED: ('operator', '_', 'black', 'object removed'),
    EventKind.LOST: ('tracker', '1', VERMILION, 'object lost'),
    EventKind.RECOVERED: ('tracker', '2', GREEN, 'object recovered'),
    EventKind.REPLAYED: ('memory', '<', GREEN, 'replayed'),
    EventKind.REPLAY_DROPPED: ('memory', '>', GREY, 'replay given up'),
    EventKind.UNDONE: ('operator', '3', GREY, 'correction undone'),
}
"""Lane, marker, colour and name of the events, in the order of the legend."""


Iou = Callable[[int, Frame], float | None]
"""J of an object in a frame; None where its true mask is not known."""


def draw_timeline(
    run: Run,
    path: Path,
    config: LazyConfig | None = None,
    *,
    iou: Iou | None = None,
    objects: Sequence[int] | None = None,
) -> None:
    """Write a PNG with three panels for each object: S_R, dS, and what happened.

    Parameters
    ----------
    run
        At least one object in one processed frame.
    path
        The PNG file.
    config
        The thresholds in force; None: the defaults.
    iou
        Tells how good the masks were, where that is known; drawn beside S_R.
    objects
        Ids of those that are drawn; None: all.

    Raises
    ------
    ValueError
        If no object was tracked in any frame.
    """
    shown = run.object_ids if objects is None else objects
    if not shown:
        raise ValueError(f'{run.name} has no tracked object; allowed: at least one')
    count = len(shown)
    figure = Figure(figsize=(WIDTH, MARGIN + 4.6 * count), dpi=120)
    panels = figure.subplots(
        3 * count, 1, sharex=True, squeeze=False, height_ratios=[3, 2.4, 1.7] * count
    )[:, 0]
    height = figure.get_figheight()
    figure.subplots_adjust(
        left=0.85 / WIDTH, right=1 - 0.2 / WIDTH, bottom=1.15 / height, top=1 - 0.35 / height
    )
    for row, object_id in enumerate(shown):
        three = list(panels[3 * row : 3 * row + 3])
        _draw_object(three, run, object_id, config or LazyConfig())
        if iou is not None:
            _draw_iou(three[0], run, object_id, iou)
    begin = run.frames[0].seconds
    panels[-1].set_xlabel('time of the stream [s]')
    panels[-1].set_xlim(0, max(run.frames[-1].seconds - begin, 1e-3))
    _draw_legend(figure, run)
    figure.savefig(path)


def _draw_object(panels: Sequence[Axes], run: Run, object_id: int, config: LazyConfig) -> None:
    begin = run.frames[0].seconds
    life = run.life(object_id)
    states = [state for frame in life if (state := frame.state_of(object_id))]
    times = np.array([frame.seconds - begin for frame in life])
    _draw_uncertainty(panels[0], times, _finite(state.uncertainty for state in states), config)
    _draw_derivative(panels[1], times, _finite(state.derivative for state in states), config)
    _draw_events(panels[2], run, object_id, life)
    panels[0].set_title(
        f'object {object_id}: {labels_of(run)[object_id]}',
        loc='left',
        fontweight='bold',
        parse_math=False,
    )
    for first, last in _absences(life, object_id):
        panels[0].axvspan(
            first - begin, last - begin, facecolor='none', edgecolor=PALE, hatch='///', linewidth=0
        )
    for question in _questions(run, object_id):
        for panel in panels:
            panel.axvspan(*_span(run, question), color=ORANGE, alpha=0.22, linewidth=0)


def _finite(values: Iterable[float]) -> npt.NDArray[np.float64]:
    """Return values to draw: those that are not finite leave gaps."""
    found = np.array(list(values), np.float64)
    return np.where(np.isfinite(found), found, np.nan)


def _draw_uncertainty(
    axis: Axes, times: npt.NDArray[np.float64], values: npt.NDArray[np.float64], config: LazyConfig
) -> None:
    axis.fill_between(times, values, color=BLUE, alpha=0.15, linewidth=0)
    axis.plot(times, values, color=BLUE, linewidth=1.6)
    axis.set_ylim(0, 1.1 * float(np.nanmax(values, initial=1.0 / 1.1)))
    axis.set_ylabel('uncertainty $S_R$')
    _draw_threshold(axis, config.tau_m, r'$\tau_m$: above, not memorised')
    if config.trigger == 'level':
        _draw_triggers(axis, config)


def _draw_iou(axis: Axes, run: Run, object_id: int, iou: Iou) -> None:
    begin = run.frames[0].seconds
    scores = [(frame.seconds - begin, iou(object_id, frame)) for frame in run.life(object_id)]
    known = [(time, score) for time, score in scores if score is not None]
    if known:
        times, values = np.array(known).T
        dashes = (0, (5, 2, 1, 2))
        axis.plot(times, values, color=GREEN, linewidth=1.6, linestyle=dashes, label='IoU')
        axis.legend(loc='upper left', fontsize=8)


def _draw_derivative(
    axis: Axes, times: npt.NDArray[np.float64], values: npt.NDArray[np.float64], config: LazyConfig
) -> None:
    axis.axhline(0, color='black', linewidth=0.6)
    axis.vlines(times, 0, values, color=BLUE, linewidth=1.2, alpha=0.6)
    axis.plot(times, values, '.', color=BLUE, markersize=4)
    top = 1.3 * config.tau_u if np.isfinite(config.tau_u) else 0.5
    low, high = (float(np.nanmin(values, initial=0.0)), float(np.nanmax(values, initial=0.0)))
    axis.set_ylim(min(-0.3, 1.15 * low), max(top, 1.15 * high))
    axis.set_ylabel(r'derivative $\Delta S$')
    if config.trigger == 'derivative':
        _draw_triggers(axis, config)


def _draw_triggers(axis: Axes, config: LazyConfig) -> None:
    if config.user_corrections:
        _draw_threshold(axis, config.tau_u, r'$\tau_u$: ask the operator')
    if config.pseudo_corrections:
        _draw_threshold(axis, config.tau_p, r'$\tau_p$: correct itself', side='top')


def _draw_threshold(axis: Axes, value: float, text: str, side: str = 'bottom') -> None:
    """Draw a line; `side` is that of the text which touches it."""
    if not np.isfinite(value):
        return
    axis.axhline(value, color=VERMILION, linewidth=1, linestyle='--')
    axis.text(
        0.995,
        value,
        text,
        color=VERMILION,
        fontsize=8,
        ha='right',
        va=side,
        bbox={'facecolor': 'white', 'edgecolor': 'none', 'pad': 1.0},
        transform=axis.get_yaxis_transform(),
    )


def _draw_events(axis: Axes, run: Run, object_id: int, life: Sequence[Frame]) -> None:
    begin = run.frames[0].seconds
    memorised = [frame.seconds - begin for frame in life if frame.memorised]
    axis.plot(memorised, [0] * len(memorised), '|', color=BLUE, markersize=9)
    for kind, (lane, marker, colour, _) in MARKS.items():
        places = [
            event.applied_stamp - begin
            for event in run.events_of(kind)
            if event.object_id == object_id
        ]
        height = LANES.index(lane)
        axis.plot(
            places, [height] * len(places), marker, color=colour, markersize=8, clip_on=False
        )
    for question in _questions(run, object_id):
        closing = run.closing_of(question)
        if closing is not None:
            left, right = _span(run, question)
            axis.annotate(
                f'{closing.time - question.time:.1f} s',
                ((left + right) / 2, LANES.index('operator')),
                xytext=(0, 6),
                textcoords='offset points',
                ha='center',
                fontsize=8,
            )
    axis.set_yticks(range(len(LANES)), LANES)
    axis.set_ylim(-0.6, len(LANES) - 0.1)


def _questions(run: Run, object_id: int) -> list[TimedEvent]:
    return [event for event in run.events_of(EventKind.ASKED) if event.object_id == object_id]


def _span(run: Run, question: TimedEvent) -> tuple[float, float]:
    """From the question to its answer, or to the end; seconds since the run began."""
    begin = run.frames[0].seconds
    closing = run.closing_of(question)
    end = run.frames[-1].seconds if closing is None else closing.applied_stamp
    return question.stamp - begin, end - begin


def _absences(life: Sequence[Frame], object_id: int) -> Iterator[tuple[float, float]]:
    """Yield the first and the last time of each stretch in which the object has no pixel."""

    def empty(frame: Frame) -> bool:
        state = frame.state_of(object_id)
        return state is not None and state.area == 0

    for absent, frames in groupby(life, empty):
        stretch = list(frames)
        if absent:
            yield stretch[0].seconds, stretch[-1].seconds


def _draw_legend(figure: Figure, run: Run) -> None:
    """Explain the marks that occur."""
    happened = {event.kind for event in run.events}
    handles: list[Line2D | Patch] = [
        Line2D([], [], linestyle='', marker=marker, color=colour, label=name)
        for kind, (_, marker, colour, name) in MARKS.items()
        if kind in happened
    ]
    handles.append(Line2D([], [], linestyle='', marker='|', color=BLUE, label='frame memorised'))
    if EventKind.ASKED in happened:
        handles.append(Patch(color=ORANGE, alpha=0.22, label='question open'))
    if any(list(_absences(run.life(item), item)) for item in run.object_ids):
        handles.append(Patch(facecolor='none', edgecolor=PALE, hatch='///', label='no pixel'))
    figure.legend(handles=handles, loc='lower center', ncols=6, frameon=False, fontsize=9)
