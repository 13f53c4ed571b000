"""The sensory memory: one hidden feature map an object, refreshed at every frame."""

from collections.abc import Iterable
from dataclasses import dataclass

import torch
from torch.nn import functional


@dataclass(frozen=True)
class SensoryMemory:
    """Hidden states of objects; every change makes a new one."""

    hidden: torch.Tensor
    """(1, n, C_h, h, w), channels last in memory."""
    object_ids: tuple[int, ...]
    """Ids of the n objects."""

    def __post_init__(self) -> None:
        """Lay the states out alike wherever they come from, since rounding depends on it."""
        folded = self.hidden.flatten(0, 1).contiguous(memory_format=torch.channels_last)
        object.__setattr__(self, 'hidden', folded.view(self.hidden.shape))

    def with_hidden(self, hidden: torch.Tensor) -> 'SensoryMemory':
        """Return the same objects with new states."""
        return SensoryMemory(hidden, self.object_ids)

    def of(self, object_ids: Iterable[int]) -> 'SensoryMemory':
        """Return the states of `object_ids` in that order, zeros for objects not known."""
        ids = tuple(object_ids)
        if ids == self.object_ids:
            return self
        hidden = self.hidden.new_zeros((1, len(ids), *self.hidden.shape[2:]))
        for row, object_id in enumerate(ids):
            if object_id in self.object_ids:
                hidden[:, row] = self.hidden[:, self.object_ids.index(object_id)]
        return SensoryMemory(hidden, ids)

    def resized(self, size: tuple[int, int]) -> 'SensoryMemory':
        """Return the states at another (h, w), bilinearly resized."""
        if tuple(self.hidden.shape[-2:]) == size:
            return self
        states = self.hidden[0]
        if 0 in states.shape:
            return self.with_hidden(states.new_zeros((1, *states.shape[:2], *size)))
        return self.with_hidden(
            functional.interpolate(states, size, mode='bilinear', align_corners=False)[None]
        )

    def replaced_by(self, other: 'SensoryMemory') -> 'SensoryMemory':
        """Return these states with those of `other`, of some of the objects, in their place."""
        if other.object_ids == self.object_ids:
            return other
        hidden = self.hidden.clone()
        for row, object_id in enumerate(other.object_ids):
            hidden[:, self.object_ids.index(object_id)] = other.hidden[:, row]
        return self.with_hidden(hidden)
