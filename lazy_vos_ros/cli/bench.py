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
  lazy-vos bench --full --device cuda --json out/gpu.json
  lazy-vos bench --ros
  lazy-vos bench --official ../XMem --weights official-random
"""

import argparse
from pathlib import Path
from typing import TYPE_CHECKING

from lazy_vos_ros.cli import arguments
from lazy_vos_ros.cli.bench_plan import LONG
from lazy_vos_ros.cli.bench_plan import OFFICIAL_FRAMES
from lazy_vos_ros.cli.bench_plan import ROS_FRAMES
from lazy_vos_ros.cli.bench_plan import SMALLEST
from lazy_vos_ros.cli.bench_plan import image_size
from lazy_vos_ros.cli.bench_plan import precisions
from lazy_vos_ros.cli.bench_plan import whole_numbers

if TYPE_CHECKING:
    from lazy_vos_ros.evaluation.speed.results_file import ResultsFile
    from lazy_vos_ros.evaluation.speed.results_file import Row

DEFAULT_JSON = Path('out/bench.json')


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Add the arguments of `lazy-vos bench`."""
    what = parser.add_argument_group('what is measured; without these, the tracker alone')
    part = what.add_mutually_exclusive_group()
    part.add_argument(
        '--ros',
        action='store_true',
        help='the way of images through ROS, inference apart: latency and losses at 30 and 60 Hz, '
        '640x480 to 1920x1080',
    )
    part.add_argument(
        '--official',
        type=Path,
        metavar='DIR',
        help='the tracker beside a checkout of https://github.com/hkchengrex/XMem: the same '
        'frames and weights, in turn; ratio and largest difference',
    )
    rows = parser.add_argument_group('which rows')
    rows.add_argument(
        '--weights',
        metavar='A,B',
        help='names of the manifest, files, or official-random: the published layout with random '
        'numbers, as fast as the real weights (default: all weights on this machine)',
    )
    rows.add_argument(
        '--sizes',
        type=whole_numbers(SMALLEST),
        metavar='N,..',
        help='short sides inside the network; default 256,480,720',
    )
    rows.add_argument(
        '--objects', type=whole_numbers(1), metavar='N,..', help='how many; default 1,2,4,8'
    )
    rows.add_argument(
        '--precisions',
        type=precisions,
        metavar='P,..',
        help='fp32, bf16, fp16 or half (bf16 on a CPU, else fp16); default fp32,half',
    )
    rows.add_argument('--full', action='store_true', help='every combination of the four')
    rows.add_argument(
        '--image',
        type=image_size,
        metavar='WxH',
        help='size of the images (default: 854x480, or as large as the network works)',
    )
    length = parser.add_argument_group('how long')
    length.add_argument(
        '--frames',
        type=arguments.whole(1),
        metavar='N',
        help=f'of a row; default 100, {ROS_FRAMES} with --ros, {OFFICIAL_FRAMES} with --official',
    )
    length.add_argument(
        '--seconds',
        type=arguments.number(low=0),
        metavar='S',
        help='a row of the tracker alone ends after so long, with fewer frames if need be; 0: '
        'never; default 8',
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
        '--threads',
        type=arguments.whole(1),
        metavar='N',
        help='of PyTorch on the CPU; default: every core',
    )
    other.add_argument(
        '--json', type=Path, default=DEFAULT_JSON, metavar='FILE', help=f'default {DEFAULT_JSON}'
    )
    other.add_argument(
        '--resume', action='store_true', help='keep the rows that FILE has, measure the others'
    )
    other.add_argument(
        '--plots', type=Path, metavar='DIR', help='draw time and memory as PNG from these rows'
    )


def run(args: argparse.Namespace) -> int:
    """Measure, print the table; 1 if a row failed."""
    if args.plots and (args.ros or args.official):
        raise ValueError('--plots with --ros or --official; allowed: with the tracker alone')
    if args.plots and args.plots.exists() and not args.plots.is_dir():
        raise ValueError(f'{args.plots} is a file; allowed: a folder, which is made if need be')
    if args.ros:
        return run_ros(args)
    if args.official:
        return run_official(args)
    return run_steps(args)


def run_steps(args: argparse.Namespace) -> int:
    """Measure the tracker alone."""
    from lazy_vos_ros.cli.bench_plan import step_cases
    from lazy_vos_ros.evaluation.speed.process import measure_apart
    from lazy_vos_ros.evaluation.speed.run import measure_rows
    from lazy_vos_ros.evaluation.speed.table import row_words
    from lazy_vos_ros.evaluation.speed.table import step_table

    cases = step_cases(args)
    file = open_file(args, 'step')
    rows = measure_rows('step', cases, file, measure_apart, row_words)
    status = finish(rows, step_table(rows), file)
    if args.plots:
        from lazy_vos_ros.evaluation.speed.plots import draw_plots

        for path in draw_plots(rows, args.plots):
            print(path)
    return status


def run_ros(args: argparse.Namespace) -> int:
    """Measure the way through ROS."""
    from lazy_vos_ros.cli.bench_plan import ros_cases
    from lazy_vos_ros.cli.latency.measure import measure_way
    from lazy_vos_ros.cli.latency.table import ros_table
    from lazy_vos_ros.cli.latency.table import row_words
    from lazy_vos_ros.evaluation.speed.run import measure_rows

    cases = ros_cases(args)
    file = open_file(args, 'ros')
    rows = measure_rows('ros', cases, file, measure_way, row_words)
    return finish(rows, ros_table(rows), file)


def run_official(args: argparse.Namespace) -> int:
    """Measure beside the published code."""
    from lazy_vos_ros.cli.bench_plan import official_cases
    from lazy_vos_ros.evaluation.speed.official_comparison import load_official
    from lazy_vos_ros.evaluation.speed.official_rows import measure_beside
    from lazy_vos_ros.evaluation.speed.official_rows import official_table
    from lazy_vos_ros.evaluation.speed.official_rows import row_words
    from lazy_vos_ros.evaluation.speed.run import measure_rows

    load_official(args.official)  # says at once if it is not there
    cases = official_cases(args)
    file = open_file(args, 'official')
    rows = measure_rows('official', cases, file, measure_beside, row_words)
    return finish(rows, official_table(rows), file)


def open_file(args: argparse.Namespace, part: str) -> 'ResultsFile':
    """Return the file of the results, without rows of this part unless it is resumed."""
    from lazy_vos_ros.engine.build import resolve_device
    from lazy_vos_ros.evaluation.speed.machine import machine_facts
    from lazy_vos_ros.evaluation.speed.results_file import ResultsFile

    file = ResultsFile(args.json, machine_facts(resolve_device(args.device)))
    if not args.resume:
        file.begin(part)
    return file


def finish(rows: 'list[Row]', table: str, file: 'ResultsFile') -> int:
    """Print the table and where it is kept; return 1 if a row failed."""
    print(f'\n{table}\n\nresults are in {file.path}')
    return int(any('error' in row for row in rows))
