"""Play a clip through the real graph: camera, tracker, operator and recorder over DDS.

The run is recorded; table, overlay.mp4 and timeline.png are made from the bag alone.
"""

import argparse
import json
import os
import shutil
from dataclasses import dataclass
from pathlib import Path

OURS = ('bag', 'logs', 'overlay.mp4', 'timeline.png', 'results.json')
"""What a demo leaves in its folder; a later one replaces it."""

CLIP_START = 76
CLIP_FRAMES = 61
CLIP_CLICK = (442.0, 145.0)
CLIP_LABEL = 'cyclist'
"""The shot of the demo's clip in which a cyclist is hidden by a van and comes back."""


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Add the arguments of `lazy-vos demo`."""
    parser.add_argument('--source', help='video file or image folder of your own')
    parser.add_argument('--click', metavar='X,Y', help='the object in the first frame, in pixels')
    parser.add_argument('--label', default='', help="the object's name")
    parser.add_argument('--start', type=int, default=0, help='frames of the source to leave out')
    parser.add_argument('--frames', type=int, default=0, help='most frames to play; 0: all')
    parser.add_argument('--out', type=Path, default=Path('out/demo'), help='folder of the results')
    parser.add_argument(
        '--rate',
        type=float,
        default=0.0,
        help='images per second of the camera; 0: the next one when the last one is processed',
    )
    parser.add_argument(
        '--reaction', type=float, default=1.5, help='seconds until the operator answers'
    )
    parser.add_argument(
        '--operator-clicks', metavar='FILE', help="the object's centre over time (YAML)"
    )
    parser.add_argument(
        '--operator',
        choices=('recorded', 'rviz', 'none'),
        help='who answers: recorded clicks, a person (lazy_vos_operator), or nobody',
    )
    parser.add_argument('--weights', default='auto', help='tracker weights: a name or a file')
    parser.add_argument('--device', default='auto', help='cpu, cuda or auto')
    parser.add_argument('--storage', choices=('mcap', 'sqlite3'), default='mcap')


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
    total: int | None


def run(args: argparse.Namespace) -> int:
    """Run the demo; return 0 if everything that was promised is there."""
    from lazy_vos_ros.cli.demo_graph import play

    plan = make_plan(args)
    out = prepare_folder(args.out)
    # A domain of its own, so that a robot on the same network is neither seen nor disturbed.
    os.environ.setdefault('ROS_DOMAIN_ID', str(1 + os.getpid() % 100))
    play(plan, args, out)
    return report(out, args, plan)


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
    if args.rate < 0 or args.reaction < 0:
        raise ValueError(
            f'--rate is {args.rate:g}, --reaction is {args.reaction:g}; allowed: 0 or more'
        )
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
    return Plan(source, start, frames, point, label, clicks, operator, opened.count)


def _point(text: str) -> tuple[float, float]:
    try:
        x, y = (float(part) for part in text.split(','))
    except ValueError:
        raise ValueError(f'--click is {text!r}; allowed: X,Y in pixels, like 320,140') from None
    return x, y


def prepare_folder(out: Path) -> Path:
    """Make the folder, or empty one that an earlier demo made.

    Raises
    ------
    ValueError
        If it holds something else, or cannot be written.
    """
    out = out.absolute()
    strange = (
        [path.name for path in out.iterdir() if path.name not in OURS] if out.is_dir() else []
    )
    if strange:
        raise ValueError(
            f'--out {out} holds {", ".join(sorted(strange)[:3])}; allowed: a new or empty folder, '
            'or that of an earlier demo'
        )
    try:
        for name in OURS:
            path = out / name
            shutil.rmtree(path) if path.is_dir() else path.unlink(missing_ok=True)
        (out / 'logs').mkdir(parents=True)
    except OSError as error:
        raise ValueError(f'--out {out} cannot be written: {error}') from None
    return out


def report(out: Path, args: argparse.Namespace, plan: Plan) -> int:
    """Make table, video and timeline from the bag."""
    from lazy_vos_ros.evaluation.bags import read_run
    from lazy_vos_ros.evaluation.dashboard import write_overlay
    from lazy_vos_ros.evaluation.summary import summarise
    from lazy_vos_ros.evaluation.summary import table
    from lazy_vos_ros.evaluation.timeline import draw_timeline

    recorded = read_run(out / 'bag')
    summary = summarise(recorded)
    print()
    for name in ('weights', 'refiner'):
        print(f'{name:<26}{recorded.settings.get(name, "not recorded")}')
    print(table(summary))
    for note in recorded.notes:
        print(f'note: {note}')
    results = {'source': plan.source, 'operator': plan.operator, **summary.as_dict()}
    (out / 'results.json').write_text(json.dumps(results, indent=2) + '\n', encoding='utf-8')
    draw_timeline(recorded, out / 'timeline.png')
    fps = args.rate or min(25.0, max(5.0, summary.fps or 10.0))
    write_overlay(recorded, out / 'overlay.mp4', fps)
    print()
    for name in ('overlay.mp4', 'timeline.png', 'results.json', 'bag'):
        print(f'{out / name}')
    return 0
