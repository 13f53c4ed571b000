"""A tracker over small images whose corrections are boxes, for tests of replays and undo."""

import numpy as np
import torch

from lazy_vos_ros.engine.clicks import Click
from lazy_vos_ros.engine.config import LazyConfig
from lazy_vos_ros.engine.prompts import Prompt
from lazy_vos_ros.engine.refiners.base import RefinedMask
from lazy_vos_ros.engine.results import FrameResult
from lazy_vos_ros.engine.tracker import LazyTracker
from lazy_vos_ros.engine.xmem.backend import XMemBackend
from lazy_vos_ros.engine.xmem.config import XMemConfig

CLICK = Click(30, 20)
# Asks once about every object: in the first frame after it appeared in which it may.
ASK_ONCE = {
    'trigger': 'level',
    'tau_u': 0.0,
    'tau_p': 0.0,
    'question_cooldown': 1e6,
    'pseudo_corrections': False,
    'replay_seconds': float('inf'),
}
CONFIG = XMemConfig(
    size=-1,
    mem_every=2,
    max_mid_term_frames=4,
    min_mid_term_frames=2,
    num_prototypes=4,
    max_long_term_elements=12,
)


class Boxes:
    """Makes a box of 16 x 16 pixels around the last click."""

    name = 'boxes'

    def refine(self, frame, clicks, *, object_id, prior=None):
        row, column = clicks[-1].pixel
        mask = torch.zeros(frame.image.shape[:2], dtype=torch.bool)
        mask[max(0, row - 8) : row + 8, max(0, column - 8) : column + 8] = True
        return RefinedMask(mask, 0.5)


def box(number):
    mask = np.zeros((48, 64), bool)
    mask[8:24, 4 + 24 * number :][:, :16] = True
    return mask


def go(tracker, first, end):
    """Track through the images from `first` up to, without, `end`; return all results."""
    return [tracker.step(tracker.images[index]) for index in range(first, end)]


def kinds(results):
    return [event.kind for result in results for event in result.events]


def same(results, expected):
    for result, other in zip(results, expected, strict=True):
        np.testing.assert_array_equal(result.labels, other.labels, str(other.frame_index))
        if isinstance(result, FrameResult):
            np.testing.assert_array_equal(result.entropy, other.entropy, str(other.frame_index))


def make_tracker(network, images, objects=1, operator=None, **settings):
    """Return a tracker after its first image, with objects in boxes side by side."""
    settings = {**ASK_ONCE, 'late': 'replay', **settings}
    backend = XMemBackend(network, CONFIG)
    tracker = LazyTracker(backend, Boxes(), LazyConfig(**settings), operator=operator)
    tracker.images = images
    tracker.add_objects(images[0], [Prompt(mask=box(i)) for i in range(objects)])
    return tracker
