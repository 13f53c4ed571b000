"""Images, masks and entropy of a bag, read when they are asked for."""

from __future__ import annotations

import struct
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import cv2
import numpy as np
import numpy.typing as npt

from lazy_vos_ros.engine.backend import Image
from lazy_vos_ros.evaluation.bag_file import BagFile
from lazy_vos_ros.evaluation.compressed_images import check_compressed

ENCODINGS = {
    'rgb8': ('u1', 3),
    'bgr8': ('u1', 3),
    'rgba8': ('u1', 4),
    'bgra8': ('u1', 4),
    'mono8': ('u1', 1),
    '8UC1': ('u1', 1),
    '8UC3': ('u1', 3),
    'mono16': ('u2', 1),
    '16UC1': ('u2', 1),
    '32FC1': ('f4', 1),
}
"""Element type and channels of the encodings that evaluation needs."""

TO_RGB = {
    'bgr8': cv2.COLOR_BGR2RGB,
    '8UC3': cv2.COLOR_BGR2RGB,
    'rgba8': cv2.COLOR_RGBA2RGB,
    'bgra8': cv2.COLOR_BGRA2RGB,
    'mono8': cv2.COLOR_GRAY2RGB,
    '8UC1': cv2.COLOR_GRAY2RGB,
}
"""How an image becomes RGB; OpenCV's own 8UC3 is BGR."""


HEADER_BYTES = 12
"""Of a serialised message up to its stamp."""


class BagPictures:
    """Pictures of one tracker's run by stamp; opens the bag when the first is asked for.

    Where several pictures of one stamp were recorded, the last counts.
    """

    def __init__(
        self,
        path: Path,
        images: tuple[str, dict[int, int]] | None,
        labels: tuple[str, dict[int, int]] | None,
        entropy: tuple[str, dict[int, int]] | None,
        repaired: tuple[str, dict[int, int]] | None = None,
    ) -> None:
        """Take, for each kind, its topic and the times of recording by stamp, or None."""
        self._path = path
        self._bag: BagFile | None = None
        self._images, self._labels, self._entropy = images, labels, entropy
        self._repaired = repaired

    def image(self, stamp: int) -> Image | None:
        """Return the (H, W, 3) uint8 RGB image of this stamp (ns); None if it is not there."""
        message = self._find(self._images, stamp)
        return None if message is None else rgb_of(message)

    def labels(self, stamp: int) -> npt.NDArray[np.uint16] | None:
        """Return the (H, W) object ids that were put out for it."""
        message = self._find(self._labels, stamp)
        return None if message is None else pixels_of(message).astype(np.uint16)

    def entropy(self, stamp: int) -> npt.NDArray[np.float32] | None:
        """Return the (H, W) entropy of its prediction, 0..1."""
        message = self._find(self._entropy, stamp)
        return None if message is None else pixels_of(message).astype(np.float32)

    def repaired(self, stamp: int) -> npt.NDArray[np.uint16] | None:
        """Return the (H, W) object ids of this image after a replay; None if it had none."""
        message = self._find(self._repaired, stamp)
        return None if message is None else pixels_of(message).astype(np.uint16)

    @property
    def are_repaired(self) -> bool:
        """Whether there are masks of a replay."""
        return self._repaired is not None and bool(self._repaired[1])

    def close(self) -> None:
        """Close the bag, until the next picture is asked for."""
        if self._bag is not None:
            self._bag.close()
            self._bag = None

    def _find(self, index: tuple[str, dict[int, int]] | None, stamp: int) -> Any:
        if index is None or stamp not in index[1]:
            return None
        if self._bag is None:
            self._bag = BagFile(self._path)
        found = None
        for message in self._bag.decoded_at(index[0], index[1][stamp]):
            if nanoseconds(message.header.stamp) == stamp:
                found = message
        return found


class RepairedPictures:
    """The pictures of a run with the masks of replays in place of those that were put out."""

    def __init__(self, pictures: BagPictures) -> None:
        """Take the pictures of the run."""
        self._pictures = pictures
        self.image, self.entropy = pictures.image, pictures.entropy

    def labels(self, stamp: int) -> npt.NDArray[np.uint16] | None:
        """Return the (H, W) object ids of this stamp (ns), repaired if they were."""
        repaired = self._pictures.repaired(stamp)
        return self._pictures.labels(stamp) if repaired is None else repaired


def stamps_of(bag: BagFile, topics: Sequence[str]) -> dict[str, dict[int, int]]:
    """Return, for each topic of messages with a header, the time of recording by stamp (ns)."""
    found: dict[str, dict[int, int]] = {topic: {} for topic in topics}
    for topic, time, data in bag.raw_messages(*topics):
        if len(data) >= HEADER_BYTES:
            found[topic][header_stamp(data)] = time
    return found


def header_stamp(data: bytes) -> int:
    """Return the stamp (ns) of a serialised message that begins with a std_msgs/Header."""
    # CDR: 4 bytes of encapsulation, of which the second is the byte order, then sec and nanosec.
    order = '<' if data[1] & 1 else '>'
    seconds, nanoseconds = struct.unpack_from(f'{order}iI', data, 4)
    return int(seconds) * 1_000_000_000 + int(nanoseconds)


def nanoseconds(stamp: Any) -> int:
    """Return a builtin_interfaces/Time in nanoseconds."""
    return int(stamp.sec) * 1_000_000_000 + int(stamp.nanosec)


def rgb_of(message: Any) -> Image:
    """Return the (H, W, 3) uint8 RGB pixels of an Image or CompressedImage message.

    Raises
    ------
    ValueError
        If the encoding is unknown, or the data are cut off or not decodable.
    """
    if not hasattr(message, 'encoding'):
        check_compressed(message.data, message.format)
        decoded: Any = cv2.imdecode(np.asarray(message.data), cv2.IMREAD_COLOR)
        if decoded is None:
            raise ValueError(f'image of format {message.format!r} cannot be decoded')
        return np.asarray(cv2.cvtColor(decoded, cv2.COLOR_BGR2RGB), np.uint8)
    pixels = pixels_of(message)
    if message.encoding == 'rgb8':
        return np.ascontiguousarray(pixels, np.uint8)
    if message.encoding not in TO_RGB:
        raise ValueError(
            f'image has encoding {message.encoding!r}; allowed: rgb8, {", ".join(TO_RGB)}'
        )
    return np.asarray(
        cv2.cvtColor(np.ascontiguousarray(pixels), TO_RGB[message.encoding]), np.uint8
    )


def pixels_of(message: Any) -> npt.NDArray[Any]:
    """Return a view of an Image message's pixels, (H, W) or (H, W, C).

    Raises
    ------
    ValueError
        If the encoding is unknown or the data are cut off.
    """
    if message.encoding not in ENCODINGS:
        raise ValueError(
            f'image has encoding {message.encoding!r}; allowed: {", ".join(ENCODINGS)}'
        )
    element, channels = ENCODINGS[message.encoding]
    dtype = np.dtype(('>' if message.is_bigendian else '<') + element)
    row = message.width * channels * dtype.itemsize
    if message.step < row or message.data.nbytes < message.step * message.height:
        raise ValueError(
            f'image of {message.width}x{message.height} {message.encoding} has {message.step} '
            f'bytes a row and {message.data.nbytes} in all; allowed: at least {row} a row, and '
            'that times the height'
        )
    pixels: npt.NDArray[Any] = np.ndarray(
        (message.height, message.width, channels),
        dtype,
        np.asarray(message.data).data,
        strides=(message.step, channels * dtype.itemsize, dtype.itemsize),
    )
    return pixels[..., 0] if channels == 1 else pixels
