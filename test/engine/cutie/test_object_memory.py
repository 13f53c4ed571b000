import pytest
import torch

from lazy_vos_ros.engine.cutie.object_memory import ObjectMemory


def summaries(*values):
    """Return one summary for each object, filled with its value."""
    return torch.stack([torch.full((2, 3), float(value)) for value in values])


def read(memory, *object_ids):
    return [float(total[0, 0]) for total in memory.read(object_ids)]


@pytest.fixture
def memory():
    """Objects 3 and 7 in frames 0 and 5."""
    memory = ObjectMemory()
    memory.write(0, (3, 7), summaries(1, 10))
    memory.write(5, (3, 7), summaries(2, 20))
    return memory


def test_unknown_objects_are_refused(memory):
    with pytest.raises(KeyError, match='4'):
        memory.read((3, 4))


def test_frames_add_up(memory):
    assert read(memory, 7, 3) == [30, 3]


def test_a_frame_is_replaced_for_the_objects_written(memory):
    memory.write(5, (3,), summaries(100))
    assert read(memory, 3, 7) == [101, 30]


def test_a_settled_frame_stays_and_is_not_replaced(memory):
    memory.settle((5,))
    assert read(memory, 3, 7) == [3, 30]
    memory.write(0, (3,), summaries(100))
    assert read(memory, 3) == [103]


def test_settling_keeps_the_size_bounded():
    memory = ObjectMemory()
    for frame in range(20):
        memory.write(frame, (1,), summaries(1))
        memory.settle((frame - 1, frame))
    assert read(memory, 1) == [20]
    assert memory.nbytes == 3 * 2 * 3 * 4  # two frames and the sum of 2 x 3 floats


def test_removed_objects_are_forgotten(memory):
    memory.settle((5,))
    memory.remove((3,))
    with pytest.raises(KeyError, match='3'):
        memory.read((3,))
    assert read(memory, 7) == [30]
    memory.clear()
    assert memory.nbytes == 0


def test_later_changes_of_what_was_written_do_no_harm():
    memory = ObjectMemory()
    given = summaries(1)
    memory.write(0, (1,), given)
    given.zero_()
    assert read(memory, 1) == [1]


def test_a_snapshot_is_not_changed_by_what_comes_later(memory):
    before = memory.snapshot()
    memory.write(5, (3,), summaries(100))
    memory.write(6, (3, 7), summaries(1, 1))
    memory.settle((6,))
    memory.remove((7,))
    assert read(before, 3, 7) == [3, 30]
    before.write(0, (3,), summaries(0))
    assert read(memory, 3) == [102]
