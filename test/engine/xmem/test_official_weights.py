import pickle
from pathlib import Path

import pytest
import torch
from safetensors.torch import save_file

from lazy_vos_ros.engine.xmem.official import Dimensions
from lazy_vos_ros.engine.xmem.official import official_network
from lazy_vos_ros.engine.xmem.official_weights import load_official_network

STEM = 'value_encoder.conv1.weight'


@pytest.fixture(scope='module')
def state():
    torch.manual_seed(0)
    return official_network(Dimensions(key=16, value=32, hidden=8)).state_dict()


def load(tmp_path, state, name='weights.pth'):
    path = tmp_path / name
    torch.save(state, path)
    return load_official_network(path)


@pytest.mark.parametrize('hidden', [0, 8])
def test_sizes_come_from_the_file(hidden, tmp_path):
    state = official_network(Dimensions(key=16, value=32, hidden=hidden)).state_dict()
    network = load(tmp_path, state)
    assert (network.key_dim, network.value_dim, network.hidden_dim) == (16, 32, hidden)
    assert not network.training
    for name, tensor in network.state_dict().items():
        assert torch.equal(tensor, state[name]), name


def test_safetensors_are_read_too(tmp_path, state):
    save_file(state, tmp_path / 'weights.safetensors')
    network = load_official_network(tmp_path / 'weights.safetensors')
    assert torch.equal(network.state_dict()[STEM], state[STEM])


def test_half_precision_files_become_float32(tmp_path, state):
    halved = {n: t.half() if t.is_floating_point() else t for n, t in state.items()}
    network = load(tmp_path, halved)
    assert {p.dtype for p in network.parameters()} == {torch.float32}


def test_weights_for_one_object_get_a_channel_of_zeros(tmp_path, state):
    network = load(tmp_path, {**state, STEM: state[STEM][:, :4].clone()})
    stem = network.state_dict()[STEM]
    assert torch.equal(stem[:, :4], state[STEM][:, :4])
    assert not stem[:, 4].any()


@pytest.mark.parametrize(
    ('change', 'message'),
    [
        (lambda s: s.pop('decoder.pred.bias'), '1 missing: decoder.pred.bias'),
        (lambda s: s.update(extra=torch.zeros(1)), '1 unexpected: extra'),
        (
            lambda s: s.update({'decoder.pred.bias': torch.zeros(3)}),
            r'1 of other shape: decoder.pred.bias \(3,\) instead of \(1,\)',
        ),
        (
            lambda s: s.update({'decoder.pred.bias': torch.tensor([torch.nan])}),
            '1 not finite: decoder.pred.bias',
        ),
        (lambda s: s.clear(), 'missing: decoder'),
    ],
)
def test_what_differs_is_named(change, message, tmp_path, state):
    changed = dict(state)
    change(changed)
    with pytest.raises(ValueError, match=message):
        load(tmp_path, changed)


def test_another_model_is_refused(tmp_path):
    other = torch.nn.Linear(3, 4).state_dict()
    with pytest.raises(ValueError, match=r'missing: .*, \.\.\.; 2 unexpected: bias, weight'):
        load(tmp_path, other)


@pytest.mark.parametrize('share', [0.0, 0.3, 0.999])
def test_truncated_files_are_refused(share, tmp_path, state):
    path = tmp_path / 'weights.pth'
    torch.save(state, path)
    data = path.read_bytes()
    path.write_bytes(data[: int(share * len(data))])
    with pytest.raises(ValueError, match='no readable file of weights'):
        load_official_network(path)


class Malicious:
    def __init__(self, victim):
        self.victim = victim

    def __reduce__(self):
        return Path.touch, (self.victim,)


@pytest.mark.parametrize('zipped', [False, True])
def test_files_that_would_run_code_are_refused(zipped, tmp_path):
    victim = tmp_path / 'victim'
    path = tmp_path / 'weights.pth'
    if zipped:
        torch.save({'weight': Malicious(victim)}, path)
    else:
        path.write_bytes(pickle.dumps({'weight': Malicious(victim)}, protocol=2))
    with pytest.raises(ValueError, match=r'no readable file .*; no code of it was run$'):
        load_official_network(path)
    assert not victim.exists()


@pytest.mark.parametrize('content', [[1, 2], {'state_dict': {}}, {3: torch.zeros(1)}])
def test_other_contents_are_refused(content, tmp_path):
    with pytest.raises(ValueError, match='does not hold named tensors'):
        load(tmp_path, content)


def test_a_file_that_is_not_there(tmp_path):
    with pytest.raises(FileNotFoundError):
        load_official_network(tmp_path / 'nothing.pth')


@pytest.mark.parametrize(
    'name',
    [
        'key_proj.key_proj.weight',
        'value_encoder.fuser.block2.conv2.weight',
        'decoder.hidden_update.transform.weight',
    ],
)
def test_a_single_number_where_a_size_is_looked_for(tmp_path, state, name):
    with pytest.raises(ValueError, match='of other shape'):
        load(tmp_path, {**state, name: torch.tensor(1.0)})
