"""The interface package lazy_vos_msgs: built by CMake into the wheels, by colcon on a ROS."""

import os
import re
import shutil
from collections.abc import Mapping
from pathlib import Path

from bootstrap.commands import Commands
from bootstrap.layout import Layout

PACKAGE = 'lazy_vos_msgs'
PERCENT = re.compile(r'^\[ *(\d+)%\]', re.MULTILINE)


def build_progress(text: str) -> str:
    """Show make's own percentage."""
    reached = PERCENT.findall(text)
    return f'{reached[-1]} %' if reached else 'configuring'


def prepare_prefix(commands: Commands, layout: Layout, env: Mapping[str, str]) -> str:
    """Make the virtual environment a prefix that ament and colcon accept."""
    commands.run([layout.python, Path(__file__).with_name('ament_prefix.py')], env=env)
    return 'ready'


def build_with_cmake(commands: Commands, layout: Layout, env: Mapping[str, str]) -> str:
    """Build the interfaces and install them into the virtual environment."""
    build = layout.state / 'build'
    _remove_installed(layout)
    shutil.rmtree(build, ignore_errors=True)
    env = {
        **env,
        'PATH': f'{layout.venv / "bin"}:{env.get("PATH", os.defpath)}',
        'AMENT_PREFIX_PATH': str(layout.venv),
        'CMAKE_PREFIX_PATH': str(layout.venv),
    }
    cmake = layout.venv / 'bin' / 'cmake'
    commands.run(
        [
            cmake, '-S', layout.interfaces, '-B', build,
            f'-DCMAKE_INSTALL_PREFIX={layout.venv}',
            f'-DPython3_EXECUTABLE={layout.python}',
            '-DCMAKE_BUILD_TYPE=Release',
            '-DBUILD_TESTING=OFF',
        ],
        env=env, progress=build_progress,
    )  # fmt: skip
    jobs = str(len(os.sched_getaffinity(0)))
    commands.run([cmake, '--build', build, '-j', jobs], env=env, progress=build_progress)
    commands.run([cmake, '--install', build], env=env)
    shutil.copy(build / 'install_manifest.txt', _manifest(layout))
    return 'built by CMake'


def _manifest(layout: Layout) -> Path:
    return layout.venv / 'share' / PACKAGE / 'install_manifest.txt'


def _remove_installed(layout: Layout) -> None:
    # a message that was renamed must not stay importable
    if _manifest(layout).exists():
        for line in _manifest(layout).read_text().splitlines():
            Path(line).unlink(missing_ok=True)


def build_with_colcon(
    commands: Commands, layout: Layout, python: Path, env: Mapping[str, str]
) -> str:
    """Build the interfaces into install/, an overlay of the sourced ROS."""
    commands.run(
        [
            'colcon', 'build', '--base-paths', layout.interfaces,
            '--packages-select', PACKAGE,
            '--cmake-args', f'-DPython3_EXECUTABLE={python}', '-DBUILD_TESTING=OFF',
        ],
        env=env, cwd=layout.root, progress=build_progress,
    )  # fmt: skip
    return 'built by colcon into install/'


def are_built(layout: Layout) -> bool:
    """Whether the built interfaces are still there."""
    if layout.ros_distro:
        return (layout.root / 'install' / PACKAGE / 'share' / PACKAGE / 'package.xml').exists()
    return _manifest(layout).exists()
