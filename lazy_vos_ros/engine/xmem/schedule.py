"""When the tracker memorises a frame and refreshes the sensory memory from it."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any


@dataclass
class Schedule:
    """The clock of the memory; it counts frames from 0 but may be held back.

    Parameters
    ----------
    mem_every
        Ticks from one memorised frame to the next.
    deep_every
        Ticks between deep updates; below 0, one at every frame memorised by this schedule, where
        it takes the place of the decoder's update of the sensory memory.
    """

    mem_every: int
    deep_every: int

    def __post_init__(self) -> None:
        """Start before the first frame."""
        self.clock = -1
        self.last_memory = 0
        self.last_deep = -self.deep_every

    def facts(self) -> dict[str, int]:
        """Return where the clock stands, for a file."""
        return {'clock': self.clock, 'memory': self.last_memory, 'deep': self.last_deep}

    def take(self, facts: Mapping[str, Any]) -> None:
        """Go on from these facts; KeyError or ValueError if they are none."""
        clock, memory, deep = (facts[name] for name in ('clock', 'memory', 'deep'))
        if not all(type(item) is int and abs(item) < 2**62 for item in (clock, memory, deep)):
            raise ValueError(f'the schedule is {facts!r}; allowed: whole numbers')
        self.clock, self.last_memory, self.last_deep = clock, memory, deep

    @property
    def memory_due(self) -> bool:
        """Whether this frame is to be memorised."""
        return self.clock - self.last_memory >= self.mem_every

    def deep_due(self, natural: bool) -> bool:
        """Whether memorising this frame brings a deep update.

        `natural` says that it would be memorised without being forced.
        """
        if self.deep_every < 0:
            return natural
        return self.clock - self.last_deep >= self.deep_every

    def tick(self) -> None:
        """Begin a frame."""
        self.clock += 1

    def hold(self) -> None:
        """Take the tick of this frame back, so that what was due comes due again."""
        self.clock -= 1

    def memorised(self, *, deep: bool) -> None:
        """Note that this frame was memorised, and whether with a deep update."""
        self.last_memory = self.clock
        if deep:
            self.last_deep = self.clock
