"""Which tracker's live picture stands on the canvas while there is no question."""

from time import monotonic

from lazy_vos_ros.nodes.operator_desk import OperatorDesk
from lazy_vos_ros.nodes.operator_view import Live

PERIOD = 1.0
"""Seconds between two live pictures: a click must hit the one that was seen."""


class LiveCamera:
    """Chooses the tracker, and holds each of its pictures for a while."""

    def __init__(self, desk: OperatorDesk) -> None:
        self._desk = desk
        self._chosen = ''
        self._shown_at = float('-inf')
        self.shown: Live | None = None
        """The picture that is shown now."""

    @property
    def tracker(self) -> str:
        """Full name of the tracker that is shown; empty if there is none."""
        names = [view.name for view in self._desk.snapshot().trackers]
        if self._chosen in names:
            return self._chosen
        return names[0] if names else ''

    def next(self) -> None:
        """Go on to the next tracker."""
        names = [view.name for view in self._desk.snapshot().trackers]
        if names:
            self._chosen = names[(names.index(self.tracker) + 1) % len(names)]
        self.forget()

    def forget(self) -> None:
        """Take the picture away."""
        self.shown, self._shown_at = None, float('-inf')

    def look(self) -> None:
        """Take the tracker's newest picture if the one that is shown is old enough."""
        live = self._desk.live(self.tracker) if self.tracker else None
        if live is not None and monotonic() - self._shown_at >= PERIOD:
            self.shown, self._shown_at = live, monotonic()
