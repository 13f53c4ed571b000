"""What is read from the given masks alone, beside the readout from all memory.

All other values come from the tracker's own masks, which may have drifted. The frames on which
the objects' masks were given cannot drift: what they say of a pixel is weaker evidence as things
change their look, but never wrong for a reason of the tracker's own. How well anything matches a
pixel at all says how much either is worth.
"""

import torch

from lazy_vos_ros.engine.xmem.similarity import Affinity

MATCH_CHANNELS = 2
"""The best match in all memory, and in the given frames."""
_MATCH_SCALE = 8.0
_WORST_MATCH = -6.0


def given_channels(
    affinity: Affinity, similarities: torch.Tensor, values: torch.Tensor
) -> torch.Tensor:
    """Read the given frames, and say how well anything matches.

    Parameters
    ----------
    affinity
        Of (..., Q) query pixels to all memory.
    similarities
        (..., Q, G) of the same pixels to the elements of the given frames, G >= 1.
    values
        (..., n, G, D) of n objects there.

    Returns
    -------
    (..., n, Q, D + 2): the values weighted by the softmax over the given elements, then the
    largest similarity in all memory and in the given frames, brought to about -6 (nothing is
    alike) to 0 (the same).
    """
    # All objects at once, and few rows by many columns: that is the fast way round on a CPU.
    weights = similarities.softmax(-1).to(values.dtype).mT
    channels = values.mT.flatten(-3, -2).contiguous() @ weights
    objects, dims = values.shape[-3], values.shape[-1]
    read = channels.reshape(*channels.shape[:-2], objects, dims, channels.shape[-1]).mT
    peaks = torch.stack([affinity.peak, similarities.amax(-1)], -1) / _MATCH_SCALE
    match = peaks.clamp(_WORST_MATCH, 0).to(read.dtype).unsqueeze(-3)
    return torch.cat([read, match.expand(*read.shape[:-1], MATCH_CHANNELS)], -1)
