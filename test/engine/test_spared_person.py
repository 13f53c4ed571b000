"""When the operator is asked, when not, and that the events tell why."""

import numpy as np
import pytest

from lazy_vos_ros.engine.clicks import Click
from lazy_vos_ros.engine.config import PROFILES
from lazy_vos_ros.engine.config import LazyConfig
from lazy_vos_ros.engine.parameters import parameters_of
from lazy_vos_ros.engine.results import Absent
from lazy_vos_ros.engine.results import Action
from lazy_vos_ros.engine.results import EventKind
from lazy_vos_ros.engine.results import Skip

LOST = {'lost_area_ratio': 0.1, 'spare_absent': True}
NOTHING = (0.0, 0)
CLICK = Click(6, 11)


def _kinds(result):
    return [event.kind for event in result.events]


def _skip(request):
    return Skip()


def _vanished(frames):
    return {index: {1: NOTHING} for index in frames}


def _run(world, steps):
    return {result.frame_index: result for result in (world.step() for _ in range(steps))}


def _events(results, kind):
    return {index: [e for e in r.events if e.kind is kind] for index, r in results.items()}


def _frames_with(results, kind):
    return [index for index, events in _events(results, kind).items() if events]


def test_everything_that_spares_a_person_is_off_in_paper_and_on_in_live():
    paper, live = PROFILES['paper'], PROFILES['live']
    assert paper == LazyConfig()
    off = {
        'question_timeout': float('inf'),
        'question_cooldown': 0.0,
        'questions_per_minute': float('inf'),
        'rearm_ratio': float('inf'),
        'spare_absent': False,
        'lost_area_ratio': 0.0,
        'undo_seconds': 0.0,
        'pseudo_min_overlap': 0.0,
    }
    differing = {
        item.name
        for item in parameters_of(LazyConfig)
        if getattr(paper, item.name) != getattr(live, item.name)
    }
    assert differing == off.keys()
    assert {name: getattr(paper, name) for name in off} == off


def test_lost_object_is_asked_about_once(make_world):
    world = make_world(_vanished(range(5, 40)), **LOST)
    results = _run(world, 30)
    assert _frames_with(results, EventKind.LOST) == [5]
    assert _frames_with(results, EventKind.ASKED) == [5]
    (request,) = world.tracker.open_requests
    assert 'gone, or where is it' in request.reason
    assert results[5].objects[0].absent


def test_vanishing_is_silent_in_the_paper_profile(make_world):
    world = make_world(_vanished(range(5, 40)))
    results = _run(world, 30)
    assert not any(result.events for result in results.values())


def test_question_about_a_lost_object_waits_until_somebody_may_be_asked(make_world):
    script = {2: {1: 0.6}, **_vanished(range(5, 40))}
    world = make_world(script, operator=_skip, question_cooldown=8.0, **LOST)
    results = _run(world, 20)
    assert _frames_with(results, EventKind.ASKED) == [2, 10]
    suppressed = _events(results, EventKind.SUPPRESSED)
    assert [index for index, events in suppressed.items() if events] == [5]  # told once
    assert 'question_cooldown' in suppressed[5][0].reason


def test_lost_object_that_comes_back_by_itself_recovers_and_can_be_lost_again(make_world):
    script = _vanished([*range(5, 10), *range(20, 25)])
    world = make_world(script, operator=_skip, **LOST)
    results = _run(world, 26)
    assert _frames_with(results, EventKind.LOST) == [5, 20]
    assert _frames_with(results, EventKind.RECOVERED) == [12]
    assert _frames_with(results, EventKind.ASKED) == [5, 20]
    assert [results[index].objects[0].absent for index in (4, 5, 11, 12)] == [0, 1, 1, 0]


def test_absent_object_asks_nothing_when_specks_of_it_flicker(make_world):
    script = {**_vanished(range(5, 20)), 8: {1: (0.6, 1)}, 12: {1: (0.7, 1)}}
    settings = {'lost_area_ratio': 0.25, 'recovered_area_ratio': 0.5}
    spared = make_world(script, operator=_skip, spare_absent=True, **settings)
    results = _run(spared, 14)
    assert _frames_with(results, EventKind.ASKED) == [5]
    suppressed = _events(results, EventKind.SUPPRESSED)
    assert [index for index, events in suppressed.items() if events] == [8, 12]
    assert 'absent: lost' in suppressed[8][0].reason
    disturbed = make_world(script, operator=_skip, spare_absent=False, **settings)
    assert _frames_with(_run(disturbed, 14), EventKind.ASKED) == [5, 8, 12]


def test_pseudo_click_does_not_mark_background_where_the_object_is_likely_absent(make_world):
    speck = {8: {1: (0.3, 1)}}
    settings = {'lost_area_ratio': 0.25, 'recovered_area_ratio': 0.5}
    world = make_world({**_vanished(range(5, 20)), **speck}, **settings)
    results = _run(world, 10)
    assert world.tracker.open_requests
    assert not world.refiner.calls
    assert results[8].objects[0].area == 8  # the prediction, as it is
    in_paper = make_world({**_vanished(range(5, 20)), **speck})
    _run(in_paper, 10)
    assert [frame for frame, *_ in in_paper.refiner.calls] == [8]


def test_pseudo_correction_that_marks_something_else_is_dropped(make_world):
    # The refiner marks 25 of the object's 48 pixels: an overlap of 0.52.
    kept = make_world({3: {1: 0.3}}, pseudo_min_overlap=0.5)
    result = _run(kept, 4)[3]
    assert (_kinds(result), result.objects[0].area) == ([EventKind.PSEUDO], 25)
    dropping = make_world({3: {1: 0.3}}, pseudo_min_overlap=0.53)
    result = _run(dropping, 4)[3]
    assert (_kinds(result), result.objects[0].area) == ([EventKind.REFUSED], 48)
    assert 'overlaps the predicted one by 0.52' in result.events[0].reason
    assert result.objects[0].action is Action.NONE


def test_hysteresis_asks_again_only_after_the_uncertainty_has_fallen(make_world):
    restless = {2: 0.6, 3: 0.0, 4: 0.6, 5: 0.35, 6: 0.95, 7: 0.4, 8: 0.2, 9: 0.2, 10: 0.2, 12: 0.6}
    script = {index: {1: value} for index, value in restless.items()}
    plain = _run(make_world(script, operator=_skip), 12)
    assert _frames_with(plain, EventKind.ASKED) == [2, 4, 6, 12]
    spared = _run(make_world(script, operator=_skip, rearm_ratio=0.5), 12)
    assert _frames_with(spared, EventKind.ASKED) == [2, 12]
    suppressed = _events(spared, EventKind.SUPPRESSED)
    assert 'rearm_ratio' in suppressed[4][0].reason
    assert _kinds(spared[4]) == [EventKind.SUPPRESSED, EventKind.PSEUDO]


@pytest.mark.parametrize(
    ('settings', 'word'),
    [
        ({}, 'open'),
        ({'max_questions': 1}, 'open'),
        ({'question_timeout': 1.0, 'question_cooldown': 30.0}, 'question_cooldown'),
        ({'question_timeout': 1.0, 'questions_per_minute': 1.0}, 'questions_per_minute'),
        ({'question_timeout': 1.0, 'questions_per_minute': 0.0}, 'questions_per_minute'),
        ({'question_timeout': 1.0, 'rearm_ratio': 0.1, 'recovered_frames': 9}, 'rearm_ratio'),
    ],
)
def test_spared_person_is_replaced_by_pseudo_corrections_and_the_event_says_why(
    make_world, settings, word
):
    world = make_world({2: {1: 0.6}, 6: {1: 0.6}}, **settings)
    result = _run(world, 6)[6]
    assert _kinds(result) == [EventKind.SUPPRESSED, EventKind.PSEUDO]
    assert word in result.events[0].reason
    assert result.events[0].uncertainty == pytest.approx(0.6, abs=1e-5)


# The operator says that the object is gone.


def test_gone_object_is_neither_shown_nor_memorised_nor_asked_about(make_world):
    script = {2: {1: 0.6}, 5: {1: (0.7, 1)}, 7: {1: (0.7, 1)}}
    script.update({index: {1: NOTHING} for index in (3, 4, 6, 8, 9)})
    world = make_world(script, objects=2, **LOST)
    world.steps(2)
    (request,) = world.tracker.open_requests
    world.step()
    event = world.tracker.answer(request.request_id, Absent())
    assert event.kind is EventKind.ABSENT
    before = len(world.backend.left_out)
    results = _run(world, 6)
    assert world.backend.memorised == []
    assert world.backend.left_out[before:] == [(1,)] * 6
    assert not any((result.labels == 1).any() for result in results.values())
    assert all((result.labels == 2).any() for result in results.values())
    assert [state.absent for state in results[9].objects] == [True, False]
    assert _frames_with(results, EventKind.ASKED) == []
    assert 'absent: gone' in _events(results, EventKind.SUPPRESSED)[5][0].reason


def test_gone_object_is_looked_for_and_recovers(make_world):
    script = {2: {1: 0.6}, **_vanished(range(3, 8)), 9: {1: (0.0, 1)}}
    world = make_world(script, operator=lambda request: Absent(), **LOST)
    results = _run(world, 14)
    assert _frames_with(results, EventKind.RECOVERED) == [12]  # 10, 11 and 12 in a row
    assert not results[11].labels.any()
    assert np.array_equal(results[12].labels == 1, world.box_of(1))
    assert world.backend.left_out[-3:] == [(), (), ()]
    assert world.backend.left_out[2:12] == [(1,)] * 10


def test_uncertain_specks_of_a_gone_object_do_not_keep_the_others_out(make_world):
    script = {2: {1: 0.6}, 5: {1: (0.95, 1)}}
    script.update({index: {1: NOTHING} for index in (3, 4)})
    world = make_world(script, objects=2, operator=lambda request: Absent(), **LOST)
    world.steps(5)
    assert world.last_write.value == 'scheduled'


def test_click_on_a_gone_object_brings_it_back(make_world):
    world = make_world({2: {1: 0.6}, **_vanished(range(3, 20))}, operator=lambda r: Absent())
    world.steps(5)
    world.tracker.correct(1, CLICK)
    assert world.tracker.latest.labels.any()
    assert not world.tracker.latest.objects[0].absent
    assert [ids for _, ids, _ in world.backend.memorised] == [(1,)]
