from pathlib import Path

import pytest
import torch
from small_cutie import small_sizes

from lazy_vos_ros.engine import build
from lazy_vos_ros.engine.cutie import weights
from lazy_vos_ros.engine.cutie.backend import CutieBackend
from lazy_vos_ros.engine.weights import find_entry
from lazy_vos_ros.engine.weights import title_of
from lazy_vos_ros.engine.xmem.config import XMemConfig


@pytest.fixture
def folder(tmp_path, monkeypatch):
    """The only folder with weights; sizes are small, whatever the variant."""
    monkeypatch.setattr('lazy_vos_ros.engine.weights.search_folders', lambda: (tmp_path,))
    monkeypatch.setattr(weights, 'published_sizes', lambda variant='base': small_sizes())
    return tmp_path


@pytest.fixture
def state(filled_model):
    """Return the entries of the published kind of file, with those used in training only."""
    assert any(name.startswith('aux_computer.') for name in filled_model.state_dict())
    return dict(filled_model.state_dict())


def save(state, path):
    torch.save(state, path)
    return path


def test_what_is_saved_is_loaded(folder, state, filled_model):
    network = weights.load_cutie_network(save(state, folder / 'a.pth'))
    for name, tensor in network.model.state_dict().items():
        assert torch.equal(tensor, state[name]) or name.startswith('aux_computer.'), name


def test_entries_that_tracking_does_not_need_may_be_missing(folder, state):
    lean = {name: t for name, t in state.items() if not name.startswith('aux_computer.')}
    lean = {name: t for name, t in lean.items() if not name.endswith('.num_batches_tracked')}
    assert len(lean) < len(state)
    weights.load_cutie_network(save(lean, folder / 'a.pth'))


def test_files_that_do_not_fit_are_refused(folder, state):
    name = 'mask_decoder.pred.weight'
    missing = {key: value for key, value in state.items() if key != name}
    with pytest.raises(ValueError, match=f'1 missing: {name}'):
        weights.load_cutie_network(save(missing, folder / 'a.pth'))
    with pytest.raises(ValueError, match='1 unexpected: more'):
        weights.load_cutie_network(save(state | {'more': torch.ones(1)}, folder / 'a.pth'))
    with pytest.raises(ValueError, match=f'1 of other shape: {name}'):
        weights.load_cutie_network(save(state | {name: torch.ones(1)}, folder / 'a.pth'))
    broken = state | {name: torch.full_like(state[name], torch.nan)}
    with pytest.raises(ValueError, match=f'1 not finite: {name}'):
        weights.load_cutie_network(save(broken, folder / 'a.pth'))
    (folder / 'a.pth').write_bytes(b'half of it')
    with pytest.raises(ValueError, match='no readable file of weights'):
        weights.load_cutie_network(folder / 'a.pth')


def test_the_variant_is_that_of_the_file(folder, state, monkeypatch):
    asked = []
    monkeypatch.setattr(
        weights, 'published_sizes', lambda variant='base': asked.append(variant) or small_sizes()
    )
    weights.load_cutie_network(save(state, folder / 'a.pth'))
    assert asked == ['base', 'small']
    asked.clear()
    only_of_base = 'pixel_encoder.res2.0.conv3.weight'
    path = save(state | {only_of_base: torch.ones(1)}, folder / 'b.pth')
    with pytest.raises(ValueError, match=f'1 unexpected: {only_of_base}'):
        weights.load_cutie_network(path)
    assert asked == ['base']


def test_backends_are_built_by_name(folder, state):
    for name in ('cutie-small', 'cutie'):
        path = save(state, folder / find_entry(name).file)
        for chosen in ({'weights': name}, {'backend': 'cutie'}, {'weights': path.name}):
            backend = build.make_backend(device='cpu', **chosen)
            assert isinstance(backend, CutieBackend)
            assert backend.name == f'Cutie ({title_of(path)})'
    assert backend.config == XMemConfig(size=480)
    path = save(state, folder / 'own.pth')
    own = build.make_backend(str(path), backend='cutie', settings=XMemConfig(size=64))
    assert (own.name, own.config.size) == (f'Cutie ({title_of(path)})', 64)


def test_what_does_not_go_together_is_refused(folder, state):
    with pytest.raises(RuntimeError, match='lazy-vos weights fetch cutie'):
        build.make_backend(backend='cutie')
    with pytest.raises(ValueError, match="of the backend xmem, and backend is 'cutie'"):
        build.make_backend('compact', backend='cutie')
    with pytest.raises(ValueError, match="of the backend cutie, and backend is 'xmem'"):
        build.make_backend('cutie', backend='xmem')
    with pytest.raises(ValueError, match="backend is 'sam2'; allowed: auto, xmem, cutie"):
        build.make_backend(backend='sam2')
    with pytest.raises(ValueError, match='does not fit the network'):
        build.make_backend(str(save(state, folder / 'own.pth')))


def test_a_published_file_elsewhere_is_known_by_its_name(folder, state, tmp_path):
    path = save(state, tmp_path / find_entry('cutie-small').file)
    assert build.tracker_entry(str(path)).network == 'cutie'
    assert build.tracker_entry(str(path), 'xmem').network == 'official'
    assert build.tracker_entry(str(path), 'cutie').network == 'cutie'


def test_auto_never_takes_cutie_by_itself(folder, state):
    save(state, Path(folder) / find_entry('cutie').file)
    assert build.tracker_entry('auto').name == 'xmem-s012'
    assert build.tracker_entry('auto', 'xmem').name == 'xmem-s012'
    assert build.tracker_entry('auto', 'cutie').name == 'cutie'


def test_the_published_files_can_be_fetched():
    for name in ('cutie', 'cutie-small'):
        entry = find_entry(name)
        assert entry.kind == 'tracker'
        assert entry.network == 'cutie'
        assert entry.url.endswith('/' + entry.file)
