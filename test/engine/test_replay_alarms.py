"""Alarms in frames that a replay tracks again: nobody is asked on the way, and none is lost."""

import pytest

from lazy_vos_ros.engine.clicks import Click
from lazy_vos_ros.engine.results import EventKind
from lazy_vos_ros.engine.results import Skip

CLICK = Click(6, 12)
SETTINGS = {'late': 'replay', 'replay_seconds': float('inf'), 'tau_u': 0.5, 'tau_p': 0.2}


@pytest.fixture
def world(make_world):
    """Return a function that makes a world whose backend can go back."""

    def make(script, **settings):
        made = make_world(script, **{**SETTINGS, **settings})
        made.let_go_back()
        return made

    return make


def unsure(*frames):
    return {index: {1: 0.8} for index in frames}


def answered_in_frame_7(world):
    """Track through 7 frames and answer the question about frame 2; return what is asked then."""
    while world.tracker.latest.frame_index < 7:
        world.step()
    (request,) = world.tracker.open_requests
    assert request.frame_index == 2
    world.tracker.answer(request.request_id, CLICK)
    repaired = world.tracker.catch_up()
    assert [item.frame_index for item in repaired] == list(range(2, 8))
    return world.tracker.open_requests


@pytest.mark.parametrize('since', [4, 6, 7])
def test_alarm_that_stands_becomes_a_question_about_the_newest_frame(world, since):
    made = world(unsure(2, *range(since, 8)))
    (request,) = answered_in_frame_7(made)
    assert (request.frame_index, request.stamp, request.asked) == (7, 7.0, 7.0)
    assert (request.uncertainty, request.derivative) == pytest.approx((0.8, 0.8), abs=1e-3)
    assert '+0.80' in request.reason
    (event,) = [e for e in made.tracker.pending_events if e.kind is EventKind.ASKED]
    assert (event.frame_index, event.request_id) == (7, request.request_id)
    assert made.step().requests == (request,)
    assert made.step().requests == ()


def test_its_answer_is_replayed_from_there(world):
    made = world(unsure(2, 4, 5, 6, 7, 8, 9))
    (request,) = answered_in_frame_7(made)
    made.steps(2)
    event = made.tracker.answer(request.request_id, CLICK)
    assert (event.kind, event.reason) == (EventKind.ANSWERED, '')
    assert [item.frame_index for item in made.tracker.catch_up()] == [7, 8, 9]
    assert made.tracker.open_requests == ()


def test_alarm_that_is_over_asks_nobody(world):
    made = world(unsure(2, 4))
    assert answered_in_frame_7(made) == ()


def test_alarm_that_the_operator_has_seen_to_asks_nobody(world):
    made = world(unsure(2, 4, 5, 6, 7))
    made.steps(6)
    made.tracker.correct(1, CLICK)
    assert answered_in_frame_7(made) == ()


def test_no_alarm_no_question(world):
    made = world({2: {1: 0.8}, 3: {1: 0.8}, 4: {1: 0.8}})
    assert answered_in_frame_7(made) == ()


@pytest.mark.parametrize(
    ('settings', 'words'),
    [
        ({'question_cooldown': 6.0}, 'question_cooldown'),
        ({'questions_per_minute': 1.0}, 'questions_per_minute'),
        ({'rearm_ratio': 0.1}, 'rearm_ratio'),
    ],
)
def test_rules_that_spare_the_person_hold_for_it(world, settings, words):
    made = world(unsure(2, 4, 5, 6, 7), **settings)
    assert answered_in_frame_7(made) == ()
    spared = [e for e in made.tracker.pending_events if e.kind is EventKind.SUPPRESSED]
    assert words in spared[-1].reason
    assert spared[-1].frame_index == 7


def test_times_of_the_question_run_from_when_it_is_asked(world):
    made = world(unsure(2, 6, 7), question_timeout=10.0)
    (request,) = answered_in_frame_7(made)
    assert request.expires == 17.0
    made.steps(10)
    assert made.tracker.open_requests == (request,)
    made.step()
    assert made.tracker.open_requests == ()


def test_question_about_a_live_frame_that_is_open_comes_first(world):
    made = world({**unsure(2, 4, 5, 6, 7), 8: {1: 0.1}, 9: {1: 0.9}})
    made.steps(7)
    (first,) = made.tracker.open_requests
    made.tracker.answer(first.request_id, CLICK)
    made.tracker.catch_up(0.0)  # one frame
    made.steps(2)
    (live,) = made.tracker.open_requests
    assert live.frame_index == 9
    made.tracker.catch_up()
    assert made.tracker.open_requests == (live,)


def test_removed_object_is_asked_about_no_more(world):
    made = world(unsure(2, 4, 5, 6, 7))
    made.steps(7)
    made.tracker.answer(made.tracker.open_requests[0].request_id, CLICK)
    while made.tracker._replays.current.index < 6:
        made.tracker.catch_up(0.0)
    made.tracker.remove_object(1)
    made.tracker.catch_up()
    assert made.tracker.open_requests == ()


def test_skipping_it_ends_it(world):
    made = world(unsure(2, 4, 5, 6, 7))
    (request,) = answered_in_frame_7(made)
    made.tracker.answer(request.request_id, Skip())
    made.steps(2)
    assert made.tracker.open_requests == ()
    assert len(made.tracker._replays) == 0
