"""A page on a free port, for everybody or for those with a token."""

import pytest
from web_site import TOKEN
from web_site import served

from lazy_vos_ros.nodes.web import server


@pytest.fixture(autouse=True)
def soon_closed(monkeypatch):
    """Do not wait long for clients of tests that have ended."""
    monkeypatch.setattr(server, 'CLOSING', 0.1)


@pytest.fixture
def site():
    """Return a page that everybody on this machine may use."""
    with served() as made:
        yield made


@pytest.fixture
def locked_site(tmp_path):
    """Return a page that needs a token."""
    path = tmp_path / 'token'
    path.write_text(TOKEN)
    path.chmod(0o600)
    with served(token_file=str(path)) as made:
        yield made
