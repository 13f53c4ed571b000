
import numpy as np
import pytest
import torch

from lazy_vos_ros.engine.cutie.network import CutieNetwork
from lazy_vos_ros.engine.cutie.package import build_model
from lazy_vos_ros.engine.cutie.package import published_sizes

SIZES = {
    'key_dim': 8,
    'value_dim': 16,
    'sensory_dim': 8,
    'pixel_dim': 16,
    'embed_dim': 16,
    'object_transformer': {'embed_dim': 16, 'ff_dim': 32, 'num_heads': 2, 'num_queries': 4},
    'object_summarizer': {'embed_dim': 16, 'num_summaries': 4},
    'mask_decoder': {'up_dims': [16, 8, 8]},
}
LOUDER = {'mask_decoder.pred.': 40.0, 'key_proj.key_proj.': 6.0, 'key_proj.d_proj.': 8.0}
"""Gains without which random weights see no difference between objects."""


@pytest.fixture(scope='session')
def package():
    """Skip where the optional package is not installed."""
    pytest.importorskip('cutie.model.cutie', reason='the optional package rf-cutie is absent')


@pytest.fixture(scope='session')
def filled_model(package):
    """The package's own network, small and randomly filled; do not change it."""
    sizes = published_sizes('small')
    for name, size in SIZES.items():
        sizes[name] = sizes[name] | size if isinstance(size, dict) else size
    with torch.random.fork_rng():
        torch.manual_seed(7)
        model = build_model(sizes)
        for name, tensor in model.state_dict().items():
            if name.startswith(tuple(LOUDER)):
                tensor *= next(gain for part, gain in LOUDER.items() if name.startswith(part))
    return model


@pytest.fixture
def network(filled_model):
    return CutieNetwork(filled_model)


@pytest.fixture
def frames():
    """Return a function of the count and size that makes images with a moving bright square."""

    def make(count, height=48, width=64):
        noise = np.random.default_rng(0)
        images = noise.integers(0, 100, (count, height, width, 3), dtype=np.uint8)
        for t in range(count):
            images[t, 8:24, (4 + t) % (width - 16) :][:, :16] += 120
        return images

    return make
