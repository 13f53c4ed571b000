"""Soft aggregation of independent object probabilities (Oh et al., STM, 2019)."""

import torch

_EPSILON = 1e-7


def aggregate(objects: torch.Tensor) -> torch.Tensor:
    """Turn independent object probabilities into a distribution over background and objects.

    The background is the product of the complements; the odds of all channels, clamped to
    [1e-7, 1 - 1e-7], are normalised by a softmax over their logarithms, so no probability is
    ever exactly 0. Aggregating twice sharpens: it is not idempotent.

    Parameters
    ----------
    objects
        (..., n, H, W) in [0, 1]; n may be 0.

    Returns
    -------
    (..., n+1, H, W) float32, background first, summing to 1 over channels.
    """
    objects = objects.float()
    background = (1 - objects).prod(-3, keepdim=True)
    channels = torch.cat([background, objects], -3).clamp(_EPSILON, 1 - _EPSILON)
    return (channels / (1 - channels)).log().softmax(-3)
