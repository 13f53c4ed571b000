"""Bags whose files or metadata are not as they should be."""

import random
import shutil
from collections.abc import Callable
from pathlib import Path

import pytest
import yaml
from recordings import IMAGE
from recordings import STATE
from recordings import image
from recordings import pixels_of
from recordings import stamp_of
from recordings import tracking_state
from recordings import usual_messages
from rosbags.rosbag2 import CompressionFormat
from rosbags.rosbag2 import CompressionMode
from rosbags.rosbag2 import StoragePlugin
from rosbags.rosbag2 import Writer

from lazy_vos_ros.evaluation.bag_parts import find_parts
from lazy_vos_ros.evaluation.bags import read_run
from lazy_vos_ros.evaluation.message_types import lazy_vos_typestore

WriteBag = Callable[..., Path]
STORAGES = pytest.mark.parametrize('storage', ['mcap', 'sqlite3'])
SUFFIX = {'mcap': '.mcap', 'sqlite3': '.db3'}


def file_of(folder: Path) -> Path:
    (file,) = [item for item in folder.iterdir() if item.suffix in SUFFIX.values()]
    return file


def notes_of(folder: Path) -> str:
    return '\n'.join(read_run(folder).notes)


@pytest.fixture
def split_bag(write_bag: WriteBag, tmp_path: Path) -> Callable[[str], Path]:
    """A bag of three files with four frames each, as `ros2 bag record -d` makes it."""

    def make(storage: str) -> Path:
        messages = usual_messages()
        folder = tmp_path / 'split'
        folder.mkdir()
        files = []
        content = {}
        for part in range(3):
            low, high = stamp_of(4 * part), stamp_of(4 * part + 4)
            own = [m for m in messages if low <= m[2] < high or (part == 2 and m[2] >= high)]
            made = write_bag(own, storage, name=f'part{part}')
            name = f'split_{part}{SUFFIX[storage]}'
            shutil.move(file_of(made), folder / name)
            content = yaml.safe_load((made / 'metadata.yaml').read_text())
            files.append({'path': name, 'message_count': len(own)})
        information = content['rosbag2_bagfile_information']
        information['relative_file_paths'] = [item['path'] for item in files]
        information['files'] = files
        for item in information['topics_with_message_count']:
            name = item['topic_metadata']['name']
            item['message_count'] = sum(m[0] == name for m in messages)
        (folder / 'metadata.yaml').write_text(yaml.safe_dump(content))
        return folder

    return make


@STORAGES
def test_split_bag_is_one_run(split_bag: Callable[[str], Path], storage: str):
    run = read_run(split_bag(storage))
    assert [frame.stamp for frame in run.frames] == [stamp_of(index) for index in range(12)]
    assert len(run.events) == 4
    assert run.notes == ()
    assert run.pictures.image(stamp_of(5))[0, 0, 0] == 5


@STORAGES
def test_missing_part_is_named_with_what_was_in_it(split_bag: Callable[[str], Path], storage: str):
    folder = split_bag(storage)
    (folder / f'split_1{SUFFIX[storage]}').unlink()
    run = read_run(folder)
    assert [frame.index for frame in run.frames] == [0, 1, 2, 3, 8, 9, 10, 11]
    notes = '\n'.join(run.notes)
    assert f'split_1{SUFFIX[storage]} is missing, with ' in notes
    assert 'promises' in notes
    assert '4 of /lazy_vos/tracking_state' in notes


def test_parts_are_ordered_as_numbers_without_metadata(tmp_path: Path):
    for number in (10, 2, 1):
        (tmp_path / f'bag_{number}.mcap').touch()
    parts = find_parts(tmp_path)
    assert [path.name for path in parts.files] == ['bag_1.mcap', 'bag_2.mcap', 'bag_10.mcap']


@STORAGES
def test_part_that_is_destroyed_costs_only_itself(split_bag: Callable[[str], Path], storage: str):
    folder = split_bag(storage)
    (folder / f'split_2{SUFFIX[storage]}').write_bytes(b'x' * 5000)
    run = read_run(folder)
    assert [frame.index for frame in run.frames] == list(range(8))
    assert any('split_2' in note and 'holds no message' in note for note in run.notes)


@pytest.mark.parametrize(
    ('content', 'note'),
    [
        (None, 'metadata.yaml is missing'),
        ('', 'does not tell of a rosbag2'),
        ('rosbag2_bagfile_information: 7', 'does not tell of a rosbag2'),
        ('a: [b', 'metadata.yaml cannot be read'),
        ('rosbag2_bagfile_information: {version: 99}', 'metadata.yaml does not name bag.mcap'),
        (
            'rosbag2_bagfile_information: {relative_file_paths: [other.mcap]}',
            'other.mcap is missing',
        ),
    ],
)
def test_wrong_metadata_cost_nothing_but_a_note(
    write_bag: WriteBag, content: str | None, note: str
):
    folder = write_bag(usual_messages())
    (folder / 'metadata.yaml').unlink()
    if content is not None:
        (folder / 'metadata.yaml').write_text(content)
    run = read_run(folder)
    assert len(run.frames) == 12
    assert len(run.events) == 4
    assert note in '\n'.join(run.notes)


def test_metadata_of_an_unfinished_recording_are_no_bound(write_bag: WriteBag):
    folder = write_bag(usual_messages())
    content = yaml.safe_load((folder / 'metadata.yaml').read_text())
    content['rosbag2_bagfile_information']['topics_with_message_count'] = []
    content['rosbag2_bagfile_information']['message_count'] = 0
    (folder / 'metadata.yaml').write_text(yaml.safe_dump(content))
    assert len(read_run(folder).frames) == 12


@pytest.mark.parametrize('mode', [CompressionMode.FILE, CompressionMode.MESSAGE])
@STORAGES
def test_compressed_bags_are_read(tmp_path: Path, storage: str, mode: CompressionMode):
    types = lazy_vos_typestore()
    plugin = {'mcap': StoragePlugin.MCAP, 'sqlite3': StoragePlugin.SQLITE3}[storage]
    writer = Writer(tmp_path / 'bag', version=9, storage_plugin=plugin)
    writer.set_compression(mode, CompressionFormat.ZSTD)
    with writer:
        state = writer.add_connection('/lazy_vos/tracking_state', STATE, typestore=types)
        picture = writer.add_connection('/image', IMAGE, typestore=types)
        for index in range(3):
            pixels = image(index, pixels_of(index), 'rgb8')
            writer.write(picture, stamp_of(index), types.serialize_cdr(pixels, IMAGE).tobytes())
            told = types.serialize_cdr(tracking_state(index), STATE).tobytes()
            writer.write(state, stamp_of(index), told)
    run = read_run(tmp_path / 'bag')
    assert len(run.frames) == 3
    assert run.pictures.image(stamp_of(2))[0, 0, 0] == 2


@STORAGES
def test_cut_bag_yields_a_run_and_says_what_is_missing(write_bag: WriteBag, storage: str):
    """At any byte: whatever frames come out are those that were recorded, in order."""
    folder = write_bag(usual_messages(), storage)
    file = file_of(folder)
    content = file.read_bytes()
    read = 0
    reasons: list[str] = []
    for cut in random.Random(7).sample(range(len(content) // 3, len(content) - 1), 6):
        file.write_bytes(content[:cut])
        try:
            run = read_run(folder)
        except ValueError as error:
            reasons.append(str(error))
            continue
        read += 1
        assert [frame.stamp for frame in run.frames] == [
            stamp_of(frame.index) for frame in run.frames
        ]
        assert run.notes
        assert any(file.name in note for note in run.notes)
    assert read > 1
    assert all('has no messages' in text or 'has the trackers none' in text for text in reasons)


def test_nothing_that_is_no_bag_is_taken_for_one(tmp_path: Path):
    text = tmp_path / 'notes.txt'
    text.write_text('a')
    with pytest.raises(ValueError, match=r'notes\.txt is no bag; allowed: the folder'):
        read_run(text)
