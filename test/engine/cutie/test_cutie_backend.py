"""What is Cutie's own; what every tracker must do is in test_backend_contract.py."""

import pytest
import torch

from lazy_vos_ros.engine.backend import MemoryWrite
from lazy_vos_ros.engine.cutie.backend import CutieBackend
from lazy_vos_ros.engine.cutie.network import CutieNetwork
from lazy_vos_ros.engine.xmem.config import XMemConfig

pytestmark = pytest.mark.filterwarnings('ignore::FutureWarning:cutie')

SIZE = (48, 64)


def mask_at(top, left, size=SIZE):
    mask = torch.zeros(size, dtype=torch.bool)
    mask[top : top + 16, left : left + 16] = True
    return mask


def step(backend, image, masks=None, write=None, probabilities=None, **named):
    prediction = backend.predict(image)
    if masks:
        prediction = backend.add_objects(prediction, masks)
    write = write or (MemoryWrite.FORCED if masks else MemoryWrite.SCHEDULED)
    memorised = backend.commit(prediction, write, probabilities, **named)
    return prediction, memorised


def started(network, images, **settings):
    backend = CutieBackend(network, XMemConfig(**{'size': -1, **settings}))
    step(backend, images[0], {1: mask_at(8, 4), 2: mask_at(20, 40)})
    return backend


def corrected():
    probabilities = torch.zeros(3, *SIZE)
    probabilities[1] = mask_at(30, 30)
    probabilities[0] = 1 - probabilities[1]
    return probabilities


@pytest.mark.parametrize('name', ['compat', 'compile'])
def test_settings_of_xmem_alone_are_refused(name, network):
    with pytest.raises(ValueError, match=f'{name} is True; allowed with Cutie: False'):
        CutieBackend(network, XMemConfig(**{name: True}))


def test_frames_are_memorised_on_schedule(network, frames):
    backend = started(network, frames(1), mem_every=3)
    assert [step(backend, image)[1] for image in frames(7)] == [0, 0, 1, 0, 0, 1, 0]
    assert backend.memory.frames == (0, 3, 6)


def test_frozen_frames_hold_the_clock_and_blocked_ones_do_not(network, frames):
    images = frames(6)
    for write, due in ((MemoryWrite.FROZEN, [0, 0, 1]), (MemoryWrite.BLOCKED, [0, 1, 0])):
        backend = started(network, images, mem_every=3)
        assert not step(backend, images[1], write=write)[1]
        assert [step(backend, image)[1] for image in images[2:5]] == due


def test_late_memorising_equals_memorising_in_time(network, frames):
    images = frames(5)
    in_time, late = started(network, images), started(network, images)
    step(in_time, images[1], write=MemoryWrite.FORCED, probabilities=corrected())
    asked, _ = step(late, images[1])
    for image in images[2:]:
        step(late, image, write=MemoryWrite.FROZEN)
    hidden = late.sensory.hidden.clone()
    assert late.memorise(asked.frame, (1, 2), corrected())
    assert torch.equal(late.sensory.hidden, hidden)
    assert late.memory.frames == (0, 1)
    for object_id in (1, 2):
        got, want = (
            b.memory.store.values[object_id][b.memory.store.span] for b in (late, in_time)
        )
        torch.testing.assert_close(got, want)
    torch.testing.assert_close(late.memory.store.key, in_time.memory.store.key)
    # Both go on with the same object memory: what they see of one frame differs only by what
    # the frame before was.
    assert late.memory_size() == in_time.memory_size()


def test_deep_update_on_request(network, frames):
    images = frames(2)
    hidden = []
    for deep in (False, True):
        backend = started(network, images)
        step(backend, images[1], write=MemoryWrite.FORCED, deep_update=deep)
        hidden.append(backend.sensory.hidden.clone())
    assert not torch.allclose(*hidden)


def test_a_memorised_correction_is_the_last_mask_of_the_next_frame(network, frames):
    """Also where nothing else differs: the sensory memory is that of the prediction."""
    images = frames(3)
    runs = [started(network, images) for _ in range(2)]
    for backend, probabilities in zip(runs, (None, corrected()), strict=True):
        step(backend, images[1], write=MemoryWrite.FORCED, probabilities=probabilities)
    assert torch.equal(runs[0].sensory.hidden, runs[1].sensory.hidden)
    for backend in runs:
        backend.memorise(backend.predict(images[2]).frame, (1, 2), corrected())
    following = [backend._pending.probabilities for backend in runs]
    assert not torch.allclose(*following)


def test_objects_without_a_part_in_a_frame_keep_their_memory(network, frames):
    images = frames(4)
    backend = started(network, images)
    before = backend.sensory.hidden[:, 0].clone()
    step(backend, images[1], write=MemoryWrite.FORCED, without={1})
    store = backend.memory.store
    newest = store.frame[store.working] == 1
    assert store.valid[2][store.working][newest].all()
    assert not store.valid[1][store.working][newest].any()
    assert not torch.equal(backend.sensory.hidden[:, 0], before)
    frames_held = backend.memory.frames
    assert not step(backend, images[2], write=MemoryWrite.FORCED, without={1, 2})[1]
    assert backend.memory.frames == frames_held
    _, memorised = step(backend, images[3], {3: mask_at(0, 0)}, without={1, 2, 3})
    assert memorised
    assert not store.valid[1][store.working][store.frame[store.working] == 3].any()
    assert step(backend, images[3])[0].object_ids == (1, 2, 3)


def test_nan_of_the_network_changes_nothing(filled_model, frames):
    images = frames(3)
    backend = started(CutieNetwork(filled_model), images)
    use = backend.memory.store.use.clone()
    bias = filled_model.mask_decoder.pred.bias
    kept = bias.clone()
    try:
        bias.fill_(torch.nan)
        with pytest.raises(RuntimeError, match='prediction with NaN'):
            backend.predict(images[1])
    finally:
        bias.copy_(kept)
    assert torch.equal(backend.memory.store.use, use)
    assert backend.predict(images[1]).frame.index == 1


def test_nan_in_a_value_is_not_memorised(filled_model, frames):
    images = frames(3)
    backend = started(CutieNetwork(filled_model), images)
    bias = filled_model.mask_encoder.fuser.block2.conv2.bias
    kept = bias.clone()
    prediction = backend.predict(images[1])
    try:
        bias.fill_(torch.inf)
        with pytest.raises(RuntimeError, match='memory value with NaN'):
            backend.commit(prediction, MemoryWrite.FORCED)
    finally:
        bias.copy_(kept)
    assert backend.memory.frames == (0,)
    assert not backend.commit(prediction, MemoryWrite.BLOCKED)
    assert step(backend, images[2])[0].probabilities.isfinite().all()


def test_the_size_of_images_may_change(network, frames):
    backend = started(network, frames(1), mem_every=2)
    for size in ((48, 64), (96, 80), (33, 47), (200, 64), (48, 64)):
        for image in frames(2, *size):
            prediction, _ = step(backend, image)
            assert prediction.probabilities.shape == (3, *size)
            assert prediction.probabilities.isfinite().all()


def test_images_are_resized_for_the_network(network, frames):
    images = frames(2, 100, 150)
    backend = CutieBackend(network, XMemConfig(size=48))
    step(backend, images[0], {1: mask_at(20, 30, (100, 150))})
    prediction, _ = step(backend, images[1])
    assert prediction.probabilities.shape == (2, 100, 150)
    assert prediction.frame.features(network).size == (3, 5)


def test_frozen_frames_know_their_size(network, frames):
    backend = started(network, frames(1))
    image = frames(2)[1]
    frame = backend.predict(image).frame
    features = frame.features(network)
    parts = frame.maps.nbytes + frame.sensory.hidden.nbytes + features.nbytes
    assert frame.nbytes == image.nbytes + parts
    assert features.nbytes > 4 * features.key.f4.numel()


@pytest.mark.parametrize('precision', ['bf16', 'fp16'])
def test_half_precision(precision, filled_model, frames):
    images = frames(7)
    runs = []
    for chosen in ('fp32', precision):
        backend = started(
            CutieNetwork(filled_model),
            images,
            mem_every=2,
            precision=chosen,
            max_mid_term_frames=3,
            min_mid_term_frames=2,
        )
        runs.append([step(backend, image)[0].probabilities for image in images[1:]])
    exact, half = runs
    assert half[0].dtype == torch.float32
    assert backend.memory_size().long_term > 0
    assert all(tensor.isfinite().all() for tensor in half)
    # The gains of the random weights make every rounding loud.
    assert (half[0] - exact[0]).abs().mean() < 0.1
