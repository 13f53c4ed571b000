from types import SimpleNamespace

import pytest
from builtin_interfaces.msg import Time
from std_msgs.msg import Header

from lazy_vos_ros.nodes import filters
from lazy_vos_ros.nodes.time_filters import ApproximateTimeSynchronizer
from lazy_vos_ros.nodes.time_filters import SimpleFilter
from lazy_vos_ros.nodes.time_filters import Subscriber
from lazy_vos_ros.nodes.time_filters import TimeSynchronizer


def at(milliseconds):
    stamp = Time(sec=milliseconds // 1000, nanosec=milliseconds % 1000 * 1_000_000)
    return SimpleNamespace(header=Header(stamp=stamp), ms=milliseconds)


def joined(kind, *args):
    inputs = [SimpleFilter(), SimpleFilter()]
    out = []
    kind(inputs, *args).registerCallback(lambda *found: out.append(tuple(m.ms for m in found)))
    return inputs, out


def test_settings_are_checked():
    with pytest.raises(ValueError, match='queue_size is 0'):
        TimeSynchronizer([SimpleFilter()], 0)
    with pytest.raises(ValueError, match='slop is -1'):
        ApproximateTimeSynchronizer([SimpleFilter()], 5, -1)
    with pytest.raises(ValueError, match='allow_headerless'):
        ApproximateTimeSynchronizer([SimpleFilter()], 5, 0.1, True)


def test_only_equal_stamps_come_together_whatever_the_order():
    (a, b), out = joined(TimeSynchronizer, 5)
    for stamp in (10, 20, 30):
        a.signalMessage(at(stamp))
    for stamp in (30, 11, 20):
        b.signalMessage(at(stamp))
    assert out == [(30, 30), (20, 20)]


def test_the_nearest_within_slop_is_used_once():
    (a, b), out = joined(ApproximateTimeSynchronizer, 5, 0.02)
    a.signalMessage(at(100))
    a.signalMessage(at(130))
    b.signalMessage(at(120))
    b.signalMessage(at(131))
    b.signalMessage(at(119))
    assert out == [(130, 120), (100, 119)]


def test_slop_includes_its_end():
    (a, b), out = joined(ApproximateTimeSynchronizer, 5, 0.02)
    a.signalMessage(at(100))
    b.signalMessage(at(121))
    assert out == []
    b.signalMessage(at(120))
    assert out == [(100, 120)]


def test_a_full_queue_loses_what_came_first_though_the_clock_jumps_back():
    (a, b), out = joined(TimeSynchronizer, 2)
    for stamp in (5000, 6000, 10, 20):
        a.signalMessage(at(stamp))
    for stamp in (5000, 10, 20):
        b.signalMessage(at(stamp))
    assert out == [(10, 10), (20, 20)]


def test_a_failing_callback_does_not_stop_it():
    inputs = [SimpleFilter(), SimpleFilter()]
    out = []

    def fail_once(*found):
        out.append(found)
        if len(out) == 1:
            raise KeyError('once')

    TimeSynchronizer(inputs, 5).registerCallback(fail_once)
    inputs[0].signalMessage(at(1))
    with pytest.raises(KeyError):
        inputs[1].signalMessage(at(1))
    inputs[0].signalMessage(at(2))
    inputs[1].signalMessage(at(2))
    assert len(out) == 2


def test_a_callback_may_feed_the_filter():
    (a, b), out = joined(TimeSynchronizer, 5)
    again = iter([at(7)])

    def echo(message):
        for item in again:
            a.signalMessage(item)
            b.signalMessage(item)

    b.registerCallback(echo)
    a.signalMessage(at(1))
    b.signalMessage(at(1))
    assert out == [(1, 1), (7, 7)]


def test_arguments_follow_the_messages():
    source = SimpleFilter()
    out = []
    source.registerCallback(lambda *values: out.append(values), 'more')
    source.signalMessage('message')
    assert out == [('message', 'more')]


def test_subscriber_passes_its_arguments_on():
    made = []
    node = SimpleNamespace(create_subscription=lambda *args, **kwargs: made.append((args, kwargs)))
    source = Subscriber(node, Header, 'topic', qos_profile=3, raw=True)
    (args, kwargs) = made[0]
    assert args[:2] == (Header, 'topic')
    assert args[3] == 3
    assert kwargs == {'raw': True}
    assert source.getTopic() == 'topic'


def test_one_of_both_is_found():
    assert {'ApproximateTimeSynchronizer', 'Subscriber', 'TimeSynchronizer'} <= set(dir(filters))
