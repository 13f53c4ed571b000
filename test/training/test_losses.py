"""Losses in cases whose value is known."""

from math import log

import pytest
import torch

from lazy_vos_ros.training.losses import bootstrapped_cross_entropy
from lazy_vos_ros.training.losses import prior_cross_entropy
from lazy_vos_ros.training.losses import soft_dice


def test_bootstrapping_keeps_the_hardest_pixels():
    probabilities = torch.full((1, 2, 1, 4), 0.5)
    probabilities[0, 0, 0] = torch.tensor([0.9, 0.9, 0.9, 0.1])
    probabilities[0, 1] = 1 - probabilities[0, 0]
    labels = torch.zeros(1, 1, 4, dtype=torch.long)
    everything = bootstrapped_cross_entropy(probabilities, labels, 1.0)
    assert float(everything) == pytest.approx(-(3 * log(0.9) + log(0.1)) / 4)
    assert float(bootstrapped_cross_entropy(probabilities, labels, 0.25)) == pytest.approx(
        -log(0.1)
    )


def test_dice_is_0_for_the_truth_and_near_1_for_its_opposite():
    labels = torch.zeros(1, 32, 32, dtype=torch.long)
    labels[:, :, 16:] = 1
    truth = (labels == 1).float()[:, None]
    assert float(soft_dice(truth, labels)) == pytest.approx(0, abs=1e-6)
    assert float(soft_dice(1 - truth, labels)) > 0.99


def test_prior_is_compared_at_stride_4():
    labels = torch.zeros(1, 8, 8, dtype=torch.long)
    labels[:, :4] = 1
    cells = torch.tensor([[0.99, 0.99], [0.01, 0.01]])[None, None]
    assert float(prior_cross_entropy(cells, labels)) == pytest.approx(-log(0.99), rel=1e-4)
    assert float(prior_cross_entropy(1 - cells, labels)) > 4
