"""The network: a container of four parts that the memory and the time step know only as such."""

from dataclasses import dataclass

import torch
from torch import nn

from lazy_vos_ros.engine.xmem.decoder import upsample


@dataclass(frozen=True)
class KeyFeatures:
    """What the network extracts from an image alone; h, w are its size divided by the stride."""

    key: torch.Tensor
    """(B, C_k, h, w)."""
    shrinkage: torch.Tensor
    """(B, 1, h, w), at least 1."""
    selection: torch.Tensor
    """(B, C_k, h, w) in (0, 1)."""
    f16: torch.Tensor
    """(B, C16, h, w), the coarsest image features."""
    f8: torch.Tensor
    """(B, C8, 2h, 2w)."""
    f4: torch.Tensor
    """(B, C4, 4h, 4w)."""

    @property
    def size(self) -> tuple[int, int]:
        """(h, w) of the key."""
        return self.key.shape[-2], self.key.shape[-1]


class XMemNetwork(nn.Module):
    """Four parts and the sizes that connect them; any parts with these calls fit.

    Parameters
    ----------
    key_encoder
        ``(image (B, 3, H, W)) -> f16, f8, f4``.
    value_encoder
        ``(image, f16, hidden (B, n, C_h, h, w), masks (B, n, H, W), deep_update=) -> value
        (B, n, C_v, h, w), hidden``; it makes each object's mask of all others itself.
    key_proj
        ``(f16) -> key, shrinkage, selection``.
    decoder
        ``(f16, f8, f4, readout (B, n, C_v, h, w), hidden, update_hidden=) -> hidden or None,
        logits (B, n, 4h, 4w)``.
    key_dim, value_dim, hidden_dim
        C_k, C_v and C_h; C_h may be 0.
    stride
        Pixels of the image to one of the key; a multiple of 4. Images have sizes divisible by it.
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

    def encode_key(self, image: torch.Tensor) -> KeyFeatures:
        """Extract the features of a normalised image (B, 3, H, W)."""
        f16, f8, f4 = self.key_encoder(image)
        key, shrinkage, selection = self.key_proj(f16)
        return KeyFeatures(key, shrinkage, selection, f16, f8, f4)

    def encode_value(
        self,
        image: torch.Tensor,
        f16: torch.Tensor,
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
        f16
            Its coarsest features.
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
        value, hidden = self.value_encoder(image, f16, hidden, masks, deep_update=deep_update)
        return value, hidden

    def decode(
        self,
        f16: torch.Tensor,
        f8: torch.Tensor,
        f4: torch.Tensor,
        readout: torch.Tensor,
        hidden: torch.Tensor,
        *,
        update_hidden: bool,
    ) -> tuple[torch.Tensor | None, torch.Tensor]:
        """Decode (B, n, C_v, h, w) readouts to logits (B, n, H, W) at the size of the image.

        Returns
        -------
        The updated sensory memory, None unless `update_hidden`; and the logits.
        """
        new, logits = self.decoder(f16, f8, f4, readout, hidden, update_hidden=update_hidden)
        return new, upsample(logits, self.stride // 4)
