"""The state of every object in one frame."""

from collections.abc import Collection
from collections.abc import Mapping

import cv2
import numpy as np
import numpy.typing as npt

from lazy_vos_ros.engine.corrected_frame import CorrectedFrame
from lazy_vos_ros.engine.results import Action
from lazy_vos_ros.engine.results import ObjectState


def object_states(
    frame: CorrectedFrame,
    output: npt.NDArray[np.uint16],
    names: Mapping[int, str],
    questioned: Collection[int],
    absent: Collection[int],
) -> tuple[ObjectState, ...]:
    """Return one state for every named object of the frame, ascending by id.

    Parameters
    ----------
    frame
        Measurements and what happened.
    output
        (H, W) label image after corrections.
    names
        Labels of the objects being tracked, by id.
    questioned
        Ids of objects about which a question is open.
    absent
        Ids of objects that are taken to be out of the image.
    """
    return tuple(
        _state(
            frame,
            output,
            item,
            names[item],
            question_open=item in questioned,
            absent=item in absent,
        )
        for item in frame.prediction.object_ids
        if item in names
    )


def _state(
    frame: CorrectedFrame,
    output: npt.NDArray[np.uint16],
    object_id: int,
    label: str,
    *,
    question_open: bool,
    absent: bool,
) -> ObjectState:
    mask = (output == object_id).view(np.uint8)
    area = cv2.countNonZero(mask)
    measurement = frame.measurements[object_id]
    return ObjectState(
        object_id=object_id,
        label=label,
        uncertainty=measurement.uncertainty,
        derivative=measurement.derivative,
        area=area,
        box=_box(mask) if area else None,
        action=frame.actions.get(object_id, Action.NONE),
        question_open=question_open,
        absent=absent,
    )


def _box(mask: npt.NDArray[np.uint8]) -> tuple[int, int, int, int]:
    x, y, width, height = cv2.boundingRect(mask)
    return x, y, width, height
