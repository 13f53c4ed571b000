import numpy as np
import pytest
from small_cutie import small_model

from lazy_vos_ros.engine.cutie.network import CutieNetwork


@pytest.fixture(scope='session')
def filled_model():
    """The package's own network, small and randomly filled; do not change it."""
    return small_model()


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
