"""Measure how fast this machine tracks, and with how much memory.

Each row is measured in a process of its own, after a warm-up that does not count, on a moving
scene. By default the weights that are present are measured at each size, then with each number of
objects, then in half precision, one thing at a time from the first of each list; --full takes
every combination. Finished rows are in the JSON file at once: after an interruption, --resume
measures only what is missing. docs/performance.md tells what the columns mean.

Examples:
  lazy-vos bench
  lazy-vos bench --weights compact,official-random --sizes 480 --objects 1 --precisions fp32
  lazy-vos bench --long --sizes 256 --objects 1 --precisions fp32 --plots out/plots
  lazy-vos bench --full --device cuda --json out/h200.json
  lazy-vos bench --ros
"""

import argparse
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from lazy_vos_ros.evaluation.speed.plan import Plan
    from lazy_vos_ros.evaluation.speed.results_file import ResultsFile

DEFAULT_JSON = Path('out/bench.json')
LONG = 10_000
"""Frames of a row with --long."""


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Add the arguments of `lazy-vos bench`."""
    rows = parser.add_argument_group('which rows')
    rows.add_argument(
        '--weights',
        metavar='A,B',
        help='names of the manifest, files, or official-random: the published layout with random '
        'numbers, as fast as the real weights (default: all weights on this machine)',
    )
    rows.add_argument('--sizes', metavar='N,..', help='short sides inside the network')
    rows.add_argument('--objects', metavar='N,..', help='numbers of objects')
    rows.add_argument(
        '--precisions', metavar='P,..', help='fp32, bf16, fp16 or half (bf16 on a CPU, else fp16)'
    )
    rows.add_argument('--full', action='store_true', help='every combination of the four')
    rows.add_argument(
        '--image',
        metavar='WxH',
        help='size of the images (default: 854x480, or as large as the network works)',
    )
    length = parser.add_argument_group('how long')
    length.add_argument('--frames', type=int, metavar='N', help='of a row; default 100')
    length.add_argument(
        '--seconds',
        type=float,
        metavar='S',
        help='a row ends after so long, with fewer frames if need be; 0: never; default 8',
    )
    length.add_argument(
        '--long',
        action='store_true',
        help=f'{LONG:,} frames a row, however long it takes: is the memory the same as after '
        f'{LONG // 10:,}?',
    )
    other = parser.add_argument_group('with what, and where the results go')
    other.add_argument('--device', default='auto', help='cpu, cuda, cuda:1 or auto')
    other.add_argument(
        '--threads', type=int, metavar='N', help='of PyTorch on the CPU; default: every core'
    )
    other.add_argument('--json', type=Path, default=DEFAULT_JSON, metavar='FILE')
    other.add_argument(
        '--resume', action='store_true', help='keep the rows that FILE has, measure the others'
    )
    other.add_argument(
        '--plots', type=Path, metavar='DIR', help='draw time and memory as PNG from these rows'
    )


def run(args: argparse.Namespace) -> int:
    """Measure, print the table; 1 if a row failed."""
    return run_steps(args)


def run_steps(args: argparse.Namespace) -> int:
    """Measure the tracker alone."""
    from lazy_vos_ros.evaluation.speed.run import measure_steps
    from lazy_vos_ros.evaluation.speed.table import step_table

    cases = plan_of(args).cases(full=args.full)
    file = open_file(args, 'step')
    rows = measure_steps(cases, file)
    print(f'\n{step_table(rows)}\n\nresults are in {file.path}')
    if args.plots:
        from lazy_vos_ros.evaluation.speed.plots import draw_plots

        for path in draw_plots(rows, args.plots):
            print(path)
    return int(any('error' in row for row in rows))


def plan_of(args: argparse.Namespace) -> 'Plan':
    """Return what the arguments say, complete."""
    from lazy_vos_ros.engine.build import resolve_device
    from lazy_vos_ros.evaluation.speed.machine import usable_cores
    from lazy_vos_ros.evaluation.speed.plan import OBJECTS
    from lazy_vos_ros.evaluation.speed.plan import PRECISIONS
    from lazy_vos_ros.evaluation.speed.plan import SIZES
    from lazy_vos_ros.evaluation.speed.plan import Plan
    from lazy_vos_ros.evaluation.speed.plan import check_weights
    from lazy_vos_ros.evaluation.speed.plan import present_weights

    if args.long and (args.frames is not None or args.seconds is not None):
        raise ValueError('--long with --frames or --seconds; allowed: one or the other')
    names = args.weights.split(',') if args.weights else present_weights()
    frames, seconds = (LONG, 0.0) if args.long else (args.frames, args.seconds)
    return Plan(
        weights=check_weights(names),
        sizes=numbers('--sizes', args.sizes, SIZES, low=32),
        objects=numbers('--objects', args.objects, OBJECTS, low=1),
        precisions=precisions(args.precisions, PRECISIONS),
        image=image_size(args.image),
        device=str(resolve_device(args.device)),
        threads=at_least_1('--threads', args.threads, usable_cores()),
        frames=at_least_1('--frames', frames, Plan.frames),
        seconds=Plan.seconds if seconds is None else not_negative('--seconds', seconds),
    )


def open_file(args: argparse.Namespace, part: str) -> 'ResultsFile':
    """Return the file of the results, without rows of this part unless it is resumed."""
    from lazy_vos_ros.engine.build import resolve_device
    from lazy_vos_ros.evaluation.speed.machine import machine_facts
    from lazy_vos_ros.evaluation.speed.results_file import ResultsFile

    file = ResultsFile(args.json, machine_facts(resolve_device(args.device)))
    if not args.resume:
        file.begin(part)
    return file


def numbers(name: str, text: str | None, default: tuple[int, ...], *, low: int) -> tuple[int, ...]:
    """Return the whole numbers of `A,B,..`; ValueError if they are none or below `low`."""
    if text is None:
        return default
    words = text.split(',')
    if not all(word.strip().isdecimal() and int(word) >= low for word in words):
        raise ValueError(f'{name} is {text!r}; allowed: whole numbers from {low}, such as 256,480')
    return tuple(int(word) for word in words)


def precisions(text: str | None, default: tuple[str, ...]) -> tuple[str, ...]:
    """Return the precisions of `A,B,..`; ValueError if one is unknown."""
    allowed = ('fp32', 'half', 'bf16', 'fp16')
    found = default if text is None else tuple(word.strip() for word in text.split(','))
    if not set(found) <= set(allowed):
        raise ValueError(f'--precisions is {text!r}; allowed: {", ".join(allowed)}')
    return found


def image_size(text: str | None) -> tuple[int, int] | None:
    """Return width and height of `WxH`; ValueError if it is none."""
    if text is None:
        return None
    words = text.lower().split('x')
    if len(words) != 2 or not all(word.isdecimal() and int(word) >= 32 for word in words):
        raise ValueError(f'--image is {text!r}; allowed: WIDTHxHEIGHT, such as 1280x720')
    return int(words[0]), int(words[1])


def at_least_1(name: str, value: int | None, default: int) -> int:
    """Return the value, or the default if there is none; ValueError below 1."""
    if value is not None and value < 1:
        raise ValueError(f'{name} is {value}; allowed: at least 1')
    return default if value is None else value


def not_negative(name: str, value: float) -> float:
    """Return the value; ValueError below 0 or if it is no number."""
    if not 0 <= value < float('inf'):
        raise ValueError(f'{name} is {value}; allowed: 0 or more')
    return value
