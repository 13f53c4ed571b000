"""Building blocks of the network.

Group tensors are (B, n, C, h, w) with n objects that share all weights. Blocks work on
(B*n, C, h, w): :func:`fold` and :func:`unfold` go between the two.
"""

import torch
from torch import nn
from torch.nn import functional

from lazy_vos_ros.engine.xmem.features import ImageFeatures


def fold(groups: torch.Tensor) -> torch.Tensor:
    """Return (B, n, ...) as (B*n, ...)."""
    return groups.flatten(0, 1)


def unfold(folded: torch.Tensor, batch: int) -> torch.Tensor:
    """Return (B*n, ...) as (B, n, ...)."""
    return folded.view(batch, -1, *folded.shape[1:])


def repeat_for(image_maps: torch.Tensor, folded: torch.Tensor) -> torch.Tensor:
    """Return (B, C, h, w) repeated for the objects of (B*n, ...): (B*n, C, h, w)."""
    if folded.shape[0] == image_maps.shape[0]:
        return image_maps
    return image_maps.repeat_interleave(folded.shape[0] // image_maps.shape[0], 0)


def upsample(maps: torch.Tensor, factor: int) -> torch.Tensor:
    """Enlarge (B, C, h, w) bilinearly by a whole factor."""
    return functional.interpolate(maps, scale_factor=factor, mode='bilinear', align_corners=False)


def conv3x3(inputs: int, outputs: int) -> nn.Conv2d:
    """Return a 3x3 convolution with bias that keeps the size."""
    return nn.Conv2d(inputs, outputs, 3, padding=1)


class GroupResBlock(nn.Module):
    """Pre-activation residual block of two 3x3 convolutions, without normalisation.

    The shortcut is the identity if `inputs` equals `outputs`, else a 3x3 convolution of the
    un-activated input.
    """

    def __init__(self, inputs: int, outputs: int) -> None:
        super().__init__()
        self.downsample = None if inputs == outputs else conv3x3(inputs, outputs)
        self.conv1 = conv3x3(inputs, outputs)
        self.conv2 = conv3x3(outputs, outputs)

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        """Map (B*n, inputs, h, w) to (B*n, outputs, h, w)."""
        inner = self.conv2(self.conv1(x.relu()).relu())
        output: torch.Tensor = inner + (x if self.downsample is None else self.downsample(x))
        return output


class JoinedConv(nn.Conv2d):
    """A 3x3 convolution of image and object features joined along channels.

    Convolution is linear: the part of the image is computed once for all objects.
    """

    def __init__(self, image: int, group: int, outputs: int) -> None:
        super().__init__(image + group, outputs, 3, padding=1)
        self._image = image

    def forward(self, image_maps: torch.Tensor, folded: torch.Tensor) -> torch.Tensor:  # type: ignore[override]
        """Map (B, image, h, w) and (B*n, group, h, w) to (B*n, outputs, h, w)."""
        shared, own = self.weight.tensor_split([self._image], 1)
        once = functional.conv2d(image_maps, shared, padding=1)
        return functional.conv2d(folded, own, self.bias, padding=1) + repeat_for(once, folded)

    def parts(self) -> tuple[nn.Conv2d, nn.Conv2d]:
        """Return convolutions of the image and of the objects whose sum it is."""
        image = nn.Conv2d(self._image, self.out_channels, 3, padding=1, bias=False)
        group = conv3x3(self.in_channels - self._image, self.out_channels)
        shared, own = self.weight.detach().tensor_split([self._image], 1)
        image.weight, group.weight = nn.Parameter(shared), nn.Parameter(own)
        group.bias = self.bias
        return image, group


class FusingResBlock(nn.Module):
    """A :class:`GroupResBlock` of image features and object features joined along channels."""

    def __init__(self, image: int, group: int, outputs: int) -> None:
        super().__init__()
        same = image + group == outputs
        self.downsample = None if same else JoinedConv(image, group, outputs)
        self.conv1 = JoinedConv(image, group, outputs)
        self.conv2 = conv3x3(outputs, outputs)

    def forward(self, image_maps: torch.Tensor, folded: torch.Tensor) -> torch.Tensor:
        """Map (B, image, h, w) and (B*n, group, h, w) to (B*n, outputs, h, w)."""
        inner = self.conv2(self.conv1(image_maps.relu(), folded.relu()).relu())
        if self.downsample is None:
            shortcut = torch.cat([repeat_for(image_maps, folded), folded], 1)
        else:
            shortcut = self.downsample(image_maps, folded)
        output: torch.Tensor = inner + shortcut
        return output


class ChannelGate(nn.Module):
    """Channel attention of CBAM: one MLP on the global average and the global maximum."""

    def __init__(self, channels: int, reduction: int) -> None:
        super().__init__()
        self.mlp = nn.Sequential(
            nn.Flatten(),
            nn.Linear(channels, channels // reduction),
            nn.ReLU(),
            nn.Linear(channels // reduction, channels),
        )

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        """Scale the channels of (B, C, h, w) by weights in (0, 1)."""
        score: torch.Tensor = self.mlp(x.mean((2, 3))) + self.mlp(x.amax((2, 3)))
        return x * score.sigmoid()[:, :, None, None]


class SpatialGate(nn.Module):
    """Spatial attention of CBAM: a 7x7 convolution of the channels' maximum and mean."""

    def __init__(self) -> None:
        super().__init__()
        self.spatial = nn.Sequential()
        self.spatial.add_module('conv', nn.Conv2d(2, 1, 7, padding=3))

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        """Scale the pixels of (B, C, h, w) by weights in (0, 1)."""
        pooled = torch.cat([x.amax(1, keepdim=True), x.mean(1, keepdim=True)], 1)
        score: torch.Tensor = self.spatial(pooled)
        return x * score.sigmoid()


class CBAM(nn.Module):
    """Convolutional block attention (Woo et al., 2018): channel gate, then spatial gate."""

    def __init__(self, channels: int, reduction: int = 16) -> None:
        super().__init__()
        self.ChannelGate = ChannelGate(channels, reduction)
        self.SpatialGate = SpatialGate()

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        """Gate (B, C, h, w)."""
        gated: torch.Tensor = self.SpatialGate(self.ChannelGate(x))
        return gated


class FeatureFusionBlock(nn.Module):
    """Fuse image features with object features: residual block, CBAM, residual block."""

    def __init__(self, image: int, group: int, middle: int, outputs: int) -> None:
        super().__init__()
        self.block1 = FusingResBlock(image, group, middle)
        self.attention = CBAM(middle)
        self.block2 = GroupResBlock(middle, outputs)

    def forward(self, image_maps: torch.Tensor, folded: torch.Tensor) -> torch.Tensor:
        """Map (B, image, h, w) and (B*n, group, h, w) to (B*n, outputs, h, w)."""
        fused = self.block1(image_maps, folded)
        output: torch.Tensor = self.block2(fused + self.attention(fused))
        return output


class GatedUpdate(nn.Module):
    """The recurrent update of the sensory memory.

    ``h' = f * h * (1 - u) + u * c`` with gates f, u and candidate c of one convolution of [g, h].
    """

    def __init__(self, inputs: int, hidden: int) -> None:
        super().__init__()
        self.transform = conv3x3(inputs + hidden, 3 * hidden)

    def forward(self, g: torch.Tensor, hidden: torch.Tensor) -> torch.Tensor:
        """Return the new (B*n, hidden, h, w) for features g (B*n, inputs, h, w)."""
        forget, update, candidate = self.transform(torch.cat([g, hidden], 1)).chunk(3, 1)
        update = update.sigmoid()
        new: torch.Tensor = forget.sigmoid() * hidden * (1 - update) + update * candidate.tanh()
        return new


class KeyProjection(nn.Module):
    """Key, shrinkage and selection from the coarsest image features."""

    def __init__(self, inputs: int, key: int) -> None:
        super().__init__()
        self.key_proj = conv3x3(inputs, key)
        self.d_proj = conv3x3(inputs, 1)
        self.e_proj = conv3x3(inputs, key)

    def forward(self, features: ImageFeatures) -> tuple[torch.Tensor, torch.Tensor, torch.Tensor]:
        """Return key (B, C_k, h, w), shrinkage (B, 1, h, w) >= 1, selection like key in (0, 1)."""
        f16 = features.f16
        return self.key_proj(f16), self.d_proj(f16).square() + 1, self.e_proj(f16).sigmoid()
