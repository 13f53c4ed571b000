import pytest
import torch

from lazy_vos_ros.engine.relief import LONGEST_QUIET
from lazy_vos_ros.engine.relief import QUIET
from lazy_vos_ros.engine.relief import SCALES
from lazy_vos_ros.engine.relief import Relief
from lazy_vos_ros.engine.relief import ScalableBackend
from lazy_vos_ros.engine.relief import Step
from lazy_vos_ros.engine.relief import free_cached_memory
from lazy_vos_ros.engine.xmem.backend import XMemBackend
from lazy_vos_ros.engine.xmem.compact import CompactConfig
from lazy_vos_ros.engine.xmem.compact import compact_network
from lazy_vos_ros.engine.xmem.config import XMemConfig
from lazy_vos_ros.engine.xmem.preprocessing import scaled_size


class Time:
    now = 100.0

    def __call__(self):
        return self.now


@pytest.fixture
def time():
    return Time()


def test_steps_come_in_the_stated_order(time):
    relief = Relief(scalable=True, clock=time)
    assert relief.scale == 1.0
    steps = [relief.next_step(objects) for objects in (2, 2, 2, 2, 1)]
    assert steps == [Step.CACHE, Step.SIZE, Step.SIZE, Step.OBJECT, Step.NOTHING]
    assert relief.scale == SCALES[-1]


def test_without_a_size_to_change_objects_go_at_once(time):
    relief = Relief(scalable=False, clock=time)
    assert [relief.next_step(2) for _ in range(2)] == [Step.CACHE, Step.OBJECT]
    assert relief.scale == 1.0


def test_the_size_comes_back_step_by_step_after_quiet_times(time):
    relief = Relief(scalable=True, clock=time)
    for _ in range(3):
        relief.next_step(1)
    for scale in reversed(SCALES[:-1]):
        time.now += QUIET - 1
        assert not relief.look()
        time.now += 1
        assert relief.look()
        assert relief.scale == scale
    time.now += QUIET
    assert not relief.look()
    assert relief.next_step(1) is Step.CACHE  # a new shortage begins from the beginning


def test_a_step_up_that_came_too_early_is_tried_later_each_time(time):
    relief = Relief(scalable=True, clock=time)
    for _ in range(2):
        relief.next_step(1)
    quiet = QUIET
    for _ in range(8):
        time.now += quiet
        assert relief.look()
        assert relief.next_step(1) is Step.SIZE
        quiet = min(2 * quiet, LONGEST_QUIET)
        time.now += quiet - 1
        assert not relief.look()
        time.now += 1 - quiet
    assert quiet == LONGEST_QUIET


@pytest.mark.parametrize(
    ('settings', 'size'),
    [
        ({'size': 480}, 120),
        ({'size': 100}, 50),
        ({'size': -1}, 120),
        ({'size': 480, 'enlarge': True}, 240),
    ],
)
def test_half_the_size_is_half_of_what_the_network_would_see(settings, size):
    image = torch.zeros(240, 320, 3, dtype=torch.uint8).numpy()
    config = XMemConfig(**settings)
    assert scaled_size(image, config, 0.5) == size
    assert scaled_size(image, config, 1.0) == config.size


def test_a_smaller_size_reaches_the_network_and_the_masks_keep_that_of_the_image():
    backend = XMemBackend(compact_network(CompactConfig()), XMemConfig(size=-1))
    assert isinstance(backend, ScalableBackend)
    image = torch.zeros(64, 96, 3, dtype=torch.uint8).numpy()
    mask = torch.zeros(64, 96, dtype=torch.bool)
    mask[16:40, 16:48] = True
    backend.commit(backend.add_objects(backend.predict(image), {1: mask}))
    for scale, size in ((0.5, (32, 48)), (1.0, (64, 96))):
        backend.scale = scale
        prediction = backend.predict(image)
        assert prediction.frame.geometry.resized == size
        assert prediction.probabilities.shape == (2, 64, 96)
        backend.commit(prediction)


def test_there_is_nothing_to_free_on_a_cpu():
    free_cached_memory(torch.device('cpu'))
