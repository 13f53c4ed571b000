import pytest
import torch

from lazy_vos_ros.engine.device_memory import device_memory


@pytest.mark.parametrize('device', ['cpu', ''])
def test_there_is_none_without_an_accelerator(device):
    assert device_memory(device) is None


@pytest.mark.skipif(not torch.cuda.is_available(), reason='no CUDA device')
def test_what_this_process_holds_is_counted():
    before = device_memory('cuda')
    held = torch.zeros(64 << 20, dtype=torch.uint8, device='cuda')
    after = device_memory('cuda:0')
    assert after.used >= before.used + held.numel()
    assert 0 < after.free < after.total == before.total
