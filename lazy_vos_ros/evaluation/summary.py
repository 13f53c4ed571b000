"""The figures of one run: speed, drops, and what it cost the operator."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import asdict
from dataclasses import dataclass
from itertools import accumulate
from itertools import pairwise
from math import isfinite
from statistics import fmean
from typing import Any

import numpy as np

from lazy_vos_ros.engine.results import EventKind
from lazy_vos_ros.evaluation import metrics
from lazy_vos_ros.evaluation.runs import Run
from lazy_vos_ros.evaluation.runs import labels_of
from lazy_vos_ros.evaluation.runs import stream_seconds

ANSWERS = (EventKind.ANSWERED, EventKind.ABSENT)
"""Answers that say something about the object."""


@dataclass(frozen=True)
class ObjectEffort:
    """What one object cost the operator."""

    object_id: int
    label: str
    frames: int
    """Length of its life."""
    seconds: float
    """Length of its life in stream time."""
    noc: int
    idi: float
    aci: float


@dataclass(frozen=True)
class Summary:
    """The figures of one run; None where the recording does not tell."""

    frames: int
    """Processed."""
    sent: int | None
    """Images that the camera published."""
    dropped: int
    """Images replaced by newer ones before they could be processed."""
    duration: float
    """Seconds of the stream from the first processed frame to the last."""
    fps: float | None
    """Processed frames per second."""
    step_p50: float
    """Milliseconds of one time step: segmentation, lazy layer, refinement and memory."""
    step_p95: float
    latency_p50: float | None
    """Milliseconds from the image's stamp to its result."""
    latency_p95: float | None
    questions: int
    answers: int
    """Questions answered by a click or by 'absent'."""
    skipped: int
    expired: int
    refused: int
    still_open: int
    """Questions that had no answer when the recording ended."""
    suppressed: int
    """Triggers at which the person was spared."""
    unasked: int
    """Corrections by the operator without a question."""
    pseudo_corrections: int
    reaction_p50: float | None
    """Seconds from a question to its answer."""
    noc: int
    idi: float | None
    aci: float | None
    median_gap: float | None
    """Seconds between interactions with one object, the median over all objects."""
    quick_share: float | None
    """Part of the corrections that came within a second of the interaction before."""
    objects: tuple[ObjectEffort, ...]

    def results(self, name: str, **about: str | int) -> dict[str, Any]:
        """Return what `results.json` holds: as of a data set with one sequence.

        Parameters
        ----------
        name
            Of the sequence.
        about
            What the figures are of: method, backend, init, dataset and so on.
        """
        objects = [
            {
                'id': item.object_id,
                'label': item.label,
                'frames': item.frames,
                'NoC': item.noc,
                'IDI': item.idi,
                'ACI': item.aci,
            }
            for item in self.objects
        ]
        figures = {key: value for key, value in asdict(self).items() if key != 'objects'}
        return {
            **about,
            'mean': {'NoC': self.noc, 'IDI': self.idi, 'ACI': self.aci, 'fps': self.fps},
            'sequences': [{'name': name, 'objects': objects, 'figures': figures}],
        }


def summarise(run: Run) -> Summary:
    """Return the figures of a run.

    Raises
    ------
    ValueError
        If no frame was processed.
    """
    if not run.frames:
        raise ValueError(f'{run.name} has no processed frame; allowed: at least one')
    efforts = tuple(_effort(run, object_id) for object_id in run.object_ids)
    counts = {kind: len(run.events_of(kind)) for kind in EventKind}
    asked = run.events_of(EventKind.ASKED)
    closings = [run.closing_of(event) for event in asked]
    steps = [1e3 * frame.timings.total for frame in run.frames]
    latencies = [1e3 * frame.latency for frame in run.frames if frame.latency is not None]
    reactions = [
        closing.time - question.time
        for question, closing in zip(asked, closings, strict=True)
        if closing is not None and closing.kind in ANSWERS
    ]
    corrections = [run.corrected_frames(object_id) for object_id in run.object_ids]
    lives = [effort.seconds for effort in efforts]
    gaps = [_gaps(run, object_id) for object_id in run.object_ids]
    return Summary(
        frames=len(run.frames),
        sent=run.sent,
        dropped=max(frame.dropped for frame in run.frames),
        duration=stream_seconds(run.frames),
        fps=_rate([frame.finished for frame in run.frames]),
        step_p50=_percentile(steps, 50) or 0.0,
        step_p95=_percentile(steps, 95) or 0.0,
        latency_p50=_percentile(latencies, 50),
        latency_p95=_percentile(latencies, 95),
        questions=len(asked),
        answers=counts[EventKind.ANSWERED] + _asked_absences(run),
        skipped=counts[EventKind.SKIPPED],
        expired=counts[EventKind.EXPIRED],
        refused=counts[EventKind.REFUSED],
        still_open=sum(closing is None for closing in closings),
        suppressed=counts[EventKind.SUPPRESSED],
        unasked=counts[EventKind.CORRECTED] + counts[EventKind.ABSENT] - _asked_absences(run),
        pseudo_corrections=counts[EventKind.PSEUDO],
        reaction_p50=_percentile(reactions, 50),
        noc=metrics.noc(corrections),
        idi=metrics.idi(lives, corrections) if efforts else None,
        aci=fmean(effort.aci for effort in efforts) if efforts else None,
        median_gap=metrics.median_gap(gaps) if efforts else None,
        quick_share=metrics.quick_share(gaps) if efforts else None,
        objects=efforts,
    )


LEGEND = """\
NoC: corrections by the operator. IDI: mean time that an object ran from one interaction with the
operator to the next. ACI: in effect the corrections of one object. Median gap: half of the times
between interactions were at least this long. Quick share: corrections within 1 s of the one
before. docs/metrics.md has the formulas."""
"""What the names in :func:`table` mean."""


def table(summary: Summary) -> str:
    """Return the figures as lines of text for people; :data:`LEGEND` explains them."""
    lines = [f'{name:<26}{value:>12}' for name, value in _rows(summary)]
    if len(summary.objects) > 1:
        lines += ['', f'{"object":<26}{"frames":>8}{"NoC":>6}{"IDI s":>8}{"ACI":>8}']
        lines += [
            f'{f"{item.object_id} {item.label}":<26}{item.frames:>8}{item.noc:>6}'
            f'{item.idi:>8.1f}{item.aci:>8.2f}'
            for item in summary.objects
        ]
    return '\n'.join(lines)


def _rows(summary: Summary) -> list[tuple[str, str]]:
    return [
        ('images published', _text(summary.sent, '{}')),
        ('frames processed', str(summary.frames)),
        ('images dropped', str(summary.dropped)),
        ('frames per second', _text(summary.fps, '{:.2f}')),
        ('time step p50 / p95', f'{summary.step_p50:.0f} / {summary.step_p95:.0f} ms'),
        ('latency p50 / p95', _pair(summary.latency_p50, summary.latency_p95)),
        ('questions', str(summary.questions)),
        ('  answered', str(summary.answers)),
        ('  skipped', str(summary.skipped)),
        ('  expired', str(summary.expired)),
        ('  open at the end', str(summary.still_open)),
        ('  reaction time p50', _text(summary.reaction_p50, '{:.2f} s')),
        ('questions spared', str(summary.suppressed)),
        ('answers refused', str(summary.refused)),
        ('corrections unasked', str(summary.unasked)),
        ('pseudo-corrections', str(summary.pseudo_corrections)),
        ('NoC', str(summary.noc)),
        ('IDI', _text(summary.idi, '{:.2f} s')),
        ('ACI', _text(summary.aci, '{:.2f}')),
        ('median gap', _text(summary.median_gap, '{:.2f} s')),
        ('quick share', _text(summary.quick_share, '{:.0%}')),
    ]


def _effort(run: Run, object_id: int) -> ObjectEffort:
    life = run.life(object_id)
    corrected = run.corrected_frames(object_id)
    seconds = stream_seconds(life)
    return ObjectEffort(
        object_id=object_id,
        label=labels_of(run)[object_id],
        frames=len(life),
        seconds=seconds,
        noc=len(corrected),
        idi=metrics.idi([seconds], [corrected]),
        aci=metrics.aci(len(life), corrected),
    )


def _gaps(run: Run, object_id: int) -> list[float]:
    """Seconds from one interaction with an object to the next, by the stamps of the images."""
    stamps = sorted(frame.stamp for frame in run.life(object_id))
    frames = metrics.correction_gaps(len(stamps), run.corrected_frames(object_id))
    stops = [stamps[place] for place in accumulate(frames, initial=0)]
    return [(after - before) / 1e9 for before, after in pairwise(stops)]


def _asked_absences(run: Run) -> int:
    """Answers 'absent' to a question; without a question it is a correction unasked."""
    return sum(bool(event.request_id) for event in run.events_of(EventKind.ABSENT))


def _rate(times: Sequence[float]) -> float | None:
    passed = times[-1] - times[0]
    return (len(times) - 1) / passed if passed > 0 else None


def _percentile(values: Sequence[float], percent: float) -> float | None:
    finite = [value for value in values if isfinite(value)]
    return float(np.percentile(finite, percent)) if finite else None


def _text(value: float | None, form: str) -> str:
    return '-' if value is None else form.format(value)


def _pair(first: float | None, second: float | None) -> str:
    return '-' if first is None or second is None else f'{first:.0f} / {second:.0f} ms'
