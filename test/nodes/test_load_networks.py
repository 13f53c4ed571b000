import pytest
import torch

from lazy_vos_ros.engine.xmem.config import XMemConfig
from lazy_vos_ros.nodes import tracking
from lazy_vos_ros.nodes.node_config import NodeConfig


@pytest.fixture
def devices(monkeypatch):
    """Return the devices that are tried; there is memory on the CPU alone."""
    tried = []

    def make_backend(weights, *, device, settings):
        tried.append(device)
        return 'backend'

    def make_refiner(name, *, backend, device):
        if device != 'cpu':
            raise torch.OutOfMemoryError('CUDA out of memory')
        return 'refiner'

    monkeypatch.setattr(tracking, 'make_backend', make_backend)
    monkeypatch.setattr(tracking, 'make_refiner', make_refiner)
    return tried


def test_networks_without_room_on_the_accelerator_run_on_the_cpu(devices, capfd):
    loaded = tracking.load_networks(NodeConfig(device='auto'), XMemConfig())
    assert (loaded, devices) == (('backend', 'refiner'), ['auto', 'cpu'])
    assert 'no memory for the networks, they run on the CPU' in capfd.readouterr().err


def test_a_device_that_was_named_is_kept_to(devices):
    with pytest.raises(torch.OutOfMemoryError):
        tracking.load_networks(NodeConfig(device='cuda'), XMemConfig())
    assert devices == ['cuda']
