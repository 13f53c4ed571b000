import json

import pytest

from lazy_vos_ros.engine import weights
from lazy_vos_ros.engine.parameters import parameters_of
from lazy_vos_ros.engine.weights import Verdict
from lazy_vos_ros.engine.xmem.config import XMemConfig

ABC = 'ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad'


@pytest.fixture
def folder(tmp_path, monkeypatch):
    monkeypatch.setenv('LAZY_VOS_WEIGHTS', str(tmp_path / 'mine'))
    (tmp_path / 'mine').mkdir()
    return tmp_path / 'mine'


def entry_of(sha256=None, file='nowhere-else.pth'):
    return weights.WeightsEntry(
        name='test',
        file=file,
        kind='tracker',
        network='official',
        url=None,
        sha256=sha256,
        description='',
        settings={},
        thresholds={},
    )


def test_the_manifest_is_well_formed():
    entries = weights.known_weights()
    assert len({e.name for e in entries}) == len({e.file for e in entries}) == len(entries)
    names = {p.name for p in parameters_of(XMemConfig)}
    for entry in entries:
        assert entry.kind in ('tracker', 'refiner')
        assert entry.sha256 is None or len(bytes.fromhex(entry.sha256)) == 32
        assert entry.url is None or entry.url.startswith('https://')
        assert entry.url is None or entry.url.endswith('/' + entry.file)
        assert entry.kind == 'refiner' or set(entry.settings) <= names


def test_title_tells_files_of_one_name_apart(folder):
    (folder / 'net.pth').write_bytes(b'abc')
    assert weights.title_of(folder / 'net.pth') == 'net.pth, SHA-256 ba7816bf8f01'


def test_entries_are_found_by_name_and_file():
    assert weights.find_entry('xmem-s012') is not None
    assert weights.find_entry('xmem-s012') == weights.find_entry('XMem-s012.pth')
    with pytest.raises(ValueError, match=r"weights are 'xmen'; allowed: xmem-s012, xmem,"):
        weights.find_entry('xmen')


def test_folders_are_searched_in_order(folder, tmp_path, monkeypatch):
    monkeypatch.setenv('XDG_CACHE_HOME', str(tmp_path / 'cache'))
    cache = tmp_path / 'cache' / 'lazy_vos_ros' / 'weights'
    assert weights.search_folders()[0] == folder
    assert weights.search_folders()[-1] == cache
    entry = entry_of()
    assert weights.locate(entry) is None
    cache.mkdir(parents=True)
    (cache / entry.file).touch()
    assert weights.locate(entry) == cache / entry.file
    (folder / entry.file).touch()
    assert weights.locate(entry) == folder / entry.file


def test_the_installed_folder_is_searched(tmp_path, monkeypatch):
    share = tmp_path / 'share' / 'lazy_vos_ros' / 'weights'
    share.mkdir(parents=True)
    monkeypatch.setenv('AMENT_PREFIX_PATH', f'/nothing:{tmp_path}')
    assert share in weights.search_folders()


def test_verdicts(folder):
    assert weights.verify(entry_of(ABC)) is Verdict.ABSENT
    path = folder / 'nowhere-else.pth'
    path.write_bytes(b'abc')
    assert weights.sha256_of(path) == ABC
    assert weights.verify(entry_of(ABC)) is Verdict.GENUINE
    assert weights.verify(entry_of()) is Verdict.UNKNOWN
    weights.pin(path, ABC)
    assert weights.verify(entry_of()) is Verdict.GENUINE
    path.write_bytes(b'abd')
    assert weights.verify(entry_of(ABC)) is Verdict.WRONG
    assert weights.verify(entry_of()) is Verdict.WRONG


def test_the_manifest_wins_over_what_was_noted(folder):
    path = folder / 'nowhere-else.pth'
    path.write_bytes(b'abc')
    weights.pin(path, '0' * 64)
    assert weights.verify(entry_of(ABC)) is Verdict.GENUINE


def test_notes_are_added_to_the_others(folder):
    weights.pin(folder / 'a.pth', 'A')
    weights.pin(folder / 'b.pth', 'B')
    assert weights.read_pins(folder) == {'a.pth': 'A', 'b.pth': 'B'}
    assert json.loads((folder / 'fetched.json').read_text())


@pytest.mark.parametrize('text', ['', '{', 'null', '180', '[null]', '[{"name": "a"}]', '{"a": 1}'])
def test_a_damaged_manifest_names_the_file(text, tmp_path, monkeypatch):
    (tmp_path / 'manifest.json').write_text(text)
    monkeypatch.setattr(weights, '_package_folders', lambda: iter([tmp_path]))
    with pytest.raises(RuntimeError, match=r'manifest\.json is damaged'):
        weights.known_weights()


@pytest.mark.parametrize('text', ['', '[', 'null', '[]', '{"a": 1}'])
def test_damaged_notes_of_fetched_files_name_the_file(text, folder):
    (folder / 'fetched.json').write_text(text)
    with pytest.raises(ValueError, match=r'fetched\.json is damaged'):
        weights.read_pins(folder)
