"""The compact network: small parts for the same engine, with what helps a model that saw little.

* Keys lie at stride 8, so that small objects have cells of their own.
* The value's first channels are the object's mask itself in sub-cells of stride 4: the readout
  carries a soft mask from frame to frame before anything is learnt. The given masks are read a
  second time by themselves (`given.py`).
* The sensory memory holds, beside what is learnt, the last mask and an embedding of the last
  frame, by which it is brought to where things are now before it is used (`alignment.py`).
* The decoder corrects the masks that were read.
"""

from dataclasses import dataclass

from torch import Tensor
from torch import nn

from lazy_vos_ros.engine.xmem.blocks import conv3x3
from lazy_vos_ros.engine.xmem.blocks import upsample
from lazy_vos_ros.engine.xmem.compact_blocks import ContextBlock
from lazy_vos_ros.engine.xmem.compact_decoder import CompactDecoder
from lazy_vos_ros.engine.xmem.compact_sensory import MASK_CHANNELS
from lazy_vos_ros.engine.xmem.compact_sensory import sensory_channels
from lazy_vos_ros.engine.xmem.compact_value import CompactValueEncoder
from lazy_vos_ros.engine.xmem.compact_value import value_channels
from lazy_vos_ros.engine.xmem.features import ImageFeatures
from lazy_vos_ros.engine.xmem.lite_trunk import CHANNELS_8
from lazy_vos_ros.engine.xmem.lite_trunk import CHANNELS_16
from lazy_vos_ros.engine.xmem.lite_trunk import LiteTrunk
from lazy_vos_ros.engine.xmem.network import XMemNetwork

STRIDE = 8
PADDING_MULTIPLE = 16
"""Images are padded to multiples of the trunk's stride."""


@dataclass(frozen=True)
class CompactConfig:
    """Sizes of the compact network."""

    key: int = 32
    """C_k."""
    learnt: int = 40
    """Channels of the value that are learnt; C_v is more by the masks in sub-cells."""
    state: int = 24
    """Channels of the sensory memory that are learnt; C_h is more by the mask and the key."""
    coarse: int = 80
    """Object channels of the decoder at stride 16."""
    middle: int = 48
    """Object channels of encoder and decoder at stride 8."""
    fine: int = 24
    """Object channels of the decoder at stride 4."""

    @property
    def value(self) -> int:
        """C_v."""
        return value_channels(self.learnt)

    @property
    def hidden(self) -> int:
        """C_h."""
        return sensory_channels(self.state, self.key)


class CompactKeyProjection(nn.Module):
    """Key, shrinkage and selection at stride 8, of image features at strides 16 and 8."""

    def __init__(self, middle: int, key: int) -> None:
        super().__init__()
        self.image_16 = nn.Conv2d(CHANNELS_16, middle, 1)
        self.image_8 = nn.Conv2d(CHANNELS_8, middle, 1)
        self.context = nn.Sequential(ContextBlock(middle), ContextBlock(middle))
        self.key = conv3x3(middle, key)
        self.shrinkage = conv3x3(middle, 1)
        self.selection = conv3x3(middle, key)

    def forward(self, features: ImageFeatures) -> tuple[Tensor, Tensor, Tensor]:
        """Return key (B, C_k, h, w), shrinkage (B, 1, h, w) >= 1, selection in (0, 1)."""
        x = self.image_8(features.f8) + upsample(self.image_16(features.f16), 2)
        x = self.context(x)
        return self.key(x), self.shrinkage(x).square() + 1, self.selection(x).sigmoid()


def compact_network(config: CompactConfig) -> XMemNetwork:
    """Build the compact network with random weights."""
    trunk = LiteTrunk()
    trunk.channels_last()
    return XMemNetwork(
        trunk,
        CompactValueEncoder(config.middle, config.learnt, config.state),
        CompactKeyProjection(2 * config.middle, config.key),
        CompactDecoder(config.value, config.state, config.coarse, config.middle, config.fine),
        key_dim=config.key,
        value_dim=config.value,
        hidden_dim=config.hidden,
        stride=STRIDE,
        padding_multiple=PADDING_MULTIPLE,
        given_dim=MASK_CHANNELS,
    )
