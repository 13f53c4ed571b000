"""Spearman correlation of each measure with the mask's quality, object by object."""

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from lazy_vos_ros.evaluation.study.measures import Measure
from lazy_vos_ros.evaluation.study.observations import Observation
from lazy_vos_ros.evaluation.study.ranks import spearman

FEWEST_FRAMES = 5
"""An object with fewer frames to compare is left out: so few ranks agree by chance."""

TOO_FEW = 'too few frames'
CONSTANT_MEASURE = 'constant measure'
CONSTANT_IOU = 'constant IoU'


@dataclass(frozen=True)
class Correlation:
    """How well one measure tells the quality of one object's masks."""

    sequence: str
    object_id: int
    committee: str
    measure: Measure
    frames: int
    """Compared."""
    mean_iou: float | None
    """Over these frames; None without any."""
    rho: float | None
    """Of the ranks of the IoU and of the negated measure: 1 is a perfect warning, 0 none."""
    excluded: str
    """Why there is no rho; empty if there is."""


@dataclass(frozen=True)
class Quartiles:
    """One measure over all objects."""

    committee: str
    measure: Measure
    rhos: tuple[float, ...]
    excluded: Counter[str]
    """Objects without a correlation, by the reason."""

    @property
    def quartiles(self) -> tuple[float, float, float] | None:
        """First quartile, median and third; None without any object."""
        if not self.rhos:
            return None
        low, middle, high = np.percentile(self.rhos, (25, 50, 75))
        return float(low), float(middle), float(high)


def correlate(
    committee: str,
    objects: Sequence[tuple[str, int]],
    observations: Sequence[Observation],
    measures: Sequence[Measure],
    *,
    with_absent: bool = False,
) -> list[Correlation]:
    """Return the correlation of each measure for each object.

    Parameters
    ----------
    committee
        Name of the committee.
    objects
        Sequence and id of all objects, also of those without any observation.
    observations
        Of this committee, without the objects' first frames.
    measures
        Those to compare.
    with_absent
        Compare also frames in which the object is not in the true mask; their IoU is 1 or 0.
    """
    lives: dict[tuple[str, int], list[Observation]] = {key: [] for key in objects}
    for item in observations:
        if item.present or with_absent:
            lives[item.sequence, item.object_id].append(item)
    return [
        _correlation(sequence, object_id, life, measure, committee)
        for (sequence, object_id), life in lives.items()
        for measure in measures
    ]


def _correlation(
    sequence: str, object_id: int, life: Sequence[Observation], measure: Measure, committee: str
) -> Correlation:
    ious = [item.iou for item in life]
    values = [item.values[measure.label] for item in life]
    rho = spearman([-value for value in values], ious)
    excluded = ''
    if len(life) < FEWEST_FRAMES:
        excluded = TOO_FEW
    elif rho is None:
        excluded = CONSTANT_IOU if len(set(ious)) == 1 else CONSTANT_MEASURE
    return Correlation(
        sequence=sequence,
        object_id=object_id,
        committee=committee,
        measure=measure,
        frames=len(life),
        mean_iou=sum(ious) / len(ious) if ious else None,
        rho=None if excluded else rho,
        excluded=excluded,
    )


def over_objects(correlations: Sequence[Correlation]) -> list[Quartiles]:
    """Return the quartiles of each committee's measures, in the order in which they come."""
    groups: dict[tuple[str, Measure], list[Correlation]] = {}
    for item in correlations:
        groups.setdefault((item.committee, item.measure), []).append(item)
    return [
        Quartiles(
            committee=committee,
            measure=measure,
            rhos=tuple(item.rho for item in items if item.rho is not None),
            excluded=Counter(item.excluded for item in items if item.excluded),
        )
        for (committee, measure), items in groups.items()
    ]
