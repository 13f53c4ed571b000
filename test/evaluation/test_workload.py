from collections.abc import Callable
from math import nan
from pathlib import Path

import pytest
from recordings import EVENT
from recordings import event
from recordings import stamp_of
from recordings import usual_messages

from lazy_vos_ros.evaluation.bags import read_run
from lazy_vos_ros.evaluation.workload import Spread
from lazy_vos_ros.evaluation.workload import covered
from lazy_vos_ros.evaluation.workload import most_within
from lazy_vos_ros.evaluation.workload import signals_of
from lazy_vos_ros.evaluation.workload import workload_of

WriteBag = Callable[..., Path]


@pytest.mark.parametrize(
    ('times', 'most'),
    [([], 0), ([5.0], 1), ([0, 59.9], 2), ([0, 60.0], 1), ([0, 10, 20, 61, 62, 63, 64], 6)],
)
def test_most_within_a_minute(times: list[float], most: int):
    assert most_within(times, 60.0) == most


@pytest.mark.parametrize(
    ('spans', 'length'),
    [
        ([], 0),
        ([(1, 3), (2, 5)], 4),
        ([(4, 5), (0, 1)], 2),
        ([(0, 9), (2, 3)], 9),
        ([(3, 2)], 0),
    ],
)
def test_overlaps_count_once(spans: list[tuple[float, float]], length: float):
    assert covered(spans) == length


def test_spread_leaves_out_what_is_not_finite():
    assert Spread.of([nan, 1.0, float('inf'), 3.0]) == Spread(2, 2.0, 2.0, 2.9, 3.0)
    assert Spread.of([nan]) == Spread(0, None, None, None, None)


def test_workload_is_that_of_the_events(write_bag: WriteBag):
    spared = [
        ('/lazy_vos/correction_event', EVENT, stamp_of(i), event('SUPPRESSED', i, i, 2, reason=r))
        for i, r in ((9, 'cool-down'), (10, 'cool-down'), (11, ''))
    ]
    workload = workload_of(read_run(write_bag([*usual_messages(), *spared])))
    assert workload.questions_per_minute == pytest.approx(60 / 2.2)
    assert workload.most_in_a_minute == 1
    assert workload.reaction.mean == pytest.approx(0.75, abs=1e-5)
    assert workload.waiting == pytest.approx(0.8, abs=1e-6)  # frames 4 to 8, 0.2 s each
    assert workload.spared == {'cool-down': 2, 'not told': 1}


def test_signals_are_those_of_the_states(write_bag: WriteBag):
    signals = signals_of(read_run(write_bag(usual_messages())))
    assert signals.entropy.mean == pytest.approx(0.5)
    assert signals.latency.p95 == pytest.approx(80.0)
    assert signals.drop_share == pytest.approx(3 / 15)
    assert (signals.working_memory, signals.long_term_memory) == (110, 11)
    assert signals.memory_bytes is None
    assert signals.objects[0].uncertainty.highest == 0.25
