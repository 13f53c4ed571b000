import pytest

from lazy_vos_ros.nodes.stamp_watch import REMEMBERED
from lazy_vos_ros.nodes.stamp_watch import StampWatch
from lazy_vos_ros.nodes.stream_clock import time_message


@pytest.mark.parametrize(
    ('stamps', 'words'),
    [
        ([0], 'are zero'),
        ([5, 0], 'are zero'),
        ([5, 5], 'repeat'),
        ([2_500_000_000, 1_000_000_000], 'went back by 1.500 s'),
        ([5], ''),
        ([5, 6, 10**18], ''),
    ],
)
def test_what_is_odd(stamps, words):
    watch = StampWatch()
    *before, told = [watch.note(time_message(stamp)) for stamp in stamps]
    assert not any(before)
    assert told.endswith(words)
    assert bool(told) == bool(words)
    assert watch.look() == told


def test_it_is_shown_for_a_while():
    now = 3.0
    watch = StampWatch(lambda: now)
    assert watch.look() == ''
    watch.note(time_message(0))
    watch.note(time_message(7))
    now += REMEMBERED - 0.1
    assert watch.look() == 'image stamps are zero'
    now += 0.2
    assert watch.look() == ''
