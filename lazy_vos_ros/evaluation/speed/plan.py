"""Which rows the table has."""

from __future__ import annotations

from collections.abc import Iterator
from collections.abc import Sequence
from dataclasses import dataclass
from importlib.util import find_spec
from pathlib import Path

from lazy_vos_ros.engine.build import tracker_entry
from lazy_vos_ros.engine.weights import checked_path
from lazy_vos_ros.engine.weights import known_weights
from lazy_vos_ros.engine.weights import locate
from lazy_vos_ros.engine.weights import sha256_of
from lazy_vos_ros.evaluation.speed.case import Case
from lazy_vos_ros.evaluation.speed.measure import OFFICIAL_RANDOM

SIZES = (256, 480, 720)
OBJECTS = (1, 2, 4, 8)
PRECISIONS = ('fp32', 'half')
HALF = {'cpu': 'bf16', 'cuda': 'fp16'}
"""What ``half`` means on each device: CPUs have no arithmetic in fp16."""

CAMERA = (854, 480)
"""Width and height of the images, where the network does not work at a larger size."""


@dataclass(frozen=True)
class Plan:
    """What is varied, and what holds for every row."""

    weights: tuple[str, ...]
    sizes: tuple[int, ...] = SIZES
    objects: tuple[int, ...] = OBJECTS
    precisions: tuple[str, ...] = PRECISIONS
    image: tuple[int, int] | None = None
    """Width and height; None: 854x480, or as large as the network works."""
    device: str = 'cpu'
    threads: int = 1
    frames: int = 100
    seconds: float = 8.0

    def cases(self, *, full: bool) -> list[Case]:
        """Return the rows.

        `full` for every combination; else one thing is varied at a time, from the first of each
        list.
        """
        rows = dict.fromkeys(self._all() if full else self._one_at_a_time())
        return [self._case(*row) for row in rows]

    def _all(self) -> Iterator[tuple[str, int, int, str]]:
        for weights in self.weights:
            for size in self.sizes:
                for objects in self.objects:
                    for precision in self.precisions:
                        yield weights, size, objects, precision

    def _one_at_a_time(self) -> Iterator[tuple[str, int, int, str]]:
        size, objects, precision = self.sizes[0], self.objects[0], self.precisions[0]
        for weights in self.weights:
            for varied in self.sizes:
                yield weights, varied, objects, precision
            for count in self.objects:
                yield weights, size, count, precision
            for other in self.precisions:
                yield weights, size, objects, other

    def _case(self, weights: str, size: int, objects: int, precision: str) -> Case:
        width, height = self.image or image_for(size)
        return Case(
            weights=weights,
            size=size,
            objects=objects,
            precision=precision_on(self.device, precision),
            width=width,
            height=height,
            device=self.device,
            threads=self.threads,
            frames=self.frames,
            seconds=self.seconds,
            sha256=sha256(weights),
        )


def precision_on(device: str, precision: str) -> str:
    """Return what a precision, ``half`` among them, means on a device."""
    return HALF[device.partition(':')[0]] if precision == 'half' else precision


def image_for(size: int) -> tuple[int, int]:
    """Return width and height of the images for a short side inside the network."""
    return CAMERA if size <= CAMERA[1] else (size * 16 // 9, size)


def present_weights() -> tuple[str, ...]:
    """Return the names of the trackers whose weights, and packages, are on this machine."""
    return tuple(
        entry.name
        for entry in known_weights()
        if entry.kind == 'tracker'
        and locate(entry) is not None
        and (entry.network != 'cutie' or find_spec('cutie') is not None)
    )


def check_weights(names: Sequence[str]) -> tuple[str, ...]:
    """Return the names.

    Raises
    ------
    ValueError, RuntimeError
        If one is unknown, damaged or not on this machine.
    """
    for name in names:
        if name != OFFICIAL_RANDOM:
            checked_path(tracker_entry(name))
    return tuple(names)


def sha256(weights: str) -> str:
    """Return the SHA-256 of the weights' file; empty for random ones."""
    if weights == OFFICIAL_RANDOM:
        return ''
    path: Path = checked_path(tracker_entry(weights))
    return sha256_of(path)
