"""Write videos that browsers and VLC play: H.264 in MP4."""

from __future__ import annotations

import shutil
import subprocess
import tempfile
from contextlib import suppress
from math import isfinite
from pathlib import Path
from types import TracebackType
from typing import IO
from typing import cast

import numpy as np

from lazy_vos_ros.engine.backend import Image

QUALITY = 20
"""x264's constant rate factor: 18 is nearly without loss, 28 is small."""


def ffmpeg() -> str:
    """Return the path of an FFmpeg: the one of the package imageio-ffmpeg, or the system's.

    Raises
    ------
    RuntimeError
        If neither is there.
    """
    try:
        from imageio_ffmpeg import get_ffmpeg_exe
    except ImportError:
        system = shutil.which('ffmpeg')
        if system is None:
            raise RuntimeError(
                'no FFmpeg to write a video with; install it with one of: '
                'pip install imageio-ffmpeg, apt install ffmpeg'
            ) from None
        return system
    return str(get_ffmpeg_exe())


class VideoFile:
    """A video being written; use it in a `with` statement.

    The file appears under its name when it is whole. After an error nothing of it is left.
    """

    def __init__(self, path: Path, size: tuple[int, int], fps: float) -> None:
        """Open the video.

        Parameters
        ----------
        path
            The MP4 file, replaced if it exists.
        size
            Width and height of the frames in pixels; an odd one grows by one pixel.
        fps
            Frames per second.

        Raises
        ------
        ValueError
            If size or fps are not above 0.
        OSError
            If the folder cannot be written.
        """
        if min(size) < 1 or not (isfinite(fps) and fps > 0):
            raise ValueError(
                f'video is {size[0]}x{size[1]} at {fps} fps; allowed: numbers above 0'
            )
        self.path = Path(path)
        self._part = self.path.with_name(self.path.name + '.part')
        self._size = size
        self._messages = tempfile.TemporaryFile()  # noqa: SIM115 (closed by _finish)
        self._part.touch()
        self._process = subprocess.Popen(
            [*_command(size, fps), str(self._part)],
            stdin=subprocess.PIPE,
            stdout=subprocess.DEVNULL,
            stderr=self._messages,
            # Ctrl-C is for this program, which then ends the video properly.
            start_new_session=True,
        )
        self._pipe = cast(IO[bytes], self._process.stdin)

    def write(self, frame: Image) -> None:
        """Append a frame.

        Parameters
        ----------
        frame
            (H, W, 3) uint8 RGB of the size of the video.

        Raises
        ------
        ValueError
            If it has another shape or type.
        RuntimeError
            If FFmpeg ended, with what it said.
        """
        expected = (self._size[1], self._size[0], 3)
        if frame.shape != expected or frame.dtype != np.uint8:
            raise ValueError(
                f'frame is {frame.shape} of type {frame.dtype}; allowed: {expected} of type uint8'
            )
        try:
            self._pipe.write(np.ascontiguousarray(frame).data)
        except BrokenPipeError:
            raise RuntimeError(f'{self.path} cannot be written: {self._last_words()}') from None

    def close(self) -> None:
        """Finish the file.

        Raises
        ------
        RuntimeError
            If FFmpeg failed, with what it said.
        """
        if self._finish() != 0:
            words = self._last_words()
            self.abandon()
            raise RuntimeError(f'{self.path} cannot be written: {words}')
        self._part.replace(self.path)
        self._messages.close()

    def abandon(self) -> None:
        """Leave nothing of the file."""
        self._process.kill()
        self._finish()
        self._part.unlink(missing_ok=True)
        self._messages.close()

    def __enter__(self) -> VideoFile:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        if kind is None or kind is KeyboardInterrupt:
            self.close()
        else:
            self.abandon()

    def _finish(self) -> int:
        with suppress(BrokenPipeError):
            self._pipe.close()
        return self._process.wait()

    def _last_words(self) -> str:
        self._process.wait()
        self._messages.seek(0)
        lines = self._messages.read().decode(errors='replace').strip().splitlines()
        return lines[-1] if lines else 'FFmpeg ended without a word'


def _command(size: tuple[int, int], fps: float) -> list[str]:
    return [
        ffmpeg(),
        *('-hide_banner', '-loglevel', 'error', '-y'),
        *('-f', 'rawvideo', '-pix_fmt', 'rgb24', '-s', f'{size[0]}x{size[1]}'),
        *('-r', f'{fps:g}', '-i', '-'),
        # 4:2:0 is the only chroma format that all browsers play; it needs even sizes.
        *('-vf', 'pad=ceil(iw/2)*2:ceil(ih/2)*2', '-pix_fmt', 'yuv420p'),
        *('-c:v', 'libx264', '-preset', 'veryfast', '-crf', str(QUALITY)),
        # The index goes to the front, so that a browser plays while it loads.
        *('-movflags', '+faststart', '-f', 'mp4'),
    ]
