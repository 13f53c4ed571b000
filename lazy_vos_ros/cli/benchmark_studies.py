"""Studies of the operator that `lazy-vos benchmark` runs: late answers, and the balance."""

from __future__ import annotations

import argparse
from pathlib import Path
from typing import TYPE_CHECKING
from typing import Any

from lazy_vos_ros.cli import arguments

if TYPE_CHECKING:
    from lazy_vos_ros.engine.config import LazyConfig
    from lazy_vos_ros.evaluation.benchmark.run import Means
    from lazy_vos_ros.evaluation.benchmark.run import Plan

DELAYS = 'delays'
BALANCE = 'balance'
LATE_DEFAULT = ('memory',)


def add_study_arguments(group: Any) -> None:
    """Add the arguments of both studies."""
    group.add_argument(
        '--operator-delay',
        type=arguments.numbers,
        metavar='0,1,..',
        help='a table over these seconds from a question to its answer',
    )
    group.add_argument(
        '--late',
        type=lates,
        metavar='A,B',
        help='what late answers do: memory (default), replay, next-frame (the clicked pixel is '
        'applied to the newest frame, as other nodes do)',
    )
    group.add_argument(
        '--balance',
        action='store_true',
        help='R@0.5 over NoC for lazy, rand-lazy, fixed intervals and both triggers',
    )


def is_study(args: argparse.Namespace) -> bool:
    """Whether the arguments ask for one of the studies."""
    if args.balance and args.operator_delay is not None:
        raise ValueError('--balance and --operator-delay are both given; allowed: one of them')
    if args.late is not None and args.operator_delay is None:
        raise ValueError('--late without --operator-delay; allowed: both, or neither')
    return args.balance or args.operator_delay is not None


def run_delay_study(args: argparse.Namespace, plan: Plan, folder: Path, means: Means) -> int:
    """Run one method with late answers; print the table, write CSV and plot."""
    from lazy_vos_ros.evaluation.delay_study import delay_table
    from lazy_vos_ros.evaluation.delay_study import draw_delays
    from lazy_vos_ros.evaluation.delay_study import run_delays
    from lazy_vos_ros.evaluation.delay_study import write_delays

    rows = run_delays(
        plan, args.operator_delay, args.late or LATE_DEFAULT, folder, means, say=print
    )
    print(delay_table(rows))
    write_delays(rows, folder / f'{DELAYS}.csv')
    draw_delays(rows, folder / DELAYS)
    print(f'{DELAYS}.csv, .png and .svg are in {folder}')
    return 0


def run_balance_study(plan: Plan, base: LazyConfig, folder: Path, means: Means) -> int:
    """Run all points of the balance curve; print the table, write CSV and plot."""
    from lazy_vos_ros.evaluation.balance import balance_table
    from lazy_vos_ros.evaluation.balance import draw_balance
    from lazy_vos_ros.evaluation.balance import run_balance
    from lazy_vos_ros.evaluation.balance import write_balance

    points = run_balance(plan, base, folder, means, say=print)
    print(balance_table(points))
    write_balance(points, folder / f'{BALANCE}.csv')
    draw_balance(points, folder / BALANCE)
    print(f'{BALANCE}.csv, .png and .svg are in {folder}')
    return 0


def lates(text: str) -> tuple[str, ...]:
    """Return the uses of late answers that `text` lists, each once."""
    from lazy_vos_ros.evaluation.delayed_operator import LATE

    words = tuple(dict.fromkeys(text.split(',')))
    if not all(word in LATE for word in words):
        raise arguments.refusal(text, f'{", ".join(LATE)}, or several of them')
    return words
