"""The operator node with its page, as a process."""

import http.client
import socket

import pytest

OPERATOR = 'lazy_vos_ros.nodes.operator'


@pytest.fixture
def port():
    """Return a port that is free."""
    with socket.create_server(('127.0.0.1', 0)) as free:
        return free.getsockname()[1]


def test_network_is_not_served_without_a_token(graph, port):
    process = graph.start(OPERATOR, web__port=port, web__address='0.0.0.0')
    assert process.wait() == 1
    assert 'web.token_file is empty' in process.output
    graph.processes.clear()


def test_node_serves_the_page_and_ends_with_it(graph, port):
    process = graph.start(OPERATOR, web__port=port)
    graph.until(lambda: f'http://127.0.0.1:{port}/' in process.output, 'the page is served')
    connection = http.client.HTTPConnection('127.0.0.1', port, timeout=20)
    connection.request('GET', '/')
    assert b'Operator' in connection.getresponse().read()
    assert process.stop() == 0
    with pytest.raises(ConnectionRefusedError):
        socket.create_connection(('127.0.0.1', port), 5)
