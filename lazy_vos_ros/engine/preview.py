"""What the answer to an open question would make of the object, before it is given."""

import numpy as np
import numpy.typing as npt
import torch

from lazy_vos_ros.engine.answers import check_answer
from lazy_vos_ros.engine.clicks import Click
from lazy_vos_ros.engine.questions import Question
from lazy_vos_ros.engine.refinement import refine
from lazy_vos_ros.engine.refiners.base import Refiner


def preview(
    refiner: Refiner, question: Question, clicks: tuple[Click, ...]
) -> npt.NDArray[np.bool_]:
    """Return the (H, W) mask that these clicks give in the frozen frame; nothing is remembered.

    Raises
    ------
    RefusedMaskError
        If the refiner gives nothing usable.
    ValueError
        If there is no click or one outside the image.
    """
    frame, object_id = question.frame, question.request.object_id
    check_answer(clicks, *frame.size)
    prior = frame.prediction.probabilities[frame.channel(object_id)]
    with torch.inference_mode():
        refined = refine(
            refiner,
            frame.prediction.frame,
            clicks,
            object_id=object_id,
            prior=prior,
            device=prior.device,
        )
    return np.asarray(refined.mask.cpu().numpy())
