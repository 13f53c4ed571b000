"""Pages of an SQLite file as they are, the newest version of each, without SQLite's transactions.

A recorder that was killed leaves pages which no finished transaction tells of: in the file itself,
or in a write-ahead log (WAL) beside it, whose last frames may be torn. SQLite would roll them
back; here they are read. The format is that of https://www.sqlite.org/fileformat2.html.
"""

from __future__ import annotations

import mmap
import struct
from collections.abc import Iterator
from pathlib import Path

import numpy as np

from lazy_vos_ros.evaluation.counts import counted

MAGIC = b'SQLite format 3\0'
TABLE_LEAF = 0x0D
FILE_HEAD = 100
USUAL_PAGE = 4096
WAL_HEAD = struct.Struct('>IIIIIIII')
"""Magic, version, page size, checkpoint, two salts, two checksums."""
WAL_FRAME = struct.Struct('>IIIIII')
"""Page number, pages after a commit, two salts, two checksums."""
WAL_MAGICS = {0x377F0682: '<u4', 0x377F0683: '>u4'}
"""Byte order of the words in the checksum, by magic."""


class Pages:
    """Pages by number, from 1."""

    def __init__(self, path: Path) -> None:
        """Open a file and the write-ahead log beside it, if there is one.

        Raises
        ------
        ValueError
            If there is not one whole page.
        """
        self.faults: list[str] = []
        with path.open('rb') as file:
            content = path.stat().st_size
            self._file = mmap.mmap(file.fileno(), 0, access=mmap.ACCESS_READ) if content else b''
        head = bytes(self._file[:FILE_HEAD])
        sound = head[: len(MAGIC)] == MAGIC and len(head) == FILE_HEAD
        if not sound:
            self.faults.append('its first page is damaged')
        self.size = _page_size(int.from_bytes(head[16:18], 'big')) if sound else USUAL_PAGE
        """Bytes of a page."""
        self.usable = self.size - (head[20] if sound else 0)
        """Bytes of a page without what is reserved at its end."""
        self._in_file = len(self._file) // self.size
        promised = int.from_bytes(head[28:32], 'big') if sound else 0
        if promised > self._in_file:
            self.faults.append(f'it is cut off: {self._in_file} of its {promised} pages are there')
        self._log = self._read_log(path.with_name(f'{path.name}-wal'))
        self.count = max([self._in_file, *self._log])
        """Highest page number."""
        if not self.count:
            raise ValueError(f'{path} has not one whole page; allowed: an SQLite file')

    def __getitem__(self, number: int) -> bytes:
        """Return a page; empty if it is not there."""
        if number in self._log:
            return self._log[number]
        if not 1 <= number <= self._in_file:
            return b''
        return bytes(self._file[(number - 1) * self.size : number * self.size])

    def leaves(self) -> Iterator[int]:
        """Yield the numbers of the pages that hold rows of tables."""
        size = self.size
        kinds = np.frombuffer(self._file, np.uint8)[: self._in_file * size : size]
        found = {int(place) + 1 for place in np.flatnonzero(kinds == TABLE_LEAF)} - {*self._log}
        found |= {number for number, page in self._log.items() if page[0] == TABLE_LEAF}
        del kinds  # the file cannot be closed while it is viewed
        yield from sorted({1, *found})

    def close(self) -> None:
        """Close the file."""
        if isinstance(self._file, mmap.mmap):
            self._file.close()

    def _read_log(self, path: Path) -> dict[int, bytes]:
        """Return the newest version of each page in the log, up to its first torn frame."""
        data = path.read_bytes() if path.is_file() else b''
        if not data:
            return {}
        if len(data) < WAL_HEAD.size:
            self.faults.append(f'{path.name} is cut off in its first bytes')
            return {}
        magic, _, page_size, _, *salts, first, second = WAL_HEAD.unpack_from(data)
        if magic not in WAL_MAGICS or _page_size(page_size) != self.size:
            self.faults.append(f'{path.name} is no write-ahead log of this file')
            return {}
        order = WAL_MAGICS[magic]
        pages: dict[int, bytes] = {}
        sums = (first, second)
        step = WAL_FRAME.size + self.size
        for start in range(WAL_HEAD.size, len(data), step):
            frame = data[start : start + step]
            if len(frame) < step:
                self.faults.append(f'{path.name} is cut off after {counted(len(pages), "page")}')
                break
            number, _, *here, first, second = WAL_FRAME.unpack_from(frame)
            if here != salts:
                break  # left over from before the last checkpoint
            sums = _checksum(frame[:8] + frame[WAL_FRAME.size :], sums, order)
            if sums != (first, second):
                self.faults.append(f'{path.name} is damaged after {counted(len(pages), "page")}')
                break
            pages[number] = frame[WAL_FRAME.size :]
        return pages


def _page_size(stored: int) -> int:
    """Return the page size that a header tells; what is not allowed is taken as the usual one."""
    size = 65536 if stored == 1 else stored
    return size if 512 <= size <= 65536 and size & (size - 1) == 0 else USUAL_PAGE


def _checksum(data: bytes, sums: tuple[int, int], order: str) -> tuple[int, int]:
    """Return the two sums of a log after this data (section 4.2 of the format)."""
    first, second = sums
    words = np.frombuffer(data, order).tolist()
    for even, odd in zip(words[::2], words[1::2], strict=True):
        first = (first + even + second) & 0xFFFFFFFF
        second = (second + odd + first) & 0xFFFFFFFF
    return first, second
