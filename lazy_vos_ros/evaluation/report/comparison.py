"""Several runs side by side, with their differences to the first."""

from __future__ import annotations

from collections.abc import Callable
from collections.abc import Sequence
from dataclasses import dataclass
from math import isfinite

from lazy_vos_ros.evaluation.evaluated_run import EvaluatedRun
from lazy_vos_ros.evaluation.report import words
from lazy_vos_ros.evaluation.report.tables import Table

Getter = Callable[[EvaluatedRun], float | None]


@dataclass(frozen=True)
class Measure:
    """A figure that runs are compared by."""

    name: str
    get: Getter
    form: str
    unit: str = ''
    better: int = 0
    """1: more is better, -1: less is better, 0: neither."""


def _summary(name: str) -> Getter:
    return lambda run: getattr(run.summary, name)


def _quality(name: str) -> Getter:
    return lambda run: run.quality.mean.get(name) if run.quality else None


def _per_minute(run: EvaluatedRun) -> float | None:
    minutes = run.summary.duration / 60
    return run.summary.questions / minutes if minutes > 0 else None


def _most_memory(run: EvaluatedRun) -> float | None:
    return max(frame.working_memory + frame.long_term_memory for frame in run.run.frames)


MEASURES = (
    Measure('length of the video', _summary('duration'), '{:.1f}', 's'),
    Measure('frames processed', _summary('frames'), '{:.0f}'),
    Measure('objects', lambda run: len(run.summary.objects), '{:.0f}'),
    Measure('J (IoU)', _quality('J'), '{:.3f}', '', 1),
    Measure('F', _quality('F'), '{:.3f}', '', 1),
    Measure('J&F', _quality('J&F'), '{:.3f}', '', 1),
    Measure('R@0.1', _quality('R@0.1'), '{:.3f}', '', 1),
    Measure('R@0.25', _quality('R@0.25'), '{:.3f}', '', 1),
    Measure('R@0.5', _quality('R@0.5'), '{:.3f}', '', 1),
    Measure('questions', _summary('questions'), '{:.0f}', '', -1),
    Measure('questions a minute', _per_minute, '{:.2f}', '', -1),
    Measure('answers', _summary('answers'), '{:.0f}'),
    Measure('questions expired', _summary('expired'), '{:.0f}', '', -1),
    Measure('median reaction time', _summary('reaction_p50'), '{:.2f}', 's', -1),
    Measure('questions spared', _summary('suppressed'), '{:.0f}'),
    Measure('corrections unasked', _summary('unasked'), '{:.0f}', '', -1),
    Measure('self-corrections', _summary('pseudo_corrections'), '{:.0f}'),
    Measure('corrections (NoC)', _summary('noc'), '{:.0f}', '', -1),
    Measure('mean time between them (IDI)', _summary('idi'), '{:.1f}', 's', 1),
    Measure('median time between them', _summary('median_gap'), '{:.1f}', 's', 1),
    Measure('within 1 s of the one before', _summary('quick_share'), '{:.2f}', '', -1),
    Measure('corrections of one object (ACI)', _summary('aci'), '{:.2f}', '', -1),
    Measure('processed a second', _summary('fps'), '{:.1f}', '', 1),
    Measure('images dropped', _summary('dropped'), '{:.0f}', '', -1),
    Measure('image to result, median', _summary('latency_p50'), '{:.0f}', 'ms', -1),
    Measure('image to result, 95 %', _summary('latency_p95'), '{:.0f}', 'ms', -1),
    Measure('time step, median', _summary('step_p50'), '{:.0f}', 'ms', -1),
    Measure('memory, most elements', _most_memory, '{:.0f}'),
)


def comparison_table(runs: Sequence[EvaluatedRun]) -> Table:
    """Return the figures of at least two runs, each beside its difference to the first."""
    first = runs[0]
    head = ['measure', first.name]
    for run in runs[1:]:
        head += [run.name, 'difference' if len(runs) == 2 else f'{run.name}: difference']
    rows = []
    for measure in MEASURES:
        values = [measure.get(run) for run in runs]
        if all(value is None for value in values):
            continue
        row = [measure.name, words.number(values[0], measure.form, measure.unit)]
        for value in values[1:]:
            text = words.number(value, measure.form, measure.unit)
            row += [text, difference(measure, values[0], value)]
        rows.append(tuple(row))
    note = (
        f'Differences are to {first.name}. “Better” and “worse” stand where a direction is '
        'better; one recording each is no proof of it.'
    )
    return Table('Figures', tuple(head), tuple(rows), note)


def difference(measure: Measure, first: float | None, other: float | None) -> str:
    """Return how much `other` is above `first`, and whether that is better."""
    if first is None or other is None or not (isfinite(first) and isfinite(other)):
        return words.UNKNOWN
    change = other - first
    text = words.number(change, measure.form.replace(':', ':+'), measure.unit)
    if measure.form.format(abs(change)) == measure.form.format(0.0):
        return 'the same'
    if not measure.better:
        return text
    return f'{text} {"better" if change * measure.better > 0 else "worse"}'


def setting_differences(runs: Sequence[EvaluatedRun]) -> Table:
    """Return what the runs were made with, where it is not the same for all."""
    names = dict.fromkeys(name for run in runs for name in _made_with(run))
    rows = []
    for name in names:
        values = [_made_with(run).get(name, words.UNKNOWN) for run in runs]
        if len(set(values)) > 1:
            rows.append((name, *values))
    head = ('setting', *(run.name for run in runs))
    return Table('What was not the same', head, tuple(rows), texts=head[1:])


def _made_with(run: EvaluatedRun) -> dict[str, str]:
    told = {name: run.settings[name] for name in ('weights', 'refiner') if name in run.settings}
    config = {name: str(value) for name, value in vars(run.config).items()}
    return {**told, **run.about, **config}
