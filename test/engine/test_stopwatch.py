from time import sleep

import pytest
import torch

from lazy_vos_ros.engine.stopwatch import Stopwatch


def test_each_part_gets_its_own_time():
    watch = Stopwatch(torch.device('cpu'))
    sleep(0.02)
    watch.lap('predict')
    watch.lap('lazy')
    sleep(0.02)
    watch.lap('predict')
    timings = watch.timings()
    assert timings.predict >= 0.04
    assert timings.lazy < timings.predict
    assert timings.refine == timings.commit == 0


def test_skipped_time_is_nobodys():
    watch = Stopwatch(torch.device('cpu'))
    sleep(0.05)
    watch.skip()
    watch.lap('lazy')
    assert watch.timings().total < 0.05


def test_unknown_part():
    with pytest.raises(KeyError):
        Stopwatch(torch.device('cpu')).lap('lunch')


class Event:
    """A mark in the queue of a GPU that works at one tick a mark."""

    ticks = 0
    waited = 0

    def __init__(self, *, enable_timing):
        assert enable_timing

    def record(self, stream):
        Event.ticks += 1
        self.tick = Event.ticks

    def synchronize(self):
        Event.waited += 1

    def elapsed_time(self, other):
        assert Event.waited
        return 1000.0 * (other.tick - self.tick)


def test_a_gpu_is_waited_for_only_when_the_times_are_read(monkeypatch):
    monkeypatch.setattr(torch.cuda, 'Event', Event)
    monkeypatch.setattr(torch.cuda, 'current_stream', lambda device: None)
    watch = Stopwatch(torch.device('cuda'))
    watch.lap('predict')
    watch.lap('lazy')
    watch.skip()
    watch.lap('commit')
    watch.lap('lazy')
    assert Event.waited == 0
    timings = watch.timings()
    assert (timings.predict, timings.lazy, timings.commit, timings.refine) == (1, 2, 1, 0)
