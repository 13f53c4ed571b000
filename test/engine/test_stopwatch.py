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
