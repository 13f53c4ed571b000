"""Compare the masks of a sequence with the truth, frame by frame."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass
from dataclasses import field

import numpy as np
import numpy.typing as npt

from lazy_vos_ros.engine.results import CorrectionEvent
from lazy_vos_ros.evaluation import metrics
from lazy_vos_ros.evaluation.benchmark.cast import Cast
from lazy_vos_ros.evaluation.benchmark.records import ObjectRecord
from lazy_vos_ros.evaluation.benchmark.truth import GroundTruth
from lazy_vos_ros.evaluation.runs import CORRECTIONS


@dataclass
class _Sheet:
    """What was noted of one object so far."""

    scored: list[int] = field(default_factory=list)
    present: list[bool] = field(default_factory=list)
    j: list[float] = field(default_factory=list)
    f: list[float] = field(default_factory=list)
    corrections: set[int] = field(default_factory=set)
    events: Counter[str] = field(default_factory=Counter)


class ScoreSheet:
    """J and F of every object in every annotated frame, and what the person did."""

    def __init__(self, truth: GroundTruth, cast: Cast, frames: int) -> None:
        """Begin with the objects of `truth`, in a video of so many frames."""
        self._truth = truth
        self._cast = cast
        self._frames = frames
        self._sheets = {object_id: _Sheet() for object_id in truth.first}

    def score(self, index: int, labels: npt.NDArray[np.uint8]) -> None:
        """Compare (H, W) ids of the data set with the truth; nothing if there is none.

        Void pixels are of no object on both sides.
        """
        void = self._truth.void(index)
        if void is None:
            return
        for object_id, sheet in self._sheets.items():
            mask = self._truth.mask(index, object_id)
            if mask is None or index < self._truth.first[object_id]:
                continue
            predicted = (labels == object_id) & ~void
            sheet.scored.append(index - self._truth.first[object_id])
            sheet.present.append(bool(mask.any()))
            sheet.j.append(float(metrics.jaccard(mask, predicted)))
            sheet.f.append(float(metrics.boundary_f(mask, predicted)))

    def note(self, events: Iterable[CorrectionEvent]) -> None:
        """Count what happened."""
        for event in events:
            if event.object_id < 1:
                continue  # of no object, such as a refused first click
            object_id = self._cast.dataset_id(event.object_id)
            sheet = self._sheets[object_id]
            sheet.events[event.kind.value] += 1
            if event.kind in CORRECTIONS:
                sheet.corrections.add(event.frame_index - self._truth.first[object_id])

    def records(self) -> tuple[ObjectRecord, ...]:
        """Return what was noted of each object."""
        return tuple(
            ObjectRecord(
                object_id=object_id,
                first=self._truth.first[object_id],
                frames=self._frames - self._truth.first[object_id],
                scored=tuple(sheet.scored),
                present=tuple(sheet.present),
                j=tuple(sheet.j),
                f=tuple(sheet.f),
                corrections=tuple(sorted(sheet.corrections)),
                events=dict(sorted(sheet.events.items())),
            )
            for object_id, sheet in self._sheets.items()
        )
