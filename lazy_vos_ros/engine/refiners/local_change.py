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

ANOTHER_OBJECT = 0.1
"""IoU of the masks below which the clicks are about something else than what was tracked."""
_TRUST = 0.6
"""Weight of the earlier mask's logits where the clicks only confirm it."""
_MAX_LOGIT = 8.0


def mask_with_clicks(prior: Tensor, logits: Tensor, clicks: Sequence[Click]) -> Tensor:
    """Return the mask (H, W) bool after clicks on the mask of `prior`.

    Where a click contradicts the earlier mask, the connected part of the change that it lies in
    is made. Clicks that only confirm it leave a mean of the two. Masks with next to nothing in
    common are not mixed: the refined one is taken, as it is where the network does not follow the
    clicks that contradict.

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
    if _iou(before, refined) < ANOTHER_OBJECT:
        return refined
    against = [click for click in clicks if bool(before[click.pixel]) != click.positive]
    if not against:
        earlier = torch.logit(prior.float(), eps=1e-4)
        return _TRUST * earlier + (1 - _TRUST) * logits.clamp(-_MAX_LOGIT, _MAX_LOGIT) > 0
    change = _parts_at(before ^ refined, against)
    return before ^ change if bool(change.any()) else refined


def _iou(one: Tensor, other: Tensor) -> float:
    return float((one & other).sum() / (one | other).sum().clamp_min(1))


def _parts_at(change: Tensor, clicks: Sequence[Click]) -> Tensor:
    """Return the connected parts of (H, W) bool that the clicks lie in."""
    _, parts = cv2.connectedComponents(change.cpu().numpy().astype(np.uint8), connectivity=8)
    hit = {int(parts[click.pixel]) for click in clicks} - {0}
    return torch.from_numpy(np.isin(parts, list(hit))).to(change.device)
