"""Late answers with replay: as if the answer had come at once."""

import numpy as np
import pytest
import torch

from lazy_vos_ros.engine.clicks import Click
from lazy_vos_ros.engine.config import LazyConfig
from lazy_vos_ros.engine.prompts import Prompt
from lazy_vos_ros.engine.refiners.base import RefinedMask
from lazy_vos_ros.engine.results import Absent
from lazy_vos_ros.engine.results import EventKind
from lazy_vos_ros.engine.results import FrameResult
from lazy_vos_ros.engine.tracker import LazyTracker
from lazy_vos_ros.engine.xmem.backend import XMemBackend
from lazy_vos_ros.engine.xmem.config import XMemConfig

CLICK = Click(30, 20)
# Asks once about every object: in the first frame after it appeared in which it may.
ASK_ONCE = {
    'trigger': 'level',
    'tau_u': 0.0,
    'tau_p': 0.0,
    'question_cooldown': 1e6,
    'pseudo_corrections': False,
    'replay_seconds': float('inf'),
}
CONFIG = XMemConfig(
    size=-1,
    mem_every=2,
    max_mid_term_frames=4,
    min_mid_term_frames=2,
    num_prototypes=4,
    max_long_term_elements=12,
)


class Boxes:
    """Makes a box of 16 x 16 pixels around the last click."""

    name = 'boxes'

    def refine(self, frame, clicks, *, object_id, prior=None):
        row, column = clicks[-1].pixel
        mask = torch.zeros(frame.image.shape[:2], dtype=torch.bool)
        mask[max(0, row - 8) : row + 8, max(0, column - 8) : column + 8] = True
        return RefinedMask(mask, 0.5)


@pytest.fixture
def make_tracker(tiny_network, frames):
    images = frames(20)

    def make(objects=1, operator=None, **settings):
        settings = {**ASK_ONCE, 'late': 'replay', **settings}
        backend = XMemBackend(tiny_network, CONFIG)
        tracker = LazyTracker(backend, Boxes(), LazyConfig(**settings), operator=operator)
        tracker.images = images
        tracker.add_objects(images[0], [Prompt(mask=_box(i)) for i in range(objects)])
        return tracker

    return make


def _box(number):
    mask = np.zeros((48, 64), bool)
    mask[8:24, 4 + 24 * number :][:, :16] = True
    return mask


def _go(tracker, first, end):
    """Track through the images from `first` up to, without, `end`; return all results."""
    return [tracker.step(tracker.images[index]) for index in range(first, end)]


def _kinds(results):
    return [event.kind for result in results for event in result.events]


def _same(results, expected):
    for result, other in zip(results, expected, strict=True):
        np.testing.assert_array_equal(result.labels, other.labels, str(other.frame_index))
        if isinstance(result, FrameResult):
            np.testing.assert_array_equal(result.entropy, other.entropy, str(other.frame_index))


@pytest.mark.parametrize('late', [0, 1, 9])
@pytest.mark.parametrize('answer', [CLICK, Absent()])
def test_after_a_replay_all_is_as_if_the_answer_had_come_at_once(make_tracker, late, answer):
    at_once = make_tracker(operator=lambda request: answer)
    expected = _go(at_once, 1, 20)

    tracker = make_tracker()
    _go(tracker, 1, 3 + late)
    (request,) = tracker.open_requests
    assert request.frame_index == 2
    event = tracker.answer(request.request_id, answer)
    assert event.kind in (EventKind.ANSWERED, EventKind.ABSENT)
    assert event.reason == ''
    assert tracker.catching_up
    repaired = tracker.catch_up()
    assert not tracker.catching_up
    assert [item.frame_index for item in repaired] == list(range(2, 3 + late))
    assert [item.stamp for item in repaired] == [float(i) for i in range(2, 3 + late)]
    _same(repaired, expected[1 : 2 + late])
    np.testing.assert_array_equal(tracker.latest.labels, repaired[-1].labels)
    later = _go(tracker, 3 + late, 20)
    _same(later, expected[2 + late :])
    assert _kinds(later)[:2] == [event.kind, EventKind.REPLAYED]
    replayed = later[0].events[1]
    assert replayed.request_id == request.request_id
    assert replayed.frame_index == 2
    assert f'{late} frames' in replayed.reason


def test_memory_alone_is_not_the_same(make_tracker):
    """Else the tests of the replay would show nothing."""
    expected = _go(make_tracker(operator=lambda request: CLICK), 1, 20)
    tracker = make_tracker(late='memory')
    _go(tracker, 1, 8)
    tracker.answer(tracker.open_requests[0].request_id, CLICK)
    assert not tracker.catching_up
    results = _go(tracker, 8, 20)
    assert all((a.entropy != b.entropy).any() for a, b in zip(results, expected[7:], strict=True))


def test_live_frames_go_on_while_the_replay_catches_up(make_tracker):
    expected = _go(make_tracker(operator=lambda request: CLICK), 1, 20)
    tracker = make_tracker()
    _go(tracker, 1, 10)
    tracker.answer(tracker.open_requests[0].request_id, CLICK)
    repaired, index = [], 10
    while tracker.catching_up:
        repaired += tracker.catch_up(0.0)  # one frame
        repaired += tracker.catch_up(0.0)
        if tracker.catching_up:
            result = tracker.step(tracker.images[index])
            assert result.frame_index == index
            index += 1
    assert index < 19
    assert [item.frame_index for item in repaired] == list(range(2, index))
    _same(repaired, expected[1 : index - 1])
    _same(_go(tracker, index, 20), expected[index - 1 :])


def test_objects_come_and_go_on_the_way(make_tracker):
    answers = {1: CLICK, 2: Click(45, 15)}
    at_once = make_tracker(2, operator=lambda request: answers.get(request.object_id))
    tracker = make_tracker(2)
    for item in (at_once, tracker):
        _go(item, 1, 5)
        item.add_objects(item.images[5], [Prompt(mask=_box(0)[:, ::-1].copy())])
        _go(item, 6, 10)
    for request in tracker.open_requests[:2]:
        tracker.answer(request.request_id, answers[request.object_id])
    tracker.catch_up()
    for item in (at_once, tracker):
        item.remove_object(1)
    found = _go(tracker, 10, 20)
    _same(found, _go(at_once, 10, 20))
    assert [state.object_id for state in found[-1].objects] == [2, 3]
    assert _kinds(found).count(EventKind.REPLAYED) == 1


def test_correction_unasked_on_the_way_is_made_again(make_tracker):
    tracker = make_tracker(2)
    _go(tracker, 1, 8)
    tracker.correct(2, Click(50, 30))
    corrected = tracker.latest.labels == 2
    assert corrected.sum() == 256
    _go(tracker, 8, 10)
    tracker.answer(tracker.open_requests[0].request_id, CLICK)
    repaired = {item.frame_index: item.labels for item in tracker.catch_up()}
    np.testing.assert_array_equal(repaired[7] == 2, corrected)


def test_second_answer_starts_from_what_the_first_replay_made_of_its_frame(make_tracker):
    answers = {1: CLICK, 2: Click(45, 15)}
    at_once = make_tracker(operator=lambda request: answers[request.object_id])
    tracker = make_tracker()
    for item in (at_once, tracker):
        _go(item, 1, 5)
        item.add_objects(item.images[5], [Prompt(mask=_box(1))])
    expected = _go(at_once, 6, 20)
    _go(tracker, 6, 12)
    first, second = tracker.open_requests
    assert (first.frame_index, second.frame_index) == (2, 7)
    tracker.answer(first.request_id, answers[1])
    tracker.catch_up()
    _go(tracker, 12, 16)
    tracker.answer(second.request_id, answers[2])
    tracker.catch_up()
    _same(_go(tracker, 16, 20), expected[10:])


def test_answer_to_a_later_question_joins_the_replay_that_will_come_by(make_tracker):
    answers = {1: CLICK, 2: Click(45, 15)}
    at_once = make_tracker(operator=lambda request: answers[request.object_id])
    tracker = make_tracker()
    for item in (at_once, tracker):
        _go(item, 1, 5)
        item.add_objects(item.images[5], [Prompt(mask=_box(1))])
    expected = _go(at_once, 6, 20)
    _go(tracker, 6, 12)
    first, second = tracker.open_requests
    tracker.answer(first.request_id, answers[1])
    tracker.catch_up(0.0)
    tracker.answer(second.request_id, answers[2])
    tracker.catch_up()
    assert not tracker.catching_up
    _same(_go(tracker, 12, 20), expected[6:])


def test_object_removed_while_a_replay_is_under_way(make_tracker):
    tracker = make_tracker(2)
    _go(tracker, 1, 8)
    tracker.answer(tracker.open_requests[0].request_id, CLICK)
    tracker.catch_up(0.0)
    tracker.remove_object(1)
    tracker.catch_up()
    assert not tracker.catching_up
    (result,) = _go(tracker, 8, 9)
    assert [state.object_id for state in result.objects] == [2]
    assert set(np.unique(result.labels)) <= {0, 2}


def test_object_removed_just_before_a_replay_has_caught_up(make_tracker):
    tracker = make_tracker(2)
    _go(tracker, 1, 4)
    tracker.answer(tracker.open_requests[0].request_id, CLICK)
    tracker.catch_up(0.0)
    tracker.catch_up(0.0) if tracker.catching_up else None
    tracker.remove_object(1)
    tracker.catch_up()
    (result,) = _go(tracker, 4, 5)
    assert [state.object_id for state in result.objects] == [2]


def test_reset_ends_a_replay(make_tracker):
    tracker = make_tracker()
    _go(tracker, 1, 8)
    tracker.answer(tracker.open_requests[0].request_id, CLICK)
    tracker.catch_up(0.0)
    tracker.reset()
    assert not tracker.catching_up
    assert tracker.catch_up() == ()
    tracker.add_objects(tracker.images[0], [Prompt(mask=_box(0))])
    assert len(_go(tracker, 1, 4)) == 3


@pytest.mark.parametrize(
    ('settings', 'words'),
    [
        ({'replay_frames': 4}, 'replay_frames'),
        ({'replay_megabytes': 0}, 'replay_megabytes'),
        ({'replay_seconds': 0.0}, '6 frames take'),
    ],
)
def test_beyond_the_bounds_the_answer_acts_through_the_memory_and_says_so(
    make_tracker, settings, words
):
    tracker = make_tracker(**settings)
    _go(tracker, 1, 9)
    event = tracker.answer(tracker.open_requests[0].request_id, CLICK)
    assert event.kind is EventKind.ANSWERED
    assert event.reason.startswith('memory only')
    assert words in event.reason
    assert not tracker.catching_up
    memory = make_tracker(late='memory')
    _go(memory, 1, 9)
    memory.answer(memory.open_requests[0].request_id, CLICK)
    _same(_go(tracker, 9, 14), _go(memory, 9, 14))


def test_replay_that_takes_too_long_is_given_up_and_the_answer_stays(make_tracker):
    tracker = make_tracker(replay_seconds=1e9)
    _go(tracker, 1, 9)
    tracker.answer(tracker.open_requests[0].request_id, CLICK)
    tracker.catch_up(0.0)
    tracker.configure(LazyConfig(**{**ASK_ONCE, 'late': 'replay', 'replay_seconds': 0.0}))
    assert tracker.catch_up() == ()
    assert not tracker.catching_up
    results = _go(tracker, 9, 14)
    assert _kinds(results)[:2] == [EventKind.ANSWERED, EventKind.REPLAY_DROPPED]
    assert 'replay_seconds' in results[0].events[1].reason
    memory = make_tracker(late='memory')
    _go(memory, 1, 9)
    memory.answer(memory.open_requests[0].request_id, CLICK)
    _same(results, _go(memory, 9, 14))


def test_replay_that_the_frames_outgrow_is_given_up(make_tracker):
    tracker = make_tracker(replay_frames=6)
    _go(tracker, 1, 6)
    tracker.answer(tracker.open_requests[0].request_id, CLICK)
    tracker.catch_up(0.0)
    results = _go(tracker, 6, 14)
    assert EventKind.REPLAY_DROPPED in _kinds(results)
    assert not tracker.catching_up


def test_frames_and_states_are_let_go_when_no_question_is_open(make_tracker):
    tracker = make_tracker(question_timeout=10.0)
    _go(tracker, 1, 10)
    assert len(tracker._replays) == 7
    _go(tracker, 10, 14)  # the question expires
    assert len(tracker._replays) == 0
    assert tracker._replays.nbytes == 0
    tracker = make_tracker()
    _go(tracker, 1, 10)
    tracker.answer(tracker.open_requests[0].request_id, CLICK)
    tracker.catch_up()
    assert len(tracker._replays) == 0


def test_memory_only_keeps_no_frames(make_tracker):
    tracker = make_tracker(late='memory')
    _go(tracker, 1, 10)
    assert tracker.open_requests
    assert len(tracker._replays) == 0
    assert tracker._replays.nbytes == 0


def test_failing_backend_ends_the_replay_and_not_the_stream(make_tracker, monkeypatch):
    tracker = make_tracker()
    _go(tracker, 1, 9)
    tracker.answer(tracker.open_requests[0].request_id, CLICK)
    predict = XMemBackend.predict
    monkeypatch.setattr(
        XMemBackend, 'predict', lambda *args: (_ for _ in ()).throw(RuntimeError('no power'))
    )
    assert tracker.catch_up() == ()
    monkeypatch.setattr(XMemBackend, 'predict', predict)
    (result,) = _go(tracker, 9, 10)
    assert _kinds([result])[:2] == [EventKind.ANSWERED, EventKind.REPLAY_DROPPED]
    assert 'no power' in result.events[1].reason
