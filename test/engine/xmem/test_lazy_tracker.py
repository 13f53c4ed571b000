"""The lazy layer on the real tracker: the published loop, and answers that come late."""

import json
from dataclasses import replace

import numpy as np
import pytest
import torch

from lazy_vos_ros.engine.clicks import Click
from lazy_vos_ros.engine.config import PROFILES
from lazy_vos_ros.engine.config import LazyConfig
from lazy_vos_ros.engine.prompts import Prompt
from lazy_vos_ros.engine.refiners.base import RefinedMask
from lazy_vos_ros.engine.results import EventKind
from lazy_vos_ros.engine.tracker import LazyTracker
from lazy_vos_ros.engine.triggers import Decision
from lazy_vos_ros.engine.triggers import ObjectTrigger
from lazy_vos_ros.engine.xmem.backend import XMemBackend
from lazy_vos_ros.engine.xmem.config import XMemConfig

CLICK = Click(30, 20)


class TableRefiner:
    """Gives masks from a table by frame and object, else a small box."""

    name = 'table'

    def __init__(self, table=None):
        self.table = table or {}

    def refine(self, frame, clicks, *, object_id, prior=None):
        mask = self.table.get((frame.index, object_id))
        if mask is None:
            mask = torch.zeros(frame.image.shape[:2], dtype=torch.bool)
            mask[10:30, 20:40] = True
        return RefinedMask(mask, 1.0)


@pytest.fixture(scope='module')
def load(golden_folder):
    def read(name):
        with np.load(golden_folder / f'{name}.npz') as file:
            return dict(file)

    return read


def _without_lazy_layer():
    return LazyConfig(
        user_corrections=False, pseudo_corrections=False, uncertainty_driven_update=False
    )


def test_without_corrections_it_is_the_published_tracker(filled_network, load):
    golden, images = load('two_added8'), load('inputs')['frames']
    backend = XMemBackend(filled_network, XMemConfig(size=-1, mem_every=3, long_term=False))
    tracker = LazyTracker(backend, TableRefiner(), _without_lazy_layer())
    for t in range(int(golden['n_frames'])):
        if f'event_{t:02}_mask' in golden:
            known = golden[f'event_{t:02}_all'].tolist()
            masks = golden[f'event_{t:02}_mask'].astype(bool)
            new = golden[f'event_{t:02}_valid'].tolist()
            prompts = [Prompt(mask=masks[known.index(i)], object_id=i) for i in new]
            result = tracker.add_objects(images[t], prompts)
        else:
            result = tracker.step(images[t])
        assert (result.labels != golden['argmax'][t]).sum() <= 10, t


def test_corrections_and_frames_kept_out_as_in_the_published_loop(
    filled_network, load, monkeypatch
):
    golden, images = load('lazy_updates'), load('inputs')['frames']
    script = json.loads(str(golden['script_json']))
    corrected = {int(frame): object_id for frame, object_id in script['idu'].items()}
    table = {
        (frame, object_id): torch.from_numpy(golden[f'sub_{frame:02}'][object_id - 1] > 0.5)
        for frame, object_id in corrected.items()
    }
    frame_of = {}
    objects = []

    def scripted(trigger, uncertainty, config):
        if trigger not in objects:
            objects.append(trigger)
        object_id = 1 + objects.index(trigger)
        frame = frame_of[object_id] = frame_of.get(object_id, 0) + 1
        if corrected.get(frame) == object_id:
            return 1.0, Decision.USER
        kept_out = frame in script['skip'] and object_id == 1
        return 0.0, Decision.PSEUDO if kept_out else Decision.NONE

    monkeypatch.setattr(ObjectTrigger, 'update', scripted)
    settings = XMemConfig(size=-1, mem_every=3, long_term=False, compat=True)
    tracker = LazyTracker(
        XMemBackend(filled_network, settings),
        TableRefiner(table),
        replace(PROFILES['code'], uncertainty_driven_update=False),
        operator=lambda request: CLICK,
    )
    masks = golden['init_mask'] > 0.5
    tracker.add_objects(images[0], [Prompt(mask=masks[0]), Prompt(mask=masks[1])])
    for t in range(1, int(golden['n_frames'])):
        result = tracker.step(images[t])
        kinds = [event.kind for event in result.events]
        if t in script['skip']:
            # What the published loop computes here it throws away.
            assert kinds == [EventKind.PSEUDO]
            assert not result.memorised
            continue
        assert kinds == ([EventKind.ASKED, EventKind.ANSWERED] if t in corrected else [])
        assert (result.labels != golden['argmax_after'][t]).sum() <= 10, t


def _asking(network, **settings):
    """A tracker that asks about object 1 from the first frame after its warm-up on."""
    config = LazyConfig(
        trigger='level',
        tau_u=0.0,
        tau_p=0.0,
        tau_m=2.0,
        pseudo_corrections=False,
        question_cooldown=1000.0,
        **settings,
    )
    return LazyTracker(XMemBackend(network, XMemConfig(size=-1)), TableRefiner(), config)


def _mask():
    mask = np.zeros((48, 64), bool)
    mask[8:24, 4:20] = True
    return mask


def test_answer_20_frames_late_enters_the_memory_and_changes_what_follows(tiny_network, frames):
    images = frames(30)
    with_answer, without = _asking(tiny_network), _asking(tiny_network)
    for tracker in (with_answer, without):
        tracker.add_objects(images[0], [Prompt(mask=_mask())])
        for image in images[1:23]:
            tracker.step(image)
    (request,) = with_answer.open_requests
    assert request.frame_index == 2
    assert np.array_equal(request.image, images[2])
    assert with_answer.memory_size() == without.memory_size()
    before = with_answer.memory_size().working
    event = with_answer.answer(request.request_id, CLICK)
    assert (event.kind, event.frame_index) == (EventKind.ANSWERED, 2)
    cells = 3 * 4  # of one frame of 48 x 64 pixels at stride 16
    assert with_answer.memory_size().working == before + cells
    changed = with_answer.step(images[23])
    same = without.step(images[23])
    assert np.abs(changed.entropy - same.entropy).max() > 1e-6


def test_clicks_remove_and_add_while_the_stream_goes_on(tiny_network, frames):
    images = frames(12)
    tracker = _asking(tiny_network)
    tracker.add_object(images[0], click=CLICK)
    tracker.step(images[1])
    assert tracker.add_object(images[2], mask=_mask()) == 2
    tracker.step(images[3])
    assert tracker.correct(2, CLICK).kind is EventKind.CORRECTED
    assert (tracker.latest.labels == 2).any()
    for request in tracker.open_requests:
        tracker.answer(request.request_id, CLICK)
    tracker.remove_object(1)
    result = tracker.step(images[4])
    assert set(np.unique(result.labels)) <= {0, 2}
    assert result.entropy.min() >= 0
    assert result.entropy.max() <= 1
    tracker.reset()
    assert tracker.add_object(images[5], mask=_mask()) == 1


def test_memory_stays_within_its_bounds_under_many_corrections(tiny_network, frames):
    images = frames(60)
    settings = XMemConfig(
        size=-1,
        mem_every=1,
        min_mid_term_frames=2,
        max_mid_term_frames=4,
        num_prototypes=8,
        max_long_term_elements=40,
    )
    config = LazyConfig(trigger='level', tau_u=0.0, tau_p=0.0, pseudo_corrections=False)
    tracker = LazyTracker(XMemBackend(tiny_network, settings), TableRefiner(), config)
    tracker.add_object(images[0], mask=_mask())
    nbytes = set()
    for image in images[1:]:
        tracker.step(image)
        if len(tracker.open_requests) == 1 and tracker.latest.frame_index % 3 == 0:
            tracker.answer(tracker.open_requests[0].request_id, CLICK)
        size = tracker.memory_size()
        assert size.working + size.long_term <= size.capacity
        nbytes.add(size.nbytes)
    assert len(nbytes) == 1
