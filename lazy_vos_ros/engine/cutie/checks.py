"""What a tracker refuses: input that does not fit, and numbers that are none."""

from collections.abc import Mapping

import torch

from lazy_vos_ros.engine.cutie.frame import CutieFrame


def check_new(
    lowest: int, highest_used: int, masks: Mapping[int, torch.Tensor], frame: CutieFrame
) -> None:
    """Raise ValueError unless ids are unused and masks are bool of the image's size."""
    if lowest <= highest_used:
        raise ValueError(
            f'id {lowest} for a new object; allowed: above {highest_used}, the highest used so far'
        )
    size = frame.geometry.image
    for object_id, mask in masks.items():
        if mask.dtype != torch.bool or tuple(mask.shape) != size:
            raise ValueError(
                f'mask of object {object_id} is {tuple(mask.shape)} {mask.dtype}; allowed: '
                f'{size} torch.bool'
            )


def check_probabilities(probabilities: torch.Tensor, objects: int, frame: CutieFrame) -> None:
    """Raise ValueError unless they are (n+1, H, W) of a frame's image."""
    allowed = (objects + 1, *frame.geometry.image)
    if tuple(probabilities.shape) != allowed:
        raise ValueError(f'probabilities are {tuple(probabilities.shape)}; allowed: {allowed}')


def check_finite(what: str, *tensors: torch.Tensor) -> None:
    """Raise RuntimeError if `what` holds a number that is not finite."""
    if not all(bool(tensor.isfinite().all()) for tensor in tensors):
        raise RuntimeError(
            f'the network returned a {what} with NaN or infinite numbers; the weights or the '
            'precision do not suit it'
        )
