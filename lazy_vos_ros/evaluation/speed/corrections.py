"""What a correction costs."""

from time import perf_counter

import numpy as np
import numpy.typing as npt
import torch

from lazy_vos_ros.engine.clicks import Click
from lazy_vos_ros.engine.config import LazyConfig
from lazy_vos_ros.engine.results import Action
from lazy_vos_ros.engine.results import EventKind
from lazy_vos_ros.engine.tracker import LazyTracker
from lazy_vos_ros.evaluation.speed.scene import MovingScene

REPEATS = 3
"""Measured corrections; one before them is not counted."""

ALWAYS_ITSELF = LazyConfig(
    uncertainty_driven_update=False, user_corrections=False, trigger='level', tau_p=0.0
)
"""Every object with a mask is corrected by a click of the tracker's own in every frame."""


def pseudo_correction(tracker: LazyTracker, scene: MovingScene, index: int) -> float | None:
    """Return the seconds of a frame in which one object was corrected by the tracker itself.

    Frames from `index` on are tracked. Where several objects are corrected at once, all but one
    correction are taken off. None if no object has a mask, as with random weights.
    """
    before = tracker.config
    tracker.configure(ALWAYS_ITSELF)
    found = []
    for number in range(1 + REPEATS):
        result = tracker.step(scene.frame(index + number))
        corrected = sum(state.action is Action.PSEUDO for state in result.objects)
        if number and corrected and not result.memorised:
            extra = result.timings.refine * (corrected - 1) / corrected
            found.append(result.timings.total - extra)
    tracker.configure(before)
    return float(np.median(found)) if found else None


def user_correction(
    tracker: LazyTracker, device: torch.device, mask: npt.NDArray[np.bool_]
) -> float | None:
    """Return the seconds that an operator's click on the newest frame takes, memory included.

    The click is in the middle of `mask`. None if the refiner gave nothing usable.
    """
    rows, columns = np.nonzero(mask)
    click = Click(float(np.median(columns)), float(np.median(rows)))
    object_id = tracker.object_ids[0]
    found = []
    for number in range(1 + REPEATS):
        begin = perf_counter()
        event = tracker.correct(object_id, click)
        if device.type == 'cuda':
            torch.cuda.synchronize(device)
        if number and event.kind is EventKind.CORRECTED:
            found.append(perf_counter() - begin)
    return float(np.median(found)) if found else None
