"""Score how often an object is found again after something hid it completely for 3 frames.

``python -m lazy_vos_ros.training.validate_occlusion --tracker FILE --cache DIR``: clips of
held-out ECSSD objects on held-out backgrounds; a picture of a third image passes over the object.
Found means an IoU of at least 0.5 within 10 frames after it is uncovered.
"""

import argparse
from pathlib import Path

import cv2
import numpy as np
import numpy.typing as npt
import torch

from lazy_vos_ros.engine.config import LazyConfig
from lazy_vos_ros.engine.uncertainty import frame_maps
from lazy_vos_ros.engine.xmem.backend import XMemBackend
from lazy_vos_ros.engine.xmem.compact_weights import load_compact_network
from lazy_vos_ros.engine.xmem.config import XMemConfig
from lazy_vos_ros.training.clips import Array
from lazy_vos_ros.training.clips import Cutout
from lazy_vos_ros.training.clips import Layer
from lazy_vos_ros.training.clips import compose
from lazy_vos_ros.training.clips import cutout_of
from lazy_vos_ros.training.data import Record
from lazy_vos_ros.training.data import StillImages
from lazy_vos_ros.training.motion import MotionRange
from lazy_vos_ros.training.motion import Path2D
from lazy_vos_ros.training.motion import random_path
from lazy_vos_ros.training.validate import iou

CLIPS = 20
SIZE = 256
FRAMES = 36
HIDDEN = (20, 21, 22)
"""Frames in which nothing of the object is to be seen."""
PATIENCE = 10
FOUND = 0.5
_SEED = 20241
_AREA = 0.06
"""Share of the frame that the object takes up at first."""


def occlusion_clip(rng: np.random.Generator, stills: StillImages) -> tuple[Array, Array]:
    """Return (T, S, S, 3) RGB and (T, S, S) labels 0 or 1; the object is hidden in HIDDEN."""
    records = stills.of_set('ecssd', held_out=True)
    while True:
        target, ground, cover = (_whole(stills, records, rng) for _ in range(3))
        gentle = MotionRange(0.006, 0.01, 0.01, 0.008, 0.004)
        scale = SIZE * np.sqrt(_AREA) / target.side
        start = (SIZE * rng.uniform(0.4, 0.6), SIZE * rng.uniform(0.4, 0.6))
        path = random_path(rng, FRAMES, start, float(scale), target.side, SIZE, gentle)
        size = max(ground.alpha.shape)
        cover_background = 1.2 * SIZE / min(ground.alpha.shape)
        camera = MotionRange(0.004, 0.003, 0.003, 0.0, 0.0)
        middle = (SIZE / 2, SIZE / 2)
        still = random_path(rng, FRAMES, middle, cover_background, size, SIZE, camera)
        anchor = (ground.image.shape[1] / 2, ground.image.shape[0] / 2)
        layers = [Layer(target, path, 1), Layer(*_passer(rng, cover, target, path), 0)]
        images, labels = compose(ground.image, anchor, still, layers, FRAMES, SIZE)
        areas = labels.reshape(FRAMES, -1).sum(1)
        before, after = areas[: HIDDEN[0] - 3], areas[HIDDEN[-1] + 4 :]
        hidden = all(areas[t] == 0 for t in HIDDEN) and areas[0] > 400
        if hidden and before.min() > 0.5 * areas[0] and after.min() > 0.5 * areas[0]:
            return images, labels


def _whole(stills: StillImages, records: list[Record], rng: np.random.Generator) -> Cutout:
    image, mask = stills.read(records[rng.integers(len(records))])
    return cutout_of(np.array(image), (mask > 0).astype(np.uint8) * 255, 'ecssd')


def _passer(
    rng: np.random.Generator, cover: Cutout, target: Cutout, path: Path2D
) -> tuple[Cutout, Path2D]:
    """Return a picture as large as the object's box and its way over the object."""
    rows, columns = np.nonzero(target.alpha > 127)
    box = max(np.ptp(rows), np.ptp(columns)) * float(path.scale.max()) * 1.35
    image = cv2.resize(cover.image, (int(box), int(box)))
    square = Cutout(image, np.full(image.shape[:2], 255, np.uint8), (box / 2, box / 2), box, '')
    times = np.arange(FRAMES) - np.clip(np.arange(FRAMES), HIDDEN[0], HIDDEN[-1])
    angle = rng.uniform(0, 2 * np.pi)
    pace = 0.6 * box * np.array([np.cos(angle), np.sin(angle)])
    zeros = np.zeros(FRAMES, np.float32)
    position = path.position + times[:, None] * pace
    stretch, bend = np.zeros((FRAMES, 2), np.float32), np.zeros((FRAMES, 2, 4, 4), np.float32)
    return square, Path2D(position.astype(np.float32), zeros + 1, zeros, stretch, bend, False)


def found_after(backend: XMemBackend, images: Array, labels: Array) -> int | None:
    """Return after how many frames the object is found again, None if not within PATIENCE."""
    backend.reset()
    for t, (image, truth) in enumerate(zip(images, labels, strict=True)):
        prediction = backend.predict(image)
        if t == 0:
            prediction = backend.add_objects(prediction, {1: torch.from_numpy(truth == 1)})
        backend.commit(prediction)
        channels = frame_maps(prediction.probabilities, LazyConfig()).channels
        after = t - HIDDEN[-1]
        if 1 <= after <= PATIENCE and iou(channels == 1, truth == 1) >= FOUND:
            return after
    return None


def validate_occlusion(
    backend: XMemBackend, stills: StillImages, pictures: Path | None = None
) -> float:
    """Print and return the share of clips in which the object is found again."""
    rng = np.random.default_rng(_SEED)
    waits = []
    for clip in range(CLIPS):
        images, labels = occlusion_clip(rng, stills)
        waits.append(found_after(backend, images, labels))
        if pictures is not None:
            cv2.imwrite(str(pictures / f'{clip:02d}.png'), _strip(images))
    found = [wait for wait in waits if wait is not None]
    share = len(found) / CLIPS
    typical = f'{np.median(found):g}' if found else 'no'
    print(f'found again in {len(found)} of {CLIPS} clips: {share:.2f}; after {typical} frames')
    return share


def _strip(images: Array) -> npt.NDArray[np.uint8]:
    shown = [0, HIDDEN[0] - 2, HIDDEN[0] - 1, *HIDDEN, HIDDEN[-1] + 1, HIDDEN[-1] + 2, FRAMES - 1]
    return np.concatenate([images[t][..., ::-1] for t in shown], 1)


if __name__ == '__main__':
    parser = argparse.ArgumentParser(description='Score recovery from a full occlusion.')
    parser.add_argument('--tracker', type=Path, required=True)
    parser.add_argument('--cache', type=Path, required=True, help='folder of the packed images')
    parser.add_argument('--pictures', type=Path, help='folder for strips of the clips')
    arguments = parser.parse_args()
    tracker = XMemBackend(load_compact_network(arguments.tracker), XMemConfig(size=SIZE))
    validate_occlusion(tracker, StillImages(arguments.cache), arguments.pictures)
