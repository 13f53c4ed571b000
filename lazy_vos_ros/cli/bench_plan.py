"""The rows that the arguments of `lazy-vos bench` ask for."""

from __future__ import annotations

import argparse
from collections.abc import Callable
from typing import TYPE_CHECKING

from lazy_vos_ros.cli.arguments import refusal

if TYPE_CHECKING:
    from lazy_vos_ros.cli.latency.measure import RosCase
    from lazy_vos_ros.evaluation.speed.case import Case
    from lazy_vos_ros.evaluation.speed.official_rows import OfficialCase

LONG = 10_000
"""Frames of a row with --long."""
ROS_FRAMES = 150
OFFICIAL_FRAMES = 20
SMALLEST = 32
"""Pixels of a side."""
PRECISIONS = ('fp32', 'half', 'bf16', 'fp16')


def step_cases(args: argparse.Namespace) -> list[Case]:
    """Return the rows of the tracker alone; ValueError or RuntimeError says what is wrong."""
    from lazy_vos_ros.engine.build import resolve_device
    from lazy_vos_ros.evaluation.speed import plan
    from lazy_vos_ros.evaluation.speed.machine import usable_cores

    if args.long and (args.frames is not None or args.seconds is not None):
        raise ValueError('--long with --frames or --seconds; allowed: one or the other')
    names = args.weights.split(',') if args.weights else plan.present_weights()
    frames, seconds = (LONG, 0.0) if args.long else (args.frames, args.seconds)
    return plan.Plan(
        weights=plan.check_weights(names),
        sizes=args.sizes or plan.SIZES,
        objects=args.objects or plan.OBJECTS,
        precisions=args.precisions or plan.PRECISIONS,
        image=args.image,
        device=str(resolve_device(args.device)),
        threads=args.threads or usable_cores(),
        frames=frames or plan.Plan.frames,
        seconds=plan.Plan.seconds if seconds is None else seconds,
    ).cases(full=args.full)


def ros_cases(args: argparse.Namespace) -> list[RosCase]:
    """Return the rows of the way through ROS."""
    from lazy_vos_ros.cli.latency.measure import RATES
    from lazy_vos_ros.cli.latency.measure import SIZES
    from lazy_vos_ros.cli.latency.measure import RosCase

    sizes = (args.image,) if args.image else SIZES
    frames = args.frames or ROS_FRAMES
    return [RosCase(*size, rate, frames) for size in sizes for rate in RATES]


def official_cases(args: argparse.Namespace) -> list[OfficialCase]:
    """Return the rows beside the published code."""
    from lazy_vos_ros.engine.build import resolve_device
    from lazy_vos_ros.evaluation.speed import plan
    from lazy_vos_ros.evaluation.speed.machine import usable_cores
    from lazy_vos_ros.evaluation.speed.official_rows import OfficialCase

    device = str(resolve_device(args.device))
    width, height = args.image or plan.CAMERA
    return [
        OfficialCase(
            folder=str(args.official),
            weights=weights,
            width=width,
            height=height,
            objects=objects,
            precision=plan.precision_on(device, precision),
            device=device,
            threads=args.threads or usable_cores(),
            frames=args.frames or OFFICIAL_FRAMES,
        )
        for weights in plan.check_weights((args.weights or 'xmem-s012').split(','))
        for objects in args.objects or (1,)
        for precision in args.precisions or ('fp32',)
    ]


def whole_numbers(low: int) -> Callable[[str], tuple[int, ...]]:
    """Return a type for whole numbers from `low` on, listed with commas."""

    def convert(text: str) -> tuple[int, ...]:
        words = text.split(',')
        if not all(word.strip().isdecimal() and int(word) >= low for word in words):
            raise refusal(text, f'whole numbers from {low}, such as 256,480')
        return tuple(int(word) for word in words)

    return convert


def precisions(text: str) -> tuple[str, ...]:
    """Return precisions that are listed with commas."""
    found = tuple(word.strip() for word in text.split(','))
    if not set(found) <= set(PRECISIONS):
        raise refusal(text, ', '.join(PRECISIONS))
    return found


def image_size(text: str) -> tuple[int, int]:
    """Return width and height of `WxH`."""
    words = text.lower().split('x')
    if len(words) != 2 or not all(word.isdecimal() and int(word) >= SMALLEST for word in words):
        raise refusal(text, f'WIDTHxHEIGHT from {SMALLEST} pixels, such as 1280x720')
    return int(words[0]), int(words[1])
