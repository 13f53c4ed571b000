"""Anisotropic L2 similarity, affinity and readout (XMem Sec. 3.3) as pure functions.

Layout: one *row* per memory element or query pixel, channels last, so that the softmax and the
choice of the largest similarities run along contiguous memory. Leading dimensions are batch
dimensions. :func:`rows` makes rows of feature maps, :func:`unrows` maps of rows.
"""

from math import sqrt
from typing import NamedTuple

import torch
from torch.nn import functional

_GROUP = 8
"""Elements of a group of which the largest is found first."""
_MANY = 256
"""From so many elements for each that is wanted, groups save time."""


class Affinity(NamedTuple):
    """The weights of the elements that each query pixel reads; all others weigh nothing."""

    weights: torch.Tensor
    """(..., Q, k) float; sums to 1 over k."""
    indices: torch.Tensor
    """(..., Q, k) int64, elements in 0..N-1."""
    peak: torch.Tensor
    """(..., Q) the largest similarity of each query pixel: how well anything matches it."""


def rows(maps: torch.Tensor) -> torch.Tensor:
    """Return feature maps (..., C, h, w) as rows (..., h*w, C), a view if possible."""
    return maps.flatten(-2).transpose(-1, -2)


def unrows(flat: torch.Tensor, size: tuple[int, int]) -> torch.Tensor:
    """Return rows (..., h*w, C) as feature maps (..., C, h, w), the inverse of :func:`rows`."""
    return flat.transpose(-1, -2).reshape(*flat.shape[:-2], flat.shape[-1], *size)


def similarity(
    key: torch.Tensor,
    shrinkage: torch.Tensor | None,
    query: torch.Tensor,
    selection: torch.Tensor | None,
) -> torch.Tensor:
    """Compare every query pixel with every memory element (Eq. 3).

    ``S(m, q) = -s_m / sqrt(C) * sum_c e_qc (k_mc - q_qc)^2``, at most 0 up to rounding. The square
    is expanded, so that one matrix product of joined terms gives all of it.

    Parameters
    ----------
    key
        (..., N, C) memory keys.
    shrinkage
        (..., N) at least 1, or None for 1 everywhere.
    query
        (..., Q, C) query keys.
    selection
        (..., Q, C) in [0, 1], or None for 1 everywhere; then the term of the query alone is left
        out as in the published code, which shifts all similarities of a pixel alike.

    Returns
    -------
    (..., Q, N) of the dtype of `key`.
    """
    scale = 1 / sqrt(key.shape[-1])
    if selection is None:
        memory = torch.cat([2 * key, -key.square().sum(-1, keepdim=True)], -1)
        asked = torch.cat([query, torch.ones_like(query[..., :1])], -1)
    else:
        selected = query * selection
        own = -(selected * query).sum(-1, keepdim=True)
        memory = torch.cat([2 * key, -key.square(), torch.ones_like(key[..., :1])], -1)
        asked = torch.cat([selected, selection, own], -1)
    weight = scale if shrinkage is None else (shrinkage * scale).unsqueeze(-1)
    return asked @ (memory * weight).transpose(-1, -2)


def top_k_affinity(similarities: torch.Tensor, k: int) -> Affinity:
    """Softmax over the `k` largest of (..., Q, N) similarities, over all of them if N <= k."""
    count = min(k, similarities.shape[-1])
    largest, indices = largest_of(similarities, count)
    # softmax subtracts the maximum: dissimilar memories do not underflow to 0 / 0.
    if count == 0:
        return Affinity(largest, indices, largest.new_full(largest.shape[:-1], -torch.inf))
    return Affinity(largest.softmax(-1), indices, largest.amax(-1))


def largest_of(similarities: torch.Tensor, k: int) -> tuple[torch.Tensor, torch.Tensor]:
    """Return the `k` largest of (..., N) in descending order, and their indices.

    The k largest lie in the k groups with the largest maxima. On a CPU, finding these first halves
    the time where there are many elements. Of equal elements either may be taken.
    """
    count = similarities.shape[-1]
    if similarities.device.type != 'cpu' or count < _MANY * max(k, 1):
        largest, indices = similarities.topk(k, dim=-1)
        return largest, indices
    # Group i holds the elements i, i + groups, i + 2 groups ..., so that maxima run along memory.
    groups = count // _GROUP
    grouped, rest = similarities.tensor_split([groups * _GROUP], -1)
    grouped = grouped.view(*grouped.shape[:-1], _GROUP, groups)
    _, chosen = largest_of(grouped.amax(-2), k)
    chosen = chosen.unsqueeze(-2).expand(*chosen.shape[:-1], _GROUP, k)
    candidates = torch.cat([grouped.gather(-1, chosen).flatten(-2), rest], -1)
    element = torch.arange(count, device=similarities.device)
    first = element[: groups * _GROUP : groups].unsqueeze(-1)
    last = element[groups * _GROUP :].expand(rest.shape)
    largest, places = candidates.topk(k, dim=-1)
    return largest, torch.cat([(chosen + first).flatten(-2), last], -1).gather(-1, places)


def softmax_affinity(similarities: torch.Tensor) -> torch.Tensor:
    """Return the softmax of (..., Q, N) similarities over all N elements."""
    return similarities.softmax(-1)


def readout(affinity: torch.Tensor, values: torch.Tensor) -> torch.Tensor:
    """Return (..., Q, C_v): `values` (..., N, C_v) weighted by a dense affinity (..., Q, N)."""
    return affinity @ values


def top_k_readout(affinity: Affinity, values: torch.Tensor) -> torch.Tensor:
    """Return (..., Q, C_v): the rows of `values` (..., N, C_v) weighted by `affinity`.

    Reads k rows a pixel; a dense product would read all N.
    """
    batch, count = values.shape[:-2], values.shape[-2]
    first = torch.arange(batch.numel(), device=values.device).view(*batch, 1, 1) * count
    k = affinity.indices.shape[-1]
    flat = functional.embedding_bag(
        (affinity.indices + first).reshape(-1, k),
        values.reshape(-1, values.shape[-1]),
        per_sample_weights=affinity.weights.to(values.dtype).reshape(-1, k),
        mode='sum',
    )
    return flat.view(*affinity.indices.shape[:-1], values.shape[-1])


def usage(affinity: Affinity, count: int) -> torch.Tensor:
    """Return (..., count): the weight that each of `count` elements has over all query pixels."""
    weights = affinity.weights.flatten(-2)
    total = weights.new_zeros((*weights.shape[:-1], count))
    return total.scatter_add(-1, affinity.indices.flatten(-2), weights)
