import importlib.util
import os
from pathlib import Path

import boxes
import numpy as np
import pytest
import torch
from torch import nn

from lazy_vos_ros.engine.xmem.blocks import FeatureFusionBlock
from lazy_vos_ros.engine.xmem.blocks import GatedUpdate
from lazy_vos_ros.engine.xmem.blocks import KeyProjection
from lazy_vos_ros.engine.xmem.blocks import fold
from lazy_vos_ros.engine.xmem.blocks import repeat_for
from lazy_vos_ros.engine.xmem.blocks import unfold
from lazy_vos_ros.engine.xmem.decoder import Decoder
from lazy_vos_ros.engine.xmem.decoder import Levels
from lazy_vos_ros.engine.xmem.network import XMemNetwork
from lazy_vos_ros.engine.xmem.official import official_network

ROOT = Path(__file__).resolve().parents[3]


@pytest.fixture(scope='session')
def golden_folder() -> Path:
    """Golden sequences made with the published code on procedural images."""
    return ROOT / 'test' / 'data' / 'golden'


@pytest.fixture(scope='session')
def shared_golden() -> Path:
    """Golden sequences on real images, which are not part of the project."""
    shared = Path(os.environ.get('LAZY_VOS_SHARED', ROOT.parent / 'shared'))
    if not (shared / 'golden').is_dir():
        pytest.skip(f'{shared}/golden is not there')
    return shared / 'golden'


@pytest.fixture(scope='session')
def filled_network() -> XMemNetwork:
    """The published architecture with the golden weights; do not change it."""
    path = ROOT / 'test' / 'data' / 'filler.py'
    spec = importlib.util.spec_from_file_location('golden_filler', path)
    filler = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(filler)
    network = official_network()
    network.load_state_dict(filler.fill_state_dict(network.state_dict()))
    return network


class TinyKeyEncoder(nn.Module):
    def __init__(self):
        super().__init__()
        self.to_4 = nn.Conv2d(3, 8, 4, stride=4)
        self.to_8 = nn.Conv2d(8, 8, 2, stride=2)
        self.to_16 = nn.Conv2d(8, 16, 2, stride=2)

    def forward(self, image):
        f4 = self.to_4(image).relu()
        f8 = self.to_8(f4).relu()
        return self.to_16(f8).relu(), f8, f4


class TinyValueEncoder(nn.Module):
    def __init__(self):
        super().__init__()
        self.stem = nn.Conv2d(5, 8, 16, stride=16)
        self.fuser = FeatureFusionBlock(16, 8, 32, 12)
        self.hidden_reinforce = GatedUpdate(12, 4)

    def forward(self, image, features, hidden, masks, *, deep_update):
        own = fold(masks)[:, None]
        others = fold(masks.sum(1, keepdim=True) - masks)[:, None]
        value = self.fuser(
            features.f16, self.stem(torch.cat([repeat_for(image, own), own, others], 1))
        )
        if deep_update:
            hidden = unfold(self.hidden_reinforce(value, fold(hidden)), image.shape[0])
        return unfold(value, image.shape[0]), hidden


@pytest.fixture
def tiny_network() -> XMemNetwork:
    """A network of other sizes than the published one, with random weights."""
    torch.manual_seed(3)
    return XMemNetwork(
        TinyKeyEncoder(),
        TinyValueEncoder(),
        KeyProjection(16, 6),
        Decoder(Levels(16, 8, 8), Levels(32, 16, 16), value=12, hidden=4, update=8),
        key_dim=6,
        value_dim=12,
        hidden_dim=4,
        stride=16,
    )


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


@pytest.fixture
def make_tracker(tiny_network, frames):
    """Return a function that makes a tracker over 20 images; arguments as in `boxes`."""
    images = frames(20)
    return lambda *args, **settings: boxes.make_tracker(tiny_network, images, *args, **settings)
