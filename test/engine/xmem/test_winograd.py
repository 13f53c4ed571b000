import pytest
import torch
from torch import nn

from lazy_vos_ros.engine.xmem.winograd import WinogradConv
from lazy_vos_ros.engine.xmem.winograd import suits


@pytest.mark.parametrize('size', [(1, 1), (4, 4), (5, 11), (35, 6)])
@pytest.mark.parametrize('bias', [True, False])
def test_equals_the_convolution(size, bias):
    torch.manual_seed(0)
    conv = nn.Conv2d(20, 12, 3, padding=1, bias=bias).requires_grad_(False)
    x = torch.randn(2, 20, *size).to(memory_format=torch.channels_last)
    torch.testing.assert_close(WinogradConv(conv)(x), conv(x), rtol=0, atol=5e-6)


def test_rounds_about_as_much_as_the_sum_itself():
    torch.manual_seed(0)
    conv = nn.Conv2d(256, 128, 3, padding=1).requires_grad_(False)
    x = torch.randn(1, 256, 12, 16)
    fast = WinogradConv(conv)(x)
    exact = conv.double()(x.double())
    assert (fast - exact).abs().max() < 1e-6 * exact.abs().max() * 4


def test_another_layout_of_the_input():
    torch.manual_seed(0)
    conv = nn.Conv2d(4, 5, 3, padding=1).requires_grad_(False)
    x = torch.randn(1, 9, 7, 4).permute(0, 3, 2, 1)[:, :, 1:]
    torch.testing.assert_close(WinogradConv(conv)(x), conv(x), rtol=0, atol=5e-6)


@pytest.mark.parametrize(
    ('changes', 'suitable'),
    [
        ({}, True),
        ({'stride': 2}, False),
        ({'padding': 0}, False),
        ({'dilation': 2, 'padding': 2}, False),
        ({'kernel_size': 1, 'padding': 0}, False),
        ({'groups': 2}, False),
        ({'out_channels': 64}, False),
    ],
)
def test_which_convolutions_it_replaces(changes, suitable):
    settings = {'in_channels': 128, 'out_channels': 128, 'kernel_size': 3, 'padding': 1} | changes
    assert suits(nn.Conv2d(**settings, device='meta')) == suitable
