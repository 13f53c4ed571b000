"""What it takes to undo a correction by the operator."""

from dataclasses import dataclass

from lazy_vos_ros.engine.corrected_frame import CorrectedFrame
from lazy_vos_ros.engine.corrected_frame import Part
from lazy_vos_ros.engine.questions import Moment

UNDOABLE_KEPT = 4
"""Corrections that can be undone, the latest first; each keeps a state of the tracker alive."""


@dataclass(frozen=True)
class Correction:
    """A correction of a finished frame, and what the tracker knew just before it was used."""

    object_id: int
    request_id: str
    """Empty if nobody had asked."""
    frame: CorrectedFrame
    """The corrected one."""
    before: Part
    """Of the object in that frame."""
    moment: Moment
    newest: CorrectedFrame
    """The last frame that the tracker had finished."""
    stamp: float
    """Stream time at which it was used, seconds."""
