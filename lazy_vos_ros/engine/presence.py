"""Whether an object is in the image at all, which its uncertainty does not tell.

An empty mask has S_R = 0: a tracker that has lost an object altogether is not unsure.
"""

from collections import deque
from collections.abc import Mapping
from copy import copy
from dataclasses import dataclass
from enum import Enum
from statistics import median
from typing import Any

import numpy as np
import numpy.typing as npt

from lazy_vos_ros.engine.config import LazyConfig
from lazy_vos_ros.engine.facts import count
from lazy_vos_ros.engine.facts import finite
from lazy_vos_ros.engine.facts import flag


class Whereabouts(Enum):
    """Where an object is taken to be."""

    PRESENT = 'present'
    LOST = 'lost'
    """Its mask collapsed inside the image."""
    AWAY = 'away'
    """Its mask is empty because it left through the border or had dwindled."""
    GONE = 'gone'
    """The operator said so."""


@dataclass(frozen=True)
class Sight:
    """What one frame shows of an object, before any correction."""

    area: int
    """Pixels of the mask."""
    at_border: bool
    """Whether the mask touches the border of the image."""
    uncertainty: float
    """S_R."""


def sight_of(mask: npt.NDArray[np.bool_], uncertainty: float) -> Sight:
    """Return what an (H, W) mask shows."""
    edges = (mask[0], mask[-1], mask[:, 0], mask[:, -1])
    return Sight(int(np.count_nonzero(mask)), any(bool(edge.any()) for edge in edges), uncertainty)


class Presence:
    """The whereabouts of one object from frame to frame, with hysteresis."""

    def __init__(self, first: Sight) -> None:
        """Start present, with the mask with which the object appeared."""
        self.found(first)

    def facts(self) -> dict[str, Any]:
        """Return everything that it knows, for a file."""
        return {
            'whereabouts': self.whereabouts.value,
            'seen': [[item.area, item.at_border, item.uncertainty] for item in self._seen],
            'usual': self._usual,
            'largest': self._largest,
            'returning': self._returning,
        }

    @classmethod
    def from_facts(cls, facts: Mapping[str, Any]) -> 'Presence':
        """Return the presence of these facts; KeyError, TypeError or ValueError otherwise."""
        seen = [
            Sight(count(area), flag(border), finite(uncertainty))
            for area, border, uncertainty in facts['seen']
        ]
        made = cls(seen[0] if seen else Sight(0, False, 0.0))
        made._seen = deque(seen)
        made.whereabouts = Whereabouts(facts['whereabouts'])
        made._usual, made._largest = finite(facts['usual']), finite(facts['largest'])
        made._returning = count(facts['returning'])
        return made

    def copy(self) -> 'Presence':
        """Return another one that knows the same."""
        other = copy(self)
        other._seen = deque(self._seen)
        return other

    @property
    def returning(self) -> bool:
        """Whether the newest frame shows it again, and it has not recovered yet."""
        return self._returning > 0

    def found(self, sight: Sight) -> None:
        """Take it from the operator that the object is there, with this mask."""
        self.whereabouts = Whereabouts.PRESENT
        self._seen: deque[Sight] = deque([sight])
        self._usual = self._largest = float(sight.area)
        self._returning = 0

    def gone(self) -> None:
        """Take it from the operator that the object is not in the image."""
        self.whereabouts = Whereabouts.GONE
        self._returning = 0

    def update(self, sight: Sight, config: LazyConfig) -> bool:
        """Look at the next frame; return whether the whereabouts have changed."""
        before = self.whereabouts
        if before is Whereabouts.PRESENT:
            self._watch(sight, config)
        else:
            self._look_for_return(sight, config)
        return self.whereabouts is not before

    def _watch(self, sight: Sight, config: LazyConfig) -> None:
        vanished = sight.area == 0 or sight.area <= config.lost_area_ratio * self._usual
        if vanished:
            lost = config.lost_area_ratio > 0 and self._was_well_inside(config)
            self.whereabouts = Whereabouts.LOST if lost else Whereabouts.AWAY
            self._returning = 0
            return
        self._seen.append(sight)
        while len(self._seen) > config.lost_frames:
            self._seen.popleft()
        sure = [item.area for item in self._seen if item.uncertainty <= config.tau_m]
        if sure:
            self._usual = median(sure)
            self._largest = max(self._largest, self._usual)

    def _was_well_inside(self, config: LazyConfig) -> bool:
        """Whether an object that has vanished did not leave by itself."""
        dwindled = self._usual < config.recovered_area_ratio * self._largest
        return self._usual > 0 and not dwindled and not self._seen[-1].at_border

    def _look_for_return(self, sight: Sight, config: LazyConfig) -> None:
        large = 0 < sight.area >= config.recovered_area_ratio * self._usual
        back = large and sight.uncertainty <= config.tau_m
        self._returning = self._returning + 1 if back else 0
        if self._returning >= config.recovered_frames:
            self.found(sight)
