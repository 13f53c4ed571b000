"""From probabilities to label images."""

import numpy as np
import numpy.typing as npt
import torch


def most_probable(probabilities: torch.Tensor) -> torch.Tensor:
    """Return the channel of the highest probability of every pixel; a tie goes to the lowest.

    Takes (n+1, H, W), gives (H, W) int16 on the same device. The channels are compared one after
    the other because an argmax over the first dimension takes ten times as long on CPU.
    """
    best = probabilities[0]
    labels = torch.zeros(best.shape, dtype=torch.int16, device=best.device)
    for channel in range(1, probabilities.shape[0]):
        better = probabilities[channel] > best
        labels = torch.maximum(labels, better.to(torch.int16) * channel)
        best = torch.maximum(best, probabilities[channel])
    return labels


def one_hot(probabilities: torch.Tensor) -> torch.Tensor:
    """Return (n, H, W) float32 with 1 where an object is the most probable, without background."""
    channels = torch.arange(1, probabilities.shape[0], device=probabilities.device)
    return (most_probable(probabilities) == channels[:, None, None]).float()


def to_object_ids(
    channels: npt.NDArray[np.int16], object_ids: tuple[int, ...]
) -> npt.NDArray[np.uint16]:
    """Return the (H, W) label image with the ids of channels 1..n in place of the channels."""
    if object_ids == tuple(range(1, len(object_ids) + 1)):
        return channels.astype(np.uint16)
    return np.array((0, *object_ids), np.uint16)[channels]
