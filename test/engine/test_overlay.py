import numpy as np
import pytest

from lazy_vos_ros.engine.clicks import Click
from lazy_vos_ros.engine.overlay import PALETTE
from lazy_vos_ros.engine.overlay import colour_of
from lazy_vos_ros.engine.overlay import draw_overlay
from lazy_vos_ros.engine.results import Action
from lazy_vos_ros.engine.results import ObjectState


def scene():
    image = np.full((120, 160, 3), 100, np.uint8)
    labels = np.zeros((120, 160), np.uint16)
    labels[40:80, 50:100] = 2
    return image, labels


def test_sizes_must_agree():
    image, labels = scene()
    with pytest.raises(ValueError, match=r'labels are \(119, 160\)'):
        draw_overlay(image, labels[1:])
    with pytest.raises(ValueError, match=r'entropy are \(120, 10\)'):
        draw_overlay(image, labels, np.zeros((120, 10), np.float32))


def test_tints_the_object_and_leaves_the_input_and_the_background_alone():
    image, labels = scene()
    drawn = draw_overlay(image, labels)
    assert (image == 100).all()
    assert (drawn[5:30, 5:40] == 100).all()
    expected = 0.6 * 100 + 0.4 * np.array(colour_of(2))
    assert np.abs(drawn[60, 75] - expected).max() <= 1


def test_entropy_glows_red_only_where_it_is_high():
    image, labels = scene()
    entropy = np.zeros((120, 160), np.float32)
    entropy[90:110, 10:40] = 1.0
    entropy[90:110, 60:90] = 0.05
    drawn = draw_overlay(image, labels, entropy)
    assert drawn[100, 20, 0] > 180 > 90 > drawn[100, 20, 1]
    assert (drawn[100, 75] == 100).all()


def test_names_and_clicks_stay_inside_at_every_border():
    image, labels = scene()
    for x, y in ((0, 0), (155, 0), (0, 115), (155, 115)):
        state = ObjectState(2, 'cup', 0.5, 0.0, 25, (x, y, 5, 5), Action.NONE, False)
        drawn = draw_overlay(image, labels, None, [state])
        assert (drawn == colour_of(2)).all(axis=-1).sum() > 200, (x, y)
    marked = draw_overlay(image, labels, None, [], [Click(0, 0), Click(159, 119, False)])
    assert (marked == 255).all(axis=-1).any()


def test_an_empty_box_has_no_name():
    image, labels = scene()
    state = ObjectState(2, 'cup', 0.0, 0.0, 0, None, Action.NONE, False)
    assert (draw_overlay(image, labels, None, [state]) == draw_overlay(image, labels)).all()


def test_colours_repeat_after_the_palette():
    assert colour_of(1) == PALETTE[0] == colour_of(1 + len(PALETTE))
