"""Compare the masks of a recorded run with the true ones."""

from __future__ import annotations

from collections.abc import Mapping
from collections.abc import Sequence
from dataclasses import dataclass
from dataclasses import field

import numpy as np

from lazy_vos_ros.evaluation import metrics
from lazy_vos_ros.evaluation.counts import counted
from lazy_vos_ros.evaluation.counts import plural
from lazy_vos_ros.evaluation.quality import FrameScore
from lazy_vos_ros.evaluation.quality import ObjectQuality
from lazy_vos_ros.evaluation.quality import Quality
from lazy_vos_ros.evaluation.runs import Frame
from lazy_vos_ros.evaluation.runs import Run
from lazy_vos_ros.evaluation.runs import labels_of
from lazy_vos_ros.evaluation.true_masks import Labels
from lazy_vos_ros.evaluation.true_masks import TrueMasks


@dataclass
class Scores:
    """What is found while going through the frames."""

    of_object: dict[int, list[FrameScore]] = field(default_factory=dict)
    """By the tracker's id."""
    true_ids: set[int] = field(default_factory=set)
    """All that occur in the true masks."""
    frames: int = 0
    without_mask: int = 0
    """Frames whose true mask is known and whose own was not recorded."""


def score_run(
    run: Run, truth: TrueMasks, objects: Mapping[int, int] | None = None
) -> tuple[Quality, tuple[str, ...]]:
    """Return how good the masks were, and notes on what was not compared.

    Parameters
    ----------
    run
        With pictures.
    truth
        Of all or some of its images.
    objects
        True id by the tracker's id; None: the same number, and a single object is the single
        one of the true masks.

    Raises
    ------
    ValueError
        If sizes differ, no mask was recorded, or no object of the tracker is in the true masks.
    """
    true_ids = _true_ids(run, truth)
    pairs, notes = _pairs(run, true_ids, objects)
    found = Scores(true_ids=true_ids, of_object={item: [] for item in pairs})
    for frame in run.frames:
        labels = truth.labels(frame.stamp)
        if labels is not None:
            _score_frame(found, run, frame, labels, pairs)
    if not found.frames:
        raise ValueError(f'{run.name} has no recorded mask of an image whose true one is known')
    notes += truth.notes
    if found.without_mask:
        notes += (f'no recorded mask in {counted(found.without_mask, "frame")} with a true one',)
    names = labels_of(run)
    kept = []
    for object_id, scores in found.of_object.items():
        if not any(score.visible for score in scores):
            notes += (f'object {object_id} is in no true mask of its frames: it has no score',)
            continue
        prompted = scores[0].stamp == run.life(object_id)[0].stamp
        kept.append(
            ObjectQuality(object_id, pairs[object_id], names[object_id], tuple(scores), prompted)
        )
    return Quality(truth.source, tuple(kept), found.frames), notes


def _true_ids(run: Run, truth: TrueMasks) -> set[int]:
    """Return the ids in all true masks."""
    found: set[int] = set()
    for frame in run.frames:
        labels = truth.labels(frame.stamp)
        if labels is not None:
            found |= {int(value) for value in np.unique(labels)}
    return found - {0}


def _pairs(
    run: Run, true_ids: set[int], objects: Mapping[int, int] | None
) -> tuple[dict[int, int], tuple[str, ...]]:
    """Return the true id by the tracker's, ascending, and notes on those without a partner."""
    tracked = run.object_ids
    if objects is not None:
        unknown = sorted(set(objects) - set(tracked))
        if unknown:
            raise ValueError(
                f'objects names {unknown} of the tracker; allowed: {list(tracked) or "none"}'
            )
        pairs = {item: objects[item] for item in tracked if item in objects}
        notes: tuple[str, ...] = ()
    elif len(tracked) == len(true_ids) == 1:
        pairs, notes = {tracked[0]: min(true_ids)}, ()
        if tracked[0] not in true_ids:
            notes = (f'object {tracked[0]} is compared with object {min(true_ids)}, the only one',)
    else:
        pairs, notes = {item: item for item in tracked if item in true_ids}, ()
    if not pairs:
        raise ValueError(
            f'the tracker has the objects {list(tracked)}, the true masks {sorted(true_ids)}; '
            'allowed: the same numbers, or to say which is which with --objects'
        )
    alone = [item for item in tracked if item not in pairs]
    if alone:
        notes += (f'tracked and compared with no true object: {_listed(alone)}',)
    missed = sorted(true_ids - set(pairs.values()))
    if missed:
        notes += (f'in the true masks, but not tracked, and without a score: {_listed(missed)}',)
    return pairs, notes


def _listed(object_ids: Sequence[int]) -> str:
    return f'{plural(len(object_ids), "object")} {", ".join(map(str, object_ids))}'


def _score_frame(
    found: Scores, run: Run, frame: Frame, labels: Labels, pairs: Mapping[int, int]
) -> None:
    predicted = None if run.pictures is None else run.pictures.labels(frame.stamp)
    if predicted is None:
        found.without_mask += 1
        return
    if predicted.shape != labels.shape:
        raise ValueError(
            f'{run.name}: the mask of frame {frame.index} is {predicted.shape[1]} x '
            f'{predicted.shape[0]} and its true one {labels.shape[1]} x {labels.shape[0]}; '
            'allowed: true masks of the size of the images'
        )
    found.frames += 1
    for object_id, true_id in pairs.items():
        if frame.state_of(object_id) is not None:
            true, own = labels == true_id, predicted == object_id
            found.of_object[object_id].append(
                FrameScore(
                    frame.stamp,
                    metrics.jaccard(true, own),
                    metrics.boundary_f(true, own),
                    bool(true.any()),
                )
            )
