"""What a run asked of the operator over time, and what was seen of the tracker's own state."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable
from collections.abc import Sequence
from dataclasses import dataclass
from math import isfinite
from statistics import fmean

import numpy as np

from lazy_vos_ros.engine.results import EventKind
from lazy_vos_ros.evaluation.runs import Run
from lazy_vos_ros.evaluation.runs import labels_of
from lazy_vos_ros.evaluation.runs import stream_seconds
from lazy_vos_ros.evaluation.summary import ANSWERS

MINUTE = 60.0


@dataclass(frozen=True)
class Spread:
    """Some values in short; None without any."""

    count: int
    mean: float | None
    p50: float | None
    p95: float | None
    highest: float | None

    @classmethod
    def of(cls, values: Iterable[float]) -> Spread:
        """Return it; values that are not finite are left out."""
        found = [value for value in values if isfinite(value)]
        if not found:
            return cls(0, None, None, None, None)
        p50, p95 = (float(value) for value in np.percentile(found, [50, 95]))
        return cls(len(found), fmean(found), p50, p95, max(found))


@dataclass(frozen=True)
class Workload:
    """What was asked of the operator."""

    questions_per_minute: float | None
    """Of the stream; None if it has no length."""
    most_in_a_minute: int
    """Most questions within any 60 s of the stream: what a budget bounds."""
    reaction: Spread
    """Seconds from a question to its answer by a click or by 'absent'."""
    waiting: float
    """Seconds of the stream in which at least one question was open."""
    spared: dict[str, int]
    """Questions that were not put, by reason."""


@dataclass(frozen=True)
class ObjectSignals:
    """How unsure the tracker was of one object."""

    object_id: int
    label: str
    uncertainty: Spread
    """S_R."""
    derivative: Spread
    """dS."""
    absent_frames: int
    """Frames of its life without a pixel."""


@dataclass(frozen=True)
class Signals:
    """What the tracker told of itself."""

    entropy: Spread
    """Mean of the entropy image."""
    latency: Spread
    """Milliseconds from the image's stamp to the result."""
    drop_share: float | None
    """Images that were dropped, as a part of those that came in."""
    working_memory: int
    """Most elements."""
    long_term_memory: int
    """Most elements."""
    memory_bytes: int | None
    """As the diagnostics had it at last; None if they did not tell."""
    unwell: dict[str, int]
    """Messages of /diagnostics that were not OK, by level."""
    objects: tuple[ObjectSignals, ...]


def workload_of(run: Run) -> Workload:
    """Return what the run asked of the operator."""
    asked = run.events_of(EventKind.ASKED)
    closings = [run.closing_of(event) for event in asked]
    seconds = stream_seconds(run.frames)
    end = run.frames[-1].seconds if run.frames else 0.0
    return Workload(
        questions_per_minute=MINUTE * len(asked) / seconds if seconds > 0 else None,
        most_in_a_minute=most_within(sorted(event.stamp for event in asked), MINUTE),
        reaction=Spread.of(
            closing.time - question.time
            for question, closing in zip(asked, closings, strict=True)
            if closing is not None and closing.kind in ANSWERS
        ),
        waiting=covered(
            (question.stamp, end if closing is None else closing.applied_stamp)
            for question, closing in zip(asked, closings, strict=True)
        ),
        spared=dict(Counter(e.reason or 'not told' for e in run.events_of(EventKind.SUPPRESSED))),
    )


def signals_of(run: Run) -> Signals:
    """Return what the tracker told of itself."""
    dropped = max((frame.dropped for frame in run.frames), default=0)
    came = len(run.frames) + dropped
    told = run.settings.get('memory bytes', '')
    unwell: Counter[str] = Counter()
    for item in run.diagnoses:
        unwell[item.level] += item.count
    return Signals(
        entropy=Spread.of(frame.mean_entropy for frame in run.frames),
        latency=Spread.of(1e3 * f.latency for f in run.frames if f.latency is not None),
        drop_share=dropped / came if came else None,
        working_memory=max((frame.working_memory for frame in run.frames), default=0),
        long_term_memory=max((frame.long_term_memory for frame in run.frames), default=0),
        memory_bytes=int(told) if told.isdecimal() else None,
        unwell=dict(unwell),
        objects=tuple(_object_signals(run, item) for item in run.object_ids),
    )


def most_within(times: Sequence[float], length: float) -> int:
    """Return the most of these times, ascending, that lie within a span of this length."""
    first = most = 0
    for last, time in enumerate(times):
        while time - times[first] >= length:
            first += 1
        most = max(most, last - first + 1)
    return most


def covered(spans: Iterable[tuple[float, float]]) -> float:
    """Return the length that spans cover together; overlaps count once."""
    total, reached = 0.0, float('-inf')
    for start, stop in sorted(spans):
        total += max(0.0, stop - max(start, reached))
        reached = max(reached, stop)
    return total


def _object_signals(run: Run, object_id: int) -> ObjectSignals:
    states = [s for frame in run.frames if (s := frame.state_of(object_id)) is not None]
    return ObjectSignals(
        object_id,
        labels_of(run)[object_id],
        Spread.of(state.uncertainty for state in states),
        Spread.of(state.derivative for state in states),
        sum(state.area == 0 for state in states),
    )
