"""What every tracker must do that stands under the lazy layer, the tests' own included."""

import numpy as np
import pytest
import torch
from small_cutie import small_model

from lazy_vos_ros.engine.backend import MemoryWrite
from lazy_vos_ros.engine.backend import ReplayableBackend
from lazy_vos_ros.engine.clicks import Click
from lazy_vos_ros.engine.config import LazyConfig
from lazy_vos_ros.engine.cutie.backend import CutieBackend
from lazy_vos_ros.engine.cutie.network import CutieNetwork
from lazy_vos_ros.engine.prompts import Prompt
from lazy_vos_ros.engine.refiners.oracle import OracleRefiner
from lazy_vos_ros.engine.results import EventKind
from lazy_vos_ros.engine.tracker import LazyTracker
from lazy_vos_ros.engine.xmem.backend import XMemBackend
from lazy_vos_ros.engine.xmem.compact import CompactConfig
from lazy_vos_ros.engine.xmem.compact import compact_network
from lazy_vos_ros.engine.xmem.config import XMemConfig

pytestmark = pytest.mark.filterwarnings('ignore::FutureWarning:cutie')

SIZE = (24, 48)
SETTINGS = XMemConfig(
    size=-1,
    mem_every=2,
    min_mid_term_frames=2,
    max_mid_term_frames=4,
    num_prototypes=8,
    max_long_term_elements=30,
)


@pytest.fixture(scope='module')
def xmem_network():
    with torch.random.fork_rng():
        torch.manual_seed(1)
        return compact_network(CompactConfig())


@pytest.fixture(scope='module')
def cutie_model():
    return small_model()


def maker(kind, request):
    """Return a function that makes a new tracker of a kind, with the same weights each time."""
    if kind == 'scripted':
        world = request.getfixturevalue('make_world')
        return lambda: world(objects=0).backend
    if kind == 'cutie':
        model = request.getfixturevalue('cutie_model')
        return lambda: CutieBackend(CutieNetwork(model), SETTINGS)
    network = request.getfixturevalue('xmem_network')
    return lambda: XMemBackend(network, SETTINGS)


@pytest.fixture(params=['xmem', 'cutie', 'scripted'])
def make(request):
    return maker(request.param, request)


@pytest.fixture(params=['xmem', 'cutie'])
def make_real(request):
    """Return the same for trackers that compute something; the tests' own does not."""
    return maker(request.param, request)


def image(seed):
    return np.random.default_rng(seed).integers(0, 256, (*SIZE, 3), dtype=np.uint8)


def mask_at(top, left):
    mask = torch.zeros(SIZE, dtype=torch.bool)
    mask[top : top + 8, left : left + 8] = True
    return mask


def step(backend, seed, masks=None, write=None, **arguments):
    """Track one frame; return the prediction and whether it was memorised."""
    prediction = backend.predict(image(seed))
    if masks:
        prediction = backend.add_objects(prediction, masks)
    write = write or (MemoryWrite.FORCED if masks else MemoryWrite.SCHEDULED)
    return prediction, backend.commit(prediction, write, **arguments)


def started(make, ids=(1, 2)):
    """Return a tracker after a first frame with two objects."""
    backend = make()
    step(backend, 0, dict(zip(ids, (mask_at(2, 2), mask_at(12, 30)), strict=True)))
    return backend


def check(prediction, ids):
    assert prediction.object_ids == ids
    assert prediction.probabilities.shape == (len(ids) + 1, *SIZE)
    assert prediction.probabilities.dtype == torch.float32
    assert not prediction.probabilities.requires_grad
    torch.testing.assert_close(prediction.probabilities.sum(0), torch.ones(SIZE))


def corrected(prediction, channel, mask):
    """Return the probabilities with one object put where `mask` says."""
    probabilities = torch.zeros_like(prediction.probabilities)
    probabilities[channel] = mask.float()
    probabilities[0] = 1 - probabilities[channel]
    return probabilities


def test_it_says_what_it_is(make):
    backend = make()
    assert backend.name
    assert backend.device == torch.device('cpu')
    assert backend.object_ids == ()


def test_without_objects_all_is_background(make):
    backend = make()
    prediction, memorised = step(backend, 0)
    check(prediction, ())
    assert memorised is False


def test_frames_are_counted_and_keep_their_image(make):
    backend = make()
    for index in range(3):
        given = image(index)
        prediction = backend.predict(given)
        assert prediction.frame.index == index
        assert prediction.frame.image is given
        assert prediction.frame.nbytes >= given.nbytes
        backend.commit(prediction)


def test_objects_are_where_they_were_given(make):
    backend = make()
    masks = {1: mask_at(2, 2), 2: mask_at(12, 30)}
    prediction, memorised = step(backend, 0, masks)
    check(prediction, (1, 2))
    assert memorised
    assert backend.object_ids == (1, 2)
    labels = prediction.probabilities.argmax(0)
    for channel, mask in enumerate(masks.values(), 1):
        assert torch.equal(labels == channel, mask)
    check(step(backend, 1)[0], (1, 2))


def test_an_object_added_later_takes_its_pixels(make):
    backend = started(make)
    step(backend, 1)
    prediction, memorised = step(backend, 2, {3: mask_at(4, 4)})
    check(prediction, (1, 2, 3))
    assert memorised
    assert (prediction.probabilities.argmax(0)[mask_at(4, 4)] == 3).all()
    check(step(backend, 3)[0], (1, 2, 3))


def test_predict_and_commit_take_turns(make):
    backend = started(make)
    prediction = backend.predict(image(1))
    with pytest.raises(RuntimeError, match='not committed'):
        backend.predict(image(2))
    backend.commit(prediction)
    check(step(backend, 2)[0], (1, 2))


def test_forced_frames_are_memorised_and_blocked_ones_are_not(make):
    backend = started(make)
    for seed in range(1, 8):
        write = [MemoryWrite.FORCED, MemoryWrite.BLOCKED, MemoryWrite.FROZEN][seed % 3]
        assert step(backend, seed, write=write)[1] == (write is MemoryWrite.FORCED)


def test_removed_objects_are_gone_and_the_others_go_on(make):
    backend = started(make)
    step(backend, 1)
    backend.remove_objects((1,))
    assert backend.object_ids == (2,)
    check(step(backend, 2)[0], (2,))
    backend.remove_objects((2,))
    check(step(backend, 3)[0], ())
    check(step(backend, 4, {3: mask_at(2, 2)})[0], (3,))
    check(step(backend, 5)[0], (3,))


def test_reset_starts_again(make):
    backend = started(make)
    first = step(backend, 1)[0].probabilities
    backend.predict(image(2))
    backend.reset()
    assert backend.object_ids == ()
    step(backend, 0, {1: mask_at(2, 2), 2: mask_at(12, 30)})
    again = step(backend, 1)[0]
    assert again.frame.index == 1
    assert torch.equal(again.probabilities, first)


def test_removing_an_unknown_object_removes_nothing(make_real):
    backend = started(make_real)
    with pytest.raises(KeyError, match='7'):
        backend.remove_objects((1, 7))
    assert backend.object_ids == (1, 2)
    prediction = backend.predict(image(1))
    with pytest.raises(RuntimeError, match='remove objects afterwards'):
        backend.remove_objects((1,))
    backend.commit(prediction)


def test_wrong_input_is_refused_and_changes_nothing(make_real):
    backend = started(make_real)
    for wrong in (np.zeros((4, 4), np.uint8), np.zeros((4, 4, 3)), np.zeros((0, 4, 3), np.uint8)):
        with pytest.raises(ValueError, match='image is'):
            backend.predict(wrong)
    prediction = backend.predict(image(1))
    with pytest.raises(ValueError, match='above 2'):
        backend.add_objects(prediction, {2: mask_at(0, 0)})
    with pytest.raises(ValueError, match='mask of object 3'):
        backend.add_objects(prediction, {3: mask_at(0, 0).float()})
    with pytest.raises(ValueError, match=r'probabilities are \(1, 24, 48\)'):
        backend.commit(prediction, MemoryWrite.FORCED, torch.zeros(1, *SIZE))
    assert backend.commit(prediction) is False
    with pytest.raises(RuntimeError, match='does not wait'):
        backend.commit(prediction)
    check(step(backend, 2)[0], (1, 2))


def test_names_of_objects_change_no_number(make_real):
    runs = {ids: started(make_real, ids) for ids in ((1, 2), (4, 9), (2, 700))}
    for seed in range(1, 7):
        later = {ids: {ids[1] + 5: mask_at(8, 20)} if seed == 3 else None for ids in runs}
        results = [step(runs[ids], seed, later[ids])[0].probabilities for ids in runs]
        assert torch.equal(results[0], results[1])
        assert torch.equal(results[0], results[2])
    for ids, backend in runs.items():
        backend.remove_objects(ids[:1])
    results = [step(backend, 7)[0] for backend in runs.values()]
    assert torch.equal(results[0].probabilities, results[1].probabilities)
    assert results[1].object_ids == (9, 14)


def test_a_correction_changes_the_memory_and_what_follows(make_real):
    plain, helped = started(make_real), started(make_real)
    step(plain, 1, write=MemoryWrite.FORCED)
    prediction = helped.predict(image(1))
    better = corrected(prediction, 1, mask_at(14, 4))
    assert helped.commit(prediction, MemoryWrite.FORCED, better)
    assert plain.memory_size().working == helped.memory_size().working
    following = [step(backend, 2)[0].probabilities for backend in (plain, helped)]
    assert not torch.allclose(*following)


def test_a_late_correction_enters_the_memory_with_its_own_frame(make_real):
    late, never = started(make_real), started(make_real)
    old = None
    for backend in (late, never):
        old, _ = step(backend, 1, write=MemoryWrite.FROZEN)
        for seed in range(2, 6):
            step(backend, seed, write=MemoryWrite.FROZEN)
        if backend is late:
            before = backend.memory_size().working
            better = corrected(old, 1, mask_at(14, 4))
            assert backend.memorise(old.frame, (1, 2), better)
            cells = backend.memory_size().working - before
            assert cells == before  # the memory held one frame until now
    following = [step(backend, 6)[0].probabilities for backend in (late, never)]
    assert not torch.allclose(*following)


def test_a_late_correction_replaces_what_the_memory_holds_of_the_frame(make_real):
    twice, once = started(make_real), started(make_real)
    better = None
    for backend in (twice, once):
        prediction = backend.predict(image(1))
        better = corrected(prediction, 2, mask_at(2, 38))
        backend.commit(prediction, MemoryWrite.FORCED, better)
        size = backend.memory_size()
        if backend is twice:
            worse = corrected(prediction, 2, mask_at(14, 4))
            assert backend.memorise(prediction.frame, (1, 2), worse)
            assert backend.memorise(prediction.frame, (1, 2), better)
        assert backend.memory_size() == size
    following = [step(backend, 2)[0].probabilities for backend in (twice, once)]
    torch.testing.assert_close(*following, rtol=1e-4, atol=1e-4)


def test_a_late_correction_knows_who_is_left(make_real):
    backend = started(make_real)
    old, _ = step(backend, 1)
    step(backend, 2, {3: mask_at(4, 4)})
    backend.remove_objects((1,))
    assert backend.memorise(old.frame, (1, 2), old.probabilities)
    check(step(backend, 3)[0], (2, 3))
    backend.remove_objects((2,))
    assert not backend.memorise(old.frame, (1, 2), old.probabilities)
    check(step(backend, 4)[0], (3,))
    with pytest.raises(ValueError, match='probabilities are'):
        backend.memorise(old.frame, (1, 2), old.probabilities[:2])
    with pytest.raises(ValueError, match='frame is object'):
        backend.memorise(object(), (1, 2), old.probabilities)


def test_an_object_left_out_of_a_frame_does_not_learn_from_it(make_real):
    """What the frame was said to be has no effect on it; on the other object it has."""
    runs = [started(make_real) for _ in range(2)]
    for backend, place in zip(runs, ((14, 4), (2, 38)), strict=True):
        prediction = backend.predict(image(1))
        probabilities = torch.zeros_like(prediction.probabilities)
        probabilities[2] = mask_at(*place)
        probabilities[0] = 1 - probabilities[2]
        assert backend.commit(prediction, MemoryWrite.FORCED, probabilities, without=(1,))
    following = [step(backend, 2)[0] for backend in runs]
    check(following[0], (1, 2))
    assert not torch.allclose(following[0].probabilities[2], following[1].probabilities[2])
    everybody = started(make_real)
    assert not step(everybody, 1, write=MemoryWrite.FORCED, without=(1, 2))[1]
    check(step(everybody, 2)[0], (1, 2))


def test_a_tracker_goes_back_to_an_earlier_moment_any_number_of_times(make_real):
    backend = started(make_real)
    assert isinstance(backend, ReplayableBackend)
    step(backend, 1)
    between = backend.snapshot()
    prediction = backend.predict(image(2))
    amid = backend.snapshot()
    assert amid.nbytes > between.nbytes > 0
    backend.commit(prediction)
    size = backend.memory_size()
    wanted = [step(backend, seed)[0].probabilities for seed in range(3, 9)]
    for moment in (amid, between, amid):
        step(backend, 20, {10: mask_at(8, 20)}, write=MemoryWrite.FORCED)
        backend.remove_objects((1,))
        backend.restore(moment)
        assert backend.object_ids == (1, 2)
        if moment is amid:
            backend.commit(prediction)
        else:
            step(backend, 2)
        assert backend.memory_size() == size
        again = [step(backend, seed)[0].probabilities for seed in range(3, 9)]
        assert all(torch.equal(one, other) for one, other in zip(wanted, again, strict=True))
    with pytest.raises(ValueError, match='snapshot is object'):
        backend.restore(object())


def test_the_memory_is_bounded(make_real):
    backend = started(make_real)
    capacity = backend.memory_size().capacity
    frames, sizes = [], []
    for seed in range(1, 41):
        adds = {3 + seed // 13: mask_at(2, seed)} if seed % 13 == 0 else None
        prediction, _ = step(backend, seed, adds)
        frames.append(prediction)
        if seed % 7 == 0:
            old = frames[-3]
            backend.memorise(old.frame, old.object_ids, old.probabilities)
        sizes.append(backend.memory_size())
        assert sizes[-1].working + sizes[-1].long_term <= capacity == sizes[-1].capacity
    assert sizes[-1].long_term > 0
    # Bytes grow with the three objects added on the way, and with nothing else.
    assert max(size.nbytes for size in sizes[:12]) <= 1.2 * sizes[6].nbytes
    assert sizes[-1].nbytes < 3.5 * sizes[6].nbytes


@pytest.mark.parametrize('late', ['memory', 'replay'])
def test_the_lazy_layer_needs_to_know_nothing_more(make_real, late):
    """Objects, questions, late answers and removal, end to end, with the true masks."""
    truth = np.zeros(SIZE, np.uint16)
    truth[2:10, 2:10], truth[12:20, 30:38] = 1, 2
    refiner = OracleRefiner(lambda frame, object_id: truth == object_id)
    # Whatever it sees, it asks: the weights are random.
    config = LazyConfig(
        trigger='level',
        tau_u=0.0,
        tau_p=0.0,
        tau_m=2.0,
        pseudo_corrections=False,
        question_cooldown=100.0,
        late=late,
        replay_seconds=100.0,
    )
    tracker = LazyTracker(make_real(), refiner, config)
    tracker.add_objects(image(0), [Prompt(mask=truth == 1), Prompt(mask=truth == 2)])
    for seed in range(1, 6):
        result = tracker.step(image(seed))
        assert result.labels.shape == SIZE
        assert np.isfinite(result.entropy).all()
    asked = {request.object_id: request for request in tracker.open_requests}
    assert set(asked) == {1, 2}
    event = tracker.answer(asked[2].request_id, Click(34, 16))
    assert event.kind is EventKind.ANSWERED
    assert event.frame_index < 5
    assert event.reason == ''
    repaired = tracker.catch_up()
    if late == 'replay':
        assert [frame.frame_index for frame in repaired] == list(range(event.frame_index, 5 + 1))
    tracker.remove_object(1)
    result = tracker.step(image(6))
    assert set(np.unique(result.labels)) <= {0, 2}
    assert (EventKind.REPLAYED in {e.kind for e in result.events}) == (late == 'replay')
    assert tracker.add_object(image(7), mask=truth == 1) == 3
    tracker.reset()
    assert tracker.memory_size().working == 0


def test_a_frame_can_be_given_up(make):
    backend = make()
    backend.discard()
    first = backend.predict(image(0))
    backend.add_objects(first, {1: mask_at(4, 4)})
    backend.discard()
    assert backend.object_ids == ()
    backend.discard()
    second = backend.add_objects(backend.predict(image(1)), {1: mask_at(4, 4)})
    assert second.frame.index == first.frame.index + 1
    backend.commit(second, MemoryWrite.FORCED)
    assert backend.object_ids == (1,)
