"""Settings of the operator's web page."""

from dataclasses import dataclass
from ipaddress import ip_address

from lazy_vos_ros.engine.parameters import check_parameters
from lazy_vos_ros.engine.parameters import parameter


@dataclass(frozen=True)
class WebSettings:
    """Parameters of the operator node that begin with `web.`.

    Raises
    ------
    ValueError
        At construction, naming what came and what is allowed; also where the page would be open
        to a network without a token.
    """

    port: int = parameter(
        8910, 'Port of the web page; 0: no page.', low=0, high=65535, dynamic=False
    )
    address: str = parameter(
        '127.0.0.1',
        'IP address to listen on; another than a loopback one needs `web.token_file`.',
        dynamic=False,
    )
    token_file: str = parameter(
        '',
        'File with the token that opens the page: 16 to 512 characters, not readable by other '
        'users; empty: no token.',
        dynamic=False,
    )
    hosts: str = parameter(
        '',
        'Names by which browsers reach the page, beside localhost and IP addresses, with commas '
        'between.',
        dynamic=False,
    )
    certificate_file: str = parameter(
        '', 'Certificate chain (PEM): serve https; empty: http.', dynamic=False
    )
    key_file: str = parameter('', 'Private key (PEM) of the certificate.', dynamic=False)
    live_rate: float = parameter(
        10.0, 'Most live pictures a second for one browser.', low=0.2, high=60.0, dynamic=False
    )
    live_width: int = parameter(
        960, 'Live pictures are sent no wider than this.', low=64, high=4096, dynamic=False
    )
    clients: int = parameter(8, 'Most browsers at the same time.', low=1, high=100, dynamic=False)

    def __post_init__(self) -> None:
        """Check every field, and that a network is met with a token."""
        check_parameters(self)
        try:
            ip_address(self.address)
        except ValueError:
            raise ValueError(
                f'web.address is {self.address!r}; allowed: an IP address such as 127.0.0.1, ::1 '
                'or 0.0.0.0'
            ) from None
        if not (self.loopback or self.token_file):
            raise ValueError(
                f'web.address is {self.address} and web.token_file is empty; allowed: a loopback '
                'address, or a token'
            )
        if bool(self.certificate_file) != bool(self.key_file):
            raise ValueError(
                'only one of web.certificate_file and web.key_file is given; allowed: both or none'
            )

    @property
    def loopback(self) -> bool:
        """Whether only this machine reaches the page."""
        return ip_address(self.address).is_loopback

    @property
    def names(self) -> frozenset[str]:
        """The names in `hosts`."""
        return frozenset(filter(None, (name.strip().lower() for name in self.hosts.split(','))))

    @property
    def url(self) -> str:
        """Where a browser on this machine finds the page."""
        address = ip_address(self.address)
        host = f'[{address}]' if address.version == 6 else str(address)
        if address.is_unspecified:
            host = 'localhost'
        return f'{"https" if self.certificate_file else "http"}://{host}:{self.port}/'
