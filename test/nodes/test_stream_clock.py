import pytest
from builtin_interfaces.msg import Time

from lazy_vos_ros.nodes.stream_clock import StreamClock
from lazy_vos_ros.nodes.stream_clock import nanoseconds
from lazy_vos_ros.nodes.stream_clock import time_message


def test_stamps_of_today_come_back_to_the_nanosecond():
    clock = StreamClock()
    start = Time(sec=1_763_700_000, nanosec=123_456_789)
    assert clock.seconds(start) == 0.0
    for offset in (1, 33_333_333, 10**9, 86_400 * 10**9 + 7, -5 * 10**9 - 3):
        stamp = time_message(nanoseconds(start) + offset)
        assert clock.seconds(stamp) == pytest.approx(offset * 1e-9, abs=1e-9)
        assert clock.stamp(clock.seconds(stamp)) == stamp
    # Seconds since 1970 would lose a hundred nanoseconds and more.
    assert round(nanoseconds(start) / 1e9 * 1e9) != nanoseconds(start)


def test_stamps_out_of_range_are_clipped():
    assert time_message(-1) == Time()
    assert time_message(10**30).sec == 2**31 - 1
    assert StreamClock().stamp(-5.0) == Time()
