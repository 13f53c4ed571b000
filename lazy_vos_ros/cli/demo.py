"""Play a clip through the real graph: camera, tracker, operator and recorder over DDS.

The run is recorded; table, overlay.mp4 and timeline.png are made from the bag alone.
"""

import argparse
import json
import os
import shutil
import signal
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from lazy_vos_ros.cli import arguments

OURS = ('bag', 'logs', 'overlay.mp4', 'timeline.png', 'results.json')
"""What a demo leaves in its folder; a later one may replace it."""

OUT = Path('out', 'demo')
"""The demo's own folder: what is in it is replaced without a question."""

CLIP_START = 76
CLIP_FRAMES = 95
CLIP_CLICK = (470.0, 120.0)
CLIP_LABEL = 'cyclist'
"""Where the demo begins in its clip: a cyclist is hidden by a van and comes back (frames 27 to
60 of the demo), then there is a cut to a street without him."""
CPU_SIZE = 256
"""Short side at which the tracker works without a GPU, unless `--set xmem.size` says otherwise."""


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Add the arguments of `lazy-vos demo`."""
    parser.add_argument(
        '--source', help="video file or image folder of your own; default: the demo's clip"
    )
    parser.add_argument('--click', metavar='X,Y', help='the object in the first frame, in pixels')
    parser.add_argument('--label', default='', help="the object's name")
    parser.add_argument(
        '--start', type=arguments.whole(0), default=0, help='frames of the source to leave out'
    )
    parser.add_argument(
        '--frames', type=arguments.whole(0), default=0, help='most frames to play; 0: all'
    )
    parser.add_argument(
        '--out', type=Path, metavar='DIR', help=f'folder of the results; default {OUT}'
    )
    parser.add_argument(
        '--force', action='store_true', help='replace an earlier demo in DIR, as in the default'
    )
    parser.add_argument(
        '--rate',
        type=arguments.number(low=0),
        default=0.0,
        help='images per second of the camera; 0: the next one when the last one is processed',
    )
    parser.add_argument(
        '--reaction',
        type=arguments.number(low=0),
        default=1.5,
        help='seconds until the operator answers (default 1.5)',
    )
    parser.add_argument(
        '--operator-clicks', metavar='FILE', help="the object's centre over time (YAML)"
    )
    parser.add_argument(
        '--operator',
        choices=('recorded', 'rviz', 'none'),
        help='who answers: recorded clicks, a person (lazy_vos_operator), or nobody',
    )
    parser.add_argument(
        '--set',
        action='append',
        default=[],
        metavar='NAME=VALUE',
        dest='settings',
        help='a parameter of the tracker, such as tau_u=0.4 or xmem.size=240; may be repeated; '
        f'default: what suits the weights, but xmem.size={CPU_SIZE} without a GPU',
    )
    parser.add_argument('--weights', default='auto', help=arguments.WEIGHTS_HELP)
    parser.add_argument('--device', default='auto', help='cpu, cuda or auto (default)')
    parser.add_argument(
        '--storage',
        choices=('mcap', 'sqlite3'),
        default='mcap',
        help='format of the bag (default mcap)',
    )


@dataclass(frozen=True)
class Plan:
    """What is played, checked before anything starts."""

    source: str
    start: int
    frames: int
    click: tuple[float, float]
    label: str
    clicks: str
    operator: str
    settings: Mapping[str, object]
    total: int | None


def run(args: argparse.Namespace) -> int:
    """Run the demo; Ctrl-C ends it early, and the report is of what was recorded so far."""
    from lazy_vos_ros.cli.demo_graph import play

    plan = make_plan(args)
    out = prepare_folder(args.out or OUT, force=args.force or args.out is None)
    # A domain of its own, so that a robot on the same network is neither seen nor disturbed.
    os.environ.setdefault('ROS_DOMAIN_ID', str(1 + os.getpid() % 100))
    for number in (signal.SIGTERM, signal.SIGHUP):
        signal.signal(number, signal.default_int_handler)  # end the nodes, as after Ctrl-C
    try:
        play(plan, args, out)
    except KeyboardInterrupt:
        print('\ninterrupted; all nodes have ended')
        report_interrupted(out, args, plan)
        return 130
    report(out, args, plan)
    return 0


def make_plan(args: argparse.Namespace) -> Plan:
    """Check the arguments and fill in those of the demo's own clip.

    Raises
    ------
    ValueError
        If an argument is not allowed; nothing has been started or written then.
    """
    from lazy_vos_ros.cli.environment import shared_folder
    from lazy_vos_ros.engine.clicks import Click
    from lazy_vos_ros.evaluation.demo_clip import demo_clip
    from lazy_vos_ros.evaluation.operators import RecordedClicks
    from lazy_vos_ros.evaluation.sources import open_source

    own = args.source is not None
    if own and not args.click:
        raise ValueError('--source needs --click X,Y: the object in its first frame')
    if args.start and not own:
        raise ValueError("--start needs --source: the demo's clip begins where its object is")
    clicks = args.operator_clicks or (
        '' if own else str(shared_folder() / 'config' / 'bikes_clicks.yaml')
    )
    operator = args.operator or ('recorded' if clicks else 'none')
    if operator == 'recorded':
        if not clicks:
            raise ValueError('--operator recorded needs --operator-clicks FILE')
        RecordedClicks.load(clicks)
    source = str(Path(args.source).absolute()) if own else str(demo_clip())
    start = args.start if own else CLIP_START
    frames = args.frames or (0 if own else CLIP_FRAMES)
    opened = open_source(source, start=start, frames=frames or None)
    point = _point(args.click) if args.click else CLIP_CLICK
    Click(*point).check_inside(opened.size[1], opened.size[0])
    label = args.label or ('' if own else CLIP_LABEL)
    return Plan(
        source, start, frames, point, label, clicks, operator, _settings(args), opened.count
    )


def _settings(args: argparse.Namespace) -> dict[str, object]:
    """Return the tracker's parameters; they and the weights are checked."""
    import yaml

    from lazy_vos_ros.engine.build import resolve_device
    from lazy_vos_ros.engine.build import tracker_entry
    from lazy_vos_ros.engine.config import LazyConfig
    from lazy_vos_ros.engine.parameters import parameters_of
    from lazy_vos_ros.engine.refiners import refiner_entry
    from lazy_vos_ros.engine.weights import checked_path
    from lazy_vos_ros.engine.xmem.config import XMemConfig

    entry = tracker_entry(args.weights)
    device = resolve_device(args.device)
    for needed in (entry, refiner_entry('auto', on_gpu=device.type != 'cpu')):
        checked_path(needed)
    known = {item.name: item for item in parameters_of(LazyConfig)}
    known |= {f'xmem.{item.name}': item for item in parameters_of(XMemConfig)}
    found: dict[str, object] = {'weights': args.weights, 'device': args.device}
    if device.type == 'cpu':
        found['xmem.size'] = CPU_SIZE
    for text in args.settings:
        name, equals, value = text.partition('=')
        if not equals or name not in known:
            raise ValueError(f'--set is {text!r}; allowed: NAME=VALUE with {", ".join(known)}')
        found[name] = known[name].check(yaml.safe_load(value))
    network = {name.removeprefix('xmem.'): v for name, v in found.items() if 'xmem.' in name}
    XMemConfig(**{**entry.settings, **network})
    method = {name: v for name, v in found.items() if name in vars(LazyConfig())}
    LazyConfig(**{**entry.thresholds, **method})
    return found


def _point(text: str) -> tuple[float, float]:
    try:
        x, y = (float(part) for part in text.split(','))
    except ValueError:
        raise ValueError(f'--click is {text!r}; allowed: X,Y in pixels, like 320,140') from None
    return x, y


def prepare_folder(out: Path, *, force: bool = False) -> Path:
    """Make the folder, or empty one that an earlier demo made.

    Raises
    ------
    ValueError
        If it holds something else, or an earlier demo and `force` is not given, or cannot be
        written.
    """
    out = out.absolute()
    present = sorted(path.name for path in out.iterdir()) if out.is_dir() else []
    strange = [name for name in present if name not in OURS]
    if strange:
        raise ValueError(
            f'--out {out} holds {", ".join(strange[:3])}; allowed: a new or empty folder, or that '
            'of an earlier demo'
        )
    if present and not force:
        raise ValueError(
            f'--out {out} is not empty ({present[0]}, ...); allowed: an empty or new folder, or '
            '--force to replace earlier results'
        )
    try:
        for name in OURS:
            path = out / name
            shutil.rmtree(path) if path.is_dir() else path.unlink(missing_ok=True)
        (out / 'logs').mkdir(parents=True)
    except OSError as error:
        raise ValueError(f'--out {out} cannot be written: {error}') from None
    return out


def report_interrupted(out: Path, args: argparse.Namespace, plan: Plan) -> None:
    """Report what was recorded, or say why that is too little: to be ended early is no error."""
    try:
        report(out, args, plan)
    except ValueError as error:
        print(f'no report: {error}')


def report(out: Path, args: argparse.Namespace, plan: Plan) -> None:
    """Make table, results.json, video and timeline from the bag.

    Raises
    ------
    ValueError
        If nothing was recorded.
    """
    from lazy_vos_ros.evaluation.bags import read_run
    from lazy_vos_ros.evaluation.dashboard import write_overlay
    from lazy_vos_ros.evaluation.runs import config_of
    from lazy_vos_ros.evaluation.summary import LEGEND
    from lazy_vos_ros.evaluation.summary import summarise
    from lazy_vos_ros.evaluation.summary import table
    from lazy_vos_ros.evaluation.timeline import draw_timeline

    recorded = read_run(out / 'bag')
    summary = summarise(recorded)
    about = describe(args, plan, recorded.settings)
    print()
    for name, value in about.items():
        print(f'{name:<26}{value}')
    print(table(summary))
    print(f'\n{LEGEND}')
    for note in recorded.notes:
        print(f'note: {note}')
    results = summary.results(Path(plan.source).stem, **about)
    (out / 'results.json').write_text(json.dumps(results, indent=2) + '\n', encoding='utf-8')
    draw_timeline(recorded, out / 'timeline.png', config_of(recorded))
    # Slow machines would make a slow video; its clock tells the real time.
    write_overlay(recorded, out / 'overlay.mp4', min(25.0, max(5.0, summary.fps or 10.0)))
    print()
    for name in ('overlay.mp4', 'timeline.png', 'results.json', 'bag'):
        print(out / name)


def describe(args: argparse.Namespace, plan: Plan, settings: Mapping[str, str]) -> dict[str, str]:
    """Return what the figures are of, in words."""
    frames = f', frames {plan.start} to {plan.start + plan.total - 1}' if plan.total else ''
    answers = {
        'recorded': f'recorded, answers after {args.reaction:g} s',
        'rviz': 'a person',
        'none': 'nobody',
    }
    pace = f'{args.rate:g} images per second' if args.rate else 'as fast as the tracker'
    return {
        'method': 'lazy',
        'backend': settings.get('weights', 'not recorded'),
        'refiner': settings.get('refiner', 'not recorded'),
        'init': 'click',
        'dataset': f'{Path(plan.source).name}{frames}',
        'camera': pace,
        'operator': answers[plan.operator],
    }
