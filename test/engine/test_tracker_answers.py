"""Answers that come after their frame, corrections that nobody asked for, and who is spared."""

import numpy as np
import pytest
import torch

from lazy_vos_ros.engine.backend import MemoryWrite
from lazy_vos_ros.engine.clicks import Click
from lazy_vos_ros.engine.prompts import Prompt
from lazy_vos_ros.engine.questions import UnknownRequestError
from lazy_vos_ros.engine.results import Absent
from lazy_vos_ros.engine.results import Action
from lazy_vos_ros.engine.results import EventKind
from lazy_vos_ros.engine.results import Skip

ALARM = {2: {1: 0.6}}
CLICK = Click(20, 5)


def _kinds(result):
    return [event.kind for event in result.events]


def _box_at(click):
    row, column = click.pixel
    mask = np.zeros((24, 48), bool)
    mask[row - 2 : row + 3, column - 2 : column + 3] = True
    return mask


def _asked(make_world, script=ALARM, **settings):
    """A world in whose frame 2 a question was asked, and the question."""
    world = make_world(script, **settings)
    world.steps(2)
    (request,) = world.tracker.open_requests
    return world, request


def test_question_stays_open_and_the_tracker_helps_itself_meanwhile(make_world):
    world, request = _asked(make_world)
    result = world.tracker.latest
    assert result.requests == (request,)
    assert _kinds(result) == [EventKind.ASKED, EventKind.PSEUDO]
    assert result.objects[0].action is Action.ASKED
    assert result.objects[0].question_open
    assert world.last_write is MemoryWrite.FROZEN
    assert request.expires == request.stamp + world.tracker.config.question_timeout
    assert world.step().objects[0].question_open


def test_operator_that_has_no_answer_yet_leaves_the_question_open(make_world):
    world, request = _asked(make_world, operator=lambda request: None)
    assert world.tracker.answer(request.request_id, CLICK).kind is EventKind.ANSWERED


def test_late_answer_refines_and_memorises_the_frame_of_the_question(make_world):
    world, request = _asked(make_world)
    world.steps(5)
    world.refiner.calls.clear()
    event = world.tracker.answer(request.request_id, CLICK)
    assert event.kind is EventKind.ANSWERED
    assert (event.frame_index, event.stamp, event.applied_stamp) == (2, 2.0, 7.0)
    assert event.request_id == request.request_id
    assert event.clicks == (CLICK,)
    assert event.uncertainty == pytest.approx(0.6, abs=1e-5)
    ((index, clicks, object_id, _),) = world.refiner.calls
    assert (index, clicks, object_id) == (2, (CLICK,), 1)
    ((frame, object_ids, probabilities),) = world.backend.memorised
    assert frame.index == 2
    assert np.array_equal(frame.image, world.image(2))
    assert object_ids == (1,)
    assert np.array_equal(probabilities.argmax(0).numpy() == 1, _box_at(CLICK))
    assert world.tracker.open_requests == ()
    result = world.step()
    assert result.events == (event,)
    assert not result.objects[0].question_open
    assert world.step().events == ()


def test_newest_output_is_not_touched_by_an_answer_about_an_older_frame(make_world):
    world, request = _asked(make_world)
    before = world.step()
    world.tracker.answer(request.request_id, CLICK)
    assert np.array_equal(world.tracker.latest.labels, before.labels)


def test_answer_about_the_newest_frame_corrects_its_output(make_world):
    world, request = _asked(make_world)
    world.tracker.answer(request.request_id, CLICK)
    latest = world.tracker.latest
    assert np.array_equal(latest.labels == 1, _box_at(CLICK))
    assert latest.objects[0].action is Action.CORRECTED
    assert not latest.objects[0].question_open


def test_without_idu_a_late_answer_leaves_the_memory_alone(make_world):
    world, request = _asked(make_world, interaction_driven_update=False)
    world.step()
    assert world.tracker.answer(request.request_id, CLICK).kind is EventKind.ANSWERED
    assert world.backend.memorised == []


def test_late_skip_and_absent(make_world):
    world, request = _asked(make_world)
    world.step()
    assert world.tracker.answer(request.request_id, Skip()).kind is EventKind.SKIPPED
    assert world.backend.memorised == []
    world, request = _asked(make_world)
    world.step()
    assert world.tracker.answer(request.request_id, Absent()).kind is EventKind.ABSENT
    assert world.backend.memorised == []
    result = world.step()
    assert result.objects[0].absent
    assert not result.labels.any()


def test_answers_about_two_objects_of_one_frame_do_not_undo_each_other(make_world):
    world = make_world({2: {1: 0.6, 2: 0.6}}, objects=2, pseudo_corrections=False)
    world.steps(2)
    first, second = world.tracker.open_requests
    world.step()
    world.tracker.answer(first.request_id, Click(5, 4))
    world.step()
    world.tracker.answer(second.request_id, Click(40, 18))
    labels = world.backend.memorised[-1][2].argmax(0).numpy()
    assert np.array_equal(labels == 1, _box_at(Click(5, 4)))
    assert np.array_equal(labels == 2, _box_at(Click(40, 18)))


@pytest.mark.parametrize('script', [{2: {1: 0.6}, 4: {1: 0.6}}])
def test_second_alarm_while_a_question_is_open_is_suppressed(make_world, script):
    world, request = _asked(make_world, script)
    world.step()
    result = world.step()
    assert _kinds(result) == [EventKind.SUPPRESSED, EventKind.PSEUDO]
    assert 'open' in result.events[0].reason
    assert result.objects[0].action is Action.PSEUDO
    assert world.tracker.open_requests == (request,)


def test_suppressed_alarm_without_pseudo_corrections_keeps_the_prediction(make_world):
    world = make_world({2: {1: 0.6}, 4: {1: 0.6}}, pseudo_corrections=False)
    world.steps(3)
    result = world.step()
    assert _kinds(result) == [EventKind.SUPPRESSED]
    assert np.array_equal(result.labels == 1, world.box_of(1))


def test_expired_question_is_reported_and_asked_anew(make_world):
    world, request = _asked(make_world, {2: {1: 0.6}, 14: {1: 0.6}}, question_timeout=10.0)
    for _ in range(3, 13):
        assert world.step().events == ()  # up to and including its last second
    (expired,) = world.step().events
    assert expired.kind is EventKind.EXPIRED
    assert (expired.frame_index, expired.stamp, expired.applied_stamp) == (2, 2.0, 13.0)
    assert expired.request_id == request.request_id
    assert _kinds(world.step())[0] is EventKind.ASKED


def _refused(world, request_id, reason):
    with pytest.raises(UnknownRequestError, match=reason):
        world.tracker.answer(request_id, CLICK)
    event = world.step().events[0]
    assert event.kind is EventKind.REFUSED
    assert event.request_id == request_id
    assert world.backend.memorised == []
    return event


def test_answer_to_an_expired_question_is_refused(make_world):
    world, request = _asked(make_world, question_timeout=1.0)
    world.steps(3)
    event = _refused(world, request.request_id, 'expired')
    assert (event.object_id, event.frame_index, event.stamp) == (1, 2, 2.0)


def test_second_answer_is_refused(make_world):
    world, request = _asked(make_world)
    world.tracker.answer(request.request_id, Skip())
    world.step()
    _refused(world, request.request_id, 'answered already')


def test_answer_about_a_removed_object_is_refused(make_world):
    world, request = _asked(make_world)
    world.tracker.remove_object(1)
    world.step()
    _refused(world, request.request_id, 'object 1 was removed')


def test_answer_from_before_a_reset_is_refused(make_world):
    world, request = _asked(make_world)
    world.tracker.reset()
    world.step()
    _refused(world, request.request_id, 'reset')


def test_answer_to_a_question_that_never_was_is_refused(make_world):
    world = make_world()
    event = _refused(world, 'nonsense', 'not known')
    assert event.object_id == 0


@pytest.mark.parametrize('answer', [Click(48, 5), (), (Click(1, 1), Click(1, 24)), 'here', None])
def test_answer_that_is_not_allowed_leaves_the_question_open(make_world, answer):
    world, request = _asked(make_world)
    with pytest.raises(ValueError, match='allowed'):
        world.tracker.answer(request.request_id, answer)
    assert world.tracker.open_requests == (request,)
    assert world.step().events == ()


def test_late_answer_that_the_refiner_cannot_use(make_world):
    world, request = _asked(make_world)
    world.step()
    world.refiner.error = RuntimeError('broken')
    event = world.tracker.answer(request.request_id, CLICK)
    assert event.kind is EventKind.REFUSED
    assert 'broken' in event.reason
    assert world.backend.memorised == []
    assert world.tracker.open_requests == ()
    world.step()


# Whom the settings spare.

OFTEN = {index: {1: 0.6} for index in range(2, 40, 2)}


def _skip(request):
    return Skip()


def _asked_at(world, steps):
    results = [world.step() for _ in range(steps)]
    return [result.frame_index for result in results if result.requests]


def test_without_bounds_every_alarm_asks(make_world):
    world = make_world(OFTEN, operator=_skip)
    assert _asked_at(world, 8) == [2, 4, 6, 8]


def test_cool_down_spares_the_same_object(make_world):
    world = make_world(OFTEN, operator=_skip, question_cooldown=4.0)
    assert _asked_at(world, 12) == [2, 6, 10]


def test_budget_counts_all_objects_within_a_minute(make_world):
    both = {index: {1: 0.6, 2: 0.6} for index in range(2, 80, 2)}
    world = make_world(both, objects=2, operator=_skip, questions_per_minute=3.0)
    results = [world.step() for _ in range(66)]
    numbers = {r.frame_index: len(r.requests) for r in results if r.requests}
    assert numbers == {2: 2, 4: 1, 62: 2, 64: 1}


def test_number_of_open_questions_is_bounded(make_world):
    alarm = {2: {1: 0.6, 2: 0.6, 3: 0.6}}
    world = make_world(alarm, objects=3, max_questions=2)
    result = world.steps(2)
    assert [request.object_id for request in world.tracker.open_requests] == [1, 2]
    suppressed = [e for e in result.events if e.kind is EventKind.SUPPRESSED]
    assert [event.object_id for event in suppressed] == [3]
    assert 'max_questions' in suppressed[0].reason


# Stamps.


def test_timers_move_along_when_the_stamps_go_backwards(make_world):
    world = make_world({2: {1: 0.6}}, question_timeout=10.0)
    world.step(stamp=1000.0)
    world.step(stamp=1001.0)
    world.step(stamp=1005.0)
    assert world.step(stamp=0.0).events == ()
    (request,) = world.tracker.open_requests
    assert request.expires == pytest.approx(6.0)  # six seconds were left
    assert world.step(stamp=6.0).events == ()
    assert _kinds(world.step(stamp=6.5)) == [EventKind.EXPIRED]


def test_cool_down_survives_a_jump_backwards(make_world):
    script = {2: {1: 0.6}, 4: {1: 0.6}, 6: {1: 0.6}}
    world = make_world(script, operator=_skip, question_cooldown=5.0)
    stamps = [100.0, 101.0, 102.0, 50.0, 51.0, 54.5]
    asked = [bool(world.step(stamp).requests) for stamp in stamps]
    assert asked == [False, True, False, False, False, True]


def test_equal_stamps_are_no_jump(make_world):
    world = make_world({2: {1: 0.6}}, question_timeout=1.0)
    for _ in range(6):
        world.step(stamp=5.0)
    assert len(world.tracker.open_requests) == 1


def test_image_that_is_tracked_again_leaves_the_timers_alone(make_world):
    world = make_world({2: {1: 0.6}}, question_timeout=10.0)
    world.step(stamp=1.0)
    world.step(stamp=2.0)
    for _ in range(12):
        result = world.tracker.step(world.image(9), 0.5, now=2.0)
        assert (result.stamp, result.events) == (0.5, ())
    (request,) = world.tracker.open_requests
    assert request.expires == 12.0
    event = world.tracker.correct(1, CLICK)
    assert (event.stamp, event.applied_stamp) == (0.5, 2.0)
    assert _kinds(world.step(stamp=12.0)) == [EventKind.CORRECTED]
    assert _kinds(world.step(stamp=12.5)) == [EventKind.EXPIRED]


def test_question_about_an_image_that_is_tracked_again_is_asked_now(make_world):
    world = make_world({3: {1: 0.6}}, question_timeout=10.0, question_cooldown=5.0)
    world.step(stamp=1.0)
    world.step(stamp=9.0)
    result = world.tracker.add_objects(
        world.image(9), [Prompt(mask=world.box_of(2))], 1.0, now=9.5
    )
    (request,) = result.requests
    assert (request.stamp, request.asked, request.expires) == (1.0, 9.5, 19.5)
    assert [event.applied_stamp for event in result.events] == [9.5] * len(result.events)
    removed = world.tracker.remove_object(2)
    assert (removed.frame_index, removed.stamp, removed.applied_stamp) == (3, 1.0, 9.5)


@pytest.mark.parametrize('now', [float('nan'), float('inf')])
def test_now_that_is_no_time_changes_nothing(make_world, now):
    world = make_world()
    with pytest.raises(ValueError, match='now is'):
        world.tracker.step(world.image(1), 1.0, now=now)
    assert world.backend.index == 0


# Corrections that nobody asked for.


def test_correction_of_the_newest_frame(make_world):
    world = make_world(objects=2)
    world.steps(3)
    event = world.tracker.correct(2, Click(40, 18))
    assert event.kind is EventKind.CORRECTED
    assert (event.object_id, event.frame_index, event.request_id) == (2, 3, '')
    latest = world.tracker.latest
    assert np.array_equal(latest.labels == 2, _box_at(Click(40, 18)))
    assert np.array_equal(latest.labels == 1, world.box_of(1))
    assert latest.objects[1].action is Action.CORRECTED
    assert latest.objects[1].area == 25
    ((frame, object_ids, probabilities),) = world.backend.memorised
    assert (frame.index, object_ids) == (3, (1, 2))
    torch.testing.assert_close(probabilities.sum(0), torch.ones(24, 48))
    assert world.step().events == (event,)


def test_corrections_of_one_frame_add_up(make_world):
    world = make_world(objects=2)
    world.step()
    world.tracker.correct(1, Click(5, 4))
    world.tracker.correct(2, Absent())
    labels = world.tracker.latest.labels
    assert np.array_equal(labels == 1, _box_at(Click(5, 4)))
    assert not (labels == 2).any()
    ((_, object_ids, _),) = world.backend.memorised
    assert object_ids == (1, 2)
    world.tracker.correct(1, Click(6, 4))
    _, object_ids, probabilities = world.backend.memorised[-1]
    assert (object_ids, probabilities.shape[0]) == ((1,), 2)


def test_correction_after_the_first_frame_keeps_the_other_given_mask(make_world):
    world = make_world(objects=2)
    world.tracker.correct(1, Click(5, 4))
    labels = world.backend.memorised[-1][2].argmax(0).numpy()
    assert np.array_equal(labels == 1, _box_at(Click(5, 4)))
    assert np.array_equal(labels == 2, world.box_of(2))


@pytest.mark.parametrize(
    ('object_id', 'answer', 'reason'),
    [
        (7, CLICK, 'object 7 is not tracked; tracked: 1'),
        (1, Skip(), 'Skip'),
        (1, Click(0, 24), 'inside the image'),
        (1, (), 'allowed'),
    ],
)
def test_correction_that_is_not_allowed_changes_nothing(make_world, object_id, answer, reason):
    world = make_world()
    labels = world.step().labels
    with pytest.raises(ValueError, match=reason):
        world.tracker.correct(object_id, answer)
    assert np.array_equal(world.tracker.latest.labels, labels)
    assert world.backend.memorised == []
    assert world.step().events == ()


def test_correction_before_the_first_frame(make_world):
    world = make_world(objects=0)
    with pytest.raises(ValueError, match='none yet'):
        world.tracker.correct(1, CLICK)
