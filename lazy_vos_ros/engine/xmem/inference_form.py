"""A network rewritten for speed: the same function without what only training needs."""

from collections.abc import Callable
from copy import deepcopy
from itertools import pairwise

import torch
from torch import nn
from torch.nn.utils import fuse_conv_bn_eval

from lazy_vos_ros.engine.xmem.blocks import JoinedConv
from lazy_vos_ros.engine.xmem.blocks import KeyProjection
from lazy_vos_ros.engine.xmem.blocks import conv3x3
from lazy_vos_ros.engine.xmem.blocks import repeat_for
from lazy_vos_ros.engine.xmem.features import ImageFeatures
from lazy_vos_ros.engine.xmem.network import XMemNetwork
from lazy_vos_ros.engine.xmem.winograd import WinogradConv
from lazy_vos_ros.engine.xmem.winograd import suits


def inference_form(network: XMemNetwork, device: torch.device, dtype: torch.dtype) -> XMemNetwork:
    """Return a frozen network that computes the same faster; `network` stays as it is.

    Batch norms are folded into convolutions, kernels lie channels last, and on a CPU the wide
    3x3 convolutions in float32 are Winograd's. What is not rewritten shares its weights with
    `network` if that is of the same device, type and layout.
    """
    form = _sharing_weights(network).eval().requires_grad_(False)
    _rewrite(form, _with_folded_norms)
    _rewrite(form, _with_split_convolutions)
    _rewrite(form, _with_joined_projections)
    form.to(device, dtype)
    if device.type == 'cpu' and dtype == torch.float32:
        _rewrite(form, _with_winograd_convolutions)
    for parameter in form.parameters():
        if parameter.dim() == 4:
            parameter.data = parameter.data.contiguous(memory_format=torch.channels_last)
    return form


class SplitConv(nn.Module):
    """A :class:`JoinedConv` as two modules, each with weights of its own."""

    def __init__(self, conv: JoinedConv) -> None:
        super().__init__()
        self.image, self.group = conv.parts()

    def forward(self, image_maps: torch.Tensor, folded: torch.Tensor) -> torch.Tensor:
        """Map (B, image, h, w) and (B*n, group, h, w) to (B*n, outputs, h, w)."""
        output: torch.Tensor = self.group(folded) + repeat_for(self.image(image_maps), folded)
        return output


class JoinedProjection(nn.Module):
    """A :class:`KeyProjection` whose three convolutions are one."""

    def __init__(self, projection: KeyProjection) -> None:
        super().__init__()
        parts = (projection.key_proj, projection.d_proj, projection.e_proj)
        self._channels = [part.out_channels for part in parts]
        self.joined = conv3x3(parts[0].in_channels, sum(self._channels))
        self.joined.weight = nn.Parameter(torch.cat([part.weight for part in parts]))
        self.joined.bias = nn.Parameter(torch.cat([part.get_parameter('bias') for part in parts]))

    def forward(self, features: ImageFeatures) -> tuple[torch.Tensor, torch.Tensor, torch.Tensor]:
        """Return key (B, C_k, h, w), shrinkage (B, 1, h, w) >= 1, selection like key in (0, 1)."""
        maps = self.joined(features.f16)
        key, shrinkage, selection = torch.split(maps, self._channels, 1)
        return key, shrinkage.square() + 1, selection.sigmoid()


def _sharing_weights(network: XMemNetwork) -> XMemNetwork:
    """Return a copy of the modules with parameters of their own over the same memory."""
    tensors = [*network.parameters(), *network.buffers()]
    same = {id(tensor): tensor.detach() for tensor in tensors}
    same |= {id(item): nn.Parameter(item.detach()) for item in network.parameters()}
    return deepcopy(network, same)


def _rewrite(module: nn.Module, change: Callable[[nn.Module], None]) -> None:
    """Apply a change of the direct children to a module and all below."""
    change(module)
    for child in module.children():
        _rewrite(child, change)


def _with_folded_norms(module: nn.Module) -> None:
    """Fold the batch norms that are registered straight after their convolution."""
    for (name, conv), (norm_name, norm) in pairwise(list(module.named_children())):
        if isinstance(conv, nn.Conv2d) and isinstance(norm, nn.BatchNorm2d):
            setattr(module, name, fuse_conv_bn_eval(conv, norm).requires_grad_(False))
            setattr(module, norm_name, nn.Identity())


def _with_split_convolutions(module: nn.Module) -> None:
    for name, child in list(module.named_children()):
        if isinstance(child, JoinedConv):
            setattr(module, name, SplitConv(child).requires_grad_(False))


def _with_joined_projections(module: nn.Module) -> None:
    for name, child in list(module.named_children()):
        if isinstance(child, KeyProjection):
            setattr(module, name, JoinedProjection(child).requires_grad_(False))


def _with_winograd_convolutions(module: nn.Module) -> None:
    for name, child in list(module.named_children()):
        if isinstance(child, nn.Conv2d) and suits(child):
            setattr(module, name, WinogradConv(child))
