"""Masks with margins and shadows: the same convention in every frame of a clip."""

import numpy as np
import pytest

from lazy_vos_ros.training.extent import cast_shadows
from lazy_vos_ros.training.extent import vary_extent
from lazy_vos_ros.training.extent import with_margin


@pytest.fixture
def clip():
    """Two squares that move to the right, on grey."""
    labels = np.zeros((3, 60, 60), np.uint8)
    for t in range(3):
        labels[t, 10:22, 10 + 3 * t : 22 + 3 * t] = 1
        labels[t, 30:46, 20 + 2 * t : 36 + 2 * t] = 2
    return np.full((3, 60, 60, 3), 120, np.uint8), labels


def test_a_margin_widens_every_object_in_every_frame_by_so_many_pixels(clip):
    _, labels = clip
    wide = with_margin(labels, 3)
    for t in range(3):
        for label in (1, 2):
            before, after = np.argwhere(labels[t] == label), np.argwhere(wide[t] == label)
            np.testing.assert_array_equal(after.min(0), before.min(0) - 3)
            np.testing.assert_array_equal(after.max(0), before.max(0) + 3)


def test_a_margin_takes_nothing_from_a_neighbour(clip):
    _, labels = clip
    wide = with_margin(labels, 15)
    np.testing.assert_array_equal(wide[labels > 0], labels[labels > 0])


def test_a_negative_margin_narrows_but_spares_what_is_thin():
    labels = np.zeros((2, 40, 40), np.uint8)
    labels[:, 5:25, 5:25] = 1
    labels[:, 30:33, 5:35] = 2
    narrow = with_margin(labels, -1)
    assert (narrow == 1).sum() < (labels == 1).sum()
    np.testing.assert_array_equal(narrow == 2, labels == 2)


def test_shadows_darken_the_ground_alone(clip):
    images, labels = clip
    dark, shaded = cast_shadows(np.random.default_rng(0), images, labels)
    assert (dark < images).any(axis=(1, 2, 3)).all()
    np.testing.assert_array_equal(dark[labels > 0], images[labels > 0])
    np.testing.assert_array_equal(shaded[labels > 0], labels[labels > 0])


def test_a_shadow_belongs_to_its_object_in_all_frames_or_in_none(clip):
    images, labels = clip
    seen = set()
    for seed in range(20):
        _, shaded = cast_shadows(np.random.default_rng(seed), images, labels)
        grown = [(shaded[t] != labels[t]).any() for t in range(3)]
        assert all(grown) or not any(grown)
        seen.add(all(grown))
    assert seen == {True, False}


def test_a_shadow_starts_at_the_feet(clip):
    images, labels = clip
    only = np.where(labels == 2, labels, 0)
    starts = []
    for seed in range(20):
        dark, _ = cast_shadows(np.random.default_rng(seed), images, only)
        rows = np.flatnonzero((dark[0] < 115).any((1, 2)))
        starts.append(abs(rows - 45).min())
    assert max(starts) <= 2


def test_without_chances_nothing_changes_and_with_them_something_does(clip):
    images, labels = clip
    rng = np.random.default_rng(0)
    same = vary_extent(rng, images, labels, margin_share=0, shadow_share=0)
    np.testing.assert_array_equal(same[0], images)
    np.testing.assert_array_equal(same[1], labels)
    other = vary_extent(rng, images, labels, margin_share=1, shadow_share=1)
    assert not np.array_equal(other[0], images)
    assert not np.array_equal(other[1], labels)
    np.testing.assert_array_equal(clip[1], labels)
