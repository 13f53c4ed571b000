"""The locked dependencies."""

import re
from collections.abc import Mapping
from collections.abc import Sequence
from pathlib import Path

from bootstrap.commands import Commands
from bootstrap.commands import Progress
from bootstrap.commands import last_line
from bootstrap.errors import SetupError
from bootstrap.layout import Layout
from bootstrap.venv import pip
from bootstrap.venv import remove_fragments

NO_NETWORK = re.compile(
    r'Failed to establish a new connection|Temporary failure in name resolution|'
    r'Name or service not known|Network is unreachable|Max retries exceeded|'
    r'Connection refused|ConnectTimeoutError|No route to host'
)
WRONG_HASH = re.compile(r'DO NOT MATCH THE HASHES')
WRONG_CERTIFICATE = re.compile(r'CERTIFICATE_VERIFY_FAILED')
DISK_FULL = re.compile(r'No space left on device')


def locks(layout: Layout) -> list[Path]:
    """Return the lock files that this environment needs, beside the one of the tools."""
    names = ['python.txt', 'unlinked.txt'] if layout.ros_distro else [
        'python.txt', 'unlinked.txt', 'ros.txt',
    ]  # fmt: skip
    return [layout.requirements / name for name in names]


def install_packages(commands: Commands, layout: Layout, env: Mapping[str, str]) -> str:
    """Install exactly what the locks name, checked by hash.

    :raises SetupError: no network, a wrong hash, a full disk or another failure of pip.
    """
    remove_fragments(layout)
    exactly = ['install', '--no-deps', '--require-hashes', '--no-build-isolation']
    files = locks(layout)
    run_pip(
        commands, pip(layout, *exactly, '-r', layout.requirements / 'tools.txt'), env, last_line
    )
    arguments = [part for file in files for part in ('-r', file)]
    count = len({line for file in files for line in _pins(file)})
    run_pip(commands, pip(layout, *exactly, *arguments), env, pip_progress(count))
    return 'as locked'


def _pins(lock: Path) -> list[str]:
    return [line.split('==')[0] for line in lock.read_text().splitlines() if '==' in line]


def pip_progress(count: int) -> Progress:
    """Return a progress that counts pip's packages, of which there are about `count`."""

    def progress(text: str) -> str:
        if 'Installing collected packages' in text:
            return 'unpacking'
        collected = len(re.findall(r'^(?:Collecting|Requirement already)', text, re.MULTILINE))
        return f'{min(collected, count)} of {count} packages'

    return progress


def run_pip(
    commands: Commands,
    command: Sequence[str],
    env: Mapping[str, str],
    progress: Progress,
) -> None:
    """Run a pip call and name the cause if it fails.

    :raises SetupError: it failed; the message says what is known of the cause.
    """
    start = len(commands.text().encode())
    if commands.status(command, env=env, progress=progress) != 0:
        raise explain(commands.text(start))


def explain(text: str) -> SetupError:
    """Return the error for the output of a pip call that failed."""
    if WRONG_HASH.search(text):
        return SetupError(
            'a downloaded package is not the one that was locked.',
            'Something between here and the package index changes files: do not go on with it.',
        )
    if DISK_FULL.search(text):
        return SetupError('the disk is full.', 'Make room (about 3 GB).')
    if WRONG_CERTIFICATE.search(text):
        return SetupError(
            "the package index's certificate cannot be verified.",
            'Behind a proxy with its own certificate, name that in PIP_CERT; check the clock too.',
        )
    if NO_NETWORK.search(text):
        return SetupError(
            'the package index cannot be reached.',
            "Check the network, and pip's settings for a proxy or mirror ('pip config list').",
        )
    return SetupError('pip failed.')
