from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from lazy_vos_ros.engine.clicks import Click
from lazy_vos_ros.engine.config import PROFILES
from lazy_vos_ros.engine.config import LazyConfig
from lazy_vos_ros.engine.pseudo_click import FIELDS
from lazy_vos_ros.engine.pseudo_click import boundary
from lazy_vos_ros.engine.pseudo_click import boundary_distance
from lazy_vos_ros.engine.pseudo_click import interior_distance
from lazy_vos_ros.engine.pseudo_click import pseudo_click

MODES = ['boundary_distance', 'interior_distance', 'centre']


def _disc(height, width, row, column, radius):
    rows, columns = np.ogrid[:height, :width]
    return (rows - row) ** 2 + (columns - column) ** 2 <= radius**2


def _certain(mask):
    return np.zeros(mask.shape, np.float32)


def _config(mode):
    return LazyConfig(pseudo_click=mode)


def test_boundary_has_a_4_neighbour_outside():
    mask = np.zeros((7, 7), bool)
    mask[1:6, 1:6] = True
    expected = mask.copy()
    expected[2:5, 2:5] = False
    assert np.array_equal(boundary(mask), expected)
    mask[1, 1] = False  # a missing corner makes its diagonal neighbour no boundary
    assert not boundary(mask)[2, 2]


def test_image_border_is_boundary():
    expected = np.ones((4, 5), bool)
    expected[1:3, 1:4] = False
    assert np.array_equal(boundary(np.ones((4, 5), bool)), expected)


def test_boundary_distance_counts_on_both_sides():
    mask = np.zeros((11, 11), bool)
    mask[3:8, 3:8] = True
    distance = boundary_distance(mask)
    assert distance[5, 5] == 2  # inside
    assert distance[3, 5] == 0  # on it
    assert distance[0, 5] == 3  # outside
    assert distance[0, 0] == pytest.approx(np.sqrt(18))


def test_interior_distance_ends_at_the_image_border():
    distance = interior_distance(np.ones((5, 9), bool))
    assert distance[2].tolist() == [1, 2, 3, 3, 3, 3, 3, 2, 1]
    assert distance[0].tolist() == [1] * 9


@pytest.mark.parametrize('mode', MODES)
def test_certain_disc_is_clicked_in_its_centre(mode):
    mask = _disc(60, 90, row=25, column=40, radius=12)
    assert pseudo_click(mask, _certain(mask), _config(mode)) == Click(40, 25, positive=True)


@pytest.mark.parametrize('mode', MODES)
def test_ring_is_clicked_on_the_ring(mode):
    mask = _disc(80, 80, 40, 40, 30) & ~_disc(80, 80, 40, 40, 14)
    click = pseudo_click(mask, _certain(mask), _config(mode))
    row, column = click.pixel
    assert mask[row, column]
    assert np.hypot(row - 40, column - 40) == pytest.approx(22, abs=1.5)


@pytest.mark.parametrize('mode', MODES)
def test_tie_goes_to_the_first_in_row_major_order(mode):
    mask = _disc(50, 90, 30, 20, 8) | _disc(50, 90, 15, 70, 8) | _disc(50, 90, 15, 45, 8)
    assert pseudo_click(mask, _certain(mask), _config(mode)) == Click(45, 15)


@pytest.mark.parametrize('mode', ['boundary_distance', 'interior_distance'])
def test_uncertain_part_is_avoided(mode):
    mask = _disc(50, 90, 25, 20, 10) | _disc(50, 90, 25, 60, 8)
    entropy = np.zeros((50, 90), np.float32)
    entropy[:, :40] = 0.9
    assert pseudo_click(mask, entropy, _config(mode)) == Click(60, 25)


@pytest.mark.parametrize(('mode', 'rim'), [('boundary_distance', 0), ('interior_distance', 1)])
@pytest.mark.parametrize('entropy', [0.0, 0.1, 0.5, 0.9, 1.0])
def test_field_is_distance_times_one_minus_entropy(mode, rim, entropy):
    mask = np.zeros((9, 11), bool)
    mask[1:8, 1:10] = True
    dilated = np.ones_like(mask)
    field = FIELDS[mode](mask, dilated, np.full(mask.shape, entropy, np.float32))
    distances = rim + np.array([0, 1, 2, 3, 3, 3, 2, 1, 0])
    assert field[4, 1:10] == pytest.approx(distances * (1 - entropy), abs=1e-6)


@pytest.mark.parametrize('mode', ['boundary_distance', 'interior_distance'])
@pytest.mark.parametrize(('other_radius', 'x'), [(8, 20), (12, 60)])
def test_half_the_certainty_weighs_as_much_as_half_the_distance(mode, other_radius, x):
    mask = _disc(60, 90, 30, 20, 20) | _disc(60, 90, 30, 60, other_radius)
    entropy = np.zeros((60, 90), np.float32)
    entropy[:, :42] = 0.5
    assert pseudo_click(mask, entropy, _config(mode)) == Click(x, 30)


def test_centre_ignores_uncertainty():
    mask = _disc(50, 90, 25, 20, 10) | _disc(50, 90, 25, 60, 8)
    entropy = np.zeros((50, 90), np.float32)
    entropy[:, :40] = 0.9
    assert pseudo_click(mask, entropy, _config('centre')) == Click(20, 25)


@pytest.mark.parametrize('mode', MODES)
def test_mask_cut_by_the_image_border_is_clicked_away_from_it(mode):
    mask = np.zeros((40, 60), bool)
    mask[:, :21] = True  # 21 wide, touching three borders
    click = pseudo_click(mask, _certain(mask), _config(mode))
    assert click.x == 10
    assert 9 <= click.y <= 30


@pytest.mark.parametrize('mode', MODES)
def test_full_image_is_clicked_inside(mode):
    mask = np.ones((31, 41), bool)
    assert pseudo_click(mask, _certain(mask), _config(mode)) == Click(15, 15)


@pytest.mark.parametrize('mode', MODES)
def test_empty_mask_gives_no_click(mode):
    mask = np.zeros((20, 30), bool)
    assert pseudo_click(mask, _certain(mask), _config(mode)) is None


@pytest.mark.parametrize('mode', MODES)
def test_hopeless_uncertainty_still_gives_a_click_on_the_object(mode):
    mask = _disc(50, 50, 20, 30, 6)
    click = pseudo_click(mask, np.ones((50, 50), np.float32), _config(mode))
    row, column = click.pixel
    assert np.hypot(row - 20, column - 30) <= 7


@given(st.integers(0, 2**31), st.sampled_from(MODES))
def test_click_lies_in_the_image_near_the_mask(seed, mode):
    random = np.random.default_rng(seed)
    mask = random.random((17, 23)) > 0.8
    mask[3, 3] = True
    entropy = random.random((17, 23)).astype(np.float32)
    click = pseudo_click(mask, entropy, _config(mode))
    click.check_inside(17, 23)
    rows, columns = np.nonzero(mask)
    assert np.hypot(rows - click.y, columns - click.x).min() <= 1


def test_code_profile_uses_the_interior_distance():
    mask = _disc(60, 60, 30, 30, 14)
    code = PROFILES['code']
    assert code.pseudo_click == 'interior_distance'
    assert pseudo_click(mask, _certain(mask), replace(code, dilation_ratio=0.2)) == Click(30, 30)


def test_golden_interior_distance(lazy_layer_golden):
    for name, objects in (('p1', 1), ('p2', 2), ('syn', 3)):
        labels = lazy_layer_golden[f'{name}_prob'].argmax(0)
        for index in range(1, objects + 1):
            distance = interior_distance(labels == index)
            expected = lazy_layer_golden[f'{name}_o{index}_edt']
            assert np.abs(distance - expected).max() <= 1e-4
