import pytest
import torch

from lazy_vos_ros.engine.xmem.config import XMemConfig
from lazy_vos_ros.engine.xmem.features import KeyFeatures
from lazy_vos_ros.engine.xmem.given import given_channels
from lazy_vos_ros.engine.xmem.memory import Memory
from lazy_vos_ros.engine.xmem.similarity import Affinity

CELLS = (1, 4)


def affinity_of(peak):
    nothing = torch.zeros(len(peak), 0)
    return Affinity(nothing, nothing.long(), torch.tensor(peak))


def test_values_are_weighted_by_the_softmax_over_the_given_elements():
    similarities = torch.tensor([[0.0, -torch.inf], [0.0, 0.0]])
    values = torch.tensor([[[1.0], [3.0]], [[5.0], [9.0]]])
    read = given_channels(affinity_of([0.0, 0.0]), similarities, values)
    assert read.shape == (2, 2, 3)
    assert read[..., 0].tolist() == [[1, 2], [5, 7]]


def test_the_match_tells_the_same_from_the_unlike_within_bounds():
    similarities = torch.tensor([[-80.0, -4.0], [-999.0, -900.0], [-2.0, 1e-6]])
    read = given_channels(affinity_of([-2.0, -64.0, 1e-6]), similarities, torch.ones(1, 2, 1))
    assert read[0, :, 1].tolist() == [-0.25, -6, 0]
    assert read[0, :, 2].tolist() == [-0.5, -6, 0]


def test_half_precision_values_stay_half_precision():
    values = torch.ones(1, 2, 1, dtype=torch.bfloat16)
    read = given_channels(affinity_of([0.0]), torch.zeros(1, 2), values)
    assert read.dtype == torch.bfloat16


def memory_of(given_dim=1, **settings):
    return Memory(
        XMemConfig(**settings),
        key_dim=3,
        value_dim=2,
        device=torch.device('cpu'),
        dtype=torch.float32,
        given_dim=given_dim,
    )


def features_of(frame):
    """Keys that tell cells well apart and frames hardly."""
    h, w = CELLS
    key = torch.zeros(1, 3, h, w)
    key[:, 0] = 0.1 * frame
    key[:, 1] = 50.0 * torch.arange(h * w).view(h, w)
    maps = torch.zeros(1, 1, h, w)
    return KeyFeatures(key, torch.ones(1, 1, h, w), torch.ones(1, 3, h, w), maps, maps, maps)


def write(memory, frame, **values):
    maps = [torch.tensor([value, 7.0])[:, None, None] for value in values.values()]
    stacked = torch.stack(maps).expand(-1, -1, *CELLS)[None]
    ids = tuple(int(name[1:]) for name in values)
    memory.write(frame, features_of(frame), stacked, ids)


def test_without_given_channels_a_readout_is_the_values_alone():
    memory = memory_of(given_dim=0)
    write(memory, 0, o1=1.0)
    assert memory.read(features_of(3)).values.shape == (1, 1, 2, *CELLS)


def test_each_object_reads_the_frame_on_which_its_own_mask_was_given():
    memory = memory_of()
    write(memory, 0, o1=1.0)
    write(memory, 5, o1=0.0, o2=1.0)
    write(memory, 10, o1=0.0, o2=0.0)
    values = memory.read(features_of(10)).values
    assert values.shape == (1, 2, 5, *CELLS)
    # All memory says mostly what the later frames hold; the given frames say 1.
    assert values[0, 0, 0].max() < 0.4
    assert torch.allclose(values[0, :, 2], torch.ones(2, *CELLS))


def test_the_match_falls_with_the_distance_from_what_is_remembered():
    memory = memory_of()
    write(memory, 0, o1=1.0)
    write(memory, 5, o1=1.0)
    all_memory, given = memory.read(features_of(5)).values[0, 0, 3:, 0, 0]
    assert all_memory == pytest.approx(0, abs=1e-6)
    assert given < -1e-3


def test_an_object_whose_first_frame_was_forgotten_reads_what_is_left():
    memory = memory_of(max_permanent_frames=1, max_mid_term_frames=3, min_mid_term_frames=2)
    write(memory, 0, o1=1.0)
    write(memory, 5, o1=0.0, o2=1.0)
    for frame in range(10, 40, 5):
        write(memory, frame, o1=0.0, o2=0.5)
    assert 5 not in memory.frames
    read = memory.read(features_of(40)).values[0, :, 2]
    assert torch.allclose(read[0], torch.ones(CELLS))
    assert (read[1] > 0.4).all()


def test_an_object_that_lost_all_its_elements_reads_nothing():
    memory = memory_of(long_term=False, max_working_frames=2)
    write(memory, 0, o1=1.0)
    write(memory, 5, o2=1.0)
    write(memory, 10, o1=1.0)
    write(memory, 15, o1=1.0)
    values = memory.read(features_of(15)).values
    assert values.shape == (1, 2, 5, *CELLS)
    assert values.isfinite().all()


def test_a_corrected_mask_is_read_like_a_given_one():
    memory = memory_of(keep_corrected=True)
    write(memory, 0, o1=0.0)
    write(memory, 5, o1=0.5)
    maps = torch.tensor([1.0, 7.0])[:, None, None].expand(-1, *CELLS)[None, None]
    memory.write(10, features_of(10), maps, (1,), corrected=(1,))
    given = memory.read(features_of(10)).values[0, 0, 2]
    assert ((given > 0.5) & (given < 1)).all()
    assert (memory.store.values[1][memory.store.span][-1, 0]) == 1
