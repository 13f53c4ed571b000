"""What a tracker gives up when the accelerator has no memory left, and when it takes it back."""

from collections.abc import Callable
from enum import Enum
from time import monotonic
from typing import Protocol
from typing import runtime_checkable

import torch

SCALES = (1.0, 0.75, 0.5)
"""Parts of the working size; each step to the right frees the most of what is left to free."""

QUIET = 30.0
"""Seconds without a shortage after which the size goes one step up again."""

LONGEST_QUIET = 960.0
"""The most seconds: they double each time that a step up was too early."""


class Step(Enum):
    """One thing to give up; in this order."""

    CACHE = 'what is kept for later: cached blocks and what late answers could be replayed from'
    SIZE = 'size'
    OBJECT = 'the object added last'
    NOTHING = 'there is nothing left to give up'


@runtime_checkable
class ScalableBackend(Protocol):
    """A backend that can work at a part of its size."""

    scale: float
    """Part of the working size, above 0 and at most 1; may change between two frames."""


class Relief:
    """Chooses the next step of a shortage, and when a shortage is over.

    Parameters
    ----------
    scalable
        Whether the size can be changed.
    clock
        Seconds.
    """

    def __init__(self, *, scalable: bool, clock: Callable[[], float] = monotonic) -> None:
        self._scales = SCALES if scalable else SCALES[:1]
        self._clock = clock
        self._level = 0
        self._short = False
        self._last = clock()
        self._raised = False
        self._quiet = QUIET

    @property
    def scale(self) -> float:
        """Part of its size at which the network is to work now."""
        return self._scales[self._level]

    def next_step(self, objects: int) -> Step:
        """Return what to give up now that memory was short, with so many objects tracked."""
        if self._raised:
            self._quiet = min(2 * self._quiet, LONGEST_QUIET)
            self._raised = False
        first = not self._short
        self._short, self._last = True, self._clock()
        if first:
            return Step.CACHE
        if self._level + 1 < len(self._scales):
            self._level += 1
            return Step.SIZE
        return Step.OBJECT if objects > 1 else Step.NOTHING

    def look(self) -> bool:
        """Note that a frame went well; return whether the size went up."""
        if not self._short or self._clock() - self._last < self._quiet:
            return False
        self._last = self._clock()
        if self._level == 0:
            # The last step up has proved itself, too.
            self._short, self._raised, self._quiet = False, False, QUIET
            return False
        self._level -= 1
        self._raised = True
        return True


def free_cached_memory(device: torch.device) -> None:
    """Give back what PyTorch keeps of an accelerator's memory for later use."""
    if device.type == 'cuda':
        torch.cuda.empty_cache()
