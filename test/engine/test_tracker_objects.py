"""Objects that appear and go, and starting again."""

import numpy as np
import pytest
import torch

from lazy_vos_ros.engine.backend import MemoryWrite
from lazy_vos_ros.engine.clicks import Click
from lazy_vos_ros.engine.prompts import Prompt
from lazy_vos_ros.engine.results import Action
from lazy_vos_ros.engine.results import EventKind


def _kinds(result):
    return [event.kind for event in result.events]


def _box_at(click):
    row, column = click.pixel
    mask = np.zeros((24, 48), bool)
    mask[row - 2 : row + 3, column - 2 : column + 3] = True
    return mask


def test_frame_without_objects_is_background(make_world):
    world = make_world(objects=0)
    result = world.step()
    assert result.frame_index == 0
    assert not result.labels.any()
    assert not result.entropy.any()
    assert result.objects == ()
    assert world.last_write is MemoryWrite.SCHEDULED


def test_object_by_mask(make_world):
    world = make_world(objects=0)
    mask = world.box_of(1).astype(np.uint8) * 255
    assert world.tracker.add_object(world.image(0), mask=mask, label='cup', stamp=3.0) == 1
    result = world.tracker.latest
    assert np.array_equal(result.labels == 1, world.box_of(1))
    assert result.stamp == 3.0
    assert _kinds(result) == [EventKind.ADDED]
    (state,) = result.objects
    assert (state.label, state.action, state.derivative) == ('cup', Action.ADDED, 0)
    assert state.uncertainty == pytest.approx(0, abs=1e-3)
    assert world.backend.commits == [(0, MemoryWrite.FORCED, None, False)]
    assert result.memorised
    assert not world.refiner.calls


def test_object_by_click(make_world):
    world = make_world(objects=0)
    click = Click(30, 12)
    assert world.tracker.add_object(world.image(0), click=click) == 1
    assert np.array_equal(world.tracker.latest.labels == 1, _box_at(click))
    ((index, clicks, object_id, prior),) = world.refiner.calls
    assert (index, clicks, object_id, prior) == (0, (click,), 1, None)
    assert world.tracker.latest.events[0].clicks == (click,)
    assert world.tracker.latest.timings.refine > 0


def test_objects_go_on_when_others_appear(make_world):
    world = make_world({3: {1: 0.4}})
    world.steps(2)
    result = world.tracker.add_objects(
        world.image(3), [Prompt(mask=world.box_of(2)), Prompt(clicks=(Click(40, 20),))]
    )
    assert world.tracker.object_ids == (1, 2, 3)
    # The pseudo-correction of object 1 happens in the same step, and all of it is memorised.
    assert _kinds(result) == [EventKind.ADDED, EventKind.ADDED, EventKind.PSEUDO]
    assert [s.action for s in result.objects] == [Action.PSEUDO, Action.ADDED, Action.ADDED]
    assert result.objects[0].derivative == pytest.approx(0.4, abs=1e-5)
    assert np.array_equal(result.labels == 2, world.box_of(2))
    assert np.array_equal(result.labels == 3, _box_at(Click(40, 20)))
    _, write, probabilities, _ = world.backend.commits[-1]
    assert write is MemoryWrite.FORCED
    assert probabilities is None  # the pseudo-corrected mask is not to be memorised


def test_correction_by_the_operator_is_memorised_together_with_a_new_object(make_world):
    world = make_world({2: {1: 0.6}}, operator=lambda request: Click(5, 4))
    world.step()
    result = world.tracker.add_objects(world.image(2), [Prompt(mask=world.box_of(2))])
    labels = world.backend.commits[-1][2].argmax(0).numpy()
    assert np.array_equal(labels, result.labels)
    assert np.array_equal(labels == 1, _box_at(Click(5, 4)))
    assert np.array_equal(labels == 2, world.box_of(2))


def test_given_mask_wins_over_a_less_sure_correction_of_the_same_frame(make_world):
    inside_the_new_object = Click(17, 11)
    world = make_world({2: {1: 0.6}}, operator=lambda request: inside_the_new_object)
    world.step()
    result = world.tracker.add_objects(world.image(2), [Prompt(mask=world.box_of(2))])
    assert np.array_equal(result.labels == 2, world.box_of(2))
    assert np.array_equal(result.labels == 1, _box_at(inside_the_new_object) & ~world.box_of(2))


def test_question_on_a_frame_that_brings_an_object_keeps_the_object(make_world):
    world = make_world({2: {1: 0.6}})
    world.step()
    (request,) = world.tracker.add_objects(world.image(2), [Prompt(mask=world.box_of(2))]).requests
    world.steps(3)
    world.tracker.answer(request.request_id, Click(5, 4))
    _, object_ids, probabilities = world.backend.memorised[-1]
    assert object_ids == (1, 2)
    labels = probabilities.argmax(0).numpy()
    assert np.array_equal(labels == 1, _box_at(Click(5, 4)))
    assert np.array_equal(labels == 2, world.box_of(2))


def test_warm_up_counts_from_the_frame_of_each_object(make_world):
    world = make_world({3: {1: 0.0, 2: 0.9}, 4: {2: 0.1}, 5: {2: 0.7}})
    world.step()
    world.tracker.add_objects(world.image(2), [Prompt(mask=world.box_of(2))])
    assert world.step().events == ()
    assert world.step().events == ()
    assert world.step().events[0].object_id == 2


def test_given_pixels_win_over_older_objects_and_equal_prompts_share_by_id(make_world):
    world = make_world()
    left = np.zeros((24, 48), bool)
    left[:, :6] = True
    both = np.zeros((24, 48), bool)
    both[:, 5:12] = True
    result = world.tracker.add_objects(world.image(1), [Prompt(mask=left), Prompt(mask=both)])
    assert not (result.labels == 1).any()
    assert np.array_equal(result.labels == 2, left)
    assert np.array_equal(result.labels == 3, both & ~left)


def test_ids_given_by_the_caller(make_world):
    world = make_world(objects=0)
    prompts = [
        Prompt(mask=world.box_of(3), object_id=9),
        Prompt(mask=world.box_of(1), object_id=4, label='left'),
    ]
    result = world.tracker.add_objects(world.image(0), prompts)
    assert [(s.object_id, s.label) for s in result.objects] == [(4, 'left'), (9, 'object 9')]
    assert np.array_equal(result.labels == 4, world.box_of(1))
    assert np.array_equal(result.labels == 9, world.box_of(3))
    assert world.tracker.add_object(world.image(1), mask=world.box_of(2)) == 10


def test_ids_are_not_used_twice(make_world):
    world = make_world(objects=2)
    world.tracker.remove_object(2)
    assert world.tracker.add_object(world.image(1), mask=world.box_of(3)) == 3


@pytest.mark.parametrize(
    ('make_prompts', 'reason'),
    [
        (lambda box: [], 'no prompts'),
        (lambda box: [Prompt(mask=box, object_id=1)], 'object id 1 was used already'),
        (lambda box: [Prompt(mask=box, object_id=5)] * 2, 'object id 5 was used already'),
        (
            lambda box: [Prompt(mask=box, object_id=65535), Prompt(mask=box)],
            'too many objects: the next id is 65536',
        ),
        (lambda box: [Prompt(clicks=(Click(48, 3),))], 'inside the image'),
        (lambda box: [Prompt(mask=box[:20])], r'\(20, 48\).*\(24, 48\)'),
    ],
)
def test_prompts_that_are_not_allowed_change_nothing(make_world, make_prompts, reason):
    world = make_world()
    with pytest.raises(ValueError, match=reason):
        world.tracker.add_objects(world.image(1), make_prompts(world.box_of(2)))
    result = world.step()
    assert (result.frame_index, result.events) == (1, ())
    assert world.tracker.object_ids == (1,)


def test_prompt_without_click_and_mask_is_refused(make_world):
    with pytest.raises(ValueError, match='neither'):
        make_world().tracker.add_object(make_world.image(1))


@pytest.mark.parametrize(
    ('error', 'mask', 'reason'),
    [
        (RuntimeError('no memory'), None, 'no memory'),
        (None, torch.zeros(24, 48, dtype=torch.bool), 'empty'),
    ],
)
def test_click_without_a_usable_mask_is_a_plain_step(make_world, error, mask, reason):
    world = make_world()
    world.refiner.error, world.refiner.mask = error, mask
    prompts = [Prompt(mask=world.box_of(3)), Prompt(clicks=(Click(30, 12),))]
    with pytest.raises(ValueError, match=f'no object was added: .*{reason}'):
        world.tracker.add_objects(world.image(1), prompts)
    latest = world.tracker.latest
    assert latest.frame_index == 1
    assert _kinds(latest) == [EventKind.REFUSED]
    assert reason in latest.events[0].reason
    assert np.array_equal(latest.labels == 1, world.box_of(1))
    assert world.last_write is MemoryWrite.SCHEDULED
    world.refiner.error = world.refiner.mask = None
    assert world.tracker.add_object(world.image(2), click=Click(30, 12)) == 2


def test_new_object_that_others_cover_wholly_is_refused(make_world):
    world = make_world()
    prompts = [Prompt(mask=world.box_of(2)), Prompt(mask=world.box_of(2))]
    with pytest.raises(ValueError, match='object 3 is covered'):
        world.tracker.add_objects(world.image(1), prompts)
    assert world.tracker.object_ids == (1,)


def test_backend_that_refuses_new_objects(make_world, monkeypatch):
    world = make_world()

    def refuse(prediction, masks):
        raise ValueError('at most 1 object fits')

    monkeypatch.setattr(world.backend, 'add_objects', refuse)
    with pytest.raises(ValueError, match='at most 1 object fits'):
        world.tracker.add_object(world.image(1), mask=world.box_of(2))
    assert world.step().frame_index == 2


def test_removed_object_is_gone(make_world):
    world = make_world({2: {1: 0.6, 2: 0.6}}, objects=2)
    world.steps(2)
    removed_request, kept_request = world.tracker.open_requests
    event = world.tracker.remove_object(1)
    assert (event.kind, event.object_id, event.frame_index) == (EventKind.REMOVED, 1, 2)
    assert world.tracker.open_requests == (kept_request,)
    assert world.tracker.object_ids == world.backend.object_ids == (2,)
    result = world.step()
    assert [e.kind for e in result.events] == [EventKind.EXPIRED, EventKind.REMOVED]
    assert result.events[0].request_id == removed_request.request_id
    assert [state.object_id for state in result.objects] == [2]
    assert set(np.unique(result.labels)) == {0, 2}


def test_object_removed_after_the_newest_frame_does_not_hinder_corrections(make_world):
    world = make_world(objects=2)
    world.step()
    world.tracker.remove_object(1)
    world.tracker.correct(2, Click(40, 18))
    assert [state.object_id for state in world.tracker.latest.objects] == [2]


def test_unknown_object_cannot_be_removed(make_world):
    world = make_world(objects=2)
    with pytest.raises(ValueError, match='object 3 is not tracked; tracked: 1, 2'):
        world.tracker.remove_object(3)


def test_reset_starts_again_and_hands_over_what_was_not_reported(make_world):
    world = make_world({2: {1: 0.6}})
    world.steps(2)
    correction = world.tracker.correct(1, Click(5, 4))
    events = world.tracker.reset()
    assert [event.kind for event in events] == [EventKind.CORRECTED, EventKind.EXPIRED]
    assert events[0] is correction
    assert world.tracker.latest is None
    assert world.tracker.object_ids == world.tracker.open_requests == ()
    assert world.tracker.add_object(world.image(0), mask=world.box_of(1)) == 1
    result = world.tracker.latest
    assert (result.frame_index, _kinds(result)) == (0, [EventKind.ADDED])


def test_memory_size_is_the_backends(make_world):
    world = make_world()
    world.step()
    assert world.tracker.memory_size() == world.backend.memory_size()


def test_hour_of_questions_keeps_a_bounded_number_of_frames(make_world):
    alarms = {index: {1: 0.6, 2: 0.6} for index in range(2, 400, 2)}
    world = make_world(alarms, objects=2, question_timeout=5.0)
    most = max(
        len({id(r.image) for r in world.tracker.open_requests}) for _ in range(400) if world.step()
    )
    assert most <= 2
