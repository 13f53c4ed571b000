import pytest

from lazy_vos_ros.nodes.web.settings import WebSettings


@pytest.mark.parametrize('address', ['0.0.0.0', '::', '192.168.1.5'])
def test_network_without_a_token_is_refused(address):
    with pytest.raises(ValueError, match=r'web\.token_file is empty; allowed: a loopback'):
        WebSettings(address=address)
    assert not WebSettings(address=address, token_file='token').loopback


@pytest.mark.parametrize('address', ['localhost', '', '127.0.0.1:80', '300.1.1.1'])
def test_address_must_be_an_ip_address(address):
    with pytest.raises(ValueError, match=r'web\.address is .*allowed: an IP address'):
        WebSettings(address=address)


@pytest.mark.parametrize('one', ['certificate_file', 'key_file'])
def test_certificate_and_key_come_together(one):
    with pytest.raises(ValueError, match='only one of'):
        WebSettings(**{one: 'file.pem'})


@pytest.mark.parametrize(
    ('settings', 'url'),
    [
        ({}, 'http://127.0.0.1:8910/'),
        ({'address': '::1', 'port': 80}, 'http://[::1]:80/'),
        ({'address': '0.0.0.0', 'token_file': 't'}, 'http://localhost:8910/'),
        ({'certificate_file': 'c', 'key_file': 'k'}, 'https://127.0.0.1:8910/'),
    ],
)
def test_url_is_what_a_browser_needs(settings, url):
    assert WebSettings(**settings).url == url


def test_names_are_split_and_lower_case():
    assert WebSettings(hosts=' Robot.local, cart ,,').names == {'robot.local', 'cart'}
