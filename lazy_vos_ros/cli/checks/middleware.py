"""Fast DDS: which middleware, whether large images fit through it, who is reached."""

import os
import xml.etree.ElementTree as ElementTree
from collections.abc import Iterator
from dataclasses import dataclass
from importlib import import_module
from pathlib import Path

from lazy_vos_ros.cli.checks.finding import Finding
from lazy_vos_ros.cli.checks.finding import ok
from lazy_vos_ros.cli.checks.finding import problem
from lazy_vos_ros.cli.checks.finding import warning

VARIABLES = ('FASTRTPS_DEFAULT_PROFILES_FILE', 'FASTDDS_DEFAULT_PROFILES_FILE')
IMAGE = 1280 * 720 * 3
"""Bytes of an image that must fit."""
USE_OURS = 'export FASTRTPS_DEFAULT_PROFILES_FILE=<share of lazy_vos_ros>/config/fastdds.xml'


@dataclass(frozen=True)
class Profile:
    """What a profile of Fast DDS says about transports; 0 where it says nothing."""

    segment_size: int
    """Bytes of shared memory for a process's messages in flight."""
    message_size: int
    """Bytes of the largest message through shared memory."""
    loopback_only: bool
    """Whether other hosts cannot be reached."""


def check_middleware() -> Iterator[Finding]:
    """Look at the implementation, its profile, and who can be reached."""
    try:
        rclpy = import_module('rclpy')
        name = rclpy.get_rmw_implementation_identifier()
    except Exception as error:
        words = f'no middleware: {type(error).__name__}: {error}'
        mend = 'install ros-<distribution>-rmw-fastrtps-cpp, or unset RMW_IMPLEMENTATION'
        yield problem('middleware', words, mend)
        return
    yield ok('middleware', f'{name}, {_domain()}')
    if 'fastrtps' in name:
        yield check_profile()
    else:
        yield warning(
            'DDS profile',
            f'{name} does not read the profile of Fast DDS',
            'give it room for large images in its own way: its buffers, and net.core.rmem_max',
        )


def _domain() -> str:
    reach = os.environ.get('ROS_AUTOMATIC_DISCOVERY_RANGE', 'SUBNET')
    return f'domain {os.environ.get("ROS_DOMAIN_ID", "0")}, discovery range {reach}'


def check_profile() -> Finding:
    """Look whether the profile that is named exists and has room for large images."""
    named = [(name, os.environ[name]) for name in VARIABLES if os.environ.get(name)]
    if not named:
        words = 'none is named: Fast DDS loses most best-effort images of 1280x720'
        return warning('DDS profile', words, USE_OURS)
    variable, path = named[0]
    try:
        profile = read_profile(Path(path))
    except FileNotFoundError:
        return problem('DDS profile', f'{variable} is {path}, which does not exist', USE_OURS)
    except (OSError, ElementTree.ParseError, ValueError) as error:
        return problem('DDS profile', f'{path} cannot be read: {error}', USE_OURS)
    if min(profile.segment_size, profile.message_size) < IMAGE:
        words = (
            f'{path}: shared memory of {profile.segment_size} bytes, messages of '
            f'{profile.message_size}; one image of 1280x720 has {IMAGE}'
        )
        return warning('DDS profile', words, f'raise both in the profile, or {USE_OURS}')
    reach = 'this host only' if profile.loopback_only else 'all hosts'
    return ok('DDS profile', f'{path}; {profile.segment_size >> 20} MiB a process; {reach}')


def read_profile(path: Path) -> Profile:
    """Read a profile; ParseError or ValueError if it is none.

    Profiles may have a namespace or none.
    """
    root = ElementTree.fromstring(path.read_text())
    transports = [item for item in root.iter() if _tag(item) == 'transport_descriptor']
    shared = [item for item in transports if _text(item, 'type') == 'SHM']
    if _tag(root) not in ('profiles', 'dds'):
        raise ValueError(f'its root is <{_tag(root)}>; allowed: <profiles> or <dds>')
    addresses = [
        (item.text or '').strip()
        for transport in transports
        if _text(transport, 'type') == 'UDPv4'
        for item in transport.iter()
        if _tag(item) in ('address', 'interface')
    ]
    return Profile(
        max((int(_text(item, 'segment_size') or 0) for item in shared), default=0),
        max((int(_text(item, 'maxMessageSize') or 0) for item in shared), default=0),
        bool(addresses) and set(addresses) <= {'127.0.0.1', 'lo', 'localhost'},
    )


def _tag(element: ElementTree.Element) -> str:
    return element.tag.rpartition('}')[2]


def _text(element: ElementTree.Element, tag: str) -> str:
    return next(((item.text or '').strip() for item in element if _tag(item) == tag), '')
