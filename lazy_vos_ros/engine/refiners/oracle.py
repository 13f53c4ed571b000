"""A refiner that knows the answer, for experiments with given ground truth."""

from collections.abc import Callable
from collections.abc import Sequence

import numpy as np
import numpy.typing as npt
import torch

from lazy_vos_ros.engine.backend import FrozenFrame
from lazy_vos_ros.engine.clicks import Click
from lazy_vos_ros.engine.refiners.base import RefinedMask
from lazy_vos_ros.engine.refiners.base import check_clicks

GroundTruth = Callable[[int, int], npt.NDArray[np.bool_] | None]
"""Gives the (H, W) mask of an object by frame index and object id; None where there is none."""


class OracleRefiner:
    """Answers every click with the true mask of the object (Table S2)."""

    def __init__(self, ground_truth: GroundTruth) -> None:
        self._ground_truth = ground_truth

    @property
    def name(self) -> str:
        """Method in words."""
        return 'ground truth'

    def refine(
        self,
        frame: FrozenFrame,
        clicks: Sequence[Click],
        *,
        object_id: int,
        prior: torch.Tensor | None = None,
    ) -> RefinedMask:
        """Return the true mask; the clicks only have to be valid.

        Raises
        ------
        ValueError
            If a click is not allowed, or if there is no ground truth of the object.
        """
        del prior
        check_clicks(frame, clicks)
        mask = self._ground_truth(frame.index, object_id)
        if mask is None:
            raise ValueError(f'no ground truth of object {object_id} in frame {frame.index}')
        return RefinedMask(torch.from_numpy(np.ascontiguousarray(mask, dtype=np.bool_)), 1.0)
