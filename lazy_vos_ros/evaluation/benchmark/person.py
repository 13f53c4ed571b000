"""The simulated person, who knows the ground truth, and the oracle that clicks for them."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import numpy.typing as npt
import torch

from lazy_vos_ros.engine.backend import FrozenFrame
from lazy_vos_ros.engine.clicks import Click
from lazy_vos_ros.engine.refiners.base import RefinedMask
from lazy_vos_ros.engine.refiners.base import Refiner
from lazy_vos_ros.engine.refiners.oracle import OracleRefiner
from lazy_vos_ros.engine.results import Answer
from lazy_vos_ros.engine.results import Skip
from lazy_vos_ros.evaluation.benchmark.cast import Cast
from lazy_vos_ros.evaluation.benchmark.truth import GroundTruth
from lazy_vos_ros.evaluation.metrics import Mask
from lazy_vos_ros.evaluation.operators import gt_center
from lazy_vos_ros.evaluation.operators import largest_error

CLICKERS = {'gt_center': gt_center, 'largest_error': largest_error}


class Person:
    """Answers questions about the objects of one sequence."""

    def __init__(self, truth: GroundTruth, cast: Cast, operator: str) -> None:
        """Click as `operator` says, one of :data:`CLICKERS`."""
        self._truth = truth
        self._cast = cast
        self._click = CLICKERS[operator]
        self._told: dict[tuple[int, int], int] = {}

    def answer(self, frame: int, tracker_id: int, prediction: npt.NDArray[np.bool_]) -> Answer:
        """Return the answer about an object of the tracker; Skip if the frame has no truth."""
        object_id = self._cast.dataset_id(tracker_id)
        mask = self._truth.mask(frame, object_id)
        if mask is None:
            return Skip()
        self.tells(frame, tracker_id, object_id)
        return self._click(mask, prediction)

    def tells(self, frame: int, tracker_id: int, object_id: int) -> None:
        """Note that this person clicks on an object, `object_id` in the data set."""
        self._told[frame, tracker_id] = object_id

    def told(self, frame: int, tracker_id: int) -> Mask | None:
        """Return the true mask of an object that this person has clicked on, else None."""
        object_id = self._told.get((frame, tracker_id))
        return None if object_id is None else self._truth.mask(frame, object_id)


class OracleForPerson:
    """Gives the true mask for clicks of the person, and asks another refiner for all others.

    The tracker's own pseudo-clicks must not see the truth, else a method would be corrected by it
    for nothing.
    """

    def __init__(self, person: Person, other: Refiner | None) -> None:
        """Ask `other` for pseudo-clicks; None where the method makes none."""
        self._person = person
        self._other = other
        self._oracle = OracleRefiner(person.told)

    @property
    def name(self) -> str:
        """Method and weights in words."""
        if self._other is None:
            return self._oracle.name
        return f'{self._oracle.name}; pseudo-clicks: {self._other.name}'

    def refine(
        self,
        frame: FrozenFrame,
        clicks: Sequence[Click],
        *,
        object_id: int,
        prior: torch.Tensor | None = None,
    ) -> RefinedMask:
        """Return the true mask if the person clicked in this frame, else the other's mask.

        Raises
        ------
        ValueError
            If a click is not allowed, or nobody can tell the mask.
        """
        if self._other is None or self._person.told(frame.index, object_id) is not None:
            return self._oracle.refine(frame, clicks, object_id=object_id, prior=prior)
        return self._other.refine(frame, clicks, object_id=object_id, prior=prior)
