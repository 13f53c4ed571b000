import re

import cv2
import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from lazy_vos_ros.engine.dilation import code_kernel
from lazy_vos_ros.engine.dilation import dilate
from lazy_vos_ros.engine.dilation import disc
from lazy_vos_ros.engine.dilation import fixed_kernel
from lazy_vos_ros.engine.dilation import ratio_kernel
from lazy_vos_ros.engine.dilation import window_around


def _point(size=15):
    mask = np.zeros((size, size), bool)
    mask[size // 2, size // 2] = True
    return mask


def _round_mask(radius, size=200):
    rows, columns = np.ogrid[:size, :size]
    return (rows - size // 2) ** 2 + (columns - size // 2) ** 2 <= radius**2


def test_disc_of_radius_1_is_a_cross_and_of_2_is_round():
    assert disc(1).tolist() == [[0, 1, 0], [1, 1, 1], [0, 1, 0]]
    assert disc(2).tolist() == [
        [0, 0, 1, 0, 0],
        [0, 1, 1, 1, 0],
        [1, 1, 1, 1, 1],
        [0, 1, 1, 1, 0],
        [0, 0, 1, 0, 0],
    ]


def test_point_becomes_the_disc_around_it():
    dilated = dilate(_point(), disc(3))
    assert np.array_equal(dilated[4:11, 4:11], disc(3).astype(bool))
    assert dilated.sum() == disc(3).sum()


@pytest.mark.parametrize(('radius', 'ratio'), [(60, 0.05), (60, 0.2), (80, 0.1)])
def test_round_mask_grows_by_the_ratio(radius, ratio):
    mask = _round_mask(radius)
    grown = dilate(mask, ratio_kernel(mask.sum(), ratio)).sum() / mask.sum() - 1
    one_pixel = 2 / radius
    assert grown == pytest.approx(ratio, abs=one_pixel)


def test_small_mask_still_gets_a_rim():
    assert np.array_equal(ratio_kernel(1, 0.05), disc(1))
    assert np.array_equal(ratio_kernel(10000, 0.0), disc(1))


def test_fixed_kernel_looks_at_nothing():
    assert np.array_equal(fixed_kernel(90000, 0.9), disc(1))


def test_nothing_lies_beyond_the_image_border():
    mask = np.zeros((6, 6), bool)
    mask[0, 0] = True
    dilated = dilate(mask, disc(1))
    assert np.argwhere(dilated).tolist() == [[0, 0], [0, 1], [1, 0]]


@given(st.integers(0, 2**31), st.integers(1, 6))
def test_dilation_contains_the_mask_and_works_in_a_window(seed, radius):
    mask = np.random.default_rng(seed).random((24, 31)) > 0.97
    mask[5, 7] = True
    dilated = dilate(mask, disc(radius))
    assert (dilated | ~mask).all()
    window = window_around(mask, 2 * radius + 1)
    assert np.array_equal(dilate(mask[window], disc(radius)), dilated[window])
    assert dilated.sum() == dilated[window].sum()


@pytest.mark.parametrize(
    ('area', 'size'), [(0, 2), (79, 2), (180, 4), (320, 4), (500, 6), (20000, 32)]
)
def test_code_kernel_is_even(area, size):
    assert code_kernel(area, 0.05).shape == (size, size)


def test_code_kernel_is_a_disc_inside_an_empty_ring():
    assert code_kernel(320, 0.05).tolist() == [
        [0, 0, 0, 0],
        [0, 1, 1, 0],
        [0, 1, 1, 0],
        [0, 0, 0, 0],
    ]
    kernel = code_kernel(2000, 0.05)
    assert kernel.shape == (10, 10)
    rows = ['0011111100', '0111111110']
    assert [''.join(map(str, row)) for row in kernel[1:3]] == rows
    assert np.array_equal(kernel, kernel[::-1])
    assert np.array_equal(kernel, kernel.T)


def test_even_kernel_reaches_further_to_the_bottom_right():
    dilated = dilate(_point(), code_kernel(320, 0.05))
    assert np.argwhere(dilated).tolist() == [[7, 7], [7, 8], [8, 7], [8, 8]]


def test_empty_code_kernel_shifts_the_mask_as_opencv_does():
    kernel = code_kernel(10, 0.05)
    assert not kernel.any()
    dilated = dilate(_point(), kernel)
    assert np.argwhere(dilated).tolist() == [[8, 8]]
    expected = cv2.dilate(_point().view(np.uint8), kernel)
    assert np.array_equal(dilated, expected.astype(bool))


def test_golden_kernels(lazy_layer_golden):
    seen = 0
    for name, expected in lazy_layer_golden.items():
        match = re.fullmatch(r'kernel_pc(\d+)_area(\d+)', name)
        if match:
            kernel = code_kernel(int(match[2]), int(match[1]) / 100)
            assert np.array_equal(kernel, expected), name
            seen += 1
    assert seen == 45


def test_golden_point_dilations(lazy_layer_golden):
    point = lazy_layer_golden['point'].astype(bool)
    for area in (1, 320, 1000, 5000):
        dilated = dilate(point, code_kernel(area, 0.05))
        assert np.array_equal(dilated, lazy_layer_golden[f'point_dilated_pc5_area{area}'])


def test_golden_mask_dilations(lazy_layer_golden):
    seen = 0
    for name, expected in lazy_layer_golden.items():
        match = re.fullmatch(r'(\w+)_o(\d)_pc(\d+)_dilated', name)
        if match:
            mask = lazy_layer_golden[f'{match[1]}_prob'].argmax(0) == int(match[2])
            kernel = code_kernel(mask.sum(), int(match[3]) / 100)
            assert np.array_equal(dilate(mask, kernel), expected), name
            seen += 1
    assert seen == 18
