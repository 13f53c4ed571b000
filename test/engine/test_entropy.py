from math import log

import numpy as np
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st

from lazy_vos_ros.engine.entropy import entropy_map
from lazy_vos_ros.engine.entropy import mean_over_dilated
from lazy_vos_ros.engine.entropy import mean_over_mask
from lazy_vos_ros.engine.entropy import round_to_4_decimals


def _pixel(*probabilities):
    return torch.tensor(probabilities, dtype=torch.float32).reshape(-1, 1, 1)


@pytest.mark.parametrize('channels', [2, 3, 7])
def test_uniform_distribution_has_entropy_1(channels):
    uniform = torch.full((channels, 4, 5), 1 / channels)
    torch.testing.assert_close(entropy_map(uniform), torch.ones(4, 5))


def test_certainty_has_entropy_0_and_no_nan():
    assert entropy_map(_pixel(0, 1, 0)).item() == 0
    assert entropy_map(_pixel(1, 0)).item() == 0


@pytest.mark.parametrize('p', [0.1, 0.5, 0.9])
def test_one_object_is_the_binary_entropy_in_bits(p):
    expected = -(p * log(p) + (1 - p) * log(1 - p)) / log(2)
    assert entropy_map(_pixel(1 - p, p)).item() == pytest.approx(expected, abs=1e-6)


def test_three_classes_by_hand():
    # -(1/2 ln 1/2 + 2 * 1/4 ln 1/4) / ln 3 = 1.5 ln 2 / ln 3
    value = entropy_map(_pixel(0.5, 0.25, 0.25)).item()
    assert value == pytest.approx(1.5 * log(2) / log(3), abs=1e-6)


def test_probabilities_too_small_for_a_logarithm_count_nothing():
    assert entropy_map(_pixel(1.0, 1e-45)).item() < 1e-40


def test_background_alone_is_certain():
    assert entropy_map(torch.ones(1, 3, 4)).tolist() == [[0.0] * 4] * 3


@given(st.integers(1, 6), st.integers(0, 2**31), st.floats(0, 60))
def test_entropy_stays_between_0_and_1(objects, seed, sharpness):
    generator = torch.Generator().manual_seed(seed)
    logits = sharpness * torch.randn(objects + 1, 3, 4, generator=generator)
    entropy = entropy_map(logits.softmax(0))
    assert entropy.dtype == torch.float32
    assert bool(((entropy >= 0) & (entropy <= 1)).all())


def test_rounding_keeps_4_decimals():
    rounded = round_to_4_decimals(torch.tensor([0.12344, 0.12346]))
    torch.testing.assert_close(rounded, torch.tensor([0.1234, 0.1235]))


MASK = np.array([[0, 0, 0, 0], [0, 1, 1, 0], [0, 0, 0, 0]], bool)
DILATED = np.array([[0, 1, 1, 0], [1, 1, 1, 1], [0, 1, 1, 0]], bool)


def test_masked_means_differ_only_in_the_area():
    entropy = np.full((3, 4), 0.5, np.float32)
    entropy[0, 0] = 1  # outside of both
    assert mean_over_dilated(entropy, MASK, DILATED) == pytest.approx(0.5)
    assert mean_over_mask(entropy, MASK, DILATED) == pytest.approx(0.5 * 8 / 2)


@pytest.mark.parametrize('mean', [mean_over_dilated, mean_over_mask])
def test_empty_mask_has_no_uncertainty(mean):
    nothing = np.zeros((3, 4), bool)
    assert mean(np.ones((3, 4), np.float32), nothing, nothing) == 0


@pytest.mark.parametrize('mean', [mean_over_dilated, mean_over_mask])
def test_dilation_shifted_out_of_the_image_gives_0(mean):
    nothing = np.zeros((3, 4), bool)
    assert mean(np.ones((3, 4), np.float32), MASK, nothing) == 0


def test_golden_entropy(lazy_layer_golden):
    for name in ('p1', 'p2', 'syn'):
        probabilities = torch.from_numpy(lazy_layer_golden[f'{name}_prob'])
        entropy = entropy_map(probabilities)
        expected = lazy_layer_golden[f'{name}_entropy_code']
        # The published map is rounded to 4 decimals: half a unit is the best agreement.
        assert np.abs(entropy.numpy() - expected).max() <= 0.51e-4
        rounded = round_to_4_decimals(entropy).numpy()
        differing = np.abs(rounded - expected) > 1e-5
        assert differing.mean() < 1e-3
