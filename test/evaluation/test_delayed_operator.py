"""A person who answers late, on boxes that move while the answer is on its way."""

import sys
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from lazy_vos_ros.engine.prompts import Prompt
from lazy_vos_ros.engine.results import EventKind
from lazy_vos_ros.engine.tracker import LazyTracker
from lazy_vos_ros.evaluation.benchmark.attendance import AtOnce
from lazy_vos_ros.evaluation.benchmark.attendance import attend_to
from lazy_vos_ros.evaluation.benchmark.cast import Cast
from lazy_vos_ros.evaluation.benchmark.datasets import open_dataset
from lazy_vos_ros.evaluation.benchmark.methods import parse_method
from lazy_vos_ros.evaluation.benchmark.person import Person
from lazy_vos_ros.evaluation.benchmark.settings import Settings
from lazy_vos_ros.evaluation.benchmark.truth import GroundTruth
from lazy_vos_ros.evaluation.delayed_operator import Delayed

sys.path.append(str(Path(__file__).parent / 'benchmark'))
import painted

from lazy_vos_ros.engine.config import LazyConfig

CONFIG = LazyConfig(tau_u=0.3, tau_p=0.1, pseudo_corrections=False)


@pytest.fixture
def course(tmp_path):
    """Return a function that tracks a box, unclear in frame 3, and gives all events by frame."""
    painted.write_folders(tmp_path, {'a': painted.moving_box(12)}, looks={3: painted.UNCLEAR})
    (files,) = open_dataset(tmp_path).sequences
    truth = GroundTruth(files)

    def run(delay, late):
        cast = Cast()
        person = Person(truth, cast, 'gt_center')
        attendance = Delayed(person, delay, late) if delay else AtOnce(person)
        backend = painted.ColourBackend()
        tracker = LazyTracker(
            backend, painted.ColourRefiner(), CONFIG, operator=attendance.operator
        )
        events = []
        for index in range(12):
            image = painted.image_of(painted.labels_of({1: truth.mask(index, 1)}))
            if index == 3:
                image[..., 1] = painted.UNCLEAR
            if index == 0:
                result = tracker.add_objects(image, [Prompt(mask=truth.mask(0, 1))])
                cast.enter({1: 1})
            else:
                result = tracker.step(image)
            attendance.after_frame(tracker, result)
            events += result.events
        return events

    return run


def _of(events, kind):
    return [event for event in events if event.kind is kind]


@pytest.mark.parametrize('late', ['memory', 'replay'])
def test_late_answer_is_what_it_would_have_been_at_once(course, late):
    (at_once,) = _of(course(0, ''), EventKind.ANSWERED)
    (answered,) = _of(course(4, late), EventKind.ANSWERED)
    assert (answered.frame_index, answered.applied_stamp) == (3, 7.0)
    assert answered.clicks == at_once.clicks
    assert answered.request_id


def test_next_frame_applies_the_old_pixel_to_the_newest_frame(course):
    (at_once,) = _of(course(0, ''), EventKind.ANSWERED)
    events = course(2, 'next-frame')
    (corrected,) = _of(events, EventKind.CORRECTED)
    assert corrected.frame_index == 5
    assert corrected.clicks == at_once.clicks
    assert len(_of(events, EventKind.SKIPPED)) == 1
    assert not _of(events, EventKind.ANSWERED)
    # Two pixels a frame: after six frames the old pixel is on the background.
    assert not _of(course(6, 'next-frame'), EventKind.CORRECTED)


def test_answer_that_comes_after_the_end_never_comes(course):
    events = course(9, 'memory')
    assert len(_of(events, EventKind.ASKED)) == 1
    assert not _of(events, EventKind.ANSWERED)


def test_question_that_was_closed_meanwhile_is_not_answered(tmp_path):
    class NeverAsked:
        requests = ()
        frame_index = 9

    class Closed:
        open_requests = ()

        def answer(self, *args):
            pytest.fail('answered a closed question')

    operator = Delayed(None, 3, 'memory')
    operator._coming['gone'] = type('Intent', (), {'due': 5})()
    operator.after_frame(Closed(), NeverAsked())
    assert operator._coming == {}


@pytest.mark.parametrize(('frames', 'late', 'words'), [(0, 'memory', '0 frames'), (3, 'x', 'x')])
def test_impossible_delays_are_refused(frames, late, words):
    with pytest.raises(ValueError, match=words):
        Delayed(None, frames, late)


def _settings(method='lazy', **fields):
    return Settings(method=parse_method(method, CONFIG), **{'fps': 10.0, **fields})


def test_delay_in_frames_and_who_attends():
    late = _settings(operator_delay=0.25)
    assert late.delay_frames == 3
    assert isinstance(attend_to(late, None, None, None, name='a', seed=0), Delayed)
    assert isinstance(attend_to(_settings(), None, None, None, name='a', seed=0), AtOnce)
    assert late.record()['operator_delay'] == 0.25


@pytest.mark.parametrize(
    ('method', 'fields', 'words'),
    [
        ('rand-lazy', {'operator_delay': 1.0}, 'asks nobody'),
        ('lazy-auto', {'operator_delay': 1.0}, 'asks nobody'),
        ('lazy', {'operator_delay': -1.0}, 'delay'),
        (
            'lazy',
            {'operator_delay': 1.0, 'late': 'next-frame', 'refiner': 'oracle'},
            'oracle',
        ),
    ],
)
def test_delays_that_make_no_sense_are_refused(method, fields, words):
    with pytest.raises(ValueError, match=words):
        _settings(method, **fields)
    assert replace(_settings(), operator_delay=0.0).delay_frames == 0
    assert np.isfinite(_settings().operator_delay)
