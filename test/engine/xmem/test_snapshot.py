"""Going back to an earlier moment of the tracker."""

import numpy as np
import pytest
import torch

from lazy_vos_ros.engine.backend import MemoryWrite
from lazy_vos_ros.engine.backend import ReplayableBackend
from lazy_vos_ros.engine.xmem.backend import XMemBackend
from lazy_vos_ros.engine.xmem.config import XMemConfig

CONFIGS = {
    'long-term': XMemConfig(
        size=-1,
        mem_every=2,
        max_mid_term_frames=4,
        min_mid_term_frames=2,
        num_prototypes=4,
        max_long_term_elements=12,
    ),
    'working only': XMemConfig(size=-1, mem_every=2, long_term=False, max_working_frames=3),
}


def _mask(left):
    mask = torch.zeros(48, 64, dtype=torch.bool)
    mask[8:24, left : left + 16] = True
    return mask


@pytest.fixture(params=CONFIGS)
def backend(request, tiny_network):
    return XMemBackend(tiny_network, CONFIGS[request.param])


def _begin(backend, image):
    prediction = backend.predict(image)
    prediction = backend.add_objects(prediction, {1: _mask(4), 2: _mask(30)})
    backend.commit(prediction, MemoryWrite.FORCED)


def _run(backend, images, write=MemoryWrite.SCHEDULED):
    found = []
    for image in images:
        prediction = backend.predict(image)
        backend.commit(prediction, write)
        found.append(prediction.probabilities.numpy().copy())
    return np.stack(found)


def test_is_replayable(backend):
    assert isinstance(backend, ReplayableBackend)


def test_what_happens_later_does_not_change_a_snapshot(backend, frames):
    images = frames(18)
    _begin(backend, images[0])
    _run(backend, images[1:6])
    snapshot = backend.snapshot()
    size = backend.memory_size()
    expected = _run(backend, images[6:])  # with consolidations and forgetting
    backend.remove_objects((1,))
    for _ in range(2):
        backend.restore(snapshot)
        assert backend.object_ids == (1, 2)
        assert (backend.memory_size().working, backend.memory_size().long_term) == (
            size.working,
            size.long_term,
        )
        np.testing.assert_array_equal(_run(backend, images[6:]), expected)


def test_two_courses_do_not_disturb_each_other(backend, frames):
    images = frames(13)
    _begin(backend, images[0])
    _run(backend, images[1:4])
    start = backend.snapshot()
    calm = _run(backend, images[4:])
    backend.restore(start)
    eager = _run(backend, images[4:], MemoryWrite.FORCED)
    assert np.abs(calm - eager).max() > 1e-4

    courses = {MemoryWrite.SCHEDULED: start, MemoryWrite.FORCED: start}
    found = {write: [] for write in courses}
    for image in images[4:]:
        for write in courses:
            backend.restore(courses[write])
            found[write].append(_run(backend, [image], write)[0])
            courses[write] = backend.snapshot()
    np.testing.assert_array_equal(np.stack(found[MemoryWrite.SCHEDULED]), calm)
    np.testing.assert_array_equal(np.stack(found[MemoryWrite.FORCED]), eager)


def test_late_write_into_a_held_frame_leaves_the_snapshot_alone(backend, frames):
    images = frames(8)
    _begin(backend, images[0])
    _run(backend, images[1:2])
    prediction = backend.predict(images[2])
    backend.commit(prediction, MemoryWrite.FORCED)
    snapshot = backend.snapshot()
    expected = _run(backend, images[3:])
    backend.restore(snapshot)
    changed = prediction.probabilities.flip(0)
    assert backend.memorise(prediction.frame, (1, 2), changed)
    assert np.abs(_run(backend, images[3:]) - expected).max() > 1e-5
    backend.restore(snapshot)
    np.testing.assert_array_equal(_run(backend, images[3:]), expected)


def test_between_predict_and_commit(backend, frames):
    images = frames(10)
    _begin(backend, images[0])
    prediction = backend.predict(images[1])
    snapshot = backend.snapshot()
    backend.commit(prediction)
    expected = _run(backend, images[2:])
    backend.restore(snapshot)
    with pytest.raises(RuntimeError, match='not committed'):
        backend.predict(images[2])
    backend.commit(prediction)
    np.testing.assert_array_equal(_run(backend, images[2:]), expected)


def test_snapshot_copies_nothing_big_and_appending_goes_on_in_place(backend, frames):
    images = frames(6)
    _begin(backend, images[0])
    store = backend.memory.store
    before = [store.key.data_ptr(), *(v.data_ptr() for v in store.values.values())]
    snapshot = backend.snapshot()
    held = snapshot.memory.store
    assert [held.key.data_ptr(), *(v.data_ptr() for v in held.values.values())] == before
    _run(backend, images[1:3])  # memorises one frame
    assert [store.key.data_ptr(), *(v.data_ptr() for v in store.values.values())] == before
    assert snapshot.nbytes >= store.nbytes


def test_snapshot_of_an_empty_tracker(backend, frames):
    images = frames(3)
    snapshot = backend.snapshot()
    _begin(backend, images[0])
    backend.restore(snapshot)
    assert backend.object_ids == ()
    _begin(backend, images[0])


def test_snapshot_of_another_tracker_is_refused(backend):
    with pytest.raises(ValueError, match='str'):
        backend.restore('yesterday')


def test_objects_that_are_left_out_are_not_memorised(backend, frames):
    images = frames(4)
    _begin(backend, images[0])
    prediction = backend.predict(images[1])
    assert backend.commit(prediction, MemoryWrite.FORCED, without=(1,))
    store = backend.memory.store
    cells = 48 // 16 * 64 // 16
    assert int(store.valid[1].sum()) == cells
    assert int(store.valid[2].sum()) == 2 * cells
    prediction = backend.predict(images[2])
    working = backend.memory_size().working
    assert not backend.commit(prediction, MemoryWrite.FORCED, without=(1, 2))
    assert backend.memory_size().working == working
    assert backend.predict(images[3]).object_ids == (1, 2)
