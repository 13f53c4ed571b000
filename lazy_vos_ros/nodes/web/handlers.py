"""What is answered to a browser's requests."""

import asyncio
from collections.abc import Callable
from http import HTTPStatus
from typing import Any
from typing import cast

from tornado.iostream import StreamClosedError
from tornado.web import RequestHandler
from tornado.websocket import WebSocketClosedError
from tornado.websocket import WebSocketHandler

from lazy_vos_ros.nodes.web.messages import LONGEST_MESSAGE
from lazy_vos_ros.nodes.web.site import Doors
from lazy_vos_ros.nodes.web.viewer import Send
from lazy_vos_ros.nodes.web.viewer import TooMuch
from lazy_vos_ros.nodes.web.viewer import Viewer

HEADERS = {
    'Cache-Control': 'no-store',
    'Content-Security-Policy': (
        "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self'; "
        "connect-src 'self'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'; "
        "require-trusted-types-for 'script'; trusted-types 'none'"
    ),
    'Cross-Origin-Opener-Policy': 'same-origin',
    'Cross-Origin-Resource-Policy': 'same-origin',
    'Permissions-Policy': 'camera=(), geolocation=(), microphone=()',
    'Referrer-Policy': 'no-referrer',
    'X-Content-Type-Options': 'nosniff',
    'X-Frame-Options': 'DENY',
}
POLICY_VIOLATION, UNSUPPORTED, TRY_LATER = 1008, 1003, 1013


class Guarded(RequestHandler):
    """Turns away whoever does not belong here, before anything else is done."""

    def set_default_headers(self) -> None:
        """Set the headers of every response, errors included."""
        self.clear_header('Server')
        for name, value in HEADERS.items():
            self.set_header(name, value)

    @property
    def doors(self) -> Doors:
        """Who may come in."""
        return cast(Doors, self.settings['doors'])

    @property
    def address(self) -> str:
        """Where the request comes from."""
        return str(self.request.remote_ip)

    @property
    def cookie_name(self) -> str:
        """Cookies do not know ports, and two nodes may serve a page each on one machine."""
        return f'lazy_vos_{self.settings["port"]}'

    def prepare(self) -> None:
        """Refuse strange hosts, and whoever asks too often."""
        if not self.doors.origins.host_allowed(self.request.headers.get('Host', '')):
            self.turn_away(HTTPStatus.MISDIRECTED_REQUEST, 'unknown host: see web.hosts')
        elif self.doors.too_often(self.address):
            self.turn_away(HTTPStatus.TOO_MANY_REQUESTS, 'too many requests')

    def turn_away(self, status: HTTPStatus, text: str) -> None:
        """Answer with an error."""
        self.set_status(status)
        self.set_header('Content-Type', 'text/plain; charset=utf-8')
        self.finish(text + '\n')

    def write_error(self, status_code: int, **_: Any) -> None:
        """Tell no more than the status."""
        self.set_header('Content-Type', 'text/plain; charset=utf-8')
        self.finish(f'{status_code} {self._reason}\n')

    def log_exception(self, kind: Any, value: Any, _: Any) -> None:
        """Log what failed, without the request: it may hold a secret."""
        self.log(f'{self.request.method} failed: {kind.__name__}: {value}')

    def log(self, text: str) -> None:
        """Log a line, which must not hold anything secret."""
        cast(Callable[[str], None], self.settings['log'])(f'web page: {text}')

    def from_our_page(self) -> bool:
        """Whether the request comes from a page of ours, not of a stranger."""
        return self.doors.origins.same(
            self.request.headers.get('Origin'), self.request.headers.get('Host', '')
        )

    def admitted(self) -> bool:
        """Whether the request shows a session, or the token itself."""
        if self.doors.session_valid(self.get_cookie(self.cookie_name)):
            return True
        token = self.bearer()
        if token is None or self.doors.guesses(self.address):
            return False
        return self.doors.token_fits(token, self.address)

    def bearer(self) -> str | None:
        """Return the token in the header `Authorization`."""
        scheme, _, token = self.request.headers.get('Authorization', '').partition(' ')
        return token.strip() if scheme.lower() == 'bearer' else None


class PageHandler(Guarded):
    """The files of the page. They hold no secret, so everybody may have them."""

    def get(self) -> None:
        """Send a file."""
        found = self.settings['files'].get(self.request.path)
        if found is None:
            self.turn_away(HTTPStatus.NOT_FOUND, 'not found')
            return
        kind, content = found
        self.set_header('Content-Type', kind)
        self.finish(content)

    head = get


class SessionHandler(Guarded):
    """Whether a token is needed; a session for the token; the end of a session."""

    def get(self) -> None:
        """Tell whether a token is needed, and whether this browser has shown it."""
        self.finish({'locked': self.doors.locked, 'admitted': self.admitted()})

    def post(self) -> None:
        """Open a session for whoever shows the token."""
        if not self.from_our_page():
            self.turn_away(HTTPStatus.FORBIDDEN, 'from another page')
        elif self.doors.guesses(self.address):
            self.set_header('Retry-After', '60')
            self.turn_away(HTTPStatus.TOO_MANY_REQUESTS, 'too many wrong tokens: wait a minute')
        elif not self.doors.token_fits(self.bearer() or '', self.address):
            self.log(f'wrong token from {self.address}')
            self.turn_away(HTTPStatus.UNAUTHORIZED, 'this is not the token')
        else:
            self.set_cookie(
                self.cookie_name,
                self.doors.open_session(),
                httponly=True,
                samesite='Strict',
                secure=self.request.protocol == 'https',
            )
            self.finish({'locked': self.doors.locked, 'admitted': True})

    def delete(self) -> None:
        """End the session."""
        if not self.from_our_page():
            self.turn_away(HTTPStatus.FORBIDDEN, 'from another page')
            return
        self.doors.close_session(self.get_cookie(self.cookie_name))
        self.clear_cookie(self.cookie_name)
        self.finish({'locked': self.doors.locked, 'admitted': not self.doors.locked})


class SocketHandler(Guarded, WebSocketHandler):
    """The connection over which a page lives."""

    def initialize(self) -> None:
        """Have no viewer yet."""
        self._viewer: Viewer | None = None
        self._task: asyncio.Task[None] | None = None

    @property
    def sockets(self) -> set['SocketHandler']:
        """All that are open now."""
        return cast(set['SocketHandler'], self.settings['sockets'])

    def prepare(self) -> None:
        """Refuse other pages, whoever has not shown the token, and one too many."""
        super().prepare()
        if self._finished:
            return
        if not self.from_our_page():
            self.turn_away(HTTPStatus.FORBIDDEN, 'from another page')
        elif not self.admitted():
            self.turn_away(HTTPStatus.UNAUTHORIZED, 'the token is needed')
        elif len(self.sockets) >= self.settings['clients']:
            self.turn_away(HTTPStatus.SERVICE_UNAVAILABLE, 'too many browsers: see web.clients')

    def check_origin(self, origin: str) -> bool:
        """Believe an origin that :meth:`prepare` has believed."""
        return self.from_our_page()

    def open(self, *_: str, **__: str) -> None:
        """Begin to show."""
        make_viewer = cast(Callable[[Send], Viewer], self.settings['make_viewer'])
        self._viewer = make_viewer(self._send)
        self.sockets.add(self)
        self._task = asyncio.ensure_future(self._run(self._viewer))

    async def on_message(self, message: str | bytes) -> None:
        """Do what the page says; the next message is read when this one is done."""
        if self._viewer is None:
            return
        if not self.doors.session_valid(self.get_cookie(self.cookie_name)) and not self.bearer():
            self.close(POLICY_VIOLATION, 'the session has ended')
        elif isinstance(message, bytes):
            self.close(UNSUPPORTED, 'text only')
        else:
            try:
                await self._viewer.receive(message)
            except TooMuch as error:
                self.close(POLICY_VIOLATION, str(error))
            except (WebSocketClosedError, StreamClosedError):
                return

    def on_close(self) -> None:
        """Show nothing any more."""
        self.sockets.discard(self)
        if self._viewer is not None and self._task is not None:
            self._viewer.close()
            self._task.cancel()

    def wake(self) -> None:
        """Look whether there is something new to send."""
        if self._viewer is not None:
            self._viewer.wake()

    async def _send(self, message: str | bytes) -> None:
        await self.write_message(message, binary=isinstance(message, bytes))

    async def _run(self, viewer: Viewer) -> None:
        try:
            await viewer.run()
        except (WebSocketClosedError, StreamClosedError):
            return
        except Exception as error:
            self.log(f'showing failed: {type(error).__name__}: {error}')
            self.close(TRY_LATER, 'failed')


ROUTES = (
    (r'/session', SessionHandler),
    (r'/socket', SocketHandler),
    (r'/.*', PageHandler),
)
SETTINGS = {
    'default_handler_class': PageHandler,
    'websocket_max_message_size': LONGEST_MESSAGE,
    'websocket_ping_interval': 20,
    'websocket_ping_timeout': 20,
}
