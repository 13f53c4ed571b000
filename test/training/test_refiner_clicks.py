"""What the click refiner is shown in training."""

import numpy as np
import torch

from lazy_vos_ros.training.train_refiner import imagined_prior
from lazy_vos_ros.training.train_refiner import opening_click

SIZE = 96


def disc(radius=20):
    rows, columns = np.mgrid[:SIZE, :SIZE]
    return (rows - 48) ** 2 + (columns - 40) ** 2 < radius**2


def test_masks_to_start_from_are_mostly_near_the_truth_and_never_quite_it():
    rng = np.random.default_rng(0)
    truth = torch.from_numpy(disc())[None].repeat(8, 1, 1)
    priors = [imagined_prior(rng, truth) for _ in range(50)]
    assert 0.2 < np.mean([prior is None for prior in priors]) < 0.6
    given = torch.cat([prior for prior in priors if prior is not None])[:, 0]
    assert given.shape[1:] == (SIZE // 4, SIZE // 4)
    assert 0 <= given.min() <= given.max() <= 1 + 1e-6
    small = torch.nn.functional.avg_pool2d(truth[:1, None].float(), 4)[:, 0] > 0.5
    overlap = (given > 0.5) & small
    iou = overlap.sum((1, 2)) / ((given > 0.5) | small).sum((1, 2))
    assert 0.6 < iou.median() < 0.95
    assert (iou < 0.5).float().mean() > 0.02


def test_first_click_is_on_the_object_or_on_the_error_of_the_mask():
    truth, grown = disc(20), disc(34)
    rng = np.random.default_rng(0)
    clicks = [opening_click(rng, truth, grown) for _ in range(60)]
    negative = [click for click in clicks if click[2] == -1]
    assert 15 < len(negative) < 45
    assert all(grown[int(y), int(x)] and not truth[int(y), int(x)] for x, y, _ in negative)
    assert all(truth[int(y), int(x)] for x, y, kind in clicks if kind == 1)
    assert {opening_click(rng, truth, truth)[2] for _ in range(20)} == {1}
    assert {opening_click(rng, truth, None)[2] for _ in range(20)} == {1}
