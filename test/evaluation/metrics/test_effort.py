from math import inf
from math import nan

import pytest

from lazy_vos_ros.evaluation import metrics


def test_gaps_reach_from_the_first_frame_to_the_last():
    assert metrics.correction_gaps(100, []) == [99]
    assert metrics.correction_gaps(100, [30, 10]) == [10, 20, 69]
    assert metrics.correction_gaps(100, [30, 30]) == [30, 69]
    assert metrics.correction_gaps(1, []) == [0]


@pytest.mark.parametrize('wrong', [[100], [-1]])
def test_correction_outside_of_the_life_is_refused(wrong: list[int]):
    with pytest.raises(ValueError, match='corrections in frames'):
        metrics.correction_gaps(100, wrong)


@pytest.mark.parametrize('places', [[], [5], [1, 2, 3], [10, 200, 499]])
def test_aci_is_a_count_wherever_the_corrections_fall(places: list[int]):
    count = len(places)
    assert metrics.aci(500, places) == pytest.approx(count + (count + 2) / 500, rel=1e-12)


def test_noc_counts_a_frame_once_for_each_object():
    assert metrics.noc([[3, 3, 9], [3], []]) == 3


def test_idi_of_no_correction_is_the_life():
    assert metrics.idi([12.5], [[]]) == 12.5
    with pytest.raises(ValueError, match='0 lives'):
        metrics.idi([], [])
    with pytest.raises(ValueError, match='2 lives and 1 lists'):
        metrics.idi([1.0, 2.0], [[]])


@pytest.mark.parametrize('wrong', [nan, inf, -1.0])
def test_life_that_is_no_time_is_refused(wrong: float):
    with pytest.raises(ValueError, match='a life is'):
        metrics.idi([5.0, wrong], [[], []])
