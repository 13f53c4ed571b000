from dataclasses import dataclass
from dataclasses import field

import numpy as np
import pytest


@dataclass
class Frame:
    """A frozen frame as a refiner sees it."""

    index: int
    image: np.ndarray = field(repr=False)

    @property
    def nbytes(self):
        return self.image.nbytes


@pytest.fixture
def make_frame():
    def make(index=0, height=48, width=64, seed=0):
        random = np.random.default_rng(seed)
        return Frame(index, random.integers(0, 256, (height, width, 3), dtype=np.uint8))

    return make
