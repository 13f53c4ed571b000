import numpy as np
import pytest
import torch

from lazy_vos_ros.engine.xmem.config import XMemConfig
from lazy_vos_ros.engine.xmem.consolidation import least_used
from lazy_vos_ros.engine.xmem.features import KeyFeatures
from lazy_vos_ros.engine.xmem.memory import Memory

CELLS = (2, 2)


def memory_of(**settings):
    return Memory(
        XMemConfig(**settings),
        key_dim=3,
        value_dim=2,
        device=torch.device('cpu'),
        dtype=torch.float32,
    )


def features_of(frame, size=CELLS):
    """Keys that tell frames (first channel) and cells (others) apart."""
    h, w = size
    key = torch.zeros(1, 3, h, w)
    key[:, 0] = 10.0 * frame
    key[:, 1] = torch.arange(h * w).view(h, w)
    maps = torch.zeros(1, 1, h, w)
    return KeyFeatures(key, torch.ones(1, 1, h, w), torch.ones(1, 3, h, w), maps, maps, maps)


def values_of(frame, *object_ids, size=CELLS):
    """Values that say of which frame and object they are."""
    values = [torch.tensor([100.0 * frame, float(i)])[:, None, None] for i in object_ids]
    return torch.stack(values).expand(-1, -1, *size)[None]


def write(memory, frame, *object_ids, size=CELLS):
    features = features_of(frame, size)
    memory.write(frame, features, values_of(frame, *object_ids, size=size), object_ids)


def read(memory, frame, size=CELLS):
    reading = memory.read(features_of(frame, size))
    memory.record(reading)
    return reading.values


def frames_read(memory, frame, channel):
    """The frames whose values an object reads in the cells of a frame."""
    return (read(memory, frame)[0, channel, 0] / 100).round().flatten().tolist()


def valid_frames(memory, object_id):
    store = memory.store
    valid = store.valid[object_id][store.working]
    return sorted(set(store.frame[store.working][valid].tolist()))


def test_empty_memory_cannot_be_read():
    with pytest.raises(RuntimeError, match='no object'):
        memory_of().read(features_of(0))


def test_reading_finds_the_frame_with_the_same_keys():
    memory = memory_of(top_k=1)
    for frame in range(3):
        write(memory, frame, 1, 2)
    got = read(memory, 2)
    assert got.shape == (1, 2, 2, 2, 2)
    assert got[0, 0, 0].unique().tolist() == [200.0]
    assert got[0, :, 1, 0, 0].tolist() == [1.0, 2.0]


def test_reading_counts_use_only_when_recorded():
    memory = memory_of(top_k=1)
    write(memory, 0, 1)
    write(memory, 1, 1)
    reading = memory.read(features_of(1))
    assert memory.store.use[memory.store.span].sum() == 0
    memory.record(reading)
    assert memory.store.use[memory.store.span].tolist() == [0, 0, 0, 0, 1, 1, 1, 1]
    torch.testing.assert_close(memory.store.life[memory.store.span], torch.ones(8))


def test_new_elements_start_unused_in_rows_used_before():
    memory = memory_of(top_k=1, long_term=False, max_working_frames=2)
    write(memory, 0, 1)
    write(memory, 1, 1)
    read(memory, 1)
    write(memory, 2, 1)
    store = memory.store
    assert store.life[store.working].tolist() == pytest.approx([1.0] * 4 + [1e-7] * 4)
    assert store.usage(store.working)[4:].tolist() == [0.0] * 4


def test_objects_added_later_read_only_their_own_frames():
    memory = memory_of(top_k=1, long_term=False)
    for frame in range(4):
        write(memory, frame, 1)
    write(memory, 4, 1, 2)
    assert frames_read(memory, 1, 0) == [1.0] * 4
    assert frames_read(memory, 1, 1) == [4.0] * 4


def test_use_is_the_mean_over_objects():
    memory = memory_of(top_k=1, long_term=False)
    write(memory, 0, 1)
    write(memory, 1, 1, 2)
    read(memory, 0)
    # Object 1 uses its values of frame 0, object 2 has only those of frame 1.
    per_frame = memory.store.use[memory.store.span].view(2, 4).sum(1)
    assert per_frame.tolist() == [2.0, 2.0]


def consolidated(**settings):
    """Six frames of which 1, 2 and 3 were turned into prototypes, frame 2 used most."""
    memory = memory_of(
        top_k=1, max_mid_term_frames=6, min_mid_term_frames=3, num_prototypes=4, **settings
    )
    for frame in range(5):
        write(memory, frame, 1)
    for _ in range(3):
        read(memory, 2)
    read(memory, 1)
    write(memory, 5, 1)
    return memory


def test_consolidation_keeps_first_and_newest_frames():
    memory = consolidated()
    assert memory.frames == (0, 4, 5)
    assert memory.size().working == 12
    assert memory.size().long_term == 4


def test_consolidation_makes_prototypes_of_the_most_used():
    memory = consolidated()
    store = memory.store
    assert store.key[store.long_term][:, 0].tolist() == [20.0] * 4
    # Potentiation: the other frames are far away, so the values stay those of frame 2.
    assert store.values[1][store.long_term][:, 0].tolist() == pytest.approx([200.0] * 4)
    assert store.shrinkage[store.long_term].tolist() == pytest.approx([1.0] * 4)
    assert frames_read(memory, 2, 0) == [2.0] * 4


def test_more_prototypes_than_candidates_takes_them_all():
    memory = memory_of(max_mid_term_frames=3, min_mid_term_frames=2, num_prototypes=100)
    for frame in range(3):
        write(memory, frame, 1)
    assert memory.size().long_term == 4


def run_with_long_term(memory, frames, *object_ids):
    for frame in frames:
        write(memory, frame, *object_ids)
        read(memory, frame)
        config = memory._config
        assert memory.size().long_term <= config.max_long_term_elements


@pytest.mark.parametrize('compat', [False, True])
def test_long_term_memory_exactly_at_its_target_is_no_error(compat):
    # 16 prototypes a time with room for 64 meet the target of 48 exactly, where the published
    # code fails.
    memory = memory_of(
        max_mid_term_frames=6,
        min_mid_term_frames=2,
        num_prototypes=16,
        max_long_term_elements=64,
        compat=compat,
    )
    run_with_long_term(memory, range(60), 1)
    assert memory.size().long_term > 32


@pytest.mark.parametrize('compat', [False, True])
def test_forgetting_prototypes_of_several_groups(compat):
    memory = memory_of(
        max_mid_term_frames=4,
        min_mid_term_frames=2,
        num_prototypes=4,
        max_long_term_elements=10,
        compat=compat,
    )
    run_with_long_term(memory, range(5), 1)
    run_with_long_term(memory, range(5, 40), 1, 2)
    assert 0 < memory.size().long_term <= 10
    assert read(memory, 40).isfinite().all()


def test_the_least_used_prototypes_are_forgotten():
    used = torch.tensor([0.3, 0.0, 0.5, 0.1, 0.1])
    assert least_used(used, 2, with_ties=False).sum() == 2
    assert least_used(used, 1, with_ties=False).tolist() == [False, True, False, False, False]
    assert least_used(used, 2, with_ties=True).tolist() == [False, True, False, True, True]
    for count in (0, -3):
        assert not least_used(used, count, with_ties=True).any()
    assert not least_used(used[:0], 0, with_ties=False).any()


def added_later(compat):
    """Object 2 came with frame 3; frames 1 to 4 were consolidated."""
    memory = memory_of(
        top_k=1, max_mid_term_frames=7, min_mid_term_frames=3, num_prototypes=8, compat=compat
    )
    for frame in range(3):
        write(memory, frame, 1)
    frame = 3
    while memory.size().long_term == 0:
        write(memory, frame, 1, 2)
        frame += 1
    return memory


def test_first_frames_of_later_objects_stay_opposite_their_own_keys():
    memory = added_later(compat=False)
    assert memory.permanent_frames == (0, 3)
    assert memory.frames == (0, 3, 6, 7)
    assert valid_frames(memory, 2) == [3, 6, 7]
    assert frames_read(memory, 3, 1) == [3.0] * 4


def test_compat_puts_first_values_opposite_the_very_first_keys():
    memory = added_later(compat=True)
    assert memory.frames == (0, 5, 6)
    # Values of frame 3 opposite the keys of frame 0; frame 4, the one above min + 1, is lost.
    assert valid_frames(memory, 2) == [0, 5, 6]
    assert frames_read(memory, 0, 1) == [3.0] * 4
    assert not memory.store.valid[2][memory.store.long_term].any()
    assert memory.store.valid[1][memory.store.long_term].all()


@pytest.mark.parametrize('compat', [False, True])
def test_compat_puts_prototype_values_opposite_the_last_prototypes(compat):
    memory = memory_of(
        top_k=1,
        max_mid_term_frames=7,
        min_mid_term_frames=2,
        num_prototypes=8,
        max_permanent_frames=1,
        compat=compat,
    )
    write(memory, 0, 1)
    write(memory, 1, 1)
    for _ in range(4):
        read(memory, 1)
    for frame in range(2, 6):
        write(memory, frame, 1, 2)
    for _ in range(8):
        read(memory, 4)
    write(memory, 6, 1, 2)
    store = memory.store
    key = store.key[store.long_term][:, 0]
    # Prototypes by use: frame 4, then frame 1, which object 2 has no values of.
    assert key.tolist() == [40.0] * 4 + [10.0] * 4
    valid = store.valid[2][store.long_term]
    assert valid.tolist() == [not compat] * 4 + [compat] * 4
    values = store.values[2][store.long_term][torch.from_numpy(valid)]
    assert values[:, 0].tolist() == pytest.approx([400.0] * 4)


def test_prototypes_older_than_an_object_are_not_read_for_it():
    memory = memory_of(
        top_k=1,
        max_mid_term_frames=5,
        min_mid_term_frames=2,
        num_prototypes=100,
        max_permanent_frames=1,
    )
    for frame in range(3):
        write(memory, frame, 1)
    write(memory, 3, 1, 2)
    write(memory, 4, 1, 2)
    store = memory.store
    assert memory.size().long_term == 12
    newer = store.key[store.long_term][:, 0] == 30
    assert store.valid[2][store.long_term].tolist() == newer.tolist()
    assert store.valid[1][store.long_term].all()
    # Frame 1 is a prototype for object 1 only; object 2 reads the nearest of its own.
    assert frames_read(memory, 1, 0) == [1.0] * 4
    assert frames_read(memory, 1, 1) == [3.0] * 4


def test_more_objects_than_permanent_frames_stay_bounded():
    memory = memory_of(max_mid_term_frames=4, min_mid_term_frames=2, max_permanent_frames=2)
    for frame in range(12):
        write(memory, frame, *range(1, frame + 2))
        assert len(memory.frames) <= 3 + 2
    assert memory.permanent_frames == (0, 1)


def test_removal_frees_values_and_drops_elements_nobody_needs():
    memory = memory_of(top_k=1, long_term=False)
    write(memory, 0, 1)
    write(memory, 1, 1, 2)
    write(memory, 2, 1, 2)
    before = memory.size()
    memory.remove((1,))
    after = memory.size()
    assert memory.frames == (1, 2)
    assert after.working == 8
    assert after.nbytes < before.nbytes
    assert frames_read(memory, 0, 0) == [1.0] * 4


def test_removing_all_objects_empties_the_memory():
    memory = consolidated()
    memory.remove((1,))
    assert memory.size().working == memory.size().long_term == 0
    assert memory.frames == ()
    write(memory, 9, 2)
    assert frames_read(memory, 0, 0) == [9.0] * 4


def test_prototypes_of_removed_objects_are_dropped():
    memory = memory_of(max_mid_term_frames=4, min_mid_term_frames=2, num_prototypes=100)
    run_with_long_term(memory, range(6), 1)
    run_with_long_term(memory, range(6, 14), 1, 2)
    both = memory.size().long_term
    memory.remove((1,))
    assert 0 < memory.size().long_term < both
    assert memory.store.valid[2][memory.store.span].all()


def test_writing_a_frame_again_replaces_its_values_for_the_given_objects():
    memory = memory_of(top_k=1, long_term=False)
    write(memory, 0, 1, 2)
    write(memory, 1, 1, 2)
    write(memory, 2, 1, 2)
    memory.write(1, features_of(1), values_of(7, 2), (2,))
    assert memory.size().working == 12
    assert frames_read(memory, 1, 0) == [1.0] * 4
    assert frames_read(memory, 1, 1) == [7.0] * 4
    assert memory.frames == (0, 2, 1)


def test_a_permanent_frame_written_again_stays_permanent():
    memory = memory_of(top_k=1, long_term=False)
    write(memory, 0, 1)
    write(memory, 1, 1)
    memory.write(0, features_of(0), values_of(7, 1), (1,))
    assert memory.permanent_frames == (0,)
    assert memory.frames == (0, 1)
    assert frames_read(memory, 0, 0) == [7.0] * 4


def test_a_late_frame_that_was_consolidated_enters_again():
    memory = consolidated()
    memory.write(2, features_of(2), values_of(7, 1), (1,))
    assert memory.frames == (0, 4, 5, 2)


def test_without_long_term_memory_first_and_newest_frames_are_kept():
    memory = memory_of(long_term=False, max_working_frames=4)
    for frame in range(10):
        write(memory, frame, 1)
    assert memory.frames == (0, 7, 8, 9)
    assert memory.size().working == memory.size().capacity == 16
    assert memory.size().long_term == 0


@pytest.mark.parametrize('long_term', [False, True])
def test_nothing_is_allocated_after_the_first_write(long_term):
    memory = memory_of(
        long_term=long_term,
        max_working_frames=5,
        max_mid_term_frames=4,
        min_mid_term_frames=2,
        num_prototypes=4,
        max_long_term_elements=20,
    )
    write(memory, 0, 1)
    first = memory.size()
    buffers = [memory.store.key.data_ptr(), memory.store.values[1].data_ptr()]
    for frame in range(1, 100):
        read(memory, frame)
        write(memory, frame, 1)
        size = memory.size()
        assert (size.capacity, size.nbytes) == (first.capacity, first.nbytes)
        assert size.working + size.long_term <= size.capacity
    assert buffers == [memory.store.key.data_ptr(), memory.store.values[1].data_ptr()]


def test_frames_of_other_sizes():
    memory = memory_of(
        top_k=1, max_mid_term_frames=4, min_mid_term_frames=2, num_prototypes=4, compat=False
    )
    for frame in range(30):
        size = ((2, 2), (3, 4), (1, 2))[frame % 3]
        write(memory, frame, 1, size=size)
        assert memory.size().working + memory.size().long_term <= memory.size().capacity
    grown = memory.size().capacity
    write(memory, 30, 1, size=(3, 4))
    assert memory.size().capacity == grown
    assert read(memory, 0, size=(2, 3)).shape == (1, 1, 2, 2, 3)
    assert read(memory, 0, size=(2, 2))[0, 0, 0].unique().tolist() == [0.0]


def test_compat_survives_frames_of_other_sizes():
    memory = memory_of(max_mid_term_frames=5, min_mid_term_frames=2, compat=True)
    for frame in range(30):
        write(memory, frame, *range(1, 2 + (frame > 2)), size=((2, 2), (3, 4))[frame % 2])
        assert read(memory, frame).isfinite().all()


@pytest.mark.parametrize('compat', [False, True])
def test_random_use_keeps_the_books(compat):
    random = np.random.default_rng(5)
    memory = memory_of(
        max_mid_term_frames=5,
        min_mid_term_frames=2,
        num_prototypes=5,
        max_long_term_elements=12,
        max_permanent_frames=2,
        compat=compat,
    )
    alive, newest = [1], 1
    for frame in range(200):
        if random.random() < 0.1:
            newest += 1
            alive.append(newest)
        if random.random() < 0.1 and len(alive) > 1:
            memory.remove((alive.pop(random.integers(len(alive))),))
        late = frame - int(random.integers(0, 6)) if random.random() < 0.2 else frame
        write(memory, max(late, 0), *alive)
        got = read(memory, frame)
        store = memory.store
        assert got.shape[1] == len(alive)
        assert got.isfinite().all()
        assert sorted(store.values) == alive
        needed = np.any([store.valid[i][store.span] for i in alive], axis=0)
        # Compat pairs as published, which can leave prototypes that belong to no object.
        assert compat or needed.all()
        held = store.frame[store.working]
        assert set(held.tolist()) == set(memory.frames)
        assert (store.frame[store.long_term] == -1).all()
        assert store.start >= 0
        assert store.stop <= store.capacity


KEEPING = {'max_mid_term_frames': 4, 'min_mid_term_frames': 2, 'keep_corrected': True}


def write_corrected(memory, frame, *object_ids, corrected):
    values = values_of(frame, *object_ids)
    memory.write(frame, features_of(frame), values, object_ids, corrected)


def test_the_newest_correction_of_an_object_is_kept_for_ever():
    memory = memory_of(**KEEPING)
    write(memory, 0, 1)
    write_corrected(memory, 5, 1, corrected=[1])
    for frame in range(10, 60, 5):
        write(memory, frame, 1)
    assert memory.permanent_frames == (0, 5)
    write_corrected(memory, 60, 1, corrected=[1])
    for frame in range(65, 120, 5):
        write(memory, frame, 1)
    assert memory.permanent_frames == (0, 60)
    assert 5 not in memory.frames


def test_corrections_are_kept_while_there_is_room_and_never_before_first_frames():
    memory = memory_of(max_permanent_frames=2, **KEEPING)
    write(memory, 0, 1, 2, 3)
    for frame, object_id in ((5, 1), (10, 2), (15, 3)):
        write_corrected(memory, frame, 1, 2, 3, corrected=[object_id])
    assert memory.permanent_frames == (0, 15)
    write(memory, 20, 4)
    assert memory.permanent_frames == (0, 20)
    capacity = memory.size().capacity
    for frame in range(25, 200, 5):
        write_corrected(memory, frame, 1, 2, 3, 4, corrected=[1 + frame % 4])
    assert memory.size().capacity == capacity


def test_corrections_are_not_kept_unless_asked_for():
    memory = memory_of(max_mid_term_frames=4, min_mid_term_frames=2)
    write(memory, 0, 1)
    write_corrected(memory, 5, 1, corrected=[1])
    assert memory.permanent_frames == (0,)


def test_what_was_corrected_is_remembered_by_a_snapshot_and_by_a_file_and_goes_with_the_object():
    memory = memory_of(**KEEPING)
    write(memory, 0, 1, 2)
    write_corrected(memory, 5, 1, 2, corrected=[2])
    restored = memory.empty()
    restored.take(*memory.contents())
    assert restored.permanent_frames == (0, 5)
    snapshot = memory.snapshot()
    memory.remove((2,))
    assert memory.permanent_frames == (0,)
    assert snapshot.permanent_frames == (0, 5)
    tensors, facts = snapshot.contents()
    with pytest.raises(ValueError, match='corrected'):
        memory.empty().take(tensors, {**facts, 'corrected': {'9': 5}})
