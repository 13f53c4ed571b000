"""The compact network: small encoders and a small decoder for the same engine.

It differs from the published network in what helps a small model that saw few images:

* The value's first channels are the object's mask itself in 4x4 sub-cells, so the readout carries
  a soft mask from frame to frame before anything is learnt.
* Further channels are sums of a detail embedding over the object and over the rest of the cell;
  divided by the mask read out, they give the local colours of object and surroundings, to which
  the decoder compares every pixel at stride 4.
* The decoder corrects the logit of the mask that was read out, and the sensory memory sees the
  decoded mask in sub-cells.
"""

from dataclasses import dataclass
from typing import NamedTuple

import torch
from torch import Tensor
from torch import nn
from torch.nn import functional

from lazy_vos_ros.engine.xmem.blocks import FeatureFusionBlock
from lazy_vos_ros.engine.xmem.blocks import GatedUpdate
from lazy_vos_ros.engine.xmem.blocks import GroupResBlock
from lazy_vos_ros.engine.xmem.blocks import KeyProjection
from lazy_vos_ros.engine.xmem.blocks import conv3x3
from lazy_vos_ros.engine.xmem.blocks import fold
from lazy_vos_ros.engine.xmem.blocks import repeat_for
from lazy_vos_ros.engine.xmem.blocks import unfold
from lazy_vos_ros.engine.xmem.decoder import upsample
from lazy_vos_ros.engine.xmem.lite_trunk import CHANNELS_4
from lazy_vos_ros.engine.xmem.lite_trunk import CHANNELS_8
from lazy_vos_ros.engine.xmem.lite_trunk import CHANNELS_16
from lazy_vos_ros.engine.xmem.lite_trunk import LiteTrunk
from lazy_vos_ros.engine.xmem.network import XMemNetwork

STRIDE = 16
SUBCELLS = 4
"""Sub-cells of a key's cell along each side; they lie at stride 4."""
MASK_CHANNELS = SUBCELLS * SUBCELLS
MASK_LOGIT_LIMIT = 0.01
"""Probabilities read out are clamped to [limit, 1 - limit] before their logit."""


@dataclass(frozen=True)
class CompactConfig:
    """Sizes of the compact network."""

    key: int = 64
    """C_k."""
    learnt: int = 64
    """Channels of the value that are learnt; C_v is more by the mask and the detail sums."""
    hidden: int = 32
    """C_h."""
    detail: int = 12
    """Channels of the detail embedding at stride 4."""
    coarse: int = 96
    """Object channels of the decoder at stride 16."""
    middle: int = 48
    """Object channels of the decoder at stride 8."""
    fine: int = 24
    """Object channels of the decoder at stride 4."""

    @property
    def value(self) -> int:
        """C_v."""
        return MASK_CHANNELS + 2 * self.detail + self.learnt

    @property
    def image(self) -> int:
        """Channels of f16: the trunk's tap and the detail embedding in sub-cells."""
        return CHANNELS_16 + MASK_CHANNELS * self.detail


class CompactKeyEncoder(nn.Module):
    """The trunk; to its coarsest tap it joins a detail embedding, folded from stride 4."""

    def __init__(self, detail: int) -> None:
        super().__init__()
        self.trunk = LiteTrunk()
        self.detail_4 = nn.Conv2d(CHANNELS_4, detail, 1)
        self.detail_8 = nn.Conv2d(CHANNELS_8, detail, 1)
        self.detail_16 = nn.Conv2d(CHANNELS_16, detail, 1)

    def forward(self, image: Tensor) -> tuple[Tensor, Tensor, Tensor]:
        """Return f16 (B, 112 + 16 D, h, w), f8 (B, 40, 2h, 2w), f4 (B, 24, 4h, 4w)."""
        return self.with_detail(*self.trunk(image))

    def with_detail(self, f16: Tensor, f8: Tensor, f4: Tensor) -> tuple[Tensor, Tensor, Tensor]:
        """Join the detail embedding to the trunk's taps."""
        detail = self.detail_8(f8) + upsample(self.detail_16(f16), 2)
        detail = self.detail_4(f4) + upsample(detail, 2)
        return torch.cat([f16, functional.pixel_unshuffle(detail, SUBCELLS)], 1), f8, f4


def split_image_features(f16: Tensor) -> tuple[Tensor, Tensor]:
    """Return the trunk's tap (B, 112, h, w) and the detail embedding (B, D, 4h, 4w) of f16."""
    return f16[:, :CHANNELS_16], functional.pixel_shuffle(f16[:, CHANNELS_16:], SUBCELLS)


class CompactValueEncoder(nn.Module):
    """Mask in sub-cells, detail sums, and learnt channels."""

    def __init__(self, config: CompactConfig) -> None:
        super().__init__()
        self.stem = nn.Conv2d(5, 24, 7, stride=4, padding=3)
        self.down_8 = nn.Conv2d(24, 48, 3, stride=2, padding=1)
        self.down_16 = nn.Conv2d(48, 64, 3, stride=2, padding=1)
        self.fuser = FeatureFusionBlock(CHANNELS_16, 64 + MASK_CHANNELS, 64, config.learnt)
        self.hidden_reinforce = GatedUpdate(config.value, config.hidden)

    def forward(
        self, image: Tensor, f16: Tensor, hidden: Tensor, masks: Tensor, *, deep_update: bool
    ) -> tuple[Tensor, Tensor]:
        """Return the value (B, n, C_v, h, w) and the sensory memory (see XMemNetwork)."""
        batch = image.shape[0]
        mask = fold(masks)[:, None]
        others = fold(masks.sum(1, keepdim=True) - masks)[:, None]
        x = self.stem(torch.cat([repeat_for(image, mask), mask, others], 1)).relu()
        x = self.down_16(self.down_8(x).relu())
        features, detail = split_image_features(f16)
        mask_4 = functional.avg_pool2d(mask, STRIDE // SUBCELLS)
        cells = functional.pixel_unshuffle(mask_4, SUBCELLS)
        learnt = self.fuser(features, torch.cat([x, cells], 1))
        detail = repeat_for(detail, mask)
        inside = functional.avg_pool2d(detail * mask_4, SUBCELLS)
        outside = functional.avg_pool2d(detail * (1 - mask_4), SUBCELLS)
        value = torch.cat([cells, inside, outside, learnt], 1)
        if deep_update:
            hidden = unfold(self.hidden_reinforce(value, fold(hidden)), batch)
        return unfold(value, batch), hidden


class ReadCues(NamedTuple):
    """What the readout says directly about every pixel at stride 4; each (B*n, 1, 4h, 4w)."""

    prior: Tensor
    """Logit of the mask that was read out."""
    colour: Tensor
    """How much nearer the pixel's detail is to the object's than to the surroundings'."""
    presence: Tensor
    """Share of the object in the cell and its neighbours."""


def read_cues(detail: Tensor, readout: Tensor) -> ReadCues:
    """Read the mask and compare details; detail (B, D, 4h, 4w), readout (B*n, C_v, h, w)."""
    channels = detail.shape[1]
    cells = readout[:, :MASK_CHANNELS]
    prior = functional.pixel_shuffle(cells, SUBCELLS).clamp(MASK_LOGIT_LIMIT, 1 - MASK_LOGIT_LIMIT)
    share = _smooth(cells.mean(1, keepdim=True)).clamp(0, 1)
    inside, outside = _smooth(readout[:, MASK_CHANNELS : MASK_CHANNELS + 2 * channels]).chunk(2, 1)
    inside = upsample(inside / (share + 0.02), SUBCELLS)
    outside = upsample(outside / (1 - share + 0.02), SUBCELLS)
    pixels = repeat_for(detail, readout)
    nearer = (pixels - outside).square().mean(1) - (pixels - inside).square().mean(1)
    return ReadCues(prior.logit(), nearer[:, None].clamp(-8, 8), upsample(share, SUBCELLS))


def _smooth(maps: Tensor) -> Tensor:
    return functional.avg_pool2d(maps, 3, stride=1, padding=1, count_include_pad=False)


class CompactDecoder(nn.Module):
    """Correct the mask that was read out, from coarse to fine, and update the sensory memory."""

    def __init__(self, config: CompactConfig) -> None:
        super().__init__()
        coarse, middle, fine = config.coarse, config.middle, config.fine
        self.fuser = FeatureFusionBlock(CHANNELS_16, config.value + config.hidden, coarse, coarse)
        self.skip_8 = conv3x3(CHANNELS_8, middle)
        self.up_8 = nn.Conv2d(coarse, middle, 1)
        self.cue_8 = nn.Conv2d(3, middle, 1)
        self.out_8 = GroupResBlock(middle, middle)
        self.skip_4 = conv3x3(CHANNELS_4, fine)
        self.up_4 = nn.Conv2d(middle, fine, 1)
        self.cue_4 = conv3x3(3, fine)
        self.out_4 = GroupResBlock(fine, fine)
        self.pred = conv3x3(fine, 1)
        self.prior_gain = nn.Parameter(torch.ones(()))
        self.hidden_summary = nn.Conv2d(coarse + middle + MASK_CHANNELS, coarse, 1)
        self.hidden_update = GatedUpdate(coarse, config.hidden)

    def forward(
        self,
        f16: Tensor,
        f8: Tensor,
        f4: Tensor,
        readout: Tensor,
        hidden: Tensor,
        *,
        update_hidden: bool,
    ) -> tuple[Tensor | None, Tensor]:
        """Return the sensory memory and the logits (B, n, 4h, 4w) (see XMemNetwork)."""
        batch, old, read = f16.shape[0], fold(hidden), fold(readout)
        features, detail = split_image_features(f16)
        cues = read_cues(detail, read)
        cue_maps = torch.cat([cues.prior / 4, cues.colour, cues.presence], 1)
        g16 = self.fuser(features, torch.cat([read, old], 1))
        g8 = upsample(self.up_8(g16), 2) + repeat_for(self.skip_8(f8), read)
        g8 = self.out_8(g8 + self.cue_8(functional.avg_pool2d(cue_maps, 2)))
        g4 = upsample(self.up_4(g8), 2) + repeat_for(self.skip_4(f4), read)
        g4 = self.out_4(g4 + self.cue_4(cue_maps))
        logits = self.prior_gain * cues.prior + self.pred(g4.relu())
        new = None
        if update_hidden:
            cells = functional.pixel_unshuffle(logits.sigmoid(), SUBCELLS)
            summary = torch.cat([g16, functional.avg_pool2d(g8, 2), cells], 1)
            new = unfold(self.hidden_update(self.hidden_summary(summary), old), batch)
        return new, unfold(logits[:, 0], batch)


def compact_network(config: CompactConfig) -> XMemNetwork:
    """Build the compact network with random weights."""
    encoder = CompactKeyEncoder(config.detail)
    encoder.trunk.channels_last()
    return XMemNetwork(
        encoder,
        CompactValueEncoder(config),
        KeyProjection(config.image, config.key),
        CompactDecoder(config),
        key_dim=config.key,
        value_dim=config.value,
        hidden_dim=config.hidden,
        stride=STRIDE,
    )
