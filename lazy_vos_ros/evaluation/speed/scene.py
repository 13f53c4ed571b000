"""A procedural scene of any size and length: textured ellipses wander over a textured wall."""

from collections.abc import Iterator
from math import ceil
from math import sqrt

import cv2
import numpy as np
import numpy.typing as npt

_SKINS = ((190, 90, 60), (70, 150, 190), (120, 180, 70), (200, 180, 80))


class MovingScene:
    """Frames and masks that follow from the frame's number alone, so that runs can be repeated.

    Each object wanders within a cell of its own, so that none hides another.
    """

    def __init__(self, height: int, width: int, objects: int = 1, seed: int = 0) -> None:
        self.height = height
        self.width = width
        self.objects = objects
        self._columns = ceil(sqrt(objects))
        self._rows = ceil(objects / self._columns)
        generator = np.random.default_rng(seed)
        self._wall = self._texture(generator, (90, 110, 130))
        skins = _SKINS[: min(objects, len(_SKINS))]
        self._skins = [self._texture(generator, colour) for colour in skins]

    def _texture(
        self, generator: np.random.Generator, colour: tuple[int, int, int]
    ) -> npt.NDArray[np.uint8]:
        coarse = generator.normal(0, 45, (self.height // 16 + 2, self.width // 16 + 2, 3))
        fine = generator.normal(0, 12, (self.height, self.width, 3))
        smooth = cv2.resize(coarse, (self.width, self.height), interpolation=cv2.INTER_CUBIC)
        return np.clip(smooth + fine + np.array(colour), 0, 255).astype(np.uint8)

    def labels(self, index: int) -> npt.NDArray[np.uint8]:
        """Return (H, W) with the number of the object at each pixel of a frame, 0 for the wall."""
        canvas = np.zeros((self.height, self.width), np.uint8)
        width, height = self.width / self._columns, self.height / self._rows
        axes = (max(4, int(width // 9)), max(4, int(height // 7)))
        for number in range(self.objects):
            row, column = divmod(number, self._columns)
            phase = index * 0.05 + number
            centre = (
                int(width * (column + 0.5 + 0.28 * np.sin(phase))),
                int(height * (row + 0.5 + 0.22 * np.sin(1.7 * phase))),
            )
            angle = float(np.degrees(0.4 * phase))
            cv2.ellipse(canvas, centre, axes, angle, 0, 360, number + 1, -1)
        return canvas

    def mask(self, index: int, number: int = 1) -> npt.NDArray[np.bool_]:
        """Return the (H, W) mask of an object, 1 for the first, in frame `index`."""
        return np.asarray(self.labels(index) == number)

    def frame(self, index: int) -> npt.NDArray[np.uint8]:
        """Return frame `index`, (H, W, 3) uint8 RGB."""
        image = self._wall.copy()
        labels = self.labels(index)
        for number in range(self.objects):
            mask = labels == number + 1
            image[mask] = self._skins[number % len(self._skins)][mask]
        return image

    def frames(self, count: int) -> Iterator[npt.NDArray[np.uint8]]:
        """Yield the first `count` frames."""
        return (self.frame(index) for index in range(count))
