"""What a person is shown of a question, the same in RViz, rqt_image_view and the web page."""

import numpy as np

from lazy_vos_ros.engine.clicks import Click
from lazy_vos_ros.engine.overlay import draw_overlay
from lazy_vos_ros.nodes.operator_view import Mask
from lazy_vos_ros.nodes.operator_view import Picture
from lazy_vos_ros.nodes.operator_view import Question


def question_picture(
    question: Question, clicks: tuple[Click, ...] = (), preview: Mask | None = None
) -> Picture:
    """Return the frozen image with the mask's outline and the clicks drawn over it.

    Before the answer that is the predicted mask, with the entropy in red; once there is a refined
    mask, that one, without the entropy, which was the prediction's.

    Parameters
    ----------
    question
        Gives image, predicted mask and entropy.
    clicks
        Given so far.
    preview
        (H, W) bool refined mask.
    """
    mask = question.mask if preview is None else preview
    labels = np.where(mask, np.uint16(question.object_id), np.uint16(0))
    entropy = question.entropy if preview is None else None
    return draw_overlay(question.image, labels, entropy, clicks=clicks)
