"""Another process goes on with the same objects."""

import json
import pickle
from random import Random

import numpy as np
import pytest
import torch
from safetensors import safe_open
from safetensors.torch import save_file

from lazy_vos_ros.engine.clicks import Click
from lazy_vos_ros.engine.config import LazyConfig
from lazy_vos_ros.engine.prompts import Prompt
from lazy_vos_ros.engine.refiners.base import RefinedMask
from lazy_vos_ros.engine.results import Absent
from lazy_vos_ros.engine.results import EventKind
from lazy_vos_ros.engine.state_file import load_state
from lazy_vos_ros.engine.state_file import save_state
from lazy_vos_ros.engine.tracker import LazyTracker
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
LAZY = LazyConfig(trigger='level', tau_u=0.0, tau_p=0.0, tau_m=1.0)


class Square:
    name = 'square'

    def refine(self, frame, clicks, *, object_id, prior=None):
        mask = torch.zeros(frame.image.shape[:2], dtype=torch.bool)
        x, y = int(clicks[0].x), int(clicks[0].y)
        mask[max(0, y - 6) : y + 6, max(0, x - 6) : x + 6] = True
        return RefinedMask(mask, 1.0)


def _mask(left):
    mask = np.zeros((48, 64), np.bool_)
    mask[8:24, left : left + 16] = True
    return mask


@pytest.fixture(params=CONFIGS)
def config(request):
    return CONFIGS[request.param]


@pytest.fixture
def make(tiny_network, config):
    """Return a function that makes a tracker and its backend."""

    def made(config=config):
        backend = XMemBackend(tiny_network, config)
        return LazyTracker(backend, Square(), LAZY), backend

    return made


@pytest.fixture
def busy(make, frames, tmp_path):
    """A tracker after some frames, its backend, the frames that follow, and its file."""
    tracker, backend = make()
    images = frames(24)
    tracker.add_objects(images[0], [Prompt(mask=_mask(4), label='cup'), Prompt(mask=_mask(30))])
    for image in images[1:14]:
        tracker.step(image)
    tracker.correct(1, Click(20, 20))
    tracker.correct(2, Absent())
    path = tmp_path / 'folder' / 'state.safetensors'
    save_state(tracker, backend, path)
    return tracker, backend, images[14:], path


def _same(one, other):
    np.testing.assert_array_equal(one.labels, other.labels)
    np.testing.assert_array_equal(one.entropy, other.entropy)
    assert one.objects == other.objects
    assert one.memorised == other.memorised
    assert one.frame_index == other.frame_index


def test_a_new_tracker_goes_on_exactly_as_the_old_one(busy, make):
    old, _, images, path = busy
    # Questions are not saved, so the old one is without them, too.
    for request in old.open_requests:
        old._book.close(request.request_id, 'test')
    new, backend = make()
    assert load_state(new, backend, path) == ()
    assert new.object_ids == old.object_ids == (1, 2)
    for image in images:
        _same(new.step(image), old.step(image))
    assert new.latest.objects[0].label == 'cup'
    assert new.memory_size() == old.memory_size()


def test_ids_go_on_though_the_last_object_was_removed(busy, make):
    old, backend, images, path = busy
    old.remove_object(2)
    save_state(old, backend, path)
    new, backend = make()
    load_state(new, backend, path)
    assert new.add_object(images[0], mask=_mask(30)) == 3
    assert new.object_ids == (1, 3)


def test_what_was_tracked_before_is_forgotten_and_told(busy, make, frames):
    *_, path = busy
    new, backend = make()
    images = frames(3)
    new.add_object(images[0], mask=_mask(10), label='old')
    new.step(images[1])
    new.step(images[2])
    asked = {request.request_id for request in new.open_requests}
    assert asked
    events = load_state(new, backend, path)
    closed = [event for event in events if event.kind is EventKind.EXPIRED]
    assert {event.request_id for event in closed} == asked
    assert {event.reason for event in closed} == {'a saved state was loaded'}
    assert new.open_requests == ()
    assert new.object_ids == (1, 2)


def test_nothing_can_be_saved_too(make, tmp_path, frames):
    tracker, backend = make()
    save_state(tracker, backend, tmp_path / 'none')
    new, other = make()
    load_state(new, other, tmp_path / 'none')
    assert new.object_ids == ()
    assert new.add_object(frames(1)[0], mask=_mask(4)) == 1


def test_a_file_is_readable_by_its_owner_only_and_replaced_whole(busy, monkeypatch):
    tracker, backend, _, path = busy
    assert path.stat().st_mode & 0o777 == 0o600
    before = path.read_bytes()

    def full(tensors, file, metadata):
        file.write_bytes(b'half')
        raise OSError('No space left on device')

    monkeypatch.setattr('lazy_vos_ros.engine.state_file.save_file', full)
    with pytest.raises(OSError, match='No space'):
        save_state(tracker, backend, path)
    assert path.read_bytes() == before
    assert [item.name for item in path.parent.iterdir()] == [path.name]


def parts(path):
    with safe_open(path, framework='pt') as file:
        ((key, text),) = file.metadata().items()
        return {name: file.get_tensor(name) for name in file.keys()}, key, json.loads(text)  # noqa: SIM118


def written(path, tensors, key, header):
    save_file(tensors, path, metadata={key: json.dumps(header)})
    return path


class Evil:
    def __reduce__(self):
        return print, ('code was run',)


@pytest.mark.parametrize(
    ('content', 'words'),
    [
        (b'', 'no file of a state'),
        (pickle.dumps(Evil()), 'no file of a state'),
        (b'\xff' * 100, 'no file of a state'),
        (None, 'no file of a state'),
    ],
)
def test_other_files(content, words, busy, make, capsys):
    *_, path = busy
    path.write_bytes(path.read_bytes()[:-50] if content is None else content)
    with pytest.raises(ValueError, match=words):
        load_state(*make(), path)
    assert 'code was run' not in capsys.readouterr().out


def test_weights_in_place_of_a_state_and_no_file(make, tmp_path):
    save_file({'key': torch.zeros(3)}, tmp_path / 'weights')
    with pytest.raises(ValueError, match='no file of a state'):
        load_state(*make(), tmp_path / 'weights')
    with pytest.raises(FileNotFoundError):
        load_state(*make(), tmp_path / 'nothing')


def test_another_version(busy, make):
    *_, path = busy
    tensors, key, header = parts(path)
    with pytest.raises(ValueError, match='version 2; allowed: 1'):
        load_state(*make(), written(path, tensors, key, {**header, 'version': 2}))


def test_other_weights_and_other_settings(busy, make, tiny_network):
    *_, path = busy
    other = XMemConfig(size=-1, mem_every=3)
    with pytest.raises(ValueError, match='same weights and settings'):
        load_state(*make(other), path)
    with torch.no_grad():
        parameter = next(tiny_network.parameters())
        before = parameter.flatten()[0].item()
        parameter.flatten()[0] += 1
    try:
        with pytest.raises(ValueError, match='same weights and settings'):
            load_state(*make(), path)
    finally:
        with torch.no_grad():
            parameter.flatten()[0] = before


@pytest.mark.parametrize(
    'change',
    [
        lambda tensors, facts: tensors.pop('hidden'),
        lambda tensors, facts: tensors.pop('memory.key'),
        lambda tensors, facts: tensors.pop('memory.valid.2'),
        lambda tensors, facts: tensors['memory.key'].fill_(float('nan')),
        lambda tensors, facts: tensors.update({'memory.values.9': tensors['memory.values.1'] + 0}),
        lambda tensors, facts: tensors.update(
            {'memory.frame': tensors['memory.frame'][1:].clone()}
        ),
        lambda tensors, facts: tensors.update({'hidden': tensors['hidden'][:, :1].clone()}),
        lambda tensors, facts: facts['objects'].pop(),
        lambda tensors, facts: facts['objects'][0].update(id=7),
        lambda tensors, facts: facts['objects'][0].update(label=5),
        lambda tensors, facts: facts['objects'][0]['monitor'].clear(),
        lambda tensors, facts: facts['backend']['memory']['order'].append(99),
        lambda tensors, facts: facts['backend']['memory'].update(long_term=10**6),
        lambda tensors, facts: facts['backend'].update(highest_id=1),
        lambda tensors, facts: facts['backend'].update(schedule=[]),
        lambda tensors, facts: facts.update(last_id=-1),
    ],
)
def test_a_damaged_state_is_refused_and_nothing_changes(change, busy, make, frames):
    *_, path = busy
    tensors, key, header = parts(path)
    change(tensors, header['tracker'])
    written(path, tensors, key, header)
    tracker, backend = make()
    untouched, _ = make()
    images = frames(4)
    for item in (tracker, untouched):
        item.add_object(images[0], mask=_mask(10))
        item.step(images[1])
    with pytest.raises(ValueError, match='is damaged'):
        load_state(tracker, backend, path)
    for image in images[2:]:
        _same(tracker.step(image), untouched.step(image))


def test_no_single_change_of_the_header_crashes(busy, make):
    *_, images, path = busy
    tensors, key, header = parts(path)
    text = json.dumps(header)
    tracker, backend = make()
    chance = Random(3)
    refused = 0
    for _ in range(150):
        place = chance.randrange(len(text))
        changed = text[:place] + chance.choice('0-9]}{["truefalsenull,:') + text[place + 1 :]
        save_file(tensors, path, metadata={key: changed})
        try:
            load_state(tracker, backend, path)
        except ValueError:
            refused += 1
    assert refused > 100
    load_state(tracker, backend, written(path, tensors, key, header))
    tracker.step(images[0])
