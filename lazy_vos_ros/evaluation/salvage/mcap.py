"""Read an MCAP file from its beginning, without its index.

A file whose recorder was killed has no footer and no index, and its last chunk may be cut off. The
records before that are whole, and so are the messages in the part of the chunk that is there.
Where bytes in the middle are damaged, reading goes on with the next chunk that can be found.
"""

from __future__ import annotations

import mmap
import re
import struct
from binascii import crc32
from bisect import bisect_left
from collections import Counter
from collections.abc import Collection
from collections.abc import Iterator
from functools import lru_cache
from pathlib import Path
from typing import NamedTuple
from typing import TypeAlias

from rosbags.interfaces import MessageDefinition

from lazy_vos_ros.evaluation.counts import counted
from lazy_vos_ros.evaluation.salvage.compression import COMPRESSIONS
from lazy_vos_ros.evaluation.salvage.compression import decompress_part
from lazy_vos_ros.evaluation.salvage.records import NO_DEFINITION
from lazy_vos_ros.evaluation.salvage.records import Topic
from lazy_vos_ros.evaluation.salvage.records import definition_of

MAGIC = b'\x89MCAP0\r\n'
SCHEMA, CHANNEL, MESSAGE, CHUNK = 0x03, 0x04, 0x05, 0x06
OPCODES = range(0x01, 0x10)
PRIVATE_OPCODES = range(0x80, 0x100)
RECORD_HEAD = struct.Struct('<BQ')
"""Opcode and length of what follows."""
MESSAGE_HEAD = struct.Struct('<HIQQ')
"""Channel, sequence number, time of recording, time of publication (ns)."""
CHUNK_HEAD = struct.Struct('<QQQII')
"""First and last time, size and CRC-32 of the plain records, length of the compression's name."""
CHUNK_LENGTH = struct.Struct('<Q')
Bytes: TypeAlias = bytes | mmap.mmap

# Chunks as they begin in the file: head, name of the compression, length of the data. For plain
# chunks that length is the size of the records, which makes a mistake unlikely.
PLAIN_CHUNK = re.compile(rb'\x06.{8}.{16}(.{8}).{4}\0{4}\1', re.DOTALL)
MESSAGE_RECORD = re.compile(rb'\x05.{4}\0{4}', re.DOTALL)
PACKED_CHUNK = re.compile(rb'\x06.{8}.{28}(?:\x04\0{3}zstd|\x03\0{3}lz4)', re.DOTALL)


class Record(NamedTuple):
    """A record in some bytes."""

    opcode: int
    start: int
    stop: int
    """Where its content begins and ends; it may end after what is there."""


class Chunk(NamedTuple):
    """Compressed data of a chunk in the file."""

    start: int
    stop: int
    compression: str
    crc: int
    """CRC-32 of the plain records; 0: none."""


class Entry(NamedTuple):
    """Where one message lies, sorted by time and then as in the file."""

    time: int
    order: int
    channel: int
    chunk: Chunk | None
    """None: the message lies in the file itself."""
    start: int
    stop: int


class SalvagedMcap:
    """Messages of an MCAP file, as far as they are whole; see :class:`Storage`."""

    def __init__(self, path: Path) -> None:
        """Go through the file once and note where its messages lie.

        Raises
        ------
        ValueError
            If the file is empty.
        """
        self.faults: list[str] = []
        """What could not be read, for people."""
        if path.stat().st_size == 0:
            raise ValueError(f'{path} is empty; allowed: an MCAP file')
        with path.open('rb') as file:
            self._data = mmap.mmap(file.fileno(), 0, access=mmap.ACCESS_READ)
        self._schemas: dict[int, tuple[str, MessageDefinition]] = {}
        self._channels: dict[int, tuple[str, int]] = {}
        self._entries: list[Entry] = []
        self._plain = lru_cache(maxsize=2)(self._decompressed)
        self._chunked = False
        self._scan()
        self._entries.sort()
        self._drop_unknown_channels()

    @property
    def topics(self) -> tuple[Topic, ...]:
        """The topics, each once."""
        counts = Counter(entry.channel for entry in self._entries)
        found: dict[str, Topic] = {}
        for number, (name, schema) in self._channels.items():
            kind, definition = self._schemas.get(schema, ('', NO_DEFINITION))
            before = found[name].count if name in found else 0
            found[name] = Topic(name, kind, definition, before + counts[number])
        return tuple(found.values())

    def messages(
        self, topics: Collection[str], start: int | None = None, stop: int | None = None
    ) -> Iterator[tuple[str, int, bytes]]:
        """Yield topic, time of recording (ns) and serialised message, ascending by time."""
        first = 0 if start is None else bisect_left(self._entries, (start,))
        for entry in self._entries[first:]:
            if stop is not None and entry.time >= stop:
                return
            topic = self._channels[entry.channel][0]
            if topic in topics:
                source = self._data if entry.chunk is None else self._plain(entry.chunk)
                yield topic, entry.time, source[entry.start : entry.stop]

    def close(self) -> None:
        """Close the file."""
        self._plain.cache_clear()
        self._data.close()

    def _scan(self) -> None:
        """Read the file's records one after the other, up to the footer or the end."""
        size = len(self._data)
        position = len(MAGIC) if self._data[: len(MAGIC)] == MAGIC else self._next_record(0)
        while position < size and self._data[position : position + len(MAGIC)] != MAGIC:
            record = record_at(self._data, position)
            if record is not None and record.opcode == CHUNK:
                self._read_chunk(record, min(record.stop, size))
            elif record is not None and record.stop <= size:
                self._read_record(self._data, record, None)
            if record is not None and record.stop <= size:
                position = record.stop
            else:
                after = self._next_record(position + 1)
                self._note_gap(position, after)
                position = after

    def _note_gap(self, position: int, after: int) -> None:
        size = len(self._data)
        if after < size:
            self.faults.append(f'bytes {position} to {after} are damaged and left out')
        else:
            self.faults.append(
                f'it is cut off: the record at byte {position} of {size} is not whole'
            )

    def _next_record(self, position: int) -> int:
        """Return where whole records go on; the file's size if nowhere."""
        searches = [(PLAIN_CHUNK, self._is_chunk), (PACKED_CHUNK, self._is_chunk)]
        if not self._chunked:
            searches.append((MESSAGE_RECORD, self._is_message))
        found = []
        for pattern, fits in searches:
            places = (match.start() for match in pattern.finditer(self._data, position))
            found.append(next(filter(fits, places), len(self._data)))
        return min(found)

    def _is_chunk(self, position: int) -> bool:
        """Whether the lengths of what may be a chunk fit together."""
        record = record_at(self._data, position)
        if record is None or record.stop > len(self._data):
            return False
        chunk = self._chunk_of(record, record.stop)
        return chunk is not None and chunk.stop == record.stop

    def _is_message(self, position: int) -> bool:
        """Whether what may be a message is of a known channel and another record follows."""
        record = record_at(self._data, position)
        size = len(self._data)
        if record is None or record.stop - record.start < MESSAGE_HEAD.size or record.stop > size:
            return False
        channel = MESSAGE_HEAD.unpack_from(self._data, record.start)[0]
        follows = record.stop == size or record_at(self._data, record.stop) is not None
        return channel in self._channels and follows

    def _chunk_of(self, record: Record, stop: int) -> Chunk | None:
        """Return what a chunk's head says; None if it is not whole or makes no sense."""
        names = record.start + CHUNK_HEAD.size
        if names > stop:
            return None
        *_, crc, length = CHUNK_HEAD.unpack_from(self._data, record.start)
        start = names + length + CHUNK_LENGTH.size
        name = bytes(self._data[names : names + length]).decode('latin1') if length < 16 else '?'
        if name not in COMPRESSIONS or start > stop:
            return None
        (packed,) = CHUNK_LENGTH.unpack_from(self._data, names + length)
        return Chunk(start, min(stop, start + packed), name, crc)

    def _read_chunk(self, record: Record, stop: int) -> None:
        """Read the records of a chunk, whose data may be cut off at `stop`."""
        self._chunked = True
        chunk = self._chunk_of(record, stop)
        if chunk is None:
            if record.stop <= stop:  # else the file ends here, which is noted once
                self.faults.append(f'the chunk at byte {record.start} cannot be read')
            return
        plain = self._plain(chunk)
        if chunk.crc and record.stop <= stop and crc32(plain) != chunk.crc:
            self.faults.append(
                f'the chunk at byte {record.start} fails its checksum: its messages may be wrong'
            )
        position = 0
        while position < len(plain):
            inner = record_at(plain, position)
            if inner is None or inner.opcode >= CHUNK or inner.stop > len(plain):
                if record.stop <= stop:
                    self.faults.append(f'the chunk at byte {record.start} is damaged')
                return
            self._read_record(plain, inner, chunk)
            position = inner.stop

    def _read_record(self, data: Bytes, record: Record, chunk: Chunk | None) -> None:
        """Take in a whole schema, channel or message."""
        try:
            if record.opcode == SCHEMA:
                number, name, encoding, text = _schema(data, record)
                self._schemas[number] = (name, definition_of(encoding, text))
            elif record.opcode == CHANNEL:
                number, schema, topic = _channel(data, record)
                self._channels[number] = (topic, schema)
            elif record.opcode == MESSAGE:
                channel, _, time, _ = MESSAGE_HEAD.unpack_from(data, record.start)
                start = record.start + MESSAGE_HEAD.size
                order = len(self._entries)
                self._entries.append(Entry(time, order, channel, chunk, start, record.stop))
        except (struct.error, UnicodeDecodeError):
            self.faults.append(f'a record of kind {record.opcode} cannot be read')

    def _drop_unknown_channels(self) -> None:
        known = {key for key, (_, schema) in self._channels.items() if schema in self._schemas}
        kept = [entry for entry in self._entries if entry.channel in known]
        if len(kept) < len(self._entries):
            lost = len(self._entries) - len(kept)
            self.faults.append(f'{counted(lost, "message")} of topics that the file does not name')
        self._entries = kept
        self._channels = {key: self._channels[key] for key in self._channels if key in known}

    def _decompressed(self, chunk: Chunk) -> bytes:
        return decompress_part(self._data[chunk.start : chunk.stop], chunk.compression)


def record_at(data: Bytes, position: int) -> Record | None:
    """Return the record that begins here; None if its head is not whole or of no known kind."""
    start = position + RECORD_HEAD.size
    if start > len(data):
        return None
    opcode, length = RECORD_HEAD.unpack_from(data, position)
    if opcode not in OPCODES and opcode not in PRIVATE_OPCODES:
        return None
    return Record(opcode, start, start + length)


def _schema(data: Bytes, record: Record) -> tuple[int, str, str, str]:
    (number,) = struct.unpack_from('<H', data, record.start)
    name, position = _string(data, record.start + 2)
    encoding, position = _string(data, position)
    text, _ = _string(data, position)
    return number, name, encoding, text


def _channel(data: Bytes, record: Record) -> tuple[int, int, str]:
    number, schema = struct.unpack_from('<HH', data, record.start)
    topic, _ = _string(data, record.start + 4)
    return number, schema, topic


def _string(data: Bytes, position: int) -> tuple[str, int]:
    """Return a string and where it ends."""
    (length,) = struct.unpack_from('<I', data, position)
    start = position + 4
    return bytes(data[start : start + length]).decode(), start + length
