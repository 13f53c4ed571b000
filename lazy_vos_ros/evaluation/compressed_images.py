"""Look at a compressed image before it is decoded: a few bytes can promise gigabytes."""

from __future__ import annotations

import io
import struct
from typing import Any

from PIL import Image as Pillow

MOST_PIXELS = 1 << 26
"""Of an image that is decoded: 8192 x 8192."""

_PNG = b'\x89PNG\r\n\x1a\n'
_CHUNK = struct.Struct('>I4s')
"""Length of the content and kind; four bytes of a checksum follow the content."""
_IHDR = struct.Struct('>II')
"""Width and height, the first of the content of the first chunk."""


def check_compressed(data: Any, name: str) -> None:
    """Check that data (with the buffer interface) are of a JPEG or PNG image of sensible size.

    `name` is the format that the message tells; it is not trusted.

    Raises
    ------
    ValueError
        If they are of another kind, promise more than :data:`MOST_PIXELS`, or are a PNG whose
        parts go beyond its end. Whether the pixels are whole shows when they are decoded.
    """
    content = memoryview(data).cast('B')
    size = _png_size(content) if bytes(content[:8]) == _PNG else _jpeg_size(content)
    if size is None:
        raise ValueError(
            f'compressed image of format {name!r} with {len(content)} bytes cannot be decoded; '
            'allowed: whole jpeg or png data'
        )
    width, height = size
    if not 0 < width * height <= MOST_PIXELS:
        raise ValueError(
            f'compressed image promises {width} x {height} pixels; allowed: 1 to {MOST_PIXELS}'
        )


def _png_size(content: memoryview) -> tuple[int, int] | None:
    """Return width and height; None if a chunk is not whole."""
    place, size = len(_PNG), None
    while place + _CHUNK.size <= len(content):
        length, kind = _CHUNK.unpack_from(content, place)
        place += _CHUNK.size
        if length + 4 > len(content) - place:
            return None
        if size is None:
            if kind != b'IHDR' or length < _IHDR.size:
                return None
            size = _IHDR.unpack_from(content, place)
        if kind == b'IEND':
            return size
        place += length + 4
    return None


def _jpeg_size(content: memoryview) -> tuple[int, int] | None:
    """Return width and height of a JPEG image, whose pixels are not touched; None if none."""
    try:
        with Pillow.open(io.BytesIO(content), formats=('JPEG',)) as picture:
            return picture.size
    except Exception:  # whatever a damaged head makes it run into
        return None
