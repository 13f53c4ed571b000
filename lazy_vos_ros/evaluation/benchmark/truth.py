"""The ground truth of one sequence: which objects there are, and where."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import numpy.typing as npt
from PIL import Image as Pillow

from lazy_vos_ros.evaluation.benchmark.datasets import SequenceFiles
from lazy_vos_ros.evaluation.label_images import read_indices
from lazy_vos_ros.evaluation.metrics import Mask

Labels = npt.NDArray[np.uint8]

VOID = 255
"""Pixels that belong to nobody and are not scored, as in the DAVIS tools."""


class GroundTruth:
    """Label images, read when they are wanted; the last one is kept.

    Two rules make ids of pixel values. Where a whole sequence has no values but 0 and 255, 255 is
    object 1 (DAVIS-2016); elsewhere 255 is void: not scored and no object. With `merge_objects`
    everything but background and void is object 1.
    """

    def __init__(self, files: SequenceFiles, *, merge_objects: bool = False) -> None:
        """Read all annotations once.

        Raises
        ------
        ValueError
            If an image or a label image has another size than the first image, a label image
            cannot be read, or no annotation holds an object.
        """
        self._files = files
        self._merge = merge_objects
        self._cached: tuple[int, Labels] | None = None
        self.size = _one_size(files)
        """Height and width in pixels."""
        self._binary = False
        values = {
            index: {int(value) for value in np.unique(self._read(path))}
            for index, path in enumerate(files.annotations)
            if path is not None
        }
        self._binary = set().union(*values.values()) <= {0, VOID}
        self.first: dict[int, int] = self._first_frames(values)
        """For each object, ascending by id, the index of the first frame annotated with it."""
        if not self.first:
            raise ValueError(
                f'sequence {files.name} has {len(values)} annotations and no object in any; '
                'allowed: at least one object'
            )

    @property
    def annotated(self) -> tuple[int, ...]:
        """Indices of the frames with ground truth, ascending."""
        return self._files.annotated

    def labels(self, index: int) -> Labels | None:
        """Return the (H, W) object ids of a frame, 255 = void; None if it is not annotated."""
        path = self._files.annotations[index]
        if path is None:
            return None
        if self._cached is None or self._cached[0] != index:
            self._cached = (index, self._to_ids(self._read(path)))
        return self._cached[1]

    def mask(self, index: int, object_id: int) -> Mask | None:
        """Return where an object is in a frame; None if the frame is not annotated."""
        labels = self.labels(index)
        return None if labels is None else np.asarray(labels == object_id)

    def void(self, index: int) -> Mask | None:
        """Return which pixels of a frame are not scored; None if the frame is not annotated."""
        labels = self.labels(index)
        return None if labels is None else np.asarray(labels == VOID)

    def _first_frames(self, values: dict[int, set[int]]) -> dict[int, int]:
        first: dict[int, int] = {}
        for index, found in values.items():
            for object_id in self._ids_of(found):
                first.setdefault(object_id, index)
        return dict(sorted(first.items()))

    def _ids_of(self, values: set[int]) -> set[int]:
        objects = values - {0, VOID}
        if self._binary and VOID in values:
            objects = {1}
        return {1} if self._merge and objects else objects

    def _to_ids(self, values: Labels) -> Labels:
        if self._binary:
            return np.asarray(values == VOID, np.uint8)
        if self._merge:
            return np.asarray(np.where(values == VOID, VOID, values > 0), np.uint8)
        return values

    def _read(self, path: Path) -> Labels:
        values = read_indices(path)
        if values.shape != self.size:
            raise ValueError(
                f'{path} is {_text(values.shape)}; allowed: the size of the images, '
                f'{_text(self.size)}'
            )
        return values


def _one_size(files: SequenceFiles) -> tuple[int, int]:
    """Return the height and width of all images; ValueError if they differ."""
    size: tuple[int, int] | None = None
    for path in files.images:
        try:
            with Pillow.open(path) as picture:
                width, height = picture.size
        except OSError as error:
            raise ValueError(f'{path} is no image that can be read: {error}') from None
        if size is not None and (height, width) != size:
            raise ValueError(
                f'{path} is {_text((height, width))}; allowed: the size of the images before it, '
                f'{_text(size)}'
            )
        size = (height, width)
    if size is None:
        raise ValueError(f'sequence {files.name} has no images; allowed: at least one')
    return size


def _text(size: tuple[int, ...]) -> str:
    return f'{size[1]}x{size[0]}'
