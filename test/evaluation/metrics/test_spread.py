from math import inf
from math import nan

import pytest
from hypothesis import given
from hypothesis import strategies as st

from lazy_vos_ros.evaluation import metrics

FRAMES, FPS = 601, 10.0


def gaps(corrections: list[int]) -> list[float]:
    return [gap / FPS for gap in metrics.correction_gaps(FRAMES, corrections)]


EVEN = list(range(100, 600, 100))
BURST = [300, 301, 302, 303, 304]


def test_a_burst_differs_where_idi_and_aci_see_no_difference():
    for measure in (
        lambda places: metrics.idi([60.0], [places]),
        lambda places: metrics.aci(FRAMES, places),
    ):
        assert measure(EVEN) == pytest.approx(measure(BURST), rel=1e-12)
    assert metrics.median_gap([gaps(EVEN)]) == 10.0
    assert metrics.median_gap([gaps(BURST)]) == pytest.approx(0.1)
    assert metrics.quick_share([gaps(EVEN)]) == 0.0
    assert metrics.quick_share([gaps(BURST)]) == 4 / 5


@given(st.sets(st.integers(1, FRAMES - 2), min_size=1, max_size=30))
def test_mean_of_the_gaps_is_idi(places: set[int]):
    found = gaps(sorted(places))
    assert sum(found) / len(found) == pytest.approx(metrics.idi([60.0], [list(places)]))
    assert min(found) <= metrics.median_gap([found]) <= max(found)


def test_objects_are_pooled():
    assert metrics.median_gap([[1.0, 9.0], [2.0, 3.0, 4.0]]) == 3.0
    assert metrics.quick_share([[0.5, 9.0], [2.0, 0.2, 4.0]]) == 2 / 3


def test_end_of_the_video_is_no_correction():
    assert metrics.quick_share([[5.0, 0.1]]) == 0.0
    assert metrics.quick_share([[5.0, 0.1], [7.0]]) == 0.0


def test_limit_itself_is_not_quick():
    assert metrics.quick_share([[1.0, 2.0]]) == 0.0
    assert metrics.quick_share([[1.0, 2.0]], 1.01) == 1.0


def test_without_corrections():
    assert metrics.median_gap([[60.0]]) == 60.0
    assert metrics.quick_share([[0.5]]) == 0.0


@pytest.mark.parametrize('measure', [metrics.median_gap, metrics.quick_share])
def test_wrong_gaps_are_refused(measure):
    for wrong in (nan, inf, -0.5):
        with pytest.raises(ValueError, match='a gap is'):
            measure([[1.0], [2.0, wrong]])
    with pytest.raises(ValueError, match='0 objects'):
        measure([])
    with pytest.raises(ValueError, match='of which 1 have no gap'):
        measure([[1.0], []])


@pytest.mark.parametrize('limit', [0.0, -1.0, nan, inf])
def test_wrong_limit_is_refused(limit: float):
    with pytest.raises(ValueError, match='limit is'):
        metrics.quick_share([[1.0, 1.0]], limit)
