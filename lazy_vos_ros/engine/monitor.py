"""What the tracker knows about one object beside its mask: its trigger and its presence."""

from collections.abc import Mapping
from copy import copy
from math import isinf
from typing import Any

from lazy_vos_ros.engine.config import LazyConfig
from lazy_vos_ros.engine.facts import count
from lazy_vos_ros.engine.facts import finite
from lazy_vos_ros.engine.facts import flag
from lazy_vos_ros.engine.presence import Presence
from lazy_vos_ros.engine.presence import Sight
from lazy_vos_ros.engine.presence import Whereabouts
from lazy_vos_ros.engine.triggers import Decision
from lazy_vos_ros.engine.triggers import ObjectTrigger


class ObjectMonitor:
    """Follows one object from the frame in which it appeared, and decides when to ask."""

    def __init__(self, first: Sight) -> None:
        """Start from what the frame showed in which the object appeared."""
        self._trigger = ObjectTrigger(first.uncertainty)
        self._presence = Presence(first)
        self._asked_at: float | None = None
        self._calm_frames = 0
        self._vanishing_unasked = False
        self._known_since = self._back_since = 0
        self.vanishing_spared = False
        """Whether it was told that nobody is asked about its vanishing for now."""

    def facts(self) -> dict[str, Any]:
        """Return everything that it knows, for a file.

        Not since when the whereabouts are known: no question about frames before lives on.
        """
        return {
            'trigger': self._trigger.facts(),
            'presence': self._presence.facts(),
            'asked_at': self._asked_at,
            'calm_frames': self._calm_frames,
            'vanishing_unasked': self._vanishing_unasked,
            'vanishing_spared': self.vanishing_spared,
        }

    @classmethod
    def from_facts(cls, facts: Mapping[str, Any]) -> 'ObjectMonitor':
        """Return the monitor of these facts; KeyError, TypeError or ValueError otherwise."""
        made = cls(Sight(0, False, 0.0))
        made._trigger = ObjectTrigger.from_facts(facts['trigger'])
        made._presence = Presence.from_facts(facts['presence'])
        asked_at = facts['asked_at']
        made._asked_at = None if asked_at is None else finite(asked_at)
        made._calm_frames = count(facts['calm_frames'])
        made._vanishing_unasked = flag(facts['vanishing_unasked'])
        made.vanishing_spared = flag(facts['vanishing_spared'])
        return made

    def copy(self) -> 'ObjectMonitor':
        """Return another one that knows the same."""
        other = copy(self)
        other._trigger = copy(self._trigger)
        other._presence = self._presence.copy()
        return other

    @property
    def whereabouts(self) -> Whereabouts:
        """Where the object is taken to be."""
        return self._presence.whereabouts

    @property
    def absent(self) -> bool:
        """Whether it is taken to be out of the image."""
        return self.whereabouts is not Whereabouts.PRESENT

    @property
    def gone(self) -> bool:
        """Whether the operator said that it is gone and it has not recovered since."""
        return self.whereabouts is Whereabouts.GONE

    def update(
        self, sight: Sight, config: LazyConfig, frame_index: int
    ) -> tuple[float, Decision, bool]:
        """Look at the next frame; return dS, the decision and whether whereabouts changed."""
        derivative, decision = self._trigger.update(sight.uncertainty, config)
        changed = self._presence.update(sight, config)
        if changed:
            self._know(frame_index)
            self._vanishing_unasked = self.whereabouts is Whereabouts.LOST
            self.vanishing_spared = False
        self._calm_down(sight, config)
        vanished = self._vanishing_unasked and not self._presence.returning
        if vanished and config.user_corrections:
            decision = Decision.LOST
        return derivative, decision, changed

    def reason_to_spare(self, config: LazyConfig) -> str:
        """Return why its uncertainty asks nobody now; empty if nothing speaks against."""
        if config.spare_absent and self.absent:
            return f'the object is absent: {self.whereabouts.value} (spare_absent)'
        if self._asked_at is not None and not isinf(config.rearm_ratio):
            return 'not calm again since the last question (rearm_ratio)'
        return ''

    def may_correct_itself(self, config: LazyConfig) -> bool:
        """Whether a pseudo-click makes sense: on a likely absent object it marks background."""
        if self.whereabouts in (Whereabouts.LOST, Whereabouts.GONE):
            return False
        return not (self.absent and config.spare_absent)

    def asked(self, uncertainty: float) -> None:
        """Note that the operator is asked, at this S_R."""
        self._asked_at = None if self._vanishing_unasked else uncertainty
        self._calm_frames = 0
        self._vanishing_unasked = False

    def found(self, sight: Sight, frame_index: int) -> None:
        """Note that the operator showed the object in this frame; what is newer stands."""
        if frame_index >= self._known_since:
            self._presence.found(sight)
            self._know(frame_index)
            self._vanishing_unasked = False

    def said_gone(self, frame_index: int) -> None:
        """Note that the operator said that it is not in this frame, if it is not back since."""
        if frame_index >= self._back_since:
            self._presence.gone()
            self._know(frame_index)
            self._vanishing_unasked = False

    def _know(self, frame_index: int) -> None:
        """Note which frame the whereabouts are known from."""
        self._known_since = max(self._known_since, frame_index)
        if not self.absent:
            self._back_since = self._known_since

    def _calm_down(self, sight: Sight, config: LazyConfig) -> None:
        if self._asked_at is None:
            return
        calm = sight.area > 0 and sight.uncertainty <= config.rearm_ratio * self._asked_at
        self._calm_frames = self._calm_frames + 1 if calm else 0
        if self._calm_frames >= config.recovered_frames:
            self._asked_at = None
