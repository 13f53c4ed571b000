"""What an answer is worth that comes twenty frames late.

The tracker starts from the left half of the object only. It is made to ask about one frame; in
one run nobody answers, in the other the click comes DELAY frames later and is applied to the
frame of the question. Prints the memory before and after, and J of both runs from then on.

Example: ``python -m benchmarks.late_answer --sequence FOLDER`` with JPEGImages/ and Annotations/
in FOLDER; without it, a procedural scene.
"""

import argparse
import json
import sys
from collections.abc import Callable
from pathlib import Path

import cv2
import numpy as np
import numpy.typing as npt

from lazy_vos_ros.engine.build import make_backend
from lazy_vos_ros.engine.config import LazyConfig
from lazy_vos_ros.engine.refiners import make_refiner
from lazy_vos_ros.engine.tracker import LazyTracker
from lazy_vos_ros.engine.xmem.backend import XMemBackend
from lazy_vos_ros.evaluation.metrics import jaccard
from lazy_vos_ros.evaluation.operators import gt_center
from lazy_vos_ros.evaluation.speed.scene import MovingScene

Frames = Callable[[int], npt.NDArray[np.uint8]]
Masks = Callable[[int], npt.NDArray[np.bool_]]

# Asks about the first frame in which it may, and about no other.
ASK_ONCE = LazyConfig(
    trigger='level',
    tau_u=0.0,
    tau_p=0.0,
    pseudo_corrections=False,
    question_cooldown=1e6,
    question_timeout=1e6,
)


def folder_sequence(folder: Path) -> tuple[Frames, Masks]:
    """Return frames and masks of a sequence in DAVIS layout; all objects count as one."""
    images = sorted((folder / 'JPEGImages').glob('*.jpg'))
    labels = sorted((folder / 'Annotations').glob('*.png'))

    def frame(index: int) -> npt.NDArray[np.uint8]:
        return cv2.cvtColor(cv2.imread(str(images[index])), cv2.COLOR_BGR2RGB)

    def mask(index: int) -> npt.NDArray[np.bool_]:
        image = cv2.imread(str(labels[index]), cv2.IMREAD_UNCHANGED)
        return (image if image.ndim == 2 else image.any(axis=2)) > 0

    return frame, mask


def left_half(mask: npt.NDArray[np.bool_]) -> npt.NDArray[np.bool_]:
    """Return the part of a mask that lies left of its median column."""
    half = mask.copy()
    half[:, int(np.median(np.nonzero(mask)[1])) :] = False
    return half


def follow(
    backend: XMemBackend, frame: Frames, mask: Masks, *, frames: int, delay: int | None
) -> dict[str, object]:
    """Track; answer the question `delay` frames after it, or never (None)."""
    backend.reset()
    tracker = LazyTracker(backend, make_refiner('auto', backend=backend), ASK_ONCE)
    tracker.add_object(frame(0), mask=left_half(mask(0)))
    quality: dict[int, float] = {}
    report: dict[str, object] = {}
    for index in range(1, frames):
        result = tracker.step(frame(index))
        quality[index] = round(jaccard(mask(index), result.labels > 0), 3)
        for request in result.requests:
            report['asked about frame'] = request.frame_index
        asked = tracker.open_requests
        if asked and delay is not None and index == asked[0].frame_index + delay:
            request = asked[0]
            report['memory before'] = [*backend.memory.frames]
            click = gt_center(mask(request.frame_index), request.mask)
            event = tracker.answer(request.request_id, click)
            report['answered in frame'] = index
            report['event'] = f'{event.kind.value}, about frame {event.frame_index}'
            report['memory after'] = [*backend.memory.frames]
    return {**report, 'J': quality}


def main() -> int:
    """Run with and without the answer and print both as JSON."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument('--sequence', type=Path, help='folder in DAVIS layout')
    parser.add_argument('--weights', default='auto')
    parser.add_argument('--frames', type=int, default=40)
    parser.add_argument('--delay', type=int, default=20)
    args = parser.parse_args()
    scene = MovingScene(240, 426)
    frame, mask = folder_sequence(args.sequence) if args.sequence else (scene.frame, scene.mask)
    backend = make_backend(args.weights)
    runs = {
        name: follow(backend, frame, mask, frames=args.frames, delay=delay)
        for name, delay in (('without', None), ('with', args.delay))
    }
    print(json.dumps({'backend': backend.name, **runs}, indent=2))
    return 0


if __name__ == '__main__':
    sys.exit(main())
