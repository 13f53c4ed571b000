"""What a refined mask may change of the mask that was there before the clicks.

A network that sees only an image and clicks knows less about the object than the tracker that has
followed it. So a click changes what it is about: the rest of the mask stays.
"""

from collections.abc import Sequence

import cv2
import numpy as np
import torch
from torch import Tensor

from lazy_vos_ros.engine.clicks import Click
from lazy_vos_ros.engine.refiners.clicked_parts import clicked_parts

_ANOTHER_OBJECT = 0.1
"""IoU of the masks below which the clicks are about something else than what was tracked."""
_TRUST = 0.6
"""Weight of the earlier mask's logits where the clicks only confirm it."""
_MAX_LOGIT = 8.0


def mask_with_clicks(prior: Tensor, logits: Tensor, clicks: Sequence[Click]) -> Tensor:
    """Return the mask (H, W) bool after clicks on the mask of `prior`.

    A positive click outside the earlier mask adds the part of the refined mask that it lies in, a
    negative one inside takes away the part that the refined mask lacks there. Clicks that only
    confirm the earlier mask leave a mean of the two. The clicked parts of the refined mask are
    taken alone where it has next to nothing in common with the earlier one, and where it does not
    follow the clicks.

    Parameters
    ----------
    prior
        (H, W) probabilities 0..1 before the clicks.
    logits
        (H, W) of the refined mask, -inf allowed.
    clicks
        Inside the image.
    """
    before, refined = prior > 0.5, logits > 0
    if _iou(before, refined) < _ANOTHER_OBJECT:
        return clicked_parts(refined, clicks)
    against = [click for click in clicks if not _follows(before, click)]
    if not against:
        mean = _mean(prior, logits) > 0
        return mean if all(_follows(mean, click) for click in clicks) else before
    added = _parts_at(refined & ~before, [click for click in against if click.positive])
    removed = _parts_at(before & ~refined, [click for click in against if not click.positive])
    mask = (before | added) & ~removed
    if all(_follows(mask, click) for click in clicks):
        return mask
    return clicked_parts(refined, clicks)


def _follows(mask: Tensor, click: Click) -> bool:
    return bool(mask[click.pixel]) == click.positive


def _mean(prior: Tensor, logits: Tensor) -> Tensor:
    earlier = torch.logit(prior.float(), eps=1e-4)
    return _TRUST * earlier + (1 - _TRUST) * logits.clamp(-_MAX_LOGIT, _MAX_LOGIT)


def _iou(one: Tensor, other: Tensor) -> float:
    return float((one & other).sum() / (one | other).sum().clamp_min(1))


def _parts_at(change: Tensor, clicks: Sequence[Click]) -> Tensor:
    """Return the connected parts of (H, W) bool that the clicks lie in."""
    _, parts = cv2.connectedComponents(change.cpu().numpy().astype(np.uint8), connectivity=8)
    hit = {int(parts[click.pixel]) for click in clicks} - {0}
    return torch.from_numpy(np.isin(parts, list(hit))).to(change.device)
