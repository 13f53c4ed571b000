import pytest

from lazy_vos_ros.nodes.web.origins import Origins

HERE = Origins()
NETWORK = Origins(frozenset({'robot.local'}), loopback=False)


@pytest.mark.parametrize(
    'host',
    [
        '',
        'evil.example',
        'evil.example:8910',
        '127.0.0.1.evil.example',
        'localhost.evil.example',
        'localhost@evil.example',
        'evil.example#localhost',
        'localhost:port',
        'localhost:8910:8910',
        'localhost\n',
        ' localhost',
        '[::1',
        '0x7f.1',
        '2130706433',
        'a' * 1000,
    ],
)
def test_strange_hosts_are_refused(host):
    assert not HERE.host_allowed(host)
    assert not NETWORK.host_allowed(host)


@pytest.mark.parametrize('host', ['127.0.0.1', '127.0.0.1:8910', '[::1]:8910', 'LOCALHOST:1'])
def test_loopback_names_are_allowed(host):
    assert HERE.host_allowed(host)
    assert NETWORK.host_allowed(host)


@pytest.mark.parametrize('host', ['192.168.1.5:8910', '[fd00::5]', 'robot.local:8910'])
def test_addresses_and_given_names_only_where_the_network_is_served(host):
    assert not HERE.host_allowed(host)
    assert NETWORK.host_allowed(host)


@pytest.mark.parametrize(
    'origin',
    [
        None,
        '',
        'null',
        'http://evil.example',
        'http://localhost:3000',
        'http://localhost:8910.evil.example',
        'http://user@localhost:8910',
        'http://localhost:8910/page',
        'file://localhost:8910',
        'http://[',
        'localhost:8910',
        'http://' + 'a' * 1000,
    ],
)
def test_other_origins_are_refused(origin):
    assert not HERE.same(origin, 'localhost:8910')


def test_origin_of_a_rebound_name_is_refused_though_it_is_the_host():
    assert not HERE.same('http://evil.example:8910', 'evil.example:8910')


@pytest.mark.parametrize(
    ('origin', 'host'),
    [
        ('http://localhost:8910', 'localhost:8910'),
        ('http://LOCALHOST:8910', 'localhost:8910'),
        ('https://127.0.0.1', '127.0.0.1:443'),
        ('http://[::1]:80', '[::1]'),
    ],
)
def test_our_own_origin_is_believed(origin, host):
    assert HERE.same(origin, host)
