"""Files cut at any byte: everything that is whole before the cut must be read."""

import random
import shutil
import sqlite3
from pathlib import Path

import pytest
from rosbags.rosbag2 import CompressionFormat
from rosbags.rosbag2 import CompressionMode
from rosbags.rosbag2 import StoragePlugin
from rosbags.rosbag2 import Writer
from rosbags.typesys import Stores
from rosbags.typesys import get_typestore

from lazy_vos_ros.evaluation.salvage.library import LibraryStorage
from lazy_vos_ros.evaluation.salvage.mcap import SalvagedMcap
from lazy_vos_ros.evaluation.salvage.sqlite import SalvagedSqlite
from lazy_vos_ros.evaluation.salvage.storage_file import StorageFile

TYPES = get_typestore(Stores.ROS2_JAZZY)
STRING = 'std_msgs/msg/String'
TOPICS = ('/a', '/b')
SALVAGERS = {'mcap': SalvagedMcap, 'db3': SalvagedSqlite}
PAGE = 4096
CUTS = 20


def payload(number: int) -> bytes:
    """A message of 20 bytes to 30 kB that is made of one mark, which no other message has."""
    length = (20, 300, 5000, 30000)[number % 4]
    return (b'\x00\x01\x00\x00' + f'<{number:06}>'.encode() * (length // 8))[:length]


def mark(number: int) -> bytes:
    return f'<{number:06}>'.encode()


def write_bag(folder: Path, suffix: str, count: int = 150, packed: bool = False) -> Path:
    plugin = StoragePlugin.MCAP if suffix == 'mcap' else StoragePlugin.SQLITE3
    writer = Writer(folder, version=9, storage_plugin=plugin)
    if packed:
        writer.set_compression(CompressionMode.STORAGE, CompressionFormat.ZSTD)
    with writer:
        connections = [writer.add_connection(t, STRING, typestore=TYPES) for t in TOPICS]
        for number in range(count):
            writer.write(connections[number % 2], 1000 + number, payload(number))
    return folder / f'{folder.name}.{suffix}'


@pytest.fixture(scope='module', params=['mcap', 'db3'])
def whole(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Path:
    return write_bag(tmp_path_factory.mktemp('whole') / 'bag', request.param)


def numbers_in(path: Path) -> list[int]:
    """Read a file record by record; every message must be exactly one that was written."""
    storage = SALVAGERS[path.suffix[1:]](path)
    found = []
    for topic, time, data in storage.messages(TOPICS):
        number = time - 1000
        assert data == payload(number)
        assert topic == TOPICS[number % 2]
        found.append(number)
    storage.close()
    return found


def numbers_before(content: bytes, cut: int, page: int = 1) -> list[int]:
    """Messages whose last byte lies before the cut, on a page that is whole."""
    places = [(n, content.rfind(mark(n)) + 8) for n in range(150)]
    return [n for n, stop in places if -(-stop // page) * page <= cut]


def test_whole_file_gives_what_the_library_gives(whole: Path):
    salvaged, library = SALVAGERS[whole.suffix[1:]](whole), LibraryStorage(whole)
    assert salvaged.faults == []
    assert list(salvaged.messages(TOPICS)) == list(library.messages(TOPICS))
    assert list(salvaged.messages(['/b'], 1010, 1020)) == list(
        library.messages(['/b'], 1010, 1020)
    )
    assert sorted(salvaged.topics, key=str) == sorted(library.topics, key=str)


@pytest.mark.parametrize('seed', range(2))
def test_nothing_before_the_cut_is_lost(whole: Path, tmp_path: Path, seed: int):
    content = whole.read_bytes()
    page = PAGE if whole.suffix == '.db3' else 1
    cut_file = tmp_path / whole.name
    for cut in random.Random(seed).sample(range(6 * PAGE, len(content)), CUTS):
        cut_file.write_bytes(content[:cut])
        expected = numbers_before(content, cut, page)
        assert set(expected) <= set(numbers_in(cut_file)), cut


@pytest.mark.parametrize('cut', [1, 7, 8, 9, 16, 30, 100, 101])
def test_cut_in_the_first_bytes_is_no_crash(whole: Path, tmp_path: Path, cut: int):
    cut_file = tmp_path / whole.name
    cut_file.write_bytes(whole.read_bytes()[:cut])
    with pytest.raises(ValueError, match=r'not one whole page|holds no message'):
        StorageFile(cut_file)


def test_cut_file_says_that_it_is_cut(whole: Path, tmp_path: Path):
    content = whole.read_bytes()
    cut_file = tmp_path / whole.name
    cut_file.write_bytes(content[: len(content) // 2])
    storage = StorageFile(cut_file)
    assert len(list(storage.messages(TOPICS))) >= 50
    (fault,) = storage.faults
    assert f'{whole.name} is not whole' in fault
    assert 'it is cut off' in fault


def test_cut_compressed_chunk_gives_its_beginning(tmp_path: Path):
    # One chunk; what is whole in it can only be told from what comes out: an unbroken beginning.
    content = write_bag(tmp_path / 'bag', 'mcap', packed=True).read_bytes()
    library = len(numbers_in(tmp_path / 'bag' / 'bag.mcap'))
    assert library == 150
    cut_file = tmp_path / 'cut.mcap'
    counts = []
    for part in (0.2, 0.5, 0.6):
        cut_file.write_bytes(content[: int(part * content.index(b'serialized_metadata'))])
        numbers = numbers_in(cut_file)
        assert numbers == list(range(len(numbers)))
        counts.append(len(numbers))
    assert counts == sorted(counts)
    assert counts[-1] > 20


def test_damage_in_the_middle_costs_what_is_damaged(whole: Path, tmp_path: Path):
    content = whole.read_bytes()
    hole = slice(len(content) // 2, len(content) // 2 + 3 * PAGE)
    damaged = content[: hole.start] + random.Random(1).randbytes(3 * PAGE) + content[hole.stop :]
    file = tmp_path / whole.name
    file.write_bytes(damaged)
    touched = {n for n in range(150) if damaged.count(mark(n)) < content.count(mark(n))}
    storage = StorageFile(file)
    times = [time for _, time, data in storage.messages(TOPICS) if data == payload(time - 1000)]
    assert 1 <= len(touched) < 60
    lost = set(range(150)) - {time - 1000 for time in times}
    if whole.suffix == '.mcap':
        # The rest of its chunk is lost too, the chunk after it is not.
        assert max(lost) < 149
    else:
        assert len(lost) <= len(touched) + 20
    assert len(times) == len(set(times))


def test_library_that_fails_while_reading_is_replaced_without_repeats(tmp_path: Path):
    file = write_bag(tmp_path / 'bag', 'mcap', count=520)
    content = bytearray(file.read_bytes())
    hole = content.find(mark(500)) - 40
    content[hole : hole + 440] = bytes(440)
    file.write_bytes(content)
    storage = StorageFile(file)
    assert storage.faults == []  # the index at its end is whole
    times = [time for _, time, _ in storage.messages(TOPICS)]
    assert storage.faults
    assert len(times) == len(set(times))
    assert set(range(1000, 1499)) <= set(times)
    assert 'its index has 520 messages, the file 20 fewer' in storage.faults[0]


def test_unfinished_recording_gives_what_reached_the_disk(tmp_path: Path):
    """A killed recorder: SQLite alone would roll all of it back."""
    for suffix, plugin in (('mcap', StoragePlugin.MCAP), ('db3', StoragePlugin.SQLITE3)):
        writer = Writer(tmp_path / suffix, version=9, storage_plugin=plugin)
        writer.open()
        connections = [writer.add_connection(t, STRING, typestore=TYPES) for t in TOPICS]
        for number in range(400):
            writer.write(connections[number % 2], 1000 + number, payload(number))
        shutil.copytree(tmp_path / suffix, tmp_path / 'killed' / suffix)
        writer.close()
        (file,) = (tmp_path / 'killed' / suffix).glob(f'*.{suffix}')
        content = file.read_bytes()
        there = [n for n in range(400) if content.count(mark(n)) == payload(n).count(mark(n))]
        storage = StorageFile(file)
        numbers = {time - 1000 for _, time, _ in storage.messages(TOPICS)}
        assert len(numbers) > 100
        assert set(there) <= numbers | {max(there)}, suffix
        assert storage.faults


def with_log(tmp_path: Path) -> tuple[Path, list[int]]:
    """A file whose last 60 messages are in its write-ahead log only; frames after each commit."""
    base = write_bag(tmp_path / 'base', 'db3', count=90)
    connection = sqlite3.connect(base, isolation_level=None)
    connection.execute('PRAGMA journal_mode=WAL')
    connection.execute('PRAGMA wal_autocheckpoint=0')
    log = base.with_name(f'{base.name}-wal')
    sizes = []
    for number in range(90, 150):
        connection.execute(
            'INSERT INTO messages(topic_id, timestamp, data) VALUES (?, ?, ?)',
            (number % 2 + 1, 1000 + number, payload(number)),
        )
        sizes.append(log.stat().st_size)
    target = tmp_path / 'bag'
    target.mkdir()
    for source in (base, log):
        shutil.copy(source, target / source.name)
    connection.close()
    return target / base.name, sizes


def test_write_ahead_log_is_read(tmp_path: Path):
    file, sizes = with_log(tmp_path)
    assert numbers_in(file) == list(range(150))
    log = file.with_name(f'{file.name}-wal')
    content = log.read_bytes()
    for cut in random.Random(3).sample(range(len(content)), 12):
        log.write_bytes(content[:cut])
        committed = sum(size <= cut for size in sizes)
        numbers = numbers_in(file)
        assert set(range(90 + committed)) <= set(numbers)
        assert all(number <= 90 + committed for number in numbers)


def test_torn_write_ahead_log_is_read_up_to_the_tear(tmp_path: Path):
    file, sizes = with_log(tmp_path)
    log = file.with_name(f'{file.name}-wal')
    content = bytearray(log.read_bytes())
    content[sizes[30] + 500] ^= 0xFF
    log.write_bytes(content)
    assert numbers_in(file) == list(range(121))
    assert any('is damaged after' in fault for fault in SalvagedSqlite(file).faults)


def test_pages_outside_of_finished_transactions_are_read(tmp_path: Path):
    """With the journal in memory, a crash leaves pages that the first page does not count."""
    file = write_bag(tmp_path / 'bag', 'db3')
    content = bytearray(file.read_bytes())
    content[28:32] = (len(content) // PAGE // 2).to_bytes(4, 'big')
    file.write_bytes(content)
    storage = StorageFile(file)
    assert [time - 1000 for _, time, _ in storage.messages(TOPICS)] == list(range(150))
    assert 'promises' in storage.faults[0]
