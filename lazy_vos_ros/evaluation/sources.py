"""Read a video file, a folder of images or a webcam as RGB frames."""

import os
import re
from abc import ABC
from abc import abstractmethod
from collections.abc import Iterator
from contextlib import suppress
from math import isfinite
from pathlib import Path

import cv2
import numpy as np

from lazy_vos_ros.engine.backend import Image

IMAGE_SUFFIXES = ('.jpg', '.jpeg', '.png')
DEFAULT_FPS = 25.0
"""Frames per second of a source that does not say."""

ALLOWED = 'a video file, a folder with jpg or png images, or the number of a webcam'


class Source(ABC):
    """Frames of one size, one after the other; each iteration begins at the first frame."""

    def __init__(self, name: str, size: tuple[int, int], fps: float) -> None:
        self.name = name
        """For people: the path, or the number of the webcam."""
        self.size = size
        """Width and height in pixels."""
        self.fps = fps
        """Frames per second; DEFAULT_FPS where the source does not say."""

    @property
    @abstractmethod
    def count(self) -> int | None:
        """Frames that it announces; None for a webcam. A damaged video may give fewer."""

    @abstractmethod
    def __iter__(self) -> Iterator[Image]:
        """Yield (H, W, 3) uint8 RGB frames, each an array of its own."""

    def frame_name(self, index: int) -> str:
        """Return the name of a frame without suffix, for files made from it."""
        return f'{index:05d}'

    def _checked(self, frame: Image, where: str) -> Image:
        height, width = frame.shape[:2]
        if (width, height) != self.size:
            raise ValueError(
                f'{where} is {width}x{height}; allowed: the size of the frames before it, '
                f'{self.size[0]}x{self.size[1]}'
            )
        return cv2.cvtColor(frame, cv2.COLOR_BGR2RGB)  # type: ignore[return-value]


def open_source(
    what: str | int | Path, *, start: int = 0, frames: int | None = None, fps: float | None = None
) -> Source:
    """Open a video file, a folder of images (in natural order) or a webcam.

    Parameters
    ----------
    what
        Path of a video or folder; number of a webcam, also as text or `/dev/videoN`.
    start
        Frames to leave out at the beginning.
    frames
        Most frames to give; None: all.
    fps
        Frames per second to believe in, instead of what the source says.

    Raises
    ------
    ValueError
        Naming what cannot be read, what was found and what is allowed.
    """
    if start < 0 or (frames is not None and frames < 1):
        raise ValueError(f'start is {start}, frames is {frames}; allowed: start >= 0, frames >= 1')
    if fps is not None and not (isfinite(fps) and fps > 0):
        raise ValueError(f'fps is {fps}; allowed: a number above 0')
    device = webcam_number(what)
    if device is not None:
        return WebcamSource(device, start, frames, fps)
    path = Path(str(what))
    if path.is_dir():
        return FolderSource(path, start, frames, fps)
    return VideoSource(path, start, frames, fps)


def webcam_number(what: str | int | Path) -> int | None:
    """Return N for N, 'N' or '/dev/videoN'; None for anything else, or a file of that name."""
    if isinstance(what, int):
        return what
    path = Path(str(what))
    match = re.fullmatch(r'(?:/dev/video)?([0-9]+)', str(what))
    if match is None or path.is_file() or path.is_dir():
        return None
    return int(match[1])


class VideoSource(Source):
    """A video file, decoded by the FFmpeg that OpenCV brings."""

    def __init__(
        self, path: Path, start: int = 0, frames: int | None = None, fps: float | None = None
    ) -> None:
        self.path = path
        self._start = start
        self._limit = frames
        capture = self._open()
        first = _skip_and_read(capture, start)
        announced = int(capture.get(cv2.CAP_PROP_FRAME_COUNT))
        rate = capture.get(cv2.CAP_PROP_FPS)
        capture.release()
        if first is None:
            raise ValueError(
                f'{path} has no frame {start} that can be decoded (it announces {announced} '
                f'frames); allowed: {ALLOWED}'
            )
        # Damaged headers announce nonsense: rates of 90000, negative counts.
        believed = rate if isfinite(rate) and 0 < rate <= 1000 else DEFAULT_FPS
        self._count = max(1, announced - start)
        super().__init__(str(path), (first.shape[1], first.shape[0]), fps or believed)

    @property
    def count(self) -> int | None:
        """Frames that the file announces, within `start` and `frames`."""
        return self._count if self._limit is None else min(self._count, self._limit)

    def __iter__(self) -> Iterator[Image]:
        """Decode the file from its beginning."""
        capture = self._open()
        try:
            frame = _skip_and_read(capture, self._start)
            index = 0
            while frame is not None and index != self._limit:
                yield self._checked(frame, f'frame {self._start + index} of {self.path}')
                frame = _skip_and_read(capture, 0)
                index += 1
        finally:
            capture.release()

    def _open(self) -> cv2.VideoCapture:
        if not self.path.is_file():
            raise ValueError(f'{self.path} does not exist; allowed: {ALLOWED}')
        if self.path.stat().st_size == 0:
            raise ValueError(f'{self.path} is empty (0 bytes); allowed: {ALLOWED}')
        if self.path.suffix.lower() in (*IMAGE_SUFFIXES, '.txt'):
            # FFmpeg would show a text, or a photograph, as a video.
            raise ValueError(
                f'{self.path} is a single {self.path.suffix} file; allowed: {ALLOWED}'
            )
        os.environ.setdefault('OPENCV_FFMPEG_LOGLEVEL', '-8')  # the error below says it
        capture = cv2.VideoCapture(str(self.path), cv2.CAP_FFMPEG)
        if not capture.isOpened():
            raise ValueError(
                f'{self.path} is no video that can be read (cut off, or of an unknown format); '
                f'allowed: {ALLOWED}'
            )
        return capture


class FolderSource(Source):
    """A folder of jpg and png images of one size; `img2` comes before `img10`."""

    def __init__(
        self, path: Path, start: int = 0, frames: int | None = None, fps: float | None = None
    ) -> None:
        everything = image_files(path)
        stop = None if frames is None else start + frames
        self.paths = everything[start:stop]
        if not self.paths:
            raise ValueError(
                f'{path} has {len(everything)} images; allowed: start below that, not {start}'
            )
        first = read_image(self.paths[0])
        super().__init__(str(path), (first.shape[1], first.shape[0]), fps or DEFAULT_FPS)

    @property
    def count(self) -> int | None:
        """Number of images."""
        return len(self.paths)

    def __iter__(self) -> Iterator[Image]:
        """Read one image after the other."""
        for path in self.paths:
            yield self._checked(read_image(path), str(path))

    def frame_name(self, index: int) -> str:
        """Return the file's name without suffix."""
        return self.paths[index].stem


class WebcamSource(Source):
    """A camera of the operating system."""

    def __init__(
        self, device: int, start: int = 0, frames: int | None = None, fps: float | None = None
    ) -> None:
        self.device = device
        self._start = start
        self._limit = frames
        capture = self._open()
        ok, first = capture.read()
        rate = capture.get(cv2.CAP_PROP_FPS)
        capture.release()
        if not ok:
            raise ValueError(f'webcam {device} gives no picture; allowed: one that is not in use')
        believed = rate if isfinite(rate) and 0 < rate <= 1000 else DEFAULT_FPS
        super().__init__(f'webcam {device}', (first.shape[1], first.shape[0]), fps or believed)

    @property
    def count(self) -> int | None:
        """Return the limit that was asked for, or None: a webcam has no end."""
        return self._limit

    def __iter__(self) -> Iterator[Image]:
        """Yield pictures as they come; RuntimeError when the camera stops giving any."""
        capture = self._open()
        try:
            index = 0
            frame = _skip_and_read(capture, self._start)
            while index != self._limit:
                if frame is None:
                    raise RuntimeError(f'webcam {self.device} stopped after {index} pictures')
                yield self._checked(frame, f'picture {index} of webcam {self.device}')
                frame = _skip_and_read(capture, 0)
                index += 1
        finally:
            capture.release()

    def _open(self) -> cv2.VideoCapture:
        capture = cv2.VideoCapture(self.device)
        if not capture.isOpened():
            raise ValueError(f'webcam {self.device} cannot be opened; allowed: {ALLOWED}')
        return capture


def image_files(folder: Path) -> list[Path]:
    """Return the jpg and png files of a folder in natural order.

    Raises
    ------
    ValueError
        If there is none, or if two differ in their suffix only.
    """
    found = [item for item in folder.iterdir() if item.suffix.lower() in IMAGE_SUFFIXES]
    found = sorted((item for item in found if item.is_file()), key=natural_key)
    if not found:
        inside = [sub.name for sub in sorted(folder.iterdir()) if sub.is_dir()]
        hint = f' (it has the folders {", ".join(inside[:5])})' if inside else ''
        raise ValueError(f'{folder} has no jpg or png image{hint}; allowed: {ALLOWED}')
    seen: dict[str, Path] = {}
    for item in found:
        if item.stem in seen:
            raise ValueError(
                f'{item} and {seen[item.stem].name} have one name; allowed: one image a frame'
            )
        seen[item.stem] = item
    return found


def natural_key(path: Path) -> list[tuple[bool, int, str]]:
    """Return a sorting key by which numbers in a file's name are compared as numbers."""
    parts = re.findall(r'\d+|\D+', path.name)
    return [(part.isdecimal(), int(part) if part.isdecimal() else 0, part) for part in parts]


def read_image(path: Path) -> Image:
    """Return (H, W, 3) uint8 BGR; grey becomes colour, transparency is dropped.

    Raises
    ------
    ValueError
        If the file is no image, or is cut off.
    """
    content = path.read_bytes()
    frame: Image | None = None
    # of a file on disk that is cut off OpenCV would make up the rest in grey, of one in memory not
    if content:
        with suppress(cv2.error):  # it promises more pixels than OpenCV takes
            data = np.frombuffer(content, np.uint8)
            # OpenCV's type hints allow any number where these flags give uint8.
            frame = cv2.imdecode(data, cv2.IMREAD_COLOR)  # type: ignore[assignment]
    if frame is None:
        raise ValueError(
            f'{path} ({len(content)} bytes) is no image that can be read; '
            'allowed: whole jpg or png files'
        )
    return frame


def _skip_and_read(capture: cv2.VideoCapture, skipped: int) -> Image | None:
    """Return the frame after `skipped` others as BGR, or None at the end."""
    # Seeking by number is not exact in every container; skipping without decoding colour is.
    for _ in range(skipped):
        if not capture.grab():
            return None
    ok, frame = capture.read()
    return frame if ok else None  # type: ignore[return-value]
