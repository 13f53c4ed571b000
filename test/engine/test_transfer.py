import numpy as np
import torch

from lazy_vos_ros.engine.transfer import to_device
from lazy_vos_ros.engine.transfer import to_host


def test_there_and_back():
    array = np.arange(24, dtype=np.uint8).reshape(2, 3, 4)[:, ::-1]
    tensor = to_device(array, torch.device('cpu'))
    one, two = to_host(tensor, tensor.float() / 2)
    np.testing.assert_array_equal(one, array)
    np.testing.assert_array_equal(two, array / np.float32(2))
    assert (one.dtype, two.dtype) == (np.uint8, np.float32)
