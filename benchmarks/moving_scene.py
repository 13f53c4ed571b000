"""A procedural scene of any size and length: a textured ellipse wanders over a textured wall."""

from collections.abc import Iterator

import cv2
import numpy as np
import numpy.typing as npt


class MovingScene:
    """Frames and masks that follow from the frame's number alone, so that runs can be repeated."""

    def __init__(self, height: int, width: int, seed: int = 0) -> None:
        self.height = height
        self.width = width
        generator = np.random.default_rng(seed)
        self._wall = self._texture(generator, (90, 110, 130))
        self._skin = self._texture(generator, (190, 90, 60))

    def _texture(
        self, generator: np.random.Generator, colour: tuple[int, int, int]
    ) -> npt.NDArray[np.uint8]:
        coarse = generator.normal(0, 45, (self.height // 16 + 2, self.width // 16 + 2, 3))
        fine = generator.normal(0, 12, (self.height, self.width, 3))
        smooth = cv2.resize(coarse, (self.width, self.height), interpolation=cv2.INTER_CUBIC)
        return np.clip(smooth + fine + np.array(colour), 0, 255).astype(np.uint8)

    def mask(self, index: int) -> npt.NDArray[np.bool_]:
        """Return the (H, W) mask of the ellipse in frame `index`."""
        phase = index * 0.05
        centre = (
            int(self.width * (0.5 + 0.28 * np.sin(phase))),
            int(self.height * (0.5 + 0.22 * np.sin(1.7 * phase))),
        )
        axes = (max(4, self.width // 9), max(4, self.height // 7))
        canvas = np.zeros((self.height, self.width), np.uint8)
        cv2.ellipse(canvas, centre, axes, float(np.degrees(0.4 * phase)), 0, 360, 1, -1)
        return canvas.astype(bool)

    def frame(self, index: int) -> npt.NDArray[np.uint8]:
        """Return frame `index`, (H, W, 3) uint8 RGB."""
        image = self._wall.copy()
        mask = self.mask(index)
        image[mask] = self._skin[mask]
        return image

    def frames(self, count: int) -> Iterator[npt.NDArray[np.uint8]]:
        """Yield the first `count` frames."""
        return (self.frame(index) for index in range(count))
