"""How good the masks of one run were, frame by frame, as far as true masks are known."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property
from statistics import fmean

from lazy_vos_ros.evaluation import metrics


@dataclass(frozen=True)
class FrameScore:
    """One object in one processed frame whose true mask is known."""

    stamp: int
    """Of the image, nanoseconds."""
    j: float
    """Intersection over union (J)."""
    f: float
    """F-measure of the boundary."""
    visible: bool
    """Whether the true mask has a pixel of the object."""


@dataclass(frozen=True)
class ObjectQuality:
    """One object over its life.

    The frame in which the operator first showed it has a score, but does not count in the
    measures. Frames of its life in which it is absent count: 1 if nothing was predicted, else 0.
    """

    object_id: int
    """The tracker's."""
    true_id: int
    """The same object's in the ground truth."""
    label: str
    scores: tuple[FrameScore, ...]
    """Ascending by stamp; sparse ground truth leaves gaps."""
    begins_with_prompt: bool
    """Whether the first score is that of the frame in which the object was added."""

    @property
    def counted(self) -> tuple[FrameScore, ...]:
        """The scores that the measures are made of."""
        return self.scores[1:] if self.begins_with_prompt else self.scores

    @cached_property
    def measures(self) -> dict[str, float]:
        """J, F, J&F, R@0.1, R@0.25 and R@0.5, 0 to 1; empty if no score counts."""
        if not self.counted:
            return {}
        ious = [score.j for score in self.counted]
        j = fmean(ious)
        f = fmean(score.f for score in self.counted)
        recalls = {
            f'R@{tau:g}': metrics.recall_at(ious, tau, skip_first=False)
            for tau in metrics.RECALL_THRESHOLDS
        }
        return {'J': j, 'F': f, 'J&F': metrics.j_and_f(j, f), **recalls}

    def score_of(self, stamp: int) -> FrameScore | None:
        """Return the score of the frame with this stamp (ns); None if its truth is not known."""
        return self._by_stamp.get(stamp)

    def iou_of(self, stamp: int) -> float | None:
        """Return J of the frame with this stamp (ns); None if its true mask is not known."""
        score = self.score_of(stamp)
        return None if score is None else score.j

    @cached_property
    def _by_stamp(self) -> dict[int, FrameScore]:
        return {score.stamp: score for score in self.scores}


@dataclass(frozen=True)
class Quality:
    """How good the masks of a run were."""

    source: str
    """Where the true masks are from, for people."""
    objects: tuple[ObjectQuality, ...]
    """Those that were compared, ascending by id."""
    frames: int
    """Processed frames whose true masks are known."""

    @property
    def mean(self) -> dict[str, float]:
        """Each measure's mean over the objects that have it."""
        found = [item.measures for item in self.objects if item.measures]
        return {name: fmean(item[name] for item in found) for name in (found[0] if found else ())}

    def of(self, object_id: int) -> ObjectQuality | None:
        """Return that of one object of the tracker; None if it was not compared."""
        return next((item for item in self.objects if item.object_id == object_id), None)
