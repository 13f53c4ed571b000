"""Figures of objects, sequences and data sets from the records of what was tracked."""

from __future__ import annotations

from collections.abc import Mapping
from collections.abc import Sequence
from dataclasses import dataclass
from statistics import fmean
from statistics import stdev
from typing import Any

from lazy_vos_ros.evaluation import metrics
from lazy_vos_ros.evaluation.benchmark.records import ObjectRecord
from lazy_vos_ros.evaluation.benchmark.records import SequenceRecord

QUALITY = ('J', 'F', 'J&F', *(f'R@{tau:g}' for tau in metrics.RECALL_THRESHOLDS))
EFFORT = ('NoC', 'IDI', 'ACI')
KEYS = (*QUALITY, *EFFORT, 'fps')
"""The figures of `results.json`, in the order of its tables."""

Figures = Mapping[str, float | int | None]
"""By the names of :data:`KEYS`; None where nothing could be scored."""


@dataclass(frozen=True)
class FrameRule:
    """Which annotated frames of an object count."""

    skip_first: bool = True
    """Leave out the frame in which the object was shown to the tracker."""
    skip_last: bool = False
    """Leave out the last frame of the video, as the DAVIS tools do."""
    present_only: bool = False
    """Leave out frames in which the object is absent."""


def object_figures(item: ObjectRecord, rule: FrameRule, *, fps: float) -> dict[str, Any]:
    """Return J, F, J&F, R@tau, NoC, IDI and ACI of one object; `fps` is that of the video.

    The qualities are None if no annotated frame is left to score.
    """
    seconds = (item.frames - 1) / fps
    gaps = [gap / fps for gap in metrics.correction_gaps(item.frames, item.corrections)]
    return {
        **_quality(item, rule),
        'NoC': metrics.noc([item.corrections]),
        'IDI': metrics.idi([seconds], [item.corrections]),
        'ACI': metrics.aci(item.frames, item.corrections),
        'median gap': metrics.median_gap([gaps]),
        'quick share': metrics.quick_share([gaps]),
    }


def mean_figures(
    records: Sequence[SequenceRecord], rule: FrameRule, *, fps: float
) -> dict[str, Any]:
    """Return the figures of several sequences, tracked with one seed.

    Qualities and ACI are means over the objects (those that can be scored), NoC is their sum,
    IDI and the gaps are pooled, `fps` is all frames by the time of all steps.
    """
    items = [item for record in records for item in record.objects]
    qualities = [q for item in items if (q := _quality(item, rule))['J'] is not None]
    seconds = [(item.frames - 1) / fps for item in items]
    corrections = [item.corrections for item in items]
    gaps = [
        [gap / fps for gap in metrics.correction_gaps(item.frames, item.corrections)]
        for item in items
    ]
    time = sum(record.seconds for record in records)
    return {
        **{
            key: fmean(quality[key] or 0.0 for quality in qualities) if qualities else None
            for key in QUALITY
        },
        'NoC': metrics.noc(corrections),
        'IDI': metrics.idi(seconds, corrections),
        'ACI': fmean(metrics.aci(item.frames, item.corrections) for item in items),
        'fps': sum(record.frames for record in records) / time if time > 0 else None,
        'median gap': metrics.median_gap(gaps),
        'quick share': metrics.quick_share(gaps),
        'objects': len(items),
        'scored objects': len(qualities),
    }


def over_seeds(figures: Sequence[Figures]) -> tuple[dict[str, Any], dict[str, Any]]:
    """Return the mean and the standard deviation of each figure over the seeds.

    The deviation is that of a sample; it is empty for a single seed.
    """
    values = {
        key: [value for item in figures if (value := item[key]) is not None] for key in figures[0]
    }
    if len(figures) == 1:
        return dict(figures[0]), {}
    means = {key: fmean(found) if found else None for key, found in values.items()}
    spread = {key: stdev(found) for key, found in values.items() if len(found) > 1}
    return means, spread


def scored_count(item: ObjectRecord, rule: FrameRule) -> int:
    """Return how many annotated frames of an object count; 0 if none is left."""
    try:
        return len(metrics.scored_frames(item.j, **_choice(item, rule)))
    except ValueError:
        return 0


def _quality(item: ObjectRecord, rule: FrameRule) -> dict[str, float | None]:
    choice = _choice(item, rule)
    try:
        j = metrics.mean_over_frames(item.j, **choice)
    except ValueError:
        return dict.fromkeys(QUALITY)
    f = metrics.mean_over_frames(item.f, **choice)
    recalls = {
        f'R@{tau:g}': metrics.recall_at(item.j, tau, **choice) for tau in metrics.RECALL_THRESHOLDS
    }
    return {'J': j, 'F': f, 'J&F': metrics.j_and_f(j, f), **recalls}


def _choice(item: ObjectRecord, rule: FrameRule) -> dict[str, Any]:
    """Return which frames count, as the functions of metrics take it."""
    return {
        'skip_first': rule.skip_first,
        # The last annotated frame is the last of the video only where all are annotated.
        'skip_last': rule.skip_last and item.scored[-1] == item.frames - 1,
        'present': item.present if rule.present_only else None,
    }
