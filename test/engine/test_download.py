import hashlib
import threading
from dataclasses import replace
from http.server import BaseHTTPRequestHandler
from http.server import ThreadingHTTPServer

import pytest

from lazy_vos_ros.engine.download import fetch
from lazy_vos_ros.engine.weights import Verdict
from lazy_vos_ros.engine.weights import WeightsEntry
from lazy_vos_ros.engine.weights import read_pins
from lazy_vos_ros.engine.weights import verify

CONTENT = bytes(range(256)) * 10000
SHA256 = hashlib.sha256(CONTENT).hexdigest()


class Handler(BaseHTTPRequestHandler):
    def do_GET(self):
        if self.path == '/absent':
            self.send_error(404)
            return
        self.send_response(200)
        if self.path != '/no-length':
            self.send_header('Content-Length', str(len(CONTENT)))
        self.end_headers()
        self.wfile.write(CONTENT[:1000] if self.path == '/short' else CONTENT)

    def log_message(self, *arguments):
        pass


@pytest.fixture(scope='module')
def server():
    server = ThreadingHTTPServer(('127.0.0.1', 0), Handler)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    yield f'http://127.0.0.1:{server.server_port}'
    server.shutdown()
    server.server_close()


@pytest.fixture
def entry(server, tmp_path, monkeypatch):
    monkeypatch.setenv('LAZY_VOS_WEIGHTS', str(tmp_path / 'weights'))
    return WeightsEntry(
        name='test',
        file='fetched-in-a-test.pth',
        kind='tracker',
        network='official',
        url=f'{server}/good',
        sha256=SHA256,
        description='',
        settings={},
        thresholds={},
    )


def files(tmp_path):
    return sorted(p.name for p in (tmp_path / 'weights').iterdir())


def test_a_file_is_fetched_and_its_hash_told_and_noted(entry, tmp_path):
    seen = []
    path, sha256 = fetch(entry, progress=lambda done, total: seen.append((done, total)))
    assert path == tmp_path / 'weights' / entry.file
    assert path.read_bytes() == CONTENT
    assert sha256 == SHA256
    assert verify(entry) is Verdict.GENUINE
    assert seen[-1] == (len(CONTENT), len(CONTENT))
    assert seen == sorted(seen)
    assert read_pins(path.parent) == {entry.file: SHA256}
    assert files(tmp_path) == [entry.file, 'fetched.json']


def test_a_server_need_not_say_the_length(entry, server):
    seen = []
    unsure = replace(entry, url=f'{server}/no-length')
    fetch(unsure, progress=lambda done, total: seen.append(total))
    assert set(seen) == {None}


def test_an_unknown_hash_is_noted_and_expected_from_then_on(entry, tmp_path):
    unknown = replace(entry, sha256=None)
    path, _ = fetch(unknown)
    (path.parent / 'fetched.json').write_text(f'{{"{entry.file}": "{"0" * 64}"}}')
    with pytest.raises(RuntimeError, match='expected 0000'):
        fetch(unknown)


@pytest.mark.parametrize(
    ('page', 'message'), [('short', '1000 of 2560000'), ('absent', '404'), ('good', 'expected')]
)
def test_what_fails_leaves_the_old_file_and_nothing_else(page, message, entry, server, tmp_path):
    target = tmp_path / 'weights' / entry.file
    target.parent.mkdir()
    target.write_bytes(b'old')
    wrong = replace(entry, url=f'{server}/{page}', sha256='0' * 64)
    with pytest.raises(RuntimeError, match=message):
        fetch(wrong)
    assert target.read_bytes() == b'old'
    assert files(tmp_path) == [entry.file]


def test_no_server(entry, tmp_path):
    with pytest.raises(RuntimeError, match='cannot be fetched'):
        fetch(replace(entry, url='http://127.0.0.1:1/x'))
    assert files(tmp_path) == []


def test_no_address(entry):
    with pytest.raises(ValueError, match='come with the project'):
        fetch(replace(entry, url=None))


def test_an_interruption_leaves_nothing(entry, tmp_path):
    def interrupt(done, total):
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        fetch(entry, progress=interrupt)
    assert files(tmp_path) == []
