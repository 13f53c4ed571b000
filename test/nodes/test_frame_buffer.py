from array import array

import pytest
from builtin_interfaces.msg import Time
from sensor_msgs.msg import Image
from std_msgs.msg import Header

from lazy_vos_ros.nodes.frame_buffer import FrameBuffer


def image(second, nbytes=10):
    return Image(header=Header(stamp=Time(sec=second)), data=array('B', bytes(nbytes)))


def test_what_is_not_kept_is_refused_with_what_is():
    buffer = FrameBuffer(2, 1)
    with pytest.raises(ValueError, match='no image has come yet'):
        buffer.newest()
    with pytest.raises(ValueError, match='kept: none'):
        buffer.find(Time(sec=1))
    for second in (1, 2, 3):
        buffer.add(image(second))
    with pytest.raises(ValueError, match=r'1.000 s is not kept; kept: 2.000 to 3.000 s \(2 im'):
        buffer.find(Time(sec=1))


def test_finds_by_the_exact_stamp():
    buffer = FrameBuffer(5, 1)
    kept = [image(second) for second in (4, 5)]
    for item in kept:
        buffer.add(item)
    assert buffer.find(Time(sec=4)) is kept[0]
    assert buffer.newest() is kept[1]
    with pytest.raises(ValueError, match='not kept'):
        buffer.find(Time(sec=4, nanosec=1))


def test_bytes_are_bounded_and_counted_right_for_repeated_stamps():
    buffer = FrameBuffer(100, 1)
    for second in range(10):
        buffer.add(image(second, 300_000))
    assert len(buffer) == 3
    assert buffer.nbytes == 900_000
    buffer.add(image(9, 100))
    assert (len(buffer), buffer.nbytes) == (3, 600_100)
    buffer.clear()
    assert (len(buffer), buffer.nbytes) == (0, 0)


def test_the_newest_is_kept_though_it_is_too_large():
    buffer = FrameBuffer(1, 0)
    buffer.add(image(1, 5000))
    buffer.add(image(2, 5000))
    assert buffer.newest().header.stamp.sec == 2
    assert len(buffer) == 1
