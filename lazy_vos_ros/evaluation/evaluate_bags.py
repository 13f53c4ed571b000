"""From the path of a bag to everything that is known of its run."""

from __future__ import annotations

from collections.abc import Mapping
from collections.abc import Sequence
from dataclasses import dataclass
from dataclasses import replace
from datetime import datetime
from datetime import timezone
from pathlib import Path

from lazy_vos_ros.engine.config import LazyConfig
from lazy_vos_ros.engine.results import EventKind
from lazy_vos_ros.evaluation.bag_pictures import BagPictures
from lazy_vos_ros.evaluation.bag_pictures import RepairedPictures
from lazy_vos_ros.evaluation.bags import read_run
from lazy_vos_ros.evaluation.evaluated_run import EvaluatedRun
from lazy_vos_ros.evaluation.quality import Quality
from lazy_vos_ros.evaluation.runs import Run
from lazy_vos_ros.evaluation.runs import config_of
from lazy_vos_ros.evaluation.score_run import score_run
from lazy_vos_ros.evaluation.summary import summarise
from lazy_vos_ros.evaluation.true_masks import open_truth


@dataclass(frozen=True)
class Comparison:
    """What the recorded masks are compared with."""

    source: str
    """A folder of label images, or a topic of the bag."""
    match: str = 'auto'
    """What the files are named by: index, stamp, or auto to tell by their names."""
    first: int = 0
    """Number of the file of the first image, where images are counted."""
    objects: Mapping[int, int] | None = None
    """True id by the tracker's; None: the same numbers."""


def evaluate_bag(
    path: Path, name: str, *, tracker: str | None = None, truth: Comparison | None = None
) -> EvaluatedRun:
    """Read a bag and compare its masks with the true ones, if there are any.

    Parameters
    ----------
    path
        Folder of the bag, or one file of its storage.
    name
        For the report; unique in it.
    tracker
        Name of the node; needed if the bag has several.
    truth
        True masks.

    Raises
    ------
    ValueError
        If nothing can be read of it, saying why; or if the true masks do not belong to it.
    """
    topic = truth.source if truth and truth.source.startswith('/') else ''
    run = read_run(path, tracker=tracker, truth_topic=topic)
    if not run.frames:
        why = f' ({"; ".join(run.notes)})' if run.notes else ''
        raise ValueError(
            f'{path} has no result of the tracker{why}; '
            'allowed: a bag with at least one TrackingState'
        )
    quality = repaired = None
    notes: tuple[str, ...] = ()
    if truth is not None:
        masks = open_truth(truth.source, path, run, match=truth.match, first=truth.first)
        quality, notes = score_run(run, masks, truth.objects)
        if isinstance(run.pictures, BagPictures) and run.pictures.are_repaired:
            later = replace(run, pictures=RepairedPictures(run.pictures))
            repaired, _ = score_run(later, masks, truth.objects)
    config, fault = _config(run)
    run = replace(run, notes=(*run.notes, *fault, *notes))
    return EvaluatedRun(
        name, run, config, summarise(run), quality, repaired, _about(path, run, quality)
    )


def names_of(paths: Sequence[Path]) -> list[str]:
    """Return a short name for each bag, each once.

    It is the bag's own, else with the folder above it, else numbered in the order given.
    """
    parts = [path.resolve().parts[1:] for path in paths]
    for depth in (1, 2):
        names = ['_'.join(item[-depth:]) for item in parts]
        if len(set(names)) == len(names):
            return names
    return [f'{path.resolve().name}_{number}' for number, path in enumerate(paths, 1)]


def _config(run: Run) -> tuple[LazyConfig, tuple[str, ...]]:
    """Return the thresholds that were in force, and a note if they cannot be told."""
    try:
        return config_of(run), ()
    except ValueError as error:
        return LazyConfig(), (f'the recorded thresholds are not used: {error}',)


def _about(path: Path, run: Run, quality: Quality | None) -> dict[str, str]:
    begin = datetime.fromtimestamp(run.frames[0].seconds, timezone.utc)
    return {
        'bag': path.resolve().name,
        'recorded': f'{begin:%Y-%m-%d %H:%M:%S} UTC',
        'init': _init(run),
        'ground truth': 'none' if quality is None else quality.source,
    }


def _init(run: Run) -> str:
    """Return how the objects were shown to the tracker."""
    added = run.events_of(EventKind.ADDED)
    if not added:
        return 'not told'
    return 'click' if any(event.clicks for event in added) else 'mask'
