"""From working memory to long-term prototypes (XMem Sec. 3.4) as pure functions."""

import torch

from lazy_vos_ros.engine.xmem.similarity import readout
from lazy_vos_ros.engine.xmem.similarity import similarity
from lazy_vos_ros.engine.xmem.similarity import softmax_affinity


def choose_prototypes(usage: torch.Tensor, count: int) -> torch.Tensor:
    """Return the indices of the `count` most used of (N,) candidates, most used first."""
    return usage.topk(min(count, len(usage))).indices


def compare_candidates(
    key: torch.Tensor, shrinkage: torch.Tensor, selection: torch.Tensor, chosen: torch.Tensor
) -> torch.Tensor:
    """Return similarities (P, N) of all candidates to the chosen ones, asked as queries.

    Shapes: key and selection (N, C_k), shrinkage (N,), chosen (P,).
    """
    return similarity(key, shrinkage, key[chosen], selection[chosen])


def potentiate(similarities: torch.Tensor, contents: torch.Tensor) -> torch.Tensor:
    """Return prototypes (P, C) that gather the contents (N, C) of similar candidates (Eq. 6)."""
    return readout(softmax_affinity(similarities).to(contents.dtype), contents)


def least_used(usage: torch.Tensor, count: int, *, with_ties: bool) -> torch.Tensor:
    """Mark (N,) bool the `count` least used elements.

    `with_ties` marks also all others that are used as seldom as the last of them, as the
    published code does; more than `count` may be marked then.
    """
    marked = torch.zeros_like(usage, dtype=torch.bool)
    if count > 0:
        lowest = usage.topk(count, largest=False)
        marked[lowest.indices] = True
        if with_ties:
            marked |= usage <= lowest.values.max()
    return marked
