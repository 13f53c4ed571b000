"""The published XMem code beside this engine: same weights, frames and run; speed and outputs."""

import io
import sys
from collections.abc import Callable
from collections.abc import Iterator
from collections.abc import Mapping
from collections.abc import Sequence
from contextlib import contextmanager
from contextlib import redirect_stdout
from dataclasses import dataclass
from importlib import import_module
from pathlib import Path
from time import perf_counter
from types import SimpleNamespace
from typing import Any

import numpy as np
import numpy.typing as npt
import torch

from lazy_vos_ros.engine.backend import Image
from lazy_vos_ros.engine.xmem.backend import XMemBackend
from lazy_vos_ros.engine.xmem.config import XMemConfig
from lazy_vos_ros.engine.xmem.official import official_network
from lazy_vos_ros.engine.xmem.preprocessing import image_to_network
from lazy_vos_ros.engine.xmem.preprocessing import plan_geometry

_PACKAGES = ('dataset', 'inference', 'model', 'util')
"""Top-level packages of the published code; their names are common ones."""
_WARM_UP = 2
"""Frames after the first whose time does not count."""
_AUTOCAST = {'fp16': torch.float16, 'bf16': torch.bfloat16}

State = Mapping[str, torch.Tensor]


@dataclass(frozen=True)
class OfficialCode:
    """What is used of the published code."""

    network: Callable[[dict[str, Any]], torch.nn.Module]
    """``XMem(config)``."""
    core: Callable[[torch.nn.Module, dict[str, Any]], Any]
    """``InferenceCore(network, config)``."""


@dataclass(frozen=True)
class Comparison:
    """Times and outputs of both over the same frames, warm-up left out."""

    ours: tuple[float, ...]
    """Seconds a frame, from the 8-bit image to the probabilities, memory written."""
    official: tuple[float, ...]
    """Seconds a frame, from the normalised tensor to the probabilities, memory written."""
    largest_difference: float
    """Of any probability of any frame."""
    differing_pixels: int
    """Most pixels of a frame whose most probable channel differs."""
    objects: int
    precision: str
    device: str
    threads: int

    @property
    def ratio(self) -> float:
        """Our frames a second over theirs, all frames together."""
        return sum(self.official) / sum(self.ours)

    def facts(self) -> dict[str, Any]:
        """Return everything as numbers for a table or a file."""
        return {
            'frames': len(self.ours),
            'objects': self.objects,
            'precision': self.precision,
            'device': self.device,
            'threads': self.threads,
            'ours_fps': len(self.ours) / sum(self.ours),
            'official_fps': len(self.official) / sum(self.official),
            'ratio': self.ratio,
            'ours_p50_ms': 1e3 * float(np.median(self.ours)),
            'official_p50_ms': 1e3 * float(np.median(self.official)),
            'largest_difference': self.largest_difference,
            'differing_pixels': self.differing_pixels,
        }


def load_official(folder: Path) -> OfficialCode:
    """Import the published code from a checkout of it.

    Its network would download ImageNet weights when it is built, which the weights given to
    :func:`compare` replace; that download is left out.

    Raises
    ------
    ValueError
        If the folder is no checkout of it.
    """
    if not (folder / 'inference' / 'inference_core.py').is_file():
        raise ValueError(
            f'{folder} has no inference/inference_core.py; allowed: a checkout of '
            'https://github.com/hkchengrex/XMem'
        )
    with _first_on_path(folder):
        resnet = import_module('model.resnet')
        resnet.load_weights_add_extra_dim = lambda *_, **__: None
        resnet.model_zoo = SimpleNamespace(load_url=lambda _: None)
        network = import_module('model.network').XMem
        core = import_module('inference.inference_core').InferenceCore
    return OfficialCode(network, core)


@contextmanager
def _first_on_path(folder: Path) -> Iterator[None]:
    """Import from a folder, and forget its modules afterwards."""
    hidden = {name: sys.modules.pop(name) for name in _theirs()}
    sys.path.insert(0, str(folder))
    try:
        yield
    finally:
        sys.path.remove(str(folder))
        for name in _theirs():
            del sys.modules[name]
        sys.modules.update(hidden)


def _theirs() -> list[str]:
    return [name for name in sys.modules if name.split('.')[0] in _PACKAGES]


def random_state(seed: int = 0) -> dict[str, torch.Tensor]:
    """Return random weights of the published layout that give neither dull nor wild outputs."""
    generator = torch.Generator().manual_seed(seed)
    state = official_network().state_dict()
    for name, tensor in state.items():
        if not tensor.is_floating_point():
            continue
        normal = torch.randn(tensor.shape, generator=generator)
        if name.endswith('running_var'):
            state[name] = 1 + normal.abs() / 5
        elif tensor.dim() == 1:
            offset = float('bn' in name and name.endswith('weight')) or float(
                name.endswith('downsample.1.weight')
            )
            state[name] = offset / 2 + normal / 20
        else:
            state[name] = normal * _gain(name) / tensor[0].numel() ** 0.5
    return state


def _gain(name: str) -> float:
    """Return how far the outputs of a layer are spread: peaked affinities, clear masks."""
    return 6.0 if name.startswith(('key_proj.', 'decoder.pred.')) else 1.0


def compare(
    code: OfficialCode,
    images: Sequence[Image],
    masks: npt.NDArray[np.bool_],
    *,
    state: State,
    device: str = 'cpu',
    precision: str = 'fp32',
    done: Callable[[], object] = lambda: None,
) -> Comparison:
    """Track the same objects with both, frame by frame in turn.

    Settings are those of both codes' own defaults, which agree.

    Parameters
    ----------
    code
        Of :func:`load_official`.
    images
        At least 4 of (H, W, 3) uint8, short side at most 480 so that nobody resizes.
    masks
        (n, H, W) of the objects in the first image.
    state
        The 412 entries of a published checkpoint, or :func:`random_state`.
    device, precision
        Where both run and how; theirs runs under autocast unless `precision` is ``fp32``.
    done
        Called after every frame.

    Raises
    ------
    ValueError
        If there are too few images.
    """
    if len(images) < _WARM_UP + 2:
        raise ValueError(f'{len(images)} images; allowed: at least {_WARM_UP + 2}')
    where = torch.device(device)
    config = XMemConfig(precision=precision)
    ours = _Ours(XMemBackend(_with(official_network(), state), config, device=where))
    theirs = _Theirs(code, state, config, where)
    objects = torch.from_numpy(masks)
    times: dict[bool, list[float]] = {True: [], False: []}
    largest, differing = 0.0, 0
    for index, image in enumerate(images):
        tensor = theirs.prepare(image)
        outputs = {}
        for mine in (True, False) if index % 2 else (False, True):
            since = _now(where)
            given = objects if index == 0 else None
            outputs[mine] = ours.step(image, given) if mine else theirs.step(tensor, given)
            times[mine].append(_now(where) - since)
        a, b = outputs[True], outputs[False]
        largest = max(largest, float((a - b).abs().max()))
        differing = max(differing, int((a.argmax(0) != b.argmax(0)).sum()))
        done()
    counted = slice(1 + _WARM_UP, None)
    return Comparison(
        ours=tuple(times[True][counted]),
        official=tuple(times[False][counted]),
        largest_difference=largest,
        differing_pixels=differing,
        objects=len(masks),
        precision=precision,
        device=device,
        threads=torch.get_num_threads(),
    )


class _Ours:
    """The backend of this engine, one call a frame."""

    def __init__(self, backend: XMemBackend) -> None:
        self._backend = backend

    def step(self, image: Image, masks: torch.Tensor | None) -> torch.Tensor:
        """Return (n+1, H, W) probabilities."""
        prediction = self._backend.predict(image)
        if masks is not None:
            new = dict(enumerate(masks, 1))
            prediction = self._backend.add_objects(prediction, new)
        self._backend.commit(prediction)
        return prediction.probabilities


class _Theirs:
    """The published inference core, one call a frame."""

    def __init__(
        self, code: OfficialCode, state: State, config: XMemConfig, device: torch.device
    ) -> None:
        settings = {
            'mem_every': config.mem_every,
            'deep_update_every': config.deep_update_every,
            'enable_long_term': config.long_term,
            'enable_long_term_count_usage': True,
            'max_mid_term_frames': config.max_mid_term_frames,
            'min_mid_term_frames': config.min_mid_term_frames,
            'num_prototypes': config.num_prototypes,
            'max_long_term_elements': config.max_long_term_elements,
            'top_k': config.top_k,
            'key_dim': state['key_proj.key_proj.weight'].shape[0],
            'value_dim': state['value_encoder.fuser.block2.conv2.weight'].shape[0],
            'hidden_dim': state['decoder.hidden_update.transform.weight'].shape[0] // 3,
        }
        with redirect_stdout(io.StringIO()):
            network = _with(code.network(settings), state).to(device).eval()
        self._core = code.core(network, settings)
        self._device = device
        self._dtype = _AUTOCAST.get(config.precision)

    def prepare(self, image: Image) -> torch.Tensor:
        """Return the normalised image, unpadded."""
        height, width = image.shape[:2]
        geometry = plan_geometry((height, width), size=-1, enlarge=False, multiple=1)
        return image_to_network(image, geometry, self._device)[0]

    @torch.inference_mode()
    def step(self, tensor: torch.Tensor, masks: torch.Tensor | None) -> torch.Tensor:
        """Return (n+1, H, W) probabilities."""
        with torch.autocast(self._device.type, self._dtype, enabled=self._dtype is not None):
            if masks is None:
                return self._core.step(tensor)
            labels = list(range(1, len(masks) + 1))
            self._core.set_all_labels(labels)
            return self._core.step(tensor, masks.to(self._device).float(), labels)


def _with(network: Any, state: State) -> Any:
    network.load_state_dict(state)
    return network


def _now(device: torch.device) -> float:
    if device.type == 'cuda':
        torch.cuda.synchronize(device)
    return perf_counter()
