"""What of a tracker can be saved, and the objects of a file."""

from collections.abc import Iterable
from collections.abc import Mapping
from typing import Any
from typing import Protocol
from typing import runtime_checkable

import torch

from lazy_vos_ros.engine.backend import Backend
from lazy_vos_ros.engine.facts import count
from lazy_vos_ros.engine.monitor import ObjectMonitor

LONGEST_LABEL = 1000
"""Characters."""


@runtime_checkable
class Savable(Protocol):
    """A backend whose memory can be written into a file."""

    @property
    def fingerprint(self) -> str:
        """What tells it from others whose memories must not be mixed up with its own."""
        ...

    def contents(self) -> tuple[dict[str, torch.Tensor], dict[str, Any]]:
        """Return everything that it remembers between two frames."""
        ...

    def take(self, tensors: Mapping[str, torch.Tensor], facts: Mapping[str, Any]) -> None:
        """Go on from there."""
        ...


def savable(backend: Backend) -> Savable:
    """Return a backend as one that can be saved; ValueError if it cannot."""
    if not isinstance(backend, Savable):
        raise ValueError(f'the memory of {backend.name} cannot be saved; allowed: XMem')
    return backend


def saved_objects(
    items: Iterable[Mapping[str, Any]],
) -> tuple[dict[int, ObjectMonitor], dict[int, str]]:
    """Return monitors and labels by id; KeyError, TypeError or ValueError if they are none."""
    monitors, labels = {}, {}
    for item in items:
        object_id, label = count(item['id']), item['label']
        if object_id in labels or object_id == 0:
            raise ValueError(f'object {object_id} is there twice, or is 0')
        if not isinstance(label, str) or len(label) > LONGEST_LABEL:
            raise ValueError(f'label is {label!r:.50}; allowed: text')
        monitors[object_id] = ObjectMonitor.from_facts(item['monitor'])
        labels[object_id] = label
    return monitors, labels
