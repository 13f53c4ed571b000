"""The parts of a time step that a live frame and a replayed one share."""

from collections.abc import Collection
from collections.abc import Mapping
from dataclasses import replace

import numpy as np
import numpy.typing as npt
import torch

from lazy_vos_ros.engine.backend import Backend
from lazy_vos_ros.engine.backend import MemoryWrite
from lazy_vos_ros.engine.backend import Prediction
from lazy_vos_ros.engine.config import LazyConfig
from lazy_vos_ros.engine.corrected_frame import CorrectedFrame
from lazy_vos_ros.engine.corrected_frame import Measurement
from lazy_vos_ros.engine.labels import most_probable
from lazy_vos_ros.engine.labels import to_object_ids
from lazy_vos_ros.engine.memory_policy import memorise_corrections
from lazy_vos_ros.engine.memory_policy import memory_write
from lazy_vos_ros.engine.monitor import ObjectMonitor
from lazy_vos_ros.engine.presence import Sight
from lazy_vos_ros.engine.presence import sight_of
from lazy_vos_ros.engine.refiners.base import RefinedMask
from lazy_vos_ros.engine.results import Action
from lazy_vos_ros.engine.triggers import Decision
from lazy_vos_ros.engine.uncertainty import FrameMaps
from lazy_vos_ros.engine.uncertainty import frame_maps
from lazy_vos_ros.engine.uncertainty import object_uncertainty

Monitors = dict[int, ObjectMonitor]
"""By object id, for every object being tracked."""


def examine(
    prediction: Prediction, stamp: float, monitors: Monitors, config: LazyConfig
) -> tuple[CorrectedFrame, dict[int, Decision]]:
    """Measure the objects tracked so far, and let their monitors decide."""
    maps = frame_maps(prediction.probabilities, config)
    measurements: dict[int, Measurement] = {}
    decisions: dict[int, Decision] = {}
    for channel, object_id in enumerate(prediction.object_ids, 1):
        sight = _sight(maps, channel, config)
        monitor = monitors[object_id]
        derivative, decision, changed = monitor.update(sight, config, prediction.frame.index)
        decisions[object_id] = decision
        measurements[object_id] = Measurement(sight.uncertainty, derivative, changed)
    frame = CorrectedFrame(
        prediction=prediction,
        stamp=stamp,
        channels=maps.channels,
        entropy=maps.entropy,
        measurements=measurements,
        given={},
    )
    return frame, decisions


def with_new_objects(
    frame: CorrectedFrame,
    prediction: Prediction,
    given: Mapping[int, RefinedMask],
    monitors: Monitors,
    config: LazyConfig,
) -> CorrectedFrame:
    """Return the frame with objects that appear in it, and begin to follow them.

    Parameters
    ----------
    frame
        As examined, without them.
    prediction
        With them.
    given
        Their masks, by object id.
    monitors
        One for each of them is added.
    config
        How uncertainty is measured.
    """
    maps = frame_maps(prediction.probabilities, config)
    measurements = dict(frame.measurements)
    for object_id in given:
        sight = _sight(maps, 1 + prediction.object_ids.index(object_id), config)
        measurements[object_id] = Measurement(sight.uncertainty)
        monitors[object_id] = ObjectMonitor(sight)
    return replace(
        frame,
        prediction=prediction,
        channels=maps.channels,
        measurements=measurements,
        given=given,
        actions=dict.fromkeys(given, Action.ADDED),
    )


def corrected_probabilities(frame: CorrectedFrame, config: LazyConfig) -> torch.Tensor:
    """Return (n+1, H, W) with all corrections of the frame."""
    return frame.probabilities(soft_others=config.soft_others)


def output_labels(
    frame: CorrectedFrame, gone: Collection[int], config: LazyConfig
) -> npt.NDArray[np.uint16]:
    """Return the (H, W) object ids of a frame with its corrections, without gone objects."""
    channels = frame.channels
    if frame.corrections:
        channels = most_probable(corrected_probabilities(frame, config)).cpu().numpy()
    labels = to_object_ids(channels, frame.prediction.object_ids)
    for object_id in gone:
        labels[labels == object_id] = 0
    return labels


def commit(
    backend: Backend, frame: CorrectedFrame, gone: Collection[int], config: LazyConfig
) -> bool:
    """Memorise a frame as far as its corrections and its uncertainty allow.

    The memory of objects that are gone is not fed. Returns whether it was memorised.
    """
    user, pseudo = frame.corrected_by_user, frame.corrected_by_itself
    there = [m.uncertainty for item, m in frame.measurements.items() if item not in gone]
    write = memory_write(
        config,
        given=bool(frame.given),
        user=user,
        pseudo=pseudo,
        uncertainty=max(there, default=0.0),
    )
    refined = memorise_corrections(config, user=user, pseudo=pseudo)
    try:
        return backend.commit(
            frame.prediction,
            write,
            corrected_probabilities(frame, config) if refined else None,
            deep_update=refined and config.deep_update_on_correction,
            without=gone,
            corrected=frame.trusted_corrections() if user else (),
        )
    except RuntimeError:
        # A value that cannot be memorised must not keep the next frame from coming.
        if not frame.given:
            backend.commit(frame.prediction, MemoryWrite.BLOCKED)
        raise


def gone_objects(monitors: Monitors) -> tuple[int, ...]:
    """Return the ids of objects that the operator said are gone, ascending."""
    return tuple(sorted(item for item, monitor in monitors.items() if monitor.gone))


def _sight(maps: FrameMaps, channel: int, config: LazyConfig) -> Sight:
    mask = np.asarray(maps.channels == channel)
    return sight_of(mask, object_uncertainty(maps, channel, config))
