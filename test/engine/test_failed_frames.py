"""A frame that fails changes nothing, and one for which memory is short is tracked with less."""

import pytest
import torch

from lazy_vos_ros.engine.prompts import Prompt
from lazy_vos_ros.engine.relief import SCALES
from lazy_vos_ros.engine.results import EventKind

ALARM = {2: {1: 0.7}, 3: {1: 0.7}, 4: {1: 0.7}}


class Failing:
    """Lets a method of a backend fail, the next times."""

    def __init__(self, backend, name, error):
        self.backend, self.error, self.times = backend, error, 0
        self.half_done = name != 'commit'
        self.scales = []
        self.method = getattr(backend, name)
        setattr(backend, name, self)

    def __call__(self, *arguments, **options):
        if not self.times:
            return self.method(*arguments, **options)
        if self.half_done:
            self.method(*arguments, **options)
        self.times -= 1
        self.scales.append(getattr(self.backend, 'scale', None))
        raise self.error


@pytest.mark.parametrize('name', ['predict', 'commit', 'add_objects'])
def test_an_object_whose_frame_fails_can_be_added_again(make_world, name):
    world = make_world(objects=0)
    failing = Failing(world.backend, name, RuntimeError('no number'))
    failing.times = 1
    prompt = Prompt(mask=world.box_of(1), label='cup')
    with pytest.raises(RuntimeError, match='no number'):
        world.tracker.add_objects(world.image(0), [prompt])
    assert world.tracker.object_ids == ()
    result = world.tracker.add_objects(world.image(1), [prompt])
    assert [(item.object_id, item.label) for item in result.objects] == [(1, 'cup')]
    assert [event.kind for event in result.events] == [EventKind.ADDED]
    assert world.step().objects[0].area > 0


def test_a_question_of_a_frame_that_fails_is_asked_in_the_next_one(make_world):
    world = make_world(ALARM, question_cooldown=1e6)
    world.step()
    failing = Failing(world.backend, 'commit', RuntimeError('no number'))
    failing.times = 2  # the second is the attempt to go on without memorising
    with pytest.raises(RuntimeError):
        world.step()
    assert world.tracker.open_requests == ()
    result = world.step()
    assert [request.object_id for request in result.requests] == [1]
    assert EventKind.ASKED in [event.kind for event in result.events]
    assert result.objects[0].derivative == pytest.approx(0.7, abs=1e-3)


def test_short_memory_is_met_step_by_step_and_the_frame_is_tracked(make_world):
    world = make_world(objects=3)
    world.backend.scale = 1.0
    world.tracker._relief._scales = SCALES
    failing = Failing(world.backend, 'predict', torch.OutOfMemoryError('CUDA out of memory'))
    failing.times = 2
    result = world.step()
    assert failing.scales == [1.0, 1.0]
    assert (world.backend.scale, world.tracker.scale) == (0.75, 0.75)
    assert not result.events
    failing.times = 2
    result = world.step()
    assert failing.scales[2:] == [0.75, 0.5]
    assert [item.object_id for item in result.objects] == [1, 2]
    (event,) = result.events
    assert (event.kind, event.object_id) == (EventKind.REMOVED, 3)
    assert event.reason == 'object 3: the accelerator has no memory left'


def test_short_memory_that_stays_is_an_error_of_the_frame_alone(make_world):
    world = make_world()
    failing = Failing(world.backend, 'commit', torch.OutOfMemoryError('CUDA out of memory'))
    failing.times = 99
    with pytest.raises(torch.OutOfMemoryError):
        world.step()
    failing.times = 0
    assert [item.object_id for item in world.step().objects] == [1]
