"""Serves the page from a thread of its own, with an event loop of its own."""

import asyncio
import logging
import ssl
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from errno import EADDRINUSE
from errno import EADDRNOTAVAIL
from threading import Thread
from typing import Any

from tornado.httpserver import HTTPServer
from tornado.iostream import IOStream
from tornado.netutil import bind_sockets
from tornado.web import Application

from lazy_vos_ros.nodes.operator_desk import OperatorDesk
from lazy_vos_ros.nodes.web.handlers import ROUTES
from lazy_vos_ros.nodes.web.handlers import SETTINGS
from lazy_vos_ros.nodes.web.handlers import SocketHandler
from lazy_vos_ros.nodes.web.pictures import Encoded
from lazy_vos_ros.nodes.web.settings import WebSettings
from lazy_vos_ros.nodes.web.site import Doors
from lazy_vos_ros.nodes.web.site import page_files
from lazy_vos_ros.nodes.web.viewer import Send
from lazy_vos_ros.nodes.web.viewer import Viewer

LARGEST_HEADER = 8192
LARGEST_BODY = 1024
PATIENCE = 10.0
"""Seconds for a request to be there, and for a connection to stay without one."""
GOING_AWAY = 1001
CLOSING = 1.0
"""Seconds for what is under way when the page ends."""
MOST_CONNECTIONS = 64
"""At the same time, beside those of the browsers that look."""


class BoundedServer(HTTPServer):
    """Closes connections that are too many as soon as they come."""

    def initialize(self, *args: Any, **kwargs: Any) -> None:
        """Count from nothing."""
        super().initialize(*args, **kwargs)
        self._open = 0

    def handle_stream(self, stream: IOStream, address: Any) -> None:
        """Take a connection."""
        if self._open >= MOST_CONNECTIONS:
            stream.close()
            return
        self._open += 1
        super().handle_stream(stream, address)

    def on_close(self, server_conn: object) -> None:
        """Count a connection out."""
        self._open -= 1
        super().on_close(server_conn)


class WebServer:
    """The operator's page, from construction until :meth:`close`.

    Parameters
    ----------
    desk
        What is shown, and acted on.
    log
        Takes a line for people; none ever holds a token, a cookie or a query.

    Raises
    ------
    ValueError
        If the token is none.
    OSError
        If the port is in use, or a file cannot be read.
    """

    def __init__(
        self, desk: OperatorDesk, settings: WebSettings, log: Callable[[str], None]
    ) -> None:
        # It tells at length what strangers send, and there are many of them.
        logging.getLogger('tornado').setLevel(logging.CRITICAL)
        self._sockets: set[SocketHandler] = set()
        self._doors = Doors(settings)
        self._tls = _tls(settings)
        self._ports = bind_sockets(settings.port, settings.address)
        self.port: int = self._ports[0].getsockname()[1]
        self._log = log
        self._pool = ThreadPoolExecutor(1, 'web-pictures')
        encoded = Encoded()

        def make_viewer(send: Send) -> Viewer:
            return Viewer(desk, settings, send, pool=self._pool, encoded=encoded)

        self._app_settings = {
            **SETTINGS,
            'clients': settings.clients,
            'doors': self._doors,
            'files': page_files(),
            'log': log,
            'log_function': lambda handler: None,
            'make_viewer': make_viewer,
            'port': self.port,
            'sockets': self._sockets,
        }
        self._loop = asyncio.new_event_loop()
        self._closing = asyncio.Event()
        self._thread = Thread(target=self._run, name='web', daemon=True)
        self._thread.start()
        desk.listen(self._changed)

    def close(self) -> None:
        """Close all connections and the port; the thread has ended afterwards."""
        if self._thread.is_alive():
            self._loop.call_soon_threadsafe(self._closing.set)
            self._thread.join()

    def _changed(self) -> None:
        """Wake all who look; from any thread."""
        try:
            self._loop.call_soon_threadsafe(self._wake)
        except RuntimeError:  # closed meanwhile
            return

    def _wake(self) -> None:
        for handler in self._sockets:
            handler.wake()

    def _run(self) -> None:
        asyncio.set_event_loop(self._loop)
        try:
            self._loop.run_until_complete(self._serve())
        finally:
            self._pool.shutdown(wait=True)
            self._loop.close()

    async def _serve(self) -> None:
        server = BoundedServer(
            Application(ROUTES, **self._app_settings),
            ssl_options=self._tls,
            max_header_size=LARGEST_HEADER,
            max_body_size=LARGEST_BODY,
            body_timeout=PATIENCE,
            idle_connection_timeout=PATIENCE,
        )
        server.add_sockets(self._ports)
        await self._closing.wait()
        server.stop()
        for handler in list(self._sockets):
            handler.close(GOING_AWAY, 'the node has ended')
        await asyncio.wait({asyncio.ensure_future(self._closed(server))}, timeout=CLOSING)
        for task in asyncio.all_tasks() - {asyncio.current_task()}:
            task.cancel()
        await asyncio.sleep(0)

    async def _closed(self, server: BoundedServer) -> None:
        """Wait until the last browser has gone."""
        while self._sockets:
            await asyncio.sleep(0.01)
        await server.close_all_connections()


def _tls(settings: WebSettings) -> ssl.SSLContext | None:
    if not settings.certificate_file:
        return None
    context = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
    context.load_cert_chain(settings.certificate_file, settings.key_file)
    return context


def start_web(desk: OperatorDesk, settings: WebSettings, logger: Any) -> WebServer | None:
    """Serve the page as the settings want it, and log where; None if it is off or not possible.

    A port that is taken is no reason to leave the operator without RViz. Anything else that is
    wrong is raised: ValueError or OSError.
    """
    if settings.port == 0:
        return None
    try:
        server = WebServer(desk, settings, logger.warning)
    except OSError as error:
        if error.errno not in (EADDRINUSE, EADDRNOTAVAIL):
            raise
        logger.error(f'no web page on {settings.url}: {error}')
        return None
    logger.info(f'web page: {settings.url}')
    return server
