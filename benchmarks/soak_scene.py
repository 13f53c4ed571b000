"""A scene for long runs: actors cross it for ever, hide behind a pillar, and change their ways."""

from dataclasses import dataclass

import cv2
import numpy as np
import numpy.typing as npt

_COLOURS = ((200, 80, 60), (60, 170, 80), (70, 90, 210), (210, 190, 60))


@dataclass(frozen=True)
class Actor:
    """A textured ellipse on a closed path; everything follows from the frame's number."""

    colour: tuple[int, int, int]
    pace: float
    phase: float

    def centre(self, index: int, height: int, width: int) -> tuple[int, int]:
        """Return column and row in frame `index`; the path leaves the image on its right."""
        angle = self.phase + self.pace * index
        x = width * (0.55 + 0.55 * np.sin(angle))
        y = height * (0.5 + 0.3 * np.sin(1.618 * angle + self.phase))
        return int(x), int(y)


class SoakScene:
    """Frames and true masks of `count` actors (at most four), without end."""

    def __init__(self, height: int, width: int, count: int, seed: int = 0) -> None:
        self.height = height
        self.width = width
        generator = np.random.default_rng(seed)
        coarse = generator.normal(110, 35, (height // 8 + 2, width // 8 + 2, 3))
        wall = cv2.resize(coarse, (width, height), interpolation=cv2.INTER_CUBIC)
        self._wall = np.clip(wall, 0, 255).astype(np.uint8)
        self._grain = generator.normal(0, 10, (height, width, 3))
        self.actors = tuple(
            Actor(_COLOURS[number], float(generator.uniform(0.02, 0.05)), 1.7 * number)
            for number in range(count)
        )

    def render(
        self, index: int
    ) -> tuple[npt.NDArray[np.uint8], tuple[npt.NDArray[np.bool_], ...]]:
        """Return frame `index`, (H, W, 3) uint8 RGB, and the visible (H, W) mask of each actor."""
        image = self._wall.copy()
        owner = np.zeros((self.height, self.width), np.uint8)
        axes = (max(3, self.width // 9), max(3, self.height // 7))
        for number, actor in enumerate(self.actors, 1):
            centre = actor.centre(index, self.height, self.width)
            cv2.ellipse(image, centre, axes, 0, 0, 360, actor.colour, -1)
            cv2.ellipse(owner, centre, axes, 0, 0, 360, number, -1)
        left = self.width // 3
        pillar = slice(left, left + max(2, self.width // 12))
        image[:, pillar], owner[:, pillar] = (90, 90, 95), 0
        textured = np.clip(image + self._grain, 0, 255).astype(np.uint8)
        return textured, tuple(owner == number for number in range(1, len(self.actors) + 1))
