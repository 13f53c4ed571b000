from math import nan

import numpy as np
import pytest
import torch

from lazy_vos_ros.engine.config import LazyConfig
from lazy_vos_ros.evaluation.study.committee import Votes
from lazy_vos_ros.evaluation.study.measures import DILATIONS
from lazy_vos_ros.evaluation.study.measures import FrameMeasures
from lazy_vos_ros.evaluation.study.measures import Measure
from lazy_vos_ros.evaluation.study.measures import measures_of

SIZE = (20, 30)


def votes(*certainties: torch.Tensor) -> Votes:
    """One object: each member's probability of it."""
    members = torch.stack([torch.stack([1 - p, p]) for p in certainties])
    return Votes(members, (5,))


def square(inside: float, outside: float) -> torch.Tensor:
    certainty = torch.full(SIZE, outside)
    certainty[5:15, 5:15] = inside
    return certainty


def test_one_member_has_no_epistemic_uncertainty():
    names = [measure.label for measure in measures_of(1, (0.05, 0.5))]
    assert names == ['S', 'S_R@0.05', 'S_R@0.5']
    names = [measure.label for measure in measures_of(2, (0.5,))]
    assert names == ['S', 'S_R@0.5', 'V', 'V_R@0.5']


@pytest.mark.parametrize('wrong', [(), (0.5, 0.5), (-0.1,), (1.5,), (nan,)])
def test_wrong_dilations_are_refused(wrong: tuple[float, ...]):
    with pytest.raises(ValueError, match='allowed: one or more different numbers'):
        measures_of(1, wrong)


def test_default_dilation_of_the_lazy_layer_is_compared():
    assert LazyConfig().dilation_ratio in DILATIONS


def test_entropy_over_the_frame_and_near_the_mask():
    # Wholly unsure outside, wholly sure inside.
    seen = FrameMeasures(votes(square(1.0, 0.5 - 1e-6)), 'variance')
    assert seen.mask(5).sum() == 100
    assert seen.value(Measure('S'), 5) == pytest.approx(500 / 600, abs=1e-6)
    # A disc of radius 1 adds a rim of 10 pixels at each side; radius 2 that, again and 4 corners.
    assert seen.value(Measure('S_R', 0.05), 5) == pytest.approx(40 / 140, abs=1e-6)
    assert seen.value(Measure('S_R', 1.0), 5) == pytest.approx(84 / 184, abs=1e-6)


def test_disagreement_over_the_frame_and_near_the_mask():
    # They contradict each other in a stripe at the edge of the mask, and nowhere else.
    one, other = square(1.0, 0.0), square(1.0, 0.0)
    one[5:15, 15] = 1.0
    seen = FrameMeasures(votes(one, other, other), 'variance')
    variance = 2 / 9
    assert np.array_equal(seen.mask(5), square(1, 0).bool().numpy())
    assert seen.value(Measure('V'), 5) == pytest.approx(10 * variance / 600)
    assert seen.value(Measure('V_R', 0.05), 5) == pytest.approx(10 * variance / 140)
    information = FrameMeasures(votes(one, other, other), 'mutual-information')
    entropy = -(np.log(1 / 3) / 3 + 2 * np.log(2 / 3) / 3) / np.log(2)
    assert information.value(Measure('V'), 5) == pytest.approx(10 * entropy / 600, rel=1e-5)


def test_masks_are_those_of_the_mean():
    seen = FrameMeasures(votes(square(0.9, 0.0), square(0.0, 0.8)), 'variance')
    assert not seen.mask(5).any()
    assert seen.value(Measure('S_R', 0.05), 5) == 0.0
    assert seen.value(Measure('V_R', 0.05), 5) == 0.0
    assert seen.value(Measure('V'), 5) > 0.1
