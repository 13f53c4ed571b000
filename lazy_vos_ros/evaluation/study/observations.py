"""Let a committee track a sequence and note how unsure it was, and how wrong."""

from __future__ import annotations

from collections.abc import Callable
from collections.abc import Iterator
from collections.abc import Sequence
from dataclasses import dataclass

import torch

from lazy_vos_ros.evaluation.benchmark.cast import Cast
from lazy_vos_ros.evaluation.benchmark.datasets import SequenceFiles
from lazy_vos_ros.evaluation.benchmark.protocol import read_images
from lazy_vos_ros.evaluation.benchmark.truth import GroundTruth
from lazy_vos_ros.evaluation.metrics import jaccard
from lazy_vos_ros.evaluation.study.committee import Committee
from lazy_vos_ros.evaluation.study.committee import Votes
from lazy_vos_ros.evaluation.study.measures import FrameMeasures
from lazy_vos_ros.evaluation.study.measures import measures_of


@dataclass(frozen=True)
class Observation:
    """One object in one annotated frame after its first, as one committee saw it."""

    sequence: str
    frame: int
    object_id: int
    """The data set's."""
    committee: str
    iou: float
    """Of the most probable labels in the members' mean; void pixels are left out."""
    present: bool
    """Whether the object is in the true mask."""
    predicted: int
    """Pixels of the predicted mask; without any, masked measures are 0."""
    values: dict[str, float]
    """By :attr:`Measure.label`."""


class Observer:
    """Watches committees on one sequence."""

    def __init__(
        self,
        files: SequenceFiles,
        dilations: Sequence[float],
        epistemic: str,
        *,
        merge_objects: bool = False,
    ) -> None:
        """Read the truth.

        Parameters
        ----------
        files
            The sequence.
        dilations, epistemic
            As for :func:`measures_of` and :class:`FrameMeasures`.
        merge_objects
            Take all labels for one object.

        Raises
        ------
        ValueError
            If images or annotations are not what they should be.
        """
        self._files = files
        self._dilations = dilations
        self._epistemic = epistemic
        self._truth = GroundTruth(files, merge_objects=merge_objects)

    @property
    def objects(self) -> tuple[tuple[str, int], ...]:
        """Sequence and id of every object that is tracked."""
        return tuple((self._files.name, object_id) for object_id in self._truth.first)

    def watch(
        self, committee: Committee, on_frame: Callable[[], None] = lambda: None
    ) -> list[Observation]:
        """Let a committee track the sequence, each object from its first true mask on.

        Nothing is corrected. The committee is reset first; `on_frame` is called after each frame.
        """
        committee.reset()
        cast = Cast()
        found: list[Observation] = []
        with torch.inference_mode():
            for index, image in enumerate(read_images(self._files)):
                votes = committee.predict(image)
                found += self._look(index, votes, cast, committee.name)
                committee.commit(self._newcomers(index, cast))
                on_frame()
        return found

    def _look(self, index: int, votes: Votes, cast: Cast, name: str) -> Iterator[Observation]:
        """Yield what is seen of every object that was tracked before this frame."""
        void = self._truth.void(index)
        if void is None or not votes.object_ids:
            return
        seen = FrameMeasures(votes, self._epistemic)
        measures = measures_of(len(votes.members), self._dilations)
        for tracker_id in votes.object_ids:
            object_id = cast.dataset_id(tracker_id)
            truth = self._truth.mask(index, object_id)
            if truth is None:
                continue
            mask = seen.mask(tracker_id)
            yield Observation(
                sequence=self._files.name,
                frame=index,
                object_id=object_id,
                committee=name,
                iou=jaccard(truth, mask & ~void),
                present=bool(truth.any()),
                predicted=int(mask.sum()),
                values={measure.label: seen.value(measure, tracker_id) for measure in measures},
            )

    def _newcomers(self, index: int, cast: Cast) -> dict[int, torch.Tensor]:
        """Return the masks of the objects whose first frame this is, by the tracker's id."""
        masks = {}
        for object_id, first in self._truth.first.items():
            mask = self._truth.mask(index, object_id) if first == index else None
            if mask is not None:
                tracker_id = cast.next_id
                cast.enter({tracker_id: object_id})
                masks[tracker_id] = torch.from_numpy(mask)
        return masks
