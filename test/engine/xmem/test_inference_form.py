import pytest
import torch
from torch import nn

from lazy_vos_ros.engine.xmem.compact import CompactConfig
from lazy_vos_ros.engine.xmem.compact import compact_network
from lazy_vos_ros.engine.xmem.inference_form import inference_form
from lazy_vos_ros.engine.xmem.official import Dimensions
from lazy_vos_ros.engine.xmem.official import official_network
from lazy_vos_ros.engine.xmem.winograd import WinogradConv

CPU = torch.device('cpu')


@pytest.fixture(scope='module')
def network():
    """The published layout with statistics that are not those of a fresh batch norm."""
    torch.manual_seed(1)
    network = official_network(Dimensions(8, 16, 4))
    for module in network.modules():
        if isinstance(module, nn.BatchNorm2d):
            nn.init.normal_(module.running_mean, std=0.1)
            nn.init.uniform_(module.running_var, 0.5, 2)
            nn.init.uniform_(module.weight, 0.5, 1.5)
    return network


@torch.inference_mode()
def outputs(network, dtype=torch.float32):
    generator = torch.Generator().manual_seed(0)
    image = torch.rand(1, 3, 32, 48, generator=generator).to(dtype)
    masks = torch.rand(1, 2, 32, 48, generator=generator).to(dtype)
    seen = network.encode_key(image)
    h, w = seen.size
    hidden = torch.zeros(1, 2, network.hidden_dim, h, w, dtype=dtype)
    value, hidden = network.encode_value(image, seen, hidden, masks, deep_update=True)
    after, logits = network.decode(seen, value, hidden, update_hidden=True)
    return {'key': seen.key, 'value': value, 'hidden': after, 'logits': logits}


def test_computes_the_same(network):
    form = inference_form(network, CPU, torch.float32)
    kinds = [type(module) for module in form.modules()]
    assert nn.BatchNorm2d not in kinds
    assert WinogradConv in kinds
    for name, tensor in outputs(form).items():
        torch.testing.assert_close(tensor, outputs(network)[name], rtol=1e-4, atol=1e-4)


def test_the_given_network_stays_as_it_is(network):
    before = {name: tensor.clone() for name, tensor in network.state_dict().items()}
    form = inference_form(network.train(), CPU, torch.bfloat16)
    assert network.training
    assert not form.training
    assert all(parameter.requires_grad for parameter in network.parameters())
    network.eval()
    after = network.state_dict()
    assert before.keys() == after.keys()
    assert all(torch.equal(before[name], after[name]) for name in before)


def test_small_networks_share_their_weights():
    network = compact_network(CompactConfig())
    form = inference_form(network, CPU, torch.float32)
    mine = network.decoder.context_16.weight
    assert form.decoder.context_16.weight.data_ptr() == mine.data_ptr()


def test_bf16_runs_through_and_is_near(network):
    form = inference_form(network, CPU, torch.bfloat16)
    exact = outputs(network)
    for name, tensor in outputs(form, torch.bfloat16).items():
        assert (tensor - exact[name]).abs().mean() < 0.05 * exact[name].abs().max()
