"""A clip of a red disc that moves over a grey pattern, with its ground truth."""

from pathlib import Path

import cv2
import numpy as np

SIZE = (192, 128)
FRAMES = 12
RADIUS = 22


def centre(index: int) -> tuple[int, int]:
    return 50 + 5 * index, 60 + index


def mask(index: int) -> np.ndarray:
    rows, columns = np.ogrid[: SIZE[1], : SIZE[0]]
    x, y = centre(index)
    return (columns - x) ** 2 + (rows - y) ** 2 <= RADIUS**2


def frame(index: int) -> np.ndarray:
    random = np.random.default_rng(1).integers(60, 150, (SIZE[1] // 8, SIZE[0] // 8), np.uint8)
    grey = cv2.resize(random, SIZE, interpolation=cv2.INTER_CUBIC)
    image = np.repeat(grey[..., None], 3, axis=2)
    image[mask(index)] = (205, 50, 40)
    return image


def write_frames(folder: Path, count: int = FRAMES) -> Path:
    folder.mkdir(parents=True)
    for index in range(count):
        assert cv2.imwrite(str(folder / f'{index:05d}.png'), frame(index)[..., ::-1])
    return folder
