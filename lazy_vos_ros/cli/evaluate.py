"""Evaluate recorded bags: what the tracker did, what it cost the operator, how good it was.

Reads rosbag2 (MCAP, SQLite), also cut-off and damaged ones, made by `ros2 bag record` or by
lazy_vos_recorder. Writes into DIR: report.html and figures/, results.json, and for each bag
frames_NAME.csv and events_NAME.csv.

Examples:
  lazy-vos evaluate out/demo/bag --out out/report
  lazy-vos evaluate monday tuesday --compare --out out/both
  lazy-vos evaluate bag --ground-truth masks/ --out out/scored
"""

import argparse
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from lazy_vos_ros.evaluation.evaluate_bags import Comparison
    from lazy_vos_ros.evaluation.evaluated_run import EvaluatedRun
    from lazy_vos_ros.evaluation.report.tables import Table


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Add the arguments of `lazy-vos evaluate`."""
    parser.add_argument(
        'bags', nargs='+', type=Path, metavar='BAG', help='folder of a rosbag2, or its one file'
    )
    parser.add_argument('--out', required=True, type=Path, metavar='DIR', help='for the results')
    parser.add_argument(
        '--ground-truth',
        metavar='DIR|TOPIC',
        help='folder of label PNGs, each value an object, or a topic of label images in the bag; '
        'true masks of some frames are enough',
    )
    parser.add_argument(
        '--match',
        choices=('auto', 'index', 'stamp'),
        default='auto',
        help='what the PNGs are named by: the number of the frame, or the stamp of the image in '
        'nanoseconds or seconds (default: told by their names)',
    )
    parser.add_argument(
        '--first-index',
        type=int,
        default=0,
        metavar='N',
        help='number of the PNG of the first recorded image, where the bag does not tell the '
        'frame of the clip (default: 0)',
    )
    parser.add_argument(
        '--objects',
        metavar='ID=ID,...',
        help="the tracker's objects and which of the ground truth they are (default: the same "
        'numbers)',
    )
    parser.add_argument(
        '--tracker', metavar='NAME', help='node, such as /robot/lazy_vos, if a bag has several'
    )
    parser.add_argument(
        '--rerun',
        type=Path,
        metavar='FILE.rrd',
        help='write one bag for the Rerun viewer as well (extra `rerun`)',
    )
    parser.add_argument(
        '--compare', action='store_true', help='print two bags side by side, with differences'
    )


def run(args: argparse.Namespace) -> int:
    """Evaluate all bags that can be read; 1 if there was one that cannot."""
    from lazy_vos_ros.evaluation.evaluate_bags import evaluate_bag
    from lazy_vos_ros.evaluation.evaluate_bags import names_of
    from lazy_vos_ros.evaluation.report import write_report
    from lazy_vos_ros.evaluation.rerun_file import write_rerun
    from lazy_vos_ros.evaluation.run_results import check_folder
    from lazy_vos_ros.evaluation.run_results import prepare_folder
    from lazy_vos_ros.evaluation.run_results import text_of
    from lazy_vos_ros.evaluation.run_results import write_results
    from lazy_vos_ros.evaluation.summary import LEGEND

    if args.compare and len(args.bags) != 2:
        raise ValueError(f'--compare with {len(args.bags)} bags; allowed: two')
    if args.rerun and len(args.bags) != 1:
        raise ValueError(f'--rerun with {len(args.bags)} bags; allowed: one')
    truth = _truth(args)
    check_folder(args.out)
    runs = []
    failed = 0
    for bag, name in zip(args.bags, names_of(args.bags), strict=True):
        try:
            runs.append(evaluate_bag(bag, name, tracker=args.tracker, truth=truth))
        except (ValueError, OSError) as error:
            if len(args.bags) == 1 or args.compare:
                raise
            failed += 1
            print(f'lazy-vos evaluate: {error}', file=sys.stderr)
    if not runs:
        return 1
    if args.compare:
        print(side_by_side(runs))
    else:
        print('\n\n'.join([*(text_of(item) for item in runs), LEGEND]))
    prepare_folder(args.out)
    write_results(runs, args.out)
    written = [write_report(runs, args.out)]
    if args.rerun:
        write_rerun(runs[0], args.rerun)
        written.append(args.rerun)
    print()
    for path in (*written, *sorted(args.out.glob('*.json')), *sorted(args.out.glob('*.csv'))):
        print(path)
    return 1 if failed else 0


def side_by_side(runs: 'Sequence[EvaluatedRun]') -> str:
    """Return two runs side by side: figures, their differences, and settings that differ."""
    from lazy_vos_ros.evaluation.report.comparison import comparison_table
    from lazy_vos_ros.evaluation.report.comparison import setting_differences

    parts = [text_table(comparison_table(runs)), text_table(setting_differences(runs))]
    notes = [f'note: {item.name}: {note}' for item in runs for note in item.missing]
    return '\n\n'.join(part for part in (*parts, '\n'.join(notes)) if part)


def text_table(table: 'Table') -> str:
    """Return a table as text; empty if it has no row."""
    if not table.rows:
        return ''
    rows = [table.head, *table.rows]
    widths = [max(len(row[column]) for row in rows) for column in range(len(table.head))]
    lines = [
        '  '.join(
            cell.ljust(width) if column == 0 else cell.rjust(width)
            for column, (cell, width) in enumerate(zip(row, widths, strict=True))
        )
        for row in rows
    ]
    return '\n'.join([table.title, *lines])


def _truth(args: argparse.Namespace) -> 'Comparison | None':
    from lazy_vos_ros.evaluation.evaluate_bags import Comparison

    if args.ground_truth is None:
        if args.objects or args.first_index or args.match != 'auto':
            raise ValueError(
                '--objects, --match or --first-index without --ground-truth; allowed: with it'
            )
        return None
    objects = None if args.objects is None else _objects(args.objects)
    return Comparison(args.ground_truth, args.match, args.first_index, objects)


def _objects(text: str) -> dict[int, int]:
    """Return the true id by the tracker's."""
    try:
        pairs = [[int(number) for number in item.split('=')] for item in text.split(',')]
        found = {tracked: true for tracked, true in pairs}  # noqa: C416 - checks the lengths
    except ValueError:
        raise ValueError(f'--objects is {text!r}; allowed: ID=ID,... like 1=3,2=1') from None
    if len(found) < len(pairs) or len(set(found.values())) < len(pairs):
        raise ValueError(f'--objects is {text!r}; allowed: each object once')
    return found
