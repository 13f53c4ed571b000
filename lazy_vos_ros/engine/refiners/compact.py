"""The compact click refiner: a small network on the image features of the compact tracker."""

import json
from collections.abc import Sequence
from dataclasses import asdict
from pathlib import Path

import torch
from safetensors.torch import save_file
from torch import Tensor
from torch import nn

from lazy_vos_ros.engine.backend import Backend
from lazy_vos_ros.engine.backend import FrozenFrame
from lazy_vos_ros.engine.backend import Image
from lazy_vos_ros.engine.clicks import Click
from lazy_vos_ros.engine.refiners.base import RefinedMask
from lazy_vos_ros.engine.refiners.click_network import ClickConfig
from lazy_vos_ros.engine.refiners.click_network import ClickNetwork
from lazy_vos_ros.engine.refiners.click_network import Taps
from lazy_vos_ros.engine.refiners.clicked_parts import clicked_parts
from lazy_vos_ros.engine.refiners.local_change import mask_with_clicks
from lazy_vos_ros.engine.refiners.window import Window
from lazy_vos_ros.engine.refiners.window import window_around
from lazy_vos_ros.engine.weights import check_entries
from lazy_vos_ros.engine.weights import title_of
from lazy_vos_ros.engine.xmem.backend import XMemBackend
from lazy_vos_ros.engine.xmem.blocks import upsample
from lazy_vos_ros.engine.xmem.compact_weights import read_described
from lazy_vos_ros.engine.xmem.frame import XMemFrame
from lazy_vos_ros.engine.xmem.lite_trunk import LiteTrunk
from lazy_vos_ros.engine.xmem.preprocessing import Geometry
from lazy_vos_ros.engine.xmem.preprocessing import image_to_network
from lazy_vos_ros.engine.xmem.preprocessing import objects_to_network
from lazy_vos_ros.engine.xmem.preprocessing import plan_geometry
from lazy_vos_ros.engine.xmem.preprocessing import probabilities_to_image

_KIND = 'compact refiner'
_STRIDE = 16
CLOSE_SIZE = 256
"""Short side at which a window around a small object is encoded: that of the training images."""
_WORTH_A_LOOK = 1.25
"""Least enlargement for which the window is encoded."""
OWN_SIZE = 384
"""Short side at which images are encoded where the tracker's features cannot be shared."""


class RefinerModel(nn.Module):
    """The trunk and the network on its features."""

    def __init__(self, config: ClickConfig) -> None:
        super().__init__()
        self.trunk = LiteTrunk()
        self.clicks = ClickNetwork(config)


def save_refiner(
    model: RefinerModel, config: ClickConfig, path: Path, *, recipe: str = ''
) -> None:
    """Write the weights in half precision; `recipe` is a word on how they came about."""
    state = {name: tensor.half().contiguous() for name, tensor in model.state_dict().items()}
    metadata = {'kind': _KIND, 'config': json.dumps(asdict(config)), 'recipe': recipe}
    save_file(state, path, metadata=metadata)


def load_refiner_model(path: Path) -> RefinerModel:
    """Build the model that the file describes, as float32.

    Raises
    ------
    ValueError
        If the file is not one of this kind, is damaged, or its entries do not fit.
    """
    config, state = read_described(path, _KIND, ClickConfig)
    model = RefinerModel(config)
    check_entries(path, model.state_dict(), state)
    model.load_state_dict(state)
    model.trunk.channels_last()
    return model


class CompactRefiner:
    """Implements :class:`~lazy_vos_ros.engine.refiners.base.Refiner`.

    Features of the tracker's frame are shared if the tracker is the compact one with the same
    trunk; else each clicked frame is encoded once by a trunk of its own.

    Parameters
    ----------
    model
        The trained model.
    backend
        The tracker whose frames will be refined; it also says on which device to run.
    name
        In words.
    """

    def __init__(self, model: RefinerModel, backend: Backend, *, name: str = 'compact') -> None:
        self._model = model.to(backend.device).eval().requires_grad_(False)
        self._name = name
        self._shares = _same_trunk(model.trunk, backend)
        self._last: tuple[FrozenFrame, Taps, Geometry] | None = None

    @classmethod
    def load(cls, path: Path, backend: Backend) -> 'CompactRefiner':
        """Load the weights at `path`; ValueError says what is wrong with them."""
        return cls(load_refiner_model(path), backend, name=f'compact ({title_of(path)})')

    @property
    def name(self) -> str:
        """Method and weights in words."""
        return self._name

    @property
    def shares_features(self) -> bool:
        """Whether it works on the tracker's own features."""
        return self._shares

    @torch.inference_mode()
    def refine(
        self,
        frame: FrozenFrame,
        clicks: Sequence[Click],
        *,
        object_id: int,
        prior: Tensor | None = None,
    ) -> RefinedMask:
        """Return the mask of the clicked object; see :class:`Refiner`.

        The clicks are taken one after another, each with the mask of those before it, as in
        training; the first starts from `prior`, if any. An object that is small in the tracker's
        features is then refined once more in a window of its own. Of the mask of `prior` the
        clicks change only what they are about (:mod:`~lazy_vos_ros.engine.refiners.local_change`).
        """
        if not clicks:
            raise ValueError('no click to refine with; allowed: at least one')
        for click in clicks:
            click.check_inside(*frame.image.shape[:2])
        taps, geometry = self._encode(frame)
        logits, quality = self._predict(taps, geometry, clicks, prior)
        window = window_around(_seen(prior, logits), clicks)
        if window is not None and _enlarges(window, geometry):
            near = logits.sigmoid() if prior is None else prior
            logits, quality = self._look_closely(frame, window, clicks, near)
        if prior is None:
            return RefinedMask(clicked_parts(logits > 0, clicks), quality)
        return RefinedMask(mask_with_clicks(prior.to(logits.device), logits, clicks), quality)

    def _predict(
        self, taps: Taps, geometry: Geometry, clicks: Sequence[Click], prior: Tensor | None
    ) -> tuple[Tensor, float]:
        """Return logits (H, W) of the encoded image and the expected IoU."""
        points, kinds = _to_network(clicks, geometry, taps.f4.device)
        previous = None if prior is None else _to_stride_4(prior.to(taps.f4.device), geometry)
        for count in range(1, len(clicks) + 1):
            logits, quality = self._model.clicks(
                taps, points[:, :count], kinds[:, :count], previous
            )
            previous = logits.sigmoid()
        maps = probabilities_to_image(upsample(logits, 4)[0].float(), geometry)
        return maps[0], float(quality[0])

    def _look_closely(
        self, frame: FrozenFrame, window: Window, clicks: Sequence[Click], near: Tensor
    ) -> tuple[Tensor, float]:
        """Encode the window anew, larger than the tracker sees it; outside is no object."""
        geometry = plan_geometry(window.size, size=CLOSE_SIZE, enlarge=True, multiple=_STRIDE)
        taps = self._encode_anew(frame.image[window.slices], geometry)
        inside, quality = self._predict(taps, geometry, window.clicks(clicks), near[window.slices])
        logits = torch.full(frame.image.shape[:2], -torch.inf, device=inside.device)
        logits[window.slices] = inside
        return logits, quality

    def _encode_anew(self, image: Image, geometry: Geometry) -> Taps:
        device = self._model.clicks.predict.weight.device
        return Taps(*self._model.trunk(image_to_network(image, geometry, device)))

    def _encode(self, frame: FrozenFrame) -> tuple[Taps, Geometry]:
        if self._shares and isinstance(frame, XMemFrame):
            features = frame.features
            return Taps(
                features.f16.float(), features.f8.float(), features.f4.float()
            ), frame.geometry
        if self._last is None or self._last[0] is not frame:
            height, width = frame.image.shape[:2]
            geometry = plan_geometry(
                (height, width), size=OWN_SIZE, enlarge=False, multiple=_STRIDE
            )
            taps = self._encode_anew(frame.image, geometry)
            self._last = (frame, taps, geometry)
        return self._last[1], self._last[2]


def _seen(prior: Tensor | None, logits: Tensor) -> Tensor:
    """Return where the object may be, (H, W) bool: in the earlier mask, if there is one.

    Else in all that the clicks found in the whole image: its clicked part alone may be a part.
    """
    if prior is not None and bool((prior > 0.5).any()):
        return prior > 0.5
    return logits > 0


def _enlarges(window: Window, geometry: Geometry) -> bool:
    """Whether the window shows the object clearly larger than the features of the whole image."""
    whole = min(geometry.resized) / min(geometry.image)
    return CLOSE_SIZE / min(window.size) > _WORTH_A_LOOK * whole


def _same_trunk(trunk: LiteTrunk, backend: Backend) -> bool:
    if not isinstance(backend, XMemBackend):
        return False
    encoder = backend.network.key_encoder
    if not isinstance(encoder, LiteTrunk):
        return False
    # Half precision of the tracker rounds its weights; that is the same trunk still.
    pairs = zip(trunk.parameters(), encoder.parameters(), strict=True)
    return all(torch.allclose(a.float(), b.float(), rtol=1e-2, atol=1e-3) for a, b in pairs)


def _to_network(
    clicks: Sequence[Click], geometry: Geometry, device: torch.device
) -> tuple[Tensor, Tensor]:
    """Return (1, K, 2) x, y of the clicks at the network and (1, K) their kinds."""
    left, _, top, _ = geometry.padding
    height, width = geometry.image
    x_scale, y_scale = geometry.resized[1] / width, geometry.resized[0] / height
    points = [
        ((c.x + 0.5) * x_scale - 0.5 + left, (c.y + 0.5) * y_scale - 0.5 + top) for c in clicks
    ]
    kinds = [1 if click.positive else -1 for click in clicks]
    return torch.tensor([points], device=device), torch.tensor([kinds], device=device)


def _to_stride_4(prior: Tensor, geometry: Geometry) -> Tensor:
    """Return (H, W) probabilities of the image at stride 4 of the network: (1, 1, h, w)."""
    maps = objects_to_network(prior[None], geometry)
    return torch.nn.functional.avg_pool2d(maps[None], 4)
