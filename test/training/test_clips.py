"""Synthetic clips from generated stills: labels that fit the pictures, and reproducible ones."""

import numpy as np
import pytest

from lazy_vos_ros.training.clips import ClipMaker
from lazy_vos_ros.training.clips import Cutout
from lazy_vos_ros.training.clips import fill_hole
from lazy_vos_ros.training.data import StillImages


@pytest.fixture
def maker(stills):
    return ClipMaker(StillImages(stills), {'ecssd': 1.0})


def test_all_objects_are_in_the_first_frame(maker):
    for seed in range(10):
        images, labels = maker.clip(np.random.default_rng(seed), 3, 64, 2)
        assert images.shape == (3, 64, 64, 3)
        assert images.dtype == np.uint8
        assert labels.max() <= 2
        assert all((labels[0] == i).sum() >= 60 for i in (1, 2))


def test_a_clip_depends_on_its_seed_alone(maker):
    first, again = (maker.clip(np.random.default_rng(5), 3, 64, 1) for _ in range(2))
    np.testing.assert_array_equal(first[0], again[0])
    np.testing.assert_array_equal(first[1], again[1])
    other = maker.clip(np.random.default_rng(6), 3, 64, 1)
    assert not np.array_equal(first[0], other[0])


def test_something_moves(maker):
    moved = 0
    for seed in range(10):
        _, labels = maker.clip(np.random.default_rng(seed), 4, 64, 1)
        moved += not np.array_equal(labels[0], labels[-1])
    assert moved >= 8


def test_filling_removes_the_object():
    image = np.full((64, 64, 3), 40, np.uint8)
    alpha = np.zeros((64, 64), np.uint8)
    alpha[20:40, 20:40] = 255
    image[alpha > 0] = 250
    filled = fill_hole(Cutout(image, alpha, (29.5, 29.5), 20.0, 'x'))
    assert filled[25:35, 25:35].max() < 80
    np.testing.assert_array_equal(filled[:10], image[:10])
