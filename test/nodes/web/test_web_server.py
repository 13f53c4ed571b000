"""The page's server under requests of all kinds, honest ones last."""

import asyncio
import http.client
import json
import logging
import socket
import ssl
import subprocess
from contextlib import suppress
from shutil import which
from time import monotonic
from time import sleep
from types import SimpleNamespace

import numpy as np
import pytest
from tornado.httpclient import HTTPClientError
from tornado.websocket import WebSocketClosedError
from web_desk import TRACKER
from web_desk import make_desk
from web_desk import question
from web_site import TOKEN
from web_site import ended
from web_site import received
from web_site import served

from lazy_vos_ros.engine.clicks import Click
from lazy_vos_ros.nodes.operator_view import Live
from lazy_vos_ros.nodes.web import server as module
from lazy_vos_ros.nodes.web.server import start_web
from lazy_vos_ros.nodes.web.settings import WebSettings

BEARER = {'Authorization': f'Bearer {TOKEN}'}


def refusal(site, **headers):
    """Return the status with which a WebSocket is refused."""
    with pytest.raises(HTTPClientError) as caught:
        asyncio.run(site.connect(**headers))
    return caught.value.code


def is_state(message, part):
    return isinstance(message, dict) and part in message.get('state', {})


def layer(message):
    """Return the header of a picture; empty for other messages."""
    if not isinstance(message, bytes):
        return {}
    return json.loads(message[4 : 4 + int.from_bytes(message[:4], 'big')])


# ---- who may not come in ----


@pytest.mark.parametrize('path', ['/', '/session', '/socket', '/main.js', '/nothing'])
@pytest.mark.parametrize('host', ['evil.example', '127.0.0.1.evil.example:80', 'a b'])
def test_rebound_host_gets_nothing(site, path, host):
    status, _, body = site.request('GET', path, Host=host)
    assert status in (400, 421)
    assert b'<html' not in body


def test_request_without_a_host_gets_nothing(site):
    assert b'<html' not in site.sent_raw(b'GET / HTTP/1.1\r\nConnection: close\r\n\r\n')
    assert b'<html' not in site.sent_raw(b'GET / HTTP/1.0\r\n\r\n')


@pytest.mark.parametrize('origin', ['http://evil.example', 'null', 'http://127.0.0.1:1', ''])
def test_other_pages_cannot_connect(site, origin):
    assert refusal(site, Origin=origin) == 403


def test_client_without_an_origin_cannot_connect(site):
    upgrade = {'Upgrade': 'websocket', 'Connection': 'Upgrade', 'Sec_WebSocket_Version': '13'}
    key = {'Sec_WebSocket_Key': 'dGhlIHNhbXBsZSBub25jZQ=='}
    assert site.request('GET', '/socket', **upgrade, **key)[0] == 403


def test_other_pages_cannot_sign_in_or_out(locked_site):
    for method in ('POST', 'DELETE'):
        for origin in ({}, {'Origin': 'http://evil.example'}):
            assert locked_site.request(method, '/session', **origin, **BEARER)[0] == 403


def test_without_the_token_there_is_nothing_but_the_empty_page(locked_site):
    locked_site.desk.ask(question('secret-key'))
    assert refusal(locked_site) == 401
    assert refusal(locked_site, Authorization='Bearer wrong') == 401
    assert refusal(locked_site, Cookie=f'lazy_vos_{locked_site.port}=wrong') == 401
    assert json.loads(locked_site.request('GET', '/session')[2]) == {
        'locked': True,
        'admitted': False,
    }
    for path in ('/', '/main.js'):
        status, _, body = locked_site.request('GET', path)
        assert status == 200
        assert b'secret-key' not in body


def test_wrong_tokens_are_slowed_down_and_not_logged(locked_site, caplog, capfd):
    origin = {'Origin': f'http://{locked_site.host}'}
    guess = 'guess-that-must-not-be-told'
    statuses = [
        locked_site.request('POST', f'/session?token={guess}', Authorization=value, **origin)[0]
        for value in (f'Bearer {guess}', f'Basic {TOKEN}', 'Bearer', '', '\xff' * 40, TOKEN)
    ]
    assert statuses == [401, 401, 401, 401, 401, 429]
    # Nor does the right one help then: guessing would go on otherwise.
    assert locked_site.request('POST', '/session', **origin, **BEARER)[0] == 429
    out = ''.join([*locked_site.logged, caplog.text, *capfd.readouterr()])
    assert 'wrong token from 127.0.0.1' in out
    assert guess not in out
    assert TOKEN not in out


def test_token_opens_a_session_that_can_be_closed(locked_site, caplog, capfd):
    caplog.set_level(logging.DEBUG)
    origin = {'Origin': f'http://{locked_site.host}'}
    status, headers, _ = locked_site.request('POST', '/session', **origin, **BEARER)
    assert status == 200
    cookie, *attributes = headers['Set-Cookie'].split('; ')
    assert {'HttpOnly', 'SameSite=Strict', 'Path=/'} <= set(attributes)
    assert TOKEN not in str(headers)

    async def look():
        connection = await locked_site.connect(Cookie=cookie)
        await received(connection, lambda message: is_state(message, 'question'))
        locked_site.request('DELETE', '/session', Cookie=cookie, **origin)
        await connection.write_message(json.dumps({'type': 'seen'}))
        return await ended(connection)

    assert asyncio.run(look()) == 1008
    assert refusal(locked_site, Cookie=cookie) == 401
    out = ''.join([*locked_site.logged, caplog.text, *capfd.readouterr()])
    assert TOKEN not in out
    assert cookie.partition('=')[2] not in out


def test_token_itself_opens_a_connection(locked_site):
    async def look():
        connection = await locked_site.connect(**BEARER)
        await connection.write_message(json.dumps({'type': 'seen'}))
        return await received(connection, lambda message: is_state(message, 'question'))

    assert asyncio.run(look())['state']['question'] is None


# ---- what must not harm ----


@pytest.mark.parametrize(
    'path',
    [
        '/../../../../etc/passwd',
        '/..%2f..%2f..%2fetc%2fpasswd',
        '/%2e%2e/%2e%2e/etc/passwd',
        '/....//....//etc/passwd',
        '//etc/passwd',
        '/page/../server.py',
        '/main.js/../../server.py',
        '/main.js%00.html',
        '/server.py',
        '/.git/config',
        '/file:///etc/passwd',
        '/main.js\\..\\server.py',
        'http://evil.example/etc/passwd',
    ],
)
def test_no_path_leaves_the_page(site, path):
    head = f'GET {path} HTTP/1.1\r\nHost: {site.host}\r\nConnection: close\r\n\r\n'
    answer = site.sent_raw(head.encode())
    assert answer.startswith((b'HTTP/1.1 404', b'HTTP/1.1 400'))
    assert b'root:' not in answer
    assert b'import ' not in answer


@pytest.mark.parametrize('method', ['PUT', 'PATCH', 'OPTIONS', 'DELETE', 'POST', 'TRACE', 'EVIL'])
def test_other_methods_are_refused(site, method):
    assert site.request(method, '/')[0] in (403, 405, 501)


@pytest.mark.parametrize(
    'data',
    [
        b'\x00' * 5000,
        bytes(range(256)) * 20,
        b'\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03' + b'\x00' * 500,
        b'GET / HTTP/9.9\r\n\r\n',
        b'GET /' + b'a' * 20_000 + b' HTTP/1.1\r\n\r\n',
        b'GET / HTTP/1.1\r\nHost: localhost\r\n' + b'X: y\r\n' * 5000 + b'\r\n',
        b'GET / HTTP/1.1\r\nHost: localhost\r\nX: ' + b'a' * 20_000 + b'\r\n\r\n',
        b'POST /session HTTP/1.1\r\nHost: localhost\r\nContent-Length: -5\r\n\r\n',
        b'POST /session HTTP/1.1\r\nHost: localhost\r\nContent-Length: 99999999\r\n\r\nx',
        b'POST /session HTTP/1.1\r\nHost: localhost\r\nContent-Length: 4\r\n'
        b'Transfer-Encoding: chunked\r\n\r\n0\r\n\r\nGET /smuggled HTTP/1.1\r\n\r\n',
        b'POST /session HTTP/1.1\r\nHost: localhost\r\nTransfer-Encoding: chunked\r\n\r\nFFFFFFFF',
        b'PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n',
    ],
)
def test_junk_is_refused_and_the_page_goes_on(site, data):
    answer = site.sent_raw(data, unfinished=True)
    assert not answer.startswith(b'HTTP/1.1 200')
    assert site.request('GET', '/')[0] == 200


def test_huge_body_is_cut_off(site):
    body = b'x' * 5_000_000
    head = f'POST /session HTTP/1.1\r\nHost: {site.host}\r\nContent-Length: {len(body)}\r\n\r\n'
    assert not site.sent_raw(head.encode() + body).startswith(b'HTTP/1.1 200')
    assert site.request('GET', '/')[0] == 200


def test_flood_of_requests_is_refused(site):
    statuses = {site.request('GET', '/session')[0] for _ in range(100)}
    assert statuses == {200, 429}


def test_connections_are_bounded_and_idle_ones_end(monkeypatch):
    monkeypatch.setattr(module, 'PATIENCE', 1.0)
    with served() as site:
        connections = [
            socket.create_connection(('127.0.0.1', site.port), 20)
            for _ in range(module.MOST_CONNECTIONS + 5)
        ]
        begin = monotonic()
        for connection in connections:
            connection.sendall(b'GET / HT')
        # Those too many end at once, the others when nothing more has come of their request.
        closed = [_end_of(connection) - begin for connection in reversed(connections)]
        assert max(closed[:5]) < 0.9 < closed[-1] < 10
        assert site.request('GET', '/')[0] == 200


def _end_of(connection):
    try:
        while connection.recv(1000):
            pass
    except ConnectionError:
        pass
    connection.close()
    return monotonic()


def test_number_of_browsers_is_bounded():
    with served(clients=2) as site:

        async def crowd():
            connections = [await site.connect() for _ in range(2)]
            with pytest.raises(HTTPClientError) as caught:
                await site.connect()
            connections[0].close()
            await ended(connections[0])
            sleep(0.1)
            await site.connect()
            return caught.value.code

        assert asyncio.run(crowd()) == 503


@pytest.mark.parametrize(
    ('message', 'binary', 'codes'),
    # A connection may be gone before its last words are read.
    [(b'\x00\xff' * 10, True, {1003}), ('x' * 5000, False, {1009, None}), ('{', False, {1008})],
)
def test_browser_that_talks_nonsense_is_cut_off(site, message, binary, codes):
    async def talk():
        connection = await site.connect()
        with suppress(WebSocketClosedError):
            for _ in range(40):
                await connection.write_message(message, binary=binary)
                await asyncio.sleep(0.001)
        return await ended(connection)

    assert asyncio.run(talk()) in codes
    assert site.request('GET', '/')[0] == 200


def test_flood_of_messages_is_cut_off(site):
    async def talk():
        connection = await site.connect()
        with suppress(WebSocketClosedError):
            for _ in range(500):
                await connection.write_message('{"type":"seen"}')
        return await ended(connection)

    assert asyncio.run(talk()) == 1008


def test_frame_that_is_no_text_ends_only_its_own_connection(site):
    head = (
        f'GET /socket HTTP/1.1\r\nHost: {site.host}\r\nOrigin: http://{site.host}\r\n'
        'Upgrade: websocket\r\nConnection: Upgrade\r\nSec-WebSocket-Version: 13\r\n'
        'Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n\r\n'
    )
    broken = b'\x81\x84\x00\x00\x00\x00\xff\xfe\xfd\xfc'
    endless = b'\x81\xff' + b'\x7f' + b'\xff' * 7 + b'\x00\x00\x00\x00'
    for frame in (broken, endless, b'\x01' * 50):
        assert site.sent_raw(head.encode() + frame).startswith(b'HTTP/1.1 101')
    assert site.request('GET', '/')[0] == 200


# ---- what the page gives ----


def test_page_is_sent_with_headers_that_confine_it(site):
    for path, kind in (('/', 'html'), ('/main.js', 'javascript'), ('/page.css', 'css')):
        status, headers, body = site.request('GET', path)
        assert status == 200
        assert kind in headers['Content-Type']
        assert body
    policy = headers['Content-Security-Policy']
    assert "default-src 'none'" in policy
    assert 'unsafe' not in policy
    assert headers['X-Content-Type-Options'] == 'nosniff'
    assert headers['X-Frame-Options'] == 'DENY'
    assert 'Server' not in headers
    assert site.request('GET', '/nothing')[1]['Content-Security-Policy'] == policy


def test_question_comes_with_its_layers_and_takes_the_answer(site):
    async def answer():
        connection = await site.connect()
        await received(connection, lambda message: is_state(message, 'question'))
        site.desk.ask(question('q'))
        picture = await received(connection, lambda message: layer(message) != {})
        shading = await received(connection, lambda message: layer(message) != {})
        outline = await received(connection, lambda message: 'lines' in message)
        state = await received(connection, lambda message: is_state(message, 'question'))
        click = {'type': 'click', 'key': 'q', 'x': 12, 'y': 34, 'positive': False}
        await connection.write_message(json.dumps(click))
        clicked = await received(connection, lambda message: is_state(message, 'question'))
        site.desk.previewed('q', site.wire.previews[-1][1], np.ones((90, 160), bool))
        refined = await received(connection, lambda message: 'lines' in message)
        await connection.write_message(json.dumps({'type': 'confirm', 'key': 'q'}))
        await received(connection, lambda message: is_state(message, 'question'))
        await connection.write_message(json.dumps(click))
        refused = await received(connection, lambda message: 'reason' in message)
        return picture, shading, outline, state, clicked, refined, refused

    picture, shading, outline, state, clicked, refined, refused = asyncio.run(answer())
    assert [layer(item) for item in (picture, shading)] == [
        {'layer': 'picture', 'key': 'q'},
        {'layer': 'shading', 'key': 'q'},
    ]
    assert (outline['key'], len(outline['lines'])) == ('q', 1)
    assert state['state']['question']['label'] == 'cup'
    assert clicked['state']['question']['clicks'] == [{'x': 12, 'y': 34, 'positive': False}]
    assert refined['lines'] != outline['lines']
    assert site.wire.answers == [('q', (Click(12, 34, False),))]
    assert 'there is no question' in refused['reason']


def test_orders_reach_the_tracker_with_the_picture_they_were_meant_for(site):
    where = {'tracker': TRACKER, 'stamp': '1700000000123456789'}
    messages = [
        {'type': 'start', **where, 'x': 3, 'y': 4, 'label': ' mug '},
        {'type': 'correct', **where, 'object': 1, 'x': 5, 'y': 6, 'positive': False},
        {'type': 'gone', **where, 'object': 1},
        {'type': 'remove', 'tracker': TRACKER, 'object': 1},
        {'type': 'remove', 'tracker': '/elsewhere', 'object': 1},
    ]

    async def talk():
        connection = await site.connect()
        for message in messages:
            await connection.write_message(json.dumps(message))
        return await received(connection, lambda message: 'reason' in message)

    assert "'/elsewhere' is not there" in asyncio.run(talk())['reason']
    start, correct, gone, remove = site.wire.orders
    assert (start.label, start.clicks, start.stamp) == (
        'mug',
        (Click(3, 4),),
        1700000000123456789,
    )
    assert (correct.object_id, correct.clicks) == (1, (Click(5, 6, False),))
    assert [item.deed.value for item in (gone, remove)] == ['absent', 'removed']


def test_live_pictures_come_only_while_looked_at_and_never_pile_up(site):
    image = np.zeros((90, 160, 3), np.uint8)
    is_live = lambda message: layer(message).get('layer') == 'live'  # noqa: E731

    async def look():
        connection = await site.connect()
        await received(connection, lambda message: is_state(message, 'trackers'))
        assert not site.desk.live_wanted(TRACKER)
        await connection.write_message(json.dumps({'type': 'look', 'tracker': TRACKER}))
        while not site.desk.live_wanted(TRACKER):
            await asyncio.sleep(0.01)
        seen = []
        for stamp in range(100):
            site.desk.put_live(TRACKER, Live(stamp, image))
            await asyncio.sleep(0.01)
        try:
            while True:
                message = await asyncio.wait_for(connection.read_message(), 0.3)
                seen += [layer(message)] if is_live(message) else []
        except asyncio.TimeoutError:
            unread = len(seen)
        await connection.write_message(json.dumps({'type': 'seen'}))
        newest = layer(await received(connection, is_live))
        return unread, newest

    unread, newest = asyncio.run(look())
    assert unread == 2
    assert newest == {
        'layer': 'live',
        'tracker': TRACKER,
        'stamp': '99',
        'width': 160,
        'height': 90,
    }


def test_closing_ends_thread_connections_and_port(site):
    async def look():
        connection = await site.connect()
        await asyncio.get_running_loop().run_in_executor(None, site.server.close)
        return await ended(connection)

    assert asyncio.run(look()) == 1001
    site.desk.ask(question('afterwards'))
    with pytest.raises(ConnectionRefusedError):
        socket.create_connection(('127.0.0.1', site.port), 5)
    site.server.close()


@pytest.mark.skipif(
    which('openssl') is None, reason='openssl, which makes a certificate, is not here'
)
def test_page_is_served_over_https(tmp_path):
    key, certificate = tmp_path / 'key.pem', tmp_path / 'certificate.pem'
    make = ['openssl', 'req', '-x509', '-newkey', 'ec', '-pkeyopt', 'ec_paramgen_curve:P-256']
    make += ['-nodes', '-subj', '/CN=localhost', '-addext', 'subjectAltName=IP:127.0.0.1']
    make += ['-keyout', str(key), '-out', str(certificate)]
    subprocess.run(make, check=True, capture_output=True)
    token = tmp_path / 'token'
    token.write_text(TOKEN)
    token.chmod(0o600)
    files = {'certificate_file': str(certificate), 'key_file': str(key)}
    with served(token_file=str(token), **files) as site:
        context = ssl.create_default_context(cafile=certificate)
        connection = http.client.HTTPSConnection('127.0.0.1', site.port, context=context)
        origin = {'Origin': f'https://{site.host}'}
        connection.request('POST', '/session', None, {**origin, **BEARER})
        response = connection.getresponse()
        assert response.status == 200
        assert 'Secure' in response.headers['Set-Cookie']
        connection.close()


# ---- how the node starts it ----


def logger():
    lines = []
    return lines, SimpleNamespace(info=lines.append, warning=lines.append, error=lines.append)


def test_port_0_is_no_page():
    lines, log = logger()
    assert start_web(make_desk()[0], WebSettings(port=0), log) is None
    assert lines == []


def test_port_in_use_is_logged_and_no_page(site):
    lines, log = logger()
    assert start_web(make_desk()[0], WebSettings(port=site.port), log) is None
    assert f'no web page on {site.url}' in lines[0]


@pytest.mark.parametrize('text', ['short', None])
def test_token_that_is_none_stops_the_start(tmp_path, text):
    path = tmp_path / 'token'
    if text is not None:
        path.write_text(text)
        path.chmod(0o600)
    with pytest.raises((ValueError, OSError)):
        start_web(make_desk()[0], WebSettings(token_file=str(path)), logger()[1])


def test_address_of_the_page_is_logged(monkeypatch):
    with socket.create_server(('127.0.0.1', 0)) as free:
        port = free.getsockname()[1]
    lines, log = logger()
    server = start_web(make_desk()[0], WebSettings(port=port), log)
    server.close()
    assert lines == [f'web page: http://127.0.0.1:{port}/']
