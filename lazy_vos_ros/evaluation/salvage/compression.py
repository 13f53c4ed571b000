"""Decompress what is there of data that may be cut off or damaged."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

from backports import zstd
from lz4.frame import LZ4FrameDecompressor

STEP = 1 << 14
"""Bytes that are fed at a time; what came out before a damaged place is kept."""

ZSTD_MAGIC = b'\x28\xb5\x2f\xfd'

COMPRESSIONS: dict[str, Callable[[], Any] | None] = {
    '': None,
    'zstd': zstd.ZstdDecompressor,
    'lz4': LZ4FrameDecompressor,
}
"""What makes a decompressor, by the name that MCAP has for the compression."""


def decompress_part(data: bytes, compression: str) -> bytes:
    """Return the plain bytes up to the end of the data or to the first damaged place.

    Raises
    ------
    ValueError
        If the compression is unknown.
    """
    if compression not in COMPRESSIONS:
        raise ValueError(
            f'compression is {compression!r}; allowed: {", ".join(filter(None, COMPRESSIONS))}'
        )
    make = COMPRESSIONS[compression]
    if make is None:
        return data
    decompressor = make()
    plain = bytearray()
    for start in range(0, len(data), STEP):
        try:
            plain += decompressor.decompress(data[start : start + STEP])
        except (zstd.ZstdError, RuntimeError, EOFError):
            break
    return bytes(plain)


def decompress_file(source: Path, target: Path) -> bool:
    """Write the plain content of a zstd file, as far as it goes; return whether it is whole."""
    decompressor = zstd.ZstdDecompressor()
    with source.open('rb') as packed, target.open('wb') as plain:
        while data := packed.read(STEP):
            try:
                plain.write(decompressor.decompress(data))
            except (zstd.ZstdError, EOFError):
                return False
            if decompressor.eof:
                return True
    return False
