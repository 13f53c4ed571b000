"""The mask decoder and its update of the sensory memory."""

from typing import NamedTuple

import torch
from torch import nn
from torch.nn import functional

from lazy_vos_ros.engine.xmem.blocks import FeatureFusionBlock
from lazy_vos_ros.engine.xmem.blocks import GatedUpdate
from lazy_vos_ros.engine.xmem.blocks import GroupResBlock
from lazy_vos_ros.engine.xmem.blocks import conv3x3
from lazy_vos_ros.engine.xmem.blocks import fold
from lazy_vos_ros.engine.xmem.blocks import repeat_for
from lazy_vos_ros.engine.xmem.blocks import unfold
from lazy_vos_ros.engine.xmem.blocks import upsample
from lazy_vos_ros.engine.xmem.features import KeyFeatures


class Levels(NamedTuple):
    """Channels at the coarse, middle and fine level (f16, f8, f4)."""

    coarse: int
    middle: int
    fine: int


class UpsampleBlock(nn.Module):
    """Enlarge object features twice and add a convolved skip connection from the image."""

    def __init__(self, skip: int, inputs: int, outputs: int) -> None:
        super().__init__()
        self.skip_conv = conv3x3(skip, inputs)
        self.out_conv = GroupResBlock(inputs, outputs)

    def forward(self, skip: torch.Tensor, folded: torch.Tensor) -> torch.Tensor:
        """Map (B, skip, 2h, 2w) and (B*n, inputs, h, w) to (B*n, outputs, 2h, 2w)."""
        enlarged = upsample(folded, 2)
        output: torch.Tensor = self.out_conv(enlarged + repeat_for(self.skip_conv(skip), enlarged))
        return output


class HiddenUpdate(GatedUpdate):
    """Update the sensory memory from the features of all levels of the decoder."""

    def __init__(self, levels: Levels, middle: int, hidden: int) -> None:
        nn.Module.__init__(self)
        self.g16_conv = nn.Conv2d(levels.coarse, middle, 1)
        self.g8_conv = nn.Conv2d(levels.middle, middle, 1)
        self.g4_conv = nn.Conv2d(levels.fine + 1, middle, 1)
        self.transform = conv3x3(middle + hidden, 3 * hidden)

    def summarise(
        self, g16: torch.Tensor, g8: torch.Tensor, g4: torch.Tensor, logits: torch.Tensor
    ) -> torch.Tensor:
        """Bring all levels to the coarse size and sum their projections."""
        fine = torch.cat([g4, logits], 1)
        total: torch.Tensor = (
            self.g16_conv(g16)
            + self.g8_conv(functional.avg_pool2d(g8, 2))
            + self.g4_conv(functional.avg_pool2d(fine, 4))
        )
        return total


class Decoder(nn.Module):
    """Turn readout, sensory memory and image features into object logits.

    Parameters
    ----------
    image
        Channels of the image features.
    groups
        Channels of the object features at the same levels.
    value, hidden
        Channels of the readout and of the sensory memory; `hidden` 0 leaves the memory out.
    update
        Channels in which the sensory update sums the levels.
    """

    def __init__(
        self, image: Levels, groups: Levels, *, value: int, hidden: int, update: int
    ) -> None:
        super().__init__()
        self.fuser = FeatureFusionBlock(image.coarse, value + hidden, groups.coarse, groups.coarse)
        self.hidden_update = HiddenUpdate(groups, update, hidden) if hidden else None
        self.up_16_8 = UpsampleBlock(image.middle, groups.coarse, groups.middle)
        self.up_8_4 = UpsampleBlock(image.fine, groups.middle, groups.fine)
        self.pred = conv3x3(groups.fine, 1)

    def forward(
        self,
        features: KeyFeatures,
        readout: torch.Tensor,
        hidden: torch.Tensor,
        *,
        update_hidden: bool,
    ) -> tuple[torch.Tensor | None, torch.Tensor]:
        """Return the new sensory memory (None if not asked for) and logits at the fine level.

        Shapes: readout (B, n, C_v, h, w), hidden (B, n, C_h, h, w), logits (B, n, 4h, 4w).
        """
        batch = readout.shape[0]
        old = fold(hidden)
        g16 = self.fuser(features.f16, torch.cat([fold(readout), old], 1))
        g8 = self.up_16_8(features.f8, g16)
        g4 = self.up_8_4(features.f4, g8)
        logits = self.pred(g4.relu())
        new = None
        if update_hidden:
            new = hidden
            if self.hidden_update is not None:
                summary = self.hidden_update.summarise(g16, g8, g4, logits)
                new = unfold(self.hidden_update(summary, old), batch)
        return new, unfold(logits[:, 0], batch)
