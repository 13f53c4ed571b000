"""The network: a container of four parts that the memory and the time step know only as such."""

import torch
from torch import nn

from lazy_vos_ros.engine.xmem.blocks import upsample
from lazy_vos_ros.engine.xmem.features import ImageFeatures
from lazy_vos_ros.engine.xmem.features import KeyFeatures

LOGIT_STRIDE = 4
"""Pixels of the image to one of the decoder's logits."""


class XMemNetwork(nn.Module):
    """Four parts and the sizes that connect them; any parts with these calls fit.

    Parameters
    ----------
    key_encoder
        ``(image (B, 3, H, W)) -> f16, f8, f4``.
    value_encoder
        ``(image, features, hidden (B, n, C_h, h, w), masks (B, n, H, W), deep_update=) -> value
        (B, n, C_v, h, w), hidden``; it makes each object's mask of all others itself.
    key_proj
        ``(ImageFeatures) -> key, shrinkage, selection``.
    decoder
        ``(features, readout (B, n, C_v + .., h, w), hidden, update_hidden=) -> hidden or None,
        logits (B, n, H/4, W/4)``.
    key_dim, value_dim, hidden_dim
        C_k, C_v and C_h; C_h may be 0.
    stride
        Pixels of the image to one of the key; a multiple of 4.
    padding_multiple
        What the sizes of images must be divisible by; by default the stride.
    given_dim
        So many of a value's first channels are read a second time, from the frames alone on which
        the objects' masks were given. If there are any, a readout has `given_dim` + 2 channels
        more: these, and how well anything in the memory, and in those frames, matches each
        pixel (:mod:`engine.xmem.given`).
    """

    def __init__(
        self,
        key_encoder: nn.Module,
        value_encoder: nn.Module,
        key_proj: nn.Module,
        decoder: nn.Module,
        *,
        key_dim: int,
        value_dim: int,
        hidden_dim: int,
        stride: int,
        padding_multiple: int | None = None,
        given_dim: int = 0,
    ) -> None:
        super().__init__()
        self.key_encoder = key_encoder
        self.value_encoder = value_encoder
        self.key_proj = key_proj
        self.decoder = decoder
        self.key_dim = key_dim
        self.value_dim = value_dim
        self.hidden_dim = hidden_dim
        self.stride = stride
        self.padding_multiple = padding_multiple or stride
        self.given_dim = given_dim

    def encode_key(self, image: torch.Tensor) -> KeyFeatures:
        """Extract the features of a normalised image (B, 3, H, W)."""
        features = ImageFeatures(*self.key_encoder(image))
        key, shrinkage, selection = self.key_proj(features)
        return KeyFeatures(
            key, shrinkage, selection, f16=features.f16, f8=features.f8, f4=features.f4
        )

    def encode_value(
        self,
        image: torch.Tensor,
        features: KeyFeatures,
        hidden: torch.Tensor,
        masks: torch.Tensor,
        *,
        deep_update: bool,
    ) -> tuple[torch.Tensor, torch.Tensor]:
        """Encode what each object looks like in this image.

        Parameters
        ----------
        image
            (B, 3, H, W) normalised.
        features
            Its features.
        hidden
            (B, n, C_h, h, w), the sensory memory.
        masks
            (B, n, H, W) probabilities of the objects.
        deep_update
            Whether to return a sensory memory refreshed from the value.

        Returns
        -------
        value (B, n, C_v, h, w), and the refreshed or the given sensory memory.
        """
        value: torch.Tensor
        value, hidden = self.value_encoder(image, features, hidden, masks, deep_update=deep_update)
        return value, hidden

    def decode(
        self,
        features: KeyFeatures,
        readout: torch.Tensor,
        hidden: torch.Tensor,
        *,
        update_hidden: bool,
    ) -> tuple[torch.Tensor | None, torch.Tensor]:
        """Decode (B, n, C_v + .., h, w) readouts to logits (B, n, H, W) at the image's size.

        Returns
        -------
        The updated sensory memory, None unless `update_hidden`; and the logits.
        """
        new, logits = self.decoder(features, readout, hidden, update_hidden=update_hidden)
        return new, upsample(logits, LOGIT_STRIDE)
