"""Box plots of the correlations over objects, as in Fig. 3 and Fig. S5."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import matplotlib as mpl
import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from lazy_vos_ros.evaluation.counts import plural
from lazy_vos_ros.evaluation.study.correlations import Quartiles
from lazy_vos_ros.evaluation.timeline import BLUE
from lazy_vos_ros.evaluation.timeline import GREEN
from lazy_vos_ros.evaluation.timeline import GREY
from lazy_vos_ros.evaluation.timeline import ORANGE
from lazy_vos_ros.evaluation.timeline import PURPLE

LOOKS = {'S': (ORANGE, '///'), 'S_R': (BLUE, ''), 'V': (PURPLE, '\\\\\\'), 'V_R': (GREEN, '...')}
"""Colour and hatching of each measure; both differ, for print and for colour-blind eyes."""

QUESTION = 'Spearman correlation\nof certainty and IoU'


def draw_measures(rows: Sequence[Quartiles], dilation: float, path: Path) -> None:
    """Draw one box for each committee and measure, the masked ones at one dilation (Fig. 3).

    Parameters
    ----------
    rows
        Of all committees.
    dilation
        That of the masked measures to be drawn.
    path
        Without suffix; .png and .svg are written.
    """
    chosen = [row for row in rows if row.measure.dilation in (None, dilation)]
    committees = list(dict.fromkeys(row.committee for row in chosen))
    figure = Figure(figsize=(2.2 + 1.05 * len(chosen), 4.6), dpi=150, layout='constrained')
    panels = figure.subplots(
        1,
        len(committees),
        sharey=True,
        squeeze=False,
        width_ratios=[sum(row.committee == name for row in chosen) for name in committees],
    )[0]
    for panel, name in zip(panels, committees, strict=True):
        own = [row for row in chosen if row.committee == name]
        _draw_boxes(panel, own, [_symbol(row.measure.name) for row in own])
        panel.set_title(name, fontsize=11)
    panels[0].set_ylabel(QUESTION)
    figure.suptitle(f'Does the measure warn of a wrong mask? {_count(chosen)}', fontsize=11)
    _save(figure, path)


def draw_dilations(rows: Sequence[Quartiles], path: Path) -> None:
    """Draw the masked measures of every committee over the dilation (Fig. S5).

    Parameters
    ----------
    rows
        Of all committees.
    path
        Without suffix; .png and .svg are written.
    """
    chosen = [row for row in rows if row.measure.dilation is not None]
    panels_of: dict[tuple[str, str], list[Quartiles]] = {}
    for row in chosen:
        panels_of.setdefault((row.committee, row.measure.name), []).append(row)
    widest = max(len(own) for own in panels_of.values())
    figure = Figure(
        figsize=(1.4 + 0.62 * widest * len(panels_of), 4.4), dpi=150, layout='constrained'
    )
    panels = figure.subplots(1, len(panels_of), sharey=True, squeeze=False)[0]
    for panel, ((name, measure), own) in zip(panels, panels_of.items(), strict=True):
        _draw_boxes(panel, own, [f'{row.measure.dilation:g}' for row in own])
        panel.set_title(f'{_symbol(measure)}, {name}', fontsize=11)
    panels[0].set_ylabel(QUESTION)
    figure.supxlabel('growth of the mask by the dilation, as a part of its area', fontsize=10)
    _save(figure, path)


def _draw_boxes(panel: Axes, rows: Sequence[Quartiles], names: Sequence[str]) -> None:
    """Draw boxes (quartiles; whiskers to the ends), each object a dot, the median in figures."""
    places = list(range(1, len(rows) + 1))
    boxes = panel.boxplot(
        [row.rhos for row in rows],
        positions=places,
        widths=0.6,
        whis=(0, 100),
        patch_artist=True,
        medianprops={'color': 'black', 'linewidth': 2},
    )
    for place, row, box in zip(places, rows, boxes['boxes'], strict=True):
        colour, hatch = LOOKS[row.measure.name]
        box.set(facecolor=colour, alpha=0.55, hatch=hatch)
        spread = np.linspace(-0.2, 0.2, len(row.rhos)) if len(row.rhos) > 1 else [0.0]
        panel.plot(
            place + np.asarray(spread[: len(row.rhos)]),
            row.rhos,
            'o',
            color='black',
            markersize=3,
            alpha=0.7,
        )
        middle = '-' if row.quartiles is None else f'{row.quartiles[1]:.2f}'
        panel.text(place, 1.06, middle, ha='center', va='bottom', fontsize=9)
    panel.axhline(0, color=GREY, linewidth=1, linestyle='--', zorder=0)
    panel.set_xticks(places, names)
    panel.set_ylim(-1.08, 1.2)
    panel.set_yticks(np.arange(-1, 1.01, 0.5))
    panel.grid(axis='y', color='#e0e0e0', zorder=0)
    panel.set_axisbelow(True)


def _symbol(name: str) -> str:
    return f'${name.replace("_", "_{")}}}$' if '_' in name else f'${name}$'


def _count(rows: Sequence[Quartiles]) -> str:
    counts = sorted({len(row.rhos) for row in rows})
    objects = f'{counts[0]}' if len(counts) == 1 else f'{counts[0]} to {counts[-1]}'
    return f'Boxes over {objects} {plural(counts[-1], "object")}, median above'


def _save(figure: Figure, path: Path) -> None:
    """Write .png and .svg, the same bytes for the same numbers."""
    figure.savefig(path.with_suffix('.png'))
    with mpl.rc_context({'svg.hashsalt': path.name}):
        figure.savefig(path.with_suffix('.svg'), metadata={'Date': None})
