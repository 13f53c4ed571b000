"""Run the paper's experiments on a data set, with a simulated operator.

Every object is shown to the tracker in its first annotated frame, by its mask or by one click;
the tracker's questions are answered from the ground truth. Finished sequences are kept in the
folder of --out and are not tracked again with the same settings and weights.

Methods: xmem (the tracker alone), lazy-auto (pseudo-corrections only), rand-lazy, lazy,
interval:FRAMES, or toggles such as udu+user+idu of udu, pseudo, pseudo-idu, user, idu, s-trigger,
ds-trigger, random, interval:FRAMES.

Examples:
  lazy-vos benchmark --dataset DAVIS --method lazy --init click
  lazy-vos benchmark --dataset LVOS --layout lvos --method rand-lazy --seeds 0,1,2 --workers 4
  lazy-vos benchmark --dataset LVOS --layout lvos --suite table1
  lazy-vos benchmark --dataset videos --sequences dog,cat --method lazy --size 240 --masks
  lazy-vos benchmark --dataset videos --operator-delay 0,0.5,1,3,10 --late memory,replay
  lazy-vos benchmark --dataset videos --balance
"""

import argparse
import json
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING
from typing import Any

from lazy_vos_ros.cli import arguments
from lazy_vos_ros.cli.benchmark_studies import add_study_arguments
from lazy_vos_ros.cli.benchmark_studies import is_study
from lazy_vos_ros.cli.benchmark_studies import run_balance_study
from lazy_vos_ros.cli.benchmark_studies import run_delay_study
from lazy_vos_ros.evaluation.counts import counted

if TYPE_CHECKING:
    from collections.abc import Iterable

    from lazy_vos_ros.engine.config import LazyConfig
    from lazy_vos_ros.evaluation.benchmark.datasets import Dataset
    from lazy_vos_ros.evaluation.benchmark.run import Means
    from lazy_vos_ros.evaluation.benchmark.run import Plan
    from lazy_vos_ros.evaluation.benchmark.suites import SuiteRow

DEFAULT_OUT = 'out/benchmark'
RESULTS = 'results.json'
MASKS = 'masks'


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Add the arguments of `lazy-vos benchmark`."""
    data = parser.add_argument_group('what is tracked')
    data.add_argument(
        '--dataset', required=True, type=Path, metavar='DIR', help='folder of the data set'
    )
    data.add_argument(
        '--layout',
        default='auto',
        help='davis, davis2016, davis2017, lvos, lvos2, longvideos, folders or auto (default)',
    )
    data.add_argument('--split', help='such as val or train, where the data set has splits')
    data.add_argument(
        '--sequences', type=arguments.names, default=(), metavar='A,B', help='only these'
    )
    data.add_argument(
        '--fps', type=arguments.number(above=0), help="frames per second, if not the layout's own"
    )
    data.add_argument(
        '--merge-objects', action='store_true', help='all labels are one object (DAVIS-2016)'
    )
    _add_method_arguments(parser.add_argument_group('how it is tracked'))
    score = parser.add_argument_group('which annotated frames count')
    score.add_argument('--with-first', action='store_true', help="each object's first one too")
    score.add_argument('--skip-last', action='store_true', help='not the last one (DAVIS tools)')
    score.add_argument('--present-only', action='store_true', help='only with the object in them')
    add_study_arguments(parser.add_argument_group('studies of the operator'))
    run = parser.add_argument_group('with what, and where the results go')
    run.add_argument(
        '--workers',
        type=arguments.whole(1),
        default=1,
        metavar='N',
        help='processes, each tracks a sequence; default 1',
    )
    run.add_argument(
        '--dask',
        type=arguments.address,
        metavar='tcp://HOST:PORT',
        help='scheduler of a Dask cluster',
    )
    run.add_argument(
        '--threads',
        type=arguments.whole(1),
        metavar='N',
        help='CPU threads of each sequence; default: all cores divided by the workers',
    )
    run.add_argument('--device', default='auto', help='cpu, cuda, cuda:1 or auto (default)')
    run.add_argument(
        '--out',
        type=Path,
        default=Path(DEFAULT_OUT),
        metavar='DIR',
        help=f'folder, or a .json file in it for the results; default {DEFAULT_OUT}',
    )
    run.add_argument(
        '--masks',
        nargs='?',
        type=Path,
        const=Path(),
        metavar='DIR',
        help=f'write all masks, into {MASKS}/ of the folder unless DIR is given',
    )


def _add_method_arguments(group: Any) -> None:
    group.add_argument('--method', help='see above; default lazy')
    group.add_argument(
        '--suite', help='all rows of table1, table2, tableS1 or tableS2 of the paper'
    )
    group.add_argument('--init', help='mask (default) or click')
    group.add_argument(
        '--operator', default='gt_center', help='gt_center (default) or largest_error'
    )
    group.add_argument(
        '--refiner',
        default='auto',
        help='what makes masks of clicks: auto (default), oracle (the true mask), or a refiner '
        'that `lazy-vos weights list` shows',
    )
    group.add_argument(
        '--backend', default='xmem', help='the tracker under the lazy layer: xmem (default), cutie'
    )
    group.add_argument('--weights', default='auto', help=arguments.WEIGHTS_HELP)
    group.add_argument('--size', type=arguments.size, help=arguments.SIZE_HELP)
    group.add_argument(
        '--precision',
        choices=('fp32', 'fp16', 'bf16'),
        default='fp32',
        help="arithmetic of the tracker's network",
    )
    group.add_argument('--profile', default='paper', help='paper (default), code or live')
    group.add_argument(
        '--set',
        action='append',
        default=[],
        metavar='NAME=VALUE',
        help='a setting of the lazy layer, such as tau_u=0.3; may be repeated',
    )
    group.add_argument(
        '--s-threshold',
        type=arguments.number(low=0),
        metavar='S',
        help='S_R from which s-trigger asks; default: tau_u',
    )
    group.add_argument(
        '--one-question-in',
        type=arguments.whole(1),
        metavar='FRAMES',
        help='ask at most once in so many frames, over all objects of a sequence',
    )
    group.add_argument(
        '--seeds',
        type=arguments.seeds,
        default=(0,),
        metavar='0,1,..',
        help='of methods that draw; default 0',
    )
    group.add_argument(
        '--random-mean',
        type=arguments.number(low=0),
        metavar='N',
        help='mean corrections of an object by rand-lazy; default 5, in a suite as many as lazy',
    )


def run(args: argparse.Namespace) -> int:
    """Run the benchmark, print its table and write its results."""
    if args.suite is not None:
        return run_table(args)
    from lazy_vos_ros.evaluation.benchmark.results import LEGEND
    from lazy_vos_ros.evaluation.benchmark.run import run_benchmark

    check_s_threshold(args, () if args.balance else (args.method or 'lazy',))
    folder, file = out_folder(args.out, RESULTS)
    dataset = dataset_of(args)
    plan = plan_of(args, dataset, method=args.method or 'lazy', init=args.init or 'mask')
    announce(plan)
    if is_study(args):
        means = means_of(args, folder)
        if args.balance:
            return run_balance_study(plan, lazy_config(args), folder, means)
        return run_delay_study(args, plan, folder, means)
    results = run_benchmark(plan, folder, means_of(args, folder))
    print(f'{results.table()}\n\n{LEGEND}')
    results.write(file)
    print(f'results are in {file}')
    return 0


def run_table(args: argparse.Namespace) -> int:
    """Run all rows of a table of the paper and print them beside it."""
    from lazy_vos_ros.evaluation.benchmark.results import LEGEND
    from lazy_vos_ros.evaluation.benchmark.suite_run import run_suite
    from lazy_vos_ros.evaluation.benchmark.suites import suite_named

    if args.method is not None or args.init is not None:
        raise ValueError('--suite has methods and first masks of its own; allowed: one of both')
    if is_study(args):
        raise ValueError('--suite with a study of the operator; allowed: one of both')
    suite = suite_named(args.suite)
    check_s_threshold(args, [row.method or '' for row in suite.rows])
    folder, file = out_folder(args.out, f'{suite.name}.json')
    dataset = dataset_of(args)

    def plan_of_row(row: 'SuiteRow') -> 'Plan':
        refiner = suite.refiner or args.refiner
        return plan_of(args, dataset, method=row.method or '', init=suite.init, refiner=refiner)

    table = run_suite(
        suite,
        plan_of_row,
        folder,
        means_of(args, folder),
        say=print,
        random_mean=args.random_mean,
    )
    print(f'{table.text()}\n\n{LEGEND}')
    folder.mkdir(parents=True, exist_ok=True)
    file.write_text(json.dumps(table.to_json(), indent=2) + '\n', encoding='utf-8')
    print(f'results are in {file}')
    return 0


def check_s_threshold(args: argparse.Namespace, methods: 'Iterable[str]') -> None:
    """Raise ValueError if there is a threshold of the S-trigger, and no method that has one."""
    used = any('s-trigger' in method.split('+') for method in methods)
    if args.s_threshold is not None and not used:
        raise ValueError(
            '--s-threshold without s-trigger; allowed: with a method that names it, such as '
            's-trigger+udu+user, or with --suite tableS2'
        )


def out_folder(out: Path, name: str) -> 'tuple[Path, Path]':
    """Return the folder of everything and the file of the results."""
    folder, file = (out.parent, out) if out.suffix == '.json' else (out, out / name)
    if folder.exists() and not folder.is_dir():
        raise ValueError(f'{folder} is a file; allowed: a folder, which is made if need be')
    return folder, file


def dataset_of(args: argparse.Namespace) -> 'Dataset':
    """Return the sequences that the arguments choose."""
    from lazy_vos_ros.evaluation.benchmark.datasets import open_dataset

    return open_dataset(
        args.dataset, layout=args.layout, split=args.split, sequences=args.sequences
    )


def plan_of(
    args: argparse.Namespace,
    dataset: 'Dataset',
    *,
    method: str,
    init: str,
    refiner: str | None = None,
) -> 'Plan':
    """Return what the arguments say, with this method, first mask and, if given, refiner."""
    from lazy_vos_ros.evaluation.benchmark.figures import FrameRule
    from lazy_vos_ros.evaluation.benchmark.methods import parse_method
    from lazy_vos_ros.evaluation.benchmark.networks import with_sha256
    from lazy_vos_ros.evaluation.benchmark.run import Plan
    from lazy_vos_ros.evaluation.benchmark.settings import Settings

    settings = Settings(
        method=parse_method(
            method, lazy_config(args), s_threshold=args.s_threshold, plain=args.backend
        ),
        backend=args.backend,
        weights=args.weights,
        refiner=refiner or args.refiner,
        device=args.device,
        size=args.size,
        precision=args.precision,
        init=init,
        operator=args.operator,
        fps=dataset.layout.fps if args.fps is None else args.fps,
        merge_objects=args.merge_objects or dataset.layout.merge_objects,
        one_question_in=args.one_question_in,
        random_mean=5.0 if args.random_mean is None else args.random_mean,
    )
    rule = FrameRule(not args.with_first, args.skip_last, args.present_only)
    return Plan(dataset, with_sha256(settings), args.seeds, rule)


def lazy_config(args: argparse.Namespace) -> 'LazyConfig':
    """Return the settings of the lazy layer: profile, weights' own, then those given."""
    import yaml

    from lazy_vos_ros.engine.build import tracker_entry
    from lazy_vos_ros.engine.config import PROFILES
    from lazy_vos_ros.engine.config import LazyConfig
    from lazy_vos_ros.engine.parameters import parameters_of

    if args.profile not in PROFILES:
        raise ValueError(f'profile is {args.profile!r}; allowed: {", ".join(PROFILES)}')
    thresholds = tracker_entry(args.weights, args.backend).thresholds
    known = [item.name for item in parameters_of(LazyConfig)]
    given: dict[str, Any] = {}
    for text in args.set:
        name, equals, value = text.partition('=')
        if name not in known or not equals:
            raise ValueError(f'--set {text}; allowed: NAME=VALUE with one of {", ".join(known)}')
        given[name] = yaml.safe_load(value)
    if args.one_question_in is not None:
        given['questions_per_minute'] = 1.0  # of a clock by which these frames last a minute
    return replace(PROFILES[args.profile], **{**thresholds, **given})


def means_of(args: argparse.Namespace, folder: Path) -> 'Means':
    """Return with what the arguments want it run."""
    from lazy_vos_ros.evaluation.benchmark.run import Means

    masks = args.masks
    if masks is not None:
        masks = (folder / MASKS if masks == Path() else masks).absolute()
    return Means(workers=args.workers, dask=args.dask, threads=args.threads, masks=masks)


def announce(plan: 'Plan') -> None:
    """Print what will be run, before it starts."""
    settings = plan.settings
    dataset = plan.dataset
    print(
        f'{dataset.path} ({dataset.layout.name}): {counted(len(dataset.sequences), "sequence")}, '
        f'{counted(dataset.frames, "frame")}, taken for {settings.fps:g} a second'
    )
    print(f'method {settings.method.name}, init by {settings.init}; weights:')
    for name, sha256 in settings.sha256.items():
        print(f'  {name} (SHA-256 {sha256[:12]}...)')
