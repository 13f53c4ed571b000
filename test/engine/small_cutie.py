"""The package's own network in a small size with random weights."""

import pytest
import torch

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


def small_sizes():
    sizes = published_sizes('small')
    for name, size in SIZES.items():
        sizes[name] = sizes[name] | size if isinstance(size, dict) else size
    return sizes


def small_model():
    """Return it; skip the test where the optional package is not installed."""
    pytest.importorskip('cutie.model.cutie', reason='the optional package rf-cutie is absent')
    with torch.random.fork_rng():
        torch.manual_seed(7)
        model = build_model(small_sizes())
    for name, tensor in model.state_dict().items():
        for part, gain in LOUDER.items():
            if name.startswith(part):
                tensor *= gain
    return model
