"""Which object of the data set is which object of the tracker.

The tracker wants ascending ids in the order in which objects appear; a data set may number them
in any order.
"""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np
import numpy.typing as npt


class Cast:
    """Both numbers of every object that is being tracked."""

    def __init__(self) -> None:
        self._dataset: dict[int, int] = {}
        self._tracker: dict[int, int] = {}

    @property
    def next_id(self) -> int:
        """The tracker's id of the next object."""
        return 1 + max(self._dataset, default=0)

    def enter(self, ids: Mapping[int, int]) -> None:
        """Take in objects, by the tracker's id."""
        self._dataset |= ids
        self._tracker |= {dataset: tracker for tracker, dataset in ids.items()}

    def dataset_id(self, tracker_id: int) -> int:
        """Return the data set's id of an object of the tracker."""
        return self._dataset[tracker_id]

    def tracker_id(self, dataset_id: int) -> int | None:
        """Return the tracker's id of an object of the data set; None if it is not tracked."""
        return self._tracker.get(dataset_id)

    def to_dataset(self, labels: npt.NDArray[np.uint16]) -> npt.NDArray[np.uint8]:
        """Return (H, W) ids of the data set for ids of the tracker."""
        table = np.zeros(self.next_id, np.uint8)
        for tracker_id, dataset_id in self._dataset.items():
            table[tracker_id] = dataset_id
        return table[labels]
