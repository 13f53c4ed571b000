"""The virtual environment itself, and pip in it."""

import re
import shutil
import uuid
from collections.abc import Mapping
from pathlib import Path

from bootstrap.commands import Commands
from bootstrap.errors import SetupError
from bootstrap.layout import Layout
from bootstrap.pythons import OLDEST
from bootstrap.pythons import TOO_NEW
from bootstrap.pythons import answers

IDENTITY = '.lazy-vos-identity'


def identity(layout: Layout) -> str:
    """Return a text that is another one for each virtual environment and each place."""
    try:
        return f'{layout.venv} {(layout.venv / IDENTITY).read_text()}'
    except OSError:
        return f'{layout.venv} not there'


def is_usable(layout: Layout, env: Mapping[str, str]) -> bool:
    """Whether the virtual environment is whole, at its place, and of a Python that fits."""
    try:
        config = (layout.venv / 'pyvenv.cfg').read_text()
    except OSError:
        return False
    shared = 'true' if layout.ros_distro else 'false'
    if f'include-system-site-packages = {shared}' not in config:
        return False
    code = f'import pip, sys; assert {OLDEST} <= sys.version_info[:2] < {TOO_NEW}'
    return _stayed_in_place(layout) and answers(layout.python, code, env)


def _stayed_in_place(layout: Layout) -> bool:
    # the identity names the folder in which it was made; a hand-made environment has none
    try:
        made_in = (layout.venv / IDENTITY).read_text().split('\n')[0]
    except OSError:
        return True
    return made_in == str(layout.venv)


def make_venv(commands: Commands, layout: Layout, python: Path, env: Mapping[str, str]) -> str:
    """Keep the virtual environment that is there if it is usable, else make a new one."""
    kept = is_usable(layout, env)
    if not kept:
        if layout.venv.is_symlink():
            raise SetupError(
                f'{layout.venv} is a link to an environment that does not fit here',
                f'Remove the link ({layout.venv}), and call lazy-vos again.',
            )
        if layout.venv.exists():
            shutil.rmtree(layout.venv)
        options = ['--system-site-packages'] if layout.ros_distro else []
        commands.run([python, '-m', 'venv', *options, layout.venv], env=env)
    if not (layout.venv / IDENTITY).exists():
        (layout.venv / IDENTITY).write_text(f'{layout.venv}\n{uuid.uuid4()}\n')
    config = (layout.venv / 'pyvenv.cfg').read_text()
    version = re.search(r'^version\S* = (\S+)', config, re.MULTILINE)
    shown = f'{layout.venv.name}, Python {version.group(1) if version else "unknown"}'
    return f'kept {shown}' if kept else f'made {shown}'


def site_packages(layout: Layout) -> Path:
    """Return the virtual environment's folder of packages."""
    return next((layout.venv / 'lib').glob('python3.*/site-packages'))


def remove_fragments(layout: Layout) -> list[str]:
    """Remove what a killed pip left: packages without their record, and set-aside old ones.

    pip takes a package without its RECORD for installed, so it would stay broken for ever.
    """
    removed = []
    for path in site_packages(layout).iterdir():
        halved = path.suffix == '.dist-info' and not (path / 'RECORD').exists()
        if path.is_dir() and (halved or path.name.startswith('~')):
            shutil.rmtree(path)
            removed.append(path.name)
    return sorted(removed)


def pip(layout: Layout, *arguments: str | Path) -> list[str]:
    """Return the command line of a pip call in the virtual environment.

    The machine's own configuration of pip (index, find-links, certificates) stays in force.
    """
    options = ['--disable-pip-version-check', '--no-input']
    return [str(layout.python), '-m', 'pip', *options, *map(str, arguments)]
