"""Late answers with replay: as if the answer had come at once."""

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
from lazy_vos_ros.engine.results import Skip
from lazy_vos_ros.engine.xmem.backend import XMemBackend


@pytest.mark.parametrize('late', [0, 1, 9])
@pytest.mark.parametrize('answer', [CLICK, Absent()])
def test_after_a_replay_all_is_as_if_the_answer_had_come_at_once(make_tracker, late, answer):
    at_once = make_tracker(operator=lambda request: answer)
    expected = go(at_once, 1, 20)

    tracker = make_tracker()
    go(tracker, 1, 3 + late)
    (request,) = tracker.open_requests
    assert request.frame_index == 2
    event = tracker.answer(request.request_id, answer)
    assert event.kind in (EventKind.ANSWERED, EventKind.ABSENT)
    assert event.reason == ''
    assert tracker.catching_up
    repaired = tracker.catch_up()
    assert not tracker.catching_up
    assert [item.frame_index for item in repaired] == list(range(2, 3 + late))
    assert [item.stamp for item in repaired] == [float(i) for i in range(2, 3 + late)]
    same(repaired, expected[1 : 2 + late])
    np.testing.assert_array_equal(tracker.latest.labels, repaired[-1].labels)
    later = go(tracker, 3 + late, 20)
    same(later, expected[2 + late :])
    assert kinds(later)[:2] == [event.kind, EventKind.REPLAYED]
    replayed = later[0].events[1]
    assert replayed.request_id == request.request_id
    assert replayed.frame_index == 2
    assert f'{late} frames' in replayed.reason


def test_memory_alone_is_not_the_same(make_tracker):
    """Else the tests of the replay would show nothing."""
    expected = go(make_tracker(operator=lambda request: CLICK), 1, 20)
    tracker = make_tracker(late='memory')
    go(tracker, 1, 8)
    tracker.answer(tracker.open_requests[0].request_id, CLICK)
    assert not tracker.catching_up
    results = go(tracker, 8, 20)
    assert all((a.entropy != b.entropy).any() for a, b in zip(results, expected[7:], strict=True))


def test_live_frames_go_on_while_the_replay_catches_up(make_tracker):
    expected = go(make_tracker(operator=lambda request: CLICK), 1, 20)
    tracker = make_tracker()
    go(tracker, 1, 10)
    tracker.answer(tracker.open_requests[0].request_id, CLICK)
    repaired, index = [], 10
    while tracker.catching_up:
        repaired += tracker.catch_up(0.0)  # one frame
        repaired += tracker.catch_up(0.0)
        if tracker.catching_up:
            result = tracker.step(tracker.images[index])
            assert result.frame_index == index
            index += 1
    assert index < 19
    assert [item.frame_index for item in repaired] == list(range(2, index))
    same(repaired, expected[1 : index - 1])
    same(go(tracker, index, 20), expected[index - 1 :])


def test_objects_come_and_go_on_the_way(make_tracker):
    answers = {1: CLICK, 2: Click(45, 15)}
    at_once = make_tracker(2, operator=lambda request: answers.get(request.object_id))
    tracker = make_tracker(2)
    for item in (at_once, tracker):
        go(item, 1, 5)
        item.add_objects(item.images[5], [Prompt(mask=box(0)[:, ::-1].copy())])
        go(item, 6, 10)
    for request in tracker.open_requests[:2]:
        tracker.answer(request.request_id, answers[request.object_id])
    tracker.catch_up()
    for item in (at_once, tracker):
        item.remove_object(1)
    found = go(tracker, 10, 20)
    same(found, go(at_once, 10, 20))
    assert [state.object_id for state in found[-1].objects] == [2, 3]
    assert kinds(found).count(EventKind.REPLAYED) == 1


def test_correction_unasked_on_the_way_is_made_again(make_tracker):
    tracker = make_tracker(2)
    go(tracker, 1, 8)
    tracker.correct(2, Click(50, 30))
    corrected = tracker.latest.labels == 2
    assert corrected.sum() == 256
    go(tracker, 8, 10)
    tracker.answer(tracker.open_requests[0].request_id, CLICK)
    repaired = {item.frame_index: item.labels for item in tracker.catch_up()}
    np.testing.assert_array_equal(repaired[7] == 2, corrected)


def test_second_answer_starts_from_what_the_first_replay_made_of_its_frame(make_tracker):
    answers = {1: CLICK, 2: Click(45, 15)}
    at_once = make_tracker(operator=lambda request: answers[request.object_id])
    tracker = make_tracker()
    for item in (at_once, tracker):
        go(item, 1, 5)
        item.add_objects(item.images[5], [Prompt(mask=box(1))])
    expected = go(at_once, 6, 20)
    go(tracker, 6, 12)
    first, second = tracker.open_requests
    assert (first.frame_index, second.frame_index) == (2, 7)
    tracker.answer(first.request_id, answers[1])
    tracker.catch_up()
    go(tracker, 12, 16)
    tracker.answer(second.request_id, answers[2])
    tracker.catch_up()
    same(go(tracker, 16, 20), expected[10:])


def test_answer_to_a_later_question_joins_the_replay_that_will_come_by(make_tracker):
    answers = {1: CLICK, 2: Click(45, 15)}
    at_once = make_tracker(operator=lambda request: answers[request.object_id])
    tracker = make_tracker()
    for item in (at_once, tracker):
        go(item, 1, 5)
        item.add_objects(item.images[5], [Prompt(mask=box(1))])
    expected = go(at_once, 6, 20)
    go(tracker, 6, 12)
    first, second = tracker.open_requests
    tracker.answer(first.request_id, answers[1])
    tracker.catch_up(0.0)
    tracker.answer(second.request_id, answers[2])
    tracker.catch_up()
    assert not tracker.catching_up
    same(go(tracker, 12, 20), expected[6:])


def test_object_removed_while_a_replay_is_under_way(make_tracker):
    tracker = make_tracker(2)
    go(tracker, 1, 8)
    tracker.answer(tracker.open_requests[0].request_id, CLICK)
    tracker.catch_up(0.0)
    tracker.remove_object(1)
    tracker.catch_up()
    assert not tracker.catching_up
    (result,) = go(tracker, 8, 9)
    assert [state.object_id for state in result.objects] == [2]
    assert set(np.unique(result.labels)) <= {0, 2}


def test_object_removed_just_before_a_replay_has_caught_up(make_tracker):
    tracker = make_tracker(2)
    go(tracker, 1, 4)
    tracker.answer(tracker.open_requests[0].request_id, CLICK)
    tracker.catch_up(0.0)
    tracker.catch_up(0.0) if tracker.catching_up else None
    tracker.remove_object(1)
    tracker.catch_up()
    (result,) = go(tracker, 4, 5)
    assert [state.object_id for state in result.objects] == [2]


def test_reset_ends_a_replay(make_tracker):
    tracker = make_tracker()
    go(tracker, 1, 8)
    tracker.answer(tracker.open_requests[0].request_id, CLICK)
    tracker.catch_up(0.0)
    tracker.reset()
    assert not tracker.catching_up
    assert tracker.catch_up() == ()
    tracker.add_objects(tracker.images[0], [Prompt(mask=box(0))])
    assert len(go(tracker, 1, 4)) == 3


@pytest.mark.parametrize(
    ('settings', 'words'),
    [
        ({'replay_frames': 4}, 'replay_frames'),
        ({'replay_megabytes': 0}, 'replay_megabytes'),
        ({'replay_seconds': 0.0}, '6 frames take'),
    ],
)
def test_beyond_the_bounds_the_answer_acts_through_the_memory_and_says_so(
    make_tracker, settings, words
):
    tracker = make_tracker(**settings)
    go(tracker, 1, 9)
    event = tracker.answer(tracker.open_requests[0].request_id, CLICK)
    assert event.kind is EventKind.ANSWERED
    assert event.reason.startswith('memory only')
    assert words in event.reason
    assert not tracker.catching_up
    memory = make_tracker(late='memory')
    go(memory, 1, 9)
    memory.answer(memory.open_requests[0].request_id, CLICK)
    same(go(tracker, 9, 14), go(memory, 9, 14))


def test_replay_that_takes_too_long_is_given_up_and_the_answer_stays(make_tracker):
    tracker = make_tracker(replay_seconds=1e9)
    go(tracker, 1, 9)
    tracker.answer(tracker.open_requests[0].request_id, CLICK)
    tracker.catch_up(0.0)
    tracker.configure(LazyConfig(**{**ASK_ONCE, 'late': 'replay', 'replay_seconds': 0.0}))
    assert tracker.catch_up() == ()
    assert not tracker.catching_up
    results = go(tracker, 9, 14)
    assert kinds(results)[:2] == [EventKind.ANSWERED, EventKind.REPLAY_DROPPED]
    assert 'replay_seconds' in results[0].events[1].reason
    memory = make_tracker(late='memory')
    go(memory, 1, 9)
    memory.answer(memory.open_requests[0].request_id, CLICK)
    same(results, go(memory, 9, 14))


def test_replay_that_the_frames_outgrow_is_given_up(make_tracker):
    tracker = make_tracker(replay_frames=6)
    go(tracker, 1, 6)
    tracker.answer(tracker.open_requests[0].request_id, CLICK)
    tracker.catch_up(0.0)
    results = go(tracker, 6, 14)
    assert EventKind.REPLAY_DROPPED in kinds(results)
    assert not tracker.catching_up


def test_frames_and_states_are_let_go_when_no_question_is_open(make_tracker):
    tracker = make_tracker(question_timeout=10.0)
    go(tracker, 1, 10)
    assert len(tracker._replays) == 7
    go(tracker, 10, 14)  # the question expires
    assert len(tracker._replays) == 0
    assert tracker._replays.nbytes == 0
    tracker = make_tracker()
    go(tracker, 1, 10)
    tracker.answer(tracker.open_requests[0].request_id, CLICK)
    tracker.catch_up()
    assert len(tracker._replays) == 0


def test_memory_only_keeps_no_frames(make_tracker):
    tracker = make_tracker(late='memory')
    go(tracker, 1, 10)
    assert tracker.open_requests
    assert len(tracker._replays) == 0
    assert tracker._replays.nbytes == 0


def test_failing_backend_ends_the_replay_and_not_the_stream(make_tracker, monkeypatch):
    tracker = make_tracker()
    go(tracker, 1, 9)
    tracker.answer(tracker.open_requests[0].request_id, CLICK)
    predict = XMemBackend.predict
    monkeypatch.setattr(
        XMemBackend, 'predict', lambda *args: (_ for _ in ()).throw(RuntimeError('no power'))
    )
    assert tracker.catch_up() == ()
    monkeypatch.setattr(XMemBackend, 'predict', predict)
    (result,) = go(tracker, 9, 10)
    assert kinds([result])[:2] == [EventKind.ANSWERED, EventKind.REPLAY_DROPPED]
    assert 'no power' in result.events[1].reason


def test_answer_to_an_alarm_of_a_replay_is_as_if_it_had_come_at_once(make_tracker):
    settings = {'question_cooldown': 0.0}
    at_once = make_tracker(
        operator=lambda request: CLICK if request.frame_index in (2, 7) else Skip(), **settings
    )
    expected = go(at_once, 1, 20)
    tracker = make_tracker(**settings)
    go(tracker, 1, 8)
    for asked, now, end in ((2, 8, 13), (7, 13, 20)):
        (request,) = tracker.open_requests
        assert request.frame_index == asked
        tracker.answer(request.request_id, CLICK)
        tracker.catch_up()
        results = go(tracker, now, end)
    same(results, expected[12:])
