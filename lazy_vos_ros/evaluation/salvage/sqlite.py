"""Read an SQLite file of rosbag2 page by page, without its index and its transactions.

A recorder that was killed, or a file that was cut off, leaves rows that SQLite refuses or rolls
back. They lie whole in pages that are found here one by one.
"""

from __future__ import annotations

import struct
from collections import Counter
from collections.abc import Collection
from collections.abc import Iterator
from pathlib import Path
from typing import NamedTuple

from lazy_vos_ros.evaluation.counts import counted
from lazy_vos_ros.evaluation.salvage.records import DEFINITION_FORMATS
from lazy_vos_ros.evaluation.salvage.records import NO_DEFINITION
from lazy_vos_ros.evaluation.salvage.records import Topic
from lazy_vos_ros.evaluation.salvage.records import definition_of
from lazy_vos_ros.evaluation.salvage.sqlite_pages import FILE_HEAD
from lazy_vos_ros.evaluation.salvage.sqlite_pages import TABLE_LEAF
from lazy_vos_ros.evaluation.salvage.sqlite_pages import Pages

LEAF_HEAD = struct.Struct('>BHHHB')
"""Kind, first free block, cells, begin of the cells' contents, fragments."""
INTEGER_BYTES = {1: 1, 2: 2, 3: 3, 4: 4, 5: 6, 6: 8}
CONSTANTS = {0: None, 8: 0, 9: 1}
LONGEST_TEXT_ROW = 1 << 24
"""Bytes; rows of the tables of topics and definitions are shorter."""

Value = int | str | bytes | None


class Cell(NamedTuple):
    """A row in a leaf page."""

    row: int
    size: int
    """Bytes of its content."""
    local: bytes
    """What of it lies in the leaf."""
    overflow: int
    """Page where the rest begins; 0: none."""


class Entry(NamedTuple):
    """Where one message lies, sorted by time and then as it was written."""

    time: int
    row: int
    topic: int
    page: int
    cell: int


class SalvagedSqlite:
    """Messages of an SQLite file, as far as they are whole; see :class:`Storage`."""

    def __init__(self, path: Path) -> None:
        """Go through the pages once and note where the messages lie.

        Raises
        ------
        ValueError
            If there is not one whole page.
        """
        self._pages = Pages(path)
        self._names: dict[int, tuple[str, str]] = {}
        self._definitions: dict[str, tuple[str, str]] = {}
        found: dict[int, Entry] = {}
        cut = 0
        for page in self._pages.leaves():
            for number, cell in cells_of(self._pages, page):
                message = self._message(cell)
                if message is None:
                    self._read_row(cell)
                elif not self._is_whole(cell):
                    cut += 1
                else:
                    topic, time = message
                    found[cell.row] = Entry(time, cell.row, topic, page, number)
        self.faults = list(self._pages.faults)
        """What could not be read, for people."""
        self._note_lost(found, cut)
        self._entries = sorted(item for item in found.values() if item.topic in self._names)

    @property
    def topics(self) -> tuple[Topic, ...]:
        """The topics, each once."""
        counts = Counter(entry.topic for entry in self._entries)
        found = []
        for number, (name, kind) in self._names.items():
            stored = self._definitions.get(kind)
            definition = definition_of(*stored) if stored else NO_DEFINITION
            found.append(Topic(name, kind, definition, counts[number]))
        return tuple(found)

    def messages(
        self, topics: Collection[str], start: int | None = None, stop: int | None = None
    ) -> Iterator[tuple[str, int, bytes]]:
        """Yield topic, time of recording (ns) and serialised message, ascending by time."""
        for entry in self._entries:
            if start is not None and entry.time < start:
                continue
            if stop is not None and entry.time >= stop:
                return
            topic = self._names[entry.topic][0]
            if topic in topics:
                cell = cell_at(self._pages, entry.page, entry.cell)
                values = None if cell is None else values_of(content_of(self._pages, cell))
                if values is not None and isinstance(values[3], bytes):
                    yield topic, entry.time, values[3]

    def close(self) -> None:
        """Close the file."""
        self._pages.close()

    def _message(self, cell: Cell) -> tuple[int, int] | None:
        """Return topic and time of a row of messages; None if it is of another table."""
        kinds = kinds_of(cell.local)
        if kinds is None or len(kinds) != 4 or kinds[0] != 0:
            return None
        if kinds[3] < 12 or kinds[3] % 2 or not {kinds[1], kinds[2]} <= {*INTEGER_BYTES, 8, 9}:
            return None
        values = values_of(cell.local, 3)
        if values is None:
            return None
        topic, time = values[1], values[2]
        return (topic, time) if isinstance(topic, int) and isinstance(time, int) else None

    def _read_row(self, cell: Cell) -> None:
        """Take in a row of the tables of topics or definitions."""
        if cell.size > LONGEST_TEXT_ROW:
            return
        values = values_of(content_of(self._pages, cell))
        if values is None or len(values) < 4 or values[0] is not None:
            return
        texts = [value for value in values[1:] if isinstance(value, str)]
        if len(texts) < 3 or len(texts) < len(values) - 1:
            return
        if texts[1] in DEFINITION_FORMATS:
            self._definitions[texts[0]] = (texts[1], texts[2])
        elif texts[2] == 'cdr':
            self._names[cell.row] = (texts[0], texts[1])

    def _is_whole(self, cell: Cell) -> bool:
        """Whether the pages on which a row goes on are all there."""
        left = cell.size - len(cell.local)
        page = cell.overflow
        while left > 0:
            head = self._pages[page][:4]
            if not head:
                return False
            left -= self._pages.usable - 4
            page = int.from_bytes(head, 'big')
        return page == 0

    def _note_lost(self, found: dict[int, Entry], cut: int) -> None:
        if cut:
            self.faults.append(f'{counted(cut, "message")} cut off')
        unnamed = sum(entry.topic not in self._names for entry in found.values())
        if unnamed:
            self.faults.append(
                f'{counted(unnamed, "message")} of topics that the file does not name'
            )


def cells_of(pages: Pages, page: int) -> Iterator[tuple[int, Cell]]:
    """Yield the rows of a page with their places in it; damaged ones are left out."""
    head = FILE_HEAD if page == 1 else 0
    data = pages[page]
    if len(data) < head + LEAF_HEAD.size or data[head] != TABLE_LEAF:
        return
    count = LEAF_HEAD.unpack_from(data, head)[2]
    for number in range(min(count, pages.size // 4)):
        cell = cell_at(pages, page, number)
        if cell is not None:
            yield number, cell


def cell_at(pages: Pages, page: int, number: int) -> Cell | None:
    """Return the row at this place of a page; None if it does not fit into it."""
    data = pages[page]
    head = FILE_HEAD if page == 1 else 0
    place = head + LEAF_HEAD.size + 2 * number
    start = int.from_bytes(data[place : place + 2], 'big')
    try:
        size, start = varint(data, start)
        row, start = varint(data, start)
    except IndexError:
        return None
    local = local_bytes(size, pages.usable)
    stop = start + local + (4 if local < size else 0)
    if stop > pages.usable or start < place:
        return None
    overflow = int.from_bytes(data[start + local : stop], 'big')
    return Cell(row, size, data[start : start + local], overflow)


def local_bytes(size: int, usable: int) -> int:
    """Return how much of a row's content lies in its leaf (section 1.6 of the format)."""
    most = usable - 35
    if size <= most:
        return size
    least = (usable - 12) * 32 // 255 - 23
    wanted = least + (size - least) % (usable - 4)
    return wanted if wanted <= most else least


def content_of(pages: Pages, cell: Cell) -> bytes:
    """Return the whole content of a row; shorter if pages are missing."""
    parts = [cell.local]
    left = cell.size - len(cell.local)
    page = cell.overflow
    while left > 0 and (data := pages[page]):
        parts.append(data[4 : min(pages.usable, 4 + left)])
        left -= len(parts[-1])
        page = int.from_bytes(data[:4], 'big')
    return b''.join(parts)


def kinds_of(content: bytes) -> list[int] | None:
    """Return the serial types of a record's values; None if its head is not whole."""
    try:
        length, place = varint(content, 0)
        kinds = []
        while place < length:
            kind, place = varint(content, place)
            kinds.append(kind)
    except IndexError:
        return None
    return kinds if place == length else None


def values_of(content: bytes, most: int | None = None) -> list[Value] | None:
    """Return the values of a record, the first `most` of them; None if it is damaged."""
    kinds = kinds_of(content)
    if not kinds:
        return None
    place = varint(content, 0)[0]
    values: list[Value] = []
    for kind in kinds[:most]:
        size = INTEGER_BYTES.get(kind, 8 if kind == 7 else max(0, (kind - 12) // 2))
        data = content[place : place + size]
        if len(data) < size or kind in (10, 11):
            return None
        values.append(_value(kind, data))
        place += size
    return values


def _value(kind: int, data: bytes) -> Value:
    if kind in CONSTANTS:
        return CONSTANTS[kind]
    if kind in INTEGER_BYTES:
        return int.from_bytes(data, 'big', signed=True)
    if kind >= 13 and kind % 2:
        return data.decode('utf-8', 'replace')
    return bytes(data)


def varint(data: bytes, place: int) -> tuple[int, int]:
    """Return a number of up to 9 bytes and where it ends; IndexError if it is cut off."""
    number = 0
    for index in range(8):
        byte = data[place + index]
        number = number << 7 | byte & 0x7F
        if byte < 0x80:
            return number, place + index + 1
    return number << 8 | data[place + 8], place + 9
