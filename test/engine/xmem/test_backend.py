from dataclasses import replace

import numpy as np
import pytest
import torch

from lazy_vos_ros.engine.backend import Backend
from lazy_vos_ros.engine.backend import MemoryWrite
from lazy_vos_ros.engine.xmem.backend import XMemBackend
from lazy_vos_ros.engine.xmem.config import XMemConfig
from lazy_vos_ros.engine.xmem.frame import XMemFrame

SIZE = (48, 64)


def mask_at(y, x, size=SIZE):
    mask = torch.zeros(size, dtype=torch.bool)
    mask[y : y + 16, x : x + 16] = True
    return mask


def make(network, **settings):
    return XMemBackend(network, XMemConfig(**{'size': -1, **settings}))


def step(backend, image, masks=None, write=MemoryWrite.SCHEDULED, **options):
    prediction = backend.predict(image)
    if masks:
        prediction = backend.add_objects(prediction, masks)
    return prediction, backend.commit(prediction, write, **options)


def started(network, images, **settings):
    """A backend after the first image with two objects."""
    backend = make(network, **settings)
    step(backend, images[0], {1: mask_at(8, 4), 2: mask_at(20, 40)})
    return backend


def check(prediction, object_ids, size=SIZE):
    assert prediction.object_ids == object_ids
    assert prediction.probabilities.shape == (len(object_ids) + 1, *size)
    assert prediction.probabilities.dtype == torch.float32
    torch.testing.assert_close(prediction.probabilities.sum(0), torch.ones(size))


def test_it_is_a_backend(tiny_network):
    backend: Backend = make(tiny_network)
    assert backend.name == 'XMem'
    assert backend.device == torch.device('cpu')


def test_without_objects_all_is_background_and_the_network_rests(tiny_network, frames):
    backend = make(tiny_network)
    backend.network.key_encoder.forward = None
    for image in frames(3):
        prediction, memorised = step(backend, image)
        check(prediction, ())
        assert not memorised
    assert backend.memory_size().nbytes == 0


def test_a_given_mask_is_returned_and_memorised(tiny_network, frames):
    images = frames(2)
    backend = make(tiny_network)
    prediction, memorised = step(backend, images[0], {1: mask_at(8, 4), 2: mask_at(20, 40)})
    check(prediction, (1, 2))
    assert memorised
    labels = prediction.probabilities.argmax(0)
    assert torch.equal(labels == 1, mask_at(8, 4))
    assert torch.equal(labels == 2, mask_at(20, 40))
    check(step(backend, images[1])[0], (1, 2))
    assert backend.object_ids == (1, 2)


def test_frames_are_memorised_on_schedule(tiny_network, frames):
    backend = started(tiny_network, frames(1), mem_every=3)
    assert [step(backend, image)[1] for image in frames(7)] == [0, 0, 1, 0, 0, 1, 0]
    assert backend.memory.frames == (0, 3, 6)


def test_forced_writes_restart_the_schedule(tiny_network, frames):
    images = frames(6)
    backend = started(tiny_network, images, mem_every=3)
    step(backend, images[1])
    assert step(backend, images[2], write=MemoryWrite.FORCED)[1]
    assert [step(backend, image)[1] for image in images[3:6]] == [0, 0, 1]


def test_frozen_frames_hold_the_clock_and_blocked_ones_do_not(tiny_network, frames):
    images = frames(6)
    for write, due in ((MemoryWrite.FROZEN, [0, 0, 1]), (MemoryWrite.BLOCKED, [0, 1, 0])):
        backend = started(tiny_network, images, mem_every=3)
        assert not step(backend, images[1], write=write)[1]
        assert [step(backend, image)[1] for image in images[2:5]] == due


@pytest.mark.parametrize('write', [MemoryWrite.FROZEN, MemoryWrite.BLOCKED])
def test_a_due_write_that_is_kept_out_stays_due(write, tiny_network, frames):
    images = frames(6)
    backend = started(tiny_network, images, mem_every=2)
    step(backend, images[1])
    assert not step(backend, images[2], write=write)[1]
    assert not step(backend, images[3], write=write)[1]
    assert step(backend, images[4])[1]


def test_sensory_memory_goes_on_while_frames_are_kept_out(tiny_network, frames):
    for compat in (False, True):
        images = frames(4)
        backend = started(tiny_network, images, mem_every=1, compat=compat)
        before = backend.sensory.hidden.clone()
        step(backend, images[1], write=MemoryWrite.FROZEN)
        assert torch.equal(backend.sensory.hidden, before) == compat


def test_a_correction_is_memorised_in_place_of_the_prediction(tiny_network, frames):
    images = frames(3)
    corrected = torch.zeros(3, *SIZE)
    corrected[1] = mask_at(30, 30)
    corrected[0] = 1 - corrected[1]
    values = []
    for probabilities in (None, corrected):
        backend = started(tiny_network, images)
        step(backend, images[1], write=MemoryWrite.FORCED, probabilities=probabilities)
        store = backend.memory.store
        values.append(store.values[1][store.working][-12:].clone())
    assert not torch.allclose(*values)


def test_deep_update_on_request(tiny_network, frames):
    images = frames(2)
    hidden = []
    for deep in (False, True):
        backend = started(tiny_network, images)
        step(backend, images[1], write=MemoryWrite.FORCED, deep_update=deep)
        hidden.append(backend.sensory.hidden.clone())
    assert not torch.allclose(*hidden)


def test_an_object_added_later_takes_its_pixels(tiny_network, frames):
    images = frames(4)
    backend = make(tiny_network)
    step(backend, images[0], {1: mask_at(8, 4)})
    step(backend, images[1])
    prediction, memorised = step(backend, images[2], {5: mask_at(8, 8)})
    check(prediction, (1, 5))
    assert memorised
    assert (prediction.probabilities.argmax(0)[mask_at(8, 8)] == 2).all()
    assert prediction.probabilities[1][mask_at(8, 8)].max() < 1e-10
    check(step(backend, images[3])[0], (1, 5))


def test_adding_in_two_calls_on_one_frame(tiny_network, frames):
    backend = make(tiny_network)
    prediction = backend.predict(frames(1)[0])
    prediction = backend.add_objects(prediction, {2: mask_at(0, 0)})
    prediction = backend.add_objects(prediction, {3: mask_at(20, 40)})
    check(prediction, (2, 3))
    assert backend.commit(prediction, MemoryWrite.FORCED)


def test_wrong_objects_are_refused(tiny_network, frames):
    images = frames(2)
    backend = started(tiny_network, images)
    backend.remove_objects((2,))
    prediction = backend.predict(images[1])
    for object_id in (0, 1, 2):
        with pytest.raises(ValueError, match='above 2'):
            backend.add_objects(prediction, {object_id: mask_at(0, 0)})
    with pytest.raises(ValueError, match='mask of object 3'):
        backend.add_objects(prediction, {3: mask_at(0, 0, (10, 10))})
    with pytest.raises(ValueError, match='mask of object 3'):
        backend.add_objects(prediction, {3: mask_at(0, 0).float()})
    assert backend.commit(prediction) is False
    assert backend.object_ids == (1,)


def test_a_frame_with_new_objects_cannot_be_kept_out(tiny_network, frames):
    backend = make(tiny_network)
    prediction = backend.add_objects(backend.predict(frames(1)[0]), {1: mask_at(0, 0)})
    with pytest.raises(ValueError, match='brings objects'):
        backend.commit(prediction, MemoryWrite.FROZEN)
    assert backend.commit(prediction)


def test_predict_and_commit_take_turns(tiny_network, frames):
    images = frames(3)
    backend = started(tiny_network, images)
    prediction = backend.predict(images[1])
    with pytest.raises(RuntimeError, match='not committed'):
        backend.predict(images[2])
    with pytest.raises(RuntimeError, match='remove objects afterwards'):
        backend.remove_objects((1,))
    backend.commit(replace(prediction, probabilities=prediction.probabilities.clone()))
    with pytest.raises(RuntimeError, match='does not wait'):
        backend.commit(prediction)


@pytest.mark.parametrize(
    'image', [np.zeros((4, 4), np.uint8), np.zeros((4, 4, 3)), np.zeros((0, 4, 3), np.uint8)]
)
def test_a_bad_image_changes_nothing(image, tiny_network, frames):
    backend = started(tiny_network, frames(1))
    with pytest.raises(ValueError, match='image is'):
        backend.predict(image)
    assert backend.predict(frames(1)[0]).frame.index == 1


def test_nan_of_the_network_changes_nothing(tiny_network, frames):
    images = frames(3)
    backend = started(tiny_network, images)
    use = backend.memory.store.use.clone()
    bias = backend.network.decoder.pred.bias
    bias.fill_(torch.nan)
    with pytest.raises(RuntimeError, match='prediction with NaN'):
        backend.predict(images[1])
    bias.fill_(0)
    assert torch.equal(backend.memory.store.use, use)
    assert backend.predict(images[1]).frame.index == 1


def test_nan_in_a_value_is_not_memorised(tiny_network, frames):
    images = frames(3)
    backend = started(tiny_network, images)
    bias = backend.network.value_encoder.stem.bias
    bias.fill_(torch.inf)
    prediction = backend.predict(images[1])
    with pytest.raises(RuntimeError, match='memory value with NaN'):
        backend.commit(prediction, MemoryWrite.FORCED)
    assert backend.memory.frames == (0,)
    assert not backend.commit(prediction, MemoryWrite.BLOCKED)
    check(step(backend, images[2])[0], (1, 2))


def test_late_memorising_equals_memorising_in_time(tiny_network, frames):
    images = frames(4)
    corrected = torch.zeros(3, *SIZE)
    corrected[1] = mask_at(30, 30)
    in_time = started(tiny_network, images)
    step(in_time, images[1], write=MemoryWrite.FORCED, probabilities=corrected)
    late = started(tiny_network, images)
    asked, _ = step(late, images[1])
    for image in images[2:]:
        step(late, image)
    hidden = late.sensory.hidden.clone()
    assert late.memorise(asked.frame, (1, 2), corrected)
    assert torch.equal(late.sensory.hidden, hidden)
    assert late.memory.frames == (0, 1)
    for object_id in (1, 2):
        got, want = (
            b.memory.store.values[object_id][b.memory.store.span] for b in (late, in_time)
        )
        torch.testing.assert_close(got, want)
    torch.testing.assert_close(late.memory.store.key, in_time.memory.store.key)


def test_late_memorising_replaces_what_was_memorised(tiny_network, frames):
    images = frames(3)
    backend = started(tiny_network, images, mem_every=1)
    asked, memorised = step(backend, images[1])
    assert memorised
    step(backend, images[2])
    store = backend.memory.store
    elements = store.boundary + np.flatnonzero(store.frame[store.working] == 1)
    size, before = backend.memory_size(), store.values[1][elements].clone()
    corrected = torch.zeros(3, *SIZE)
    corrected[1] = mask_at(30, 30)
    assert backend.memorise(asked.frame, (1, 2), corrected)
    assert backend.memory_size() == size
    assert not torch.allclose(store.values[1][elements], before)


def test_late_memorising_knows_which_objects_are_left(tiny_network, frames):
    images = frames(4)
    backend = started(tiny_network, images)
    asked, _ = step(backend, images[1])
    step(backend, images[2], {3: mask_at(0, 40)})
    backend.remove_objects((1,))
    assert backend.memorise(asked.frame, (1, 2), torch.rand(3, *SIZE))
    store = backend.memory.store
    assert set(store.valid) == {2, 3}
    rows = store.frame[store.working] == 1
    assert store.valid[2][store.working][rows].all()
    assert not store.valid[3][store.working][rows].any()
    backend.remove_objects((2,))
    assert not backend.memorise(asked.frame, (1, 2), torch.rand(3, *SIZE))
    check(step(backend, images[3])[0], (3,))


def test_late_memorising_checks_its_input(tiny_network, frames):
    images = frames(2)
    backend = started(tiny_network, images)
    asked, _ = step(backend, images[1])
    with pytest.raises(ValueError, match=r'probabilities are \(2, 48, 64\)'):
        backend.memorise(asked.frame, (1, 2), torch.rand(2, *SIZE))
    with pytest.raises(ValueError, match='frame is object'):
        backend.memorise(object(), (1, 2), torch.rand(3, *SIZE))
    with pytest.raises(ValueError, match='probabilities are'):
        step(backend, images[1], write=MemoryWrite.FORCED, probabilities=torch.rand(3, 5, 5))


def test_frozen_frames_know_their_size_and_share_features(tiny_network, frames):
    backend = started(tiny_network, frames(1))
    image = frames(2)[1]
    frame = backend.predict(image).frame
    assert isinstance(frame, XMemFrame)
    assert frame.index == 1
    assert frame.image is image
    features = frame.features
    tensors = [features.key, features.shrinkage, features.selection]
    tensors += [features.f16, features.f8, features.f4, frame.maps, frame.sensory.hidden]
    assert frame.nbytes == image.nbytes + sum(t.nbytes for t in tensors)
    assert features.f4.shape[-2:] == (12, 16)


def test_features_of_a_frame_without_objects_are_there_when_asked_for(tiny_network, frames):
    backend = make(tiny_network)
    frame = backend.predict(frames(1)[0]).frame
    before = frame.nbytes
    assert frame.features.key.shape == (1, 6, 3, 4)
    assert frame.nbytes > before


def test_removing_objects(tiny_network, frames):
    images = frames(5)
    backend = started(tiny_network, images)
    with pytest.raises(KeyError, match='7'):
        backend.remove_objects((1, 7))
    assert backend.object_ids == (1, 2)
    before = backend.memory_size().nbytes
    backend.remove_objects((1,))
    assert backend.memory_size().nbytes < before
    check(step(backend, images[1])[0], (2,))
    backend.remove_objects((2,))
    assert backend.memory_size().working == 0
    check(step(backend, images[2])[0], ())
    step(backend, images[3], {3: mask_at(8, 8)})
    check(step(backend, images[4])[0], (3,))


def test_the_other_object_is_not_changed_by_a_removal(tiny_network, frames):
    """With values of its own, an object reads the same whoever else is there."""
    images = frames(2)
    both = started(tiny_network, images)
    rest = started(tiny_network, images)
    rest.remove_objects((2,))
    hidden = [b.predict(images[1]).frame.sensory.hidden[:, 0] for b in (both, rest)]
    torch.testing.assert_close(*hidden)


def test_reset_starts_again(tiny_network, frames):
    images = frames(4)
    backend = started(tiny_network, images)
    first = step(backend, images[1])[0].probabilities
    backend.predict(images[2])
    backend.reset()
    assert backend.object_ids == ()
    assert backend.memory_size().nbytes == 0
    step(backend, images[0], {1: mask_at(8, 4), 2: mask_at(20, 40)})
    again = step(backend, images[1])[0]
    assert again.frame.index == 1
    assert torch.equal(again.probabilities, first)


def test_memory_is_bounded_over_a_long_stream(tiny_network, frames):
    images = frames(20)
    backend = started(
        tiny_network,
        images,
        mem_every=1,
        max_mid_term_frames=4,
        min_mid_term_frames=2,
        num_prototypes=8,
        max_long_term_elements=40,
    )
    first = backend.memory_size()
    most = 0
    for t in range(300):
        step(backend, images[t % 20])
        size = backend.memory_size()
        assert (size.nbytes, size.capacity) == (first.nbytes, first.capacity)
        assert size.long_term <= 40
        assert size.working <= 3 * 12
        most = max(most, size.long_term)
    assert most > 32


def test_the_size_of_images_may_change(tiny_network, frames):
    backend = started(tiny_network, frames(1), mem_every=2)
    for size in ((48, 64), (96, 80), (33, 47), (200, 64), (48, 64)):
        for image in frames(3, *size):
            check(step(backend, image)[0], (1, 2), size)
    assert backend.memory.frames[0] == 0


def test_images_are_resized_for_the_network(tiny_network, frames):
    big = frames(2, 100, 150)
    backend = make(tiny_network, size=48)
    prediction, _ = step(backend, big[0], {1: mask_at(20, 30, (100, 150))})
    check(prediction, (1,), (100, 150))
    assert prediction.frame.features.size == (3, 5)
    check(step(backend, big[1])[0], (1,), (100, 150))


@pytest.mark.parametrize('precision', ['bf16', 'fp16'])
def test_half_precision(precision, tiny_network, frames):
    images = frames(8)
    exact = started(tiny_network, images, mem_every=2)
    want = [step(exact, image)[0].probabilities for image in images[1:]]
    backend = started(
        tiny_network,
        images,
        mem_every=2,
        precision=precision,
        max_mid_term_frames=3,
        min_mid_term_frames=2,
    )
    half = [step(backend, image)[0].probabilities for image in images[1:]]
    assert half[0].dtype == torch.float32
    assert backend.memory_size().long_term > 0
    assert (half[0] - want[0]).abs().max() < 0.05
    assert all(tensor.isfinite().all() for tensor in half)


def test_own_interval_of_deep_updates(tiny_network, frames):
    images = frames(8)
    backend = started(tiny_network, images, mem_every=2, deep_update_every=4)
    for image in images[1:]:
        check(step(backend, image)[0], (1, 2))


def test_nothing_is_tracked_by_autograd(tiny_network, frames):
    images = frames(2)
    backend = started(tiny_network, images)
    prediction, _ = step(backend, images[1])
    assert not prediction.probabilities.requires_grad
    assert not backend.sensory.hidden.requires_grad
    assert not any(p.requires_grad for p in backend.network.parameters())
