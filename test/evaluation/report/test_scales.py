import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from lazy_vos_ros.evaluation.report.scales import Scale
from lazy_vos_ros.evaluation.report.scales import apart
from lazy_vos_ros.evaluation.report.scales import clock_ticks
from lazy_vos_ros.evaluation.report.scales import envelope
from lazy_vos_ros.evaluation.report.scales import strongest
from lazy_vos_ros.evaluation.report.scales import ticks


def test_scale_is_straight_and_stays_inside():
    scale = Scale(0.0, 2.0, 100.0, 0.0)
    assert [scale(value) for value in (-1.0, 0.0, 0.5, 2.0, 9.0)] == [100, 100, 75, 0, 0]


@given(st.floats(0, 1e5), st.floats(1e-3, 1e5), st.integers(2, 12))
def test_ticks_are_round_even_and_not_too_many(low: float, length: float, most: int):
    found = ticks(low, low + length, most)
    assert len(found) <= most + 1
    assert all(low - 1e-6 * length <= value <= low + length * (1 + 1e-6) for value in found)
    steps = np.diff(found)
    assert len(steps) == 0 or np.allclose(steps, steps[0])


def test_long_spans_have_ticks_at_whole_minutes():
    assert clock_ticks(600.0, 6) == [0, 120, 240, 360, 480, 600]
    assert len(clock_ticks(100 * 86400.0, 8)) <= 9
    assert clock_ticks(10.0, 5) == [0, 2, 4, 6, 8, 10]


def test_envelope_keeps_peaks_in_few_points():
    times = np.arange(10_000.0)
    values = np.zeros(10_000)
    values[[777, 5000]] = 1.0, -2.0
    values[3000:3300] = np.nan
    kept, heights = envelope(times, values, 100)
    assert len(kept) <= 200
    assert np.all(np.diff(kept) > 0)
    assert heights[kept == 777] == 1.0
    assert heights[kept == 5000] == -2.0
    assert np.isfinite(heights).all()
    same = envelope(times[:5], values[:5], 100)
    assert same[0] is not None
    assert len(same[0]) == 5


def test_strongest_of_each_stretch():
    values = np.array([0.0, 5.0, np.nan, 1.0, 0.0, 2.0])
    assert strongest(values, 3).tolist() == [1, 3, 5]
    assert strongest(values, 6).tolist() == [0, 1, 2, 3, 4, 5]
    assert len(strongest(np.full(9, np.nan), 3)) == 3


@pytest.mark.parametrize(
    ('places', 'moved'),
    [([10, 50], [10, 50]), ([40, 41], [40, 50]), ([99, 98], [100, 90]), ([5], [5]), ([], [])],
)
def test_names_are_kept_apart_and_in_order(places, moved):
    assert apart(places, 10, 0, 100) == moved
