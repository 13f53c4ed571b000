"""Track objects through a video file or an image folder, without ROS.

Writes into DIR: masks/NNNNN.png (indexed, each value an object), entropy/NNNNN.png (16-bit grey,
65535 = 1), states.jsonl, events.jsonl, results.json, timeline.png and overlay.mp4.

Examples:
  lazy-vos track clip.mp4 --click 320,200 --out out/clip
  lazy-vos track frames/ --mask first.png --out out/frames --no-overlay
"""

import argparse
from collections.abc import Generator
from contextlib import closing
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING
from typing import Any

from lazy_vos_ros.cli import arguments
from lazy_vos_ros.evaluation.counts import counted

if TYPE_CHECKING:
    from lazy_vos_ros.engine.clicks import Click
    from lazy_vos_ros.engine.config import LazyConfig
    from lazy_vos_ros.engine.prompts import Prompt
    from lazy_vos_ros.engine.tracker import LazyTracker
    from lazy_vos_ros.evaluation.offline import OfflineResults
    from lazy_vos_ros.evaluation.sources import Source


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Add the arguments of `lazy-vos track`."""
    parser.add_argument('source', metavar='SOURCE', help='video file, or folder of jpg or png')
    first = parser.add_mutually_exclusive_group(required=True)
    first.add_argument(
        '--click',
        action='append',
        metavar='X,Y',
        help='an object at this pixel of the first frame; repeat it for several objects',
    )
    first.add_argument(
        '--mask', metavar='FILE', help='label image of the first frame, each value an object'
    )
    parser.add_argument('--out', required=True, metavar='DIR', help='folder for the results')
    parser.add_argument('--force', action='store_true', help='replace earlier results in DIR')
    parser.add_argument('--weights', default='auto', help=arguments.WEIGHTS_HELP)
    parser.add_argument(
        '--refiner',
        default='auto',
        help='what makes a mask of a click: auto (default), or a refiner that `lazy-vos weights '
        'list` shows',
    )
    parser.add_argument('--device', default='auto', help='cpu, cuda, cuda:1 or auto (default)')
    parser.add_argument('--size', type=arguments.size, help=arguments.SIZE_HELP)
    parser.add_argument(
        '--profile', default='paper', help='settings of the method: paper (default), code or live'
    )
    parser.add_argument(
        '--operator-clicks',
        metavar='FILE',
        help="recorded centres of the objects (YAML), which answer the tracker's questions",
    )
    parser.add_argument(
        '--start', type=arguments.whole(0), default=0, help='frames to leave out at first'
    )
    parser.add_argument('--frames', type=arguments.whole(1), help='most frames to track')
    parser.add_argument(
        '--fps', type=arguments.number(above=0), help="frames per second, if not the source's own"
    )
    parser.add_argument('--no-overlay', action='store_true', help='write no overlay.mp4')


def run(args: argparse.Namespace) -> int:
    """Track, and print the figures; what is wrong with the input is told before any work."""
    from lazy_vos_ros.evaluation.offline import prepare_folder
    from lazy_vos_ros.evaluation.sources import open_source
    from lazy_vos_ros.evaluation.sources import webcam_number

    if webcam_number(args.source) is not None:
        raise ValueError(f'{args.source} is a webcam; allowed: a video file or an image folder')
    source = open_source(args.source, start=args.start, frames=args.frames, fps=args.fps)
    prompts = first_objects(args, source)
    config = settings_for(args)
    answers = recorded_operator(args)
    tracker, names = make_tracker(args, config, answers)
    # Earlier results are replaced, and a folder is made, only after everything that may fail.
    prepare_folder(Path(args.out), force=args.force)
    print(f'tracker: {names["backend"]}; refiner: {names["refiner"]}; device: {names["device"]}')
    return track(args, source, prompts, tracker, config, names)


def first_objects(args: argparse.Namespace, source: 'Source') -> 'list[Prompt]':
    """Return the objects of the first frame.

    Raises
    ------
    ValueError
        If a click is no click or outside, or the mask does not fit the frames.
    """
    from lazy_vos_ros.engine.prompts import Prompt
    from lazy_vos_ros.evaluation.label_images import read_labels

    width, height = source.size
    if args.mask is None:
        prompts = [Prompt(clicks=(parse_click(text),)) for text in args.click]
    else:
        labels = read_labels(Path(args.mask))
        if not labels.any():
            raise ValueError(f'{args.mask} is empty; allowed: at least one pixel above 0')
        ids = sorted(int(value) for value in set(labels[labels > 0].tolist()))
        prompts = [Prompt(mask=labels == value, object_id=value) for value in ids]
    for prompt in prompts:
        try:
            prompt.check_inside(height, width)
        except ValueError as error:
            raise ValueError(f'{args.mask or "--click"}: {error}') from None
    return prompts


def parse_click(text: str) -> 'Click':
    """Return the click that "X,Y" means; ValueError if it means none."""
    from lazy_vos_ros.engine.clicks import Click

    try:
        x, y = (float(part) for part in text.split(','))
        return Click(x, y)
    except ValueError:
        raise ValueError(f'click is {text!r}; allowed: X,Y in pixels, such as 320,240') from None


def settings_for(args: argparse.Namespace) -> 'LazyConfig':
    """Return the settings of the method that suit the profile and the weights."""
    from lazy_vos_ros.engine.build import tracker_entry
    from lazy_vos_ros.engine.config import PROFILES

    if args.profile not in PROFILES:
        raise ValueError(f'profile is {args.profile!r}; allowed: {", ".join(PROFILES)}')
    return replace(PROFILES[args.profile], **tracker_entry(args.weights).thresholds)


def recorded_operator(args: argparse.Namespace) -> Any:
    """Return what answers the tracker's questions, or None for nobody."""
    from lazy_vos_ros.evaluation.operators import RecordedClicks

    if args.operator_clicks is None:
        return None
    clicks = RecordedClicks.load(args.operator_clicks)
    return lambda request: clicks.at(args.start + request.frame_index, request.object_id)


def make_tracker(
    args: argparse.Namespace, config: 'LazyConfig', answers: Any
) -> 'tuple[LazyTracker, dict[str, str | int]]':
    """Load the networks; return the tracker, and in words what it runs on."""
    from lazy_vos_ros.engine.build import make_backend
    from lazy_vos_ros.engine.build import tracker_entry
    from lazy_vos_ros.engine.refiners import make_refiner
    from lazy_vos_ros.engine.tracker import LazyTracker
    from lazy_vos_ros.engine.xmem.config import XMemConfig

    settings = XMemConfig(**tracker_entry(args.weights).settings)
    if args.size is not None:
        settings = replace(settings, size=args.size)
    backend = make_backend(args.weights, device=args.device, settings=settings)
    refiner = make_refiner(args.refiner, backend=backend, device=args.device)
    names = {
        'method': 'lazy' if answers else 'lazy, nobody answers',
        'backend': backend.name,
        'refiner': refiner.name,
        'init': 'mask' if args.mask else 'click',
        'dataset': str(args.source),
        'device': str(backend.device),
        'profile': args.profile,
        'size': settings.size,
    }
    return LazyTracker(backend, refiner, config, operator=answers), names


def track(
    args: argparse.Namespace,
    source: 'Source',
    prompts: 'list[Prompt]',
    tracker: 'LazyTracker',
    config: 'LazyConfig',
    names: dict[str, str | int],
) -> int:
    """Track through the source; what was done stays, also after an error or Ctrl-C."""
    from lazy_vos_ros.evaluation.offline import OfflineResults
    from lazy_vos_ros.evaluation.summary import LEGEND
    from lazy_vos_ros.evaluation.summary import table

    results = OfflineResults(
        Path(args.out),
        source.name,
        config=config,
        settings=names,
        video_fps=None if args.no_overlay else source.fps,
    )
    try:
        done = step_through(source, prompts, tracker, results)
    finally:
        summary = results.close()
        if summary is not None:
            print(f'{table(summary)}\n\n{LEGEND}')
            print(f'results of {counted(summary.frames, "frame")} are in {args.out}')
    if source.count is not None and done < source.count:
        print(
            f'{source.name} announces {counted(source.count, "frame")}, but only {done} could be '
            'decoded'
        )
    return 0


def step_through(
    source: 'Source', prompts: 'list[Prompt]', tracker: 'LazyTracker', results: 'OfflineResults'
) -> int:
    """Track frame by frame; return how many there were."""
    index = -1
    with closing(progress(source)) as frames:
        for index, image in enumerate(frames):
            stamp = index / source.fps
            if index == 0:
                result = tracker.add_objects(image, prompts, stamp)
            else:
                result = tracker.step(image, stamp)
            results.add(source.frame_name(index), image, result)
    return index + 1


def progress(source: 'Source') -> Generator[Any, None, None]:
    """Yield the frames and show how far it is, if somebody looks."""
    from tqdm import tqdm

    # disable=None: no bar where the output goes into a file.
    yield from tqdm(source, total=source.count, unit='frame', disable=None, dynamic_ncols=True)
