"""How often a frame would make the CPU wait for a GPU; counted on the CPU."""

from collections import Counter

import numpy as np
import pytest
import torch
from torch.utils._python_dispatch import TorchDispatchMode

from lazy_vos_ros.engine.config import LazyConfig
from lazy_vos_ros.engine.refiners.oracle import OracleRefiner
from lazy_vos_ros.engine.tracker import LazyTracker
from lazy_vos_ros.engine.xmem.backend import XMemBackend
from lazy_vos_ros.engine.xmem.config import XMemConfig

WAITING = ('_local_scalar_dense', 'nonzero', 'masked_select', '_unique2', 'equal', 'is_nonzero')
"""Operators whose result, or its size, the CPU needs."""


class Count(TorchDispatchMode):
    """Counts operators by name."""

    def __init__(self):
        super().__init__()
        self.calls = Counter()

    def __torch_dispatch__(self, func, types, args=(), kwargs=None):
        self.calls[func.overloadpacket.__name__] += 1
        return func(*args, **(kwargs or {}))


@pytest.fixture
def downloads(monkeypatch):
    """Count the calls that bring a tensor to the CPU by other ways than operators."""
    calls = Counter()
    for name in ('cpu', 'tolist', 'numpy'):
        original = getattr(torch.Tensor, name)

        def counted(self, *args, name=name, original=original, **kwargs):
            calls[name] += 1
            return original(self, *args, **kwargs)

        monkeypatch.setattr(torch.Tensor, name, counted)
    return calls


def waits(tracker, image, downloads):
    downloads.clear()
    with Count() as count:
        result = tracker.step(image)
    return result, sum(count.calls[name] for name in WAITING), Counter(downloads)


def test_waits_of_a_frame(tiny_network, frames, downloads):
    images = frames(6)
    backend = XMemBackend(tiny_network, XMemConfig(mem_every=2))
    calm = LazyConfig(
        uncertainty_driven_update=False, pseudo_corrections=False, user_corrections=False
    )
    tracker = LazyTracker(backend, OracleRefiner(lambda frame, object_id: None), calm)
    mask = np.zeros(images[0].shape[:2], bool)
    mask[8:24, 4:20] = True
    tracker.add_object(images[0], mask=mask)
    kinds = set()
    for image in images[1:]:
        result, scalars, brought = waits(tracker, image, downloads)
        kinds.add(result.memorised)
        # Is the prediction finite, and the value of a memorised frame?
        assert scalars == 1 + result.memorised
        # Entropy and channels, which `to_host` waits for together.
        assert brought == {'numpy': 2}
    assert kinds == {True, False}
