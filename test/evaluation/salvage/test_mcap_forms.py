"""Forms of MCAP that `ros2 bag record` writes and the rosbags library does not."""

import struct
from collections.abc import Callable
from pathlib import Path

import lz4.frame
import pytest
from backports import zstd

from lazy_vos_ros.evaluation.salvage.mcap import SalvagedMcap
from lazy_vos_ros.evaluation.salvage.storage_file import StorageFile

MAGIC = b'\x89MCAP0\r\n'
PACKERS: dict[str, Callable[[bytes], bytes]] = {
    '': bytes,
    'lz4': lz4.frame.compress,
    'zstd': zstd.compress,
}
COUNT = 40


def record(opcode: int, content: bytes) -> bytes:
    return struct.pack('<BQ', opcode, len(content)) + content


def text(words: str) -> bytes:
    return struct.pack('<I', len(words)) + words.encode()


HEAD = MAGIC + record(1, text('ros2') + text('test'))
SCHEMA = record(
    3, struct.pack('<H', 7) + text('std_msgs/msg/Bool') + text('ros2msg') + text('bool data')
)
CHANNEL = record(4, struct.pack('<HH', 3, 7) + text('/a') + text('cdr') + struct.pack('<I', 0))


def data_of(number: int) -> bytes:
    return b'\x00\x01\x00\x00' + bytes([number]) * (50 * number)


def message(number: int) -> bytes:
    time = 1000 + number
    return record(5, struct.pack('<HIQQ', 3, number, time, time) + data_of(number))


def chunk(content: bytes, times: range, compression: str, crc: int = 0) -> bytes:
    packed = PACKERS[compression](content)
    head = struct.pack('<QQQI', 1000 + times[0], 1000 + times[-1], len(content), crc)
    return record(6, head + text(compression) + struct.pack('<Q', len(packed)) + packed)


def chunked(compression: str) -> tuple[bytes, list[bytes]]:
    """Return the head of a file and its four chunks."""
    chunks = []
    for first in range(0, COUNT, 10):
        numbers = range(first, first + 10)
        content = b''.join(message(number) for number in numbers)
        chunks.append(chunk(SCHEMA + CHANNEL + content, numbers, compression))
    return HEAD, chunks


def numbers_in(path: Path, content: bytes) -> list[int]:
    path.write_bytes(content)
    found = []
    storage = SalvagedMcap(path)
    for topic, time, data in storage.messages(['/a']):
        assert topic == '/a'
        assert data == data_of(time - 1000)
        found.append(time - 1000)
    return found


def test_file_without_chunks_is_read_to_its_last_whole_message(tmp_path: Path):
    """As of the storage preset `fastwrite`."""
    parts = [HEAD + SCHEMA + CHANNEL, *(message(number) for number in range(COUNT))]
    content = b''.join(parts)
    assert numbers_in(tmp_path / 'a.mcap', content) == list(range(COUNT))
    sizes = [len(b''.join(parts[: n + 1])) for n in range(len(parts))]
    for n in (5, 20, 39):
        for cut in (sizes[n], sizes[n] + 3, sizes[n + 1] - 1):
            assert numbers_in(tmp_path / 'a.mcap', content[:cut]) == list(range(n))


def test_file_without_chunks_goes_on_after_a_damaged_message(tmp_path: Path):
    parts = [HEAD + SCHEMA + CHANNEL, *(message(number) for number in range(COUNT))]
    parts[11] = b'\xff' * len(parts[11])  # message 10
    expected = [number for number in range(COUNT) if number != 10]
    assert numbers_in(tmp_path / 'a.mcap', b''.join(parts)) == expected
    storage = StorageFile(tmp_path / 'a.mcap')
    assert 'are damaged and left out' in storage.faults[0]


@pytest.mark.parametrize('compression', PACKERS)
def test_chunks_of_each_compression_are_read(tmp_path: Path, compression: str):
    head, chunks = chunked(compression)
    assert numbers_in(tmp_path / 'a.mcap', head + b''.join(chunks)) == list(range(COUNT))
    cut = head + b''.join(chunks[:3]) + chunks[3][: len(chunks[3]) // 2]
    found = numbers_in(tmp_path / 'a.mcap', cut)
    assert found == list(range(len(found)))
    assert len(found) >= 30


@pytest.mark.parametrize('compression', PACKERS)
@pytest.mark.parametrize('damage', ['length', 'opcode', 'zeros'])
def test_chunk_whose_head_is_damaged_costs_only_itself(
    tmp_path: Path, compression: str, damage: str
):
    head, chunks = chunked(compression)
    broken = bytearray(chunks[1])
    if damage == 'length':
        broken[1:9] = struct.pack('<Q', 2**40)
    elif damage == 'opcode':
        broken[0] = 0x33
    else:
        broken[:200] = bytes(200)
    content = head + chunks[0] + bytes(broken) + chunks[2] + chunks[3]
    found = numbers_in(tmp_path / 'a.mcap', content)
    assert set(found) >= {*range(10), *range(20, 40)}
    assert len(found) == len(set(found))


@pytest.mark.parametrize('compression', PACKERS)
def test_damaged_beginning_costs_only_itself(tmp_path: Path, compression: str):
    head, chunks = chunked(compression)
    content = bytes(len(head)) + b''.join(chunks)
    assert numbers_in(tmp_path / 'a.mcap', content) == list(range(COUNT))


def test_wrong_checksum_is_told(tmp_path: Path):
    content = SCHEMA + CHANNEL + message(1)
    (tmp_path / 'a.mcap').write_bytes(HEAD + chunk(content, range(1, 2), '', crc=5))
    storage = SalvagedMcap(tmp_path / 'a.mcap')
    assert [time for _, time, _ in storage.messages(['/a'])] == [1001]
    assert any('fails its checksum: its messages may be wrong' in f for f in storage.faults)


def test_messages_of_a_topic_without_its_name_are_counted(tmp_path: Path):
    content = HEAD + chunk(SCHEMA + message(1) + message(2), range(1, 3), '')
    (tmp_path / 'a.mcap').write_bytes(content)
    with pytest.raises(ValueError, match='holds no message that can be read'):
        StorageFile(tmp_path / 'a.mcap')
    assert SalvagedMcap(tmp_path / 'a.mcap').faults == [
        '2 messages of topics that the file does not name'
    ]


def test_records_in_any_order_are_put_in_order_of_time(tmp_path: Path):
    parts = [HEAD, SCHEMA, CHANNEL, *(message(number) for number in (5, 2, 9))]
    assert numbers_in(tmp_path / 'a.mcap', b''.join(parts)) == [2, 5, 9]


def test_library_that_fails_where_nothing_can_be_salvaged_is_asked_again(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
):
    """A file that broke between two reads is a note each time, and no crash."""
    head, chunks = chunked('')
    (tmp_path / 'a.mcap').write_bytes(head + b''.join(chunks))

    class Broken:
        topics = ()

        def __init__(self, path: Path) -> None:
            pass

        def messages(self, topics: object, start: object, stop: object) -> object:
            yield '/a', 1, b'\x00'
            raise OSError('disk is gone')

        def close(self) -> None:
            pass

    monkeypatch.setattr('lazy_vos_ros.evaluation.salvage.storage_file.LibraryStorage', Broken)
    storage = StorageFile(tmp_path / 'a.mcap')
    (tmp_path / 'a.mcap').write_bytes(b'')
    for _ in range(2):
        assert list(storage.messages(['/a'])) == [('/a', 1, b'\x00')]
        assert len(storage.faults) == 1
