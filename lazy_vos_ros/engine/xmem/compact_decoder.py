"""The compact network's decoder: correct the masks that were read, from coarse to fine."""

from typing import NamedTuple

import torch
from torch import Tensor
from torch import nn
from torch.nn import functional

from lazy_vos_ros.engine.xmem.alignment import align
from lazy_vos_ros.engine.xmem.blocks import GatedUpdate
from lazy_vos_ros.engine.xmem.blocks import conv3x3
from lazy_vos_ros.engine.xmem.blocks import fold
from lazy_vos_ros.engine.xmem.blocks import repeat_for
from lazy_vos_ros.engine.xmem.blocks import unfold
from lazy_vos_ros.engine.xmem.blocks import upsample
from lazy_vos_ros.engine.xmem.compact_blocks import NormResBlock
from lazy_vos_ros.engine.xmem.compact_sensory import MASK_CHANNELS
from lazy_vos_ros.engine.xmem.compact_sensory import SUBCELLS
from lazy_vos_ros.engine.xmem.compact_sensory import join_sensory
from lazy_vos_ros.engine.xmem.compact_sensory import split_sensory
from lazy_vos_ros.engine.xmem.features import KeyFeatures
from lazy_vos_ros.engine.xmem.given import MATCH_CHANNELS
from lazy_vos_ros.engine.xmem.lite_trunk import CHANNELS_4
from lazy_vos_ros.engine.xmem.lite_trunk import CHANNELS_8
from lazy_vos_ros.engine.xmem.lite_trunk import CHANNELS_16

LOGIT_LIMIT = 0.01
"""Probabilities read are clamped to [limit, 1 - limit] before their logit."""


class ReadMasks(NamedTuple):
    """What was read of an object's mask at stride 4, as logits (B*n, 1, 2h, 2w)."""

    memory: Tensor
    """From the working and long-term memory: it knows no place."""
    sensory: Tensor
    """From the last frame, brought to where things are now."""
    others: Tensor
    """The same of all other objects together."""
    given: Tensor
    """From the given masks alone."""
    others_given: Tensor
    """The same of all other objects together."""


class Readout(NamedTuple):
    """The parts of a readout, each (B*n, C, h, w)."""

    value: Tensor
    """C_v channels read from all memory."""
    given: Tensor
    """The given mask in sub-cells, 0..1, read from its frame alone."""
    match: Tensor
    """How well anything matches (see given.py)."""


def logits_of_cells(cells: Tensor) -> Tensor:
    """Return (B*n, 4, h, w) probabilities in sub-cells as logits (B*n, 1, 2h, 2w)."""
    maps = functional.pixel_shuffle(cells, SUBCELLS)
    return maps.float().clamp(LOGIT_LIMIT, 1 - LOGIT_LIMIT).logit()


class CompactDecoder(nn.Module):
    """Align the sensory memory, correct the masks that were read, update the sensory memory."""

    def __init__(self, value: int, state: int, coarse: int, middle: int, fine: int) -> None:
        super().__init__()
        self._state = state
        self.sharpness = nn.Parameter(torch.tensor(2.5))
        self.locality = nn.Parameter(torch.tensor(-3.0))
        self._value = value
        read = value + state + 4 * MASK_CHANNELS + MATCH_CHANNELS
        self.read_8 = conv3x3(read, middle)
        self.image_8 = conv3x3(CHANNELS_8, middle)
        self.image_16 = nn.Conv2d(CHANNELS_16, middle, 1)
        self.masks_8 = nn.Conv2d(len(ReadMasks._fields), middle, 1)
        self.block_8 = NormResBlock(middle)
        self.down_16 = nn.Conv2d(middle, coarse, 1)
        self.context_16 = nn.Conv2d(CHANNELS_16, coarse, 1)
        self.blocks_16 = nn.Sequential(NormResBlock(coarse), NormResBlock(coarse))
        self.up_8 = nn.Conv2d(coarse, middle, 1)
        self.out_8 = NormResBlock(middle)
        self.up_4 = nn.Conv2d(middle, fine, 1)
        self.image_4 = conv3x3(CHANNELS_4, fine)
        self.masks_4 = conv3x3(len(ReadMasks._fields), fine)
        self.out_4 = NormResBlock(fine)
        self.predict = conv3x3(fine, 1)
        self.mask_gains = nn.Parameter(torch.tensor([0.5, 0.5, 0.0]))
        self.summary = nn.Conv2d(middle + MASK_CHANNELS, middle, 1)
        self.update = GatedUpdate(middle, state)

    def forward(
        self, features: KeyFeatures, readout: Tensor, hidden: Tensor, *, update_hidden: bool
    ) -> tuple[Tensor | None, Tensor]:
        """Return the sensory memory and logits (B, n, 2h, 2w) (see XMemNetwork)."""
        batch, read = readout.shape[0], split_readout(fold(readout), self._value)
        state, cells = self.align_sensory(features, hidden)
        others = of_others(cells, batch), of_others(read.given, batch)
        masks = read_masks(read, cells, others)
        hints = (torch.cat(masks, 1) / 4).to(readout.dtype)
        seen = (read.value, state, cells, others[0], read.given, others[1], read.match)
        x8 = self._middle(features, torch.cat(seen, 1), hints)
        x4 = upsample(self.up_4(x8), 2) + repeat_for(self.image_4(features.f4), hints)
        x4 = self.out_4(x4 + self.masks_4(hints))
        gain_memory, gain_sensory, gain_given = self.mask_gains
        logits = gain_memory * masks.memory + gain_sensory * masks.sensory
        logits = logits + gain_given * masks.given + self.predict(x4.relu())
        new = None
        if update_hidden:
            decoded = functional.pixel_unshuffle(logits.sigmoid(), SUBCELLS)
            summary = self.summary(torch.cat([x8, decoded.to(x8.dtype)], 1))
            new = join_sensory(self.update(summary, state), decoded, features.key, batch)
        return new, unfold(logits[:, 0], batch)

    def align_sensory(self, features: KeyFeatures, hidden: Tensor) -> tuple[Tensor, Tensor]:
        """Return the state and the last mask in sub-cells, brought to this frame."""
        batch = len(hidden)
        last = split_sensory(hidden, self._state)
        # All objects saw the same frame; one that is new brings zeros.
        key = functional.normalize(unfold(last.key, batch).float().sum(1), dim=1)
        aligned = align(
            unfold(torch.cat([last.state, last.cells], 1), batch),
            key,
            functional.normalize(features.key, dim=1),
            self.sharpness.exp(),
            self.locality.exp(),
        )
        folded = fold(aligned)
        return folded[:, : self._state], folded[:, self._state :]

    def _middle(self, features: KeyFeatures, read: Tensor, hints: Tensor) -> Tensor:
        """Return the object's features at stride 8, (B*n, middle, h, w)."""
        seen = self.image_8(features.f8) + upsample(self.image_16(features.f16), 2)
        x8 = self.read_8(read) + repeat_for(seen, read)
        x8 = self.block_8(x8 + self.masks_8(functional.avg_pool2d(hints, 2)))
        x16 = self.down_16(functional.avg_pool2d(x8, 2))
        x16 = self.blocks_16(x16 + repeat_for(self.context_16(features.f16), read))
        output: Tensor = self.out_8(x8 + upsample(self.up_8(x16), 2))
        return output


def of_others(cells: Tensor, batch: int) -> Tensor:
    """Return for each of (B*n, 4, h, w) masks the sum of the other objects' masks."""
    groups = unfold(cells, batch)
    return fold(groups.sum(1, keepdim=True) - groups).clamp(0, 1)


def split_readout(read: Tensor, value: int) -> Readout:
    """Split (B*n, C, h, w), of which `value` channels were read from all memory."""
    given = value + MASK_CHANNELS
    return Readout(read[:, :value], read[:, value:given], read[:, given:])


def read_masks(read: Readout, cells: Tensor, others: tuple[Tensor, Tensor]) -> ReadMasks:
    """Return the masks in a readout and in the sensory memory's sub-cells (B*n, 4, h, w).

    `others` are the other objects' sub-cells in the sensory memory and in the given masks.
    """
    parts = (read.value[:, :MASK_CHANNELS], cells, others[0], read.given, others[1])
    return ReadMasks(*(logits_of_cells(part) for part in parts))
