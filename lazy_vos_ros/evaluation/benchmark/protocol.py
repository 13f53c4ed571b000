"""One sequence from its first frame to its last, with a simulated person beside it."""

from __future__ import annotations

from collections.abc import Callable
from collections.abc import Iterator
from pathlib import Path

import cv2

from lazy_vos_ros.engine.backend import Image
from lazy_vos_ros.engine.refiners.base import Refiner
from lazy_vos_ros.engine.tracker import LazyTracker
from lazy_vos_ros.evaluation.benchmark.attendance import attend_to
from lazy_vos_ros.evaluation.benchmark.cast import Cast
from lazy_vos_ros.evaluation.benchmark.datasets import SequenceFiles
from lazy_vos_ros.evaluation.benchmark.introduction import Introduction
from lazy_vos_ros.evaluation.benchmark.networks import Networks
from lazy_vos_ros.evaluation.benchmark.networks import needs_refiner
from lazy_vos_ros.evaluation.benchmark.person import Person
from lazy_vos_ros.evaluation.benchmark.records import SequenceRecord
from lazy_vos_ros.evaluation.benchmark.scoring import ScoreSheet
from lazy_vos_ros.evaluation.benchmark.settings import Settings
from lazy_vos_ros.evaluation.benchmark.truth import GroundTruth
from lazy_vos_ros.evaluation.label_images import write_labels
from lazy_vos_ros.evaluation.sources import read_image


def track_sequence(
    files: SequenceFiles,
    settings: Settings,
    networks: Networks,
    *,
    seed: int = 0,
    masks: Path | None = None,
    on_frame: Callable[[], None] = lambda: None,
) -> SequenceRecord:
    """Track one sequence by the protocol and score it.

    Every object appears with its first annotated frame. What is scored, and written, is what a
    user would see when the frame is done: the prediction, or the correction of that frame.

    Parameters
    ----------
    files, settings
        What is tracked, and how.
    networks
        Builds backend and refiner; both are used for this sequence only.
    seed
        Of methods that draw at random.
    masks
        Folder for the masks, made if need be; None: none are written.
    on_frame
        Called after each frame.

    Raises
    ------
    ValueError
        If images or annotations are not what they should be.
    """
    truth = GroundTruth(files, merge_objects=settings.merge_objects)
    cast = Cast()
    person = Person(truth, cast, settings.operator)
    backend = networks.backend()
    refiner: Refiner = networks.refiner(backend, person)
    attendance = attend_to(settings, truth, cast, person, name=files.name, seed=seed)
    tracker = LazyTracker(backend, refiner, settings.method.config, operator=attendance.operator)
    introduction = Introduction(truth, cast, person, by_click=settings.init == 'click')
    sheet = ScoreSheet(truth, cast, len(files.images))
    seconds = 0.0
    for index, image in enumerate(read_images(files)):
        result = introduction.step(tracker, index, image, index / settings.clock_fps)
        attendance.after_frame(tracker, result)
        seconds += result.timings.total
        sheet.note(result.events)
        labels = cast.to_dataset((tracker.latest or result).labels)
        sheet.score(index, labels)
        if masks is not None:
            masks.mkdir(parents=True, exist_ok=True)
            write_labels(masks / f'{files.images[index].stem}.png', labels)
        on_frame()
    sheet.note(tracker.reset())
    return SequenceRecord(
        name=files.name,
        seed=seed,
        frames=len(files.images),
        seconds=seconds,
        backend=backend.name,
        refiner=refiner.name if needs_refiner(settings) else 'none',
        device=str(backend.device),
        settings=settings.record(),
        objects=sheet.records(),
        notes=tuple(introduction.notes),
    )


def read_images(files: SequenceFiles) -> Iterator[Image]:
    """Yield (H, W, 3) uint8 RGB images; ValueError names one that cannot be read."""
    for path in files.images:
        # OpenCV's type hints do not tell that uint8 stays uint8.
        yield cv2.cvtColor(read_image(path), cv2.COLOR_BGR2RGB)  # type: ignore[misc]
