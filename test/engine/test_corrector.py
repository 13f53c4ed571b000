"""Late answers: what they say of an object's whereabouts holds only if nothing newer is known."""

import numpy as np
import pytest

from lazy_vos_ros.engine.clicks import Click
from lazy_vos_ros.engine.results import Absent
from lazy_vos_ros.engine.results import EventKind

LOST = {'lost_area_ratio': 0.1, 'spare_absent': True}
DWINDLING = {**LOST, 'lost_frames': 1, 'recovered_area_ratio': 0.9}
NOTHING = (0.0, 0)
CLICK = Click(6, 11)


def _vanished(frames):
    return {index: {1: NOTHING} for index in frames}


def _asked_in(make_world, frame, until, script, **settings):
    """Return a world in its frame `until`, and its only question, which is about `frame`."""
    world = make_world(script, **settings)
    world.steps(until)
    (request,) = world.tracker.open_requests
    assert request.frame_index == frame
    return world, request


def _go(world, number):
    """Take this many steps; return their results and the kinds of their events."""
    results = [world.step() for _ in range(number)]
    return results, [event.kind for result in results for event in result.events]


def _shown(results):
    return [bool((result.labels == 1).any()) for result in results]


def test_gone_about_an_object_that_has_recovered_since_hides_it_no_more(make_world):
    world, request = _asked_in(make_world, 5, 11, _vanished(range(5, 8)), **LOST)
    event = world.tracker.answer(request.request_id, Absent())
    assert (event.kind, event.frame_index) == (EventKind.ABSENT, 5)
    results, kinds = _go(world, 4)
    assert _shown(results) == [True] * 4
    assert not any(result.objects[0].absent for result in results)
    assert EventKind.RECOVERED not in kinds
    assert world.backend.left_out[-4:] == [()] * 4


def test_gone_about_an_object_that_is_still_lost_holds(make_world):
    world, request = _asked_in(make_world, 5, 8, _vanished(range(5, 9)), **LOST)
    world.tracker.answer(request.request_id, Absent())
    results, kinds = _go(world, 4)
    assert _shown(results) == [False, False, True, True]
    assert world.backend.left_out[-4:] == [(1,), (1,), (), ()]
    assert kinds == [EventKind.ABSENT, EventKind.RECOVERED]


def test_gone_about_an_object_that_was_there_all_along_holds(make_world):
    world, request = _asked_in(make_world, 2, 6, {2: {1: 0.6}}, **LOST)
    world.tracker.answer(request.request_id, Absent())
    results, _ = _go(world, 3)
    assert _shown(results) == [False, False, True]


def test_click_on_an_object_that_has_left_since_enters_the_memory_and_asks_nobody(make_world):
    narrow = {index: {1: (0.0, 5)} for index in (4, 5)}
    script = {2: {1: 0.6}, **narrow, **_vanished(range(6, 30))}
    world, request = _asked_in(make_world, 2, 8, script, **DWINDLING)
    assert world.tracker.latest.objects[0].absent
    assert world.tracker.answer(request.request_id, CLICK).kind is EventKind.ANSWERED
    assert [frame.index for frame, *_ in world.backend.memorised] == [2]
    results, kinds = _go(world, 10)
    assert kinds == [EventKind.ANSWERED]
    assert all(result.objects[0].absent for result in results)


def test_gone_about_an_object_that_was_lost_since_holds(make_world):
    world, request = _asked_in(make_world, 2, 6, {2: {1: 0.6}, **_vanished((5, 6))}, **LOST)
    world.tracker.answer(request.request_id, Absent())
    results, kinds = _go(world, 3)
    assert _shown(results) == [False, False, True]
    assert EventKind.ASKED not in kinds


@pytest.mark.parametrize('back', [True, False])
def test_click_on_an_object_that_was_lost_since_asks_only_if_it_stays_away(make_world, back):
    script = {2: {1: 0.6}, **_vanished(range(5, 8 if back else 30))}
    world, request = _asked_in(make_world, 2, 7, script, **LOST)
    world.tracker.answer(request.request_id, CLICK)
    results, _ = _go(world, 5)
    asked = [result.frame_index for result in results if result.requests]
    assert asked == ([] if back else [8])


def test_click_on_an_object_that_is_still_lost_shows_that_it_is_there(make_world):
    world, request = _asked_in(make_world, 5, 7, _vanished(range(5, 8)), **LOST)
    world.tracker.answer(request.request_id, CLICK)
    results, _ = _go(world, 1)
    assert not results[0].objects[0].absent


@pytest.mark.parametrize(
    ('newer', 'late', 'there'), [(CLICK, Absent(), True), (Absent(), CLICK, False)]
)
def test_what_the_operator_said_of_a_newer_frame_wins(make_world, newer, late, there):
    world, request = _asked_in(make_world, 2, 4, {2: {1: 0.6}}, **LOST)
    world.tracker.correct(1, newer)
    world.step()
    world.tracker.answer(request.request_id, late)
    results, _ = _go(world, 1)
    assert _shown(results) == [there]


def test_the_last_word_about_one_frame_wins(make_world):
    world = make_world({}, **LOST)
    world.steps(3)
    for answer, absent in ((Absent(), True), (CLICK, False), (Absent(), True)):
        world.tracker.correct(1, answer)
        assert world.tracker.latest.objects[0].absent is absent


def test_replay_of_a_late_gone_ends_where_the_object_recovered(make_world):
    settings = {**LOST, 'late': 'replay', 'replay_seconds': float('inf')}
    made = make_world(_vanished(range(5, 8)), **settings)
    made.let_go_back()
    made.steps(11)
    (request,) = made.tracker.open_requests
    made.tracker.answer(request.request_id, Absent())
    assert (made.tracker.latest.labels == 1).any()
    repaired = made.tracker.catch_up(0.0)  # one frame
    assert _shown([made.step()]) == [True]
    repaired += made.tracker.catch_up()
    assert [item.frame_index for item in repaired] == list(range(5, 13))
    assert _shown(repaired) == [False] * 5 + [True] * 3
    np.testing.assert_array_equal(made.tracker.latest.labels, repaired[-1].labels)
    results, _ = _go(made, 2)
    assert _shown(results) == [True, True]
