"""One clip through the network with gradients: the engine's functions, a memory of a few frames.

The first frame's mask is given; each later frame reads the first frame and up to `memory_frames`
earlier predictions, is decoded and aggregated, and becomes memory itself.
"""

from typing import NamedTuple

import torch
from torch import Tensor
from torch.nn import functional

from lazy_vos_ros.engine.xmem.aggregation import aggregate
from lazy_vos_ros.engine.xmem.blocks import fold
from lazy_vos_ros.engine.xmem.blocks import unfold
from lazy_vos_ros.engine.xmem.compact_sensory import MASK_CHANNELS
from lazy_vos_ros.engine.xmem.compact_sensory import SUBCELLS
from lazy_vos_ros.engine.xmem.features import ImageFeatures
from lazy_vos_ros.engine.xmem.features import KeyFeatures
from lazy_vos_ros.engine.xmem.given import given_channels
from lazy_vos_ros.engine.xmem.network import XMemNetwork
from lazy_vos_ros.engine.xmem.similarity import rows
from lazy_vos_ros.engine.xmem.similarity import similarity
from lazy_vos_ros.engine.xmem.similarity import top_k_affinity
from lazy_vos_ros.engine.xmem.similarity import top_k_readout
from lazy_vos_ros.engine.xmem.similarity import unrows

MEAN = (0.485, 0.456, 0.406)
STD = (0.229, 0.224, 0.225)


class Unrolled(NamedTuple):
    """Predictions of frames 1..T-1."""

    probabilities: list[Tensor]
    """Each (B, n+1, S, S), aggregated."""
    priors: list[Tensor]
    """Each (2, B, n, S/4, S/4), the masks read out: from all memory, from the given frame."""


def normalise(images: Tensor) -> Tensor:
    """Return (..., H, W, 3) uint8 RGB as (..., 3, H, W) float32, ImageNet-normalised."""
    mean = torch.tensor(MEAN, device=images.device).view(3, 1, 1)
    std = torch.tensor(STD, device=images.device).view(3, 1, 1)
    return (images.movedim(-1, -3).float() / 255 - mean) / std


def one_hot(labels: Tensor, objects: int) -> Tensor:
    """Return (B, H, W) labels as (B, n, H, W) float masks of objects 1..n."""
    ids = torch.arange(1, objects + 1, device=labels.device)
    return (labels[:, None] == ids.view(1, -1, 1, 1)).float()


def encode_frames(network: XMemNetwork, images: Tensor, *, tune_trunk: bool) -> list[KeyFeatures]:
    """Encode (B, T, 3, S, S) at once; without `tune_trunk` no gradient enters the trunk."""
    frames = images.shape[1]
    flat = fold(images).contiguous(memory_format=torch.channels_last)
    with torch.set_grad_enabled(tune_trunk and torch.is_grad_enabled()):
        taps = network.key_encoder(flat)
    # Keys are compared by differences of squares: half precision would drown small ones.
    with torch.autocast(images.device.type, enabled=False):
        features = ImageFeatures(*(tap.float() for tap in taps))
        keys = network.key_proj(features)
    parts = [unfold(x, images.shape[0]) for x in (*keys, *features)]
    return [KeyFeatures(*(part[:, t] for part in parts)) for t in range(frames)]


def remembered(count: int, memory_frames: int, generator: torch.Generator) -> list[int]:
    """Choose memory frames among 0..count-1: always the first, then random ones, in order."""
    others = torch.randperm(count - 1, generator=generator)[: memory_frames - 1] + 1
    return [0, *sorted(int(i) for i in others)]


def unroll(
    network: XMemNetwork,
    images: Tensor,
    first: Tensor,
    *,
    memory_frames: int = 3,
    top_k: int = 30,
    deep_share: float = 0.2,
    tune_trunk: bool = False,
    generator: torch.Generator,
) -> Unrolled:
    """Track through (B, T, 3, S, S) normalised images from (B, n, S, S) masks of frame 0."""
    keys = encode_frames(network, images, tune_trunk=tune_trunk)
    batch, objects = first.shape[:2]
    size = keys[0].size
    hidden = first.new_zeros(batch, objects, network.hidden_dim, *size)
    value, hidden = network.encode_value(
        images[:, 0], keys[0], hidden, aggregate(first)[:, 1:], deep_update=True
    )
    values = [rows(value)]
    result = Unrolled([], [])
    for t in range(1, len(keys)):
        chosen = remembered(t, memory_frames, generator)
        readout = unrows(_read(network, keys, values, t, chosen, top_k), size)
        deep = bool(torch.rand((), generator=generator) < deep_share)
        last = t == len(keys) - 1
        frame = keys[t]
        new, logits = network.decode(frame, readout, hidden, update_hidden=not (deep or last))
        hidden = hidden if new is None else new
        probabilities = aggregate(logits.float().sigmoid())
        result.probabilities.append(probabilities)
        result.priors.append(_masks_read(network, readout))
        if not last:
            value, hidden = network.encode_value(
                images[:, t], frame, hidden, probabilities[:, 1:], deep_update=deep
            )
            values.append(rows(value))
    return result


def _masks_read(network: XMemNetwork, readout: Tensor) -> Tensor:
    """Return (2, B, n, S/4, S/4) of readouts (B, n, C, h, w)."""
    starts = (0, network.value_dim)
    cells = torch.stack([readout[:, :, start : start + MASK_CHANNELS] for start in starts])
    return functional.pixel_shuffle(cells, SUBCELLS)[:, :, :, 0]


def _read(
    network: XMemNetwork,
    keys: list[KeyFeatures],
    values: list[Tensor],
    t: int,
    chosen: list[int],
    top_k: int,
) -> Tensor:
    memory = torch.cat([rows(keys[i].key) for i in chosen], -2)
    shrinkage = torch.cat([rows(keys[i].shrinkage)[..., 0] for i in chosen], -1)
    query, selection = rows(keys[t].key), rows(keys[t].selection)
    with torch.autocast(query.device.type, enabled=False):
        similarities = similarity(memory, shrinkage, query, selection)
        affinity = top_k_affinity(similarities, top_k)
    # All objects share one affinity; their values are read side by side.
    value = torch.cat([values[i] for i in chosen], -2)
    joined = value.transpose(1, 2).flatten(2)
    read = top_k_readout(affinity, joined.float())
    read = read.unflatten(-1, (value.shape[1], -1)).transpose(1, 2)
    given = values[0][..., : network.given_dim].float()
    own = given_channels(affinity, similarities[..., : given.shape[-2]], given)
    return torch.cat([read, own], -1)
