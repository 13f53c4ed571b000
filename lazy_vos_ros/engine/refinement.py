"""Calling a refiner, whatever it does."""

import logging
from collections.abc import Sequence
from dataclasses import replace

import torch

from lazy_vos_ros.engine.backend import FrozenFrame
from lazy_vos_ros.engine.clicks import Click
from lazy_vos_ros.engine.dilation import Mask
from lazy_vos_ros.engine.refiners.base import RefinedMask
from lazy_vos_ros.engine.refiners.base import Refiner

_LOGGER = logging.getLogger(__name__)


class RefusedMaskError(ValueError):
    """The refiner gave nothing that can be used; the message says why."""


def refine(
    refiner: Refiner,
    frame: FrozenFrame,
    clicks: Sequence[Click],
    *,
    object_id: int,
    prior: torch.Tensor | None,
    device: torch.device,
) -> RefinedMask:
    """Return the refiner's mask on `device`, (H, W) bool at the size of the frame's image.

    An empty mask is accepted only if all clicks say that the object is not there.

    Raises
    ------
    RefusedMaskError
        If the refiner fails, or its mask is empty or of another size.
    """
    try:
        refined = refiner.refine(frame, clicks, object_id=object_id, prior=prior)
    except Exception as error:
        # Refiners are exchangeable, and a broken one must not stop the camera. The event tells.
        _LOGGER.debug('%s failed on frame %d', refiner.name, frame.index, exc_info=True)
        raise RefusedMaskError(f'{refiner.name} failed: {error}') from error
    shape = tuple(refined.mask.shape)
    if shape != frame.image.shape[:2] or refined.mask.dtype != torch.bool:
        raise RefusedMaskError(
            f'{refiner.name} gave a mask of shape {shape} and type {refined.mask.dtype}; '
            f'allowed: {frame.image.shape[:2]}, torch.bool'
        )
    if any(click.positive for click in clicks) and not refined.mask.any():
        raise RefusedMaskError(f'{refiner.name} gave an empty mask')
    return replace(refined, mask=refined.mask.to(device))


def check_overlap(refined: torch.Tensor, predicted: Mask, least: float) -> None:
    """Compare two masks (H, W) bool of one object.

    Raises
    ------
    RefusedMaskError
        If their intersection over union is below `least`.
    """
    if not least:
        return
    other = torch.from_numpy(predicted).to(refined.device)
    union = int((refined | other).sum())
    overlap = int((refined & other).sum()) / union if union else 1.0
    if overlap < least:
        raise RefusedMaskError(
            f'the mask of the pseudo-click overlaps the predicted one by {overlap:.2f}; '
            f'allowed: pseudo_min_overlap = {least:g}'
        )
