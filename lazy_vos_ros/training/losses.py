"""Losses on aggregated probabilities, as XMem was trained: bootstrapped cross-entropy and Dice."""

import torch
from torch import Tensor
from torch.nn import functional

_EPSILON = 1e-6


def bootstrapped_cross_entropy(probabilities: Tensor, labels: Tensor, hardest: float) -> Tensor:
    """Average the negative log-likelihood over the hardest share of each frame's pixels.

    `probabilities` is (B, n+1, H, W), `labels` (B, H, W) int64 in 0..n, `hardest` in (0, 1].
    """
    losses = functional.nll_loss(
        probabilities.clamp_min(_EPSILON).log(), labels, reduction='none'
    ).flatten(1)
    if hardest >= 1:
        return losses.mean()
    count = max(1, int(hardest * losses.shape[1]))
    return losses.topk(count, 1, sorted=False).values.mean()


def soft_dice(objects: Tensor, labels: Tensor) -> Tensor:
    """Return 1 - soft Dice averaged over the objects (B, n, H, W); `labels` is (B, H, W)."""
    ids = torch.arange(1, objects.shape[1] + 1, device=labels.device)
    truth = (labels[:, None] == ids.view(1, -1, 1, 1)).to(objects.dtype)
    overlap = (objects * truth).sum((2, 3))
    total = objects.sum((2, 3)) + truth.sum((2, 3))
    return (1 - (2 * overlap + 1) / (total + 1)).mean()


def prior_cross_entropy(cells: Tensor, labels: Tensor) -> Tensor:
    """Cross-entropy of masks read out at stride 4 (B, n, H/4, W/4) with (B, H, W) labels."""
    ids = torch.arange(1, cells.shape[1] + 1, device=labels.device)
    truth = (labels[:, None] == ids.view(1, -1, 1, 1)).to(cells.dtype)
    truth = functional.avg_pool2d(truth, labels.shape[-1] // cells.shape[-1])
    return functional.binary_cross_entropy(cells.clamp(0.01, 0.99), truth)
