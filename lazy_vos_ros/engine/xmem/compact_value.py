"""The compact network's value encoder: masks in sub-cells and what is learnt of them."""

import torch
from torch import Tensor
from torch import nn

from lazy_vos_ros.engine.xmem.blocks import GatedUpdate
from lazy_vos_ros.engine.xmem.blocks import conv3x3
from lazy_vos_ros.engine.xmem.blocks import fold
from lazy_vos_ros.engine.xmem.blocks import repeat_for
from lazy_vos_ros.engine.xmem.blocks import unfold
from lazy_vos_ros.engine.xmem.blocks import upsample
from lazy_vos_ros.engine.xmem.compact_blocks import NormResBlock
from lazy_vos_ros.engine.xmem.compact_sensory import MASK_CHANNELS
from lazy_vos_ros.engine.xmem.compact_sensory import join_sensory
from lazy_vos_ros.engine.xmem.compact_sensory import mask_cells
from lazy_vos_ros.engine.xmem.compact_sensory import split_sensory
from lazy_vos_ros.engine.xmem.features import KeyFeatures
from lazy_vos_ros.engine.xmem.lite_trunk import CHANNELS_8
from lazy_vos_ros.engine.xmem.lite_trunk import CHANNELS_16


def value_channels(learnt: int) -> int:
    """Return C_v: the object's mask, the others' masks, and `learnt` channels."""
    return 2 * MASK_CHANNELS + learnt


class CompactValueEncoder(nn.Module):
    """Value: the mask and the others' masks in sub-cells, then learnt channels."""

    def __init__(self, middle: int, learnt: int, state: int) -> None:
        super().__init__()
        self._state = state
        self.image_16 = nn.Conv2d(CHANNELS_16, middle, 1)
        self.image_8 = nn.Conv2d(CHANNELS_8, middle, 1)
        self.masks = conv3x3(2 * MASK_CHANNELS, middle)
        self.block = NormResBlock(middle)
        self.learnt = conv3x3(middle, learnt)
        self.deep_update = GatedUpdate(value_channels(learnt), state)

    def forward(
        self,
        image: Tensor,
        features: KeyFeatures,
        hidden: Tensor,
        masks: Tensor,
        *,
        deep_update: bool,
    ) -> tuple[Tensor, Tensor]:
        """Return the value (B, n, C_v, h, w) and the sensory memory (see XMemNetwork)."""
        batch = image.shape[0]
        stride = image.shape[-1] // features.size[1]
        own = mask_cells(fold(masks)[:, None], stride)
        others = mask_cells(fold(masks.sum(1, keepdim=True) - masks)[:, None], stride)
        cells = torch.cat([own, others], 1)
        seen = self.image_8(features.f8) + upsample(self.image_16(features.f16), 2)
        x = self.block(self.masks(cells) + repeat_for(seen, cells))
        value = torch.cat([cells, self.learnt(x.relu())], 1)
        if deep_update:
            state = self.deep_update(value, split_sensory(hidden, self._state).state)
            hidden = join_sensory(state, own, features.key, batch)
        return unfold(value, batch), hidden
