"""Refined masks in place of predicted ones."""

from collections.abc import Mapping

import torch

from lazy_vos_ros.engine.refiners.base import RefinedMask
from lazy_vos_ros.engine.xmem.aggregation import aggregate


def without_overlaps(masks: Mapping[int, RefinedMask]) -> dict[int, torch.Tensor]:
    """Return the (H, W) bool masks by object id, each pixel given to the highest score.

    Of equal scores the lower id wins.
    """
    exclusive: dict[int, torch.Tensor] = {}
    taken: torch.Tensor | None = None
    for object_id, refined in sorted(masks.items(), key=lambda item: (-item[1].score, item[0])):
        free = refined.mask if taken is None else refined.mask & ~taken
        exclusive[object_id] = free
        taken = free if taken is None else taken | free
    return exclusive


def substitute(
    objects: torch.Tensor, object_ids: tuple[int, ...], masks: Mapping[int, RefinedMask]
) -> torch.Tensor:
    """Put refined masks in place of predicted probabilities and aggregate anew.

    A refined object wins over all that are not refined; between refined ones the higher score
    wins.

    Parameters
    ----------
    objects
        (n, H, W) float32 probabilities of the objects, soft or 0 and 1, without background.
    object_ids
        Their ids.
    masks
        Refined masks by object id, at least one.

    Returns
    -------
    (n+1, H, W) float32, background first, summing to 1 over channels.

    Raises
    ------
    ValueError
        If a mask is of an object that is not among `object_ids`.
    """
    unknown = sorted(set(masks) - set(object_ids))
    if unknown:
        raise ValueError(f'masks of the objects {unknown}; allowed: {list(object_ids)}')
    exclusive = without_overlaps(masks)
    refined = torch.stack(list(exclusive.values())).any(0)
    replaced = objects * ~refined
    for object_id, mask in exclusive.items():
        replaced[object_ids.index(object_id)] = mask.float()
    return aggregate(replaced)
