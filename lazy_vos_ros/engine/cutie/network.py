"""The calls of Cutie's network that one time step makes, with types and shapes."""

from dataclasses import dataclass
from typing import Any

import torch
from torch import nn

from lazy_vos_ros.engine.xmem.features import KeyFeatures

STRIDE = 16
"""Pixels of the image to one of the key."""


@dataclass(frozen=True)
class CutieFeatures:
    """What the network extracts from an image alone; h, w are its size divided by the stride."""

    key: KeyFeatures
    """What the memory is read and written with, float32, and the features at three sizes."""
    pixels: torch.Tensor
    """(1, C, h, w), what readings and masks are fused with."""

    @property
    def size(self) -> tuple[int, int]:
        """(h, w) of the key."""
        return self.key.size

    @property
    def nbytes(self) -> int:
        """Bytes of all tensors."""
        key = self.key
        tensors = (key.key, key.shrinkage, key.selection, key.f16, key.f8, key.f4, self.pixels)
        return sum(tensor.nbytes for tensor in tensors)


@dataclass(frozen=True)
class CutieValue:
    """What a memorised frame says of n objects."""

    pixels: torch.Tensor
    """(1, n, C_v, h, w), for the pixel memory."""
    summaries: torch.Tensor
    """(n, Q, C+1) sums of features over the object's pixels and, last, their number; for the
    object memory, where they add up over frames."""
    sensory: torch.Tensor
    """(1, n, C_h, h, w), refreshed from the value if that was asked for, else as given."""


class CutieNetwork(nn.Module):
    """Cutie's network (Cheng et al., CVPR 2024) as the time step sees it.

    Only the network of the package is used, not its inference code: that keeps a memory of its
    own, which cannot replace a frame and grows with every object added later; and it is wrong
    about objects given by a mask with one channel each while others are tracked, because
    ``InferenceCore.step`` then takes ``mask[tmp_id]``, the place among all objects, counted from
    1, in place of the place in the mask (version 1.0.1 fails a line before, at
    ``mask.max(0) > 0.5``).
    """

    def __init__(self, model: Any, precision: torch.dtype = torch.float32) -> None:
        """Take over a model of :func:`~lazy_vos_ros.engine.cutie.package.build_model`."""
        super().__init__()
        self.model = model
        self.precision = precision
        self.key_dim: int = model.key_dim
        self.value_dim: int = model.value_dim
        self.sensory_dim: int = model.sensory_dim

    def encode(self, image: torch.Tensor) -> CutieFeatures:
        """Extract the features of an image (1, 3, H, W) in [0, 1]; H, W divisible by 16."""
        with self._arithmetic(image):
            (f16, f8, f4), pixels = self.model.encode_image(image)
            key, shrinkage, selection = self.model.transform_key(f16)
        features = KeyFeatures(key.float(), shrinkage.float(), selection.float(), f16, f8, f4)
        return CutieFeatures(features, pixels)

    def encode_value(
        self,
        image: torch.Tensor,
        features: CutieFeatures,
        sensory: torch.Tensor,
        masks: torch.Tensor,
        *,
        deep_update: bool,
    ) -> CutieValue:
        """Encode what each object looks like in this image.

        Parameters
        ----------
        image, features
            (1, 3, H, W) in [0, 1], and what :meth:`encode` made of it.
        sensory
            (1, n, C_h, h, w), the sensory memory.
        masks
            (1, n, H, W) probabilities of the objects.
        deep_update
            Whether to refresh the sensory memory from the value.
        """
        with self._arithmetic(image):
            value, sensory, summaries, _ = self.model.encode_mask(
                image, features.pixels, sensory, masks, deep_update=deep_update
            )
        return CutieValue(value, summaries[0].float(), sensory.float())

    def fuse(
        self,
        features: CutieFeatures,
        values: torch.Tensor,
        sensory: torch.Tensor,
        last_masks: torch.Tensor,
        summaries: torch.Tensor,
    ) -> torch.Tensor:
        """Join all that is remembered of n objects into (1, n, C, h, w).

        Parameters
        ----------
        features
            Of the image to be segmented.
        values
            (1, n, C_v, h, w) as read from the pixel memory.
        sensory
            (1, n, C_h, h, w), the sensory memory.
        last_masks
            (1, n, h, w) probabilities of the objects in the frame before.
        summaries
            (n, Q, C+1), the object memory.
        """
        with self._arithmetic(values):
            fused = self.model.pixel_fusion(features.pixels, values, sensory, last_masks)
            readout: torch.Tensor = self.model.readout_query(fused, summaries[None, :, None])[0]
        return readout

    def decode(
        self, features: CutieFeatures, readout: torch.Tensor, sensory: torch.Tensor
    ) -> tuple[torch.Tensor, torch.Tensor]:
        """Decode (1, n, C, h, w) of all objects; aggregate them at a quarter of the size.

        Returns
        -------
        The updated sensory memory, and (n+1, H, W) float32 probabilities, background first.
        """
        key = features.key
        with self._arithmetic(readout):
            sensory, _, probabilities = self.model.segment(
                [key.f16, key.f8, key.f4], readout, sensory, update_sensory=True
            )
        return sensory.float(), probabilities[0].float()

    def _arithmetic(self, tensor: torch.Tensor) -> torch.autocast:
        """Compute in the chosen precision; the weights stay float32, as the parts expect."""
        exact = self.precision == torch.float32
        dtype = torch.bfloat16 if exact else self.precision
        return torch.autocast(tensor.device.type, dtype=dtype, enabled=not exact)
