"""Undo: as if the correction had never been given."""

import numpy as np
import pytest
from boxes import ASK_ONCE
from boxes import CLICK
from boxes import box
from boxes import go
from boxes import kinds
from boxes import same

from lazy_vos_ros.engine.clicks import Click
from lazy_vos_ros.engine.config import LazyConfig
from lazy_vos_ros.engine.prompts import Prompt
from lazy_vos_ros.engine.results import Absent
from lazy_vos_ros.engine.results import EventKind

UNDO = {'undo_seconds': 12.0}


def answered(tracker, answer, at=9):
    """Track through frame `at` and answer the first question."""
    go(tracker, 1, at + 1)
    request = tracker.open_requests[0]
    assert request.frame_index == 2
    tracker.answer(request.request_id, answer)
    tracker.catch_up()
    return request


@pytest.mark.parametrize('late', ['memory', 'replay'])
@pytest.mark.parametrize('answer', [CLICK, Absent()])
@pytest.mark.parametrize('since', [0, 1, 5])
def test_after_undo_all_is_as_if_nobody_had_answered(make_tracker, late, answer, since):
    expected = go(make_tracker(), 1, 20)
    tracker = make_tracker(late=late, **UNDO)
    request = answered(tracker, answer)
    go(tracker, 10, 10 + since)
    assert tracker.undo() == 1
    repaired = tracker.catch_up()
    assert not tracker.catching_up
    assert [item.frame_index for item in repaired] == list(range(10, 10 + since))
    same(repaired, expected[9 : 9 + since])
    np.testing.assert_array_equal(tracker.latest.labels, expected[8 + since].labels)
    told = (EventKind.UNDONE, EventKind.ASKED)
    events = [event for event in tracker.pending_events if event.kind in told][-2:]
    assert tuple(event.kind for event in events) == told
    assert (events[0].frame_index, events[0].request_id) == (2, request.request_id)
    assert f'{since} frames' in events[0].reason
    same(go(tracker, 10 + since, 20), expected[9 + since :])


def test_without_undo_it_is_not_the_same(make_tracker):
    """Else the test above would show nothing."""
    expected = go(make_tracker(), 1, 20)
    tracker = make_tracker(late='memory', **UNDO)
    answered(tracker, CLICK)
    results = go(tracker, 10, 20)
    assert all((a.entropy != b.entropy).any() for a, b in zip(results, expected[9:], strict=True))


def test_the_question_comes_back_and_its_new_answer_acts(make_tracker):
    at_once = make_tracker(late='memory')
    answered(at_once, Click(45, 15))
    expected = go(at_once, 10, 20)
    tracker = make_tracker(late='memory', **UNDO)
    first = answered(tracker, CLICK)
    tracker.undo()
    tracker.catch_up()
    (again,) = tracker.open_requests
    assert again.request_id != first.request_id
    assert (again.frame_index, again.asked, again.object_id) == (2, 9.0, 1)
    tracker.answer(again.request_id, Click(45, 15))
    same(go(tracker, 10, 20), expected)


def test_unasked_corrections_are_undone_one_after_the_other(make_tracker):
    expected = go(make_tracker(2), 1, 20)
    tracker = make_tracker(2, **UNDO)
    go(tracker, 1, 8)
    tracker.correct(2, Click(50, 30))
    go(tracker, 8, 10)
    tracker.correct(1, CLICK)
    corrected = tracker.latest.labels
    assert tracker.undo() == 1
    tracker.catch_up()
    assert (tracker.latest.labels != corrected).any()
    assert len(tracker.open_requests) == 2  # nobody had asked for these: no further question
    go(tracker, 10, 12)
    assert tracker.undo() == 2
    repaired = tracker.catch_up()
    assert [item.frame_index for item in repaired] == list(range(8, 12))
    same(go(tracker, 12, 20), expected[11:])
    with pytest.raises(ValueError, match='no correction to undo'):
        tracker.undo()


def test_live_frames_go_on_while_it_catches_up(make_tracker):
    expected = go(make_tracker(), 1, 20)
    tracker = make_tracker(late='memory', **UNDO)
    answered(tracker, CLICK)
    go(tracker, 10, 13)
    tracker.undo()
    index = 13
    while tracker.catching_up:
        tracker.catch_up(0.0)
        tracker.catch_up(0.0)
        if tracker.catching_up:
            go(tracker, index, index + 1)
            index += 1
    assert 13 < index < 19
    same(go(tracker, index, 20), expected[index - 1 :])


def test_undo_ends_the_replay_of_the_answer(make_tracker):
    expected = go(make_tracker(), 1, 20)
    tracker = make_tracker(**UNDO)
    go(tracker, 1, 10)
    tracker.answer(tracker.open_requests[0].request_id, CLICK)
    tracker.catch_up(0.0)
    tracker.undo()
    with pytest.raises(ValueError, match='already'):
        tracker.undo()
    tracker.catch_up()
    found = [event.kind for event in tracker.pending_events]
    assert found[-3:] == [EventKind.REPLAY_DROPPED, EventKind.UNDONE, EventKind.ASKED]
    same(go(tracker, 10, 20), expected[9:])


def test_objects_that_came_and_went_since_stay_so(make_tracker):
    never, tracker = make_tracker(2), make_tracker(2, late='memory', **UNDO)
    go(never, 1, 10)
    answered(tracker, CLICK)
    for item in (never, tracker):
        item.add_objects(item.images[10], [Prompt(mask=box(0)[:, ::-1].copy())])
        go(item, 11, 13)
    tracker.undo()
    tracker.catch_up(0.0)
    tracker.catch_up()
    same(go(tracker, 13, 15), go(never, 13, 15))
    tracker.correct(1, CLICK)
    go(tracker, 15, 17)
    tracker.remove_object(2)
    tracker.undo()
    tracker.catch_up()
    (result,) = go(tracker, 17, 18)
    assert [state.object_id for state in result.objects] == [1, 3]


def test_corrections_on_earlier_images_are_as_young_as_all_others(make_tracker):
    tracker = make_tracker(2, late='memory', undo_seconds=5.0)
    go(tracker, 1, 8)
    tracker.correct(2, CLICK)
    tracker.step(tracker.images[4], 4.0, now=7.0)
    tracker.correct(1, Click(50, 30))
    for second in (8, 9, 10, 11, 12):
        tracker.step(tracker.images[second], float(second))
    assert tracker.undo() == 1
    tracker.catch_up()
    assert tracker.undo() == 2
    repaired = tracker.catch_up()
    assert [item.stamp for item in repaired] == [4.0, 8.0, 9.0, 10.0, 11.0, 12.0]


@pytest.mark.parametrize(
    ('settings', 'words'),
    [
        ({'undo_seconds': 0.0}, 'no correction'),
        ({'undo_seconds': 2.0}, 'no correction'),
        ({**UNDO, 'replay_frames': 3}, 'no correction'),
        ({**UNDO, 'replay_seconds': 0.0}, 'replay_seconds'),
    ],
)
def test_what_is_too_old_or_too_much_is_not_undone(make_tracker, settings, words):
    tracker = make_tracker(late='memory', **settings)
    answered(tracker, CLICK)
    go(tracker, 10, 14)
    with pytest.raises(ValueError, match=words):
        tracker.undo()
    assert not tracker.catching_up


def test_removed_object_reset_and_skip_leave_nothing_to_undo(make_tracker):
    tracker = make_tracker(2, **UNDO)
    answered(tracker, CLICK)
    tracker.remove_object(1)
    with pytest.raises(ValueError, match='no correction'):
        tracker.undo()
    tracker.correct(2, CLICK)
    tracker.reset()
    with pytest.raises(ValueError, match='no correction'):
        tracker.undo()
    assert tracker._replays.nbytes == 0


def test_what_came_while_a_replay_was_under_way_is_not_undone(make_tracker):
    tracker = make_tracker(2, **UNDO)
    go(tracker, 1, 10)
    tracker.answer(tracker.open_requests[0].request_id, CLICK)
    tracker.catch_up(0.0)
    tracker.correct(2, CLICK)
    tracker.catch_up()
    with pytest.raises(ValueError, match='a replay was under way'):
        tracker.undo()


def test_undo_that_takes_too_long_is_given_up_and_the_correction_stays(make_tracker):
    other = make_tracker(late='memory')
    answered(other, CLICK)
    tracker = make_tracker(late='memory', **UNDO)
    answered(tracker, CLICK)
    for item in (other, tracker):
        go(item, 10, 13)
    tracker.undo()
    tracker.catch_up(0.0)
    tracker.configure(LazyConfig(**{**ASK_ONCE, 'replay_seconds': 0.0}))
    assert tracker.catch_up() == ()
    results = go(tracker, 13, 20)
    assert kinds(results)[0] is EventKind.REPLAY_DROPPED
    assert 'not undone' in results[0].events[0].reason
    same(results, go(other, 13, 20))


def test_frames_are_kept_no_longer_than_they_may_be_undone(make_tracker):
    tracker = make_tracker(late='memory', undo_seconds=3.0)
    answered(tracker, CLICK)
    go(tracker, 10, 13)
    assert len(tracker._replays) == 3
    go(tracker, 13, 14)
    assert len(tracker._replays) == 0
    assert tracker._replays.nbytes == 0
