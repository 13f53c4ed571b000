"""The masks with which new objects appear."""

from collections.abc import Collection
from collections.abc import Mapping
from dataclasses import replace

import torch

from lazy_vos_ros.engine.backend import FrozenFrame
from lazy_vos_ros.engine.prompts import Prompt
from lazy_vos_ros.engine.refinement import refine
from lazy_vos_ros.engine.refiners.base import RefinedMask
from lazy_vos_ros.engine.refiners.base import Refiner
from lazy_vos_ros.engine.stopwatch import Stopwatch
from lazy_vos_ros.engine.substitution import without_overlaps


def first_masks(
    prompts: Mapping[int, Prompt],
    refiner: Refiner,
    frame: FrozenFrame,
    device: torch.device,
    watch: Stopwatch,
) -> dict[int, RefinedMask]:
    """Return one mask for each prompt on `device`, by object id, without overlaps.

    Given masks count as sure; of two masks over one pixel the higher score has it, then the lower
    id.

    Raises
    ------
    ValueError
        If clicks give no usable mask, or nothing is left of a mask beside the others.
    """
    found: dict[int, RefinedMask] = {}
    for object_id, prompt in prompts.items():
        if prompt.mask is not None:
            mask = torch.as_tensor(prompt.mask != 0, device=device)
            found[object_id] = RefinedMask(mask, 1.0)
            continue
        watch.lap('lazy')
        try:
            found[object_id] = refine(
                refiner, frame, prompt.clicks, object_id=object_id, prior=None, device=device
            )
        finally:
            watch.lap('refine')
    exclusive = without_overlaps(found)
    for object_id, mask in exclusive.items():
        if not mask.any():
            raise ValueError(f'the mask of object {object_id} is covered by other new objects')
    return {item: replace(found[item], mask=exclusive[item]) for item in found}


def still_tracked(
    masks: Mapping[int, RefinedMask], object_ids: Collection[int]
) -> dict[int, RefinedMask]:
    """Return the masks of objects that were not removed since."""
    return {object_id: mask for object_id, mask in masks.items() if object_id in object_ids}
