"""The interpreter and the packages that everything needs."""

import platform
import sys
from collections.abc import Iterator
from importlib import import_module

from lazy_vos_ros.cli.checks.finding import Finding
from lazy_vos_ros.cli.checks.finding import ok
from lazy_vos_ros.cli.checks.finding import problem
from lazy_vos_ros.cli.checks.finding import warning

OLDEST, TOO_NEW = (3, 10), (3, 13)
NEEDED = ('numpy', 'cv2', 'torch', 'safetensors', 'yaml', 'PIL', 'matplotlib', 'rosbags', 'tqdm')
REINSTALL = 'run ./lazy-vos setup, or: pip install --require-hashes -r requirements/python.txt'


def check_python() -> Iterator[Finding]:
    """Look at the interpreter."""
    found = f'{platform.python_version()}, {sys.executable}'
    if OLDEST <= sys.version_info[:2] < TOO_NEW:
        yield ok('Python', found)
    else:
        yield warning('Python', found, 'use Python 3.10, 3.11 or 3.12: others are not tested')


def check_packages() -> Iterator[Finding]:
    """Import what is needed; tell versions with which images come out wrong."""
    versions = {}
    for name in NEEDED:
        try:
            versions[name] = str(getattr(import_module(name), '__version__', ''))
        except Exception as error:  # a broken binary raises whatever it likes
            words = f'{name} cannot be imported: {type(error).__name__}: {error}'
            yield problem('packages', words, REINSTALL)
    for name, limit, why in (
        ('numpy', 2, 'the cv_bridge of ROS 2 Jazzy breaks with NumPy 2'),
        ('cv2', 5, 'OpenCV 5 numbers its image types anew'),
    ):
        version = versions.get(name, '0')
        if int(version.split('.')[0]) >= limit:
            yield warning('packages', f'{name} {version}: {why}', REINSTALL)
    told = ', '.join(f'{name} {version}'.strip() for name, version in versions.items())
    yield ok('packages', told)
