"""S_R: the uncertainty of one object, from the entropy around its mask (Eq. 3)."""

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
import torch

from lazy_vos_ros.engine.config import LazyConfig
from lazy_vos_ros.engine.dilation import KERNELS
from lazy_vos_ros.engine.dilation import dilate
from lazy_vos_ros.engine.dilation import window_around
from lazy_vos_ros.engine.entropy import MASKED_ENTROPY
from lazy_vos_ros.engine.entropy import entropy_map
from lazy_vos_ros.engine.entropy import round_to_4_decimals
from lazy_vos_ros.engine.labels import most_probable
from lazy_vos_ros.engine.transfer import to_host


@dataclass(frozen=True)
class FrameMaps:
    """What the lazy layer reads out of the probabilities of one frame."""

    entropy: npt.NDArray[np.float32]
    """(H, W) normalised entropy, 0..1."""
    channels: npt.NDArray[np.int16]
    """(H, W) most probable channel."""


def frame_maps(probabilities: torch.Tensor, config: LazyConfig) -> FrameMaps:
    """Compute both maps where the probabilities (n+1, H, W) are, and bring them to the CPU.

    The frame's result needs them there, and small dilations are fastest there.
    """
    entropy = entropy_map(probabilities)
    if config.round_entropy:
        entropy = round_to_4_decimals(entropy)
    channels = most_probable(probabilities)
    return FrameMaps(*to_host(entropy, channels))


def object_uncertainty(maps: FrameMaps, channel: int, config: LazyConfig) -> float:
    """Return S_R of the object of this channel; 0 if it is the most probable nowhere."""
    mask = np.asarray(maps.channels == channel)
    area = np.count_nonzero(mask)
    if area == 0:
        return 0.0
    kernel = KERNELS[config.dilation](area, config.dilation_ratio)
    window = window_around(mask, kernel.shape[0])
    inside = mask[window]
    measure = MASKED_ENTROPY[config.masked_entropy]
    return measure(maps.entropy[window], inside, dilate(inside, kernel))
