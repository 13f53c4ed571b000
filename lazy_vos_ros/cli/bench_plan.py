"""The rows that the arguments of `lazy-vos bench` ask for."""

from __future__ import annotations

import argparse
from math import isfinite
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from lazy_vos_ros.cli.latency.measure import RosCase
    from lazy_vos_ros.evaluation.speed.case import Case
    from lazy_vos_ros.evaluation.speed.official_rows import OfficialCase

LONG = 10_000
"""Frames of a row with --long."""
ROS_FRAMES = 150
OFFICIAL_FRAMES = 20
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
        sizes=numbers('--sizes', args.sizes, low=32) or plan.SIZES,
        objects=numbers('--objects', args.objects, low=1) or plan.OBJECTS,
        precisions=precisions(args.precisions) or plan.PRECISIONS,
        image=image_size(args.image),
        device=str(resolve_device(args.device)),
        threads=positive('--threads', args.threads) or usable_cores(),
        frames=positive('--frames', frames) or plan.Plan.frames,
        seconds=plan.Plan.seconds if seconds is None else not_negative('--seconds', seconds),
    ).cases(full=args.full)


def ros_cases(args: argparse.Namespace) -> list[RosCase]:
    """Return the rows of the way through ROS."""
    from lazy_vos_ros.cli.latency.measure import RATES
    from lazy_vos_ros.cli.latency.measure import SIZES
    from lazy_vos_ros.cli.latency.measure import RosCase

    image = image_size(args.image)
    frames = positive('--frames', args.frames) or ROS_FRAMES
    sizes = SIZES if image is None else (image,)
    return [RosCase(*size, rate, frames) for size in sizes for rate in RATES]


def official_cases(args: argparse.Namespace) -> list[OfficialCase]:
    """Return the rows beside the published code."""
    from lazy_vos_ros.engine.build import resolve_device
    from lazy_vos_ros.evaluation.speed import plan
    from lazy_vos_ros.evaluation.speed.machine import usable_cores
    from lazy_vos_ros.evaluation.speed.official_rows import OfficialCase

    device = str(resolve_device(args.device))
    width, height = image_size(args.image) or plan.CAMERA
    return [
        OfficialCase(
            folder=str(args.official),
            weights=weights,
            width=width,
            height=height,
            objects=objects,
            precision=plan.precision_on(device, precision),
            device=device,
            threads=positive('--threads', args.threads) or usable_cores(),
            frames=positive('--frames', args.frames) or OFFICIAL_FRAMES,
        )
        for weights in plan.check_weights((args.weights or 'xmem-s012').split(','))
        for objects in numbers('--objects', args.objects, low=1) or (1,)
        for precision in precisions(args.precisions) or ('fp32',)
    ]


def numbers(name: str, text: str | None, *, low: int) -> tuple[int, ...]:
    """Return the whole numbers of `A,B,..`, none of no text.

    Raises
    ------
    ValueError
        If they are none, or below `low`.
    """
    words = [] if text is None else text.split(',')
    if not all(word.strip().isdecimal() and int(word) >= low for word in words):
        raise ValueError(f'{name} is {text!r}; allowed: whole numbers from {low}, such as 256,480')
    return tuple(int(word) for word in words)


def precisions(text: str | None) -> tuple[str, ...]:
    """Return the precisions of `A,B,..`, none of no text; ValueError if one is unknown."""
    found = () if text is None else tuple(word.strip() for word in text.split(','))
    if not set(found) <= set(PRECISIONS):
        raise ValueError(f'--precisions is {text!r}; allowed: {", ".join(PRECISIONS)}')
    return found


def image_size(text: str | None) -> tuple[int, int] | None:
    """Return width and height of `WxH`, None of no text; ValueError if it is none."""
    if text is None:
        return None
    words = text.lower().split('x')
    if len(words) != 2 or not all(word.isdecimal() and int(word) >= 32 for word in words):
        raise ValueError(f'--image is {text!r}; allowed: WIDTHxHEIGHT, such as 1280x720')
    return int(words[0]), int(words[1])


def positive(name: str, value: int | None) -> int | None:
    """Return the value; ValueError below 1."""
    if value is not None and value < 1:
        raise ValueError(f'{name} is {value}; allowed: at least 1')
    return value


def not_negative(name: str, value: float) -> float:
    """Return the value; ValueError below 0 or if it is no number."""
    if not isfinite(value) or value < 0:
        raise ValueError(f'{name} is {value}; allowed: 0 or more')
    return value
