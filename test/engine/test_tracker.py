"""The rules of one frame: what is output, what is asked, what is memorised."""

import numpy as np
import pytest
import torch

from lazy_vos_ros.engine.backend import MemoryWrite
from lazy_vos_ros.engine.clicks import Click
from lazy_vos_ros.engine.results import Absent
from lazy_vos_ros.engine.results import Action
from lazy_vos_ros.engine.results import EventKind
from lazy_vos_ros.engine.results import Skip

CALM = {}
PSEUDO = {2: {1: 0.3}}
ALARM = {2: {1: 0.6}}
CLICK = Click(20, 5)


def _clicks(request):
    return CLICK


def _kinds(result):
    return [event.kind for event in result.events]


def _box_at(click):
    row, column = click.pixel
    mask = np.zeros((24, 48), bool)
    mask[row - 2 : row + 3, column - 2 : column + 3] = True
    return mask


def test_calm_frame_is_tracked_and_left_to_the_schedule(make_world):
    world = make_world(CALM)
    result = world.step()
    assert np.array_equal(result.labels, np.where(world.box_of(1), 1, 0))
    assert result.labels.dtype == np.uint16
    assert result.entropy.dtype == np.float32
    assert result.entropy.max() == 0
    assert result.requests == result.events == ()
    assert world.last_write is MemoryWrite.SCHEDULED
    assert not result.memorised
    assert not world.refiner.calls
    (state,) = result.objects
    assert (state.object_id, state.label, state.action) == (1, 'object 1', Action.NONE)
    assert (state.area, state.box) == (48, (3, 8, 6, 8))


def test_uncertainty_and_its_derivative_are_reported(make_world):
    world = make_world({1: {1: 0.1}, 2: {1: 0.25}, 3: {1: 0.15}})
    states = [world.step().objects[0] for _ in range(3)]
    assert [s.uncertainty for s in states] == pytest.approx([0.1, 0.25, 0.15], abs=1e-5)
    assert [s.derivative for s in states] == pytest.approx([0.1, 0.15, -0.1], abs=1e-5)


def test_frame_index_and_stamp(make_world):
    world = make_world()
    assert world.tracker.latest.frame_index == 0
    assert world.step().stamp == 1.0  # the frame's index
    result = world.step(stamp=17.5)
    assert (result.frame_index, result.stamp) == (2, 17.5)
    assert world.tracker.latest is result


def test_timings_add_up(make_world):
    timings = make_world().step().timings
    parts = (timings.predict, timings.lazy, timings.refine, timings.commit)
    assert all(part >= 0 for part in parts)
    assert timings.total == pytest.approx(sum(parts))
    assert timings.refine == 0


# Pseudo-corrections.


def test_pseudo_correction_replaces_the_output_and_keeps_the_frame_out(make_world):
    world = make_world(PSEUDO)
    result = world.steps(2)
    (event,) = result.events
    assert event.kind is EventKind.PSEUDO
    assert (event.frame_index, event.object_id) == (2, 1)
    assert world.box_of(1)[event.clicks[0].pixel]
    assert np.array_equal(result.labels == 1, _box_at(event.clicks[0]))
    assert result.objects[0].action is Action.PSEUDO
    assert result.objects[0].area == 25
    assert world.last_write is MemoryWrite.FROZEN
    # What was unsure stays visible: the entropy is that of the prediction.
    assert result.entropy[10, 5] == pytest.approx(0.3, abs=1e-5)


def test_refiner_is_given_the_predicted_probability(make_world):
    world = make_world(PSEUDO)
    world.steps(2)
    ((index, _, object_id, prior),) = world.refiner.calls
    assert (index, object_id) == (2, 1)
    assert prior.shape == world.size
    assert np.array_equal(prior.numpy() > 0.5, world.box_of(1))


def test_pseudo_memory_update_forces_the_refined_mask_into_the_memory(make_world):
    world = make_world(PSEUDO, pseudo_memory_update=True)
    result = world.steps(2)
    _, write, probabilities, deep = world.backend.commits[-1]
    assert write is MemoryWrite.FORCED
    assert result.memorised
    assert not deep
    assert np.array_equal(probabilities.argmax(0).numpy(), result.labels)


def test_without_pseudo_corrections_the_prediction_stays(make_world):
    world = make_world(PSEUDO, pseudo_corrections=False)
    result = world.steps(2)
    assert result.events == ()
    assert np.array_equal(result.labels == 1, world.box_of(1))
    assert world.last_write is MemoryWrite.SCHEDULED


def test_clock_may_go_on_on_frames_that_are_kept_out(make_world):
    world = make_world(PSEUDO, freeze_clock=False)
    world.steps(2)
    assert world.last_write is MemoryWrite.BLOCKED


def test_warm_up_frame_triggers_nothing(make_world):
    world = make_world({1: {1: 0.7}})
    assert world.step().events == ()
    eager = make_world({1: {1: 0.7}}, trigger_warmup=0)
    assert _kinds(eager.step())[0] is EventKind.ASKED


# The operator within the step.


def test_operator_corrects_within_the_step(make_world):
    asked = []

    def operator(request):
        asked.append(request)
        return CLICK

    world = make_world(ALARM, operator=operator)
    result = world.steps(2)
    (request,) = asked
    assert result.requests == (request,)
    assert (request.object_id, request.frame_index, request.stamp) == (1, 2, 2.0)
    assert request.uncertainty == pytest.approx(0.6, abs=1e-5)
    assert request.derivative == pytest.approx(0.6, abs=1e-5)
    assert np.array_equal(request.mask, world.box_of(1))
    assert request.entropy.shape == world.size
    assert np.array_equal(request.image, world.image(2))
    assert _kinds(result) == [EventKind.ASKED, EventKind.ANSWERED]
    assert result.events[1].clicks == (CLICK,)
    assert result.events[1].request_id == request.request_id
    assert np.array_equal(result.labels == 1, _box_at(CLICK))
    assert result.objects[0].action is Action.CORRECTED
    assert not result.objects[0].question_open
    assert world.tracker.open_requests == ()


def test_interaction_driven_update_memorises_the_refined_mask(make_world):
    world = make_world(ALARM, operator=_clicks)
    result = world.steps(2)
    _, write, probabilities, deep = world.backend.commits[-1]
    assert write is MemoryWrite.FORCED
    assert result.memorised
    assert not deep
    assert np.array_equal(probabilities.argmax(0).numpy(), result.labels)
    torch.testing.assert_close(probabilities.sum(0), torch.ones(world.size))


@pytest.mark.parametrize(('score', 'told'), [(0.9, (1,)), (0.89, ())])
def test_the_backend_learns_which_masks_of_a_person_are_sure(make_world, score, told):
    world = make_world(ALARM, operator=_clicks)
    world.refiner.scores = {1: score}
    world.steps(3)
    assert world.backend.corrected[-2:] == [told, ()]


def test_a_late_answer_tells_it_too(make_world):
    world = make_world(ALARM)
    world.refiner.scores = {1: 0.95}
    world.steps(3)
    (request,) = world.tracker.open_requests
    world.tracker.answer(request.request_id, _clicks(request))
    assert world.backend.corrected[-1] == (1,)


def test_the_backend_never_takes_a_pseudo_correction_for_a_persons(make_world):
    itself = make_world(PSEUDO, pseudo_memory_update=True)
    itself.steps(2)
    assert set(itself.backend.corrected) == {()}


def test_deep_update_on_request(make_world):
    world = make_world(ALARM, operator=_clicks, deep_update_on_correction=True)
    world.steps(2)
    assert world.backend.commits[-1][3] is True
    world.step()
    assert world.backend.commits[-1][3] is False


def test_without_idu_the_output_is_refined_and_the_memory_is_not(make_world):
    world = make_world(ALARM, operator=_clicks, interaction_driven_update=False)
    result = world.steps(2)
    assert np.array_equal(result.labels == 1, _box_at(CLICK))
    _, write, probabilities, _ = world.backend.commits[-1]
    assert write is MemoryWrite.FROZEN
    assert probabilities is None


def test_without_user_corrections_an_alarm_is_a_pseudo_correction(make_world):
    world = make_world(ALARM, operator=pytest.fail, user_corrections=False)
    assert _kinds(world.steps(2)) == [EventKind.PSEUDO]


def test_skip_changes_nothing(make_world):
    world = make_world(ALARM, operator=lambda request: Skip())
    result = world.steps(2)
    assert _kinds(result) == [EventKind.ASKED, EventKind.SKIPPED]
    assert np.array_equal(result.labels == 1, world.box_of(1))
    assert world.last_write is MemoryWrite.SCHEDULED
    assert not world.refiner.calls
    assert result.objects[0].action is Action.ASKED


def test_absent_object_is_shown_and_memorised_again_once_it_has_recovered(make_world):
    world = make_world(ALARM, operator=lambda request: Absent(), recovered_frames=3)
    result = world.steps(2)
    assert _kinds(result) == [EventKind.ASKED, EventKind.ABSENT]
    assert not result.labels.any()
    assert (result.objects[0].area, result.objects[0].box) == (0, None)
    assert result.objects[0].absent
    assert world.last_write is MemoryWrite.SCHEDULED
    shown = [bool(world.step().labels.any()) for _ in range(4)]
    assert shown == [False, False, True, True]
    assert world.backend.left_out[2:] == [(1,), (1,), (1,), (), ()]
    assert not world.tracker.latest.objects[0].absent


def test_several_clicks_are_one_answer(make_world):
    answer = (Click(20, 5), Click(2, 2, positive=False))
    world = make_world(ALARM, operator=lambda request: answer)
    assert world.steps(2).events[1].clicks == answer
    assert world.refiner.calls[0][1] == answer


def test_unusable_answer_of_the_operator_is_refused_and_the_frame_goes_on(make_world):
    world = make_world(ALARM, operator=lambda request: Click(99, 5))
    result = world.steps(2)
    assert _kinds(result) == [EventKind.ASKED, EventKind.REFUSED]
    assert 'inside the image' in result.events[1].reason
    assert np.array_equal(result.labels == 1, world.box_of(1))
    world.step()


def test_operator_that_raises_does_not_leave_the_frame_half_done(make_world):
    def operator(request):
        raise KeyboardInterrupt

    world = make_world(ALARM, operator=operator)
    world.step()
    with pytest.raises(KeyboardInterrupt):
        world.step()
    assert world.step().frame_index == 3


@pytest.mark.parametrize(
    ('error', 'mask', 'reason'),
    [
        (RuntimeError('out of memory'), None, 'boxes failed: out of memory'),
        (None, torch.zeros(24, 48, dtype=torch.bool), 'empty mask'),
        (None, torch.ones(5, 5, dtype=torch.bool), r'(5, 5)'),
        (None, torch.ones(24, 48), 'torch.float32'),
    ],
)
@pytest.mark.parametrize('script', [PSEUDO, ALARM])
def test_frame_goes_on_with_the_prediction_when_the_refiner_fails(
    make_world, error, mask, reason, script
):
    world = make_world(script, operator=_clicks)
    world.refiner.error, world.refiner.mask = error, mask
    result = world.steps(2)
    assert result.events[-1].kind is EventKind.REFUSED
    assert reason in result.events[-1].reason
    assert result.events[-1].clicks
    assert np.array_equal(result.labels == 1, world.box_of(1))
    assert world.last_write is MemoryWrite.SCHEDULED
    assert world.step().frame_index == 3


def test_empty_mask_is_right_where_the_operator_says_not_here(make_world):
    world = make_world(ALARM, operator=lambda request: Click(5, 10, positive=False))
    world.refiner.mask = torch.zeros(24, 48, dtype=torch.bool)
    result = world.steps(2)
    assert _kinds(result) == [EventKind.ASKED, EventKind.ANSWERED]
    assert not result.labels.any()


def test_value_that_cannot_be_memorised_does_not_stop_the_next_frame(make_world, monkeypatch):
    world = make_world(ALARM, operator=_clicks)
    commit = world.backend.commit

    def fail(prediction, write, *rest, **options):
        if write is MemoryWrite.FORCED:
            raise RuntimeError('not finite')
        return commit(prediction, write, *rest, **options)

    monkeypatch.setattr(world.backend, 'commit', fail)
    world.step()
    with pytest.raises(RuntimeError, match='not finite'):
        world.step()
    assert world.last_write is MemoryWrite.BLOCKED
    assert world.step().frame_index == 3


# The memory under uncertainty.

HIGH = {2: {1: 0.85}, 3: {1: 0.9}}


def test_uncertain_frame_is_kept_out(make_world):
    quiet = {'user_corrections': False, 'pseudo_corrections': False}
    world = make_world(HIGH, **quiet)
    world.steps(2)
    assert world.last_write is MemoryWrite.FROZEN
    open_memory = make_world(HIGH, uncertainty_driven_update=False, **quiet)
    open_memory.steps(2)
    assert open_memory.last_write is MemoryWrite.SCHEDULED


def test_threshold_of_the_memory_itself_is_accepted(make_world):
    world = make_world(HIGH, pseudo_corrections=False)
    world.steps(2)
    s = world.tracker.latest.objects[0].uncertainty
    equal = make_world(HIGH, pseudo_corrections=False, user_corrections=False, tau_m=s)
    equal.steps(2)
    assert equal.last_write is MemoryWrite.SCHEDULED


def test_one_uncertain_object_keeps_the_whole_frame_out(make_world):
    world = make_world({1: {2: 0.95}}, objects=3)
    world.step()  # warm-up: nothing is asked, the rule of the memory holds
    assert world.last_write is MemoryWrite.FROZEN


def test_operator_comes_before_uncertainty(make_world):
    world = make_world(HIGH, operator=_clicks)
    world.steps(2)
    assert world.last_write is MemoryWrite.FORCED


def test_level_trigger_asks_as_long_as_the_uncertainty_is_high(make_world):
    world = make_world(HIGH, operator=_clicks, trigger='level')
    world.step()
    assert _kinds(world.step()) == [EventKind.ASKED, EventKind.ANSWERED]
    assert _kinds(world.step()) == [EventKind.ASKED, EventKind.ANSWERED]


# Several objects.


def test_objects_corrected_in_one_frame_are_merged(make_world):
    world = make_world({2: {1: 0.6, 2: 0.3}}, objects=3, operator=lambda request: Click(5, 4))
    result = world.steps(2)
    assert _kinds(result) == [EventKind.ASKED, EventKind.ANSWERED, EventKind.PSEUDO]
    assert np.array_equal(result.labels == 1, _box_at(Click(5, 4)))
    assert np.array_equal(result.labels == 2, _box_at(result.events[2].clicks[0]))
    assert np.array_equal(result.labels == 3, world.box_of(3))
    actions = [state.action for state in result.objects]
    assert actions == [Action.CORRECTED, Action.PSEUDO, Action.NONE]
    _, write, probabilities, _ = world.backend.commits[-1]
    assert write is MemoryWrite.FORCED
    assert np.array_equal(probabilities.argmax(0).numpy(), result.labels)


def test_refined_object_wins_over_one_that_is_not(make_world):
    on_the_neighbour = Click(17, 11)  # inside the box of object 2
    world = make_world(ALARM, objects=2, operator=lambda request: on_the_neighbour)
    result = world.steps(2)
    assert np.array_equal(result.labels == 1, _box_at(on_the_neighbour))
    assert np.array_equal(result.labels == 2, world.box_of(2) & ~_box_at(on_the_neighbour))


@pytest.mark.parametrize(('scores', 'winner'), [({1: 0.9}, 1), ({2: 0.9}, 2), ({}, 1)])
def test_higher_score_wins_between_refined_objects(make_world, scores, winner):
    world = make_world({2: {1: 0.6, 2: 0.6}}, objects=2, operator=lambda request: CLICK)
    world.refiner.scores = scores
    result = world.steps(2)
    assert np.array_equal(result.labels == winner, _box_at(CLICK))
    assert not (result.labels == 3 - winner).any()


@pytest.mark.parametrize('soft', [True, False])
def test_untouched_objects_are_memorised_soft_or_hard(make_world, soft):
    world = make_world({2: {1: 0.6, 2: 0.1}}, objects=2, operator=_clicks, soft_others=soft)
    world.steps(2)
    inside = world.backend.commits[-1][2][2][torch.from_numpy(world.box_of(2))]
    hard = inside.min() > 1 - 1e-6
    assert bool(hard) is not soft
    assert inside.min() > 0.9


def test_settings_change_while_running(make_world):
    world = make_world({2: {1: 0.3}, 3: {1: 0.6}})
    world.tracker.configure(world.tracker.config.__class__(tau_p=0.25, tau_u=0.29))
    assert world.tracker.config.tau_u == 0.29
    world.step()
    assert _kinds(world.step())[0] is EventKind.ASKED


# What must not pass.


@pytest.mark.parametrize(
    'image',
    [
        np.zeros((24, 48), np.uint8),
        np.zeros((24, 48, 4), np.uint8),
        np.zeros((0, 48, 3), np.uint8),
        np.zeros((24, 48, 3), np.float32),
        'image',
    ],
)
def test_image_of_another_kind_changes_nothing(make_world, image):
    world = make_world()
    with pytest.raises(ValueError, match='image'):
        world.tracker.step(image)
    assert world.step().frame_index == 1


@pytest.mark.parametrize('stamp', [float('nan'), float('inf'), -float('inf')])
def test_stamp_that_is_no_time_changes_nothing(make_world, stamp):
    world = make_world()
    with pytest.raises(ValueError, match='stamp'):
        world.step(stamp)
    assert world.step().frame_index == 1
