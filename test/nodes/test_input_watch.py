import pytest

from lazy_vos_ros.nodes.input_watch import Freshness
from lazy_vos_ros.nodes.input_watch import InputWatch

FRESH, RETURNING, STALE, LOST = Freshness


class Seconds:
    def __init__(self):
        self.now = 100.0

    def __call__(self):
        return self.now


@pytest.fixture
def clock():
    return Seconds()


@pytest.fixture
def watch(clock):
    return InputWatch(1.0, clock)


def run(watch, clock, seconds, period=0.25):
    """Let images come; return every judgement."""
    found = []
    for _ in range(round(seconds / period)):
        clock.now += period
        watch.tick()
        found.append(watch.look())
    return found


def test_gets_worse_by_itself(watch, clock):
    found = []
    for age in (0.9, 1.1, 4.9, 5.1, 60.0):
        clock.now = 100.0 + age
        found.append(watch.look())
    assert found == [FRESH, STALE, STALE, LOST, LOST]


def test_gets_better_only_after_a_while_without_a_gap(watch, clock):
    run(watch, clock, 5)
    clock.now += 7.0
    assert watch.look() is LOST
    found = run(watch, clock, 5)
    assert found[0] is RETURNING
    assert found.index(FRESH) == 12  # 3 s of images every 0.25 s
    assert set(found[12:]) == {FRESH}


def test_a_gap_on_the_way_back_begins_again(watch, clock):
    clock.now += 2.0
    run(watch, clock, 2.5)
    clock.now += 1.5
    assert watch.look() is STALE
    assert run(watch, clock, 2.5)[-1] is RETURNING
    assert run(watch, clock, 1.0)[-1] is FRESH


def test_images_that_are_always_a_little_late_are_never_fresh(watch, clock):
    assert set(run(watch, clock, 66, period=1.1)) == {RETURNING}


def test_the_limit_can_be_changed(watch, clock):
    watch.stale_after = 10.0
    assert set(run(watch, clock, 66, period=1.1)) == {FRESH}
