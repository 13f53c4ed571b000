"""Of a mask, the parts that were clicked on."""

from collections.abc import Sequence

import cv2
import numpy as np
import torch

from lazy_vos_ros.engine.clicks import Click


def clicked_parts(mask: torch.Tensor, clicks: Sequence[Click]) -> torch.Tensor:
    """Return only the connected parts of a mask that hold a positive click.

    A small network finds things that look like the clicked object elsewhere in the image, too.
    Where no positive click lies inside the mask there is nothing to choose by, and all of it is
    kept.

    Parameters
    ----------
    mask
        (H, W) bool.
    clicks
        Inside the image.
    """
    _, parts = cv2.connectedComponents(mask.cpu().numpy().astype(np.uint8), connectivity=8)
    hit = {int(parts[click.pixel]) for click in clicks if click.positive} - {0}
    if not hit:
        return mask
    return torch.from_numpy(np.isin(parts, list(hit))).to(mask.device)
