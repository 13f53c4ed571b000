"""SAM-HQ as a refiner: one click, one mask (Ke et al., NeurIPS 2023)."""

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import cv2
import numpy as np
import torch

from lazy_vos_ros.engine.backend import FrozenFrame
from lazy_vos_ros.engine.backend import Image
from lazy_vos_ros.engine.clicks import Click
from lazy_vos_ros.engine.refiners.base import RefinedMask
from lazy_vos_ros.engine.refiners.base import check_clicks
from lazy_vos_ros.engine.refiners.sam_package import import_sam
from lazy_vos_ros.engine.weights import check_entries
from lazy_vos_ros.engine.weights import read_state
from lazy_vos_ros.engine.weights import title_of

VARIANTS = ('vit_tiny', 'vit_b', 'vit_l', 'vit_h')
"""Sizes of the network; the paper uses vit_l."""


class SamHqRefiner:
    """Turn clicks into a mask with SAM-HQ's high-quality token.

    The image is encoded when the first click on it comes, which takes far longer than all that
    follows; the embedding serves further clicks on the same frame.
    """

    def __init__(
        self,
        model: Any,
        *,
        name: str = 'SAM-HQ',
        square: bool = False,
    ) -> None:
        """Take over a model of `segment_anything_hq`, in evaluation mode, on its device.

        Parameters
        ----------
        model
            One of its ``Sam`` networks.
        name
            Method and weights in words.
        square
            Stretch the image to a square as the published Lazy-XMem code does, in place of the
            standard predictor, which keeps the aspect ratio.
        """
        self._predictor = import_sam().SamPredictor(model)
        self._name = name
        self._square = square
        self._image: Image | None = None
        self._index = -1

    @classmethod
    def load(
        cls,
        path: Path,
        variant: str,
        *,
        device: torch.device | str = 'cpu',
        square: bool = False,
    ) -> 'SamHqRefiner':
        """Read a published checkpoint; without running any code of it.

        Raises
        ------
        ValueError
            If the variant is unknown, or the file is damaged or of another network.
        RuntimeError
            If a package is not installed.
        """
        if variant not in VARIANTS:
            raise ValueError(f'variant is {variant!r}; allowed: {", ".join(VARIANTS)}')
        model = import_sam().sam_model_registry[variant]()
        state = read_state(path)
        check_entries(path, model.state_dict(), state)
        model.load_state_dict(state)
        # Into evaluation mode after loading: vit_tiny copies its attention biases on the way.
        model.to(device).eval()
        return cls(model, name=f'SAM-HQ {variant} ({title_of(path)})', square=square)

    @property
    def name(self) -> str:
        """Method and weights in words."""
        return self._name

    @torch.inference_mode()
    def refine(
        self,
        frame: FrozenFrame,
        clicks: Sequence[Click],
        *,
        object_id: int,
        prior: torch.Tensor | None = None,
    ) -> RefinedMask:
        """Return the mask of the clicked object on the model's device.

        The predicted mask is not given to the network, as in the paper.

        Raises
        ------
        ValueError
            If there is no click or one lies outside the image.
        """
        del object_id, prior
        check_clicks(frame, clicks)
        self._embed(frame)
        logits, scores, _ = self._predictor.predict_torch(
            self._points(clicks),
            torch.tensor([[int(click.positive) for click in clicks]], device=self._device),
            multimask_output=True,
            return_logits=True,
            hq_token_only=True,
        )
        # One mask comes back, that of the high-quality token, at the size of the image.
        return RefinedMask(logits[0, 0] > 0, float(scores.max().clamp(0, 1)))

    @property
    def _device(self) -> torch.device:
        device: torch.device = self._predictor.device
        return device

    def _embed(self, frame: FrozenFrame) -> None:
        # After a reset the indices start again, so the image has to be the same one, too.
        if frame.index == self._index and frame.image is self._image:
            return
        self._image = None
        pixels = torch.from_numpy(self._resize(frame.image)).to(self._device)
        self._predictor.set_torch_image(
            pixels.permute(2, 0, 1)[None].contiguous(), frame.image.shape[:2]
        )
        self._index, self._image = frame.index, frame.image

    def _resize(self, image: Image) -> Image:
        side = self._predictor.transform.target_length
        if self._square:
            resized = cv2.resize(image, (side, side), interpolation=cv2.INTER_CUBIC)
        else:
            resized = self._predictor.transform.apply_image(image)
        return np.array(resized, np.uint8)

    def _points(self, clicks: Sequence[Click]) -> torch.Tensor:
        """Return (1, N, 2) x and y in the resized image; the network adds half a pixel."""
        height, width = self._predictor.original_size
        rows, columns = self._predictor.input_size
        points = [[click.x * columns / width, click.y * rows / height] for click in clicks]
        return torch.tensor([points], dtype=torch.float32, device=self._device)
