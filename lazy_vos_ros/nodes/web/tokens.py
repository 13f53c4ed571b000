"""The token that opens the page, and the sessions that it opens."""

import secrets
from collections import OrderedDict
from collections.abc import Callable
from hashlib import sha256
from hmac import compare_digest
from pathlib import Path
from stat import S_IRWXO
from time import monotonic

SHORTEST, LONGEST = 16, 512
SESSION_HOURS = 12.0
MOST_SESSIONS = 64


class Token:
    """A secret of which only the digest is kept, so that no log or dump can tell it."""

    def __init__(self, text: str) -> None:
        if not SHORTEST <= len(text) <= LONGEST or not text.isascii() or not text.isprintable():
            raise ValueError(
                f'token has {len(text)} characters; allowed: {SHORTEST} to {LONGEST} printable '
                'ASCII characters'
            )
        self._digest = _digest(text)

    @classmethod
    def read(cls, path: Path) -> 'Token':
        """Read a token from a file that other users cannot read.

        Raises
        ------
        ValueError
            If they can, or the text is no token. The message does not tell the text.
        OSError
            If the file cannot be read.
        """
        mode = path.stat().st_mode
        if mode & S_IRWXO:
            raise ValueError(
                f'{path} is open to other users (mode {mode & 0o777:03o}); allowed: 600 or 640'
            )
        with path.open('rb') as file:
            content = file.read(LONGEST + 2)
        try:
            return cls(content.decode('ascii').strip())
        except ValueError as error:
            reason = 'it is not ASCII' if isinstance(error, UnicodeDecodeError) else str(error)
            raise ValueError(f'{path} holds no token: {reason}') from None

    def matches(self, text: str) -> bool:
        """Compare in a time that does not depend on the text."""
        return compare_digest(_digest(text), self._digest)


class Sessions:
    """What a browser shows in place of the token; ends by itself, and with the node."""

    def __init__(self, clock: Callable[[], float] = monotonic) -> None:
        self._clock = clock
        self._ends: OrderedDict[bytes, float] = OrderedDict()

    def open(self) -> str:
        """Return the secret of a new session; the oldest one ends if there are too many."""
        secret = secrets.token_urlsafe(32)
        self._ends[_digest(secret)] = self._clock() + SESSION_HOURS * 3600
        while len(self._ends) > MOST_SESSIONS:
            self._ends.popitem(last=False)
        return secret

    def valid(self, secret: str | None) -> bool:
        """Return whether this is the secret of a session that has not ended."""
        if secret is None:
            return False
        end = self._ends.get(_digest(secret))
        return end is not None and self._clock() < end

    def close(self, secret: str | None) -> None:
        """End a session."""
        if secret is not None:
            self._ends.pop(_digest(secret), None)


def _digest(text: str) -> bytes:
    return sha256(text.encode('utf-8', 'surrogateescape')).digest()
