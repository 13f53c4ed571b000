"""Variables of the middleware that a sub-command sets unless the user has."""

import os
from pathlib import Path

PACKAGE = 'lazy_vos_ros'


def shared_folder() -> Path:
    """Return the folder with `config`, `launch` and `weights`: the sources', or the installed.

    :raises RuntimeError: neither is there.
    """
    sources = Path(__file__).resolve().parents[2]
    if (sources / 'package.xml').exists():
        return sources
    for prefix in os.environ.get('AMENT_PREFIX_PATH', '').split(os.pathsep):
        share = Path(prefix) / 'share' / PACKAGE
        if prefix and (share / 'package.xml').exists():
            return share
    raise RuntimeError(f'the files of {PACKAGE} are not there: source the setup.bash of its build')


def prepare_environment(command: str) -> None:
    """Set what Fast DDS needs for large images, and keep the demo and the tests on this host."""
    asked = {'FASTRTPS_DEFAULT_PROFILES_FILE', 'FASTDDS_DEFAULT_PROFILES_FILE'}
    if not asked & set(os.environ):
        profile = shared_folder() / 'config' / 'fastdds.xml'
        if profile.exists():
            os.environ['FASTRTPS_DEFAULT_PROFILES_FILE'] = str(profile)
    if command in ('demo', 'test'):
        os.environ.setdefault('ROS_AUTOMATIC_DISCOVERY_RANGE', 'LOCALHOST')
