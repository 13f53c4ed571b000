"""Robustness against the operator's work: R@0.5 over NoC for several ways to call a person."""

from __future__ import annotations

import csv
from collections.abc import Callable
from collections.abc import Iterator
from collections.abc import Sequence
from dataclasses import dataclass
from dataclasses import replace
from pathlib import Path
from typing import Any

from matplotlib.axes import Axes
from matplotlib.figure import Figure

from lazy_vos_ros.engine.config import LazyConfig
from lazy_vos_ros.evaluation.benchmark.methods import parse_method
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
from lazy_vos_ros.evaluation.timeline import PURPLE

BLACK = '#000000'
FIGURES = ('R@0.25', 'R@0.5', 'J&F', 'NoC')
LOOKS = {
    'lazy': Look(BLUE, 'o', '-', 'lazy (\u0394S-trigger and pseudo-corrections)'),
    'ds-trigger': Look(GREEN, 's', '--', '\u0394S-trigger alone'),
    's-trigger': Look(PURPLE, 'D', '-.', 'S-trigger alone'),
    'rand-lazy': Look(ORANGE, '^', ':', 'rand-lazy (at random)'),
    'interval': Look(BLACK, 'v', (0, (5, 1, 1, 1, 1, 1)), 'fixed interval'),
}
ALONE = 'nobody is asked'

FACTORS = (0.4, 0.65, 1.0, 1.6)
"""Of the weights' own threshold tau_u, for triggers on the derivative."""
LEVELS = (0.15, 0.25, 0.4, 0.6)
"""Of S_R, for the trigger on the level."""
MEANS = (1.0, 2.0, 4.0, 8.0)
"""Corrections of an object, for those at random."""
INTERVALS = (40, 20, 10, 5)
"""Frames, for those at regular intervals."""


@dataclass(frozen=True)
class BalancePoint:
    """One method with one threshold."""

    curve: str
    """Of :data:`LOOKS`, or :data:`ALONE`."""
    knob: str
    """What was varied, and its value, e.g. ``tau_u=0.2``."""
    results: Results

    @property
    def values(self) -> dict[str, Any]:
        """The point as plain values."""
        mean = self.results.mean
        figures = {key: mean[key] for key in FIGURES}
        return {'curve': self.curve, 'knob': self.knob, **figures, 'objects': mean['objects']}


def balance_plans(plan: Plan, base: LazyConfig) -> Iterator[tuple[str, str, Plan]]:
    """Yield curve, knob and plan of every point.

    Parameters
    ----------
    plan
        Data, weights and everything else; its method is replaced.
    base
        Thresholds that suit the weights.
    """

    def with_method(text: str, config: LazyConfig, **changes: Any) -> Plan:
        method = parse_method(text, config, s_threshold=changes.pop('s_threshold', None))
        return replace(plan, settings=replace(plan.settings, method=method, **changes))

    yield ALONE, 'lazy-auto', with_method('lazy-auto', base)
    for factor in FACTORS:
        tau_u = base.tau_u * factor
        config = replace(base, tau_u=tau_u, tau_p=min(base.tau_p, tau_u))
        for curve, text in (('lazy', 'lazy'), ('ds-trigger', 'udu+user+idu+ds-trigger')):
            yield curve, f'tau_u={tau_u:.3g}', with_method(text, config)
    for level in LEVELS:
        one = with_method('udu+user+idu+s-trigger', base, s_threshold=level)
        yield 's-trigger', f'S={level:g}', one
    for mean in MEANS:
        yield 'rand-lazy', f'mean={mean:g}', with_method('rand-lazy', base, random_mean=mean)
    for frames in INTERVALS:
        yield 'interval', f'frames={frames}', with_method(f'interval:{frames}', base)


def run_balance(
    plan: Plan,
    base: LazyConfig,
    folder: Path,
    means: Means,
    *,
    say: Callable[[str], None],
) -> list[BalancePoint]:
    """Run all points, each in a folder of its own below `folder`.

    `plan` and `base` as of :func:`balance_plans`; `say` takes what is being done, for people.
    """
    points = []
    for curve, knob, one in balance_plans(plan, base):
        say(f'{curve}, {knob}')
        results = run_benchmark(one, folder / ROWS / row_folder(one), means)
        points.append(BalancePoint(curve, knob, results))
    return points


def balance_table(points: Sequence[BalancePoint]) -> str:
    """Return the points as lines of text for people; qualities in percent."""
    lines = [f'{"curve":<18}{"knob":<14}' + ''.join(f'{key:>9}' for key in FIGURES)]
    for point in points:
        figures = ''.join(f'{number_text(key, point.values[key]):>9}' for key in FIGURES)
        lines.append(f'{point.curve:<18}{point.knob:<14}{figures}')
    return '\n'.join(lines)


def write_balance(points: Sequence[BalancePoint], path: Path) -> None:
    """Write the points as CSV; qualities are from 0 to 1."""
    with path.open('w', newline='', encoding='utf-8') as file:
        writer = csv.DictWriter(file, fieldnames=list(points[0].values))
        writer.writeheader()
        writer.writerows(point.values for point in points)


def draw_balance(points: Sequence[BalancePoint], path: Path) -> None:
    """Draw R@0.5 over NoC, one curve for each way to call a person.

    `path` is without suffix; .png and .svg are written.
    """
    figure = Figure(figsize=(7.6, 5.0), dpi=150, layout='constrained')
    axes = figure.add_subplot()
    for curve, look in LOOKS.items():
        own = sorted((p.results.mean['NoC'], p.results.mean['R@0.5']) for p in _of(points, curve))
        if own:
            axes.plot([noc for noc, _ in own], [100 * r for _, r in own], **look.line())
    for point in _of(points, ALONE):
        value = 100 * point.results.mean['R@0.5']
        axes.axhline(value, color=GREY, linewidth=1.2, linestyle='-.', label=ALONE)
    _label(axes, points)
    save_figure(figure, path)


def _of(points: Sequence[BalancePoint], curve: str) -> list[BalancePoint]:
    return [point for point in points if point.curve == curve]


def _label(axes: Axes, points: Sequence[BalancePoint]) -> None:
    mean = points[0].results.mean
    axes.set_xscale('symlog', linthresh=1.0)
    most = max(point.results.mean['NoC'] for point in points)
    ticks = [tick for tick in (0, 1, 2, 5, 10, 20, 50, 100, 200, 500, 1000) if tick <= 2 * most]
    axes.set_xticks(ticks, [str(tick) for tick in ticks])
    axes.minorticks_off()
    axes.set_xlim(left=0)
    axes.set_xlabel(f'NoC: corrections by a person over all {mean["objects"]:g} objects')
    axes.set_ylabel('R@0.5 (%)')
    axes.grid(alpha=0.3)
    axes.legend(fontsize=9)
    axes.set_title('Robustness against work', fontsize=11)
