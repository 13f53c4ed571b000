"""Motion of one layer of a synthetic clip: similarity motion with acceleration, and bending."""

from dataclasses import dataclass

import cv2
import numpy as np
import numpy.typing as npt

Floats = npt.NDArray[np.float32]
_GRID = 4
"""Knots a side of the bending field."""


@dataclass(frozen=True)
class Path2D:
    """Where a layer's anchor is in every frame, and how it is turned, scaled and bent."""

    position: Floats
    """(T, 2) x, y in the crop, pixels."""
    scale: Floats
    """(T,) crop pixels per source pixel."""
    angle: Floats
    """(T,) radians."""
    stretch: Floats
    """(T, 2) shear and logarithm of the aspect ratio."""
    bend: Floats
    """(T, 2, knots, knots) displacement in source pixels."""
    flipped: bool


@dataclass(frozen=True)
class MotionRange:
    """Standard deviations of the random motion, a frame."""

    shift: float
    """Fraction of the crop's side."""
    zoom: float
    """Logarithm of the scale."""
    turn: float
    """Radians."""
    stretch: float
    bend: float
    """Fraction of the layer's size."""


def random_walk(rng: np.random.Generator, frames: int, sigma: float, width: int) -> Floats:
    """Return (frames, width): constant velocity plus acceleration plus jitter, from 0."""
    velocity = rng.normal(0, sigma, width)
    turn = rng.normal(0, 0.5 * sigma, width)
    steps = velocity + turn * np.linspace(-1, 1, max(frames - 1, 1))[:, None]
    steps = steps + rng.normal(0, 0.3 * sigma, (max(frames - 1, 1), width))
    walk = np.concatenate([np.zeros((1, width)), np.cumsum(steps, 0)])
    return walk[:frames].astype(np.float32)


def random_path(
    rng: np.random.Generator,
    frames: int,
    start: tuple[float, float],
    scale: float,
    size: float,
    crop: int,
    motion: MotionRange,
) -> Path2D:
    """Return a random path from `start`; `size` is the layer's side in source pixels."""
    position = np.array(start) + crop * random_walk(rng, frames, motion.shift, 2)
    zoom = np.clip(random_walk(rng, frames, motion.zoom, 1)[:, 0], -0.8, 0.8)
    knots = 2 * _GRID * _GRID
    bend = size * random_walk(rng, frames, motion.bend, knots).clip(-0.25, 0.25)
    return Path2D(
        position=position.astype(np.float32),
        scale=(scale * np.exp(zoom)).astype(np.float32),
        angle=random_walk(rng, frames, motion.turn, 1)[:, 0],
        stretch=random_walk(rng, frames, motion.stretch, 2).clip(-0.4, 0.4),
        bend=bend.reshape(frames, 2, _GRID, _GRID),
        flipped=bool(rng.random() < 0.5),
    )


def inverse_affine(path: Path2D, frame: int, anchor: tuple[float, float]) -> Floats:
    """Return the 2x3 matrix from crop to source coordinates; `anchor` is a source point."""
    cos, sin = np.cos(path.angle[frame]), np.sin(path.angle[frame])
    shear, aspect = path.stretch[frame]
    shape = np.array([[np.exp(aspect), shear], [0.0, np.exp(-aspect)]])
    if path.flipped:
        shape[:, 0] *= -1
    forward = path.scale[frame] * np.array([[cos, -sin], [sin, cos]]) @ shape
    inverse = np.linalg.inv(forward)
    shift = np.array(anchor) - inverse @ path.position[frame]
    return np.concatenate([inverse, shift[:, None]], 1).astype(np.float32)


def sampling_map(
    path: Path2D, frame: int, anchor: tuple[float, float], size: float, crop: int
) -> tuple[Floats, Floats]:
    """Return source x and y for every crop pixel; the bending spans `size` around `anchor`."""
    matrix = inverse_affine(path, frame, anchor)
    columns = np.arange(crop, dtype=np.float32)[None]
    rows = columns.T
    x = matrix[0, 0] * columns + matrix[0, 1] * rows + matrix[0, 2]
    y = matrix[1, 0] * columns + matrix[1, 1] * rows + matrix[1, 2]
    if not path.bend[frame].any():
        return x, y
    u = (x - anchor[0]) * ((_GRID - 1) / (1.5 * size)) + (_GRID - 1) / 2
    v = (y - anchor[1]) * ((_GRID - 1) / (1.5 * size)) + (_GRID - 1) / 2
    field = np.ascontiguousarray(path.bend[frame].transpose(1, 2, 0))
    bend = cv2.remap(field, u, v, cv2.INTER_LINEAR, borderMode=cv2.BORDER_REPLICATE)
    return x + bend[..., 0], y + bend[..., 1]
