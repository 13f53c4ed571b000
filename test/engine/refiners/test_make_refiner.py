from dataclasses import dataclass

import pytest
import torch

from lazy_vos_ros.engine import refiners
from lazy_vos_ros.engine.refiners import make_refiner
from lazy_vos_ros.engine.refiners import sam_hq
from lazy_vos_ros.engine.weights import WeightsEntry


@dataclass
class Backend:
    device: torch.device


CPU, GPU = Backend(torch.device('cpu')), Backend(torch.device('cuda'))


@pytest.fixture
def weights(tmp_path, monkeypatch):
    """Return a function that puts empty files into the only folder that is searched."""
    monkeypatch.setattr('lazy_vos_ros.engine.weights.search_folders', lambda: (tmp_path,))

    def put(*names):
        for name in names:
            (tmp_path / name).touch()

    return put


@pytest.fixture
def loaded(monkeypatch):
    """What the loader of SAM-HQ is asked for."""
    calls = []

    def load(path, variant, *, device):
        calls.append((path.name, variant, device))
        return calls[-1]

    monkeypatch.setattr(sam_hq.SamHqRefiner, 'load', load)
    return calls


def test_auto_takes_the_smallest_on_a_cpu_and_the_papers_on_a_gpu(weights, loaded):
    weights('sam_hq_vit_tiny.pth', 'sam_hq_vit_b.pth', 'sam_hq_vit_l.pth')
    make_refiner(backend=CPU)
    make_refiner(backend=GPU)
    assert loaded == [
        ('sam_hq_vit_tiny.pth', 'vit_tiny', CPU.device),
        ('sam_hq_vit_l.pth', 'vit_l', GPU.device),
    ]


def test_auto_takes_what_is_there(weights, loaded):
    weights('sam_hq_vit_h.pth')
    make_refiner('auto', backend=CPU)
    assert loaded == [('sam_hq_vit_h.pth', 'vit_h', CPU.device)]


@pytest.mark.parametrize('name', ['sam_hq_vit_b', 'sam-hq-b'])
def test_names_of_the_network_and_of_the_manifest(weights, loaded, name):
    weights('sam_hq_vit_b.pth', 'sam_hq_vit_tiny.pth')
    make_refiner(name, backend=GPU, device='cpu')
    assert loaded == [('sam_hq_vit_b.pth', 'vit_b', 'cpu')]


def test_weights_that_are_not_there_say_how_to_get_them(weights, loaded):
    with pytest.raises(RuntimeError, match=r'weights fetch sam-hq-l'):
        make_refiner('sam_hq_vit_l', backend=CPU)
    assert not loaded


@pytest.mark.parametrize('name', ['sam', 'xmem', ''])
def test_unknown_name_lists_the_known(weights, name):
    with pytest.raises(ValueError, match=r'allowed: auto, .*sam-hq-tiny'):
        make_refiner(name, backend=CPU)


def test_compact_one_where_no_sam_is(weights, monkeypatch):
    from lazy_vos_ros.engine.refiners.compact import CompactRefiner

    entry = WeightsEntry(
        name='compact-refiner',
        file='compact_refiner.safetensors',
        kind='refiner',
        network='compact',
        url=None,
        sha256=None,
        description='',
        settings={},
        thresholds={},
    )
    tracker = WeightsEntry(**{**vars(entry), 'kind': 'tracker', 'file': 'compact.safetensors'})
    monkeypatch.setattr(refiners, 'known_weights', lambda: (entry, tracker))
    monkeypatch.setattr(CompactRefiner, 'load', lambda path, backend: (path.name, backend))
    weights('compact.safetensors', 'compact_refiner.safetensors')
    assert make_refiner(backend=CPU) == ('compact_refiner.safetensors', CPU)
    assert make_refiner('compact', backend=CPU) == ('compact_refiner.safetensors', CPU)
