import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from lazy_vos_ros.engine.centre import centre_click
from lazy_vos_ros.engine.clicks import Click


def _box(rows, columns, size=(40, 60)):
    region = np.zeros(size, bool)
    region[rows, columns] = True
    return region


def test_box_is_clicked_in_its_centre():
    region = _box(slice(10, 21), slice(30, 45))
    assert centre_click(region) == Click(37, 15)
    assert centre_click(region, positive=False) == Click(37, 15, positive=False)


def test_largest_part_wins_over_the_common_centre():
    region = _box(slice(0, 5), slice(0, 5)) | _box(slice(20, 31), slice(40, 51))
    assert centre_click(region) == Click(45, 25)


def test_diagonal_pixels_belong_together():
    region = np.eye(9, dtype=bool)
    region[0, 5:8] = True  # a second part with three pixels
    assert centre_click(region) == Click(4, 4)


def test_centre_outside_the_region_moves_to_its_nearest_pixel():
    region = _box(slice(10, 31), slice(10, 31)) & ~_box(slice(11, 30), slice(11, 30))
    click = centre_click(region)
    row, column = click.pixel
    assert region[row, column]
    assert np.hypot(row - 20, column - 20) == 10


def test_nearest_pixel_is_one_of_the_largest_part():
    ring = _box(slice(5, 36), slice(5, 36)) & ~_box(slice(8, 33), slice(8, 33))
    speck = _box(slice(20, 21), slice(20, 21))
    row, column = centre_click(ring | speck).pixel
    assert ring[row, column]


def test_empty_region_has_no_centre():
    assert centre_click(np.zeros((4, 5), bool)) is None


def test_full_image():
    assert centre_click(np.ones((5, 7), bool)) == Click(3, 2)


@given(st.integers(0, 2**31), st.floats(0.5, 0.99))
def test_click_is_always_on_the_region(seed, density):
    region = np.random.default_rng(seed).random((13, 17)) > density
    click = centre_click(region)
    assert (click is None) == (not region.any())
    if click is not None:
        assert region[click.pixel]


@pytest.mark.parametrize('shape', [(1, 1), (1, 9), (9, 1)])
def test_thin_images(shape):
    assert centre_click(np.ones(shape, bool)) == Click(shape[1] // 2, shape[0] // 2)
