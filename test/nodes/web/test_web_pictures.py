import cv2
import numpy as np
import pytest

from lazy_vos_ros.nodes.web.pictures import MOST_POINTS
from lazy_vos_ros.nodes.web.pictures import Encoded
from lazy_vos_ros.nodes.web.pictures import jpeg
from lazy_vos_ros.nodes.web.pictures import outline
from lazy_vos_ros.nodes.web.pictures import shading


def decoded(data):
    return cv2.imdecode(np.frombuffer(data, np.uint8), cv2.IMREAD_UNCHANGED)


def test_jpeg_keeps_colours_and_is_made_no_wider():
    image = np.zeros((50, 200, 3), np.uint8)
    image[..., 0] = 200
    blue, green, red = decoded(jpeg(image, 100)).reshape(-1, 3).mean(axis=0)
    assert red == pytest.approx(200, abs=4)
    assert max(blue, green) < 4
    assert decoded(jpeg(image, 100)).shape == (25, 100, 3)
    assert decoded(jpeg(image, 1000)).shape == (50, 200, 3)


def test_shading_is_transparent_where_the_tracker_is_sure():
    entropy = np.array([[0.0, 0.1, 0.55, 1.0, 2.0]], np.float32)
    assert decoded(shading(entropy))[0, :, 3].tolist() == [0, 0, 96, 191, 191]


def test_outline_goes_through_the_outermost_pixels():
    mask = np.zeros((20, 30), bool)
    mask[3:7, 5:10] = True
    assert {tuple(point) for point in np.reshape(outline(mask), (-1, 2)).tolist()} == {
        (5, 3),
        (9, 3),
        (9, 6),
        (5, 6),
    }
    assert outline(np.zeros((4, 4), bool)) == []


def test_outline_of_noise_is_bounded():
    noise = np.random.default_rng(0).random((400, 400)) > 0.5
    lines = outline(noise)
    assert 0 < sum(len(line) // 2 for line in lines) <= MOST_POINTS


def test_pictures_are_encoded_once_and_forgotten():
    calls = []

    def encode(array, factor):
        calls.append(array)
        return array.sum() * factor

    encoded = Encoded()
    arrays = [np.full(3, number) for number in range(Encoded.KEPT + 1)]
    assert [encoded.by(encode, array, 2) for array in arrays[:2]] == [0, 6]
    assert encoded.by(encode, arrays[1], 2) == 6
    assert len(calls) == 2
    for array in arrays[2:]:
        encoded.by(encode, array, 2)
    encoded.by(encode, arrays[0], 2)
    assert len(calls) == len(arrays) + 1
