import pickle

import pytest

from lazy_vos_ros.nodes.web.tokens import MOST_SESSIONS
from lazy_vos_ros.nodes.web.tokens import SESSION_HOURS
from lazy_vos_ros.nodes.web.tokens import Sessions
from lazy_vos_ros.nodes.web.tokens import Token

SECRET = 'correct-horse-battery'


def written(folder, text, mode=0o600):
    path = folder / 'token'
    path.write_bytes(text if isinstance(text, bytes) else text.encode())
    path.chmod(mode)
    return path


@pytest.mark.parametrize('mode', [0o644, 0o604, 0o666, 0o602])
def test_file_that_others_may_open_is_refused(tmp_path, mode):
    with pytest.raises(ValueError, match=r'is open to other users .*allowed: 600 or 640'):
        Token.read(written(tmp_path, SECRET, mode))


@pytest.mark.parametrize(
    'text', ['', 'short', 'a' * 15, 'x' * 513, 'two\nlines of a token', 'naïve-token-with-accent']
)
def test_what_is_no_token_is_refused_and_not_told(tmp_path, text):
    with pytest.raises(ValueError, match='holds no token') as caught:
        Token.read(written(tmp_path, text))
    assert not text or text not in str(caught.value)


def test_missing_file_is_an_error(tmp_path):
    with pytest.raises(FileNotFoundError):
        Token.read(tmp_path / 'none')


@pytest.mark.parametrize('mode', [0o600, 0o640, 0o400])
def test_only_the_token_matches(tmp_path, mode):
    token = Token.read(written(tmp_path, f'{SECRET}\n', mode))
    assert token.matches(SECRET)
    for wrong in ('', SECRET[:-1], SECRET + 'x', SECRET.upper(), '\udcff', 'x' * 100_000):
        assert not token.matches(wrong)


def test_token_is_not_kept(tmp_path):
    token = Token.read(written(tmp_path, SECRET))
    assert SECRET not in repr(token)
    assert SECRET.encode() not in pickle.dumps(token)


def test_session_opens_ends_by_itself_and_can_be_closed():
    now = [0.0]
    sessions = Sessions(lambda: now[0])
    first, second = sessions.open(), sessions.open()
    assert first != second
    assert len(first) >= 43
    assert sessions.valid(first)
    assert not any(sessions.valid(wrong) for wrong in (None, '', first[:-1], first + 'x'))
    sessions.close(second)
    sessions.close('never opened')
    assert not sessions.valid(second)
    now[0] = SESSION_HOURS * 3600 + 1
    assert not sessions.valid(first)


def test_number_of_sessions_is_bounded():
    sessions = Sessions()
    opened = [sessions.open() for _ in range(MOST_SESSIONS + 3)]
    assert [sessions.valid(item) for item in opened[:4]] == [False, False, False, True]
