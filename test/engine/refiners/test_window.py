"""Windows around objects that are to be refined."""

import pytest
import torch

from lazy_vos_ros.engine.clicks import Click
from lazy_vos_ros.engine.refiners.window import window_around


def mask(top, bottom, left, right, size=(100, 200)):
    made = torch.zeros(size, dtype=torch.bool)
    made[top:bottom, left:right] = True
    return made


def test_nothing_seen_gives_no_window():
    assert window_around(mask(0, 0, 0, 0), [Click(5, 5)]) is None


def test_window_is_a_square_with_a_margin_around_the_object():
    window = window_around(mask(40, 60, 90, 130), [Click(100, 50)])
    assert window.size == (70, 70)  # 1.75 times 40
    assert (window.top, window.left) == (15, 75)


def test_window_holds_clicks_outside_the_mask():
    window = window_around(mask(40, 60, 90, 110), [Click(100, 50), Click(150, 50, positive=False)])
    assert window.left < 90
    assert window.right > 150


def test_window_stays_inside_the_image_and_keeps_its_size():
    window = window_around(mask(0, 40, 0, 20), [Click(1, 1)])
    assert (window.top, window.left) == (0, 0)
    assert window.size == (70, 70)
    whole = window_around(mask(5, 95, 0, 200), [Click(1, 50)])
    assert whole.size == (100, 200)


def test_tiny_objects_keep_some_surroundings():
    assert window_around(mask(50, 51, 50, 51), [Click(50, 50)]).size == (32, 32)


@pytest.mark.parametrize('kind', [True, False])
def test_clicks_move_with_the_window(kind):
    window = window_around(mask(40, 60, 90, 130), [Click(100, 50)])
    (moved,) = window.clicks([Click(100.5, 50.25, positive=kind)])
    assert (moved.x, moved.y, moved.positive) == (25.5, 35.25, kind)
