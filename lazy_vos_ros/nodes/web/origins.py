"""Which Host and Origin headers are believed.

A page of a stranger can make a browser send requests here (cross-site), also under a name of the
stranger that suddenly means this machine (DNS rebinding). The first is told by its Origin, the
second by its Host: a rebound name is never an IP address and never one that was allowed.
"""

import re
from dataclasses import dataclass
from ipaddress import ip_address
from urllib.parse import urlsplit

_HOST = re.compile(r'(?P<name>\[[0-9A-Fa-f:.]{2,45}\]|[A-Za-z0-9._-]{1,253})(?::\d{1,5})?')
_DEFAULT_PORTS = {'http': ':80', 'https': ':443'}


@dataclass(frozen=True)
class Origins:
    """Believes `localhost`, IP addresses, and the names given.

    Parameters
    ----------
    names
        Further host names, in lower case.
    loopback
        Whether only loopback addresses can be meant.
    """

    names: frozenset[str] = frozenset()
    loopback: bool = True

    def host_allowed(self, host: str) -> bool:
        """Return whether a request for this host (`name` or `name:port`) is meant for us."""
        match = _HOST.fullmatch(host)
        if match is None:
            return False
        name = match['name'].lower()
        if name == 'localhost' or name in self.names:
            return True
        try:
            address = ip_address(name.strip('[]'))
        except ValueError:
            return False
        return address.is_loopback or not self.loopback

    def same(self, origin: str | None, host: str) -> bool:
        """Return whether a page of this host made the request; no origin is not ours."""
        if not origin or len(origin) > 300:
            return False
        try:
            parts = urlsplit(origin)
        except ValueError:
            return False
        if parts.scheme not in _DEFAULT_PORTS or origin != f'{parts.scheme}://{parts.netloc}':
            return False
        port = _DEFAULT_PORTS[parts.scheme]
        same = parts.netloc.lower().removesuffix(port) == host.lower().removesuffix(port)
        return same and self.host_allowed(host)
