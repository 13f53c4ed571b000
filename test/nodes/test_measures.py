from math import isnan
from time import sleep

import pytest

from lazy_vos_ros.nodes.measures import KINDS
from lazy_vos_ros.nodes.measures import Faults
from lazy_vos_ros.nodes.measures import Latency
from lazy_vos_ros.nodes.measures import Rate


def test_percentiles():
    latency = Latency()
    assert isnan(latency.percentile(50))
    for value in range(101):
        latency.add(value / 1000)
    assert latency.percentile(50) == pytest.approx(0.050)
    assert latency.percentile(95) == pytest.approx(0.095)


def test_rate_counts_and_ages():
    rate = Rate(seconds=0.2)
    for _ in range(10):
        rate.tick()
    assert rate.count == 10
    assert rate.per_second == pytest.approx(20)  # ten in the half second taken at least
    sleep(0.25)
    assert rate.per_second == 0
    assert rate.age >= 0.25


def test_faults_that_differ_in_numbers_only_are_logged_once():
    faults = Faults()
    assert faults.note('image of 3x4 is cut off')
    assert not faults.note('image of 640x480 is cut off')
    assert faults.note('image is green')
    assert faults.total == 3
    assert faults.last == 'image is green'
    assert faults.counts == {'image of #x# is cut off': 2, 'image is green': 1}


def test_kinds_are_bounded():
    faults = Faults()
    for index in range(1000):
        faults.note('x' * (index % 80) + 'y')
        faults.note(f'{"z" * index}')
    assert len(faults.counts) == KINDS + 1
    assert faults.total == 2000
