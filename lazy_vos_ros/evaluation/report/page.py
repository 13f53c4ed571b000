"""Write the report: one HTML file that needs nothing beside it, and its figures as PNG."""

from __future__ import annotations

import base64
import hashlib
from collections.abc import Sequence
from dataclasses import dataclass
from importlib import resources
from pathlib import Path
from typing import Any

from jinja2 import Environment
from jinja2 import PackageLoader
from jinja2 import StrictUndefined
from markupsafe import Markup

from lazy_vos_ros.engine.results import EventKind
from lazy_vos_ros.evaluation.evaluated_run import EvaluatedRun
from lazy_vos_ros.evaluation.report import words
from lazy_vos_ros.evaluation.report.comparison import comparison_table
from lazy_vos_ros.evaluation.report.comparison import setting_differences
from lazy_vos_ros.evaluation.report.curves import Curves
from lazy_vos_ros.evaluation.report.curves import curves_of
from lazy_vos_ros.evaluation.report.curves import samples
from lazy_vos_ros.evaluation.report.figures import file_name
from lazy_vos_ros.evaluation.report.figures import write_questions
from lazy_vos_ros.evaluation.report.figures import write_timeline
from lazy_vos_ros.evaluation.report.headline import Headline
from lazy_vos_ros.evaluation.report.headline import headlines
from lazy_vos_ros.evaluation.report.headline import networks
from lazy_vos_ros.evaluation.report.headline import sentence
from lazy_vos_ros.evaluation.report.marks import MARKS
from lazy_vos_ros.evaluation.report.question_views import QuestionView
from lazy_vos_ros.evaluation.report.question_views import question_views
from lazy_vos_ros.evaluation.report.svg import symbol
from lazy_vos_ros.evaluation.report.tables import Table
from lazy_vos_ros.evaluation.report.tables import tables_of
from lazy_vos_ros.evaluation.report.timeline_svg import NARROW
from lazy_vos_ros.evaluation.report.timeline_svg import WIDE
from lazy_vos_ros.evaluation.report.timeline_svg import timeline_svg

PICTURED = 24
"""Most questions with pictures, over all runs of a report."""
TIMELINES = 12
"""Most objects of a run with a timeline."""
BESIDE = 4
"""Most pairs of timelines side by side."""


@dataclass(frozen=True)
class Timeline:
    """One object's timeline on the page."""

    anchor: str
    curves: Curves
    wide: Markup
    narrow: Markup
    samples: dict[str, list[float | None]]


@dataclass(frozen=True)
class Section:
    """Everything that the page shows of one run."""

    anchor: str
    run: EvaluatedRun
    recording: str
    """Name of the bag, without its folder: that is nobody's business on another machine."""
    sentence: str
    networks: str
    """Which weights did it, in words."""
    headlines: list[Headline]
    timelines: tuple[Timeline, ...]
    legend: tuple[tuple[Markup, str], ...]
    questions: tuple[QuestionView, ...]
    left_out: tuple[str, ...]
    """What there was no room for, in words."""
    tables: list[Table]


def write_report(runs: Sequence[EvaluatedRun], out: Path) -> Path:
    """Write `report.html` and `figures/*.png` into a folder; several runs are compared.

    Parameters
    ----------
    runs
        At least one, each with at least one frame; their names differ.
    out
        The folder, made if it is not there. Files of an earlier report are replaced.

    Returns
    -------
    Path
        Of the HTML file, which holds its pictures, style and script and loads nothing.

    Raises
    ------
    ValueError
        If there is no run, or two have one name.
    OSError
        If the folder cannot be written.
    """
    names = [run.name for run in runs]
    if not names or len(set(names)) < len(names):
        raise ValueError(f'runs are {names}; allowed: at least one, each with a name of its own')
    share = max(1, PICTURED // len(runs))
    span = max(max(run.seconds(frame) for frame in run.run.frames) for run in runs)
    sections = [_section(run, f'run-{index + 1}', share) for index, run in enumerate(runs)]
    page = _render(sections, _beside(sections, max(span, 1e-3)))
    out.mkdir(parents=True, exist_ok=True)
    _write_figures(sections, out / 'figures')
    path = out / 'report.html'
    path.write_text(page, encoding='utf-8', errors='replace')
    return path


def _section(run: EvaluatedRun, anchor: str, pictured: int) -> Section:
    every = [curves_of(run, object_id) for object_id in run.run.object_ids]
    views = question_views(run, anchor, pictured)
    shown = tuple(view for view in views if view.pictured)
    span = max(max(run.seconds(frame) for frame in run.run.frames), 1e-3)
    return Section(
        anchor=anchor,
        run=run,
        recording=Path(run.run.name).resolve().name,
        sentence=sentence(run),
        networks=networks(run),
        headlines=headlines(run, every),
        timelines=tuple(
            _timeline(run, curves, span, f'{anchor}-object-{curves.object_id}', shown)
            for curves in every[:TIMELINES]
        ),
        legend=_legend(run),
        questions=shown,
        left_out=tuple(_left_out(run, len(every), len(shown), len(views))),
        tables=tables_of(run, every),
    )


def _timeline(
    run: EvaluatedRun,
    curves: Curves,
    span: float,
    anchor: str,
    views: Sequence[QuestionView],
) -> Timeline:
    anchors = {run.questions[view.number - 1].asked.request_id: view.anchor for view in views}
    wide, narrow = (
        Markup(timeline_svg(curves, run.config, span, form, anchors)) for form in (WIDE, NARROW)
    )
    return Timeline(anchor, curves, wide, narrow, samples(curves))


def _legend(run: EvaluatedRun) -> tuple[tuple[Markup, str], ...]:
    """Return the marks of the kinds of events that happened, with their names."""
    happened = {event.kind for event in run.run.events}
    return tuple(
        (Markup(symbol(mark.shape, f'mark {mark.look}')), words.kind_name(EventKind[name]))
        for name, mark in MARKS.items()
        if name in EventKind.__members__ and EventKind[name] in happened
    )


def _left_out(run: EvaluatedRun, objects: int, shown: int, tried: int) -> list[str]:
    notes = []
    if objects > TIMELINES:
        notes.append(
            f'Timelines of {words.whole(objects - TIMELINES)} more objects are not shown; the '
            'table of objects has them.'
        )
    count = len(run.questions)
    if tried < count:
        notes.append(
            f'{words.whole(tried)} of {words.whole(count)} questions, evenly spread, are pictured '
            'to keep this file small; the table of questions has the others.'
        )
    if shown < tried:
        notes.append(
            f'{words.capitalised(words.counted(tried - shown, "question"))} without pictures: '
            'neither the camera’s images nor the entropy were recorded for them.'
        )
    return notes


def _beside(sections: Sequence[Section], span: float) -> list[tuple[str, list[Any]]]:
    """Return, of objects that all runs have under one name, the timelines with one time axis."""
    if len(sections) < 2:
        return []
    common = [
        item.curves.label
        for item in sections[0].timelines
        if all(any(o.curves.label == item.curves.label for o in s.timelines) for s in sections)
    ]
    found = []
    for label in list(dict.fromkeys(common))[:BESIDE]:
        row = []
        for section in sections:
            item = next(o for o in section.timelines if o.curves.label == label)
            anchor = f'{item.anchor}-beside'
            row.append((section.run.name, _timeline(section.run, item.curves, span, anchor, ())))
        found.append((label, row))
    return found


def _render(sections: Sequence[Section], beside: list[tuple[str, list[Any]]]) -> str:
    environment = Environment(
        loader=PackageLoader('lazy_vos_ros.evaluation.report'),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    folder = resources.files('lazy_vos_ros.evaluation.report') / 'templates'
    style, script = (
        (folder / name).read_text(encoding='utf-8') for name in ('report.css', 'report.js')
    )
    runs = [section.run for section in sections]
    several = len(runs) > 1
    return environment.get_template('report.html').render(
        sections=sections,
        beside=beside,
        comparison=comparison_table(runs) if several else None,
        settings=setting_differences(runs) if several else None,
        style=Markup(style),
        script=Markup(script),
        # Nothing that a bag brings can run or load: only this style and this script may.
        policy=(
            f"default-src 'none'; img-src data:; style-src '{_digest(style)}'; "
            f"script-src '{_digest(script)}'; base-uri 'none'; form-action 'none'"
        ),
    )


def _digest(text: str) -> str:
    return 'sha256-' + base64.b64encode(hashlib.sha256(text.encode()).digest()).decode()


def _write_figures(sections: Sequence[Section], folder: Path) -> None:
    folder.mkdir(exist_ok=True)
    for kind in ('timeline', 'questions'):
        for old in folder.glob(f'[0-9]*-{kind}.png'):
            old.unlink()
    for number, section in enumerate(sections, start=1):
        name = f'{number}-{file_name(section.run.name)}'
        objects = [item.curves.object_id for item in section.timelines]
        if objects:
            write_timeline(section.run, folder / f'{name}-timeline.png', objects)
        if section.questions:
            write_questions(section.questions, folder / f'{name}-questions.png')
