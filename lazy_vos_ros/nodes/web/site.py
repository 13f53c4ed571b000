"""What all requests to one page share: who may come in, how often, and what is there."""

from importlib.resources import files
from ipaddress import IPv6Address
from ipaddress import ip_address
from ipaddress import ip_network
from pathlib import Path

from lazy_vos_ros.nodes.web.limits import Buckets
from lazy_vos_ros.nodes.web.limits import Limit
from lazy_vos_ros.nodes.web.origins import Origins
from lazy_vos_ros.nodes.web.settings import WebSettings
from lazy_vos_ros.nodes.web.tokens import Sessions
from lazy_vos_ros.nodes.web.tokens import Token

REQUESTS = Limit(burst=60, per_second=10)
WRONG_TOKENS = Limit(burst=5, per_second=1 / 15)

CONTENT_TYPES = {
    '.html': 'text/html; charset=utf-8',
    '.css': 'text/css; charset=utf-8',
    '.js': 'text/javascript; charset=utf-8',
    '.svg': 'image/svg+xml',
}


def page_files() -> dict[str, tuple[str, bytes]]:
    """Return the page's files: path in the URL -> content type and content.

    Nothing else is ever read for a request, so no path can lead out of the folder.
    """
    found = {}
    for item in files('lazy_vos_ros.nodes.web').joinpath('page').iterdir():
        kind = CONTENT_TYPES.get(Path(item.name).suffix)
        if kind is not None:
            found[f'/{item.name}'] = (kind, item.read_bytes())
    found['/'] = found['/index.html']
    return found


class Doors:
    """Says who may come in; for one thread.

    Raises
    ------
    ValueError, OSError
        At construction, if there is no token where the settings name one.
    """

    def __init__(self, settings: WebSettings) -> None:
        self.origins = Origins(settings.names, settings.loopback)
        self._token = (
            Token.read(Path(settings.token_file).expanduser()) if settings.token_file else None
        )
        self._sessions = Sessions()
        self._requests = Buckets(REQUESTS)
        self._wrong = Buckets(WRONG_TOKENS)

    @property
    def locked(self) -> bool:
        """Whether a token is needed."""
        return self._token is not None

    def too_often(self, address: str) -> bool:
        """Count a request; return whether there were too many from there."""
        return not self._requests.of(_group(address)).take()

    def guesses(self, address: str) -> bool:
        """Return whether too many wrong tokens came from there."""
        return self._wrong.of(_group(address)).left < 1.0

    def token_fits(self, text: str, address: str) -> bool:
        """Compare a token, and count it if it is wrong."""
        if self._token is not None and self._token.matches(text):
            return True
        self._wrong.of(_group(address)).take()
        return False

    def open_session(self) -> str:
        """Return the secret of a new session."""
        return self._sessions.open()

    def close_session(self, secret: str | None) -> None:
        """End a session."""
        self._sessions.close(secret)

    def session_valid(self, secret: str | None) -> bool:
        """Return whether somebody with this session may come in."""
        return not self.locked or self._sessions.valid(secret)


def _group(address: str) -> str:
    """Return what stands for an address: one household has a whole /64 of IPv6."""
    try:
        parsed = ip_address(address)
    except ValueError:
        return 'unknown'
    if isinstance(parsed, IPv6Address):
        return str(ip_network((parsed, 64), strict=False))
    return address
