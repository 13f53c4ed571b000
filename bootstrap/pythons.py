"""Which Python the environment is made of, and whether a ROS 2 is sourced."""

import os
import shutil
import subprocess
import sys
from collections.abc import Mapping
from collections.abc import Sequence
from pathlib import Path

OLDEST = (3, 10)
TOO_NEW = (3, 13)
NAMES = ('python3', 'python3.12', 'python3.11', 'python3.10', '/usr/bin/python3')


def candidates(env: Mapping[str, str]) -> list[Path]:
    """Return the interpreters to try, best first: the one running now, then those on PATH."""
    found = [Path(getattr(sys, '_base_executable', sys.executable))]
    if not env.get('LAZY_VOS_PYTHON'):
        paths = (shutil.which(name, path=env.get('PATH')) for name in NAMES)
        found += [Path(path) for path in paths if path]
    return list(dict.fromkeys(found))


def answers(python: Path, code: str, env: Mapping[str, str]) -> bool:
    """Whether `python` runs `code` without an error."""
    try:
        done = subprocess.run(
            [python, '-c', code], env=dict(env), capture_output=True, check=False, timeout=60
        )
    except (OSError, subprocess.TimeoutExpired):
        return False
    return done.returncode == 0


def python_with_ros(env: Mapping[str, str], pythons: Sequence[Path]) -> Path | None:
    """Return the first Python that fits and imports rclpy, if a ROS 2 is sourced."""
    if not env.get('ROS_DISTRO') or env.get('LAZY_VOS_ROS') == 'wheels':
        return None
    code = f'import sys; assert {OLDEST} <= sys.version_info[:2] < {TOO_NEW}; import rclpy'
    return next((python for python in pythons if answers(python, code, env)), None)


def without_ros(env: Mapping[str, str]) -> dict[str, str]:
    """Return `env` without what a sourced ROS put into it, for an environment of wheels."""
    prefixes = [path for path in env.get('AMENT_PREFIX_PATH', '').split(os.pathsep) if path]
    cleaned = {name: value for name, value in env.items() if not _is_of_ros(name)}
    for name in ('PYTHONPATH', 'LD_LIBRARY_PATH', 'PATH'):
        kept = [
            entry
            for entry in env.get(name, '').split(os.pathsep)
            if entry and not any(entry.startswith(f'{prefix}/') for prefix in prefixes)
        ]
        if kept:
            cleaned[name] = os.pathsep.join(kept)
        else:
            cleaned.pop(name, None)
    return cleaned


def _is_of_ros(name: str) -> bool:
    # the second is the wheels' own mark, inherited from a Python of another environment
    return name in {
        'AMENT_PREFIX_PATH',
        '_ROS_WHEELS_BOOTSTRAP_COMPLETE',
        'CMAKE_PREFIX_PATH',
        'COLCON_PREFIX_PATH',
        'ROS_DISTRO',
        'ROS_VERSION',
        'ROS_PYTHON_VERSION',
    }
