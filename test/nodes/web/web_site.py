"""A desk with its page, served, and clients of it."""

import asyncio
import http.client
import json
import os
import socket
from contextlib import contextmanager

from tornado.httpclient import HTTPRequest
from tornado.websocket import websocket_connect
from web_desk import make_desk

from lazy_vos_ros.nodes.web.server import WebServer
from lazy_vos_ros.nodes.web.settings import WebSettings

PATIENCE = float(os.environ.get('LAZY_VOS_TEST_PATIENCE', '60'))
TOKEN = 'correct-horse-battery-staple'


class Site:
    """A page, served on a free port."""

    def __init__(self, **settings):
        self.desk, self.wire = make_desk()
        self.logged = []
        settings = {'port': 0, **settings}
        self.server = WebServer(self.desk, WebSettings(**settings), self.logged.append)
        self.port = self.server.port
        self.host = f'127.0.0.1:{self.port}'
        self.url = f'http://{self.host}/'

    def request(self, method, path, body=None, **headers):
        """Return status, headers and body of a response."""
        connection = http.client.HTTPConnection('127.0.0.1', self.port, timeout=PATIENCE)
        try:
            given = {'Host': self.host, **{key.replace('_', '-'): headers[key] for key in headers}}
            connection.request(method, path, body, given)
            response = connection.getresponse()
            return response.status, response.headers, response.read()
        finally:
            connection.close()

    def sent_raw(self, data, *, unfinished=False):
        """Return what comes back for these bytes until the connection ends.

        With `unfinished`, the server waits for more, and is told that there is none.
        """
        with socket.create_connection(('127.0.0.1', self.port), PATIENCE) as connection:
            answer = b''
            try:
                connection.sendall(data)
                if unfinished:
                    connection.shutdown(socket.SHUT_WR)
                while part := connection.recv(65536):
                    answer += part
            except ConnectionError:
                pass
            return answer

    async def connect(self, **headers):
        """Return a WebSocket to the page."""
        given = {'Origin': f'http://{self.host}', **headers}
        url = f'ws://{self.host}/socket'
        return await websocket_connect(HTTPRequest(url, headers=given, request_timeout=PATIENCE))


async def received(connection, wanted):
    """Return the next message that is wanted."""
    while True:
        text = await asyncio.wait_for(connection.read_message(), PATIENCE)
        assert text is not None, 'the connection ended'
        message = text if isinstance(text, bytes) else json.loads(text)
        if wanted(message):
            return message


async def ended(connection):
    """Read until the connection ends; return the code that it gave."""
    while await asyncio.wait_for(connection.read_message(), PATIENCE) is not None:
        pass
    return connection.close_code


@contextmanager
def served(**settings):
    """Serve a page."""
    site = Site(**settings)
    try:
        yield site
    finally:
        site.server.close()
