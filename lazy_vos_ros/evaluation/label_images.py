"""Label images as indexed PNG, as DAVIS has them, and entropy as 16-bit PNG."""

from pathlib import Path
from typing import Any

import cv2
import numpy as np
import numpy.typing as npt
from PIL import Image as Pillow

MOST_IDS = 255
"""Highest object id of an indexed PNG."""
ENTROPY_SCALE = 65535
"""Value of a 16-bit PNG for an entropy of 1."""


def davis_palette() -> bytes:
    """Return 256 RGB colours in which neighbouring numbers differ much (PASCAL VOC, DAVIS).

    The bits of a number are dealt to red, green and blue in turn, the lowest bit of each
    becoming the highest of its colour.
    """
    numbers = np.arange(256)
    colours = np.zeros((256, 3), np.uint8)
    for bit in range(8):
        for channel in range(3):
            place = 3 * bit + channel
            if place < 8:
                colours[:, channel] |= ((numbers >> place & 1) << (7 - bit)).astype(np.uint8)
    return colours.tobytes()


def write_labels(path: Path, labels: npt.NDArray[Any]) -> None:
    """Write (H, W) object ids as an indexed PNG.

    Raises
    ------
    ValueError
        If an id is above 255.
    """
    highest = int(labels.max(initial=0))
    if highest > MOST_IDS:
        raise ValueError(f'object id is {highest}; allowed in an indexed PNG: 0 to {MOST_IDS}')
    picture = Pillow.fromarray(labels.astype(np.uint8))
    picture.putpalette(davis_palette())
    picture.save(path)


def read_labels(path: Path) -> npt.NDArray[np.uint8]:
    """Read (H, W) object ids from an indexed or grey 8-bit image.

    An image of 0 and 255 only holds one object, 1.

    Raises
    ------
    ValueError
        If the file cannot be read or has colours.
    """
    labels = read_indices(path)
    if set(np.unique(labels)) <= {0, 255}:
        labels = (labels > 0).astype(np.uint8)
    return labels


def read_indices(path: Path) -> npt.NDArray[np.uint8]:
    """Read the (H, W) pixel values of an indexed or grey 8-bit image as they are.

    Raises
    ------
    ValueError
        If the file cannot be read or has colours.
    """
    try:
        with Pillow.open(path) as picture:
            mode, indices = picture.mode, np.array(picture)
    except (OSError, SyntaxError, Pillow.DecompressionBombError) as error:
        raise ValueError(f'{path} is no label image that can be read: {error}') from None
    if mode not in ('P', 'L', '1'):
        raise ValueError(
            f'{path} has pixels of kind {mode}; allowed: an indexed or grey 8-bit image, each '
            'value an object, 0 the background'
        )
    return indices.astype(np.uint8)


def write_entropy(path: Path, entropy: npt.NDArray[np.float32]) -> None:
    """Write (H, W) entropy, 0..1, as a 16-bit grey PNG: 65535 is 1.

    Raises
    ------
    OSError
        If the file cannot be written.
    """
    scaled = np.rint(np.clip(entropy, 0.0, 1.0) * ENTROPY_SCALE).astype(np.uint16)
    if not cv2.imwrite(str(path), scaled):
        raise OSError(f'{path} cannot be written')


def read_entropy(path: Path) -> npt.NDArray[np.float32]:
    """Read what :func:`write_entropy` wrote.

    Raises
    ------
    ValueError
        If the file cannot be read or is no 16-bit grey image.
    """
    stored = cv2.imread(str(path), cv2.IMREAD_UNCHANGED)
    if stored is None or stored.dtype != np.uint16 or stored.ndim != 2:
        raise ValueError(f'{path} is no entropy image; allowed: a 16-bit grey PNG')
    return (stored / np.float32(ENTROPY_SCALE)).astype(np.float32)
