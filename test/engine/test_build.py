import shutil
from pathlib import Path

import numpy as np
import pytest
import torch

from lazy_vos_ros.engine import build
from lazy_vos_ros.engine.weights import find_entry
from lazy_vos_ros.engine.weights import pin
from lazy_vos_ros.engine.weights import title_of
from lazy_vos_ros.engine.xmem.config import XMemConfig
from lazy_vos_ros.engine.xmem.official import Dimensions
from lazy_vos_ros.engine.xmem.official import official_network


@pytest.fixture
def folder(tmp_path, monkeypatch):
    """The only folder with weights."""
    monkeypatch.setattr('lazy_vos_ros.engine.weights.search_folders', lambda: (tmp_path,))
    return tmp_path


def save_official(folder, name):
    state = official_network(Dimensions(key=8, value=16, hidden=4)).state_dict()
    torch.save(state, folder / name)


def save_compact(folder):
    """Copy the tracker that comes with the project: its checksum is in the manifest."""
    name = find_entry('compact').file
    return Path(shutil.copy(Path(__file__).parents[2] / 'weights' / name, folder))


def test_auto_takes_the_best_that_is_there_and_says_which(folder):
    compact = save_compact(folder)
    assert build.make_backend(device='cpu').name == f'compact XMem ({title_of(compact)})'
    save_official(folder, 'XMem.pth')
    assert build.make_backend(device='cpu').name == f'XMem ({title_of(folder / "XMem.pth")})'
    save_official(folder, 'XMem-s012.pth')
    assert build.make_backend(device='cpu').name == f'XMem ({title_of(folder / "XMem-s012.pth")})'
    assert (
        build.make_backend('compact', device='cpu').name == f'compact XMem ({title_of(compact)})'
    )


def test_nothing_there_tells_how_to_get_it(folder):
    with pytest.raises(RuntimeError, match='lazy-vos weights fetch xmem-s012'):
        build.make_backend()


def test_wrong_names_and_kinds(folder):
    with pytest.raises(ValueError, match='allowed: auto, xmem-s012'):
        build.make_backend('nonsense')
    with pytest.raises(ValueError, match='of a refiner; allowed: of a tracker'):
        build.make_backend('sam-hq-tiny')


def test_a_damaged_file_is_not_passed_over(folder):
    save_compact(folder)
    (folder / 'XMem-s012.pth').write_bytes(b'half of it')
    with pytest.raises(ValueError, match='no readable file of weights'):
        build.make_backend()
    pin(folder / 'XMem-s012.pth', '0' * 64)
    with pytest.raises(ValueError, match='another SHA-256'):
        build.make_backend()


def test_settings_come_from_the_manifest_or_the_caller(folder):
    path = save_compact(folder)
    given = find_entry('compact').settings
    config = build.make_backend('compact', device='cpu').config
    assert {name: getattr(config, name) for name in given} == given
    mine = XMemConfig(size=64)
    assert build.make_backend(str(path), device='cpu', settings=mine).config == mine


def test_a_path_needs_no_entry_and_the_tracker_runs(folder, tmp_path):
    save_official(tmp_path, 'my own.pth')
    backend = build.make_backend(
        str(tmp_path / 'my own.pth'), device='cpu', settings=XMemConfig(size=-1)
    )
    assert backend.name == f'XMem ({title_of(tmp_path / "my own.pth")})'
    image = np.zeros((32, 48, 3), np.uint8)
    prediction = backend.predict(image)
    mask = torch.zeros(32, 48, dtype=torch.bool)
    mask[:16] = True
    backend.commit(backend.add_objects(prediction, {1: mask}))
    assert backend.predict(image).probabilities.shape == (2, 32, 48)


def test_devices():
    assert build.resolve_device('cpu') == torch.device('cpu')
    assert build.resolve_device('auto').type in ('cpu', 'cuda')


@pytest.mark.parametrize('device', ['banana', 'cuda:99', ''])
def test_a_device_that_is_not_there_is_refused(device):
    with pytest.raises(ValueError, match='allowed on this machine: auto, cpu'):
        build.resolve_device(device)
