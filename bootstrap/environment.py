"""The environment in which a sub-command runs."""

import os
from collections.abc import Mapping
from collections.abc import Sequence

from bootstrap.interfaces import PACKAGE
from bootstrap.layout import Layout
from bootstrap.pythons import without_ros


def child_environment(layout: Layout, env: Mapping[str, str]) -> dict[str, str]:
    """Return the variables for a sub-command: the virtual environment is a prefix of ament."""
    child = dict(env) if layout.ros_distro else without_ros(env)
    prefixes = [str(layout.venv), *child.get('AMENT_PREFIX_PATH', '').split(os.pathsep)]
    child['AMENT_PREFIX_PATH'] = os.pathsep.join(prefix for prefix in prefixes if prefix)
    child['VIRTUAL_ENV'] = str(layout.venv)
    child['PATH'] = f'{layout.venv / "bin"}{os.pathsep}{child.get("PATH", os.defpath)}'
    return child


def child_command(layout: Layout, arguments: Sequence[str]) -> list[str]:
    """Return the command line of a sub-command; on a sourced ROS the interfaces lie over it."""
    command = [str(layout.python), '-m', 'lazy_vos_ros.cli', *arguments]
    if layout.ros_distro is None:
        return command
    # the script of this package alone, so that the sources stay in front of a built lazy_vos_ros
    share = layout.root / 'install' / PACKAGE / 'share' / PACKAGE
    overlay = str(share / 'package.bash')
    return ['/bin/bash', '-c', '. "$0" && exec "$@"', overlay, *command]
