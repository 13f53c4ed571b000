"""The numbers behind one object's timeline."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import groupby

import numpy as np

from lazy_vos_ros.evaluation.evaluated_run import EvaluatedRun
from lazy_vos_ros.evaluation.evaluated_run import Question
from lazy_vos_ros.evaluation.report.scales import Floats
from lazy_vos_ros.evaluation.report.scales import strongest
from lazy_vos_ros.evaluation.runs import TimedEvent

SAMPLES = 1200
"""Most frames of one object whose values the page tells under the pointer."""


@dataclass(frozen=True)
class Curves:
    """One object over its life; times are seconds since the run began, ascending."""

    object_id: int
    label: str
    times: Floats
    frames: tuple[int, ...]
    """Index of each frame."""
    uncertainty: Floats
    """S_R."""
    derivative: Floats
    """dS."""
    area: tuple[int, ...]
    """Pixels of the mask."""
    iou: Floats
    """NaN where it is not known."""
    memorised: Floats
    """Times of the frames that entered the memory."""
    absences: tuple[tuple[float, float], ...]
    """From the first to the last frame of each stretch in which it has no pixel or is said to be
    gone."""
    questions: tuple[tuple[float, float, Question], ...]
    """From the question to its answer, or to the end of the run."""
    events: tuple[tuple[float, TimedEvent], ...]
    """When they took effect."""

    @property
    def has_iou(self) -> bool:
        """Whether a true mask of the object is known in any frame."""
        return bool(np.isfinite(self.iou).any())

    @property
    def absent_seconds(self) -> float:
        """Seconds in which the object was absent."""
        return sum(last - first for first, last in self.absences)


def curves_of(run: EvaluatedRun, object_id: int) -> Curves:
    """Return the numbers of one object of a run."""
    life = sorted(run.run.life(object_id), key=lambda frame: frame.stamp)
    pairs = [(frame, state) for frame in life if (state := frame.state_of(object_id))]
    times = [run.seconds(frame) for frame, _ in pairs]
    ious = [run.iou(object_id, frame) for frame, _ in pairs]
    return Curves(
        object_id=object_id,
        label=run.labels[object_id],
        times=np.array(times),
        frames=tuple(frame.index for frame, _ in pairs),
        uncertainty=np.array([state.uncertainty for _, state in pairs]),
        derivative=np.array([state.derivative for _, state in pairs]),
        area=tuple(state.area for _, state in pairs),
        iou=np.array([np.nan if iou is None else iou for iou in ious]),
        memorised=np.array(
            [time for (frame, _), time in zip(pairs, times, strict=True) if frame.memorised]
        ),
        absences=tuple(_absences(times, [state.area == 0 or state.absent for _, state in pairs])),
        questions=tuple(
            (*span_of(run, item), item)
            for item in run.questions
            if item.asked.object_id == object_id
        ),
        events=tuple(
            (event.applied_stamp - run.begin, event)
            for event in run.run.events
            if event.object_id == object_id
        ),
    )


def span_of(run: EvaluatedRun, question: Question) -> tuple[float, float]:
    """Return from when to when a question was open, in seconds since the run began."""
    closing = question.closing
    end = run.run.frames[-1].seconds if closing is None else closing.applied_stamp
    begin = question.asked.stamp - run.begin
    return begin, max(begin, end - run.begin)


def samples(curves: Curves) -> dict[str, list[float | None]]:
    """Return the values that the page tells under the pointer, as JSON knows them.

    Of a long run the least sure frame of each stretch.
    """
    chosen = strongest(curves.uncertainty, SAMPLES)
    series = {
        't': curves.times,
        'n': np.array(curves.frames, float),
        's': curves.uncertainty,
        'd': curves.derivative,
        'a': np.array(curves.area, float),
    }
    if curves.has_iou:
        series['i'] = curves.iou
    return {name: [_plain(value) for value in row[chosen]] for name, row in series.items()}


def _plain(value: float) -> float | None:
    if not np.isfinite(value):
        return None
    return int(value) if value == int(value) else round(float(value), 3)


def _absences(times: Sequence[float], empty: Sequence[bool]) -> list[tuple[float, float]]:
    found = []
    for absent, stretch in groupby(zip(times, empty, strict=True), key=lambda item: item[1]):
        moments = [time for time, _ in stretch]
        if absent:
            found.append((moments[0], moments[-1]))
    return found
