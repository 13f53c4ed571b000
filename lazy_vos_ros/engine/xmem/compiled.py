"""A network whose parts PyTorch compiles, and what makes it compile them in time."""

from collections.abc import Callable
from typing import Any

import torch
from torch import nn

from lazy_vos_ros.engine.backend import Backend
from lazy_vos_ros.engine.backend import Image
from lazy_vos_ros.engine.backend import MemoryWrite
from lazy_vos_ros.engine.xmem.network import XMemNetwork


def compiled(network: XMemNetwork, device: torch.device) -> XMemNetwork:
    """Return a network with the same weights whose parts are compiled when first called.

    On a CUDA device they are recorded as CUDA graphs, one for each shape that comes. A CPU needs
    a C++ compiler, a CUDA device Triton.
    """
    graphs = device.type == 'cuda'
    return XMemNetwork(
        _compiled(network.key_encoder, graphs=graphs),
        _compiled(network.value_encoder, graphs=graphs),
        _compiled(network.key_proj, graphs=graphs),
        _compiled(network.decoder, graphs=graphs),
        key_dim=network.key_dim,
        value_dim=network.value_dim,
        hidden_dim=network.hidden_dim,
        stride=network.stride,
        padding_multiple=network.padding_multiple,
        given_dim=network.given_dim,
    )


class Kept(nn.Module):
    """A module whose outputs outlast its next call: those of a CUDA graph are overwritten."""

    def __init__(self, part: Callable[..., Any]) -> None:
        super().__init__()
        self.part = part

    def forward(self, *args: Any, **options: Any) -> tuple[torch.Tensor | None, ...]:
        """Return copies of the part's tuple of tensors."""
        outputs = self.part(*args, **options)
        return tuple(None if output is None else output.clone() for output in outputs)


def rehearse(backend: Backend, image: Image) -> None:
    """Track over a few times the same image, so that all is called that a stream will call.

    It is done with one object and with two: from then on further ones need no compiling. What the
    backend tracked before is lost.
    """
    height, width = image.shape[:2]
    for objects in (1, 2):
        backend.reset()
        masks = {
            number: torch.zeros(height, width, dtype=torch.bool)
            for number in range(1, objects + 1)
        }
        for number, mask in masks.items():
            mask[:, (number - 1) * width // 2 : number * width // 2] = True
        backend.commit(backend.add_objects(backend.predict(image), masks))
        for deep in (False, True):
            backend.commit(backend.predict(image), MemoryWrite.FORCED, deep_update=deep)


def _compiled(part: nn.Module, *, graphs: bool) -> nn.Module:
    # Typed as a function, but of a module it makes a module.
    made: Any = torch.compile(part, mode='reduce-overhead' if graphs else None)
    return Kept(made) if graphs else made
