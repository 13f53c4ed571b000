"""ROS 2 and the project's own messages."""

import os
import xml.etree.ElementTree as ElementTree
from collections.abc import Iterator
from importlib import import_module
from pathlib import Path

from lazy_vos_ros import __version__
from lazy_vos_ros.cli.checks.finding import Finding
from lazy_vos_ros.cli.checks.finding import ok
from lazy_vos_ros.cli.checks.finding import problem

INTERFACES = 'lazy_vos_msgs'
BUILD = f'build {INTERFACES} (./lazy-vos setup, or colcon build) and source its setup.bash'
NO_PREFIX = 'AMENT_PREFIX_PATH is not set: lazy-vos, or a setup.bash, would set it'
SOURCES = Path(__file__).resolve().parents[3] / 'msg'


def check_ros() -> Iterator[Finding]:
    """Import rclpy and say where it comes from."""
    try:
        rclpy = import_module('rclpy')
        import_module('rclpy.node')
    except Exception as error:
        words = f'rclpy cannot be imported: {type(error).__name__}: {error}'
        mend = 'source /opt/ros/<distribution>/setup.bash, or run ./lazy-vos setup'
        yield problem('ROS 2', words, mend)
        return
    distro = os.environ.get('ROS_DISTRO')
    origin = f'{distro}, sourced' if distro else 'Jazzy, from wheels'
    yield ok('ROS 2', f'{origin}; {Path(str(rclpy.__file__)).parent}')


def check_interfaces() -> Iterator[Finding]:
    """Look whether the messages are built, and from the definitions of this version."""
    try:
        package = import_module(f'{INTERFACES}.msg')
        import_module(f'{INTERFACES}.srv')
    except Exception as error:
        words = f'{INTERFACES} cannot be imported: {type(error).__name__}: {error}'
        yield problem('interfaces', words, BUILD)
        return
    share = installed_share()
    if share is None:
        yield outside_prefixes(Path(str(package.__file__)))
        return
    version = ElementTree.parse(share / 'package.xml').getroot().findtext('version')
    if version != __version__:
        words = f'{INTERFACES} is of version {version}, lazy_vos_ros of {__version__}'
        yield problem('interfaces', words, BUILD)
        return
    other = changed_definitions(share, SOURCES)
    if other:
        words = f'built from other definitions than those of the sources: {", ".join(other)}'
        yield problem('interfaces', words, BUILD)
        return
    yield ok('interfaces', f'{INTERFACES} {version}, {share}')


def installed_share() -> Path | None:
    """Return where the built package has its definitions, None if it is on no prefix."""
    for prefix in os.environ.get('AMENT_PREFIX_PATH', '').split(os.pathsep):
        share = Path(prefix) / 'share' / INTERFACES
        if prefix and (share / 'package.xml').is_file():
            return share
    return None


def outside_prefixes(module: Path) -> Finding:
    """Say why the share folder of messages that can be imported is on no prefix of ament.

    Parameters
    ----------
    module
        The file of the messages' package that was imported.
    """
    given = os.environ.get('AMENT_PREFIX_PATH', '')
    found = f'{INTERFACES} can be imported, but '
    for prefix in module.parents:
        if (prefix / 'share' / INTERFACES / 'package.xml').is_file():
            lacks = f'AMENT_PREFIX_PATH is {given}, without {prefix}' if given else NO_PREFIX
            mend = f'start with lazy-vos, or: export AMENT_PREFIX_PATH={joined(prefix, given)}'
            return problem('interfaces', found + lacks, mend)
    return problem('interfaces', f'{found}its share folder is on no prefix of ament', BUILD)


def joined(prefix: Path, given: str) -> str:
    """Return a list of prefixes that begins with a new one."""
    return os.pathsep.join([str(prefix), *filter(None, given.split(os.pathsep))])


def changed_definitions(share: Path, sources: Path) -> list[str]:
    """Return the definitions that were not built, or not as they are in the sources."""
    return [
        path.name
        for path in sorted([*sources.glob('msg/*.msg'), *sources.glob('srv/*.srv')])
        if not (share / path.parent.name / path.name).is_file()
        or (share / path.parent.name / path.name).read_text() != path.read_text()
    ]
