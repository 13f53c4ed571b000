"""What an answer is worth that comes late: one method over delays and uses of late answers."""

from __future__ import annotations

import csv
from collections.abc import Callable
from collections.abc import Sequence
from dataclasses import dataclass
from dataclasses import replace
from math import inf
from pathlib import Path
from typing import Any

from matplotlib.figure import Figure

from lazy_vos_ros.evaluation.benchmark.results import Results
from lazy_vos_ros.evaluation.benchmark.results import number_text
from lazy_vos_ros.evaluation.benchmark.run import Means
from lazy_vos_ros.evaluation.benchmark.run import Plan
from lazy_vos_ros.evaluation.benchmark.run import run_benchmark
from lazy_vos_ros.evaluation.benchmark.suite_run import ROWS
from lazy_vos_ros.evaluation.benchmark.suite_run import row_folder
from lazy_vos_ros.evaluation.curves import Look
from lazy_vos_ros.evaluation.curves import save_figure
from lazy_vos_ros.evaluation.timeline import BLUE
from lazy_vos_ros.evaluation.timeline import GREEN
from lazy_vos_ros.evaluation.timeline import GREY
from lazy_vos_ros.evaluation.timeline import ORANGE

FIGURES = ('R@0.25', 'R@0.5', 'J&F', 'NoC')
LOOKS = {
    'memory': Look(BLUE, 'o', '-', 'memory: the frame of the question is memorised'),
    'replay': Look(GREEN, 's', '--', 'replay: and all frames since are tracked again'),
    'next-frame': Look(ORANGE, '^', ':', 'next-frame: the pixel is applied to the newest frame'),
}


@dataclass(frozen=True)
class DelayRow:
    """One delay and one use of late answers."""

    late: str
    """Empty where it makes no difference: without a delay, or without an operator."""
    seconds: float
    """inf: nobody ever answers."""
    results: Results

    @property
    def values(self) -> dict[str, Any]:
        """The row as plain values."""
        mean = self.results.mean
        return {
            'late': self.late or '-',
            'delay': self.seconds,
            **{key: mean[key] for key in FIGURES},
            'questions': self.questions,
        }

    @property
    def questions(self) -> int:
        """Questions that were asked, answered or not."""
        return sum(
            item['events'].get('asked', 0)
            for sequence in self.results.sequences
            for item in sequence['objects']
        )


def plan_with_delay(plan: Plan, seconds: float, late: str) -> Plan:
    """Return the plan with an operator who answers after this time.

    The tracker may replay as long as it takes: what is measured is what a replay is worth, not
    how fast this machine is.

    Raises
    ------
    ValueError
        If the method has no operator who could be late.
    """
    method = plan.settings.method
    config = replace(method.config, late='replay' if late == 'replay' else 'memory')
    if late == 'replay':
        config = replace(config, replay_seconds=inf, replay_frames=100000, replay_megabytes=100000)
    if seconds == inf:
        config = replace(config, user_corrections=False, tau_u=inf)
    settings = replace(
        plan.settings,
        method=replace(method, config=config),
        operator_delay=0.0 if seconds == inf else seconds,
        late=late or 'memory',
    )
    return replace(plan, settings=settings)


def run_delays(
    plan: Plan,
    delays: Sequence[float],
    lates: Sequence[str],
    folder: Path,
    means: Means,
    *,
    say: Callable[[str], None],
) -> list[DelayRow]:
    """Run a plan with each delay, and without an operator, for comparison.

    Parameters
    ----------
    plan
        The method, whose operator answers at once.
    delays
        Seconds of the videos, from 0.
    lates
        Of :data:`~lazy_vos_ros.evaluation.delayed_operator.LATE`.
    folder, means
        As of :func:`~lazy_vos_ros.evaluation.benchmark.run.run_benchmark`.
    say
        Takes what is being done, for people.
    """
    cases = [('', seconds) for seconds in delays if seconds == 0]
    cases += [(late, seconds) for late in lates for seconds in delays if seconds > 0]
    rows = []
    for late, seconds in [*cases, ('', inf)]:
        one = plan_with_delay(plan, seconds, late)
        say(f'answers {_delay_text(seconds)}{f", {late}" if late else ""}')
        results = run_benchmark(one, folder / ROWS / row_folder(one), means)
        rows.append(DelayRow(late, seconds, results))
    return rows


def delay_table(rows: Sequence[DelayRow]) -> str:
    """Return the rows as lines of text for people; qualities in percent."""
    head = f'{"late answers":<14}{"delay":>10}' + ''.join(f'{key:>9}' for key in FIGURES)
    lines = [f'{head}{"asked":>9}']
    for row in rows:
        figures = ''.join(f'{number_text(key, row.values[key]):>9}' for key in FIGURES)
        delay = 'never' if row.seconds == inf else f'{row.seconds:g} s'
        lines.append(f'{row.values["late"]:<14}{delay:>10}{figures}{row.questions:>9}')
    return '\n'.join(lines)


def write_delays(rows: Sequence[DelayRow], path: Path) -> None:
    """Write the rows as CSV; qualities are from 0 to 1."""
    with path.open('w', newline='', encoding='utf-8') as file:
        writer = csv.DictWriter(file, fieldnames=list(rows[0].values))
        writer.writeheader()
        writer.writerows(row.values for row in rows)


def draw_delays(rows: Sequence[DelayRow], path: Path) -> None:
    """Draw R@0.5 over the delay, one line for each use of late answers.

    `path` is without suffix; .png and .svg are written.
    """
    figure = Figure(figsize=(7.2, 4.6), dpi=150, layout='constrained')
    axes = figure.add_subplot()
    at_once = [row for row in rows if not row.late and row.seconds == 0]
    for late, look in LOOKS.items():
        own = [*at_once, *(row for row in rows if row.late == late)]
        if len(own) > len(at_once):
            values = [100 * row.results.mean['R@0.5'] for row in own]
            axes.plot([row.seconds for row in own], values, **look.line())
    for row in rows:
        if row.seconds == inf:
            value = 100 * row.results.mean['R@0.5']
            axes.axhline(value, color=GREY, linewidth=1.2, linestyle='-.', label='nobody answers')
    axes.set_xscale('symlog', linthresh=0.5)
    ticks = sorted({row.seconds for row in rows if row.seconds < inf})
    axes.set_xticks(ticks, [f'{tick:g}' for tick in ticks])
    axes.minorticks_off()
    axes.set_xlabel('seconds from the question to its answer')
    axes.set_ylabel('R@0.5 (%)')
    axes.grid(alpha=0.3)
    axes.legend(fontsize=9)
    axes.set_title('What an answer is worth that comes late', fontsize=11)
    save_figure(figure, path)


def _delay_text(seconds: float) -> str:
    if seconds == inf:
        return 'never'
    return f'after {seconds:g} s' if seconds else 'at once'
