"""Score the click refiner on the held-out ECSSD images: IoU after each of a few clicks.

``python -m lazy_vos_ros.training.validate_clicks --tracker FILE --refiner FILE --cache DIR``. The
first click is at the object's centre, each later one at the centre of the largest error.
"""

import argparse
from pathlib import Path

import numpy as np
import numpy.typing as npt

from lazy_vos_ros.engine.centre import centre_click
from lazy_vos_ros.engine.clicks import Click
from lazy_vos_ros.engine.refiners.compact import CompactRefiner
from lazy_vos_ros.engine.xmem.backend import XMemBackend
from lazy_vos_ros.engine.xmem.compact_weights import load_compact_network
from lazy_vos_ros.engine.xmem.config import XMemConfig
from lazy_vos_ros.training.data import StillImages
from lazy_vos_ros.training.train_refiner import next_click
from lazy_vos_ros.training.validate import iou

CLICKS = 3


def click_scores(
    backend: XMemBackend,
    refiner: CompactRefiner,
    image: npt.NDArray[np.uint8],
    truth: npt.NDArray[np.bool_],
) -> list[float]:
    """Return the IoU after 1, 2, ... :data:`CLICKS` clicks on one image."""
    backend.reset()
    frame = backend.predict(image).frame
    clicks = [centre_click(truth)]
    scores = []
    for _ in range(CLICKS):
        mask = refiner.refine(frame, clicks, object_id=1).mask.cpu().numpy()
        scores.append(iou(mask, truth))
        x, y, kind = next_click(truth, mask)
        if kind:
            clicks.append(Click(x, y, positive=kind > 0))
    return scores


def validate_clicks(backend: XMemBackend, refiner: CompactRefiner, stills: StillImages) -> None:
    """Print the mean IoU after each number of clicks."""
    scores = []
    for record in stills.of_set('ecssd', held_out=True):
        image, mask = stills.read(record)
        scores.append(click_scores(backend, refiner, np.array(image), mask > 0))
    for count, score in enumerate(np.mean(scores, 0), 1):
        print(f'{count} click{"s" * (count > 1)}: mean IoU {score:.3f} on {len(scores)} images')


if __name__ == '__main__':
    parser = argparse.ArgumentParser(description='Score the click refiner.')
    parser.add_argument('--tracker', type=Path, required=True)
    parser.add_argument('--refiner', type=Path, required=True)
    parser.add_argument('--cache', type=Path, required=True, help='folder of the packed images')
    parser.add_argument('--size', type=int, default=384)
    arguments = parser.parse_args()
    tracker = XMemBackend(load_compact_network(arguments.tracker), XMemConfig(arguments.size))
    loaded = CompactRefiner.load(arguments.refiner, tracker)
    validate_clicks(tracker, loaded, StillImages(arguments.cache))
