import numpy as np
import pytest

from lazy_vos_ros.evaluation.speed.scene import MovingScene


@pytest.mark.parametrize('objects', [1, 2, 3, 8, 16])
def test_every_object_is_there_in_every_frame_and_none_hides_another(objects):
    scene = MovingScene(120, 213, objects)
    areas = []
    for index in range(0, 200, 17):
        labels = scene.labels(index)
        areas.append(np.bincount(labels.ravel(), minlength=objects + 1)[1:])
        assert labels.max() == objects
    # Drawn whole in each frame: the area is that of the same ellipse, turned and moved.
    assert np.min(areas) > 0.8 * np.max(areas)


def test_the_scene_follows_from_the_number_of_the_frame_and_moves():
    first, second = MovingScene(64, 96, 2), MovingScene(64, 96, 2)
    assert (first.frame(7) == second.frame(7)).all()
    assert first.frame(7).shape == (64, 96, 3)
    assert first.frame(7).dtype == np.uint8
    assert (first.mask(7) != first.mask(12)).any()
    still = first.labels(7) + first.labels(12) == 0
    assert (first.frame(7)[still] == first.frame(12)[still]).all()
