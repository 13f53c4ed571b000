"""The tables of one run."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass
from dataclasses import fields
from dataclasses import replace
from itertools import groupby

import numpy as np

from lazy_vos_ros.engine.config import LazyConfig
from lazy_vos_ros.evaluation.evaluated_run import EvaluatedRun
from lazy_vos_ros.evaluation.report import words
from lazy_vos_ros.evaluation.report.curves import Curves
from lazy_vos_ros.evaluation.report.question_views import chosen
from lazy_vos_ros.evaluation.report.question_views import table_rows
from lazy_vos_ros.evaluation.report.scales import Floats
from lazy_vos_ros.evaluation.report.scales import finite
from lazy_vos_ros.evaluation.runs import Diagnosis
from lazy_vos_ros.evaluation.workload import workload_of

ROWS = 200
"""Most rows of a table; the rest is told below it."""
MODEL = ('weights', 'refiner')
"""What the tracker tells about itself that is no figure and no threshold."""


@dataclass(frozen=True)
class Table:
    """A table as it is printed; the first column names the row."""

    title: str
    head: tuple[str, ...]
    rows: tuple[tuple[str, ...], ...]
    note: str = ''
    texts: tuple[str, ...] = ()
    """Heads of the columns, after the first, that hold words; the others hold numbers."""


def tables_of(run: EvaluatedRun, curves: Sequence[Curves]) -> list[Table]:
    """Return all tables of a run that have a row; `curves` are those of all its objects."""
    tables = [
        objects_table(run, curves),
        quality_table(run),
        questions_table(run),
        warnings_table(run),
        workload_table(run),
        speed_table(run),
        memory_table(run),
        settings_table(run),
        diagnostics_table(run),
    ]
    return [table for table in tables if table.rows]


def objects_table(run: EvaluatedRun, curves: Sequence[Curves]) -> Table:
    """Return what became of each object, and what it cost."""
    rows = []
    found = {item.object_id: item for item in curves}
    for effort in run.summary.objects:
        line = found[effort.object_id]
        rows.append(
            (
                f'{effort.object_id} {effort.label}',
                words.whole(effort.frames),
                words.duration(effort.seconds),
                words.duration(line.absent_seconds),
                words.number(_mean(line.uncertainty)),
                words.number(finite(line.uncertainty)[1]),
                str(len(line.questions)),
                str(effort.noc),
                words.number(effort.idi, '{:.1f}', 's'),
                words.number(effort.aci),
            )
        )
    head = ('object', 'frames', 'tracked', 'absent', 'mean S', 'largest S', 'questions')
    note = (
        'S: uncertainty, the mean entropy around the mask, 0 sure to 1 unsure. NoC: corrections '
        'by the operator. IDI: mean time from one interaction with the operator to the next. ACI: '
        'in effect the corrections of one object (Eq. 8 of the paper).'
    )
    return _bounded(
        Table('Objects', (*head, 'NoC', 'IDI', 'ACI'), tuple(rows), note), 'objects', ROWS
    )


def quality_table(run: EvaluatedRun) -> Table:
    """Return how good the masks were, where the true ones are known."""
    if run.quality is None:
        return Table('Quality of the masks', (), ())
    names = tuple(run.quality.mean)
    rows = [
        (
            f'{item.object_id} {item.label}',
            words.whole(len(item.counted)),
            *(words.number(item.measures.get(name), '{:.3f}') for name in names),
        )
        for item in run.quality.objects
    ]
    means = {'mean': run.quality} if len(rows) > 1 else {}
    if run.repaired is not None:
        means['mean after replays'] = run.repaired
    for title, quality in means.items():
        values = (words.number(quality.mean.get(name), '{:.3f}') for name in names)
        rows.append((title, words.whole(quality.frames), *values))
    note = (
        f'True masks: {run.quality.source}. J: overlap with the true mask (IoU), F: of the '
        'boundary, R@τ: part of the frames with IoU of τ or more; all 0 to 1, more is better.'
    )
    return _bounded(
        Table('Quality of the masks', ('object', 'frames', *names), tuple(rows), note),
        'objects',
        ROWS,
    )


def workload_table(run: EvaluatedRun) -> Table:
    """Return what the person and the tracker did."""
    summary = run.summary
    workload = workload_of(run.run)
    rows = [
        ('questions', str(summary.questions)),
        ('questions a minute', words.number(workload.questions_per_minute, '{:.1f}')),
        ('most questions within a minute', str(workload.most_in_a_minute)),
        ('time with an open question', words.duration(workload.waiting)),
        ('answered', str(summary.answers)),
        ('median reaction time', words.number(workload.reaction.p50, '{:.2f}', 's')),
        ('reaction time, 95 %', words.number(workload.reaction.p95, '{:.2f}', 's')),
        ('longest reaction time', words.number(workload.reaction.highest, '{:.2f}', 's')),
        ('skipped', str(summary.skipped)),
        ('expired', str(summary.expired)),
        ('open at the end', str(summary.still_open)),
        ('answers refused', str(summary.refused)),
        ('corrections unasked', str(summary.unasked)),
        ('self-corrections', str(summary.pseudo_corrections)),
        ('corrections (NoC)', str(summary.noc)),
        ('mean time between them (IDI)', words.number(summary.idi, '{:.1f}', 's')),
        ('median time between them', words.number(summary.median_gap, '{:.1f}', 's')),
        ('within 1 s of the one before', words.percent(summary.quick_share)),
        ('corrections of one object (ACI)', words.number(summary.aci)),
        ('questions spared', str(summary.suppressed)),
    ]
    rows += [(f'spared: {reason}', str(count)) for reason, count in workload.spared.items()]
    table = Table('Workload', ('what happened', 'figure'), tuple(rows))
    return _bounded(table, 'reasons', ROWS)


def questions_table(run: EvaluatedRun) -> Table:
    """Return every question, or as many as a reader can use, evenly spread."""
    head = ('question', 'time', 'object', 'S', 'change', 'outcome', 'waited')
    rows = tuple(table_rows(run, chosen(len(run.questions), ROWS)))
    left_out = len(run.questions) - len(rows)
    note = f'{words.counted(left_out, "question")} more; the bag has all.' if left_out else ''
    return Table('Questions', head, rows, note, ('object', 'outcome'))


def speed_table(run: EvaluatedRun) -> Table:
    """Return latency, speed and what was dropped."""
    summary = run.summary
    steps = np.array([frame.timings.total for frame in run.run.frames])
    rows: list[tuple[str, ...]] = [
        ('images published', words.whole(summary.sent)),
        ('images processed', words.whole(summary.frames)),
        ('images dropped', words.whole(summary.dropped)),
        ('part of the images dropped', words.number(_drop_percent(run), '{:.1f}', '%')),
        ('processed a second', words.number(summary.fps, '{:.1f}')),
        ('image to result, median', words.number(summary.latency_p50, '{:.0f}', 'ms')),
        ('image to result, 95 %', words.number(summary.latency_p95, '{:.0f}', 'ms')),
        ('time step, median', words.number(summary.step_p50, '{:.0f}', 'ms')),
        ('time step, 95 %', words.number(summary.step_p95, '{:.0f}', 'ms')),
    ]
    parts = {
        'segmentation': 'predict',
        'entropy and triggers': 'lazy',
        'refinement': 'refine',
        'memory': 'commit',
    }
    for name, part in parts.items():
        seconds = np.array([getattr(frame.timings, part) for frame in run.run.frames])
        share = seconds.sum() / steps.sum() if steps.sum() > 0 else None
        rows.append((f'of which {name}', words.percent(share)))
    return Table('Speed and drops', ('figure', 'value'), tuple(rows))


def memory_table(run: EvaluatedRun) -> Table:
    """Return how much the tracker remembered."""
    frames = run.run.frames
    last = frames[-1]
    memorised = sum(frame.memorised for frame in frames)
    most = max(frame.working_memory for frame in frames)
    most_long = max(frame.long_term_memory for frame in frames)
    rows = [
        ('frames memorised', f'{words.whole(memorised)} of {words.whole(len(frames))}'),
        ('working memory, most', words.whole(most, 'elements')),
        ('working memory, at the end', words.whole(last.working_memory, 'elements')),
        ('long-term memory, most', words.whole(most_long, 'elements')),
        ('long-term memory, at the end', words.whole(last.long_term_memory, 'elements')),
    ]
    capacity = run.settings.get('memory elements, capacity', '')
    if capacity.isdigit():
        rows.append(('capacity', words.whole(int(capacity), 'elements')))
    size = run.settings.get('memory bytes', '')
    if size.isdigit():
        rows.append(('size at the end', words.number(int(size) / 1e6, '{:.1f}', 'MB')))
    return Table('Memory', ('figure', 'value'), tuple(rows))


def settings_table(run: EvaluatedRun) -> Table:
    """Return weights, thresholds and all else that the figures depend on."""
    told = set(run.settings)
    rows = [(name, value, 'this evaluation') for name, value in run.about.items()]
    rows += [
        (name, run.settings[name], 'the tracker')
        for name in MODEL
        if name in told and name not in run.about
    ]
    defaults = LazyConfig()
    names = [item.name for item in fields(LazyConfig)]
    for name in names:
        value = getattr(run.config, name)
        differs = value != getattr(defaults, name)
        if name in told or differs:
            source = 'the tracker' if name in told else 'this evaluation'
            rows.append((name, _setting(value), source + (', not the default' if differs else '')))
    silent = [name for name in names if name not in {row[0] for row in rows}]
    note = f'Not in the bag; the defaults are taken: {", ".join(silent)}.' if silent else ''
    return Table(
        'Settings and weights',
        ('setting', 'value', 'told by'),
        tuple(rows),
        note,
        ('value', 'told by'),
    )


def diagnostics_table(run: EvaluatedRun) -> Table:
    """Return the last thing that the tracker said of itself, beside its settings."""
    known = {*MODEL, *(item.name for item in fields(LazyConfig))}
    rows = tuple((name, value) for name, value in run.settings.items() if name not in known)
    note = 'The tracker’s last report before the recording ended.'
    table = Table('Diagnostics', ('figure', 'value'), rows, note, ('value',))
    return _bounded(table, 'figures', ROWS)


def warnings_table(run: EvaluatedRun) -> Table:
    """Return when the tracker said that something was not well.

    What differs in its numbers only is one row, with what was said last.
    """
    begin = run.run.frames[0].finished
    rows = []
    for _, group in groupby(run.run.diagnoses, key=_warning_kind):
        items = list(group)
        first, last = items[0], items[-1]
        times = words.whole(sum(item.count for item in items))
        since = words.number(first.time - begin, '{:.0f}', 's')
        rows.append((since, first.level, first.name, last.message, times))
    head = ('from', 'level', 'of', 'what it said last', 'times')
    note = 'Time since the first result. “Times” one after the other, once a second.'
    table = Table('Warnings of the diagnostics', head, tuple(rows), note, head[1:4])
    return _bounded(table, 'warnings', ROWS)


def _warning_kind(item: Diagnosis) -> tuple[str, str, str]:
    return item.level, item.name, re.sub(r'[0-9.]+', '0', item.message)


def _bounded(table: Table, noun: str, most: int) -> Table:
    """Return a table with at most `most` rows that tells how many it leaves out."""
    if len(table.rows) <= most:
        return table
    left_out = f'{words.whole(len(table.rows) - most)} {noun} more are not shown.'
    return replace(table, rows=table.rows[:most], note=f'{table.note} {left_out}'.strip())


def _mean(values: Floats) -> float | None:
    good = values[np.isfinite(values)]
    return float(good.mean()) if good.size else None


def _drop_percent(run: EvaluatedRun) -> float:
    dropped = run.summary.dropped
    return 100 * dropped / (dropped + run.summary.frames)


def _setting(value: object) -> str:
    if isinstance(value, bool):
        return 'yes' if value else 'no'
    return f'{value:g}'.replace('inf', 'no limit') if isinstance(value, float) else str(value)
