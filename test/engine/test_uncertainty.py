import re
from dataclasses import replace

import numpy as np
import pytest
import torch

from lazy_vos_ros.engine.config import PROFILES
from lazy_vos_ros.engine.config import LazyConfig
from lazy_vos_ros.engine.uncertainty import FrameMaps
from lazy_vos_ros.engine.uncertainty import frame_maps
from lazy_vos_ros.engine.uncertainty import object_uncertainty


def _square(entropy_inside, entropy_outside):
    """A 10x10 square in the corner of a 40x50 image; its dilation by 1 adds 20 pixels."""
    channels = np.zeros((40, 50), np.int16)
    channels[:10, :10] = 1
    entropy = np.where(channels == 1, entropy_inside, entropy_outside).astype(np.float32)
    return FrameMaps(entropy, channels)


def test_paper_takes_the_mean_over_the_dilated_mask():
    value = object_uncertainty(_square(0.1, 0.7), 1, LazyConfig())
    assert value == pytest.approx((100 * 0.1 + 20 * 0.7) / 120)


def test_area_of_the_mask_as_divisor_may_exceed_1():
    config = LazyConfig(masked_entropy='mask')
    assert object_uncertainty(_square(1.0, 1.0), 1, config) == pytest.approx(1.2)


def test_object_that_is_nowhere_is_not_uncertain():
    assert object_uncertainty(_square(1.0, 1.0), 2, LazyConfig()) == 0


def test_maps_are_numpy_and_a_tie_goes_to_the_lower_channel():
    probabilities = torch.tensor([[[0.5, 0.2]], [[0.5, 0.4]], [[0.0, 0.4]]])
    maps = frame_maps(probabilities, LazyConfig())
    assert maps.channels.tolist() == [[0, 1]]
    assert maps.entropy.dtype == np.float32
    assert maps.entropy.shape == (1, 2)


def test_only_the_code_profile_rounds():
    probabilities = torch.tensor([[[0.7]], [[0.3]]])
    exact = frame_maps(probabilities, PROFILES['paper']).entropy[0, 0]
    rounded = frame_maps(probabilities, PROFILES['code']).entropy[0, 0]
    assert rounded == pytest.approx(round(float(exact), 4), abs=1e-7)
    assert exact != rounded


@pytest.mark.parametrize(('divisor', 'suffix'), [('mask', 'code'), ('dilated', 'paper')])
def test_golden_masked_entropy(lazy_layer_golden, divisor, suffix):
    seen = 0
    for name, expected in lazy_layer_golden.items():
        match = re.fullmatch(rf'(\w+)_o(\d)_pc(\d+)_mean_{suffix}', name)
        if not match:
            continue
        config = replace(
            PROFILES['code'], masked_entropy=divisor, dilation_ratio=int(match[3]) / 100
        )
        maps = frame_maps(torch.from_numpy(lazy_layer_golden[f'{match[1]}_prob']), config)
        value = object_uncertainty(maps, int(match[2]), config)
        assert value == pytest.approx(float(expected), abs=1e-4), name
        seen += 1
    assert seen == 18
