import numpy as np
import torch
from hypothesis import given
from hypothesis import strategies as st

from lazy_vos_ros.engine.labels import most_probable
from lazy_vos_ros.engine.labels import one_hot
from lazy_vos_ros.engine.labels import to_object_ids


@given(st.integers(0, 5), st.integers(0, 2**31))
def test_most_probable_is_the_first_argmax(objects, seed):
    generator = torch.Generator().manual_seed(seed)
    # Few levels, so that ties are frequent.
    levels = torch.randint(0, 3, (objects + 1, 5, 6), generator=generator)
    expected = levels.numpy().argmax(0)
    assert np.array_equal(most_probable(levels.float()).numpy(), expected)


def test_one_hot_leaves_the_background_out():
    probabilities = torch.tensor([[[0.6, 0.2, 0.3]], [[0.3, 0.5, 0.3]], [[0.1, 0.3, 0.4]]])
    assert one_hot(probabilities).tolist() == [[[0.0, 1.0, 0.0]], [[0.0, 0.0, 1.0]]]


def test_one_hot_of_background_alone_has_no_channels():
    assert one_hot(torch.ones(1, 2, 3)).shape == (0, 2, 3)


def test_ids_replace_channels():
    channels = np.array([[0, 1, 2]], np.int16)
    assert to_object_ids(channels, (1, 2)).tolist() == [[0, 1, 2]]
    ids = to_object_ids(channels, (7, 60000))
    assert ids.dtype == np.uint16
    assert ids.tolist() == [[0, 7, 60000]]
