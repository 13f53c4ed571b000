"""A few generated stills in the packed form."""

import cv2
import numpy as np
import pytest

from lazy_vos_ros.training.data import pack


@pytest.fixture(scope='session')
def stills(tmp_path_factory):
    """Return a cache of 104 generated images, the last 100 of them held out."""
    source, cache = tmp_path_factory.mktemp('source'), tmp_path_factory.mktemp('cache')
    for part in ('images', 'masks'):
        (source / 'ecssd' / part).mkdir(parents=True)
    rng = np.random.default_rng(0)
    for i in range(104):
        image = cv2.resize(rng.integers(0, 255, (6, 8, 3), np.uint8), (96, 72))
        mask = np.zeros((72, 96), np.uint8)
        cv2.circle(mask, (int(rng.integers(25, 70)), int(rng.integers(25, 50))), 18, 1, -1)
        image[mask > 0] = rng.integers(0, 255, 3)
        cv2.imwrite(str(source / 'ecssd' / 'images' / f'{i:04d}.png'), image)
        cv2.imwrite(str(source / 'ecssd' / 'masks' / f'{i:04d}.png'), mask)
    pack(source, cache, ('ecssd',))
    return cache
