"""Packed images come back as they were, and held-out ones stay out."""

import numpy as np
import pytest

from lazy_vos_ros.training.data import StillImages
from lazy_vos_ros.training.data import pack


def test_held_out_images_are_the_last_by_name(stills):
    images = StillImages(stills)
    training = {r.name for r in images.of_set('ecssd')}
    held_out = {r.name for r in images.of_set('ecssd', held_out=True)}
    assert held_out == {f'{i:04d}' for i in range(4, 104)}
    assert training == {f'{i:04d}' for i in range(4)}


def test_masks_come_back_with_their_labels(stills):
    images = StillImages(stills)
    for record in images.records[:5]:
        image, mask = images.read(record)
        assert image.shape == (*mask.shape, 3)
        assert record.labels == (1,)
        assert set(np.unique(mask)) == {0, 1}


def test_a_missing_set_is_named(tmp_path):
    with pytest.raises(ValueError, match='weizmann'):
        pack(tmp_path, tmp_path / 'cache', ('weizmann',))
